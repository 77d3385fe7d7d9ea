"""Keys, base64, canonical payloads, signatures and RSA blocks, in every form the programs use.

Only the `cryptography` package stands below this file. Keys of 4096 bits take seconds to make, so
a run uses four of them and leaves them for the next run in a folder that only its owner can read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from socp_accents import Canonical, Content, Crypto

Json = dict[str, Any]
PrivateKey = rsa.RSAPrivateKey
PublicKey = rsa.RSAPublicKey
BLOCK, ROOM = 512, 446  # bytes of a sealed block, and of plain text that fit into one
SHA256 = hashes.SHA256()


class Refused(Exception):
    """This program would not have taken what it was given."""


def new_key(bits: int = 4096) -> PrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Keys:
    """The four keys of a run: two for users, two for servers."""

    NAMES = ("alice", "bob", "north", "south")

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"kith-socp-keys-{os.getuid()}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        state = self._folder.stat()
        if state.st_uid != os.getuid() or state.st_mode & 0o077:
            raise PermissionError(f"{self._folder} is open to others")
        self._keys: dict[str, PrivateKey] = {}

    def __getitem__(self, name: str) -> PrivateKey:
        if name not in self._keys:
            self._keys[name] = self._load(name) or self._make(name)
        return self._keys[name]

    def make_all(self) -> None:
        """Makes what is missing now, and not while somebody waits for an answer."""
        for name in self.NAMES:
            _ = self[name]

    def _load(self, name: str) -> PrivateKey | None:
        try:
            found = serialization.load_der_private_key((self._folder / name).read_bytes(), None)
        except (OSError, ValueError):
            return None
        return found if isinstance(found, rsa.RSAPrivateKey) else None

    def _make(self, name: str) -> PrivateKey:
        key = new_key()
        der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
        # Two runs may make the same key at once; each file appears whole or not at all.
        handle, path = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            file.write(der)
        os.replace(path, self._folder / name)
        return key


# --- base64 --------------------------------------------------------------------------------------


def b64(data: bytes, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(data).decode("ascii")
    return text if padded else text.rstrip("=")


def unb64(crypto: Crypto, text: Any) -> bytes:
    """Decodes as strictly as this program. The text knows no `=`."""
    if not isinstance(text, str):
        raise Refused(f"base64 that is a {type(text).__name__}")
    if crypto.base64 == "padded" and len(text) % 4:
        raise Refused("Incorrect padding")
    if crypto.base64 == "bare" and "=" in text:
        raise Refused("base64url with padding")
    try:
        bare = text.rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError as fault:
        raise Refused(f"not base64url: {text[:40]!r}") from fault


# --- keys ----------------------------------------------------------------------------------------


def key_text(crypto: Crypto, key: PublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    if crypto.key == "der":
        return b64(key.public_bytes(serialization.Encoding.DER, form), crypto.padded)
    pem = key.public_bytes(serialization.Encoding.PEM, form)
    return pem.decode("ascii") if crypto.key == "pem" else b64(pem, crypto.padded)


def read_key(crypto: Crypto, text: Any) -> PublicKey:
    """The key in the one container that this program reads."""
    try:
        if crypto.key == "pem":
            key = serialization.load_pem_public_key(str(text).encode())
        elif crypto.key == "b64pem":
            key = serialization.load_pem_public_key(unb64(crypto, text))
        else:
            key = serialization.load_der_public_key(unb64(crypto, text))
    except ValueError as fault:
        raise Refused(f"no key as {crypto.key}: {str(text)[:40]!r}") from fault
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 4096:
        raise Refused("BAD_KEY: not RSA with 4096 bits")
    return key


# --- signatures ----------------------------------------------------------------------------------


def canonical(form: Canonical, payload: Any) -> bytes:
    """What is under a transport signature. `received`: the order that the object already has."""
    text = json.dumps(payload, separators=(",", ":"), sort_keys=form != "received",
                      ensure_ascii=form not in ("utf8", "received"), allow_nan=False).encode()
    return hashlib.sha256(text).digest() if form == "prehash" else text


def _pss(salt: Any) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(SHA256), salt_length=salt)


def sign(crypto: Crypto, key: PrivateKey, data: bytes) -> str:
    salt = padding.PSS.MAX_LENGTH if crypto.salt == "max" else crypto.salt
    return b64(key.sign(data, _pss(salt), SHA256), crypto.padded)


def verifies(crypto: Crypto, key: PublicKey, data: bytes, signature: Any) -> bool:
    """Whether this program takes the signature. Raises `Refused` where it cannot even decode."""
    if crypto.accepts == "unchecked":
        return True
    salt = padding.PSS.AUTO if crypto.accepts == "any" else crypto.accepts
    try:
        key.verify(unb64(crypto, signature), data, _pss(salt), SHA256)
    except InvalidSignature:
        return False
    return True


def ts_text(form: Content, ts: Any) -> str:
    return f"{float(ts):.6f}" if form == "pipes" else str(ts)


def content(form: Content, fields: Json) -> bytes:
    """What is under a content signature. `fields`: ciphertext, from, perhaps to, and ts."""
    ciphertext = str(fields["ciphertext"])
    if form == "json":
        return canonical("ascii", fields)
    if form == "ciphertext":
        return ciphertext.encode()
    names = [ts_text(form, fields[name]) if name == "ts" else str(fields[name])
             for name in ("from", "to", "ts") if name in fields]
    if form == "pipes":
        return "|".join([ciphertext, *names]).encode()
    if form == "text":
        return (ciphertext + "".join(names)).encode()
    try:
        front = unb64(Crypto(), ciphertext)
    except Refused:  # a public text in clear
        front = ciphertext.encode()
    joined = front + "".join(names).encode()
    return hashlib.sha256(joined).digest() if form == "raw-hashed" else joined


# --- secrets -------------------------------------------------------------------------------------


def _oaep() -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(SHA256), algorithm=SHA256, label=None)


def seal(crypto: Crypto, key: PublicKey, plain: bytes) -> str:
    """RSA blocks, one behind the other; an empty text takes one too."""
    parts = [plain[at:at + ROOM] for at in range(0, max(len(plain), 1), ROOM)]
    return b64(b"".join(key.encrypt(part, _oaep()) for part in parts), crypto.padded)


def unseal(crypto: Crypto, key: PrivateKey, text: Any) -> bytes:
    sealed = unb64(crypto, text)
    if not sealed or len(sealed) % BLOCK:
        raise Refused(f"a ciphertext of {len(sealed)} bytes")
    parts = [sealed[at:at + BLOCK] for at in range(0, len(sealed), BLOCK)]
    try:
        return b"".join(key.decrypt(part, _oaep()) for part in parts)
    except ValueError as fault:
        raise Refused("a ciphertext that does not open") from fault
