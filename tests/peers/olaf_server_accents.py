"""How each known OLAF server deviates towards other servers, as data.

One `ServerAccent` is one row of what was measured or read on the servers of the OLAF course: how it
says hello, what it checks in the hello of another one, on which sockets it speaks and listens, how
it lists its clients, and how it prints the letters that it hands on. `olaf_neighbour` plays them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from olaf_accents import AEG as AEG_CLIENT
from olaf_accents import CAM as CAM_CLIENT
from olaf_accents import FREW as FREW_CLIENT
from olaf_accents import G8 as G8_CLIENT
from olaf_accents import G17 as G17_CLIENT
from olaf_accents import KAT as KAT_CLIENT
from olaf_accents import TS as TS_CLIENT
from olaf_accents import TSC as TSC_CLIENT
from olaf_accents import Accent, Style


@dataclass(frozen=True)
class ServerAccent:
    """One way to be a server. The defaults are the text of version 1.2."""

    name: str
    client: Accent
    # How it says who it is.
    data_as: Literal["string", "object"] = "string"
    style: Style = "compact"
    sorts: bool = False
    greeting: str = "server_hello"
    field: str = "sender"
    address: Literal["plain", "ws", "java"] = "plain"
    first_counter: int = 0
    constant_counter: bool = False
    counter_as: Literal["integer", "text"] = "integer"
    proof: Literal["rsa", "hash", "none"] = "rsa"
    signs: Literal["text+counter", "sorted-object"] = "text+counter"
    salt: Literal[32, "max"] = 32
    # What it checks in the hello of another one.
    verifies: Literal["raw", "sorted", "python", "compact", "nothing"] = "raw"
    least_counter: int = 0
    # Which sockets it uses: one for both directions; one each, both of which are read; or it speaks
    # only where it dialled and reads only where it was dialled.
    sockets: Literal["one", "two", "one-way"] = "one"
    dials_back: bool = False
    gives_way: bool = False  # no dial of its own once the other one has come
    answers_hello: bool = False
    hello_comes_first: bool = False  # closes when anything else does
    # What it tells and wants to be told.
    entries: Literal["strings", "client-id", "client_id"] = "strings"
    names_itself: bool = False  # `hostname` in a client_update
    # Letters.
    prints: Literal["verbatim", "python", "sorted", "object", "bare"] = "verbatim"
    wants: Literal["any", "object", "string"] = "any"
    echoes: bool = False
    tls: bool = False

    @property
    def kith(self) -> str:
        """What an operator of the server under test calls it."""
        return self.name.lower()


TS = ServerAccent("TS", TS_CLIENT, answers_hello=True)
TSC = replace(TS, name="TSC", client=TSC_CLIENT, data_as="object", verifies="compact")
FREW = ServerAccent(
    "FREW", FREW_CLIENT, data_as="object", greeting="server_connect", field="hostname",
    first_counter=1, verifies="nothing", names_itself=True, prints="python", tls=True,
)
AEG = ServerAccent(
    "AEG", AEG_CLIENT, sorts=True, first_counter=12345, constant_counter=True, verifies="sorted",
    least_counter=1, sockets="one-way", entries="client-id", prints="sorted", wants="string",
)
AEG0 = replace(
    AEG, name="AEG0", proof="none", verifies="nothing", entries="client_id", prints="bare",
    wants="object",
)
CAM = ServerAccent(
    "CAM", CAM_CLIENT, style="python", first_counter=1, salt="max", verifies="python",
    sockets="two", dials_back=True, hello_comes_first=True, prints="object", wants="object",
)
KAT = ServerAccent(
    "KAT", KAT_CLIENT, data_as="object", style="python", address="ws", first_counter=1,
    verifies="python", sockets="two", prints="python",
)
G17 = ServerAccent(
    "G17", G17_CLIENT, data_as="object", style="python", first_counter=1, salt="max",
    signs="sorted-object", verifies="nothing", sockets="two", gives_way=True, prints="python",
    echoes=True,
)
G8 = ServerAccent(
    "G8", G8_CLIENT, data_as="object", sorts=True, address="java", first_counter=2,
    counter_as="text", proof="hash", verifies="nothing",
)

SERVERS: tuple[ServerAccent, ...] = (TS, TSC, FREW, AEG, AEG0, CAM, KAT, G17, G8)
# Those prove nothing, so a server must be told to bear them.
UNSIGNED = (AEG0, G8)
