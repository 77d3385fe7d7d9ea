"""An asyncio OLAF client that speaks with a given accent.

A reader task keeps every incoming frame, whole and in order; whoever waits says since which frame
and for what (`wait_for`). Every wait has a deadline and ends early, with the close code, when the
server closes. So nothing here sleeps, and a failed wait says what it was waiting for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from olaf_accents import Accent
from olaf_crypto import PrivateKey, fingerprint, pem_text, read_pem
from olaf_wire import (
    Json,
    Opened,
    Recipient,
    Sent,
    data_of,
    open_chat,
    seal,
    sign_frame,
    unsigned,
    verify,
)

DEADLINE = 10.0


class Wrong(Exception):
    """The server did not do what the protocol, or the check, asks for."""


@dataclass(frozen=True)
class Frame:
    """One incoming message, and what it parses to (None if it is no JSON object)."""

    raw: str | bytes
    body: Json | None

    @staticmethod
    def read(raw: str | bytes) -> Frame:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        return Frame(raw, body if isinstance(body, dict) else None)

    def is_list(self) -> bool:
        return self.body is not None and self.body.get("type") == "client_list"

    def has(self, sent: Sent) -> bool:
        return self.body is not None and self.body.get("signature") == sent.signature


@dataclass(frozen=True)
class Roster:
    """A `client_list`: for every server its address and the keys of its members."""

    servers: list[tuple[str, list[str]]]

    @staticmethod
    def read(accent: Accent, body: Json) -> Roster:
        """Reads the list as strictly as that client does."""
        servers = [_server(accent, one) for one in _typed(body.get("servers"), list, "servers")]
        return Roster(servers)

    def pems(self) -> list[str]:
        return [pem for _, members in self.servers for pem in members]

    def home_of(self, pem: str) -> str:
        for address, members in self.servers:
            if pem in members:
                return address
        raise Wrong(f"the list does not hold the key {pem[27:80]!r}… as it was sent")


def _typed(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Wrong(f"client_list: {what} should be {kind.__name__}, got {value!r:.80}")
    return value


def _server(accent: Accent, server: Any) -> tuple[str, list[str]]:
    _typed(server, dict, "a server")
    address = _typed(server.get("address"), str, "address")
    clients = _typed(server.get("clients"), list, "clients")
    if accent.list_shape == "strings":
        return address, [_typed(one, str, "a client") for one in clients]
    _typed(server.get("server-id"), int, "server-id")
    members = []
    for one in clients:
        _typed(_typed(one, dict, "a client").get("client-id"), int, "client-id")
        members.append(_typed(one.get("public-key"), str, "public-key"))
    return address, members


class Client:
    """One connection. `open` connects; nothing is said before `hello`."""

    def __init__(self, accent: Accent, key: PrivateKey, socket: ClientConnection) -> None:
        self.accent, self.key, self.socket = accent, key, socket
        self.pem = pem_text(key.public_key(), accent.pem)
        self.counter = accent.first_counter
        self.frames: list[Frame] = []
        self.closed = False
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @staticmethod
    async def open(url: str, accent: Accent, key: PrivateKey, ping: float = 20.0) -> Client:
        socket = await connect(url, max_size=16 << 20, proxy=None, ping_interval=ping,
                               open_timeout=DEADLINE, close_timeout=2)
        return Client(accent, key, socket)

    async def _read(self) -> None:
        try:
            async for raw in self.socket:
                await self._tell(Frame.read(raw))
        except websockets.ConnectionClosed:
            pass
        finally:
            await self._tell(None)

    async def _tell(self, frame: Frame | None) -> None:
        async with self._news:
            if frame is None:
                self.closed = True
            else:
                self.frames.append(frame)
            self._news.notify_all()

    # --- waiting ---------------------------------------------------------------------------------

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code if self.closed else None

    def mark(self) -> int:
        """A point in the history: 'from here on'."""
        return len(self.frames)

    async def wait_for(self, wanted: Callable[[Frame], bool], what: str, since: int = 0) -> Frame:
        """The first frame after `since` that is `wanted`."""
        at = since
        try:
            async with asyncio.timeout(DEADLINE), self._news:
                while True:
                    while at < len(self.frames):
                        if wanted(self.frames[at]):
                            return self.frames[at]
                        at += 1
                    if self.closed:
                        raise Wrong(f"{self.accent.name} was closed with {self.close_code} "
                                    f"while waiting for {what}")
                    await self._news.wait()
        except TimeoutError:
            raise Wrong(f"{self.accent.name} waited {DEADLINE:.0f} s for {what}") from None

    async def wait_closed(self, seconds: float | None = None) -> int | None:
        """Waits until the server closes; returns the close code."""
        seconds = DEADLINE if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self.closed)
        except TimeoutError:
            raise Wrong(f"still open after {seconds:.0f} s") from None
        return self.close_code

    async def wait_roster(
        self, wanted: Callable[[Roster], bool], what: str, since: int = 0
    ) -> Roster:
        """The first list after `since`, read in this accent, that is `wanted`."""
        found: list[Roster] = []

        def fits(frame: Frame) -> bool:
            if not frame.is_list() or frame.body is None:
                return False
            found[:] = [Roster.read(self.accent, frame.body)]
            return wanted(found[0])

        await self.wait_for(fits, what, since)
        return found[0]

    async def knows(self, *others: Client) -> Roster:
        """Waits for a list that holds all of `others` (the latest one may be long past)."""
        pems = {one.pem for one in others}
        names = ", ".join(one.accent.name for one in others)
        return await self.wait_roster(lambda roster: pems <= set(roster.pems()),
                                      f"a list with {names}")

    # --- speaking --------------------------------------------------------------------------------

    async def send(self, raw: str | bytes) -> None:
        """Sends; a server that has closed meanwhile is found out by who waits, not here."""
        try:
            await self.socket.send(raw)
        except websockets.ConnectionClosed:
            pass

    def sign(self, data: Json, counter: int | None = None) -> Sent:
        """A signed frame with the next counter, or with a given one that is not remembered."""
        if counter is None:
            counter, self.counter = self.counter, self.counter + 1
        return sign_frame(self.accent, self.key, data, counter)

    @property
    def name(self) -> str:
        return fingerprint(self.accent, self.pem)

    def hello_frame(self) -> Sent:
        return self.sign({"type": "hello", "public_key": self.pem})

    def public_frame(self, message: str, counter: int | None = None) -> Sent:
        data = {"type": "public_chat", "sender": self.name, "message": message}
        return self.sign(data, counter)

    async def hello(self) -> Roster:
        """Says hello and waits for the list that nobody asked for."""
        since = self.mark()
        await self.send(self.hello_frame().raw)
        return await self.wait_roster(lambda roster: self.pem in roster.pems(),
                                      "an unasked list with its own key in it", since)

    async def ask_list(self) -> Roster:
        since = self.mark()
        await self.send(unsigned(self.accent, {"type": "client_list_request"}))
        return await self.wait_roster(lambda _: True, "the list it asked for", since)

    async def public(self, message: str) -> Sent:
        sent = self.public_frame(message)
        await self.send(sent.raw)
        return sent

    async def private(self, to: list[Recipient], message: str, home: str) -> Sent:
        sent = self.sign(seal(self.accent, Recipient(self.pem, home), to, message))
        await self.send(sent.raw)
        return sent

    # --- understanding ---------------------------------------------------------------------------

    def sender_pem(self, claimed: str, form: str | None = None) -> str:
        """The key in the lists seen so far that goes by the name `claimed`."""
        for frame in reversed(self.frames):
            if frame.is_list() and frame.body is not None:
                for pem in Roster.read(self.accent, frame.body).pems():
                    if fingerprint(self.accent, pem, form) == claimed:  # type: ignore[arg-type]
                        return pem
        raise Wrong(f"{self.accent.name} finds nobody named {claimed!r} in its lists")

    def read_public(self, frame: Frame) -> str:
        """The text of a public chat, after the checks this client makes."""
        assert frame.body is not None
        data = data_of(frame.body)
        self._check(frame.body, self.sender_pem(data["sender"]))
        return str(data["message"])

    def read_private(self, frame: Frame) -> Opened | None:
        """The inside of a private chat, or None when it is for somebody else."""
        assert frame.body is not None
        opened = open_chat(self.accent, self.key, data_of(frame.body))
        if opened is not None:
            form = self.accent.participants_as
            self._check(frame.body, self.sender_pem(opened.participants[0], form))
        return opened

    def _check(self, body: Json, pem: str) -> None:
        fault = verify(self.accent, body, read_pem(pem))
        if fault is not None:
            raise Wrong(fault)

    # --- leaving ---------------------------------------------------------------------------------

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def vanish(self) -> None:
        """Leaves without a word, as a crashed program does."""
        self.socket.transport.abort()
        await self._reader
