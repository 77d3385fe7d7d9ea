"""Members of several servers that are one network, whatever links them.

    python tests/peers/socp_across.py --url ws://127.0.0.1:8080 --url ws://127.0.0.1:8081 --accent text

One member comes to each server. Everybody hears of everybody, writes to everybody, says something to all
and hands a file to the next one; whoever leaves is gone for all. One line per check, exit status 1 if
one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable

from socp_accents import BY_NAME, Accent
from socp_checks_users import sees_presence, wait_gone
from socp_client import Client
from socp_scene import Scene, announce, hand_over, no_twins, report, tell
from socp_session import DEADLINE
from socp_wire import Wrong

KEYS = ("alice", "bob", "south", "north")


async def reaches(one: Client, other: Client) -> None:
    """Writes until a letter arrives: two programs have no way to ask who is there."""
    seen, until = other.mark(), time.monotonic() + DEADLINE
    while not any(frame.type == "USER_DELIVER" for frame in other.frames[seen:]):
        if time.monotonic() > until:
            raise Wrong(f"{one.accent.name} does not reach {other.id} in {DEADLINE:.0f} s")
        await one.direct(other.id, other.key_text, "are you there?")
        await asyncio.sleep(0.05)  # what was for nobody is not delivered later: ask again


class Network:
    def __init__(self, people: list[Client]) -> None:
        self.people = people

    def checks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("presence", self.presence), ("direct", self.direct), ("public", self.public),
            ("file", self.file), ("unknown", self.unknown), ("leaving", self.leaving),
        ]

    def pairs(self) -> list[tuple[Client, Client]]:
        return [(one, other) for one in self.people for other in self.people if one is not other]

    async def presence(self) -> None:
        for one, other in self.pairs():
            if sees_presence(one.accent):
                await one.wait_listed(other.id)
            else:
                await reaches(one, other)

    async def direct(self) -> None:
        for number, (one, other) in enumerate(self.pairs()):
            await tell(one, other, f"letter {number}: é, 😀", other.key_text)
        for one in self.people:
            no_twins(one, "USER_DELIVER")

    async def public(self) -> None:
        for number, one in enumerate(self.people):
            others = [other for other in self.people if other is not one]
            await announce(one, others, f"to all {number}")
        for one in self.people:
            no_twins(one, "MSG_PUBLIC_CHANNEL")

    async def file(self) -> None:
        for one, other in zip(self.people, self.people[1:] + self.people[:1], strict=True):
            await hand_over(one, other, other.key_text)

    async def unknown(self) -> None:
        for one in self.people:
            since = one.mark()
            await one.direct(str(uuid.uuid4()), one.key_text, "anybody?")
            await one.wait_error("USER_NOT_FOUND", since)

    async def leaving(self) -> None:
        gone = self.people.pop()
        await gone.say_goodbye()
        for one in self.people:
            await wait_gone(one, gone)
            since = one.mark()
            await one.direct(gone.id, gone.key_text, "too late")
            await one.wait_error("USER_NOT_FOUND", since)


async def run(urls: list[str], accent: Accent) -> int:
    async with Scene() as scene:
        people = [await scene.client(url, accent, key) for url, key in zip(urls, KEYS)]
        checks = Network(people).checks()
        good = [await report(f"{accent.name}.{name}", check) for name, check in checks]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", action="append", required=True, help="once for each server")
    parser.add_argument("--accent", default="text", choices=sorted(BY_NAME))
    given = parser.parse_args()
    return asyncio.run(run(given.url, BY_NAME[given.accent]))


if __name__ == "__main__":
    sys.exit(main())
