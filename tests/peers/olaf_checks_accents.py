"""What each known client needs of a server, alone among its own kind and in a mixed room."""

from __future__ import annotations

from functools import partial

from olaf_accents import ACCENTS, AEG, KAT, TS, Accent
from olaf_client import Client, Wrong
from olaf_scene import GREETING, Check, Scene, receive, recipient, token
from olaf_wire import Recipient


async def hello(accent: Accent, scene: Scene) -> None:
    """A list comes unasked, with my key as I wrote it, under an address of the server."""
    client = await scene.open(accent)
    roster = await client.hello()
    if not roster.home_of(client.pem).strip():
        raise Wrong("the server's own address is empty")
    if roster.pems().count(client.pem) != 1:
        raise Wrong("the key is listed more than once")


async def ask_list(accent: Accent, scene: Scene) -> None:
    """Every `client_list_request` is answered."""
    client = await scene.join(accent)
    for _ in range(3):
        roster = await client.ask_list()
        if client.pem not in roster.pems():
            raise Wrong("the answer lacks the one who asks")


async def public(accent: Accent, scene: Scene) -> None:
    """A public chat arrives as it was sent, verifies in this accent, and comes back as an echo."""
    alice, bob = await scene.cast(accent, accent)
    for text in ("hello from A", GREETING):
        sent = await alice.public(text)
        for reader in (bob, alice):
            got = await receive(reader, sent)
            if reader.read_public(got) != text:
                raise Wrong("the text has changed")


async def private(accent: Accent, scene: Scene) -> None:
    """A chat is read by those it is for, and only by them."""
    alice, bob, carol = await scene.cast(accent, accent, accent)
    to_bob, to_carol = recipient(alice, bob), recipient(alice, carol)
    home = to_bob.address

    sent = await alice.private([to_bob], GREETING, home)
    opened = bob.read_private(await receive(bob, sent))
    if opened is None or opened.message != GREETING:
        raise Wrong("the recipient cannot read it")
    if carol.read_private(await receive(carol, sent)) is not None:
        raise Wrong("somebody else can read it")

    sent = await alice.private([to_bob, to_carol], "for two", home)
    for reader in (bob, carol):
        opened = reader.read_private(await receive(reader, sent))
        if opened is None or opened.message != "for two":
            raise Wrong("one of two recipients cannot read it")


async def leave(accent: Accent, scene: Scene) -> None:
    """Who stays is pushed a list without the one who left."""
    alice, bob = await scene.cast(accent, accent)
    since = alice.mark()
    await bob.close()
    roster = await alice.wait_roster(lambda roster: bob.pem not in roster.pems(),
                                     "a list without the one who left", since)
    roster.home_of(alice.pem)


async def vanish(scene: Scene) -> None:
    """The same when the line is cut without a close frame."""
    alice, bob = await scene.cast(TS, TS)
    since = alice.mark()
    await bob.vanish()
    await alice.wait_roster(lambda roster: bob.pem not in roster.pems(),
                            "a list without the one who vanished", since)


async def _everybody(scene: Scene) -> list[Client]:
    return await scene.cast(*ACCENTS)


async def room_list(scene: Scene) -> None:
    """One member of every accent: each reads all keys, as written, in the shape it understands."""
    people = await _everybody(scene)
    for one in people:
        roster = await one.ask_list()
        for other in people:
            roster.home_of(other.pem)


async def room_public(scene: Scene) -> None:
    """A public chat by each arrives at every other one."""
    people = await _everybody(scene)
    faults: list[str] = []
    for sender in people:
        sent = await sender.public(f"{GREETING} {token()}")
        for reader in people:
            try:
                await receive(reader, sent)
            except Wrong as fault:
                faults.append(f"{sender.accent.name} to {reader.accent.name}: {fault}")
    if faults:
        raise Wrong(f"{len(faults)} pairs; " + "; ".join(faults[:4]))


async def room_private(scene: Scene) -> None:
    """A chat floods through a mixed room, and only the one it is for opens it."""
    people = await _everybody(scene)
    dora = await scene.join(KAT)
    sender = next(one for one in people if one.accent is KAT)
    await sender.knows(dora)
    to_dora = recipient(sender, dora)
    sent = await sender.private([to_dora], "hush", to_dora.address)
    opened = dora.read_private(await receive(dora, sent))
    if opened is None or opened.message != "hush":
        raise Wrong("the recipient cannot read it")
    for one in people:
        await receive(one, sent)


async def spelling(scene: Scene) -> None:
    """The server answers to its address with a scheme and a slash, too."""
    alice, bob = await scene.cast(AEG, AEG)
    known = recipient(alice, bob)
    bare = known.address.removeprefix("ws://").removeprefix("wss://").rstrip("/")
    for address in (bare, f"ws://{bare}", f"ws://{bare}/"):
        sent = await alice.private([Recipient(known.pem, address)], address, known.address)
        opened = bob.read_private(await receive(bob, sent))
        if opened is None or opened.message != address:
            raise Wrong(f"not delivered to {address}")


async def elsewhere(scene: Scene) -> None:
    """A chat for another server only is not flooded here."""
    alice, bob = await scene.cast(TS, TS)
    known = recipient(alice, bob)
    away = Recipient(known.pem, "elsewhere.example:9999")
    lost = await alice.private([away], "not here", known.address)
    await receive(bob, await alice.public("fence"))
    if any(frame.has(lost) for frame in bob.frames):
        raise Wrong("a chat that does not name this server was flooded to its members")


def checks() -> list[tuple[str, Check]]:
    per_accent = {"hello": hello, "list": ask_list, "public": public, "private": private,
                  "leave": leave}
    listed: list[tuple[str, Check]] = [
        (f"{kind}.{accent.name}", partial(check, accent))
        for kind, check in per_accent.items() for accent in ACCENTS
    ]
    return [
        *listed,
        ("leave.vanished", vanish),
        ("private.spelling", spelling),
        ("private.elsewhere", elsewhere),
        ("room.list", room_list),
        ("room.public", room_public),
        ("room.private", room_private),
    ]
