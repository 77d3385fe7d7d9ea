"""The directory of clients that mesh by themselves, for clients of version one."""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass

from tpacket_client import Client
from tpacket_scene import Scene, eventually, same
from tpacket_wire import (DEL_USER, DIRECTORY, REGISTER, RESP_OK, SET_USER_NICK, UNASKED, UNREGISTER, Packet, Wrong)

UNDIALABLE, HOME, MEMBER = 1, 2, 4
FULL, FOREIGN, UNUSABLE, TAKEN, NOT_REGISTERED = -10, -11, -12, -13, -14


@dataclass(frozen=True)
class Entry:
    at: str
    undialable: bool
    home: bytes
    member: bytes
    seq: int


def entry(packet: Packet) -> Entry:
    (seq,), data = struct.unpack("<Q", packet.data[:8]), packet.data[8:]
    home, member = b"", b""
    if packet.p1 & HOME:
        home, data = data[:32], data[32:]
    if packet.p1 & MEMBER:
        member, data = data[:32], data[32:]
    return Entry(data.decode(), bool(packet.p1 & UNDIALABLE), home, member, seq)


def listed(client: Client) -> list[Entry]:
    uid = client.say(DIRECTORY)
    head = client.hears()
    same("a directory", (head.uid, head.cmd, head.p2, len(head.data)), (uid, RESP_OK, 0, 16))
    packets = [client.hears() for _ in range(head.p1)]
    same("each entry answers", [(one.uid, one.cmd, one.p2) for one in packets], [(uid, DIRECTORY, 0)] * head.p1)
    return [entry(one) for one in packets]


def of(client: Client, at: str) -> list[Entry]:
    return [one for one in listed(client) if one.at == at]


def door() -> tuple[socket.socket, str]:
    """Somewhere that can be dialled, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, "127.0.0.1:%d" % listener.getsockname()[1]


def directory__registered_read_and_withdrawn(scene: Scene) -> None:
    alice, bob = scene.named("alice", 1), scene.named("bob", 1)
    listener, at = door()
    with listener:
        alice.ok(alice.say(REGISTER, at.encode()))
        eventually("it is listed", lambda: bool(of(bob, at)))
        found, = of(bob, at)
        same("what is listed", (found.undialable, found.home, len(found.member)), (False, b"", 32))
        bob.refused(bob.say(REGISTER, at.encode()), TAKEN)
        bob.refused(bob.say(UNREGISTER, at.encode()), NOT_REGISTERED)
        alice.ok(alice.say(UNREGISTER, at.encode()))
        same("what is left", of(bob, at), [])
        alice.ok(alice.say(REGISTER, at.encode()))
        alice.leave()
        # It goes with its connection, and may be somebody else's then.
        eventually("it is free", lambda: registers(bob, at))


def registers(client: Client, at: str) -> bool:
    uid = client.say(REGISTER, at.encode())
    answer = client.hears()
    same("an answer", answer.uid, uid)
    return answer.cmd == RESP_OK


def directory__who_cannot_be_dialled_is_marked(scene: Scene) -> None:
    client = scene.named("client", 1)
    listener, at = door()
    listener.close()
    client.ok(client.say(REGISTER, at.encode()))
    eventually("it is listed", lambda: bool(of(client, at)))
    same("its mark", [one.undialable for one in of(client, at)], [True])


def directory__of_whoever_has_another_nick_by_now(scene: Scene) -> None:
    alice, bob = scene.named("alice", 1), scene.named("bob", 1)
    listener, at = door()
    with listener:
        alice.ok(alice.say(REGISTER, at.encode()))
        eventually("it is listed", lambda: bool(of(bob, at)))
        before, = of(bob, at)
        alice.ok(alice.say(SET_USER_NICK, scene.name("carol").encode()))
        eventually("it is under the new one", lambda: [one.member for one in of(bob, at)] != [before.member])
        # Whoever takes up the old nick is not taken for her, and she still decides.
        thief = scene.named("alice", 1)
        thief.refused(thief.say(UNREGISTER, at.encode()), NOT_REGISTERED)
        alice.ok(alice.say(UNREGISTER, at.encode()))
        same("what is left", of(bob, at), [])


def directory__what_is_refused(scene: Scene) -> None:
    client = scene.named("client", 1)
    for at, code in (("198.51.100.7:5", FOREIGN), ("0.0.0.0:5", UNUSABLE)):
        client.refused(client.say(REGISTER, at.encode()), code)
    client.refused(client.say(UNREGISTER, b"127.0.0.1:9"), NOT_REGISTERED)
    for number in range(4):
        client.ok(client.say(REGISTER, b"127.0.0.1:%d" % (9000 + number)))
    client.refused(client.say(REGISTER, b"127.0.0.1:9004"), FULL)
    for number in range(4):
        client.ok(client.say(UNREGISTER, b"127.0.0.1:%d" % (9000 + number)))
    for cmd, data in ((REGISTER, b""), (REGISTER, b"host:5"), (REGISTER, b"127.0.0.1:0"), (REGISTER, b"\xff"),
                      (UNREGISTER, b"127.0.0.1:05"), (DIRECTORY, b"x")):
        stranger = scene.named(scene.once("stranger"), 1)
        stranger.refused(stranger.say(cmd, data), -8)
        stranger.quiet()


def directory__is_for_those_who_know_it(scene: Scene) -> None:
    for cmd in (REGISTER, UNREGISTER, DIRECTORY):
        old = scene.named(scene.once("old"))
        old.refused(old.say(cmd), -9)
        early = scene.dial()
        early.magic(1)
        early.refused(early.say(cmd), -1)


def directory__answers_stand_in_order_with_what_happens(scene: Scene) -> None:
    client = scene.guest("client", version=1)
    for _ in range(50):
        said = client.say(7, b"a line")
        asked = client.say(DIRECTORY)
        same("the receipt", client.hears().uid, said)
        same("the line", client.hears().uid, UNASKED)
        head = client.hears()
        same("the directory", head.uid, asked)
        for _ in range(head.p1):
            client.hears()


def directory__who_does_not_read_it_is_not_waited_for(scene: Scene) -> None:
    """What is not read does not pile up, and nobody else waits for it."""
    owners = [scene.named(f"owner{number}", 1) for number in range(15)]
    for number, owner in enumerate(owners):
        for port in range(4):
            owner.ok(owner.say(REGISTER, b"127.0.0.1:%d" % (10000 + 4 * number + port)))
    alice = scene.guest("alice", version=1)
    slow = scene.guest("slow", version=1, receive_buffer=4096)
    alice.hears_come(slow)
    with contextlib.suppress(OSError):  # It may be over before all is asked.
        for _ in range(4000):
            slow.say(DIRECTORY)
    if (heard := alice.hears()) != Packet(UNASKED, DEL_USER, slow.number, 0, slow.nick.encode()):
        raise Wrong(f"alice hears {heard}")
