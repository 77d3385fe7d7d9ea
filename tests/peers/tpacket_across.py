"""tPacket clients at two servers that are neighbours.

    python tests/peers/tpacket_across.py --url ws://127.0.0.1:25021 --other ws://127.0.0.1:25022

Prints as the suite does.
"""

from __future__ import annotations

import argparse
import sys

from tpacket_client import Client, line
from tpacket_scene import Scene, eventually, report, same
from tpacket_wire import DEL_USER, NEW_USER, RESP_ERROR, SET_USER_NICK, UNASKED, Packet


def guest(address: str, scene: Scene, nick: str, room: str, version: int = 0) -> Client:
    client = Client(address)
    scene.clients.append(client)
    client.socket.upgrade()
    client.call(scene.name(nick), version)
    client.enter(scene.name(room))
    return client


def across(other: str):
    def linked(scene: Scene) -> tuple[Client, Client, dict[str, int]]:
        """alice here and bob there, in one room. With the number by which bob knows alice."""
        alice = guest(scene.address, scene, "alice", "room")
        bob = guest(other, scene, "bob", "hall")
        seen: dict[str, int] = {}

        def sees() -> bool:
            here, _ = bob.enter(scene.name("room"))
            seen.update({name: number for number, name in here})
            if alice.nick not in seen:
                bob.enter(scene.name("hall"))
            return alice.nick in seen

        eventually("they see each other", sees)
        return alice, bob, seen

    def until(client: Client, wanted: Packet) -> None:
        """What came before, while he went in and out, is of no interest."""
        while client.hears() != wanted:
            pass

    def rooms_are_one(scene: Scene) -> None:
        alice, bob, seen = linked(scene)
        bob.tells("from there", [])
        # alice has heard him come, perhaps more than once.
        packet = alice.hears()
        while packet.cmd in (NEW_USER, DEL_USER):
            packet = alice.hears()
        same("his words", packet.text, "from there")
        number_of_bob = packet.p1
        alice.tells("from here", [])
        bob.expect(Packet(UNASKED, 7, seen[alice.nick], 0, b"from here"))
        # He is called otherwise, under the same number.
        bob.ok(bob.say(SET_USER_NICK, scene.name("robert").encode()))
        alice.expect(Packet(UNASKED, DEL_USER, number_of_bob, 0, bob.nick.encode()),
                     Packet(UNASKED, NEW_USER, number_of_bob, 0, scene.name("robert").encode()))
        # Whoever comes later finds both of them, and one history at both servers.
        logs = []
        for address in (scene.address, other):
            late = guest(address, scene, scene.once("late"), "hall", version=1)
            here, log = late.enter(scene.name("room"))
            same("both", {scene.name("robert"), alice.nick} <= {name for _, name in here}, True)
            logs.append(log)
        same("one history", logs, [["from there", "from here"]] * 2)
        bob.close()
        until(alice, Packet(UNASKED, DEL_USER, number_of_bob, 0, scene.name("robert").encode()))

    def nicks_are_taken_everywhere(scene: Scene) -> None:
        alice, bob, _ = linked(scene)
        for spelling in (alice.nick, alice.nick.upper()):
            uid = bob.say(SET_USER_NICK, spelling.encode())
            until(bob, Packet(uid, RESP_ERROR, -2, 0, b""))
        stranger = Client(other)
        scene.clients.append(stranger)
        stranger.socket.upgrade()
        stranger.magic()
        stranger.refused(stranger.say(SET_USER_NICK, alice.nick.encode()), -2)
        alice.close()

        def is_free() -> bool:
            uid = stranger.say(SET_USER_NICK, alice.nick.encode())
            return stranger.hears() != Packet(uid, RESP_ERROR, -2, 0, b"")

        eventually("the nick is free everywhere", is_free)

    def ids_of_lines_are_the_same_everywhere(scene: Scene) -> None:
        linked(scene)
        new = [guest(address, scene, scene.once("new"), "lines", version=1) for address in (scene.address, other)]

        def sees() -> bool:
            new[1].enter(scene.name("hall"))
            return len(new[1].enter(scene.name("lines"))[0]) == 2

        eventually("they see each other", sees)
        new[0].say(7, b"one and the same")
        ids = []
        for client in new:
            packet = client.hears()
            while packet.cmd != 16:
                packet = client.hears()
            ids.append(line(packet).id)
        same("the ids", ids[0], ids[1])

    return [rooms_are_one, nicks_are_taken_everywhere, ids_of_lines_are_the_same_everywhere]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address of one, ws://host:port")
    parser.add_argument("--other", required=True, help="that of the other")
    given = parser.parse_args()
    address, other = (url.removeprefix("ws://") for url in (given.url, given.other))
    witness = Client(address)
    witness.socket.upgrade()
    witness.call("witness")
    witness.enter("w")
    results = [report(f"across.{check.__name__}", check, address, witness) for check in across(other)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
