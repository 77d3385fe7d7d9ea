"""Somebody who uses rooms over OLAF or SOCP, written from `docs/rooms.md` alone.

It wraps a client of either protocol, and needs of it only what both have: `send`, `mark`, `wait_for`, `frames`.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

Json = dict[str, Any]


class Wrong(Exception):
    """The server did not do what the text says."""


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.300} instead of {wanted!r:.300}")


def kith(frame: Any) -> Json | None:
    """The frame, if it is one of rooms."""
    body = frame.body
    return body if isinstance(body, dict) and "kith" in body else None


class Member:
    def __init__(self, client: Any) -> None:
        self.client = client
        self.tickets = itertools.count(1)
        self.number = 0
        self.read = 0

    async def send(self, verb: Any, **fields: Any) -> int:
        ticket = next(self.tickets)
        await self.client.send(json.dumps({"kith": verb, "ticket": ticket, **fields}))
        return ticket

    async def next(self) -> Json:
        """The next frame about rooms that it has not read."""
        frame = await self.client.wait_for(lambda frame: kith(frame) is not None, "a frame of rooms", self.read)
        self.read = next(at for at in range(self.read, len(self.client.frames))
                         if self.client.frames[at] is frame) + 1
        return frame.body

    async def hears(self, **wanted: Any) -> Json:
        """The next one, which must have these keys with these values."""
        heard = await self.next()
        same(f"the next frame {heard!r:.200}", {key: heard.get(key) for key in wanted}, wanted)
        return heard

    async def ask(self, verb: Any, **fields: Any) -> Json:
        ticket = await self.send(verb, **fields)
        return await self.hears(ticket=ticket)

    async def refused(self, code: str, verb: Any, **fields: Any) -> None:
        same(f"the answer to {verb} {fields}", await self.ask(verb, **fields),
             {"kith": "refused", "ticket": self.last, "code": code})

    @property
    def last(self) -> int:
        """The last ticket that was used."""
        following = next(self.tickets)
        self.tickets = itertools.count(following)
        return following - 1

    async def enter(self, room: str) -> Json:
        entered = await self.ask("enter", room=room)
        same("the answer to enter", entered["kith"], "entered")
        while entered.pop("unfinished", False):
            more = await self.hears(kith="entered", ticket=entered["ticket"])
            entered["guests"] += more["guests"]
            entered |= {key: value for key, value in more.items() if key != "guests"}
        self.number = entered["you"]
        if self.number not in [guest["number"] for guest in entered["guests"]]:
            raise Wrong("the newcomer is not among the guests")
        return entered

    async def say(self, room: str, text: str) -> str:
        """Says something, and hears itself say it behind the answer."""
        said = await self.ask("say", room=room, text=text)
        same("the answer to say", said["kith"], "said")
        event = await self.hears(kith="event", event="said", room=room, guest=self.number)
        same("its own line", (event["line"]["id"], event["line"]["text"]), (said["id"], text))
        return str(said["id"])

    async def hears_say(self, room: str, text: str, name: str, dialect: str) -> Json:
        event = await self.hears(kith="event", event="said", room=room)
        line = event["line"]
        same("the line", (line["text"], line["kind"], line["by"]["name"], line["by"]["dialect"]),
             (text, "said", name, dialect))
        return line

    async def quiet(self) -> None:
        """Nothing was said to it that it has not read: answers come in the order of what happens."""
        await self.refused("no_room", "leave", room="where nobody is")
