"""What a server of any accent stands on: its door, its sockets, its errors and its patience.

It plays what the real program does on the wire, also where that is odd, and as strictly as that
program: whatever it refuses of a partner that ought to know its ways is kept in `faults`. The one
thing that it does not do as the original is to answer errors without end: after `FUSE` it is quiet.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import websockets
from websockets.asyncio.server import Server as Door
from websockets.asyncio.server import serve

from socp_accents import Accent
from socp_crypto import Json, PrivateKey, PublicKey, key_text
from socp_wire import Frame, Wrong, envelope, now, text_of

DEADLINE = 15.0
FUSE = 200
# What one program demands in front of the id of a server, and of an introducer.
PREFIXES = ("server_", "master_server_")


@dataclass(eq=False)
class Link:
    """One socket to another server."""

    socket: Any
    url: str = ""  # where this one dialled
    id: str = ""
    # What was said first on it: a JOIN is answered with a WELCOME, a LINK is not.
    said: str = ""
    welcomed: bool = False
    heard_at: int = 0


class Node:
    def __init__(self, accent: Accent, key: PrivateKey, introduces: bool = False) -> None:
        self.accent, self.key, self.ways = accent, key, accent.server
        prefix = "" if self.ways.ids == "uuid" else PREFIXES[introduces]
        self.id = prefix + str(uuid.uuid4())
        self.role = "master" if introduces else "local"
        self.key_text = key_text(accent.crypto, key.public_key())
        self.port = 0
        self.links: dict[str, Link] = {}
        self.keys: dict[str, PublicKey] = {}
        self.pins: dict[str, str] = {}
        self.locations: dict[str, str] = {}
        self.user_keys: dict[str, str] = {}
        self.channel: set[tuple[str, str]] = set()  # who is in it, and who said so
        self.own_gossip: dict[str, Json] = {}  # adverts that users of this server signed
        self.faults: list[str] = []
        self.heard: list[Frame] = []
        self.errors_said = self.errors_heard = 0
        self.heartbeat_s = 15.0
        self.ready = asyncio.Event()  # other servers wait at the door until it is set
        self.ready.set()
        self.link_port = 0
        self._doors: list[Door] = []
        self._sockets: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    # --- sockets ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def link_url(self) -> str:
        """Where other servers dial it; one has a port for that alone."""
        return f"ws://127.0.0.1:{self.link_port}"

    def is_link_door(self, socket: Any) -> bool:
        return bool(socket.local_address[1] == self.link_port)

    async def open(self, port: int = 0) -> None:
        self.link_port = await self._serve(port)
        self.port = await self._serve(0) if self.ways.own_door else self.link_port
        self.run(self._beat())

    async def _serve(self, port: int) -> int:
        door = await serve(self._accept, "127.0.0.1", port, close_timeout=2)
        self._doors.append(door)
        return int(next(iter(door.sockets)).getsockname()[1])

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        for door in self._doors:
            door.close()
            await door.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, socket: Any) -> None:
        self._sockets.add(socket)
        try:
            first = Frame.read(await asyncio.wait_for(socket.recv(), DEADLINE))
            await self._first(socket, first)
        except (websockets.ConnectionClosed, TimeoutError):
            pass
        finally:
            self._sockets.discard(socket)
            await socket.close()

    async def _beat(self) -> None:
        """A sign of life at intervals; a link that gave none three times over is closed."""
        while True:
            await asyncio.sleep(self.heartbeat_s)
            await self.tell_links(self.make("HEARTBEAT", "*", {}))
            for link in list(self.links.values()):
                if link.heard_at and now() - link.heard_at > 3000 * self.heartbeat_s:
                    await link.socket.close()

    # --- what the rest of a server does ----------------------------------------------------------

    async def _first(self, socket: Any, frame: Frame) -> None:
        raise NotImplementedError

    async def user(self, socket: Any, frame: Frame) -> None:
        raise NotImplementedError

    async def read(self, link: Link) -> None:
        raise NotImplementedError

    async def gossip(self, link: Link) -> None:
        raise NotImplementedError

    async def content(self, link: Link, frame: Frame, sender: str) -> None:
        raise NotImplementedError

    async def tell_users(self, body: Json) -> None:
        raise NotImplementedError

    def local_keys(self) -> dict[str, str]:
        raise NotImplementedError

    # --- speaking --------------------------------------------------------------------------------

    async def send(self, socket: Any, body: Json | str) -> None:
        try:
            await socket.send(body if isinstance(body, str) else text_of(body))
        except websockets.ConnectionClosed:
            pass

    async def tell_links(self, body: Json, besides: str = "") -> None:
        for link in list(self.links.values()):
            if link.id != besides:
                await self.send(link.socket, body)

    def make(self, kind: str, to: str, payload: Json, ts: Any = None, signed: bool = True) -> Json:
        return envelope(self.accent, self.key if signed else None, kind, self.id, to, payload, ts)

    async def error(self, socket: Any, to: str, code: str, detail: str) -> None:
        self.errors_said += 1
        if self.errors_said > FUSE:
            return
        payload = {"code": code, "detail": detail}
        if not self.ways.full_errors:
            await self.send(socket, {"type": "ERROR", "payload": payload})
            return
        body: Json | str = self.make("ERROR", to, payload)
        if code == "NAME_IN_USE" and self.ways.name_in_use == "double-encoded":
            body = text_of(text_of(body))
        await self.send(socket, body)

    def fault(self, what: str) -> None:
        self.faults.append(what)

    # --- waiting ---------------------------------------------------------------------------------

    async def tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, wanted: Callable[[], bool], what: str,
                    seconds: float | None = None) -> None:
        seconds = DEADLINE if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(wanted)
        except TimeoutError:
            faults = f"; it refused: {self.faults[:4]}" if self.faults else ""
            raise Wrong(f"{self.accent.name}'s server waited {seconds:.0f} s for {what}{faults}"
                        ) from None

    async def wait_linked(self, seconds: float | None = None) -> None:
        await self.until(lambda: any(link.welcomed for link in self.links.values()), "a link",
                         seconds)

    async def wait_known(self, user: str, known: bool = True) -> None:
        what = f"{user} to be {'advertised' if known else 'removed'}"
        await self.until(lambda: (user in self.locations) == known, what)
