"""Levels of trust, and what a client may be called."""

from __future__ import annotations

from tpacket_client import Client
from tpacket_scene import Scene, ended, eventually, same
from tpacket_wire import (DEL_USER, LINE, LOGGED_MSG, MAGIC, NEW_MSG, NEW_USER, NOP, RESP_ERROR, RESP_OK, SET_ROOM,
                          SET_USER_NICK, UNASKED, Packet)

# Commands that are the server's, ours for clients of another version, and nobody's.
UNKNOWN = [RESP_OK, RESP_ERROR, NEW_USER, DEL_USER, LOGGED_MSG, 9, 15, LINE, 17, 18, 19, 20, 99, -1, 1 << 31]
# What anybody may send, and the level of trust that it needs.
NEEDS = {SET_USER_NICK: 2, SET_ROOM: 3, NEW_MSG: 3}


def level(scene: Scene, trust: int) -> Client:
    client = scene.dial()
    if trust >= 2:
        client.magic()
    if trust >= 3:
        client.ok(client.say(SET_USER_NICK, scene.once("level").encode()))
    return client


def trust__every_command_before_its_level(scene: Scene) -> None:
    for trust in (1, 2):
        for cmd, needed in NEEDS.items():
            if trust < needed:
                client = level(scene, trust)
                client.refused(client.say(cmd, b"x"), -1)
                client.pings(b"8 bytes.")
                client.close()


def trust__every_unknown_command_at_every_level(scene: Scene) -> None:
    for trust in (1, 2, 3):
        for cmd in UNKNOWN:
            client = level(scene, trust)
            client.refused(client.say(cmd, b"x"), -9)
            client.leave()


def trust__nop_is_nothing_at_every_level(scene: Scene) -> None:
    for trust in (1, 2, 3):
        client = level(scene, trust)
        for data in (b"", b"magic", MAGIC[:-1], MAGIC + b"\0", b"x" * 1000):
            client.say(NOP, data)
        if trust == 1:
            client.refused(client.say(SET_USER_NICK, b"x"), -1)
        elif trust == 2:
            client.refused(client.say(SET_USER_NICK, b""), -3)
        else:
            client.say(NOP, MAGIC)
            client.quiet()


def trust__magic_and_nick_back_to_back(scene: Scene) -> None:
    client = scene.dial()
    client.magic()
    client.nick = scene.name("hasty")
    nick, room, text = (client.say(SET_USER_NICK, client.nick.encode()),
                        client.say(SET_ROOM, scene.name("room").encode()), client.say(NEW_MSG, b"all at once"))
    client.ok(nick)
    client.ok(room)
    packet = client.hears()
    same("itself", (packet.cmd, packet.text), (NEW_USER, client.nick))
    client.expect(Packet(UNASKED, NEW_MSG, packet.p1, 0, b"all at once"))
    same("nothing answers words", text, room + 1)


def trust__leaving_at_each_level(scene: Scene) -> None:
    alice, bob = scene.pair()
    for polite in (True, False):
        for trust in (1, 2, 3):
            client = scene.dial()
            if trust >= 2:
                client.magic()
            if trust >= 3:
                client.ok(client.say(SET_USER_NICK, scene.once("short").encode()))
            client.leave() if polite else client.close()
        # In a room, and in the middle of a frame.
        guest = scene.guest(f"guest-{polite}")
        alice.hears_come(guest)
        bob.hears_come(guest)
        if polite:
            guest.leave()
        else:
            guest.socket.raw(b"\x82\xfe\x01")
            guest.close()
        alice.hears_go(guest)
        bob.hears_go(guest)
    alice.tells("still here", [bob])


def nicks__what_nobody_can_be_called(scene: Scene) -> None:
    client = scene.dial()
    client.magic()
    for nick in (b"", b"   ", b"a\nb", b"\0", b"a\x7f", b"\xff\xfe", "é".encode()[:1], b"x" * 49, "日".encode() * 17):
        client.refused(client.say(SET_USER_NICK, nick), -3)
    for size in (101, 102, 125, 126, 255, 256, 65511, 65512):
        client.refused(client.say(SET_USER_NICK, b"n" * size), -3)
    client.ok(client.say(SET_USER_NICK, f"  {scene.name('trimmed')}\t".encode()))
    client.nick = scene.name("trimmed")
    client.enter(scene.name("room"))


def nicks__of_48_bytes(scene: Scene) -> None:
    for filler in ("n", "é", "日"):
        nick = scene.name("x")
        nick += filler * ((48 - len(nick.encode())) // len(filler.encode()))
        nick += "." * (48 - len(nick.encode()))
        client = scene.dial()
        client.call(nick)
        client.enter(scene.name("room-" + filler))


def nicks__taken_in_every_spelling(scene: Scene) -> None:
    scene.guest("Straße")
    first = scene.named("alice")
    other = scene.dial()
    other.magic()
    for spelling in ("alice", "ALICE", "Alice", "ａｌｉｃｅ", " alice ", "STRASSE", "straſſe"):
        other.refused(other.say(SET_USER_NICK, scene.name(spelling.strip()).encode()), -2)
    # Digits have wide forms, too.
    wide = scene.name("alice").translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    other.refused(other.say(SET_USER_NICK, wide.encode()), -2)
    other.ok(other.say(SET_USER_NICK, scene.name("alicia").encode()))
    first.quiet()


def nicks__a_prefix_is_another_nick(scene: Scene) -> None:
    full = scene.dial()
    full.call(f"{scene.mark}-alice")
    part = scene.dial()
    part.call(f"{scene.mark}-alic")
    more = scene.dial()
    more.call(f"{scene.mark}-alices")
    for client in (full, part, more):
        client.quiet()


def nicks__are_free_at_once_when_their_bearer_is_gone(scene: Scene) -> None:
    watcher = scene.guest("watcher")
    for polite in (True, False):
        guest = scene.guest("coming-and-going")
        watcher.hears_come(guest)
        guest.leave() if polite else guest.close()
        # Whoever has heard that she is gone may take her nick.
        watcher.hears_go(guest)
        again = scene.guest("coming-and-going")
        watcher.hears_come(again)
        same("numbers are not given twice", again.number > guest.number, True)
        again.leave()
        watcher.hears_go(again)


def nicks__are_free_when_nobody_waited_for_the_answer(scene: Scene) -> None:
    nick = scene.name("impatient").encode()
    for _ in range(30):
        client = scene.dial()
        client.magic()
        client.say(SET_USER_NICK, nick)
        client.close()
    last = scene.dial()
    last.magic()

    def is_free() -> bool:
        uid = last.say(SET_USER_NICK, nick)
        return last.hears() == Packet(uid, RESP_OK, 0, 0, b"")

    eventually("the nick is free", is_free)


def nicks__one_of_two_at_once(scene: Scene) -> None:
    for turn in range(10):
        both = [scene.dial(), scene.dial()]
        nick = scene.name(f"wanted-{turn}").encode()
        for client in both:
            client.magic()
        uids = [client.say(SET_USER_NICK, nick) for client in both]
        heard = [client.hears() for client in both]
        same("their numbers", [packet.uid for packet in heard], uids)
        same("one is in", sorted((packet.cmd, packet.p1) for packet in heard), [(RESP_OK, 0), (RESP_ERROR, -2)])


def faults__the_third_one_ends_the_connection(scene: Scene) -> None:
    for trust in (1, 2, 3):
        client = level(scene, trust)
        client.refused(client.say(99), -9)
        client.refused(client.say(RESP_OK), -9)
        client.pings(b"8 bytes.")
        client.refused(client.say(99), -9)
        ended(client, 1008, "too_many_faults")


def faults__wishes_that_cannot_be_granted_are_none(scene: Scene) -> None:
    client = scene.named("wishful")
    for _ in range(10):
        client.refused(client.say(SET_ROOM, b""), -4)
        client.refused(client.say(SET_USER_NICK, b""), -3)
        client.refused(client.say(NEW_MSG, b"nobody hears this"), -5)
        client.refused(client.say(NEW_MSG, b"caf\xe9"), -8)
    client.enter(scene.name("room"))
