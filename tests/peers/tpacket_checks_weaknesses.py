"""One check for each weakness that the first server of this protocol was seen to have: here it is closed."""

from __future__ import annotations

import struct

import tpacket_checks_bytes as in_bytes
import tpacket_checks_rooms as in_rooms
import tpacket_checks_trust as in_trust
from tpacket_client import Client
from tpacket_scene import Scene, same
from tpacket_wire import (BINARY, CLOSE, DEL_USER, MAGIC, NEW_MSG, NEW_USER, NOP, SET_ROOM, SET_USER_NICK, UNASKED,
                          Packet, Socket, Wrong, accept_of, handshake, pack)


def weakness_1__signs_of_characters(scene: Scene) -> None:
    """The accept key was computed with signed characters, and entries of more than 127 bytes broke the history."""
    known = "dGhlIHNhbXBsZSBub25jZQ=="
    same("the key of the standard", accept_of(known), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    socket = Socket(scene.address)
    socket.raw(handshake(scene.address, "/", known))
    socket.check_answer(known)
    socket.close()
    for _ in range(50):
        scene.dial().close()
    alice = scene.guest("alice")
    said = ["é" * 60, "x" * 127, "x" * 128, "ß" * 100, "x" * 200]
    for text in said:
        alice.tells(text, [])
    _, log = scene.named("bob").enter(scene.name("room"))
    same("what was said", log, [f"{alice.nick}: {text}" for text in said])


def weakness_2__leaving_before_a_room(scene: Scene) -> None:
    """Whoever left before joining a room crashed it: five ways."""
    alice, bob = scene.pair()
    wrong = scene.dial()
    wrong.say(NOP, b"magic string :(")
    wrong.refused(wrong.say(SET_USER_NICK, b"x"), -1)
    wrong.close()
    Client(scene.address).close()  # a port scan
    strange = Socket(scene.address)
    strange.raw(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    strange.close()
    refused = scene.dial()
    refused.magic()
    refused.refused(refused.say(SET_USER_NICK, alice.nick.encode()), -2)
    refused.close()
    for cut in (1, 40, 100):
        torn = Client(scene.address)
        torn.socket.upgrade(cuts=(cut,))
        torn.close()
    alice.tells("still here", [bob])


def weakness_3__words_without_a_room_and_long_ones(scene: Scene) -> None:
    """A text before a room crashed it, and so did one of 300 bytes or more."""
    alice, bob = scene.pair()
    homeless = scene.named("homeless")
    homeless.refused(homeless.say(NEW_MSG, b"hi"), -5)
    for size in (260, 300, 1000):
        alice.say(NEW_MSG, b"x" * size)
        for one in (alice, bob):
            one.hears_say(alice, *in_rooms.pieces("x" * size, 255))
    alice.refused(alice.say(NEW_MSG, b"x" * 65000), -6)
    _, log = scene.named("late").enter(scene.name("room"))
    same("the history is whole", sum(len(entry) - len(f"{alice.nick}: ") for entry in log), 1560)


def weakness_4__nicks_that_are_alike(scene: Scene) -> None:
    """A second alice was let in, alic was not, and nicks of those who had left still counted."""
    in_trust.nicks__taken_in_every_spelling(scene)
    in_trust.nicks__a_prefix_is_another_nick(scene)
    in_trust.nicks__are_free_at_once_when_their_bearer_is_gone(scene)


def weakness_5__sizes_that_lie(scene: Scene) -> None:
    """The size was believed, so memory leaked into the room; the signature was not looked at."""
    alice, bob = scene.pair()
    data = b"give me 40 more"
    alice.socket.send(BINARY, pack(3, NEW_MSG, data, size=24 + len(data) + 40))
    alice.refused(3, -8)
    alice.socket.send(BINARY, pack(4, NEW_MSG, data, sign=b"Ej8$"))
    alice.refused(UNASKED, -8)
    alice.quiet()
    bob.quiet()


def weakness_6__pongs_and_closes(scene: Scene) -> None:
    """A pong always had ten bytes, and a close was answered with garbage."""
    client = scene.guest("client")
    for size in (0, 4, 8, 125):
        client.pings(bytes(range(size)))
    client.tells("in step", [])
    for code in (1000, 1001, 3000):
        client = scene.dial()
        client.socket.send(CLOSE, struct.pack(">H", code) + "tschüß".encode())
        same("the answer", client.ends().code, code)
    client = scene.dial()
    client.socket.send(CLOSE, b"")
    same("the answer", client.ends().code in (None, 1000), True)


def weakness_7__frames_of_102_bytes_and_more(scene: Scene) -> None:
    """Lengths were counted without the head: data of 102 bytes put the stream out of step."""
    in_bytes.sizes__in_the_log(scene)
    client = scene.dial()
    client.magic()
    for size in (101, 102, 125, 126):
        client.refused(client.say(SET_USER_NICK, b"n" * size), -3)
    client.pings(b"in step!")
    in_trust.nicks__of_48_bytes(scene)


def weakness_8__torn_entries_of_the_history(scene: Scene) -> None:
    """When the history wrapped, its first entry was torn."""
    in_rooms.rooms__the_history_wraps_at_whole_entries(scene)


def weakness_9__commands_that_nobody_checked(scene: Scene) -> None:
    """Any command set the nick, anything that began with the magic was magic; empty names, two packets, text."""
    for cmd in (SET_USER_NICK, SET_ROOM, NEW_MSG, 99):
        client = scene.dial()
        client.refused(client.say(cmd, MAGIC), -9 if cmd == 99 else -1)
        client.say(NOP, MAGIC + b"!")
        client.refused(client.say(SET_USER_NICK, b"early"), -1)
        client.close()
    for cmd in (SET_ROOM, NEW_MSG, 99):
        client = scene.dial()
        client.magic()
        client.refused(client.say(cmd, b"a nick"), -9 if cmd == 99 else -1)
        client.refused(client.say(SET_USER_NICK, b""), -3)
        client.call(scene.once("proper"))
        client.refused(client.say(SET_ROOM, b""), -4)
        client.close()
    in_bytes.bytes__two_packets_in_one_message(scene)
    in_bytes.bytes__text_is_not_spoken_here(scene)


def weakness_10__those_who_do_not_read_and_the_257th(scene: Scene) -> None:
    """What a socket did not take was lost, nobody was held back, and the 257th connection leaked."""
    crowd = [scene.dial() for _ in range(300)]
    for client in crowd:
        client.pings(b"8 bytes.")
    alice = scene.guest("alice")
    slow = scene.guest("slow", receive_buffer=4096)
    alice.hears_come(slow)
    text = "x" * 16000
    for _ in range(3000):
        alice.say(NEW_MSG, text.encode())
        heard = 0
        while heard < len(text):
            packet = alice.hears()
            if packet == Packet(UNASKED, DEL_USER, slow.number, 0, slow.nick.encode()):
                break
            same("its own words", (packet.cmd, packet.p1), (NEW_MSG, alice.number))
            heard += len(packet.data)
        else:
            continue
        break
    else:
        raise Wrong("a client that does not read is kept for ever")
    while heard < len(text):
        heard += len(alice.hears().data)
    alice.quiet()
    alice.tells("still here", [])
    crowd[0].pings(b"8 bytes.")


def weakness_11__lengths_of_64_bits(scene: Scene) -> None:
    """Frames with a length of 64 bits killed the connection, and those in no room killed the server."""
    in_bytes.lengths__of_sixty_four_bits(scene)
    stranger = scene.dial()
    stranger.say(SET_USER_NICK, b"n" * 70000)
    stranger.expect(Packet(0x1000, 4, -1, 0, b""))
    stranger.pings(b"8 bytes.")


def html__goes_as_it_is(scene: Scene) -> None:
    """The first client shows text as HTML. What to do about that is the reader's: nothing is changed on the way."""
    alice, bob = scene.pair()
    alice.tells('<img src=x onerror="alert(1)">&amp;', [bob])
    marked = scene.guest("<b>bold</b>")
    for one in (alice, bob):
        one.expect(Packet(UNASKED, NEW_USER, marked.number, 0, marked.nick.encode()))
