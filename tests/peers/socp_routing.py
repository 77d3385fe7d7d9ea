"""Messages between servers as each accent wraps, unwraps, checks and passes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from socp_crypto import Json, Refused, canonical, content, read_key, verifies
from socp_links import Links
from socp_node import PREFIXES, Link
from socp_wire import FILE_TYPES, Frame, is_uuid, now, signature, signed_by

DIRECT = ("ciphertext", "sender", "sender_pub", "content_sig")


@dataclass(eq=False)
class Seat:
    """A user of this server."""

    socket: Any
    key: str


class Routing(Links):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.seats: dict[str, Seat] = {}
        self._seen: set[Any] = set()

    def local_keys(self) -> dict[str, str]:
        return {user: seat.key for user, seat in self.seats.items()}

    def link_of(self, user: str) -> Link | None:
        return self.links.get(self.locations.get(user, ""))

    async def tell_users(self, body: Json) -> None:
        if self.ways.tells_clients:
            for user in list(self.seats):
                await self.hand(user, body)

    async def hand(self, user: str, body: Json | str) -> None:
        seat = self.seats.get(user)
        if seat is not None:
            await self.send(seat.socket, body)

    def content_verifies(self, payload: Json, sender: Any, to: Any, ts: Any) -> bool:
        crypto = self.accent.crypto
        fields = {"ciphertext": payload.get("ciphertext"), "from": sender, "to": to, "ts": ts}
        try:
            key = read_key(crypto, payload.get("sender_pub"))
            return verifies(crypto, key, content(crypto.content, fields),
                            payload.get("content_sig"))
        except Refused:
            return False

    # --- direct ----------------------------------------------------------------------------------

    def delivery(self, user: str, payload: Json, sender: str, ts: Any, away: bool) -> Json:
        """What goes out as USER_DELIVER to a user here, or as SERVER_DELIVER to another server."""
        out = {name: payload.get(name) for name in DIRECT if name != "sender"}
        out["sender"] = sender
        if self.ways.passes_payload or "file_id" in payload:
            out = {name: value for name, value in payload.items() if name != "user_id"}
        elif not away and not self.ways.local_sender and "user_id" not in payload:
            del out["sender"]
        stamped = ts
        if self.ways.ts in ("msg_ts", "original_ts") or (self.ways.ts == "orig_ts" and away):
            out[self.ways.ts] = ts
        elif "orig_ts" in payload:
            out["orig_ts"] = payload["orig_ts"]
        if self.ways.ts not in ("kept", "original_ts") and (away or self.ways.ts != "orig_ts"):
            stamped = now()
        if away:
            out = {"user_id": user, **out}
            return self.make("SERVER_DELIVER", self.locations[user], out, stamped)
        body = self.make("USER_DELIVER", user, out, stamped)
        if self.ways.gossip == "user":  # there the user stays the one it is from
            body["from"] = sender
        return body

    async def content(self, link: Link, frame: Frame, sender: str) -> None:
        match frame.type:
            case "SERVER_DELIVER":
                await self._server_deliver(link, frame, sender)
            case "MSG_PUBLIC_CHANNEL":
                await self._public_from_server(link, frame, sender)
            case "FILE_START" | "FILE_CHUNK" | "FILE_END":
                await self._file_from_server(link, frame, sender)
            case "SERVER_FILE_START" | "SERVER_FILE_CHUNK" | "SERVER_FILE_END":
                await self._own_file(frame, sender)
            case kind if self.ways.unknown_type:
                await self.error(link.socket, link.id, "UNKNOWN_TYPE", kind)

    def _is_twin(self, frame: Frame) -> bool:
        assert frame.body is not None
        digest = hashlib.sha256(canonical("ascii", frame.payload)).digest()
        seen = (frame.body.get("ts"), frame.body.get("from"), frame.body.get("to"), digest)
        if self.ways.suppresses_twins and seen in self._seen:
            return True
        self._seen.add(seen)
        return False

    async def _server_deliver(self, link: Link, frame: Frame, sender: str) -> None:
        assert frame.body is not None
        wrong, payload = self.wrong_with_server(frame, sender), frame.payload
        user = str(payload.get("user_id"))
        if not wrong and self.accent.crypto.base64 == "bare":  # the one that asks for all of it
            if not is_uuid(user) or not set(DIRECT) <= set(payload):
                wrong = f"a SERVER_DELIVER with {sorted(payload)} for {user!r}"
        ts = payload.get("orig_ts", payload.get("original_ts", payload.get("msg_ts")))
        ts = frame.body.get("ts") if ts is None else ts
        author = str(payload.get("sender"))
        if not wrong and self.ways.checks_content == "everywhere" and (
                not self.content_verifies(payload, author, user, ts)):
            wrong = "a SERVER_DELIVER whose content signature does not verify"
        if wrong:
            self.fault(wrong)
            if self.accent.crypto.base64 == "bare":
                await self.error(link.socket, sender, "INVALID_SIG", wrong)
            return
        if self._is_twin(frame):
            return
        if user in self.seats:
            await self.hand(user, self.delivery(user, payload, author, ts, away=False))
        elif (onward := self.link_of(user)) is not None and onward is not link:
            await self.send(onward.socket, frame.body)
        elif self.ways.unknown_user:
            await self.error(link.socket, sender, "USER_NOT_FOUND", user)

    # --- public ----------------------------------------------------------------------------------

    async def public(self, frame: Frame, author: str) -> None:
        """A public message of a user of this server."""
        assert frame.body is not None
        body, to = frame.body, str(frame.body.get("to"))
        one_each = self.accent.user.public == "per-member"
        await self._fan_out(body, author, to if one_each else "")
        if self.ways.public in ("local", "as-delivery"):
            return
        out = dict(body)
        if self.ways.public == "server":
            out = self.make("MSG_PUBLIC_CHANNEL", "*", frame.payload)
        elif self.ways.resigns or not body.get("sig"):
            out["sig"] = signature(self.accent, self.key, frame.payload)
        self._is_twin(Frame("", out))
        if one_each:
            home = self.link_of(to)
            if home is not None:
                await self.send(home.socket, out)
            return
        await self.tell_links(out)

    async def _fan_out(self, body: Json, author: str, only: str = "") -> None:
        for user in list(self.seats):
            if user == author or (only and user != only):
                continue
            if self.ways.public == "as-delivery":
                payload = {**body["payload"], "sender": author}
                await self.hand(user, self.make("USER_DELIVER", user, payload, body["ts"]))
            elif self.ways.public == "server":
                await self.hand(user, self.make("MSG_PUBLIC_CHANNEL", user, body["payload"]))
            else:
                await self.hand(user, body)

    async def _public_from_server(self, link: Link, frame: Frame, sender: str) -> None:
        assert frame.body is not None
        if not self.ways.public_to_it:
            return
        wrong = self._wrong_with_public(link, frame, sender)
        if wrong:
            return self.fault(wrong)
        # Even those that forget to look for twins elsewhere would not survive them here.
        if self._is_twin(frame) and self.ways.suppresses_twins:
            return
        author = str(frame.payload.get("from") or sender)
        only = str(frame.body.get("to")) if self.accent.user.public == "per-member" else ""
        await self._fan_out(frame.body, author, only)
        if self.ways.echoes:
            await self.tell_links(frame.body)

    def _wrong_with_public(self, link: Link, frame: Frame, sender: str) -> str:
        """Some want the server's name on it and some the user's; the signature may be of either."""
        assert frame.body is not None
        if self.ways.public == "server":
            return self.wrong_with_server(frame, sender)
        if self.accent.crypto.base64 == "bare" and not is_uuid(sender):
            return f"a public message from {sender!r}"
        # Two let anything in, and a message of a user need not be signed by him.
        if not self.ways.checks_links or self.accent.user.names_recipient or self.ways.echoes:
            return ""
        keys = [self.keys.get(link.id)]
        for text in (frame.payload.get("sender_pub"), self.user_keys.get(sender)):
            try:
                keys.append(read_key(self.accent.crypto, text))
            except Refused:
                pass
        if any(key is not None and signed_by(self.accent, key, frame.body) for key in keys):
            return ""
        return "a public message signed neither by the server nor by the user"

    # --- files -----------------------------------------------------------------------------------

    def _file_for_user(self, body: Json, user: str) -> Json:
        if self.ways.files in ("server", "signed-server"):
            return self.make(body["type"], user, body["payload"], body["ts"])
        if self.ways.files == "typeless" and self.ways.passes_payload:  # one renames them
            return self.make(f"USER_{body['type'].split('_')[1]}", user, body["payload"])
        return body

    async def file(self, frame: Frame, author: str, user: str) -> None:
        """One frame of a file that a user of this server sends."""
        assert frame.body is not None
        body, payload = {**frame.body, "to": user}, frame.payload
        if user in self.seats:
            return await self.hand(user, self._file_for_user(body, user))
        link = self.link_of(user)
        if link is None or self.ways.files == "local":
            return
        match self.ways.files:
            case "server":
                out = self.make(frame.type, link.id, {**payload, "user_id": user})
            case "signed-server":
                out = self.make(frame.type, user, payload)
            case "wrapped":
                out = {**body, "type": "SERVER_DELIVER", "payload": {**body, "user_id": user}}
            case "typeless":
                extra = {} if self.ways.passes_payload else {"sender": author}
                out = self.make("SERVER_DELIVER", link.id, {"user_id": user, **extra, **payload})
            case "own":
                out = self.make(f"SERVER_{frame.type}", link.id,
                                {**payload, "user_id": user, "sender": author})
            case _:
                out = body if body.get("sig") else {
                    **body, "sig": signature(self.accent, self.key, payload)}
        await self.send(link.socket, out)

    async def _file_from_server(self, link: Link, frame: Frame, sender: str) -> None:
        assert frame.body is not None
        if self.ways.takes_files not in ("user", "server"):
            return
        user = str(frame.body.get("to"))
        if self.ways.takes_files == "server":
            wrong = self.wrong_with_server(frame, sender)
            if wrong:
                return self.fault(wrong)
            user = str(frame.payload.get("user_id"))
        elif sender.startswith(PREFIXES):
            return self.fault(f"a file from {sender!r}, not from a user")
        if not self._is_twin(frame):
            await self.hand(user, self._file_for_user(frame.body, user))

    async def _own_file(self, frame: Frame, sender: str) -> None:
        wrong = self.wrong_with_server(frame, sender)
        if wrong:
            return self.fault(wrong)
        kind = frame.type.removeprefix("SERVER_")
        if self.ways.takes_files == "own" and kind in FILE_TYPES:
            user = str(frame.payload.get("user_id"))
            await self.hand(user, self.make(kind, user, frame.payload))
