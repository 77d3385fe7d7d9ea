"""A home server that speaks with a given accent, with clients attached to it.

It plays what the real program does on the wire, also where that is odd, and as strictly as that
program: whatever would have ended or confused it is kept in `faults`, and a check that leaves any
has failed. Every wait has a deadline, and nothing sleeps.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, serve

from olaf_client import DEADLINE, Frame, Wrong
from olaf_crypto import PrivateKey, b64, pem_text, read_pem, sign, verifies
from olaf_guest import Guest
from olaf_server_accents import ServerAccent
from olaf_wire import Json, Sent, data_of, print_json


@dataclass(frozen=True)
class Home:
    """The server under test, as its operator describes it to others."""

    url: str
    address: str
    pem: str


@dataclass(eq=False)
class Link:
    """One socket to the server under test."""

    socket: Any
    inbound: bool
    verified: bool = False
    their_counter: int = -1
    frames: list[Frame] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.socket.close_code is None

    async def send(self, raw: str | bytes) -> None:
        try:
            await self.socket.send(raw)
        except websockets.ConnectionClosed:
            pass


class Neighbour:
    def __init__(self, accent: ServerAccent, key: PrivateKey, home: Home, guests: list[Guest],
                 tls: tuple[str, str] | None = None) -> None:
        self.accent, self.key, self.home, self.guests, self.tls = accent, key, home, guests, tls
        self.door = socket.socket()
        self.door.bind(("127.0.0.1", 0))  # taken, and closed: whoever dials is refused
        self.port: int = self.door.getsockname()[1]
        self.links: list[Link] = []
        self.told: list[str] = []
        self.updates = 0
        self.letters: list[tuple[Link, Frame]] = []
        self.faults: list[str] = []
        self.counter = accent.first_counter
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    # --- names -----------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return f"{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://{self.host}"

    def spelled(self, host: str, ours: bool = False) -> str:
        """An address as this program writes it. Only its own has a host name in front."""
        prefix = {"plain": "", "ws": "ws://", "java": "vm/" if ours else "ws://"}
        return prefix[self.accent.address] + host

    @property
    def pem(self) -> str:
        return pem_text(self.key.public_key(), "one-line")

    @property
    def spki(self) -> str:
        return "".join(self.pem.splitlines()[1:-1])

    def pems(self) -> list[str]:
        return [*self.told, *(guest.pem for guest in self.guests)]

    # --- sockets ---------------------------------------------------------------------------------

    async def open_door(self) -> None:
        context = None
        if self.tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*self.tls)
        self._server = await serve(self._accept, sock=self.door, ssl=context, max_size=16 << 20)

    async def close_door(self) -> None:
        """Nobody comes in any more, and whoever did is let go."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _accept(self, accepted: Any) -> None:
        await self._read(Link(accepted, inbound=True))

    async def dial(self) -> Link:
        """Opens a socket of its own and says hello on it."""
        link = await self.open_link()
        await link.send(self.hello())
        # This one waits for the answer before it asks.
        if not self.accent.answers_hello:
            await link.send(self.request())
            if self.accent.sockets == "one-way":
                await link.send(self.update())
        return link

    async def open_link(self) -> Link:
        """Opens a socket and says nothing."""
        opened = await connect(self.home.url, max_size=16 << 20, proxy=None,
                               open_timeout=DEADLINE, close_timeout=2)
        link = Link(opened, inbound=False)
        self._run(self._read(link))
        return link

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, link: Link) -> None:
        self.links.append(link)
        try:
            async for raw in link.socket:
                link.frames.append(Frame.read(raw))
                await self._take(link, raw)
                await self._tell()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.links.remove(link)
            await self._tell()

    async def close(self) -> None:
        await asyncio.gather(*(link.socket.close() for link in list(self.links)))
        await self.close_door()
        self.door.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def voices(self) -> list[Link]:
        """Where it speaks of its own accord."""
        mine = [link for link in self.links if link.is_open and not link.inbound]
        theirs = [link for link in self.links if link.is_open and link.inbound and link.verified]
        if self.accent.sockets == "one-way":
            return mine[:1]
        return (mine or theirs)[:1]

    # --- waiting ---------------------------------------------------------------------------------

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, wanted: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(DEADLINE), self._news:
                await self._news.wait_for(wanted)
        except TimeoutError:
            faults = f"; it found fault: {self.faults}" if self.faults else ""
            raise Wrong(f"{self.accent.name} waited {DEADLINE:.0f} s for {what}{faults}") from None

    async def knows(self, *pems: str) -> None:
        await self.until(lambda: set(pems) <= set(self.told), "an update with the client in it")

    def copies(self, sent: Sent) -> list[tuple[Link, Frame]]:
        return [(link, frame) for link, frame in self.letters if frame.has(sent)]

    async def receive(self, sent: Sent) -> Frame:
        await self.until(lambda: bool(self.copies(sent)), "a letter")
        return self.copies(sent)[0][1]

    # --- saying ----------------------------------------------------------------------------------

    def print(self, value: Any) -> str:
        python = self.accent.style == "python"
        return print_json(value, self.accent.style, python, self.accent.sorts)

    def hello(self, key: PrivateKey | None = None, counter: int | None = None) -> str:
        accent = self.accent
        if counter is None:
            counter = self.counter
            self.counter += 0 if accent.constant_counter else 1
        data = {"type": accent.greeting, accent.field: self.spelled(self.host, ours=True)}
        if accent.proof == "none":
            return self.print({"data": data})
        text = self.print(data) + str(counter)
        if accent.signs == "sorted-object":
            text = print_json({"counter": counter, "data": data}, "compact", True, sort=True)
        if accent.proof == "hash":
            signature = b64(hashlib.sha256(text.encode()).digest())
        else:
            signature = sign(key or self.key, text, accent.salt)
        return self.print({
            "type": "signed_data",
            "data": self.print(data) if accent.data_as == "string" else data,
            "counter": str(counter) if accent.counter_as == "text" else counter,
            "signature": signature,
        })

    def request(self) -> str:
        return self.print({"type": "client_update_request"})

    def update(self, pems: list[str] | None = None) -> str:
        pems = [guest.pem for guest in self.guests] if pems is None else pems
        clients: list[Any] = list(pems)
        if self.accent.entries != "strings":
            number, key = (("client-id", "public-key") if self.accent.entries == "client-id"
                           else ("client_id", "public_key"))
            clients = [{number: at, key: pem} for at, pem in enumerate(pems, 1001)]
        body: Json = {"type": "client_update", "clients": clients}
        if self.accent.names_itself:
            body["hostname"] = self.host
        return self.print(body)

    async def send_updates(self) -> None:
        for link in self.voices():
            await link.send(self.update())

    def relayed(self, sent: Sent) -> str:
        """A letter of a guest as this program hands it on."""
        body = json.loads(sent.raw)
        match self.accent.prints:
            case "verbatim":
                return sent.raw
            case "python":
                return json.dumps(body)
            case "sorted":
                return print_json(body, "compact", False, sort=True)
            case "object":
                return json.dumps({**body, "data": data_of(body)})
            case _:
                return print_json({"data": data_of(body)}, "compact", False, sort=True)

    async def pass_on(self, sent: Sent) -> str:
        raw = self.relayed(sent)
        for link in self.voices():
            await link.send(raw)
        return raw

    # --- hearing ---------------------------------------------------------------------------------

    def fault(self, what: str) -> None:
        self.faults.append(what)

    async def _take(self, link: Link, raw: str | bytes) -> None:
        accent = self.accent
        if accent.sockets == "one-way" and not link.inbound:
            return
        body = Frame.read(raw).body
        if body is None or not isinstance(raw, str):
            return self.fault(f"a frame that is no JSON object in text: {raw[:80]!r}")
        kind = body.get("type")
        if link.inbound and not link.verified and kind not in ("signed_data", None):
            self.fault(f"{kind} before the hello")
            if accent.hello_comes_first:
                await link.socket.close(1011)
            return
        match kind:
            case "client_update":
                self._update(body)
            case "client_update_request":
                voices = self.voices() if accent.sockets == "one-way" else [link]
                for voice in voices:
                    await voice.send(self.update())
            case "signed_data" | None:
                await self._signed(link, raw, body)
            case _:
                self.fault(f"a frame of the type {kind!r}")

    async def _signed(self, link: Link, raw: str, body: Json) -> None:
        try:
            data = data_of(body)
            kind = data["type"]
        except (KeyError, ValueError):
            return self.fault(f"no data in {raw[:80]}")
        if kind not in ("public_chat", "chat"):
            return await self._hello(link, body, data)
        shown = "string" if isinstance(body["data"], str) else "object"
        if self.accent.wants not in ("any", shown):
            self.fault(f"a letter whose data is a {shown}")
        if link.inbound and not link.verified:
            self.fault("a letter before the hello")
        self.letters.append((link, Frame.read(raw)))
        if self.accent.echoes and kind == "public_chat":
            for other in self.links:
                if other is not link:
                    await other.send(json.dumps(body))

    async def _hello(self, link: Link, body: Json, data: Json) -> None:
        wrong = self._wrong_with(link, body, data)
        if wrong is not None:
            self.fault(f"{wrong}: {json.dumps(body)[:200]}")
            await link.socket.close(1008)
            return
        is_first, link.verified = not link.verified, True
        link.their_counter = int(body.get("counter", 0))
        if not is_first:
            return
        if self.accent.sockets == "one-way":
            return
        if self.accent.answers_hello:
            await link.send(self.hello())
        await link.send(self.request())
        if self.accent.dials_back and link.inbound and not self._has_dialled():
            await self.dial()

    def _has_dialled(self) -> bool:
        return any(not link.inbound for link in self.links)

    def _wrong_with(self, link: Link, body: Json, data: Json) -> str | None:
        accent = self.accent
        if data.get("type") != accent.greeting or set(data) != {"type", accent.field}:
            return "no hello for this program"
        known = (self.spelled(self.home.address), self.spelled(self.home.address, ours=True))
        if data[accent.field] not in known:
            return "an address that is not in its list"
        if accent.proof == "none":
            return None if set(body) == {"data"} else "more than data"
        if accent.verifies != "nothing" and isinstance(body["data"], str) != (accent.data_as == "string"):
            return f"data is no {accent.data_as}"
        counter = int(body["counter"])
        if counter <= link.their_counter or counter < accent.least_counter:
            return "a counter that is too small"
        text = {
            "raw": body["data"],
            "sorted": print_json(data, "compact", False, sort=True),
            "python": json.dumps(data),
            "compact": print_json(data, "compact", False, sort=False),
            "nothing": "",
        }[accent.verifies]
        if accent.verifies == "sorted" and text != body["data"]:
            return "another order of keys"
        if accent.verifies == "nothing":
            return None
        key, salt = read_pem(self.home.pem), accent.client.accepts_salt
        if verifies(key, text + str(counter), body["signature"], salt):
            return None
        return "a signature that does not verify"

    def _update(self, body: Json) -> None:
        clients = body.get("clients")
        if not isinstance(clients, list):
            return self.fault("an update without clients")
        if self.accent.names_itself and body.get("hostname") != self.home.address:
            self.fault(f"an update of {body.get('hostname')!r}")
        pems = []
        for entry in clients:
            key = {"client-id": "public-key", "client_id": "public_key"}.get(self.accent.entries)
            if key is not None:
                if not isinstance(entry, dict) or not isinstance(entry.get(self.accent.entries), int):
                    return self.fault(f"an entry like {entry!r:.60}")
                entry = entry.get(key)
            if not isinstance(entry, str):
                return self.fault(f"an entry like {entry!r:.60}")
            pems.append(entry)
        self.told = pems
        self.updates += 1
