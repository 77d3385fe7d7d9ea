"""Proves the kit before it judges anybody. Needs no server.

For each accent, two servers of it with users of it do among themselves what the real programs did
when they were measured, and fail to do what those failed to do. A few fixed vectors prove that the
bytes under the signatures are those of the measurements and not merely the same on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import socp_mesh
import socp_session
from socp_accents import BY_NAME, Accent
from socp_checks_users import checks
from socp_client import Client
from socp_crypto import Refused, canonical, content, key_text, new_key, read_key
from socp_node import FUSE
from socp_reach import JOINING
from socp_scene import (
    KEYS,
    Scene,
    announce,
    finish,
    hand_over,
    no_twins,
    report,
    same,
    tell,
)
from socp_server import Server
from socp_wire import Wrong


@dataclass(frozen=True)
class Able:
    """What two servers of one program achieve between them."""

    direct_same: bool = True
    direct_across: bool = True
    public_across: bool = True
    file_across: bool = True
    # Their own clients cannot verify what their servers re-stamp.
    verified: bool = True


ABLE = {
    "text": Able(), "g45": Able(), "g17": Able(), "pezhy": Able(),
    "g2": Able(direct_across=False, file_across=False),
    "g56": Able(direct_same=False, file_across=False),
    "g29": Able(public_across=False, file_across=False),
    "g40": Able(file_across=False),
    "samlovat": Able(public_across=False, file_across=False),
    "admiral": Able(file_across=False, verified=False),
    "g99": Able(),
}
# What the suite must find fault with in a server that checks nothing, or leaves things out.
BITTEN = {
    "samlovat": {"direct", "wrong_signature", "hello_forged", "small_key"},
    "g56": {"direct", "heartbeat", "coming_back", "unknown_type", "server_types",
            "wrong_signature", "false_sender", "name_in_use"},
}
# What the mesh must find fault with. One answers the errors of others with errors.
MESHED: dict[str, set[str]] = {"text": set(), "g45": set(), "pezhy": set(), "g17": {"quiet"}}
# Recorded from CPython: keys in order, everything beyond ASCII escaped in lower case.
VECTOR = (r'{"":"","a":{"y":"\u007f/\b\t\u0001\"\\","z":"\u00e9","\u00e9":1,"\uff61":3,'
          r'"\ud83d\ude00":2},"b":1}')


async def vectors() -> None:
    value = json.loads(VECTOR)
    mixed = {"b": value["b"], "a": dict(reversed(value["a"].items())), "": ""}
    same("the ASCII form", canonical("ascii", mixed).decode(), VECTOR)
    same("the UTF-8 form", canonical("utf8", {"é": "\x7f"}), '{"é":"\x7f"}'.encode())
    same("the received form", canonical("received", {"b": 1, "a": 2}), b'{"b":1,"a":2}')
    same("the hashed form", len(canonical("prehash", mixed)), 32)
    fields = {"ciphertext": "AQI", "from": "a", "to": "b", "ts": 7}
    same("text", content("text", fields), b"AQIab7")
    same("raw", content("raw", fields), b"\x01\x02ab7")
    same("pipes", content("pipes", {**fields, "ts": 7.5}), b"AQI|a|b|7.500000")
    same("ciphertext", content("ciphertext", fields), b"AQI")
    same("json", content("json", fields), b'{"ciphertext":"AQI","from":"a","to":"b","ts":7}')


async def key_forms() -> None:
    """Lengths that were seen on the wire, and who reads whose key."""
    public = KEYS["alice"].public_key()
    lengths = {"text": 734, "g2": 800, "g56": 1067, "g40": 1068}
    alike = {"g99": "g56", "ari": "g2"}
    for name, twin in alike.items():
        same(f"the key of {name}", key_text(BY_NAME[name].crypto, public),
             key_text(BY_NAME[twin].crypto, public))
    for name, length in lengths.items():
        text = key_text(BY_NAME[name].crypto, public)
        same(f"the length of a key of {name}", len(text), length)
        for other in lengths:
            try:
                read_key(BY_NAME[other].crypto, text)
                reads = True
            except Refused:
                reads = False
            same(f"{other} reads the key of {name}", reads, name == other)
    small = key_text(BY_NAME["text"].crypto, new_key(2048).public_key())
    try:
        read_key(BY_NAME["text"].crypto, small)
    except Refused:
        return
    raise Wrong("a key of 2048 bits was taken")


async def link(accent: Accent, north: Server, south: Server) -> None:
    """The way in which two servers of this program find each other."""
    if accent.server.join == "joiner-drops":
        # With its bootstrap list it loses its link after the ANNOUNCE, as it does here first.
        await south.join(north.link_url, north.key_text)
        await south.until(lambda: bool(south.keys) and not south.links, "the end of the JOIN link")
        await north.until(lambda: not north.links, "the end of the JOIN link")
        await south.link(north.link_url, north.id)
    elif accent.server.assigns_new_id:  # only who is dialled learns a key
        await south.link(north.link_url)
        await north.link(south.link_url)
    else:
        await south.join(north.link_url, north.key_text)
        if accent.server.gossip == "none":  # only a WELCOME tells who is there
            await north.join(south.link_url, south.key_text)
    await asyncio.gather(north.wait_linked(), south.wait_linked())
    if accent.server.assigns_new_id:
        # What was said before it was dialled itself it had no key for.
        for there in north.links.values():
            await north.gossip(there)


async def wait_presence(accent: Accent, users: list[Client], servers: list[Server]) -> None:
    for user in users:
        for server in servers:
            if accent.server.gossip != "none" and user.id not in server.seats:
                await server.wait_known(user.id)
    if accent.user.lists is not None or accent.server.tells_clients:
        for user in users:
            for other in users:
                await user.wait_listed(other.id)


async def errors(scene: Scene, accent: Accent, server: Server, alice: Client) -> None:
    """What the server of this program answers where something is wrong."""
    since, ways = alice.mark(), accent.server
    nobody = "6f5a7e8c-cf08-402e-a299-f4b1e5774a87"
    if ways.unknown_user:
        await alice.direct(nobody, alice.key_text, "hello?")
        await alice.wait_error("USER_NOT_FOUND", since)
    since = alice.mark()
    if ways.unknown_type:
        await alice.send(alice.frame("MSG_NOVEL", alice.server_name, {}))
        await alice.wait_error("UNKNOWN_TYPE", since)
    since = alice.mark()
    if ways.checks_content != "no":
        body = alice.direct_frame(alice.id, alice.key_text, "to myself", spoil=True)
        await alice.send(body)
        await alice.wait_error("INVALID_SIG", since)
    if ways.name_in_use != "none":
        double = await scene.connect(server.url, accent, "alice")
        double.id = alice.id
        await double.send(double.hello_frame())
        await double.wait_error("NAME_IN_USE")


async def together(accent: Accent) -> None:
    able = ABLE[accent.name]
    async with Scene() as scene:
        north = await scene.server(accent, "north", introduces=True)
        south = await scene.server(accent, "south")
        alice = await scene.client(north.url, accent, "alice")
        bob = await scene.client(south.url, accent, "bob")
        await link(accent, north, south)
        carol = await scene.client(north.url, accent, "bob")
        if accent.server.gossip == "none":
            await bob.wait_listed(carol.id)
        await wait_presence(accent, [alice, bob, carol], [north, south])
        verified = able.verified
        # On one server.
        if able.direct_same:
            await tell(alice, carol, "next door: é, 😀", verified=verified)
            await tell(carol, alice, "x" * 1000, verified=verified)
        else:
            await refuses(alice, carol)
        await announce(alice, [carol], "to all", verified=verified)
        await hand_over(alice, carol)
        # From one to the other.
        since = bob.mark()
        if not able.public_across:
            await alice.public("to all over there", {bob.id: bob.key_text})
        if not able.direct_across:
            await alice.direct(bob.id, bob.key_text, "vanishes")
        if not able.file_across:
            await alice.file(bob.id, bob.key_text, "lost.bin", b"lost")
        if able.direct_across:
            # One of them looks for keys in a file that all its servers share.
            shared = accent.server.gossip_key == "none"
            await tell(alice, bob, "over there", bob.key_text if shared else None, verified)
            await tell(bob, alice, "over here", alice.key_text if shared else None, verified)
        if able.public_across:
            await announce(bob, [alice, carol], "all of you", verified=verified)
            await announce(carol, [alice, bob], "you too", verified=verified)
        if able.file_across:
            await hand_over(bob, alice)
        # Whatever came later has arrived, so what has not come will not.
        lost = {frame.type for frame in bob.frames[since:]}
        if not able.file_across and "FILE_END" in lost:
            raise Wrong("a file arrived that the original loses")
        if not able.direct_across and "USER_DELIVER" in lost:
            raise Wrong("a direct message arrived that the original loses")
        if not able.public_across and "MSG_PUBLIC_CHANNEL" in lost:
            raise Wrong("a public message arrived that the original loses")
        for one in (alice, bob, carol):
            for kind in ("USER_DELIVER", "MSG_PUBLIC_CHANNEL"):
                no_twins(one, kind)
        await errors(scene, accent, north, alice)
        await carol.heartbeat()
        await carol.say_goodbye()
        if accent.server.removes:
            await south.wait_known(carol.id, known=False)
        if accent.name == "g2":
            await north.until(lambda: north.errors_said > FUSE, "the ERROR storm of two of them")
        check_servers(accent, north, south)


async def refuses(alice: Client, carol: Client) -> None:
    """The original's own server leaves out what the original's own client needs."""
    body = await alice.direct(carol.id, carol.key_text, "next door")
    try:
        await carol.receive(0, body["payload"]["ciphertext"])
    except Refused:
        return
    raise Wrong("a message was shown that the original refuses")


def check_servers(accent: Accent, north: Server, south: Server) -> None:
    faults = north.faults + south.faults
    if accent.server.files == "wrapped":  # refused by the server of the same program
        same("refused files", len(faults) > 0, True)
        faults = [one for one in faults if "SERVER_DELIVER" not in one]
    if faults:
        raise Wrong(f"faults found: {faults[:4]}")
    if accent.name != "g2" and max(north.errors_said, south.errors_said) > 10:
        raise Wrong("a storm of errors where there was none")


async def suite_bites(name: str, expected: set[str]) -> None:
    """The suite, run against a server of this accent: exactly these of its checks fail."""
    async with Scene() as scene:
        server = await scene.server(BY_NAME[name], "north")
        failed: set[str] = set()
        for check_name, check in checks():
            accent, _, rest = check_name.partition(".")
            if accent == name:
                try:
                    await check(server.url)
                except (Refused, Wrong):
                    failed.add(rest)
        same(f"what {name} fails", failed, expected)


async def mesh_bites(name: str, expected: set[str]) -> None:
    """The mesh, with a server of this accent as the one under test: exactly these checks fail."""
    accent, failed = BY_NAME[name], set()
    async with Scene() as scene:
        tested = await scene.server(accent, "south", introduces=True)
        key = key_text(BY_NAME["text"].crypto, KEYS["south"].public_key())
        given = argparse.Namespace(url=tested.url, key=key, listen=None, patience=60.0)
        meeting = await socp_mesh.meet(accent, JOINING[name], given, scene)
        for check_name, check in meeting.checks():
            if check_name == "quiet" and "quiet" in expected:
                peer = meeting.peer
                await peer.until(lambda: peer.errors_heard > socp_mesh.FEW, "a storm")
            try:
                await check()
            except (Refused, Wrong):
                failed.add(check_name)
    same(f"what {name} fails", failed, expected)


async def main() -> int:
    listed: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("vectors", vectors), ("keys", key_forms),
    ]
    listed += [(f"two servers of {name}", partial(together, BY_NAME[name])) for name in ABLE]
    listed.append(("a server to the letter passes the suite", partial(suite_bites, "text", set())))
    listed += [(f"a mesh with {name}", partial(mesh_bites, name, failures))
               for name, failures in MESHED.items()]
    KEYS.make_all()
    good = [await report(name, work) for name, work in listed]
    socp_session.DEADLINE = 3.0  # where a failure is expected, wait less
    for name, failures in BITTEN.items():
        work = partial(suite_bites, name, failures)
        good.append(await report(f"the suite bites a server of {name}", work))
    return finish(good)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
