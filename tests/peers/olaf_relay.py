"""A small OLAF server for proving the kit, never for use.

`naive` floods whatever comes, verbatim, and pushes lists: the least with which two clients meet. A
suite that passes it would be worthless, so the self-test demands that hostile checks fail there.
`strict` keeps the rules that the hostile checks ask for, in the plainest way; they must pass there.
Uploads are kept in memory by a threaded server of the standard library.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any

import websockets
from websockets.asyncio.server import ServerConnection

from olaf_accents import ACCENTS, Accent
from olaf_crypto import fingerprint, read_pem, verifies
from olaf_wire import data_of, print_json


class Refused(Exception):
    """Close with 1008."""


class Dropped(Exception):
    """Forget the frame."""


@dataclass
class Member:
    socket: ServerConnection
    pem: str = ""
    counter: int = -1
    wants_objects: bool = False  # in `data`
    wants_entries: bool = False  # in lists


@dataclass
class Relay:
    address: str
    strict: bool
    hello_timeout: float
    members: list[Member] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    async def serve(self, socket: ServerConnection) -> None:
        me = Member(socket)
        try:
            async with asyncio.timeout(self.hello_timeout if self.strict else None):
                while me not in self.members:
                    await self._take(me, await socket.recv())
            async for raw in socket:
                await self._take(me, raw)
        except TimeoutError:
            await socket.close(1008, "no hello")
        except Refused as reason:
            await socket.close(1008, str(reason))
        except websockets.ConnectionClosed:
            pass
        finally:
            if me in self.members:
                self.members.remove(me)
                self._push()

    async def _take(self, me: Member, raw: str | bytes) -> None:
        try:
            text = raw if isinstance(raw, str) else raw.decode()
            body = json.loads(text, parse_constant=_refuse)
            kind = body["type"]
            if kind == "client_list_request" and me in self.members:
                await me.socket.send(self._list(me))
            elif kind == "signed_data":
                await self._signed(me, text, body)
        except (Dropped, ValueError, KeyError, TypeError, RecursionError):
            pass

    async def _signed(self, me: Member, text: str, body: dict[str, Any]) -> None:
        data = data_of(body)
        if data["type"] == "hello":
            self._hello(me, text, body, data)
            return
        if self.strict:
            if me not in self.members:
                raise Dropped
            self._admit(me, body, data, me.pem)
        if data["type"] == "chat" and not self._is_here(data["destination_servers"]):
            return
        for member in self.members:
            await _deliver(member, text, body, data)

    def _hello(self, me: Member, text: str, body: dict[str, Any], data: dict[str, Any]) -> None:
        pem = data["public_key"]
        if self.strict:
            if me in self.members:
                raise Dropped
            key = read_pem(pem)
            if key.key_size != 2048 or key.public_numbers().e != 65537:
                raise Refused("key")
            self._admit(me, body, data, pem)
        is_text = isinstance(body["data"], str)
        me.pem = pem
        me.wants_objects = is_text and ": " in body["data"].replace(pem, "")[:40]
        me.wants_entries = is_text and text.startswith('{"counter"')
        if me not in self.members:
            self.members.append(me)
        self._push()

    def _admit(self, me: Member, body: dict[str, Any], data: dict[str, Any], pem: str) -> None:
        """The rules of the protocol, one after the other."""
        counter, signature = body["counter"], body["signature"]
        if isinstance(counter, str):
            counter = int(counter)
        if type(counter) is not int or not 0 <= counter < 2**63 or not isinstance(signature, str):
            raise Dropped
        if signature in self.seen or counter <= me.counter:
            raise Dropped
        key = read_pem(pem)
        texts = {text for accent in ACCENTS for text in _candidates(accent, body, data, counter)}
        if not any(verifies(key, text, signature) for text in texts):
            raise Refused("signature")
        self.seen.add(signature)
        me.counter = counter
        if data["type"] == "public_chat":
            names = {fingerprint(accent, pem) for accent in ACCENTS}
            if data["sender"] not in names or not isinstance(data["message"], str):
                raise Dropped
        elif data["type"] == "chat":
            for name in ("symm_keys", "destination_servers"):
                entries = data[name]
                if not isinstance(entries, list) or len(entries) > 256 or not all(
                    isinstance(one, str) for one in entries
                ):
                    raise Dropped
        elif data["type"] != "hello":
            raise Dropped

    def _is_here(self, servers: list[str]) -> bool:
        return any(one.removeprefix("ws://").rstrip("/") == self.address for one in servers)

    def _list(self, reader: Member) -> str:
        pems = dict.fromkeys(member.pem for member in self.members)
        if not reader.wants_entries:
            server: dict[str, Any] = {"address": self.address, "clients": list(pems)}
        else:
            clients = [{"client-id": at, "public-key": pem} for at, pem in enumerate(pems, 1001)]
            server = {"address": self.address, "server-id": 1, "clients": clients}
        return json.dumps({"type": "client_list", "servers": [server]})

    def _push(self) -> None:
        for member in self.members:
            asyncio.ensure_future(_send(member, self._list(member)))


async def _send(member: Member, text: str) -> None:
    try:
        await member.socket.send(text)
    except websockets.ConnectionClosed:
        pass


async def _deliver(member: Member, text: str, body: dict[str, Any], data: dict[str, Any]) -> None:
    if member.wants_objects and isinstance(body["data"], str):
        text = json.dumps({**body, "data": data})
    await _send(member, text)


def _refuse(text: str) -> None:
    raise ValueError(text)


def _candidates(accent: Accent, body: dict[str, Any], data: dict[str, Any], counter: int
                ) -> list[str]:
    """What may have been signed: as received, re-dumped, or G17's whole object."""
    tail = str(counter)
    received = [body["data"] + tail] if isinstance(body["data"], str) else []
    dumped = print_json(data, accent.style, accent.ascii_escapes, accent.sort_data) + tail
    whole = print_json({"counter": counter, "data": data}, "compact", True, sort=True)
    return [*received, dumped, whole]


class Uploads(BaseHTTPRequestHandler):
    """`POST /api/upload` and `GET /files/ID`."""

    files: dict[str, bytes] = {}
    limit = 64 * 1024
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        kind = self.headers.get("Content-Type") or ""
        if kind.startswith("multipart/"):
            whole = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
            files = [part for part in whole.walk() if part.get_filename()]
            body = bytes(files[0].get_payload(decode=True)) if files else b""
        if not body:
            return self._answer(400, b"{}")
        if len(body) > self.limit:
            return self._answer(413, b"{}")
        name = f"{secrets.token_hex(16)}-{hashlib.sha256(body).hexdigest()[:12]}"
        self.files[name] = body
        url = f"http://{self.headers['Host']}/files/{name}"
        shape = {"file_url": url, "body": {"file_url": url},
                 "response": {"body": {"file_url": url}}}
        return self._answer(200, json.dumps(shape).encode())

    def do_GET(self) -> None:
        found = self.files.get(self.path.removeprefix("/files/"))
        self._answer(404 if found is None else 200, found or b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Disposition", "attachment")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
