"""Programs that no server can let in, whatever it wants: they are told why, and so is its operator.

    python tests/peers/socp_refused.py --url ws://127.0.0.1:8080 --accent g42
    python tests/peers/socp_refused.py --listen 0 --accent ari

`g42` writes its times as a list of seconds, signs whole messages instead of payloads, writes keys in standard base64
without padding and signatures in base64 twice. Only its JOIN, WELCOME and ANNOUNCE travel over a WebSocket, and as a
joiner it ignores what answers them. `ari` opens a link with `SERVER_HELLO` and an `id`, and tells of its users by
`SERVER_USER_ADVERT`; what else its servers say was not measured, so that here they answer what they do not know with the
ERROR of the text. Of its own, `g42` also joins with one of its oddities mended after the other, until it is let in: that
shows which of them is the one that cannot be followed.

In the first form each says its first words to a server under test, with one line for each check as the others print
it. In the second one it waits to be dialled: it says `listening` and an object with `url` and `key`, answers in its own
way, and stays until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import websockets
from cryptography.hazmat.primitives import serialization
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from socp_accents import BY_NAME, TEXT, Crypto
from socp_crypto import Json, PublicKey, canonical, key_text, read_key, sign, unb64, verifies
from socp_scene import KEYS, finish, report, same
from socp_session import DEADLINE
from socp_wire import Wrong, envelope, now, text_of

PSS = Crypto(accepts=32)


def say(word: str, value: object) -> None:
    print(word, json.dumps(value), flush=True)


# --- g42 -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Habits:
    """What `g42` does as nobody else, each of which a check may mend."""

    listed_time: bool = True
    signs_message: bool = True


def bare(data: bytes) -> str:
    """Standard base64 without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def der(key: PublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def g42_frame(kind: str, sender: str, to: str, payload: Json, habits: Habits) -> Json:
    ts: Any = [int(time.time())] if habits.listed_time else now()
    body: Json = {"type": kind, "from": sender, "to": to, "ts": ts,
                  "payload": dict(sorted(payload.items())), "sig": ""}
    signed = text_of(body).encode() if habits.signs_message else canonical("ascii", payload)
    once = bare(unb64(PSS, sign(PSS, KEYS["north"], signed)))
    return {**body, "sig": base64.b64encode(once.encode()).decode()}


def own_payload(port: int) -> Json:
    return {"host": "127.0.0.1", "port": port, "pubkey": bare(der(KEYS["north"].public_key()))}


@dataclass
class Heard:
    """What a server said to a joiner, and how that ended."""

    frames: list[Json]
    code: int | None
    reason: str

    @property
    def error(self) -> Json:
        errors = [frame["payload"] for frame in self.frames if frame["type"] == "ERROR"]
        if len(errors) != 1:
            raise Wrong(f"one ERROR was due, and not {self.frames!r:.200}")
        return errors[0]


async def hear_out(url: str, first: Json, until: str = "") -> Heard:
    """Says one thing, and listens until the server closes or has said something of this type."""
    frames: list[Json] = []
    async with asyncio.timeout(DEADLINE), connect(url, proxy=None, close_timeout=2) as socket:
        await socket.send(text_of(first))
        try:
            while not any(frame["type"] == until for frame in frames):
                frames.append(json.loads(await socket.recv()))
        except websockets.ConnectionClosed:
            return Heard(frames, socket.close_code, socket.close_reason or "")
    return Heard(frames, None, "")


def refused(heard: Heard, code: str, words: str, reason: str) -> None:
    same("the code", heard.error["code"], code)
    if words not in heard.error["detail"]:
        raise Wrong(f"{heard.error['detail']!r} does not say {words!r}")
    same("the close", (heard.code, heard.reason), (1008, reason))


async def time_as_list(url: str) -> None:
    """As the real program does it."""
    join = g42_join(url, Habits())
    same("the length of its signature", len(join["sig"]), 912)
    refused(await hear_out(url, join), "UNKNOWN_TYPE", "ts is no number", "malformed")


async def message_signed(url: str) -> None:
    """A time that can be read: now the signature covers what nobody else signs."""
    join = g42_join(url, Habits(listed_time=False))
    refused(await hear_out(url, join), "INVALID_SIG", "not signed", "bad_signature")


async def mended(url: str) -> None:
    """The spellings of its key and of its signature are no obstacle, and it can read the answer."""
    join = g42_join(url, Habits(listed_time=False, signs_message=False))
    heard = await hear_out(url, join, "SERVER_WELCOME")
    welcome = heard.frames[-1]
    same("the answer", welcome["type"], "SERVER_WELCOME")
    same("its id", welcome["payload"]["assigned_id"], join["from"])
    # It looks for keys among the servers.
    listed = [one for one in welcome["payload"]["servers"] if one["server_id"] == welcome["from"]]
    key = read_key(TEXT.crypto, listed[0]["pubkey"])
    signed = canonical("ascii", welcome["payload"])
    same("its signature", verifies(PSS, key, signed, welcome["sig"]), True)


def g42_join(url: str, habits: Habits) -> Json:
    to = url.removeprefix("ws://")
    return g42_frame("SERVER_HELLO_JOIN", str(uuid.uuid4()), to, own_payload(3102), habits)


# --- ari -----------------------------------------------------------------------------------------


async def own_hello(url: str) -> None:
    heard = await hear_out(url, {"type": "SERVER_HELLO", "id": "SrvA"})
    refused(heard, "UNKNOWN_TYPE", "SERVER_HELLO_JOIN", "malformed")


CHECKS: dict[str, dict[str, Callable[[str], Awaitable[None]]]] = {
    "g42": {"time_as_list": time_as_list, "message_signed": message_signed, "mended": mended},
    "ari": {"own_hello": own_hello},
}


# --- who is dialled ------------------------------------------------------------------------------


async def answer(accent: str, socket: Any) -> None:
    """Answers the first words of whoever dials, in its own way, and listens on."""
    me, port = str(uuid.uuid4()), socket.local_address[1]
    first = json.loads(await socket.recv())
    if accent == "ari":
        payload = {"code": "UNKNOWN_TYPE", "detail": str(first["type"])}
        said = envelope(BY_NAME["ari"], KEYS["north"], "ERROR", me, first["from"], payload)
    else:
        listed = {"server_id": me, **own_payload(port)}
        payload = {"assigned_id": first["from"], "clients": [], "servers": [listed]}
        said = g42_frame("SERVER_WELCOME", me, first["from"], payload, Habits())
    await socket.send(text_of(said))
    await socket.wait_closed()


async def listen(accent: str, port: int) -> None:
    async with serve(partial(answer, accent), "127.0.0.1", port, close_timeout=2) as door:
        url = f"ws://127.0.0.1:{next(iter(door.sockets)).getsockname()[1]}"
        say("listening", {"url": url, "key": key_text(TEXT.crypto, KEYS["north"].public_key())})
        await asyncio.to_thread(sys.stdin.readline)


async def run(accent: str, url: str) -> int:
    return finish([await report(f"{accent}.{name}", partial(check, url))
                   for name, check in CHECKS[accent].items()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accent", choices=sorted(CHECKS), required=True)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="the server under test, ws://host:port")
    where.add_argument("--listen", type=int, metavar="PORT", help="wait to be dialled; 0 is any port")
    given = parser.parse_args()
    KEYS.make_all()
    if given.listen is None:
        return asyncio.run(run(given.accent, given.url.rstrip("/")))
    asyncio.run(listen(given.accent, given.listen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
