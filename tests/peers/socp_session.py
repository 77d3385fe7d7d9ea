"""The connection of a user with a given accent: hearing, waiting, hello, lists and keys.

It remembers everything it hears, in order. Waiting is always for a frame with some property that
came after a mark, and ends at once, with the close code, when the server closes. So nothing here
sleeps, and a failed wait says what it was waiting for.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import Callable
from typing import Any, Self

import websockets
from websockets.asyncio.client import ClientConnection, connect

from socp_accents import Accent, Question
from socp_crypto import Json, PrivateKey, Refused, key_text, sign, unb64
from socp_wire import Frame, Wrong, check_shape, envelope, is_uuid, now, text_of

DEADLINE = 15.0



class Session:
    def __init__(self, accent: Accent, key: PrivateKey, socket: ClientConnection) -> None:
        self.accent, self.key, self.socket = accent, key, socket
        self.key_text = key_text(accent.crypto, key.public_key())
        self.id = {"uuid": str(uuid.uuid4()), "assigned": "Guest",
                   "name": f"{accent.name}-{os.urandom(4).hex()}"}[accent.user.ids]
        self.server_id = ""
        self.frames: list[Frame] = []
        self.faults: list[str] = []  # what a correct server would not have sent
        self.closed = False
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str, accent: Accent, key: PrivateKey) -> Self:
        socket = await connect(url + accent.server.path, proxy=None, open_timeout=DEADLINE,
                               close_timeout=2)
        return cls(accent, key, socket)

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
                self._judge(frame)
            self._news.notify_all()

    def _judge(self, frame: Frame) -> None:
        try:
            if frame.body is None or not isinstance(frame.raw, str):
                raise Wrong(f"a frame that is no JSON object in text: {frame.raw[:60]!r}")
            check_shape(frame.body)
            if frame.body["sig"]:
                unb64(self.accent.crypto, frame.body["sig"])
            if self.accent.crypto.base64 == "bare":  # the one that insists on UUIDs
                for name in ("from", "to"):
                    if not is_uuid(frame.body[name]) and frame.body[name] not in ("*", "public"):
                        raise Wrong(f"{frame.type}: {name} is {frame.body[name]!r}, no UUID")
        except (Refused, Wrong) as fault:
            self.faults.append(str(fault))

    # --- waiting ---------------------------------------------------------------------------------

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
                        raise Wrong(f"{self.accent.name} was closed with "
                                    f"{self.socket.close_code} while waiting for {what}")
                    await self._news.wait()
        except TimeoutError:
            heard = [frame.type for frame in self.frames[since:]][-8:]
            raise Wrong(f"{self.accent.name} waited {DEADLINE:.0f} s for {what}, "
                        f"and heard {heard}") from None

    async def wait_type(self, kind: str, since: int = 0) -> Frame:
        return await self.wait_for(lambda frame: frame.type == kind, kind, since)

    async def wait_error(self, code: str, since: int = 0) -> Json:
        """Waits for an ERROR with this code, and for no other."""
        def is_error(frame: Frame) -> bool:
            return error_in(frame) is not None

        frame = await self.wait_for(is_error, f"ERROR {code}", since)
        body = error_in(frame)
        assert body is not None
        if body["payload"].get("code") != code:
            raise Wrong(f"ERROR {body['payload']} where {code} was due")
        return body

    async def wait_closed(self) -> int | None:
        try:
            async with asyncio.timeout(DEADLINE), self._news:
                await self._news.wait_for(lambda: self.closed)
        except TimeoutError:
            raise Wrong(f"still open after {DEADLINE:.0f} s") from None
        return self.socket.close_code

    # --- speaking --------------------------------------------------------------------------------

    async def send(self, body: Any) -> None:
        """Sends; a server that has closed meanwhile is found out by who waits, not here."""
        try:
            await self.socket.send(body if isinstance(body, str) else text_of(body))
        except websockets.ConnectionClosed:
            pass

    def ts(self) -> int | float:
        return time.time() if self.accent.user.float_ts else now()

    @property
    def server_name(self) -> str:
        """What it writes into `to` of a frame for its server."""
        habit = self.accent.user.to_server
        if habit == "self":
            return self.server_id or self.id
        return self.server_id or "server" if self.accent.user.names_recipient else habit

    def frame(self, kind: str, to: str, payload: Json, ts: Any = None, signed: bool | None = None
              ) -> Json:
        user = self.accent.user
        ts = self.ts() if ts is None else ts
        signed = user.signs if signed is None else signed
        body = envelope(self.accent, self.key if signed else None, kind, self.id, to, payload, ts)
        if user.alg:
            body["alg"] = "PS256"
        if user.frame_ids:
            body["id"] = str(uuid.uuid4())
        if user.names_recipient and to != self.server_name:
            body["to"], body["recipient"] = self.server_name, to
        return body

    def hello_frame(self) -> Json:
        payload = {"client": "cli-v1", "pubkey": self.key_text, "enc_pubkey": self.key_text}
        return self.frame("USER_HELLO", self.server_name, payload,
                          signed=self.accent.user.hello_signed)

    async def hello(self) -> None:
        """Says who it is and waits until it is let in."""
        since = self.mark()
        await self.send(self.hello_frame())
        answer = await self.wait_for(_is_answer, "an answer to its USER_HELLO", since)
        if answer.type == "AUTH_CHALLENGE":
            await self._prove(answer)
            answer = await self.wait_for(lambda frame: _is_answer(frame) and frame is not answer,
                                         "an answer to its proof", since)
        error = error_in(answer)
        if error is not None:
            raise Wrong(f"{self.accent.name} was refused: {error['payload']}")
        assert answer.body is not None
        self.server_id = str(answer.body.get("from") or "")
        if self.accent.user.ids == "assigned":
            self.id = str(answer.body["to"])
        if self.accent.user.advertises_itself:
            await self._advertise()

    async def _prove(self, frame: Frame) -> None:
        challenge = frame.payload["challenge"]
        proof = sign(self.accent.crypto, self.key, unb64(self.accent.crypto, challenge))
        payload = {"challenge": challenge, "signature": proof}
        await self.send(self.frame("AUTH_PROOF", self.server_name, payload))

    async def _advertise(self) -> None:
        payload = {"user_id": self.id, "pubkey": self.key_text, "privkey_store": "",
                   "pake_password": "", "meta": {}, "version": 1}
        await self.send(self.frame("USER_ADVERTISE", "*", payload))

    async def say_goodbye(self) -> None:
        if self.accent.user.advertises_itself:
            await self.send(self.frame("USER_REMOVE", "*", {"user_id": self.id}))
        await self.close()

    async def heartbeat(self) -> None:
        await self.send(self.frame("HEARTBEAT", self.server_name, {}))

    # --- asking ----------------------------------------------------------------------------------

    async def ask(self, question: Question, argument: str = "") -> Json:
        payload: Json = {question.argument: argument} if question.argument else {}
        if question.command:
            payload = {"cmd": question.command + argument}
        since = self.mark()
        await self.send(self.frame(question.type, self.server_name, payload))

        def fits(frame: Frame) -> bool:
            return frame.type in (question.answer, "ERROR")

        answer = await self.wait_for(fits, question.answer, since)
        if answer.type == "ERROR":
            raise Wrong(f"{question.type} was answered with {answer.payload}")
        return answer.payload

    async def online(self) -> list[str]:
        """The users in the list, asked for in its own spelling or gathered from the gossip."""
        question = self.accent.user.lists
        if question is None:
            return sorted(self.presence())
        listed = (await self.ask(question)).get(question.field)
        if not isinstance(listed, list):
            raise Wrong(f"{question.answer} without a list in {question.field}")
        names = [_listed_name(self.accent, one) for one in listed]
        if len(set(names)) != len(names):
            raise Wrong(f"the list names somebody twice: {names}")
        return names

    def presence(self) -> dict[str, str]:
        """Who was advertised to this client and not removed, with the key if there was one."""
        known: dict[str, str] = {}
        for frame in self.frames:
            user = str(frame.payload.get("user_id"))
            if frame.type == "USER_ADVERTISE":
                meta = frame.payload.get("meta")
                inner = meta.get("pubkey") if isinstance(meta, dict) else None
                known[user] = str(frame.payload.get("pubkey") or inner or known.get(user, ""))
            elif frame.type == "USER_REMOVE":
                known.pop(user, None)
        return known

    async def wait_listed(self, user: str, listed: bool = True) -> None:
        """Waits until the list holds `user`, or no longer does."""
        what = f"a list {'with' if listed else 'without'} {user}"
        if self.accent.user.lists is None:
            await self.wait_for(lambda _: (user in self.presence()) == listed, what)
            return
        until = time.monotonic() + DEADLINE
        while (user in await self.online()) != listed:
            if time.monotonic() > until:
                raise Wrong(f"{self.accent.name} waited {DEADLINE:.0f} s for {what}")
            await asyncio.sleep(0.05)  # a list must be asked for: there is no event to wait on

    async def key_of(self, other: Session) -> str:
        """The key of `other`: asked for, seen in the gossip, or brought from outside."""
        question = self.accent.user.keys
        if question is not None:
            return str((await self.ask(question, other.id)).get(question.field))
        return self.presence().get(other.id) or other.key_text

    # --- leaving ---------------------------------------------------------------------------------

    async def close(self) -> None:
        await self.socket.close()
        await self._reader


def error_in(frame: Frame) -> Json | None:
    """The ERROR in a frame, also where a program printed its JSON twice."""
    body: Any = frame.body
    if body is None:
        try:
            inner = json.loads(frame.raw)
            body = json.loads(inner) if isinstance(inner, str) else None
        except ValueError:
            return None
    is_error = isinstance(body, dict) and body.get("type") == "ERROR"
    return body if is_error and isinstance(body.get("payload"), dict) else None


def _is_answer(frame: Frame) -> bool:
    if frame.type == "ACK":
        return frame.payload.get("msg_ref") == "USER_HELLO"
    return frame.type in ("USER_WELCOME", "AUTH_CHALLENGE") or error_in(frame) is not None


def _listed_name(accent: Accent, entry: Any) -> str:
    if accent.user.names_recipient:  # the one whose list holds objects
        if not isinstance(entry, dict) or not isinstance(entry.get("userID"), str):
            raise Wrong(f"{accent.name} finds {entry!r:.60} in its list")
        return str(entry["userID"])
    if not isinstance(entry, str):
        raise Wrong(f"{accent.name} finds {entry!r:.60} in its list")
    return entry
