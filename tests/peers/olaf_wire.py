"""Frames as each accent prints, signs, seals, verifies and opens them.

Pure functions from values to values: no socket, no clock but the one `time-to-die` needs. A frame
that was made here is kept as the exact text that goes out (`Sent.raw`), because the question of the
whole suite is whether that text arrives unchanged.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from olaf_accents import Accent, Sealing, Style
from olaf_crypto import PrivateKey, PublicKey, b64, fingerprint, read_pem, sign, verifies

Json = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """A signed frame, as it left."""

    raw: str
    data: str | Json
    counter: int | str
    signature: str


@dataclass(frozen=True)
class Recipient:
    pem: str
    address: str


@dataclass(frozen=True)
class Opened:
    """A private chat that could be read."""

    participants: list[str]
    message: str


def print_json(value: Any, style: Style, ascii_escapes: bool, sort: bool) -> str:
    separators = (",", ":") if style == "compact" else (", ", ": ")
    return json.dumps(value, ensure_ascii=ascii_escapes, separators=separators, sort_keys=sort)


def print_data(accent: Accent, data: Json) -> str:
    return print_json(data, accent.style, accent.ascii_escapes, accent.sort_data)


def signed_text(accent: Accent, data: Json, counter: int) -> str:
    """What goes under the signature."""
    if accent.signs == "sorted-object":
        whole = {"counter": counter, "data": data}
        return print_json(whole, "compact", accent.ascii_escapes, sort=True)
    return print_data(accent, data) + str(counter)


def sign_frame(accent: Accent, key: PrivateKey, data: Json, counter: int) -> Sent:
    signature = sign(key, signed_text(accent, data, counter), accent.salt)
    shown_data = print_data(accent, data) if accent.data_as == "string" else data
    shown_counter = str(counter) if accent.counter_as == "text" else counter
    return frame(accent, shown_data, shown_counter, signature)


def frame(accent: Accent, data: Any, counter: Any, signature: Any) -> Sent:
    """The envelope alone, around whatever it is given: the hostile checks lie here."""
    body = {"type": "signed_data", "data": data, "counter": counter, "signature": signature}
    raw = print_json(body, accent.frame_style, accent.ascii_escapes, accent.sort_frame)
    return Sent(raw, data, counter, signature)


def unsigned(accent: Accent, body: Json) -> str:
    return print_json(body, accent.frame_style, accent.ascii_escapes, accent.sort_frame)


def data_of(body: Json) -> Json:
    """The `data` of a frame as an object, whichever way it was written."""
    data = body["data"]
    parsed = json.loads(data) if isinstance(data, str) else data
    if not isinstance(parsed, dict):
        raise ValueError("data is not an object")
    return parsed


def verify(accent: Accent, body: Json, key: PublicKey) -> str | None:
    """Checks a frame the way `accent` does. Returns what is wrong with it, or None."""
    data = body["data"]
    if accent.wants_object and not isinstance(data, dict):
        return f"{accent.name} needs data as an object, got {type(data).__name__}"
    if not accent.wants_object and isinstance(data, str) != (accent.data_as == "string"):
        return f"{accent.name} needs data as {accent.data_as}, got {type(data).__name__}"
    if accent.verifies == "nothing":
        return None
    text = data if accent.verifies == "raw" else print_data(accent, data_of(body))
    if verifies(key, text + str(body["counter"]), body["signature"], accent.accepts_salt):
        return None
    return f"the signature does not verify the way {accent.name} checks it"


def _oaep(form: Sealing) -> padding.OAEP:
    digest = hashes.SHA256() if form.oaep == "sha256" else hashes.SHA1()
    return padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)


def _wrap(form: Sealing, key: bytes) -> bytes:
    return {"raw": key, "base64": b64(key).encode(), "hex": key.hex().encode()}[form.key_text]


def _unwrap(form: Sealing, wrapped: bytes) -> bytes:
    if form.key_text == "raw":
        return wrapped
    if form.key_text == "base64":
        return base64.b64decode(wrapped, validate=True)
    return bytes.fromhex(wrapped.decode("ascii"))


def seal(accent: Accent, me: Recipient, to: list[Recipient], message: str) -> Json:
    """The `data` of a private chat from `me` to `to`."""
    form = accent.sealing
    names = [fingerprint(accent, one.pem, accent.participants_as) for one in (me, *to)]
    key, iv = os.urandom(form.key_bytes), os.urandom(12 if form.iv == "in-front" else 16)
    inner: Any = {"participants": names, "message": message}
    if form.plaintext == "nested":
        inner = {"chat": inner}
    plain = message if form.plaintext == "message-only" else print_data(accent, inner)

    encryptor = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
    sealed = encryptor.update(plain.encode()) + encryptor.finalize()
    if form.tag == "appended":
        sealed += encryptor.tag
    readers = [me, *to] if form.destinations == "with-sender" else to
    addresses = [one.address for one in readers]
    if form.destinations == "distinct":
        addresses = list(dict.fromkeys(addresses))

    chat: Any
    if form.iv == "in-front":
        nicknames = [f"unknown_user_{number}" for number in range(2, len(to) + 2)]
        chat = {"participants": [names[0], *nicknames], "message": b64(iv + sealed)}
        shown_iv = "0"
    else:
        chat = b64(sealed.hex().encode()) if form.cipher_text == "base64-hex" else b64(sealed)
        shown_iv = b64(iv.hex().encode()) if form.iv == "base64-hex" else b64(iv)
    data: Json = {
        "type": "chat",
        "destination_servers": addresses,
        "iv": shown_iv,
        "symm_keys": [b64(read_pem(one.pem).encrypt(_wrap(form, key), _oaep(form)))
                      for one in readers],
        "chat": chat,
    }
    if form.time_to_die:
        dies = datetime.now(UTC) + timedelta(minutes=1)
        data["time-to-die"] = dies.strftime("%Y-%m-%dT%H:%M:%SZ")
    return data


def open_chat(accent: Accent, key: PrivateKey, data: Json) -> Opened | None:
    """Tries every wrapped key. None when the chat is not for this key."""
    for wrapped in data["symm_keys"]:
        try:
            secret = key.decrypt(base64.b64decode(wrapped, validate=True), _oaep(accent.sealing))
            return _open_with(accent.sealing, _unwrap(accent.sealing, secret), data)
        except (ValueError, InvalidTag):
            continue
    return None


def _open_with(form: Sealing, key: bytes, data: Json) -> Opened:
    if form.iv == "in-front":
        both = base64.b64decode(data["chat"]["message"], validate=True)
        iv, sealed = both[:12], both[12:]
    else:
        iv = base64.b64decode(data["iv"], validate=True)
        sealed = base64.b64decode(data["chat"], validate=True)
        iv = bytes.fromhex(iv.decode()) if form.iv == "base64-hex" else iv
        sealed = bytes.fromhex(sealed.decode()) if form.cipher_text == "base64-hex" else sealed
    if form.tag == "none":
        plain = Cipher(algorithms.AES(key), modes.GCM(iv)).decryptor().update(sealed)
    else:
        decryptor = Cipher(algorithms.AES(key), modes.GCM(iv, sealed[-16:])).decryptor()
        plain = decryptor.update(sealed[:-16]) + decryptor.finalize()
    if form.plaintext == "message-only":
        return Opened(data["chat"]["participants"], plain.decode())
    inner = json.loads(plain)
    inner = inner["chat"] if form.plaintext == "nested" else inner
    return Opened(inner["participants"], inner["message"])
