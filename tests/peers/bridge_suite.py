"""One conversation of every dialect: clients of OLAF, SOCP and tPacket at three servers that are up, and a SOCP server that
was written by others as their neighbour. Everybody reads everybody, once.

    python tests/peers/bridge_suite.py --url ws://HOST:PORT --url ws://HOST:PORT --url ws://HOST:PORT

The first is the introducer of the neighbour, and names the others. One line for each check, exit status 1 if one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import olaf_accents
import olaf_client
import socp_accents
import socp_client
from olaf_crypto import KeyPool
from olaf_wire import data_of
from socp_scene import KEYS, Scene, finish, report
from socp_second import Second
from socp_wire import Wrong
from tpacket_client import Client as Guest
from tpacket_wire import DEL_USER, LOGGED_MSG, NEW_MSG, NEW_USER

ROOM = "public"


class Person(Protocol):
    """Somebody at a program of her own."""

    name: str  # as the others read it

    async def say(self, text: str) -> None: ...

    async def reads(self, text: str) -> str:
        """Waits for a text that ends so; returns the whole of it, the author's name in front if it was said again."""

    def all_read(self) -> list[str]:
        """Every text that it has read, its own left out."""


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.300} instead of {wanted!r:.300}")


class OlafPerson:
    def __init__(self, client: olaf_client.Client, short: str) -> None:
        self.client, self.name = client, f"{short} (olaf)"

    async def say(self, text: str) -> None:
        await self.client.public(text)

    def _text(self, frame: olaf_client.Frame) -> str | None:
        if frame.body is None or frame.body.get("type") != "signed_data":
            return None
        data = data_of(frame.body)
        if data.get("type") != "public_chat" or data.get("sender") == self.client.name:
            return None
        return str(data.get("message"))

    async def reads(self, text: str) -> str:
        frame = await self.client.wait_for(lambda frame: (self._text(frame) or "").endswith(text), text)
        accent = self.client.accent
        if accent is olaf_accents.TS and self._text(frame) != text:
            # Whoever says it in another's name must have signed it with a key that was listed.
            return self.client.read_public(frame)
        # Members of different programs call each other differently, but must be able to take it in.
        if accent.wants_object and not isinstance(frame.body["data"], dict):
            raise Wrong(f"{accent.name} needs objects")
        return str(self._text(frame))

    def all_read(self) -> list[str]:
        return [text for frame in self.client.frames if (text := self._text(frame)) is not None]


class SocpPerson:
    def __init__(self, client: socp_client.Client) -> None:
        self.client, self.name = client, f"{client.id} (socp)"

    async def say(self, text: str) -> None:
        await self.client.public(text)

    def _read(self, frame: socp_client.Frame) -> socp_client.Read | None:
        if frame.type != "MSG_PUBLIC_CHANNEL":
            return None
        read = self.client.read_public(frame)
        return None if read.sender == self.client.id else read

    async def reads(self, text: str) -> str:
        def wanted(frame: socp_client.Frame) -> bool:
            read = self._read(frame)
            return read is not None and read.text.endswith(text)

        read = self._read(await self.client.wait_for(wanted, text))
        assert read is not None
        if read.verified is False:
            raise Wrong(f"{text!r} comes with a content signature that does not verify")
        return read.text

    def all_read(self) -> list[str]:
        reads = [self._read(frame) for frame in self.client.frames]
        return [read.text for read in reads if read is not None]


class TpacketPerson:
    def __init__(self, guest: Guest, nick: str) -> None:
        self.guest, self.name = guest, f"{nick} (tpacket)"
        self.names: dict[int, str] = {}
        self.texts: list[str] = []

    @staticmethod
    async def come(address: str, nick: str) -> TpacketPerson:
        def enter() -> TpacketPerson:
            person = TpacketPerson(Guest(address), nick)
            person.guest.socket.upgrade()
            person.guest.call(nick)
            person.names = dict(person.guest.enter(ROOM)[0])
            return person

        return await asyncio.to_thread(enter)

    async def say(self, text: str) -> None:
        await asyncio.to_thread(self.guest.say, NEW_MSG, text.encode())

    def _until(self, text: str) -> str:
        while not any(said.endswith(text) for said in self.texts):
            packet = self.guest.hears()
            if packet.cmd == NEW_USER:
                self.names[packet.p1] = packet.text
            elif packet.cmd == NEW_MSG and packet.p1 != self.guest.number:
                self.texts.append(f"{self.names[packet.p1]}: {packet.text}")
            elif packet.cmd not in (DEL_USER, LOGGED_MSG, NEW_MSG):
                raise Wrong(f"{packet} in a conversation")
        return next(said for said in self.texts if said.endswith(text))

    async def reads(self, text: str) -> str:
        return await asyncio.to_thread(self._until, text)

    def all_read(self) -> list[str]:
        return self.texts


class Conversation:
    def __init__(self, scene: Scene, urls: list[str]) -> None:
        self.scene, self.urls = scene, urls
        self.second = Second(scene, urls[0], others=len(urls) - 1)
        self.people: list[Person] = []
        self.said: list[tuple[Person, str]] = []

    def checks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [("links", self.links), ("arrives", self.arrives), ("everybody", self.everybody), ("once", self.once)]

    async def links(self) -> None:
        await self.second.joins()
        await self.second.is_told()
        await self.second.links()

    async def arrives(self) -> None:
        keys = KeyPool()
        first, second, third = self.urls
        for accent in (olaf_accents.TS, olaf_accents.CAM, olaf_accents.AEG):
            anna = await olaf_client.Client.open(first, accent, keys.take())
            self.scene.clients.append(anna)  # which closes whatever has a `close`
            await anna.hello()
            self.people.append(OlafPerson(anna, ""))
        ben = await self.scene.client(second, socp_accents.TEXT, "alice")
        # So his home has heard of the neighbour, and the neighbour of him.
        await ben.wait_listed(self.second.pat.id)
        await self.second.peer.wait_known(ben.id)
        self.people.append(SocpPerson(ben))
        self.people.append(SocpPerson(self.second.pat))
        self.people.append(await TpacketPerson.come(third.removeprefix("ws://"), "carl"))

    def wanted(self, author: Person, reader: Person, text: str) -> str:
        """How it comes: as its author said it where the dialect is the same, or in another's name."""
        if isinstance(reader, TpacketPerson):
            return f"{author.name}: {text}"
        return text if type(author) is type(reader) else f"{author.name}: {text}"

    async def says(self, author: Person, text: str) -> None:
        await author.say(text)
        self.said.append((author, text))
        for reader in self.people:
            if reader is author:
                continue
            got = await reader.reads(text)
            if isinstance(author, OlafPerson) and author.name.startswith(" "):
                # OLAF members have no names; the first who reads one tells which it was.
                author.name = got.removesuffix(f": {text}") if got != text else author.name
            if got != self.wanted(author, reader, text):
                raise Wrong(f"{type(reader).__name__} reads {got!r} instead of "
                            f"{self.wanted(author, reader, text)!r}")

    async def everybody(self) -> None:
        for round in range(2):
            for number, author in enumerate(self.people):
                await self.says(author, f"line {round}.{number} é😀")
        names = [author.name for author in self.people]
        same("different names", len(set(names)), len(names))
        if not all(name.endswith(" (olaf)") and len(name) == 19 for name in names[:3]):
            raise Wrong(f"names like {names[:3]}")

    async def once(self) -> None:
        # What was said before these has come, and twice if it comes twice.
        for number, author in enumerate(self.people):
            await self.says(author, f"the end {number}.")
        for reader in self.people:
            wanted = [self.wanted(author, reader, text) for author, text in self.said if author is not reader]
            same(f"what {reader.name} has read", sorted(reader.all_read()), sorted(wanted))
        await self.second.quiet()


async def run(urls: list[str]) -> int:
    async with Scene() as scene:
        talk = Conversation(scene, urls)
        return finish([await report(f"bridge.{name}", check) for name, check in talk.checks()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", action="append", required=True, help="once for each of three servers, ws://host:port")
    given = parser.parse_args()
    KEYS.make_all()
    return asyncio.run(run([url.rstrip("/") for url in given.url]))


if __name__ == "__main__":
    sys.exit(main())
