"""Bytes: sizes, torn frames, pings, handshakes, and packets that are none."""

from __future__ import annotations

import base64
import os
import struct

from tpacket_checks_rooms import pieces
from tpacket_client import Client
from tpacket_scene import Scene, ended, same
from tpacket_wire import (BINARY, CONTINUATION, MAGIC, NEW_MSG, NOP, PING, PONG, SET_ROOM, SET_USER_NICK, TEXT,
                          UNASKED, Socket, handshake, pack, ws_frame)

SIZES = (0, 1, 101, 102, 125, 126, 127, 128, 254, 255, 256, 257, 300, 510, 511, 16000)
TOO_LONG = (16385, 65511, 65512, 65536, 70000, 300000)


def sizes__of_texts(scene: Scene) -> None:
    alice, bob = scene.pair()
    for size in SIZES:
        for filler in ("x", "é", "日"):
            text = (filler * size).encode()[:size].decode(errors="ignore")
            alice.say(NEW_MSG, text.encode())
            for one in (alice, bob):
                one.hears_say(alice, *pieces(text, 255))
    for size in TOO_LONG:
        alice.refused(alice.say(NEW_MSG, b"x" * size), -6)
    alice.tells("still here", [bob])


def sizes__in_the_log(scene: Scene) -> None:
    alice = scene.guest("alice")
    said = ["x" * size for size in (101, 102, 125, 126, 255, 256, 300)]
    for text in said:
        alice.say(NEW_MSG, text.encode())
        alice.hears_say(alice, *pieces(text, 255))
    _, log = scene.named("bob").enter(scene.name("room"))
    head = f"{alice.nick}: "
    wanted = [head + piece for text in said for piece in pieces(text, 255 - len(head))]
    same("what was said", log, wanted)


def sizes__that_a_head_may_lie_about(scene: Scene) -> None:
    for size in (28, 30, 24, 0, 1, 23, -1, -29, 0x7FFFFFFF, -0x80000000, 69, 65535):
        for cmd, data in ((NOP, MAGIC[:5]), (SET_USER_NICK, b"alice"), (NEW_MSG, b"alice"), (99, b"alice")):
            client = scene.named(scene.once("liar"))
            client.socket.send(BINARY, pack(0x1234, cmd, data, size=size))
            client.refused(0x1234, -8)
            client.quiet()
            client.close()


def bytes__that_are_no_packet(scene: Scene) -> None:
    whole = pack(7, NOP)
    wrong = [whole[:length] for length in range(24)] + [b"Ej8#" + whole[4:], b"\0" + whole[1:], b"x" * 5000,
                                                       b"@8jE" + whole[4:], b'{"type": "signed_data"}']
    for message in wrong:
        client = scene.named(scene.once("noise"))
        client.socket.send(BINARY, message)
        client.refused(UNASKED, -8)
        client.quiet()
        client.close()


def bytes__that_are_no_packet_for_the_third_time(scene: Scene) -> None:
    for client in (scene.dial("/tpacket"), scene.named("noisy"), scene.guest("guest")):
        for _ in range(3):
            client.socket.send(BINARY, b"?")
            client.refused(UNASKED, -8)
        ended(client, 1008, "too_many_faults")


def bytes__two_packets_in_one_message(scene: Scene) -> None:
    client = scene.named("twins")
    client.socket.send(BINARY, pack(5, SET_ROOM, b"one") + pack(6, SET_ROOM, b"two"))
    client.refused(5, -8)
    client.quiet()


def bytes__text_is_not_spoken_here(scene: Scene) -> None:
    for client in (scene.dial("/tpacket"), scene.named("talker"), scene.guest("guest")):
        client.socket.send(TEXT, pack(5, NOP))
        ended(client, 1003, "not_binary")


def bytes__any_data_of_any_command(scene: Scene) -> None:
    for seed in range(200):
        data = os.urandom(seed)
        client = scene.dial("/tpacket")
        client.magic(seed % 3)
        client.socket.send(BINARY, pack(seed, seed % 25, data, p1=seed - 100, p2=-seed))
        client.pings(b"8 bytes.") if seed % 25 == 0 else client.hears()
        client.close()


def torn__fragments_with_a_ping_between(scene: Scene) -> None:
    alice, bob = scene.pair()
    packet = pack(0x77, NEW_MSG, "in drei Stücken".encode())
    for cut in range(len(packet) + 1):
        alice.socket.send(BINARY, packet[:cut], final=False)
        alice.pings(b"between!")
        alice.socket.send(CONTINUATION, packet[cut:cut + 3], final=False)
        alice.socket.send(PING, b"")
        same("a pong", alice.socket.next(), (PONG, b""))
        alice.socket.send(CONTINUATION, packet[cut + 3:])
        for one in (alice, bob):
            one.hears_say(alice, "in drei Stücken")


def torn__fragments_that_never_end(scene: Scene) -> None:
    alice, bob = scene.pair()
    alice.socket.send(BINARY, b"Ej8@", final=False)
    for _ in range(100):
        alice.socket.send(CONTINUATION, b"", final=False)
    alice.pings(b"8 bytes.")
    alice.close()
    bob.hears_go(alice)


def torn__a_frame_byte_by_byte(scene: Scene) -> None:
    client = scene.dial()
    for at in ws_frame(BINARY, pack(1, NOP, MAGIC)) + ws_frame(BINARY, pack(2, SET_USER_NICK, b"\n")):
        client.socket.raw(bytes([at]))
    client.refused(2, -3)


def torn__many_frames_in_one_segment(scene: Scene) -> None:
    alice, bob = scene.pair()
    texts = [f"text {number}" for number in range(50)]
    alice.socket.raw(b"".join(ws_frame(BINARY, pack(9, NEW_MSG, text.encode())) for text in texts))
    for one in (alice, bob):
        one.hears_say(alice, *texts)


def pings__of_every_size(scene: Scene) -> None:
    for client in (scene.dial(), scene.named("named"), scene.guest("guest")):
        for size in (0, 1, 4, 8, 10, 100, 125):
            client.pings(os.urandom(size))


def pings__that_are_too_long(scene: Scene) -> None:
    client = scene.dial()
    client.socket.send(PING, b"x" * 126)
    same("the end", client.ends().code, 1002)


def handshakes__cut_at_every_byte(scene: Scene) -> None:
    """In two segments, it is one all the same."""
    length = len(handshake(scene.address, "/", "x" * 24))
    for cut in range(1, length):
        client = Client(scene.address)
        client.socket.upgrade(cuts=(cut,))
        client.close()


def handshakes__ended_at_every_byte(scene: Scene) -> None:
    alice, bob = scene.pair()
    request = handshake(scene.address, "/", base64.b64encode(os.urandom(16)).decode())
    for cut in range(len(request) + 1):
        caller = Socket(scene.address)
        caller.raw(request[:cut])
        caller.close()
    alice.tells("still here", [bob])


def handshakes__with_the_first_packets_behind_them(scene: Scene) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    client = Client(scene.address)
    client.nick = scene.name("hasty")
    first = [pack(1, NOP, MAGIC), pack(2, SET_USER_NICK, client.nick.encode())]
    client.socket.raw(handshake(scene.address, "/", key) + b"".join(ws_frame(BINARY, one) for one in first))
    client.socket.check_answer(key)
    client.ok(2)
    client.quiet()
    client.close()


def handshakes__on_paths(scene: Scene) -> None:
    for path in ("/", "/tpacket", "/chat", "/?x=y"):
        client = scene.dial(path)
        client.call(scene.once("path"))
        client.quiet()


def lengths__of_sixty_four_bits(scene: Scene) -> None:
    alice, bob = scene.pair()
    for length in (1 << 40, (1 << 63) - 1, 1 << 21):
        client = scene.dial()
        client.socket.raw(ws_frame(BINARY, b"", length=length))
        same("the end", client.ends().code, 1009)
    client = scene.dial()
    client.socket.raw(b"\x82\xff" + struct.pack(">Q", 1 << 63) + b"\0" * 4)
    same("no such length", client.ends().code in (1002, 1009), True)
    alice.refused(alice.say(NEW_MSG, b"x" * 66000), -6)
    alice.tells("still here", [bob])
