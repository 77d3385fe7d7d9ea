"""One check's cast: clients and servers that are gone when the check is over, and its report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from socp_accents import Accent
from socp_client import Client, Read
from socp_crypto import Keys, Refused
from socp_server import Server
from socp_wire import Wrong

PATIENCE = 90.0
KEYS = Keys()
SMALL = bytes(range(256)) * 3  # a file of two or three chunks, depending on who cuts it


class Scene:
    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.servers: list[Server] = []

    async def __aenter__(self) -> Scene:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(one.close() for one in self.clients), return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self.servers), return_exceptions=True)

    async def connect(self, url: str, accent: Accent, key: str) -> Client:
        """A connection on which nothing was said."""
        client = await Client.open(url, accent, KEYS[key])
        self.clients.append(client)
        return client

    async def client(self, url: str, accent: Accent, key: str) -> Client:
        client = await self.connect(url, accent, key)
        await client.hello()
        return client

    async def server(self, accent: Accent, key: str, introduces: bool = False,
                     port: int = 0, ready: bool = True) -> Server:
        server = Server(accent, KEYS[key], introduces)
        self.servers.append(server)
        if not ready:
            server.ready.clear()
        await server.open(port)
        return server


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.120} instead of {wanted!r:.120}")


def said(read: Read, sender: Client, text: str, verified: bool = True) -> None:
    """That a message arrived as it was sent, and that its reader could verify it, if he tries."""
    same("the text", read.text, text)
    same("the sender", read.sender, sender.id)
    if verified and read.verified is False:
        raise Wrong(f"a content signature of {sender.accent.name} that does not verify")


async def tell(sender: Client, to: Client, text: str, key: str | None = None,
               verified: bool = True) -> None:
    """A direct message from one to the other, arrived, opened and verified."""
    body = await sender.direct(to.id, await sender.key_of(to) if key is None else key, text)
    said(await to.receive(0, body["payload"]["ciphertext"]), sender, text, verified)


async def announce(sender: Client, to: list[Client], text: str, verified: bool = True) -> None:
    """A public message, arrived at all of `to`."""
    marks = [one.mark() for one in to]
    await sender.public(text, {one.id: one.key_text for one in to})
    for one, since in zip(to, marks, strict=True):
        said(await one.receive_public(since, sender.id), sender, text, verified)


async def hand_over(sender: Client, to: Client, key: str | None = None) -> None:
    """A file from one to the other."""
    file_id = await sender.file(to.id, key or to.key_text, "a file.bin", SMALL)
    same("the file", await to.receive_file(file_id), SMALL)


def no_twins(client: Client, kind: str) -> None:
    """That nothing of this type came twice."""
    raws = [str((frame.body or {}).get("payload")) for frame in client.frames if frame.type == kind]
    if len(set(raws)) != len(raws):
        raise Wrong(f"{client.accent.name} got a {kind} twice")


async def report(name: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Runs one check and prints one line."""
    fault: str | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            await work()
    except (Wrong, Refused) as wrong:
        fault = str(wrong)
    except TimeoutError:
        fault = f"not done after {PATIENCE:.0f} s"
    except Exception as wrong:  # a check that falls over has failed, and the rest must still run
        fault = f"{type(wrong).__name__}: {wrong}"
    print(f"ok {name}" if fault is None else f"FAIL {name}: {' '.join(fault.split())}", flush=True)
    return fault is None


def finish(good: list[bool]) -> int:
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if good and all(good) else 1


def fits(name: str, patterns: list[str]) -> bool:
    """Names have parts with dots between them; a pattern is a whole name or one of its parts."""
    return any(name == one or one in name.split(".") for one in patterns)


def chosen(name: str, only: list[str], skip: list[str]) -> bool:
    return (not only or fits(name, only)) and not fits(name, skip)


