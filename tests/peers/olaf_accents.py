"""How each known OLAF client deviates, as data.

One `Accent` is one row of what was measured on the clients of the OLAF course: how it prints JSON,
what exactly it signs, how it writes its key and its fingerprint, how it seals a private chat, and
what it needs to understand an incoming frame. Nothing here acts; `olaf_wire` and `olaf_client` read
these values. The last three accents are not whole programs but single spellings that a server is
asked to accept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Style = Literal["compact", "python"]
PemForm = Literal["one-line", "64", "64-lf", "64-crlf", "base64"]
Encoding = Literal["base64", "hex", "base64-hex"]


@dataclass(frozen=True)
class Sealing:
    """The inside of a `chat`: how key, vector, tag and plaintext are written."""

    key_bytes: int = 16
    key_text: Literal["raw", "base64", "hex"] = "raw"
    oaep: Literal["sha256", "sha1"] = "sha256"
    iv: Literal["base64", "base64-hex", "in-front"] = "base64"
    tag: Literal["appended", "none"] = "appended"
    cipher_text: Encoding = "base64"
    plaintext: Literal["flat", "nested", "message-only"] = "flat"
    destinations: Literal["distinct", "aligned", "with-sender"] = "distinct"
    time_to_die: bool = False


@dataclass(frozen=True)
class Accent:
    """One way to speak OLAF. The defaults are the text of version 1.2."""

    name: str
    # What is printed and signed.
    data_as: Literal["string", "object"] = "string"
    style: Style = "compact"
    ascii_escapes: bool = False
    sort_data: bool = False
    frame_style: Style = "compact"
    sort_frame: bool = False
    signs: Literal["text+counter", "sorted-object"] = "text+counter"
    salt: Literal[32, "max"] = 32
    first_counter: int = 0
    counter_as: Literal["integer", "text"] = "integer"
    # Who I am.
    pem: PemForm = "one-line"
    fingerprint_over: Literal["as-sent", "one-line", "64", "64-lf", "base64"] = "as-sent"
    fingerprint_as: Encoding = "base64"
    participants_as: Encoding | None = None  # None: as `fingerprint_as`
    # What I understand.
    list_shape: Literal["strings", "objects"] = "strings"
    wants_object: bool = False
    verifies: Literal["raw", "re-dump", "nothing"] = "raw"
    accepts_salt: Literal[32, "any"] = 32
    sealing: Sealing = field(default_factory=Sealing)


def _python(name: str, **changes: Any) -> Accent:
    """The clients that print with Python's `json.dumps` as it comes out of the box."""
    base = Accent(
        name=name, data_as="object", style="python", frame_style="python",
        ascii_escapes=True, verifies="re-dump",
    )
    return replace(base, **changes)


TS = Accent(name="TS", fingerprint_over="one-line")
TSC = Accent(name="TSC", data_as="object", verifies="re-dump")
FREW = Accent(
    name="FREW", data_as="object", sort_data=True, sort_frame=True, verifies="re-dump", pem="64-lf",
    sealing=Sealing(oaep="sha1", iv="in-front", plaintext="message-only", destinations="aligned"),
)
AEG = Accent(
    name="AEG", sort_data=True, sort_frame=True, verifies="re-dump", first_counter=1,
    pem="64-lf", fingerprint_over="64-lf", fingerprint_as="base64-hex", list_shape="objects",
    sealing=Sealing(key_text="hex", iv="base64-hex", cipher_text="base64-hex",
                    destinations="aligned", time_to_die=True),
)
CAM = _python(
    "CAM", data_as="string", salt="max", accepts_salt="any", first_counter=1, wants_object=True,
    pem="64-lf", fingerprint_over="64-lf", fingerprint_as="hex",
)
G17 = _python(
    "G17", style="compact", sort_data=False, signs="sorted-object", salt="max", verifies="nothing",
    first_counter=1, pem="64-lf", sealing=Sealing(plaintext="nested"),
)
KAT = _python(
    "KAT", pem="64", fingerprint_over="64", fingerprint_as="base64-hex",
    sealing=Sealing(tag="none", destinations="aligned"),
)
G8 = Accent(
    name="G8", data_as="object", verifies="re-dump", first_counter=1, pem="64",
    sealing=Sealing(key_text="base64", destinations="aligned"),
)
# G15's own private chat names no destination server, so no relay could route it. The kit puts its
# cryptography (32-byte key, OAEP with SHA-1) into the fields of the specification.
G15 = _python(
    "G15", salt="max", accepts_salt="any", pem="64-lf", fingerprint_over="base64",
    fingerprint_as="hex", sealing=Sealing(key_bytes=32, oaep="sha1"),
)
G40 = _python(
    "G40", first_counter=1041, pem="64", fingerprint_as="hex", participants_as="base64-hex",
    sealing=Sealing(destinations="with-sender"),
)

# Single spellings.
COUNT = replace(G8, name="COUNT", counter_as="text")
B64 = replace(TS, name="B64", pem="base64", fingerprint_over="one-line")
CRLF = replace(TSC, name="CRLF", pem="64-crlf")

ACCENTS: tuple[Accent, ...] = (
    TS, TSC, FREW, AEG, CAM, G17, KAT, G8, G15, G40, COUNT, B64, CRLF,
)
