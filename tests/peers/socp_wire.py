"""Envelopes as each accent makes and checks them. No socket here, and no clock but for `now`."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from socp_accents import Accent
from socp_crypto import Json, PrivateKey, PublicKey, Refused, canonical, sign, verifies

ENVELOPE = ("type", "from", "to", "ts", "payload", "sig")
FILE_TYPES = ("FILE_START", "FILE_CHUNK", "FILE_END")
GROUPS = ("public", "all", "*", "server_*")


class Wrong(Exception):
    """The other side did not do what the protocol, or the check, asks for."""


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

    @property
    def type(self) -> str:
        return str((self.body or {}).get("type"))

    @property
    def payload(self) -> Json:
        payload = (self.body or {}).get("payload")
        return payload if isinstance(payload, dict) else {}


def now() -> int:
    return int(time.time() * 1000)


def is_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text and text[14] == "4"
    except ValueError:
        return False


def text_of(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def signature(accent: Accent, key: PrivateKey, payload: Json) -> str:
    return sign(accent.crypto, key, canonical(accent.crypto.canonical, payload))


def envelope(accent: Accent, key: PrivateKey | None, kind: str, sender: str, to: str,
             payload: Json, ts: Any = None) -> Json:
    """An envelope, signed if a key is given. Server payloads of `g29` go out in their own order."""
    sig = "" if key is None else signature(accent, key, payload)
    return {"type": kind, "from": sender, "to": to, "ts": now() if ts is None else ts,
            "payload": payload, "sig": sig}


def signed_by(accent: Accent, key: PublicKey, body: Json) -> bool:
    """Whether this program finds the payload signed by `key`."""
    try:
        data = canonical(accent.crypto.canonical, body.get("payload"))
        return verifies(accent.crypto, key, data, body.get("sig"))
    except Refused:
        return False


def check_shape(body: Json) -> None:
    """What the text asks of every envelope, and what a correct server must not break."""
    missing = [name for name in ENVELOPE if name not in body]
    if missing:
        raise Wrong(f"a {body.get('type')} without {', '.join(missing)}")
    if not isinstance(body["payload"], dict):
        raise Wrong(f"a {body['type']} whose payload is no object")
    if isinstance(body["ts"], bool) or not isinstance(body["ts"], int | float):
        raise Wrong(f"a {body['type']} whose ts is {body['ts']!r:.40}")
