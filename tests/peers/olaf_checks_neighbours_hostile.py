"""What a server must not achieve by being, or seeming to be, a neighbour."""

from __future__ import annotations

import asyncio
import base64
import json
from functools import partial

from olaf_client import Client, Wrong
from olaf_crypto import fingerprint
from olaf_mesh import Check, Mesh
from olaf_neighbour import Link, Neighbour
from olaf_scene import never_saw, token
from olaf_server_accents import AEG0, G8, KAT, TS, ServerAccent

POLICY, TOO_BIG = 1008, 1009


async def _closed(one: Neighbour, link: Link, *codes: int) -> None:
    await one.until(lambda: not link.is_open, "the end of the connection")
    if link.socket.close_code not in codes:
        raise Wrong(f"closed with {link.socket.close_code}, not {codes}")


async def _unlisted(client: Client, one: Neighbour) -> None:
    listed = set((await client.ask_list()).pems())
    if listed & {guest.pem for guest in one.guests}:
        raise Wrong("its clients are listed all the same")


async def _linked(mesh: Mesh, accent: ServerAccent = TS) -> tuple[Neighbour, Link, Client, Client]:
    """A neighbour that dialled, its socket, and two clients of ours who know its clients."""
    one = await mesh.neighbour(accent)
    await mesh.introduce(one)
    alice, bob = await mesh.cast(accent.client, accent.client)
    link = await one.dial()
    for client in (alice, bob):
        await mesh.lists(client, *(guest.pem for guest in one.guests))
    return one, link, alice, bob


async def _still_linked(one: Neighbour, reader: Client) -> None:
    raw = await one.pass_on(one.guests[0].public(token()))
    await reader.wait_for(lambda frame: frame.raw == raw, "a good letter behind the bad ones")


async def wrong_key(mesh: Mesh) -> None:
    """A hello with another key's signature closes with 1008 and lists nobody."""
    one = await mesh.neighbour(TS)
    await mesh.introduce(one)
    alice = await mesh.join(TS.client)
    link = await one.open_link()
    await link.send(one.hello(key=mesh.around.keys.take()))
    await link.send(one.update())
    await _closed(one, link, POLICY)
    await _unlisted(alice, one)


async def unproven(accent: ServerAccent, mesh: Mesh) -> None:
    """Who leaves the signature out does not come in under the name of one who can prove itself."""
    one = await mesh.neighbour(TS)
    await mesh.introduce(one)
    alice = await mesh.join(TS.client)
    one.accent = accent
    link = await one.open_link()
    await link.send(one.hello())
    await link.send(one.update())
    if accent.proof == "hash":
        await _closed(one, link, POLICY)
    await _unlisted(alice, one)


async def unknown(mesh: Mesh) -> None:
    """A server that nobody named is refused, however well it signs."""
    one = await mesh.neighbour(TS)
    alice = await mesh.join(TS.client)
    link = await one.open_link()
    await link.send(one.hello())
    await link.send(one.update())
    await _closed(one, link, POLICY)
    await _unlisted(alice, one)


async def removed(mesh: Mesh) -> None:
    """A neighbour that was removed is closed, unlisted, and does not come back by itself."""
    one, link, alice, _ = await _linked(mesh)
    since = alice.mark()
    await mesh.admin.remove(mesh.peers.pop(one))
    await _closed(one, link, POLICY)
    await mesh.lacks(alice, *(guest.pem for guest in one.guests), since=since)
    link = await one.dial()
    await _closed(one, link, POLICY)
    await _unlisted(alice, one)


async def replayed_hello(mesh: Mesh) -> None:
    """A recorded hello of a neighbour, played back, does not make its player the neighbour."""
    one = await mesh.neighbour(TS)
    await mesh.introduce(one)
    alice = await mesh.join(TS.client)
    link = await one.open_link()
    recorded = one.hello()
    await link.send(recorded)
    await link.send(one.update())
    await mesh.lists(alice, *(guest.pem for guest in one.guests))
    thief = await one.open_link()
    await thief.send(recorded)
    await thief.send(one.update([]))
    await _closed(one, thief, POLICY)
    if not link.is_open:
        raise Wrong("the neighbour itself was thrown out")
    listed = set((await alice.ask_list()).pems())
    if not {guest.pem for guest in one.guests} <= listed:
        raise Wrong("the thief has spoken for the neighbour")


async def for_others(mesh: Mesh) -> None:
    """A letter in the name of somebody who is at home elsewhere reaches nobody."""
    one, _, alice, bob = await _linked(mesh)
    word = token()
    await one.pass_on(one.guests[0].public(word, name=fingerprint(alice.accent, alice.pem)))
    await _still_linked(one, bob)
    other = await mesh.neighbour(TS)
    await mesh.introduce(other)
    await other.dial()
    await mesh.lists(bob, *(guest.pem for guest in other.guests))
    name = fingerprint(TS.client, other.guests[0].pem)
    await one.pass_on(one.guests[0].public(word, name=name))
    await _still_linked(one, bob)
    never_saw(bob, word)


async def taken_away(mesh: Mesh) -> None:
    """A neighbour that lists a client of ours does not take it away from its home."""
    one, link, alice, bob = await _linked(mesh)
    since = bob.mark()
    await link.send(one.update([alice.pem, one.guests[0].pem]))
    await mesh.lacks(bob, one.guests[1].pem, since=since)
    roster = await bob.ask_list()
    if roster.pems().count(alice.pem) != 1 or roster.home_of(alice.pem) != roster.home_of(bob.pem):
        raise Wrong("the client is listed elsewhere, or twice")


async def played_back(mesh: Mesh) -> None:
    """A letter comes once, however often the neighbour brings it."""
    one, link, alice, _ = await _linked(mesh)
    raw = await one.pass_on(one.guests[0].public(token()))
    for _ in range(3):
        await link.send(raw)
    await _still_linked(one, alice)
    if sum(frame.raw == raw for frame in alice.frames) != 1:
        raise Wrong("a letter was delivered more than once")


async def flood(mesh: Mesh) -> None:
    """Letters as fast as they go neither stop our own clients nor end us."""
    one, link, alice, bob = await _linked(mesh)
    word = "x" * 4000
    frames = [one.guests[0].public(f"{word} {at}").raw for at in range(20)]
    stop = asyncio.Event()

    async def pour() -> None:
        # The same letters over and over: they cost us the reading, and nobody the delivery.
        while not stop.is_set() and link.is_open:
            for raw in frames:
                await link.send(raw)

    pouring = asyncio.create_task(pour())
    try:
        for _ in range(10):
            sent = await alice.public(token())
            await bob.wait_for(lambda frame, sent=sent: frame.has(sent), "a letter beside the flood")
    finally:
        stop.set()
        await pouring
    if link.is_open:
        await _still_linked(one, bob)


async def giant_update(mesh: Mesh) -> None:
    """A list beyond all measure ends the link, and what was listed before is gone with it."""
    one, link, alice, _ = await _linked(mesh)
    since = alice.mark()
    await link.send(json.dumps({"type": "client_update", "clients": ["x"] * 70_000}))
    await _closed(one, link, POLICY)
    await mesh.lacks(alice, one.guests[0].pem, since=since)

    link = await one.dial()
    await mesh.lists(alice, one.guests[0].pem, since=since)
    await link.send(json.dumps({"type": "client_update", "clients": ["x" * 1000] * 10_000}))
    await _closed(one, link, TOO_BIG)


async def rubbish(mesh: Mesh) -> None:
    """Frames that mean nothing cost themselves only."""
    one, link, alice, bob = await _linked(mesh)
    word = token()
    many = [base64.b64encode(b"k").decode()] * 300
    letter = {"type": "chat", "destination_servers": many, "symm_keys": many, "iv": "", "chat": word}
    bad: list[str | bytes] = [
        "", "null", "[]", '{"type":', f"ACK: {word}", json.dumps({"error": word}),
        json.dumps({"type": "client_list", "servers": [], "x": word}),
        json.dumps({"type": "client_list_request"}),
        json.dumps({"type": "client_update", "clients": "none"}),
        json.dumps({"type": "client_update", "clients": None}),
        json.dumps({"type": "signed_data", "data": {"type": "public_chat", "message": word}}),
        json.dumps({"data": {"type": "public_chat", "sender": "x", "message": word}}),
        alice.hello_frame().raw, one.guests[0].sign(letter).raw, "[" * 100_000,
        word.encode() + b"\xff",
    ]
    for raw in bad:
        await link.send(raw)
    await _still_linked(one, bob)
    never_saw(bob, word)


async def half_read_update(mesh: Mesh) -> None:
    """Entries that are no keys are left out, and the rest of the list is believed."""
    one, link, alice, _ = await _linked(mesh, KAT)
    since = alice.mark()
    entries = ["ABCDEF", 7, None, {}, {"public_key": []}, one.guests[1].pem]
    await link.send(json.dumps({"type": "client_update", "clients": entries}))
    await mesh.lacks(alice, one.guests[0].pem, since=since)
    if one.guests[1].pem not in (await alice.ask_list()).pems():
        raise Wrong("the good entry was left out, too")


async def silent(mesh: Mesh) -> None:
    """A door that opens and says nothing is let go of, and disturbs nobody."""
    one = await mesh.neighbour(TS)
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), sock=one.door)
    await mesh.introduce(one)
    alice, bob = await mesh.cast(TS.client, TS.client)
    sent = await alice.public(token())
    await bob.wait_for(lambda frame: frame.has(sent), "a letter beside a silent neighbour")
    server.close()
    for writer in writers:
        writer.close()


def checks() -> list[tuple[str, Check]]:
    listed: list[tuple[str, Check]] = [
        ("hostile.wrong-key", wrong_key), ("hostile.unknown", unknown),
        ("hostile.removed", removed), ("hostile.replayed-hello", replayed_hello),
        ("hostile.for-others", for_others), ("hostile.taken-away", taken_away),
        ("hostile.played-back", played_back), ("hostile.flood", flood),
        ("hostile.giant-update", giant_update), ("hostile.rubbish", rubbish),
        ("hostile.half-read-update", half_read_update), ("hostile.silent", silent),
    ]
    listed += [(f"hostile.unproven-{accent.kith}", partial(unproven, accent))
               for accent in (AEG0, G8)]
    return listed
