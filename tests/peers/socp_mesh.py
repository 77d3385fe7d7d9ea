"""Servers of every accent, linked with one SOCP server that is already up.

    python tests/peers/socp_mesh.py --url ws://127.0.0.1:8080 [--key KEY]
    python tests/peers/socp_mesh.py --url ws://127.0.0.1:8080 --listen 9101 --accent g45

In the first form each of them joins at the server under test. In the second one listens as an
introducer, prints `listening` and an object with `url`, `id` and `key` once it can be dialled, and
waits for the server under test to come.
Then users on either side do what the two servers can have in common (`socp_reach`). `--key` is what
a bootstrap file would say about the server under test: its key as base64url of DER.

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`; the exit
status is 0 only if something ran and nothing failed. `--only` and `--skip` take a name
(`g45.direct_to`), the accent in front of it or the check behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from socp_accents import BY_NAME, TEXT, Accent
from socp_client import Client
from socp_crypto import Json, key_text, read_key
from socp_reach import INTRODUCING, JOINING, Reach
from socp_scene import (
    KEYS,
    SMALL,
    Scene,
    announce,
    chosen,
    finish,
    hand_over,
    no_twins,
    report,
    same,
    tell,
)
from socp_server import Server
from socp_wire import Frame, Wrong

# One ERROR for a user who is not there, and one for each type that the partner does not know.
FEW, SOME = 3, 15


@dataclass
class Meeting:
    """Two servers with a link, and users who speak the accent of the one that is played here."""

    accent: Accent
    reach: Reach
    url: str
    scene: Scene
    peer: Server
    pat: Client  # at the server that is played
    kim: Client  # at the server under test, before there was a link
    lee: Client  # and after

    def checks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """In this order: a message may teach a server where somebody is."""
        reach = self.reach
        listed = {
            "told": (self.told, reach.told),
            "channel": (self.channel, reach.told and self.accent.server.channel), "hears": (self.hears, reach.hears),
            "direct_from": (self.direct_from, reach.direct_from),
            "direct_to": (self.direct_to, reach.direct_to),
            "twins": (self.twins, reach.twins and reach.direct_from),
            "public_from": (self.public_from, reach.public_from),
            "public_to": (self.public_to, reach.public_to),
            "file_from": (self.file_from, reach.file_from),
            "file_to": (self.file_to, reach.file_to),
            "unknown": (self.unknown, reach.direct_from),
            "gone_there": (self.gone_there, reach.told),
            "gone_here": (self.gone_here, reach.removes),
            "quiet": (self.quiet, True),
        }
        return [(name, check) for name, (check, can) in listed.items() if can]

    @property
    def ours(self) -> list[Client]:
        """Those of our users that the other server can know."""
        return [self.kim, self.lee] if self.reach.told else [self.kim]

    # --- presence --------------------------------------------------------------------------------

    async def told(self) -> None:
        for user in self.ours:
            await self.peer.wait_known(user.id)
            if self.accent.server.gossip_key == "none":
                continue
            # Whoever asks there for the key gets it in the container he can read.
            found = read_key(self.accent.crypto, self.peer.user_keys.get(user.id))
            same("the key in the gossip", found.public_numbers(),
                 user.key.public_key().public_numbers())

    async def channel(self) -> None:
        """Each of our users is said to be in the public channel, by the server that it is at."""
        for user in self.ours:
            said = (self.peer.locations[user.id], user.id)
            await self.peer.until(lambda: said in self.peer.channel, f"{user.id} in the channel")

    async def hears(self) -> None:
        if self.accent.user.lists is not None or self.accent.server.tells_clients:
            await self.kim.wait_listed(self.pat.id)
            await self.lee.wait_listed(self.pat.id)
        if self.accent.user.keys is not None and self.accent.server.gossip_key == "meta":
            same("the key of a remote user", await self.kim.key_of(self.pat), self.pat.key_text)

    # --- messages --------------------------------------------------------------------------------

    async def direct_to(self) -> None:
        for number, user in enumerate(self.ours):
            await tell(user, self.pat, f"over there {number}: é, 😀", self.pat.key_text,
                       verified=self.accent.server.ts != "changed")

    async def direct_from(self) -> None:
        for number, user in enumerate(self.ours):
            # What the other server re-stamps nobody can verify, unless it left the first time in.
            await tell(self.pat, user, f"over here {number}: é, 😀", user.key_text,
                       verified=self.accent.server.ts in ("kept", "orig_ts", "original_ts"))

    async def twins(self) -> None:
        """The same frame from a server twice is delivered once."""
        body = self.pat.direct_frame(self.kim.id, self.kim.key_text, "only once")
        link = self.peer.links[self.peer.locations[self.kim.id]]
        wrapped = self.peer.delivery(self.kim.id, body["payload"], self.pat.id, body["ts"], True)
        await self.peer.send(link.socket, wrapped)
        await self.peer.send(link.socket, wrapped)
        await tell(self.pat, self.kim, "after it", self.kim.key_text, verified=False)
        copies = [frame for frame in self.kim.frames if frame.type == "USER_DELIVER"
                  and frame.payload["ciphertext"] == body["payload"]["ciphertext"]]
        same("copies", len(copies), 1)

    async def public_from(self) -> None:
        await announce(self.pat, self.ours, "from over there")
        for user in self.ours:
            no_twins(user, "MSG_PUBLIC_CHANNEL")

    async def public_to(self) -> None:
        await announce(self.kim, [self.pat, self.lee], "from over here")
        for user in (self.pat, self.lee):
            no_twins(user, "MSG_PUBLIC_CHANNEL")

    async def file_from(self) -> None:
        """All of it, or what is left of it when the program that sends it has spoiled it."""
        match self.accent.server.files:
            case "typeless":
                await self._file_without_types()
            case "wrapped":
                await self._file_that_nobody_signed()
            case _:
                await hand_over(self.pat, self.kim)

    async def _file_without_types(self) -> None:
        """Its frames come as letters. Each is delivered once, in order and whole: no more is lost."""
        bodies = self.pat.file_frames(self.kim.id, self.kim.key_text, "a file.bin", SMALL)
        for body in bodies:
            await self.pat.send(body)
        sent = [body["payload"] for body in bodies]

        def got() -> list[Json]:
            delivered = [one.payload for one in self.kim.frames if one.type == "USER_DELIVER"]
            return [one for one in delivered if one.get("file_id") == sent[0]["file_id"]]

        await self.kim.wait_for(lambda _: len(got()) == len(sent), "all parts of a file")
        for there, here in zip(sent, got(), strict=True):
            # One adds the name of its user, and for the other no server may invent one.
            author = {} if self.accent.server.passes_payload else {"sender": self.pat.id}
            same("a part of a file", here, {**there, **author})

    async def _file_that_nobody_signed(self) -> None:
        """Neither the user nor the server has signed what goes out under the user's name."""
        before = len(self._refusals())
        file_id = await self.pat.file(self.kim.id, self.kim.key_text, "a file.bin", SMALL)
        # What is heard later on the same link has overtaken nothing.
        await tell(self.pat, self.kim, "after the file", self.kim.key_text, verified=False)
        if any(file_id in str(frame.raw) for frame in self.kim.frames):
            raise Wrong("a file that nobody has signed arrived")
        refused = self._refusals()[before:]
        same("what was said of it", [one.payload.get("code") for one in refused], ["INVALID_SIG"])

    def _refusals(self) -> list[Frame]:
        return [frame for frame in self.peer.heard if frame.type == "ERROR"]

    async def file_to(self) -> None:
        await hand_over(self.kim, self.pat)

    # --- ends ------------------------------------------------------------------------------------

    async def unknown(self) -> None:
        """A message to nobody is told to be one, or is dropped; the link stays as it is."""
        nobody, before = str(uuid.uuid4()), self.peer.errors_heard
        if not self.peer.links:
            raise Wrong("the link is gone")
        link = next(iter(self.peer.links.values()))
        self.peer.locations[nobody] = link.id
        body = self.pat.direct_frame(nobody, self.kim.key_text, "hello?")
        await self.peer.send(link.socket, self.peer.delivery(
            nobody, body["payload"], self.pat.id, body["ts"], True))
        await tell(self.pat, self.kim, "and on we go", self.kim.key_text, verified=False)
        del self.peer.locations[nobody]
        errors = [frame.payload.get("code") for frame in self.peer.heard if frame.type == "ERROR"]
        if self.peer.errors_heard > before + 1 or set(errors[before:]) - {"USER_NOT_FOUND"}:
            raise Wrong(f"answered with {errors[before:]}")

    async def gone_there(self) -> None:
        await self.lee.say_goodbye()
        await self.peer.wait_known(self.lee.id, known=False)

    async def gone_here(self) -> None:
        if self.accent.user.lists is None and not self.accent.server.tells_clients:
            return
        await self.pat.say_goodbye()
        await self.kim.wait_listed(self.pat.id, listed=False)
        since = self.kim.mark()
        await self.kim.direct(self.pat.id, self.pat.key_text, "gone")
        await self.kim.wait_error("USER_NOT_FOUND", since)

    async def quiet(self) -> None:
        """Nothing that the other program refused, and no storm of errors in either direction."""
        if self.peer.faults:
            raise Wrong(f"{self.accent.name} refused: {self.peer.faults[:4]}")
        for user in (self.kim, self.lee, self.pat):
            if user is not self.pat and user.faults:
                raise Wrong(f"{user.accent.name} stumbled over: {user.faults[:3]}")
        if not self.peer.links:
            raise Wrong("the link is gone")
        if self.peer.errors_heard > FEW:
            codes = [frame.payload for frame in self.peer.heard if frame.type == "ERROR"]
            raise Wrong(f"{self.peer.errors_heard} errors heard, such as {codes[:4]}")
        if self.peer.errors_said > SOME:
            raise Wrong(f"{self.peer.errors_said} errors were provoked")


async def meet(accent: Accent, reach: Reach, given: argparse.Namespace, scene: Scene) -> Meeting:
    """Brings two servers together: who is there before, the link, and who comes after."""
    listening: int | None = given.listen
    peer = await scene.server(accent, "north", introduces=listening is not None,
                              port=listening or 0, ready=listening is None)
    pat = await scene.client(peer.url, accent, "south")
    kim = await scene.client(given.url, accent, "alice")
    if listening is not None:
        door = {"url": peer.link_url, "id": peer.id, "key": peer.key_text}
        print(f"listening {json.dumps(door)}", flush=True)
        peer.ready.set()
        await peer.wait_linked(given.patience)
    else:
        await join(accent, peer, given)
    lee = await scene.client(given.url, accent, "bob")
    return Meeting(accent, reach, given.url, scene, peer, pat, kim, lee)


async def join(accent: Accent, peer: Server, given: argparse.Namespace) -> None:
    pin = None
    if given.key is not None:
        pin = key_text(accent.crypto, read_key(TEXT.crypto, given.key))
    await peer.join(given.url, pin)
    if accent.server.join == "joiner-drops":
        await peer.until(lambda: bool(peer.keys), "a WELCOME")

        def dropped() -> bool:
            # Whoever dials back at once is faster than we can look.
            return all(link.url != given.url for link in peer.links.values())

        await peer.until(dropped, "the end of the link that it drops")
    await peer.wait_linked(given.patience)


async def with_accent(accent: Accent, reach: Reach, given: argparse.Namespace) -> list[bool]:
    async with Scene() as scene:
        met: list[Meeting] = []

        async def link() -> None:
            met.append(await meet(accent, reach, given, scene))

        good = [await report(f"{accent.name}.link", link)]
        for meeting in met:
            good += [await report(f"{accent.name}.{name}", check)
                     for name, check in meeting.checks()
                     if chosen(f"{accent.name}.{name}", given.only, given.skip)]
        return good


async def run(given: argparse.Namespace) -> int:
    if given.listen is not None:
        names = {given.accent: INTRODUCING[given.accent]}
    else:
        names = {name: reach for name, reach in JOINING.items()
                 if given.accent in (None, name) and name not in given.skip}
    good = [await with_accent(BY_NAME[name], reach, given) for name, reach in names.items()]
    return finish([one for some in good for one in some])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the server under test, ws://host:port")
    parser.add_argument("--key", help="its key, base64url of DER")
    parser.add_argument("--listen", type=int, metavar="PORT",
                        help="be an introducer; 0 is any port")
    parser.add_argument("--accent", choices=sorted(INTRODUCING))
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS",
                        help="how long an introducer waits to be dialled")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME")
    given = parser.parse_args()
    if given.listen is not None and given.accent is None:
        parser.error("--listen needs an --accent")
    given.url = given.url.rstrip("/")
    KEYS.make_all()
    return asyncio.run(run(given))


if __name__ == "__main__":
    sys.exit(main())
