"""A user that speaks SOCP with a given accent, and believes as much as that program does.

`Refused` means that this program would not show what it got; `Wrong` that nobody would.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from socp_crypto import (
    Json,
    Refused,
    b64,
    canonical,
    content,
    read_key,
    seal,
    sign,
    unb64,
    unseal,
    verifies,
)
from socp_session import Session
from socp_wire import FILE_TYPES, Frame, Wrong

# Where different programs leave the time that the sender signed, if they do.
INNER_TS = ("orig_ts", "original_ts", "msg_ts", "content_ts", "ts")


@dataclass(frozen=True)
class Read:
    """A message that could be read. `verified` is None where nothing was checked."""

    sender: str
    text: str
    verified: bool | None


class Client(Session):
    # --- direct messages -------------------------------------------------------------------------

    def direct_frame(self, to: str, key: str, text: str, spoil: bool = False) -> Json:
        crypto, user, ts = self.accent.crypto, self.accent.user, self.ts()
        ciphertext = seal(crypto, read_key(crypto, key), text.encode())
        signed = {"ciphertext": ciphertext, "from": self.id, "to": to, "ts": ts}
        data = content(crypto.content, signed) + (b"!" if spoil else b"")
        payload: Json = {"ciphertext": ciphertext, "sender_pub": self.key_text,
                         "content_sig": sign(crypto, self.key, data)}
        if user.repeats_envelope:
            payload |= {"from": self.id, "to": to, "ts": ts}
        if user.says_sender:
            payload["sender"] = self.id
        return self.frame("MSG_DIRECT", to, payload, ts)

    async def direct(self, to: str, key: str, text: str) -> Json:
        body = self.direct_frame(to, key, text)
        await self.send(body)
        return body

    def read_direct(self, frame: Frame) -> Read:
        """The text of a USER_DELIVER, if this program would show it."""
        assert frame.body is not None
        crypto, user, payload = self.accent.crypto, self.accent.user, frame.payload
        if user.needs_sender and "sender" not in payload and user.on_bad_content == "refuses":
            raise Refused("a USER_DELIVER without sender")
        sender = str(payload.get("sender") or frame.body.get("from"))
        fields = {"ciphertext": payload.get("ciphertext"), "from": sender, "to": self.id,
                  "ts": _signed_ts(frame)}
        verified = self._verified(payload, fields)
        text = unseal(crypto, self.key, payload.get("ciphertext")).decode()
        return Read(sender, text, verified)

    def _verified(self, payload: Json, fields: Json) -> bool | None:
        habit = self.accent.user.on_bad_content
        if habit == "ignores":
            return None
        crypto = self.accent.crypto
        try:
            key = read_key(crypto, payload.get("sender_pub"))
            data = content(crypto.content, fields)
            good = verifies(crypto, key, data, payload.get("content_sig"))
        except Refused:
            if habit == "refuses":
                raise
            return False
        if not good and habit == "refuses":
            raise Refused("a content signature that does not verify")
        return good

    async def receive(self, since: int = 0, ciphertext: str | None = None) -> Read:
        """The next direct message, or the one with this ciphertext."""
        def wanted(frame: Frame) -> bool:
            return frame.type == "USER_DELIVER" and "ciphertext" in frame.payload and (
                ciphertext is None or frame.payload["ciphertext"] == ciphertext)

        return self.read_direct(await self.wait_for(wanted, "a direct message", since))

    # --- public messages -------------------------------------------------------------------------

    def public_frames(self, text: str, members: dict[str, str]) -> list[Json]:
        """`members`: the keys of the others by id, which only one program needs."""
        crypto, form, ts = self.accent.crypto, self.accent.user.public, self.ts()
        if form == "clear":
            payload: Json = {"text": text, "from": self.id, "to": "all", "ts": ts}
            return [self.frame("MSG_PUBLIC_CHANNEL", "all", payload, ts)]
        if form == "channel":
            signed = {"channel": "public", "text": text, "from": self.id, "ts": ts}
            sig = sign(crypto, self.key, canonical(crypto.canonical, signed))
            payload = {**signed, "sender_pub": self.key_text, "content_sig": sig}
            return [self.frame("MSG_PUBLIC_CHANNEL", self.server_name, payload, ts)]
        if form == "per-member":
            return [self._public(member, seal(crypto, read_key(crypto, key), text.encode()), ts)
                    for member, key in members.items()]
        ciphertext = text if form == "plain" else b64(text.encode(), crypto.padded)
        return [self._public("public", ciphertext, ts)]

    def _public(self, to: str, ciphertext: str, ts: Any) -> Json:
        crypto, form = self.accent.crypto, self.accent.user.public
        data = content(crypto.content, {"ciphertext": ciphertext, "from": self.id, "ts": ts})
        payload: Json = {"ciphertext": ciphertext, "sender_pub": self.key_text,
                         "content_sig": "..." if form == "plain" else sign(crypto, self.key, data)}
        if form == "per-member":
            payload |= {"group_id": "public", "public_version": 1}
        body = self.frame("MSG_PUBLIC_CHANNEL", to, payload, ts)
        if self.accent.user.names_recipient:  # one that has no recipient
            body.pop("recipient", None)
            body["to"] = "public"
        return body

    async def public(self, text: str, members: dict[str, str] | None = None) -> None:
        for body in self.public_frames(text, members or {}):
            await self.send(body)

    def read_public(self, frame: Frame) -> Read:
        assert frame.body is not None
        crypto, form, payload = self.accent.crypto, self.accent.user.public, frame.payload
        sender = str(payload.get("from") or payload.get("sender") or frame.body.get("from"))
        ts = _signed_ts(frame)
        if form == "clear":
            return Read(sender, str(payload["text"]), None)
        if form == "channel":
            signed = {name: payload.get(name) for name in ("channel", "text", "from", "ts")}
            key = read_key(crypto, payload.get("sender_pub"))
            good = verifies(crypto, key, canonical(crypto.canonical, signed),
                            payload.get("content_sig"))
            return Read(sender, str(payload["text"]), good)
        ciphertext = payload.get("ciphertext")
        if form == "plain":
            return Read(sender, str(ciphertext), None)
        verified = self._verified(payload, {"ciphertext": ciphertext, "from": sender, "ts": ts})
        plain = (unseal(crypto, self.key, ciphertext) if form == "per-member"
                 else unb64(crypto, ciphertext))
        return Read(sender, plain.decode(), verified)

    async def receive_public(self, since: int = 0, author: str | None = None) -> Read:
        """What comes next, or what comes next of this author: some servers echo."""

        def wanted(frame: Frame) -> bool:
            body = frame.body or {}
            names = (body.get("from"), frame.payload.get("from"), frame.payload.get("sender"))
            if author is not None and author not in names:
                return False
            if frame.type == "USER_DELIVER":  # how one server hands public messages out
                return self.accent.server.public == "as-delivery"
            one_each = self.accent.user.public == "per-member"
            mine = not one_each or (frame.body or {}).get("to") == self.id
            return frame.type == "MSG_PUBLIC_CHANNEL" and mine

        return self.read_public(await self.wait_for(wanted, "a public message", since))

    # --- files -----------------------------------------------------------------------------------

    def file_frames(self, to: str, key: str, name: str, data: bytes) -> list[Json]:
        crypto, user = self.accent.crypto, self.accent.user
        file_id, ts = str(uuid.uuid4()), self.ts()
        manifest: Json = {"file_id": file_id, "name": name, "size": len(data),
                          "sha256": hashlib.sha256(data).hexdigest(), "mode": "dm"}
        if user.manifest_signed:
            manifest |= {"sender": self.id, "ts": ts}
            sig = sign(crypto, self.key, canonical(crypto.canonical, manifest))
            manifest |= {"sender_pub": self.key_text, "content_sig": sig}
        recipient = read_key(crypto, key)
        bodies = [self.frame("FILE_START", to, manifest, ts)]
        for index, at in enumerate(range(0, len(data), user.chunk), user.first_index):
            part = data[at:at + user.chunk]
            sealed = seal(crypto, recipient, part) if user.chunks == "oaep" else b64(part)
            chunk = {"file_id": file_id, "index": index, "ciphertext": sealed}
            bodies.append(self.frame("FILE_CHUNK", to, chunk))
        return [*bodies, self.frame("FILE_END", to, {"file_id": file_id})]

    async def file(self, to: str, key: str, name: str, data: bytes) -> str:
        bodies = self.file_frames(to, key, name, data)
        for body in bodies:
            await self.send(body)
        return str(bodies[0]["payload"]["file_id"])

    async def receive_file(self, file_id: str) -> bytes:
        """The whole file, after its length and its hash were compared with the manifest."""
        def last(frame: Frame) -> bool:
            return _file_type(frame) == "FILE_END" and frame.payload.get("file_id") == file_id

        await self.wait_for(last, "the end of a file")
        parts: dict[int, bytes] = {}
        manifest: Json = {}
        for frame in self.frames:
            if frame.payload.get("file_id") != file_id:
                continue
            if _file_type(frame) == "FILE_START":
                manifest = frame.payload
            elif _file_type(frame) == "FILE_CHUNK":
                text = frame.payload["ciphertext"]
                plain = (unseal(self.accent.crypto, self.key, text)
                         if self.accent.user.chunks == "oaep" else unb64(self.accent.crypto, text))
                parts[int(frame.payload["index"])] = plain
        data = b"".join(parts[index] for index in sorted(parts))
        if (manifest.get("size"), manifest.get("sha256")) != (
                len(data), hashlib.sha256(data).hexdigest()):
            raise Wrong(f"a file of {len(data)} bytes that is not the one of {manifest}")
        return data


def _signed_ts(frame: Frame) -> Any:
    inner = [frame.payload[name] for name in INNER_TS if name in frame.payload]
    return inner[0] if inner else (frame.body or {}).get("ts")


def _file_type(frame: Frame) -> str:
    # One program renames the frames on delivery.
    renamed = {f"USER_{kind.split('_')[1]}": kind for kind in FILE_TYPES}
    return renamed.get(frame.type, frame.type)
