"""Rooms for OLAF and SOCP clients, on one server that is already up, beside tPacket and clients that know of no rooms.

    python tests/peers/rooms_suite.py --url ws://127.0.0.1:8080 --http http://127.0.0.1:8080

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`. The exit status is 0 only if
something ran and nothing failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import traceback
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import olaf_accents
import olaf_client
import socp_accents
import socp_client
import socp_scene
from olaf_crypto import KeyPool
from rooms_member import Json, Member, kith, same
from tpacket_client import Client as Guest

PATIENCE = 60.0
HOPELESS = [["kith"], "kith", 7, None, {"Kith": "rooms", "ticket": 1}, {"x": {"kith": "rooms"}}]


@dataclass
class Scene:
    url: str
    http: str
    keys: KeyPool = field(default_factory=KeyPool)
    clients: list[Any] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)

    async def legacy(self) -> olaf_client.Client:
        """Somebody with OLAF as it always was."""
        client = await olaf_client.Client.open(self.url, olaf_accents.TS, self.keys.take())
        self.clients.append(client)
        await client.hello()
        return client

    async def olaf(self) -> Member:
        return Member(await self.legacy())

    async def socp(self, key: str = "alice", accent: socp_accents.Accent = socp_accents.G2) -> Member:
        client = await socp_client.Client.open(self.url, accent, socp_scene.KEYS[key])
        self.clients.append(client)
        await client.hello()
        return Member(client)

    async def tpacket(self, nick: str, room: str) -> Guest:
        def come() -> Guest:
            guest = Guest(self.url.removeprefix("ws://"))
            self.guests.append(guest)
            guest.socket.upgrade()
            guest.call(nick)
            guest.enter(room)
            return guest
        return await asyncio.to_thread(come)

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self.clients), return_exceptions=True)
        for guest in self.guests:
            guest.close()


async def it_is_advertised(scene: Scene) -> None:
    def read() -> Any:
        with urllib.request.urlopen(scene.http, timeout=10) as answer:
            return json.load(answer)
    rooms = (await asyncio.to_thread(read))["rooms"]
    same("what is offered", (rooms["version"], rooms["key"], rooms["dialects"]), (1, "kith", ["olaf", "socp"]))


async def three_protocols_share_a_room(scene: Scene) -> None:
    room = "shared"
    legacy = await scene.legacy()
    anna, ben = await scene.olaf(), await scene.socp()
    entered = await anna.enter(room)
    same("an empty room", (len(entered["guests"]), entered["history"], entered["more"]), (1, [], False))
    first = await anna.say(room, "Grüße, 🏡 \u0000")
    entered = await ben.enter(room)
    same("the history", [line["id"] for line in entered["history"]], [first])
    name = entered["guests"][0]["name"]
    same("who is there", [guest["dialect"] for guest in entered["guests"]], ["olaf", "socp"])
    same("a name of OLAF", entered["guests"][0]["member"][:12], name)
    came = await anna.hears(kith="event", event="came", room=room)
    same("who came", (came["guest"]["name"], came["guest"]["number"]), (ben.client.id, ben.number))
    carl = await scene.tpacket("carl", room)
    for one in (anna, ben):
        came = await one.hears(kith="event", event="came", room=room)
        same("who came", (came["guest"]["name"], came["guest"]["dialect"]), ("carl", "tpacket"))
    await asyncio.to_thread(carl.tells, "ahoy", [])
    for one in (anna, ben):
        await one.hears_say(room, "ahoy", "carl", "tpacket")
    await ben.say(room, "moin")
    await anna.hears_say(room, "moin", ben.client.id, "socp")
    spoken = await asyncio.to_thread(carl.hears)
    same("what carl hears", (spoken.p1, spoken.text), (ben.number, "moin"))
    same("the answer to leave", await ben.ask("leave", room=room), {"kith": "left", "ticket": ben.last, "room": room})
    await anna.hears(kith="event", event="went", room=room)
    await anna.say(room, "nobody else of us hears this")
    await ben.quiet()
    await anna.quiet()
    # Whoever asked for nothing has heard the lists and letters of its own protocol, and nothing else.
    await stays_itself(scene, legacy)


async def stays_itself(scene: Scene, legacy: olaf_client.Client) -> None:
    """A letter reaches it behind everything else, and no frame of rooms is before it."""
    other = await scene.legacy()
    sent = await other.public("fence")
    await legacy.wait_for(lambda frame: frame.has(sent), "a letter")
    seen = [frame.raw for frame in legacy.frames if "kith" in str(frame.raw) or "ahoy" in str(frame.raw)]
    same("what a client that knows of no rooms sees of them", seen, [])


async def pages(scene: Scene, member: Member, room: str) -> None:
    await member.enter(room)
    ids = [await member.say(room, f"line {number}") for number in range(25)]
    read: list[str] = []
    before = None
    for wanted in (10, 10, 5):
        page = await member.ask("history", room=room, before=before, most=10)
        same("a page", (page["kith"], len(page["lines"])), ("history", wanted))
        read = [line["id"] for line in page["lines"]] + read
        before = read[0]
        same("whether there is more", page["more"], len(read) < len(ids))
    same("the history", read, ids)
    same("ids are in order", sorted(ids), ids)
    same("nothing before it", (await member.ask("history", room=room, before=before))["lines"], [])


async def history_comes_by_page_over_olaf(scene: Scene) -> None:
    await pages(scene, await scene.olaf(), "pages-olaf")


async def history_comes_by_page_over_socp(scene: Scene) -> None:
    await pages(scene, await scene.socp("bob", socp_accents.G45), "pages-socp")


async def refusals(scene: Scene, member: Member) -> None:
    room = f"refusals-{id(member)}"
    await member.refused("no_room", "say", room=room, text="hi")
    await member.refused("no_room", "history", room=room)
    await member.refused("bad_room", "enter", room="")
    await member.refused("bad_room", "enter", room="a\nb")
    await member.refused("bad_room", "enter", room="r" * 65)
    await member.refused("unsupported", "dance")
    await member.refused("malformed", "enter", room=7)
    await member.refused("malformed", "say", room=room, text=[])
    await member.refused("malformed", ["enter"], room=room)
    await member.enter(room)
    same("once more", (await member.ask("enter", room=room))["kith"], "stayed")
    await member.refused("too_long", "say", room=room, text="x" * 16385)
    await member.say(room, "x" * 16384)
    await member.refused("malformed", "history", room=room, before="yesterday")
    await member.refused("malformed", "history", room=room, most=0)
    for ticket in (None, "1", -1, 1 << 32, 1.5):
        await member.client.send(json.dumps({"kith": "rooms", "ticket": ticket}))
        await member.hears(kith="refused", ticket=None, code="malformed")
    # What is no request of rooms is not answered as one, and harms nobody.
    for body in HOPELESS:
        await member.client.send(json.dumps(body))
    await member.say(room, "still here")
    await member.quiet()
    rooms = await member.ask("rooms")
    same("the list", [card["guests"] for card in rooms["rooms"] if card["room"] == room], [1])


async def what_is_refused_over_olaf(scene: Scene) -> None:
    await refusals(scene, await scene.olaf())


async def what_is_refused_over_socp(scene: Scene) -> None:
    await refusals(scene, await scene.socp("bob"))


async def nobody_asks_before_the_hello(scene: Scene) -> None:
    client = await olaf_client.Client.open(scene.url, olaf_accents.TS, scene.keys.take())
    scene.clients.append(client)
    await Member(client).send("enter", room="early")
    await client.hello()
    member = Member(client)
    await member.quiet()
    same("frames of rooms", len([frame for frame in client.frames if kith(frame)]), 1)


async def a_letter_with_the_key_is_none(scene: Scene) -> None:
    member, legacy = await scene.olaf(), await scene.legacy()
    await legacy.knows(member.client)
    marked = json.loads(member.client.public_frame("a letter and more").raw) | {"kith": "rooms", "ticket": 77}
    await member.client.send(json.dumps(marked))
    await member.hears(kith="rooms", ticket=77)
    sent = await member.client.public("a plain letter")
    await legacy.wait_for(lambda frame: frame.has(sent), "a plain letter")
    seen = [frame for frame in legacy.frames if "a letter and more" in str(frame.raw) or kith(frame)]
    same("what of it is relayed", seen, [])


async def is_listed(scene: Scene, member: Member) -> None:
    """A member has an address of her own listed, as `docs/rooms.md` says at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = "127.0.0.1:%d" % listener.getsockname()[1]
        await member.refused("malformed", "register", at="localhost:5")
        await member.refused("malformed", "register")
        await member.refused("foreign", "register", at="192.0.2.1:5")
        same("registered", await member.ask("register", at=at),
             {"kith": "registered", "ticket": member.last, "at": at})

        async def entries() -> list[Json]:
            return [entry for entry in (await member.ask("directory"))["entries"] if entry["at"] == at]

        # It is dialled before it is listed.
        while not (found := await entries()):
            await asyncio.sleep(0.02)
        same("what is listed", (found[0]["undialable"], found[0]["home"], len(found[0]["member"])), (False, None, 64))
        other = await scene.olaf()
        await other.refused("taken", "register", at=at)
        await other.refused("not_registered", "unregister", at=at)
        same("unregistered", (await member.ask("unregister", at=at))["kith"], "unregistered")
        same("what is left", await entries(), [])
        await member.ask("register", at=at)
        await member.client.close()
        # What she registered goes with her.
        while (await other.ask("register", at=at))["kith"] != "registered":
            await asyncio.sleep(0.02)


async def members_of_olaf_are_listed(scene: Scene) -> None:
    await is_listed(scene, await scene.olaf())


async def members_of_socp_are_listed(scene: Scene) -> None:
    await is_listed(scene, await scene.socp())


CHECKS: list[Callable[[Scene], Awaitable[None]]] = [
    it_is_advertised, three_protocols_share_a_room, history_comes_by_page_over_olaf,
    history_comes_by_page_over_socp, what_is_refused_over_olaf, what_is_refused_over_socp,
    nobody_asks_before_the_hello, a_letter_with_the_key_is_none, members_of_olaf_are_listed,
    members_of_socp_are_listed,
]


async def report(check: Callable[[Scene], Awaitable[None]], url: str, http: str) -> bool:
    scene = Scene(url, http)
    try:
        async with asyncio.timeout(PATIENCE):
            await check(scene)
    except Exception as error:  # a check that falls over has failed, and the rest must still run
        where = " < ".join(f"{at.filename.rsplit('/', 1)[-1]}:{at.lineno}"
                           for at in reversed(traceback.extract_tb(error.__traceback__)))
        print(f"FAIL {check.__name__}: {type(error).__name__}: {error} ({where})")
        return False
    finally:
        await scene.close()
    print(f"ok {check.__name__}", flush=True)
    return True


async def run(url: str, http: str, only: list[str]) -> int:
    socp_scene.KEYS.make_all()
    chosen = [check for check in CHECKS if not only or check.__name__ in only]
    results = [await report(check, url, http) for check in chosen]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address, ws://host:port")
    parser.add_argument("--http", required=True, help="the same door for plain HTTP")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    given = parser.parse_args()
    return asyncio.run(run(given.url.rstrip("/"), given.http, given.only))


if __name__ == "__main__":
    sys.exit(main())
