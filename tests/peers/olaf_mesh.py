"""One check's mesh: the server under test with clients of its own, and neighbours with theirs.

Whatever was added is taken away at the end, and a neighbour that found fault with anything it heard
fails the check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from olaf_admin import Admin
from olaf_client import Client, Roster, Wrong
from olaf_crypto import KeyPool
from olaf_guest import Guest
from olaf_neighbour import Home, Neighbour
from olaf_scene import Scene, World
from olaf_server_accents import ServerAccent


@dataclass
class Surroundings:
    """What the command line said, and what the server says about itself."""

    admin: Admin
    home: Home
    tls: tuple[str, str] | None
    legacy: bool
    keys: KeyPool = field(default_factory=KeyPool)


class Mesh(Scene):
    def __init__(self, around: Surroundings) -> None:
        super().__init__(World(around.home.url, keys=around.keys))
        self.around, self.admin = around, around.admin
        self.neighbours: list[Neighbour] = []
        self.peers: dict[Neighbour, str] = {}

    async def __aexit__(self, *_: object) -> None:
        for peer in self.peers.values():
            await self.admin.remove(peer)
        await asyncio.gather(*(one.close() for one in self.neighbours), return_exceptions=True)
        await super().__aexit__()

    async def neighbour(self, accent: ServerAccent, guests: int = 2) -> Neighbour:
        """A server that does not listen yet, with clients attached."""
        attached = [Guest(accent.client, self.around.keys.take()) for _ in range(guests)]
        tls = self.around.tls if accent.tls else None
        one = Neighbour(accent, self.around.keys.take(), self.around.home, attached, tls)
        self.neighbours.append(one)
        return one

    async def introduce(self, neighbour: Neighbour, accent: str | None = "", key: bool = True) -> str:
        """Tells the server under test about a neighbour. `accent=None`: not how it speaks."""
        peer = {"url": neighbour.url, "dialect": "olaf"}
        if key:
            peer["key"] = neighbour.spki
        if accent is not None:
            peer["accent"] = accent or neighbour.accent.kith
        self.peers[neighbour] = await self.admin.add(peer)
        return self.peers[neighbour]

    async def lists(self, client: Client, *pems: str, since: int = 0) -> Roster:
        """Waits until `client` was shown all these keys."""
        wanted = set(pems)
        return await client.wait_roster(lambda roster: wanted <= set(roster.pems()),
                                        "a list with the neighbour's clients", since)

    async def lacks(self, client: Client, *pems: str, since: int = 0) -> None:
        unwanted = set(pems)
        await client.wait_roster(lambda roster: not unwanted & set(roster.pems()),
                                 "a list without the neighbour's clients", since)

    def no_faults(self) -> None:
        for one in self.neighbours:
            if one.faults:
                raise Wrong(f"{one.accent.name} found fault: {one.faults}")


Check = Callable[[Mesh], Awaitable[None]]
