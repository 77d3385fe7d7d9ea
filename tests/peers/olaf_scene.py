"""What every check stands on: the address under test, the people in the room, and the fence.

A `Scene` is one check's room; whoever joins is sent home at its end. `fence` is how the suite says
"never" without waiting for luck: everything a speaker sent is handled before its next good frame,
so when that one (or the end of its connection) has been seen, whatever is missing stays missing.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from olaf_accents import TS, Accent
from olaf_client import Client, Frame, Roster, Wrong
from olaf_crypto import KeyPool, PrivateKey
from olaf_wire import Recipient, Sent

# Not ASCII, beyond the basic plane, and with the characters that JSON printers disagree on.
GREETING = 'Grüße, 世界 😀 </b> "quoted" \\ and a tab\t'


@dataclass
class World:
    """What the command line said."""

    url: str
    http: str | None = None
    hello_timeout: float = 10.0
    max_upload: int | None = None
    keys: KeyPool = field(default_factory=KeyPool)


class Scene:
    """One check's room."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._guests: list[Client] = []

    async def __aenter__(self) -> Scene:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(guest.close() for guest in self._guests), return_exceptions=True)

    async def open(self, accent: Accent, key: PrivateKey | None = None,
                   ping: float = 20.0) -> Client:
        """Connects somebody who says nothing yet."""
        client = await Client.open(self.world.url, accent, key or self.world.keys.take(), ping)
        self._guests.append(client)
        return client

    async def join(self, accent: Accent, key: PrivateKey | None = None) -> Client:
        """Connects somebody and says hello."""
        client = await self.open(accent, key)
        await client.hello()
        return client

    async def cast(self, *accents: Accent) -> list[Client]:
        """Several people, who all see each other."""
        people = [await self.join(accent) for accent in accents]
        for one in people:
            await one.knows(*people)
        return people


Check = Callable[[Scene], Awaitable[None]]


def token() -> str:
    """A text that occurs nowhere else."""
    return secrets.token_hex(12)


async def receive(client: Client, sent: Sent, since: int = 0) -> Frame:
    """Waits for `sent` and demands that it is what was sent."""
    got = await client.wait_for(lambda frame: frame.has(sent), "the frame that was sent", since)
    fault = difference(client.accent, sent, got)
    if fault is not None:
        raise Wrong(f"{client.accent.name} received {fault}")
    return got


def difference(reader: Accent, sent: Sent, got: Frame) -> str | None:
    """How `got` is not what `reader` needs of `sent`; None if it is.

    Everybody needs the bytes. A reader that only understands objects needs a `data` string unfolded
    into the object it holds, keys in order, and all else untouched.
    """
    if not isinstance(got.raw, str):
        return "a binary frame"
    if not reader.wants_object or not isinstance(sent.data, str):
        return None if got.raw == sent.raw else f"other bytes: {got.raw:.200}"
    body, data = got.body or {}, (got.body or {}).get("data")
    if not isinstance(data, dict):
        return f"data as {type(data).__name__}, but needs an object"
    if list(_pairs(data)) != list(_pairs(json.loads(sent.data))):
        return "another object than the data string holds"
    envelope = (body.get("type"), body.get("counter"), body.get("signature"))
    if envelope != ("signed_data", sent.counter, sent.signature):
        return "another envelope"
    return None


def _pairs(data: dict[str, object]) -> list[tuple[str, str]]:
    """The members of an object in order, compared as JSON."""
    return [(key, json.dumps(value)) for key, value in data.items()]


def recipient(sender: Client, reader: Client) -> Recipient:
    """`reader` as `sender` finds it in its latest complete list."""
    from_lists = [frame for frame in sender.frames if frame.is_list()]
    if not from_lists:
        raise Wrong("no list yet")
    roster = Roster.read(sender.accent, from_lists[-1].body or {})
    return Recipient(reader.pem, roster.home_of(reader.pem))


async def fence(speaker: Client, bystander: Client, watcher: Client) -> None:
    """Returns when all that `speaker` sent so far has been handled, and the others are served."""
    await _heard_or_closed(speaker, watcher)
    sent = await bystander.public(f"fence {token()}")
    await receive(watcher, sent)


async def _heard_or_closed(speaker: Client, watcher: Client) -> None:
    if speaker.closed:
        return
    sent = await speaker.public(f"fence {token()}")
    heard = asyncio.create_task(watcher.wait_for(lambda frame: frame.has(sent), "a later frame"))
    ended = asyncio.create_task(speaker.wait_closed())
    done, rest = await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


async def stays_and_is_heard(speaker: Client, watcher: Client) -> None:
    """The connection must have survived, and its next good frame must arrive."""
    sent = await speaker.public(f"still here {token()}")
    try:
        await receive(watcher, sent)
    except Wrong as fault:
        if speaker.closed:
            raise Wrong(f"the connection was closed with {speaker.close_code}") from None
        raise Wrong(f"a later good frame is lost: {fault}") from None


def never_saw(watcher: Client, text: str) -> None:
    """Nothing with `text` in it may have reached `watcher`."""
    for frame in watcher.frames:
        raw = frame.raw if isinstance(frame.raw, str) else frame.raw.decode(errors="replace")
        if text in raw:
            raise Wrong(f"{watcher.accent.name} was sent what it should never see: {raw:.160}")


def closed_politely(client: Client) -> None:
    """Open, or closed with a code that says why: never torn (1006), never a crash (1011)."""
    if client.closed and client.close_code in (None, 1006, 1011):
        raise Wrong(f"closed with {client.close_code}")


async def watchers(scene: Scene) -> tuple[Client, Client]:
    """A bystander who speaks and a watcher who listens, both well behaved."""
    bystander, watcher = await scene.cast(TS, TS)
    return bystander, watcher
