"""A SOCP server that joins through one server and links with all others that the WELCOME names.

    python tests/peers/socp_second.py --url ws://127.0.0.1:8080 --others 1

It knows nothing but the address of the introducer. Where the others are, what they are called and which
keys they have it takes from `servers` of the WELCOME; each is dialled with SERVER_HELLO_LINK and must
answer with a frame that is signed with the key of its entry. Then members of all servers write to each
other. One line per check, exit status 1 if one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from socp_accents import BY_NAME
from socp_client import Client
from socp_crypto import Json, read_key
from socp_scene import KEYS, Scene, finish, report, same, tell
from socp_server import Server
from socp_wire import Wrong, is_uuid

ACCENT = BY_NAME["text"]


class Second:
    def __init__(self, scene: Scene, url: str, others: int) -> None:
        self.scene, self.url, self.others = scene, url, others
        self.named: list[Json] = []
        self.peer: Server
        self.pat: Client

    def checks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [("joins", self.joins), ("is_told", self.is_told), ("links", self.links),
                ("talks", self.talks), ("quiet", self.quiet)]

    async def joins(self) -> None:
        self.peer = await self.scene.server(ACCENT, "north")
        self.pat = await self.scene.client(self.peer.url, ACCENT, "south")
        await self.peer.join(self.url)
        await self.peer.wait_linked()

    async def is_told(self) -> None:
        welcome = next(one for one in self.peer.heard if one.type == "SERVER_WELCOME")
        assert welcome.body is not None
        listed = welcome.payload["servers"]
        introducer = welcome.body["from"]
        if introducer not in [one["server_id"] for one in listed]:
            raise Wrong("the introducer does not name itself")
        self.named = [one for one in listed if one["server_id"] != introducer]
        same("other servers", len(self.named), self.others)
        for one in self.named:
            if not is_uuid(one["server_id"]) or one["server_id"] == self.peer.id:
                raise Wrong(f"an entry like {one!r:.80}")

    async def links(self) -> None:
        for one in self.named:
            # Whoever answers must sign with this very key.
            self.peer.keys[one["server_id"]] = read_key(ACCENT.crypto, one["pubkey"])
            await self.peer.link(f"ws://{one['host']}:{one['port']}", one["server_id"])
            await self.peer.until(lambda: one["server_id"] in self.peer.links, "the second link")

    async def talks(self) -> None:
        urls = [self.url, *(f"ws://{one['host']}:{one['port']}" for one in self.named)]
        for number, url in enumerate(urls):
            kim = await self.scene.client(url, ACCENT, ("alice", "bob")[number % 2])
            await self.peer.wait_known(kim.id)
            said = (self.peer.locations[kim.id], kim.id)
            await self.peer.until(lambda: said in self.peer.channel, "a member of the channel")
            await kim.wait_listed(self.pat.id)
            await tell(kim, self.pat, f"from {number}: é, 😀", self.pat.key_text)
            await tell(self.pat, kim, f"to {number}: é, 😀", kim.key_text)
        homes = {self.peer.locations[user] for user in self.peer.locations}
        same("servers with members", len(homes), 1 + self.others)

    async def quiet(self) -> None:
        if self.peer.faults or self.peer.errors_heard:
            raise Wrong(f"{self.peer.faults[:4]}, and {self.peer.errors_heard} errors heard")


async def run(url: str, others: int) -> int:
    async with Scene() as scene:
        second = Second(scene, url, others)
        return finish([await report(f"second.{name}", check) for name, check in second.checks()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the introducer, ws://host:port")
    parser.add_argument("--others", type=int, default=1, help="how many others it should name")
    given = parser.parse_args()
    KEYS.make_all()
    return asyncio.run(run(given.url.rstrip("/"), given.others))


if __name__ == "__main__":
    sys.exit(main())
