"""Proves the kit before it judges anybody. Needs no server.

First against the world: in the recorded frames of real implementations, whoever says hello must
sign, name itself and write its key the way the accent of that name does. Then against itself: all
checks must pass with a strict relay, and those that look for holes must fail with a naive one. The
servers are proven in the same two ways.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from websockets.asyncio.server import serve

import olaf_client
import olaf_selftest_neighbours as neighbours
from olaf_accents import AEG, FREW, G8, KAT, TS, TSC, Accent
from olaf_crypto import fingerprint, pem_text, read_pem, verifies
from olaf_relay import Relay, Uploads
from olaf_scene import World
from olaf_suite import all_checks, run
from olaf_wire import data_of, signed_text

RECORDED = Path(__file__).parent.parent / "vectors" / "olaf"
# `ts.jsonl` holds both the string form and, from its compatibility branch, the object form.
FILES: dict[str, tuple[Accent, ...]] = {
    "ts": (TS, TSC), "frew": (FREW,), "aegizz": (AEG,), "kata": (KAT,), "g8": (G8,),
}
CLIENT_TYPES = ("hello", "public_chat", "chat")
# What a relay without any rule must be caught at.
CAUGHT = (
    "hostile.signature_hello.TS", "hostile.signature_public.KAT", "hostile.signature_chat",
    "hostile.counter.G17", "hostile.false_sender.TS", "hostile.replay_own.TS",
    "hostile.replay_foreign", "hostile.replay_hello", "hostile.early", "hostile.key_1024",
    "hostile.key_4096", "hostile.key_exponent_3", "hostile.silence", "malformed.message_object",
    "malformed.counter_float", "malformed.counter_negative", "malformed.keys_10000",
)


def recorded(name: str, accents: tuple[Accent, ...]) -> str | None:
    """Checks one file of recorded frames; returns what is wrong."""
    lines = (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(json.loads(line)["frame"]) for line in lines]
    signed = [body for body in bodies if body.get("type") == "signed_data"]
    hellos = [data_of(body) for body in signed if data_of(body)["type"] == "hello"]
    pems = list(dict.fromkeys(data["public_key"] for data in hellos))
    checked = 0
    for body in signed:
        data = data_of(body)
        if data["type"] not in CLIENT_TYPES:
            continue
        accent = next(one for one in accents
                      if (one.data_as == "string") == isinstance(body["data"], str))
        text = signed_text(accent, data, body["counter"])
        owners = [pem for pem in pems if verifies(read_pem(pem), text, body["signature"], 32)]
        named = [pem for pem in pems if data.get("sender") == fingerprint(accent, pem)]
        if data["type"] == "hello" and owners != [data["public_key"]]:
            return f"a hello does not verify as {accent.name}"
        if data["type"] == "public_chat" and owners != named:
            return f"{accent.name} signs or names its owner otherwise"
        if any(pem_text(read_pem(pem), accent.pem) != pem for pem in owners):
            return f"{accent.name} writes its key otherwise"
        checked += bool(owners)
    return None if checked else "no signature could be checked"


async def against(strict: bool) -> tuple[list[str], int]:
    """Runs the suite against the relay; returns the names that failed, and how many ran."""
    limit = 1.5
    olaf_client.DEADLINE = 10.0 if strict else 2.0  # where a failure is expected, wait less
    relay = Relay("127.0.0.1:9", strict, limit)
    uploads = ThreadingHTTPServer(("127.0.0.1", 0), Uploads)
    Thread(target=uploads.serve_forever, daemon=True).start()
    async with serve(relay.serve, "127.0.0.1", 0, max_size=16 << 20, max_queue=None) as server:
        port = server.sockets[0].getsockname()[1]
        door = f"http://127.0.0.1:{uploads.server_address[1]}" if strict else None
        world = World(f"ws://127.0.0.1:{port}", door, limit, Uploads.limit)
        failed, ran = [], 0
        for name, check in all_checks(world):
            if not strict and name.split(".")[0] in ("hostile", "malformed") and (
                    name not in CAUGHT):
                continue
            ran += 1
            fault = await run(name, check, world)
            if fault is not None:
                failed.append(name)
                if strict or name not in CAUGHT:
                    print(f"   {name}: {fault}")
    uploads.shutdown()
    return failed, ran


def report(name: str, fault: str | None) -> bool:
    print(f"ok {name}" if fault is None else f"FAIL {name}: {fault}", flush=True)
    return fault is None


def main() -> int:
    good = [report(f"recorded.{name}", recorded(name, accents))
            for name, accents in FILES.items()]
    good += [report(f"recorded servers of {name}", neighbours.recorded(name))
             for name in neighbours.FILES]
    good += [report(name, fault) for name, fault in asyncio.run(neighbours.all_pairs())]
    failed, ran = asyncio.run(against(strict=True))
    good.append(report(f"strict relay, {ran} checks", f"failed: {failed}" if failed else None))
    failed, ran = asyncio.run(against(strict=False))
    odd = set(failed) ^ set(CAUGHT)
    good.append(report(f"naive relay, {len(CAUGHT)} of {ran} checks bite",
                       f"not as expected: {sorted(odd)}" if odd else None))
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
