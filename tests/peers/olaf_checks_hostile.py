"""What a stranger must not achieve: forged, replayed, untimely and weakly signed frames."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from olaf_accents import CAM, G17, KAT, TS, Accent
from olaf_client import Client, Roster, Wrong
from olaf_crypto import new_key, pem_text, sign
from olaf_scene import (
    Check,
    Scene,
    closed_politely,
    fence,
    never_saw,
    receive,
    recipient,
    stays_and_is_heard,
    token,
    watchers,
)
from olaf_wire import Sent, frame, seal, sign_frame, unsigned

POLICY = 1008


async def _refused(client: Client) -> None:
    code = await client.wait_closed()
    if code != POLICY:
        raise Wrong(f"closed with {code}, not {POLICY}")


async def silence(scene: Scene) -> None:
    """Who says no hello is sent away in time, pings or no pings, and not before its time."""
    limit = scene.world.hello_timeout
    silent, pinging = await scene.open(TS), await scene.open(TS, ping=0.3)
    since = time.monotonic()
    await asyncio.gather(silent.wait_closed(limit + 3), pinging.wait_closed(limit + 3))
    if time.monotonic() - since < limit - 1:
        raise Wrong("closed before the hello timeout")
    closed_politely(silent)
    closed_politely(pinging)


def _forge(sent: Sent, accent: Accent) -> Sent:
    """The same frame with a well-formed signature by somebody else."""
    return frame(accent, sent.data, sent.counter, sign(new_key(), "other text"))


async def bad_hello(accent: Accent, scene: Scene) -> None:
    """A hello with a wrong signature closes with 1008 and lists nobody."""
    bystander, watcher = await watchers(scene)
    liar = await scene.open(accent)
    await liar.send(_forge(liar.hello_frame(), accent).raw)
    await _refused(liar)
    if liar.pem in (await watcher.ask_list()).pems():
        raise Wrong("the key is listed all the same")


async def bad_public(accent: Accent, scene: Scene) -> None:
    """A public chat with a wrong signature closes with 1008 and reaches nobody."""
    bystander, watcher = await watchers(scene)
    liar = await scene.join(accent)
    text = token()
    await liar.send(_forge(liar.public_frame(text), accent).raw)
    await _refused(liar)
    await fence(liar, bystander, watcher)
    never_saw(watcher, text)


async def bad_private(scene: Scene) -> None:
    """A private chat with a wrong signature closes with 1008 and reaches nobody."""
    bystander, watcher = await watchers(scene)
    liar = await scene.join(TS)
    target = recipient(liar, watcher)
    forged = _forge(liar.sign(seal(TS, target, [target], "hush")), TS)
    await liar.send(forged.raw)
    await _refused(liar)
    await fence(liar, bystander, watcher)
    never_saw(watcher, forged.signature)


async def weak_key(bits: int, exponent: int, scene: Scene) -> None:
    """A key that the protocol does not allow is refused, though its signature is good."""
    _, watcher = await watchers(scene)
    client = await scene.open(TS, new_key(bits, exponent))
    await client.send(client.hello_frame().raw)
    await _refused(client)
    if client.pem in (await watcher.ask_list()).pems():
        raise Wrong("the key is listed all the same")


async def counters(accent: Accent, scene: Scene) -> None:
    """Equal and lower counters are dropped without a word; the next higher one is delivered."""
    _, watcher = await watchers(scene)
    client = await scene.join(accent)
    client.counter += 10
    good = await client.public(token())
    await receive(watcher, good)
    texts = {counter: token() for counter in (client.counter - 1, client.counter - 5)}
    for counter, text in texts.items():
        await client.send(client.public_frame(text, counter).raw)
    await stays_and_is_heard(client, watcher)
    for text in texts.values():
        never_saw(watcher, text)


async def replay_own(accent: Accent, scene: Scene) -> None:
    """A recorded public chat is dead on a new connection of the same key."""
    bystander, watcher = await watchers(scene)
    first = await scene.join(accent)
    first.counter += 50
    sent = await first.public(token())
    await receive(watcher, sent)
    await first.close()
    second = await scene.join(accent, first.key)
    await second.send(sent.raw)
    second.counter += 100
    await fence(second, bystander, watcher)
    _seen_once(watcher, sent)


async def replay_foreign(scene: Scene) -> None:
    """A recorded public chat is dead on somebody else's connection."""
    bystander, watcher = await watchers(scene)
    author, thief = await scene.join(TS), await scene.join(TS)
    author.counter += 50
    sent = await author.public(token())
    await receive(watcher, sent)
    await thief.send(sent.raw)
    thief.counter += 100
    await fence(thief, bystander, watcher)
    _seen_once(watcher, sent)
    closed_politely(thief)


def _seen_once(watcher: Client, sent: Sent) -> None:
    times = sum(frame.has(sent) for frame in watcher.frames)
    if times != 1:
        raise Wrong(f"the recorded frame was delivered {times} times")


async def replay_hello(scene: Scene) -> None:
    """A recorded hello brings nobody back online."""
    _, watcher = await watchers(scene)
    victim = await scene.open(TS)
    recorded = victim.hello_frame()
    await victim.send(recorded.raw)
    await watcher.knows(victim)
    since = watcher.mark()
    await victim.close()
    await watcher.wait_roster(lambda roster: victim.pem not in roster.pems(),
                              "a list without the victim", since)
    since = watcher.mark()
    thief = await scene.open(TS)
    await thief.send(recorded.raw)
    await thief.wait_closed(scene.world.hello_timeout + 3)
    await watcher.ask_list()
    lists = [frame for frame in watcher.frames[since:] if frame.is_list()]
    if any(victim.pem in Roster.read(TS, frame.body or {}).pems() for frame in lists):
        raise Wrong("the replayed hello was listed")
    closed_politely(thief)


async def false_sender(accent: Accent, scene: Scene) -> None:
    """A public chat under somebody else's name, rightly signed by me, reaches nobody."""
    bystander, watcher = await watchers(scene)
    victim, liar = await scene.join(accent), await scene.join(accent)
    text = token()
    data = {"type": "public_chat", "sender": victim.name, "message": text}
    await liar.send(liar.sign(data).raw)
    await fence(liar, bystander, watcher)
    never_saw(watcher, text)
    closed_politely(liar)


async def early(scene: Scene) -> None:
    """Nothing that is said before hello is routed, not even after a later hello."""
    bystander, watcher = await watchers(scene)
    hasty = await scene.open(TS)
    hasty.counter += 1
    text = token()
    await hasty.send(hasty.public_frame(text).raw)
    await hasty.send(hasty.hello_frame().raw)
    await fence(hasty, bystander, watcher)
    never_saw(watcher, text)
    closed_politely(hasty)


async def many_devices(scene: Scene) -> None:
    """Several connections of one key are all served, with counters of their own; one listing."""
    _, watcher = await watchers(scene)
    key = scene.world.keys.take()
    devices = [await scene.join(TS, key) for _ in range(3)]
    for speaker in (watcher, *devices):
        sent = await speaker.public(token())
        for reader in (watcher, *devices):
            await receive(reader, sent)
    count = (await watcher.ask_list()).pems().count(devices[0].pem)
    if count != 1:
        raise Wrong(f"the key is listed {count} times")
    await devices[0].close()
    await receive(devices[1], await devices[2].public(token()))
    if devices[1].pem not in (await watcher.ask_list()).pems():
        raise Wrong("the key is gone although two connections are left")


async def second_hello(same_key: bool, scene: Scene) -> None:
    """A second hello is ignored or refused, and leaves no ghost behind."""
    bystander, watcher = await watchers(scene)
    client = await scene.join(TS)
    await watcher.knows(client)
    since = watcher.mark()
    key = client.key if same_key else scene.world.keys.take()
    pem = pem_text(key.public_key(), TS.pem)
    again = sign_frame(TS, key, {"type": "hello", "public_key": pem}, client.counter)
    client.counter += 1
    await client.send(again.raw)
    await fence(client, bystander, watcher)
    closed_politely(client)
    await client.close()
    await watcher.wait_roster(lambda roster: not {client.pem, pem} & set(roster.pems()),
                              "a list without the keys of the one who left", since)


async def binary(scene: Scene) -> None:
    """A binary frame that holds UTF-8 JSON is taken as text, and goes out as text."""
    _, watcher = await watchers(scene)
    client = await scene.open(CAM)
    since = client.mark()
    await client.send(client.hello_frame().raw.encode())
    await client.wait_roster(lambda roster: client.pem in roster.pems(), "a list", since)
    sent = client.public_frame(token())
    await client.send(sent.raw.encode())
    await receive(watcher, sent)


async def forged_list(scene: Scene) -> None:
    """A client that plays server (`client_update`, `client_list`) changes no list."""
    bystander, watcher = await watchers(scene)
    client = await scene.join(TS)
    ghost = pem_text(scene.world.keys.take().public_key(), TS.pem)
    await client.send(unsigned(TS, {"type": "client_update", "clients": [ghost]}))
    await client.send(unsigned(TS, {"type": "client_list", "servers": [
        {"address": "ghost.example:1", "clients": [ghost]}]}))
    await fence(client, bystander, watcher)
    await watcher.ask_list()
    never_saw(watcher, ghost.splitlines()[1])
    closed_politely(client)


def checks() -> list[tuple[str, Check]]:
    listed: list[tuple[str, Check]] = []
    for accent in (TS, KAT, G17):
        listed += [
            (f"hostile.signature_hello.{accent.name}", partial(bad_hello, accent)),
            (f"hostile.signature_public.{accent.name}", partial(bad_public, accent)),
            (f"hostile.counter.{accent.name}", partial(counters, accent)),
            (f"hostile.false_sender.{accent.name}", partial(false_sender, accent)),
            (f"hostile.replay_own.{accent.name}", partial(replay_own, accent)),
        ]
    return [
        *listed,
        ("hostile.signature_chat", bad_private),
        ("hostile.key_1024", partial(weak_key, 1024, 65537)),
        ("hostile.key_4096", partial(weak_key, 4096, 65537)),
        ("hostile.key_exponent_3", partial(weak_key, 2048, 3)),
        ("hostile.replay_foreign", replay_foreign),
        ("hostile.replay_hello", replay_hello),
        ("hostile.early", early),
        ("hostile.many_devices", many_devices),
        ("hostile.second_hello_same_key", partial(second_hello, True)),
        ("hostile.second_hello_other_key", partial(second_hello, False)),
        ("hostile.binary", binary),
        ("hostile.forged_list", forged_list),
        ("hostile.silence", silence),
    ]
