"""Proves the neighbours before they judge anybody. Needs no server.

First against the world: in the recorded frames between real servers, whoever speaks must do so as
the accent of that name does. Then against themselves: two of one accent must become neighbours, find
no fault with each other, and pass a letter on.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from olaf_client import Frame, Wrong
from olaf_crypto import KeyPool, b64
from olaf_guest import Guest
from olaf_neighbour import Home, Neighbour
from olaf_scene import token
from olaf_server_accents import AEG, AEG0, G8, SERVERS, TS, ServerAccent
from olaf_wire import data_of

FILES = {"ts": TS, "aegizz": AEG, "aegizz-early": AEG0, "g8": G8}
NOWHERE = Home("ws://127.0.0.1:9", "127.0.0.1:9", "")


def _hello_differs(one: Neighbour, raw: str, body: dict[str, Any]) -> str | None:
    accent, data = one.accent, data_of(body)
    mine = json.loads(one.hello(counter=int(body.get("counter", 0))))
    if set(mine) != set(body) or set(data_of(mine)) != set(data):
        return "other fields"
    for field in ("type", "data", "counter", "signature"):
        if type(mine.get(field)) is not type(body.get(field)):
            return f"{field} as another type"
    if "signature" in body and len(mine["signature"]) != len(body["signature"]):
        return "another kind of signature"
    if data["sender"].split("127.")[0] != data_of(mine)["sender"].split("127.")[0]:
        return "its address spelled otherwise"
    if accent.constant_counter and body.get("counter", accent.first_counter) != accent.first_counter:
        return "another counter"
    # Java keeps no order of keys.
    return None if accent is G8 or one.print(body) == raw else "another printing"


def recorded(name: str) -> str | None:
    """Checks the frames of one recording that only servers send; returns what is wrong."""
    path = Path(__file__).parent.parent / "vectors" / "olaf" / f"{name}.jsonl"
    keys = KeyPool()
    one = Neighbour(FILES[name], keys.take(), NOWHERE, [])
    checked = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)["frame"]
        body = json.loads(raw)
        kind = body.get("type")
        if kind in (None, "signed_data"):
            if data_of(body)["type"] != "server_hello":
                continue
            fault = _hello_differs(one, raw, body)
            if fault is not None:
                return f"{fault}: {raw[:160]}"
        elif kind == "client_update":
            one._update(body)
            if one.faults:
                return f"a list that it would not read: {one.faults}"
            mine = json.loads(one.update(one.told))
            if one.accent.entries == "strings" and mine != body:
                return f"a list as {mine}"
        elif kind == "client_update_request":
            if json.loads(one.request()) != body:
                return "another request"
        else:
            continue
        checked += 1
    one.door.close()
    return None if checked else "nothing was found"


async def _pair(accent: ServerAccent) -> None:
    keys = KeyPool()
    left, right = (Neighbour(accent, keys.take(), NOWHERE, [Guest(accent.client, keys.take())])
                   for _ in range(2))
    left.home = Home(right.url, right.host, right.pem)
    right.home = Home(left.url, left.host, left.pem)
    try:
        await left.open_door()
        await right.open_door()
        await left.dial()
        await right.until(lambda: any(link.verified for link in right.links), "a hello")
        if accent.sockets == "one-way":
            await right.dial()
            await left.until(lambda: any(link.verified for link in left.links), "a hello")
        await right.knows(left.guests[0].pem)
        await left.send_updates()
        raw = await left.pass_on(left.guests[0].public(token()))
        await right.until(lambda: any(frame.raw == raw for _, frame in right.letters), "a letter")
        if accent.proof == "rsa":
            body = Frame.read(raw).body or {}
            if accent.client.wants_object and isinstance(body["data"], str):
                raise Wrong("a letter in a shape that its own clients do not read")
            right.guests[0].read_public(body, right.pems())
        faults = [*left.faults, *right.faults]
        if faults:
            raise Wrong(f"it finds fault with itself: {faults}")
        # And it does see what is wrong.
        link = await left.open_link()
        await link.send(json.dumps({"type": "signed_data", "counter": 0, "signature": b64(b"x"),
                                    "data": {"type": "server_hello", "sender": "elsewhere"}}))
        await right.until(lambda: bool(right.faults), "a fault")
    finally:
        await asyncio.gather(left.close(), right.close())


async def pair(accent: ServerAccent) -> str | None:
    try:
        async with asyncio.timeout(30):
            await _pair(accent)
    except Wrong as fault:
        return str(fault)
    except Exception as fault:
        return f"{type(fault).__name__}: {fault}"
    return None


async def all_pairs() -> list[tuple[str, str | None]]:
    return [(f"a pair of {accent.name}", await pair(accent)) for accent in SERVERS]
