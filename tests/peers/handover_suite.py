"""Members of a home of several nodes, of two protocols, who write while it is given to another node.

    python tests/peers/handover_suite.py --url ws://127.0.0.1:8080 --admin 127.0.0.1:8081 --token T --to second

Everybody writes letters with numbers, one after the other, until the server closes. The close says where the home
is served now; everybody goes there, finds the others, and writes a few more. What was accepted before (an OLAF author
hears its own letters, and of a SOCP author's letters those before the last that arrived were read before it) has
arrived once and in order. One line per pair, exit status 1 if one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

import olaf_client
import socp_client
from olaf_accents import TS
from olaf_admin import Admin
from olaf_crypto import KeyPool, PrivateKey
from olaf_wire import Recipient, Sent
from socp_accents import TEXT
from socp_scene import KEYS, finish, report, same
from socp_wire import Wrong

DEADLINE = 20.0
MORE = 5


class Olaf:
    def __init__(self, name: str, key: PrivateKey) -> None:
        self.key, self.name = key, f"olaf {name}"
        self.earlier: list[olaf_client.Client] = []
        self.sent: dict[int, Sent] = {}

    async def comes(self, url: str) -> None:
        self.client = await olaf_client.Client.open(url, TS, self.key)
        if self.earlier:
            self.client.counter = self.earlier[-1].counter
        await self.client.hello()
        self.earlier.append(self.client)

    async def knows(self, other: Olaf) -> None:
        self.home = (await self.client.knows(other.client)).home_of(other.client.pem)

    async def writes(self, other: Olaf, number: int) -> None:
        if number % 2:
            self.sent[number] = await self.client.public(f"letter {number}")
        else:
            to = [Recipient(other.client.pem, self.home)]
            self.sent[number] = await self.client.private(to, f"letter {number}", self.home)

    def count(self) -> int:
        """The letters that came, its own ones too."""
        return sum(frame.body is not None and "signature" in frame.body
                   for client in self.earlier for frame in client.frames)

    def heard(self, other: Olaf) -> list[int]:
        numbers = []
        for client in self.earlier:
            for frame in client.frames:
                number = next((number for number, sent in other.sent.items() if frame.has(sent)), None)
                if number is None:
                    continue
                opened = client.read_public(frame) if number % 2 else client.read_private(frame)
                text = opened if isinstance(opened, str) else getattr(opened, "message", None)
                same("what it says", text, f"letter {number}")
                numbers.append(number)
        return numbers

    def has(self, number: int, other: Olaf) -> bool:
        return any(frame.has(other.sent[number]) for frame in self.client.frames)

    def knows_of(self, number: int) -> bool:
        return self.has(number, self)

    def accepted(self, arrived: list[int]) -> list[int]:
        back = [number for number, sent in self.sent.items()
                if any(frame.has(sent) for client in self.earlier for frame in client.frames)]
        return sorted(back)


class Socp:
    def __init__(self, key: str) -> None:
        self.key, self.name, self.id = key, f"socp {key}", ""
        self.earlier: list[socp_client.Client] = []

    async def comes(self, url: str) -> None:
        self.client = await socp_client.Client.open(url, TEXT, KEYS[self.key])
        self.id = self.id or self.client.id
        self.client.id = self.id
        await self.client.hello()
        self.earlier.append(self.client)

    async def knows(self, other: Socp) -> None:
        await self.client.wait_listed(other.id)

    async def writes(self, other: Socp, number: int) -> None:
        await self.client.direct(other.id, other.client.key_text, f"letter {number}")

    def count(self) -> int:
        return sum(frame.type == "USER_DELIVER" for client in self.earlier for frame in client.frames)

    def heard(self, other: Socp) -> list[int]:
        frames = [(client, frame) for client in self.earlier for frame in client.frames
                  if frame.type == "USER_DELIVER"]
        read = [client.read_direct(frame) for client, frame in frames]
        for one in read:
            same("its author", (one.sender, one.verified), (other.id, True))
        return [int(one.text.split()[-1]) for one in read]

    def has(self, number: int, other: Socp) -> bool:
        return sum(frame.type == "USER_DELIVER" for frame in self.client.frames) >= MORE

    def knows_of(self, number: int) -> bool:
        return True

    def accepted(self, arrived: list[int]) -> list[int]:
        before = [number for number in arrived if number < self.last]
        behind = [number for number in arrived if number >= self.last]
        return list(range(max(before) + 1)) + behind


async def until(wish: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not wish():
        if time.monotonic() > deadline:
            raise Wrong(f"in {DEADLINE:.0f} s nothing came of it: {what}")
        await asyncio.sleep(0.01)


async def write(author: Any, other: Any) -> None:
    number = 0
    while not author.client.closed:
        await author.writes(other, number)
        number += 1
        await asyncio.sleep(0.005)
    author.last = number


async def comes(author: Any, url: str) -> None:
    """The other node opens its doors in a moment."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return await author.comes(url)
        except Exception:  # refused, or not yet served
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def door(client: Any) -> str:
    reason = client.socket.close_reason or ""
    same("how it closes", (client.socket.close_code, reason[:11]), (1012, "moved ws://"))
    return reason.removeprefix("moved ")


async def moves(pair: tuple[Any, Any]) -> None:
    for one, other in (pair, pair[::-1]):
        await comes(one, door(one.client))
    for one, other in (pair, pair[::-1]):
        await one.knows(other)
    for one, other in (pair, pair[::-1]):
        for number in range(one.last, one.last + MORE):
            await one.writes(other, number)
        await until(lambda: other.has(one.last + MORE - 1, one) and one.knows_of(one.last + MORE - 1),
                    "the last letter")
        arrived = other.heard(one)
        same(f"the letters of {one.name}", arrived, one.accepted(arrived))
        if len(arrived) < 10 + MORE:
            raise Wrong(f"{one.name} wrote {len(arrived)} letters")


async def run(given: argparse.Namespace) -> int:
    keys = KeyPool()
    pairs: list[tuple[Any, Any]] = [(Olaf("anna", keys.take()), Olaf("ben", keys.take())),
                                    (Socp("alice"), Socp("bob"))]
    people = [one for pair in pairs for one in pair]
    for one in people:
        await one.comes(given.url)
    for one, other in pairs:
        await one.knows(other)
        await other.knows(one)
    writers = [asyncio.create_task(write(one, other))
               for pair in pairs for one, other in (pair, pair[::-1])]
    await until(lambda: all(one.count() >= 30 for one in people), "some letters")
    await Admin(given.admin, given.token).call("POST", "/succession/handover", {"to": given.to})
    for one in people:
        await one.client.wait_closed()
    await asyncio.gather(*writers)
    good = [await report(f"{one.name} and {other.name}", lambda pair=(one, other): moves(pair))
            for one, other in pairs]
    return finish(good)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ("url", "admin", "token", "to"):
        words.add_argument(f"--{word}", required=True)
    return asyncio.run(run(words.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
