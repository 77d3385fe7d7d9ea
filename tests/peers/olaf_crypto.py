"""Keys, key texts, fingerprints and RSA-PSS, in every form the known clients use.

Only the `cryptography` package stands below this file. A `KeyPool` hands out key pairs in turn, so
that a run of several hundred connections does not wait for as many key generations, and yet no key
comes back while its last connection may still be on its way out.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from olaf_accents import Accent, Encoding, PemForm

HEADER, FOOTER = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
PrivateKey = rsa.RSAPrivateKey
PublicKey = rsa.RSAPublicKey


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def new_key(bits: int = 2048, exponent: int = 65537) -> PrivateKey:
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


@dataclass
class KeyPool:
    """Key pairs handed round in a circle, made when first needed."""

    size: int = 48

    def __post_init__(self) -> None:
        self._keys: list[PrivateKey] = []
        self._next = 0

    def take(self) -> PrivateKey:
        if len(self._keys) < self.size:
            self._keys.append(new_key())
            return self._keys[-1]
        key = self._keys[self._next]
        self._next = (self._next + 1) % self.size
        return key


def pem_text(key: PublicKey, form: PemForm) -> str:
    """The public key as one client writes it into its hello."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = b64(der)
    if form == "one-line":
        return f"{HEADER}\n{body}\n{FOOTER}"
    lines = [HEADER, *(body[at:at + 64] for at in range(0, len(body), 64)), FOOTER]
    if form == "64":
        return "\n".join(lines)
    if form == "64-crlf":
        return "\r\n".join(lines) + "\r\n"
    text = "\n".join(lines) + "\n"
    return b64(text.encode()) if form == "base64" else text


def read_pem(text: str) -> PublicKey:
    """The key behind any of the texts above."""
    if "-----BEGIN" not in text:
        text = base64.b64decode(text, validate=True).decode("ascii")
    body = "".join(text.replace(HEADER, "").replace(FOOTER, "").split())
    key = serialization.load_der_public_key(base64.b64decode(body, validate=True))
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def encode(digest: bytes, form: Encoding) -> str:
    if form == "base64":
        return b64(digest)
    return digest.hex() if form == "hex" else b64(digest.hex().encode())


def fingerprint(accent: Accent, pem: str, form: Encoding | None = None) -> str:
    """The name that `accent` gives to the owner of `pem`, a text found in a list."""
    if accent.fingerprint_over == "as-sent":
        text = pem
    elif accent.fingerprint_over == "base64":
        text = b64(pem.encode())
    else:
        text = pem_text(read_pem(pem), accent.fingerprint_over)
    return encode(hashlib.sha256(text.encode()).digest(), form or accent.fingerprint_as)


def sign(key: PrivateKey, text: str, salt: int | str = 32) -> str:
    length = padding.PSS.MAX_LENGTH if salt == "max" else int(salt)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=length)
    return b64(key.sign(text.encode(), scheme, hashes.SHA256()))


def verifies(key: PublicKey, text: str, signature: str, salt: int | str = "any") -> bool:
    length = padding.PSS.AUTO if salt == "any" else int(salt)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=length)
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), scheme,
                   hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
