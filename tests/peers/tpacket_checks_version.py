"""Version one: what a client is told that says it knows more."""

from __future__ import annotations

import json
import pathlib
import struct

from tpacket_client import Client, line
from tpacket_scene import Scene, same
from tpacket_wire import (HISTORY, LEAVE_ROOM, LINE, NEW_MSG, RESP_OK, ROOMS, SET_USER_NICK, UNASKED, Packet, unpack)

VECTORS = pathlib.Path(__file__).parent.parent / "vectors" / "tpacket" / "v1.jsonl"


def receipt(client: Client, uid: int) -> bytes:
    packet = client.hears()
    same("a receipt", (packet.uid, packet.cmd, packet.p1, packet.p2, len(packet.data)), (uid, RESP_OK, 0, 0, 40))
    return packet.data


def says(client: Client, text: str) -> bytes:
    """Something that only its author hears. Gives the id of the line."""
    id_of_it = receipt(client, client.say(NEW_MSG, text.encode()))
    told = line(client.hears())
    same("the line", (told.uid, told.id, told.number, told.by, told.text, told.deed),
         (UNASKED, id_of_it, client.number, client.nick, text, 0))
    return id_of_it


def page(client: Client, room: str, most: int, before: bytes = b"") -> tuple[list[tuple[bytes, str]], int]:
    data = bytes([len(room.encode())]) + room.encode() + before
    uid = client.say(HISTORY, data, most)
    head = client.hears()
    same("a page", (head.uid, head.cmd, head.data), (uid, RESP_OK, b""))
    lines = [line(client.hears()) for _ in range(head.p1)]
    same("each line answers", [told.uid for told in lines], [uid] * head.p1)
    return [(told.id, told.text) for told in lines], head.p2


def version__is_agreed(scene: Scene) -> None:
    for asked, agreed in ((0, 0), (1, 1), (2, 1), (0x7FFFFFFF, 1), (-1, 0), (-0x80000000, 0)):
        client = scene.dial()
        client.magic(asked)
        client.ok(client.say(SET_USER_NICK, scene.once("client").encode()), p1=agreed)


def version__vectors_are_packets(_: Scene) -> None:
    vectors = [json.loads(text) for text in VECTORS.read_text().splitlines()]
    for vector in vectors:
        unpack(bytes.fromhex(vector["packet"]))
    same("how many", len(vectors) > 10, True)


def version__long_texts_go_unsplit_and_are_split_for_others(scene: Scene) -> None:
    new = scene.guest("new", version=1)
    old = scene.guest("old")
    new.hears_come(old)
    text = "日本語" * 1500
    id_of_it = receipt(new, new.say(NEW_MSG, text.encode()))
    told = line(new.hears())
    same("the line", (told.id, told.text, told.by), (id_of_it, text, new.nick))
    whole = ""
    while len(whole) < len(text):
        packet = old.hears()
        same("a piece", (packet.cmd, packet.p1, 0 < len(packet.data) <= 255), (NEW_MSG, new.number, True))
        whole += packet.text
    same("the whole", whole, text)
    old.say(NEW_MSG, b"and back")
    old.hears_say(old, "and back")
    told = line(new.hears())
    same("the line", (told.text, told.number, told.by), ("and back", old.number, old.nick))
    late = scene.named("late", 1)
    _, log = late.enter(scene.name("room"))
    same("the history", log, [text, "and back"])
    for one in (old, new):
        one.hears_come(late)
        one.quiet()


def version__times_grow(scene: Scene) -> None:
    client = scene.guest("client", version=1)
    ids = [says(client, f"text {number}") for number in range(20)]
    stamps = [struct.unpack("<Q", one[:8])[0] for one in ids]
    same("each is later", sorted(set(stamps)), stamps)
    same("one home", len({one[8:] for one in ids}), 1)


def version__pages_of_a_history(scene: Scene) -> None:
    room = scene.name("room")
    client = scene.guest("client", version=1)
    said = [(says(client, f"text {number}"), f"text {number}") for number in range(12)]
    same("the newest", page(client, room, 5), (said[7:], 1))
    same("before those", page(client, room, 5, said[7][0]), (said[2:7], 1))
    same("the first ones", page(client, room, 5, said[2][0]), (said[:2], 0))
    same("nothing is before the first", page(client, room, 5, said[0][0]), ([], 0))
    same("all", page(client, room, 0), (said, 0))
    client.quiet()


def version__lists_of_rooms(scene: Scene) -> None:
    client = scene.guest("client", version=1)
    other = scene.guest("other", "empty", version=1)
    other.enter(scene.name("room"))
    client.hears_come(other)
    uid = client.say(ROOMS)
    head = client.hears()
    same("a list", (head.uid, head.cmd, head.p2, head.data), (uid, RESP_OK, 0, b""))
    names = {}
    for _ in range(head.p1):
        card = client.hears()
        same("a room", (card.uid, card.cmd, card.p2), (uid, ROOMS, 0))
        names[card.data[1:1 + card.data[0]].decode()] = (card.p1, card.data[1 + card.data[0]:])
    same("this room", names[scene.name("room")], (2, b""))
    same("one that is empty", names[scene.name("empty")], (0, b""))
    same("they are in order", list(names), sorted(names, key=str.encode))


def version__leaving_a_room(scene: Scene) -> None:
    client = scene.guest("client", version=1)
    other = scene.guest("other")
    client.hears_come(other)
    client.ok(client.say(LEAVE_ROOM, client.room.encode()))
    other.hears_go(client)
    client.refused(client.say(NEW_MSG, b"anybody?"), -5)
    client.room = ""
    client.refused(client.say(LEAVE_ROOM, scene.name("room").encode()), -5)
    client.quiet()
    other.tells("alone", [])
    client.enter(scene.name("room"))
    other.hears_come(client)


def version__requests_that_are_none(scene: Scene) -> None:
    for cmd, data in ((ROOMS, b"\n"), (HISTORY, b""), (HISTORY, b"\x05room"), (LEAVE_ROOM, b""), (LINE, b"")):
        client = scene.named(scene.once("client"), 1)
        client.refused(client.say(cmd, data), -9 if cmd == LINE else -8)
        client.quiet()


def version__nobody_else_is_told(scene: Scene) -> None:
    old = scene.guest("old")
    for cmd in (ROOMS, HISTORY, LEAVE_ROOM):
        client = scene.named(scene.once("client"))
        client.refused(client.say(cmd), -9)
    new = scene.guest("new", version=1)
    old.hears_come(new)
    new.say(NEW_MSG, b"plain")
    old.expect(Packet(UNASKED, NEW_MSG, new.number, 0, b"plain"))
    old.quiet()
