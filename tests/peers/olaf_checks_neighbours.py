"""What each known server needs of a neighbour, whoever of the two dials.

One check is a whole life: the link comes up, both sides see each other's clients, letters pass in
both directions exactly once, somebody leaves, the neighbour goes.
"""

from __future__ import annotations

import json
from functools import partial

from olaf_client import Client, Frame, Roster, Wrong
from olaf_mesh import Check, Mesh
from olaf_neighbour import Neighbour
from olaf_scene import GREETING, token
from olaf_server_accents import AEG, CAM, FREW, G17, KAT, SERVERS, TS, TSC, UNSIGNED, ServerAccent
from olaf_wire import Recipient, Sent, data_of


def _proves(accent: ServerAccent) -> bool:
    return accent.proof == "rsa"


async def _acceptor(mesh: Mesh, accent: ServerAccent) -> Neighbour:
    """The server under test dials first."""
    one = await mesh.neighbour(accent)
    await one.open_door()
    await mesh.introduce(one, key=_proves(accent))
    await one.until(lambda: any(link.inbound and link.verified for link in one.links), "a hello")
    # Who speaks only where it dialled does; and who never proves itself where it was dialled has to,
    # unless it need not.
    proves_nothing = accent.sockets == "two" and not accent.dials_back and not mesh.around.legacy
    if accent.sockets == "one-way" or proves_nothing:
        await one.dial()
    return one


async def _dialler(mesh: Mesh, accent: ServerAccent) -> Neighbour:
    """The neighbour dials first; most of them never open their door at all."""
    one = await mesh.neighbour(accent)
    peer = await mesh.introduce(one, key=_proves(accent))
    await one.dial()
    if accent.sockets == "one-way":
        await one.open_door()
        await mesh.admin.retry(peer)
    return one


def _reads(client: Client, got: Frame) -> str | None:
    """What `client` makes of a letter; None if it could not be expected to read it."""
    body = got.body or {}
    if "signature" not in body:
        return str(data_of(body)["message"]) if "message" in data_of(body) else None
    if data_of(body)["type"] == "public_chat":
        return client.read_public(got)
    opened = client.read_private(got)
    if opened is None:
        raise Wrong("a client cannot open a letter that is for it")
    return opened.message


async def _from_here(mesh: Mesh, one: Neighbour, alice: Client, sent: Sent, text: str) -> None:
    """A letter of a client of ours reaches the neighbour once, and can be read there."""
    got = await one.receive(sent)
    if one.accent.wants == "any" and got.raw != sent.raw:
        raise Wrong(f"the neighbour gets other bytes: {got.raw!r:.200}")
    body = got.body or {}
    guest = one.guests[0]
    if data_of(body)["type"] == "public_chat":
        read = guest.read_public(body, one.pems()) if _proves(one.accent) else text
    else:
        opened = guest.read_private(body, one.pems()) if _proves(one.accent) else None
        read = opened.message if opened else None if _proves(one.accent) else text
    if read != text:
        raise Wrong(f"a client of {one.accent.name} reads {read!r}")


def _copies(client: Client, raw: str) -> int:
    return sum(frame.raw == raw for frame in client.frames)


async def _from_there(mesh: Mesh, one: Neighbour, readers: list[Client], sent: Sent,
                      text: str) -> str:
    """A letter of the neighbour's client reaches all of ours as the neighbour printed it."""
    raw = await one.pass_on(sent)
    for reader in readers:
        got = await reader.wait_for(lambda frame: frame.raw == raw, "the neighbour's letter")
        if _reads(reader, got) not in (text, None):
            raise Wrong("the text has changed")
    return raw


async def _talk(mesh: Mesh, one: Neighbour, alice: Client, bob: Client) -> None:
    """Public and private, both ways, each exactly once."""
    guest = one.guests[0]
    roster = await mesh.lists(alice, *(each.pem for each in one.guests))
    there, here = roster.home_of(guest.pem), roster.home_of(alice.pem)
    if there == here:
        raise Wrong("the neighbour's clients are listed as ours")
    # Whoever is heard is known.
    await mesh.lists(bob, *(each.pem for each in one.guests))

    public = [await alice.public(GREETING), await bob.public(token())]
    await _from_here(mesh, one, alice, public[0], GREETING)
    private = await alice.private([Recipient(guest.pem, there)], "for one", here)
    await _from_here(mesh, one, alice, private, "for one")

    heard = [await _from_there(mesh, one, [alice, bob], guest.public(GREETING), GREETING)]
    to_alice = Recipient(alice.pem, here)
    if one.accent.client is alice.accent:
        letter = guest.private([to_alice], "for another", there)
        heard.append(await _from_there(mesh, one, [alice], letter, "for another"))

    # Whatever would come twice has come twice before these have come once.
    last = await bob.public(token())
    await one.receive(last)
    heard.append(await _from_there(mesh, one, [alice, bob], guest.public("over"), "over"))
    for sent in (*public, private, last):
        count = len(one.copies(sent))
        if count != 1:
            raise Wrong(f"the neighbour got a letter {count} times")
    for raw in heard:
        count = _copies(alice, raw)
        if count != 1:
            raise Wrong(f"a client got the neighbour's letter {count} times")
    for sent in public:
        count = sum(frame.has(sent) for frame in alice.frames)
        if count != 1:
            raise Wrong(f"a client got a letter of its own house {count} times")


async def _life(mesh: Mesh, one: Neighbour) -> None:
    accent = one.accent
    local = AEG.client if accent.proof == "none" else accent.client
    alice = await mesh.join(local)
    await one.knows(alice.pem)
    bob = await mesh.join(local)
    await one.knows(alice.pem, bob.pem)
    await _talk(mesh, one, alice, bob)

    since = alice.mark()
    gone = one.guests.pop()
    await one.send_updates()
    await mesh.lacks(alice, gone.pem, since=since)
    await bob.close()
    await one.until(lambda: bob.pem not in one.told, "an update without the client who left")
    if one.told != [alice.pem]:
        raise Wrong("an update must hold every key once, as its owner spelled it")

    since = alice.mark()
    await one.close()
    await mesh.lacks(alice, one.guests[0].pem, since=since)
    mesh.no_faults()


async def acceptor(accent: ServerAccent, mesh: Mesh) -> None:
    await _life(mesh, await _acceptor(mesh, accent))


async def dialler(accent: ServerAccent, mesh: Mesh) -> None:
    await _life(mesh, await _dialler(mesh, accent))


async def learnt(accent: ServerAccent, mesh: Mesh) -> None:
    """Nobody said how the neighbour speaks; it shows."""
    one = await mesh.neighbour(accent)
    peer = await mesh.introduce(one, accent=None)
    await one.dial()
    if accent.sockets == "one-way":
        # What was heard on its socket is how it is spoken to on ours.
        await mesh.admin.until(peer, lambda view: view["state"] == "up", "a link")
        await one.open_door()
        await mesh.admin.retry(peer)
    await _life(mesh, one)


async def both_sockets(accent: ServerAccent, mesh: Mesh) -> None:
    """Each side has dialled. One of them echoes on the second socket what it hears on the first."""
    one = await mesh.neighbour(accent)
    peer = await mesh.introduce(one)
    await one.dial()
    await one.open_door()
    await mesh.admin.retry(peer)
    await one.until(lambda: any(link.inbound and link.verified for link in one.links), "a dial")
    await one.until(lambda: len(one.links) == 2, "two sockets")
    await _life(mesh, one)


async def one_of_two(mesh: Mesh) -> None:
    """Of two sockets one closes: nobody vanishes, and the other one carries both directions."""
    one = await mesh.neighbour(KAT)
    peer = await mesh.introduce(one)
    await one.open_door()
    await one.until(lambda: any(link.inbound and link.verified for link in one.links), "a dial")
    await one.dial()
    alice = await mesh.join(KAT.client)
    await mesh.lists(alice, *(guest.pem for guest in one.guests))
    await mesh.admin.until(peer, lambda view: view["direction"] == "both", "two sockets")
    since = alice.mark()
    await one.close_door()
    await mesh.admin.until(peer, lambda view: view["direction"] == "in", "one socket")
    bob = await mesh.join(KAT.client)
    await one.knows(alice.pem, bob.pem)
    await one.receive(await alice.public(token()))
    for frame in alice.frames[since:]:
        pems = set(Roster.read(alice.accent, frame.body or {}).pems()) if frame.is_list() else None
        if pems is not None and not {guest.pem for guest in one.guests} <= pems:
            raise Wrong("the neighbour's clients vanish while it is there")
    mesh.no_faults()


async def request_first(mesh: Mesh) -> None:
    """A `client_update_request` before the hello is not answered; one behind it is."""
    one = await mesh.neighbour(TS)
    await mesh.introduce(one)
    alice = await mesh.join(TS.client)
    link = await one.open_link()
    await link.send(one.request())
    await link.send(one.hello())
    await one.knows(alice.pem)
    await one.until(lambda: link.verified, "the answer to the hello")
    first = (link.frames[0].body or {}).get("type")
    if first != "signed_data":
        raise Wrong(f"the first thing said to a stranger is {first}")
    before = one.updates
    await link.send(one.request())
    await one.until(lambda: one.updates > before, "an answer to the second request")
    mesh.no_faults()


async def again(mesh: Mesh) -> None:
    """A neighbour that comes back is the same neighbour, with whom it has now."""
    one = await mesh.neighbour(KAT)
    await mesh.introduce(one)
    alice = await mesh.join(KAT.client)
    for _ in range(3):
        since = alice.mark()
        link = await one.dial()
        await mesh.lists(alice, *(guest.pem for guest in one.guests), since=since)
        since = alice.mark()
        await link.socket.close()
        await mesh.lacks(alice, *(guest.pem for guest in one.guests), since=since)
        one.counter = KAT.first_counter  # as after a restart


async def one_hop(mesh: Mesh) -> None:
    """What one neighbour brings is never handed on to another, and neither are its clients."""
    left, right = await _dialler(mesh, TS), await _dialler(mesh, TSC)
    alice = await mesh.join(TS.client)
    everybody = [guest.pem for one in (left, right) for guest in one.guests]
    await mesh.lists(alice, *everybody)
    await left.knows(alice.pem)
    await right.knows(alice.pem)
    raw = await left.pass_on(left.guests[0].public(token()))
    await alice.wait_for(lambda frame: frame.raw == raw, "the letter")
    last = await alice.public(token())
    await right.receive(last)
    if len(right.letters) != 1 or right.told != [alice.pem]:
        raise Wrong("a neighbour was told about another one")
    if json.loads(last.raw) is None or len(left.copies(last)) > 1:
        raise Wrong("a letter came twice")
    mesh.no_faults()


def checks(tls: bool, legacy: bool) -> list[tuple[str, Check]]:
    """Those for which the server under test is set up."""
    listed: list[tuple[str, Check]] = []
    for accent in SERVERS:
        if accent.tls != tls or (accent in UNSIGNED and not legacy):
            continue
        # This one gives way to our dial, and then proves nothing.
        if legacy or accent is not G17:
            listed.append((f"{accent.kith}.acceptor", partial(acceptor, accent)))
        listed.append((f"{accent.kith}.dialler", partial(dialler, accent)))
        if accent in (TS, TSC, AEG, CAM, KAT, G17, FREW):
            listed.append((f"{accent.kith}.learnt", partial(learnt, accent)))
    if not tls:
        listed += [(f"{accent.kith}.both", partial(both_sockets, accent)) for accent in (G17, CAM, KAT)]
        listed += [("order.request-first", request_first), ("order.again", again),
                   ("mesh.one-hop", one_hop), ("mesh.one-of-two", one_of_two)]
    return listed
