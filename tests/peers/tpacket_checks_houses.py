"""Checks for servers with other settings, and a recorded session on a server on which nobody has been."""

from __future__ import annotations

import json
import pathlib

from tpacket_client import Client
from tpacket_scene import Scene, ended, same
from tpacket_wire import BINARY, CLOSE, SET_ROOM, SET_USER_NICK, Ended, Wrong

SESSION = pathlib.Path(__file__).parent.parent / "vectors" / "tpacket" / "session.jsonl"


def strict__nick_and_room_are_for_ever(scene: Scene) -> None:
    alice, bob = scene.pair()
    for _ in range(4):
        bob.refused(bob.say(SET_USER_NICK, scene.name("robert").encode()), -1)
        bob.refused(bob.say(SET_ROOM, scene.name("attic").encode()), -1)
        bob.refused(bob.say(SET_ROOM, bob.room.encode()), -1)
    bob.tells("nothing has happened", [alice])
    other = scene.dial()
    other.call(scene.name("robert"))


def strict__a_room_that_cannot_be_is_no_choice(scene: Scene) -> None:
    client = scene.named("client")
    client.refused(client.say(SET_ROOM, b""), -4)
    client.ok(client.say(SET_ROOM, scene.name("room").encode()))


def tiny__as_many_rooms_as_there_may_be(scene: Scene) -> None:
    # The witness sits in the first of two.
    alice = scene.named("alice")
    alice.enter("second")
    alice.refused(alice.say(SET_ROOM, b"third"), -10)
    alice.tells("still in the second", [])
    stranger = scene.named("stranger")
    stranger.refused(stranger.say(SET_ROOM, b"fourth"), -10)
    stranger.enter("second")
    alice.hears_come(stranger)


def busy__whoever_comes_too_often_is_told_so(scene: Scene) -> None:
    # The witness was the first of four.
    for nick in ("one", "two", "three"):
        scene.named(nick)
    client = scene.dial()
    client.magic()
    client.refused(client.say(SET_USER_NICK, b"four"), -7)
    ended(client, 1013, "too_many_hellos")


def busy__whoever_has_no_nick_in_time_has_to_go(scene: Scene) -> None:
    client = scene.dial()
    client.magic()
    ended(client, 1008, "no_hello")


def replay(address: str) -> bool:
    """Plays what is recorded: everybody says those very bytes, and hears those and no others."""
    clients: dict[str, Client] = {}
    try:
        for number, text in enumerate(SESSION.read_text().splitlines(), 1):
            step = json.loads(text)
            who = step["who"]
            if who not in clients:
                clients[who] = Client(address)
                clients[who].socket.upgrade()
            socket = clients[who].socket
            if "says" in step:
                socket.send(BINARY, bytes.fromhex(step["says"]))
            elif "hears" in step:
                opcode, payload = socket.next()
                same(f"line {number}, what {who} hears", (opcode, payload.hex()), (BINARY, step["hears"]))
            else:
                socket.send(CLOSE, b"\x03\xe8")
        for client in clients.values():
            client.close()
    except (Wrong, Ended, OSError) as error:
        print(f"FAIL replay: {error}")
        return False
    print("ok replay")
    return True
