"""What two users of one accent, and users of two accents, must find on any one server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from socp_accents import ACCENTS, Accent
from socp_client import Client
from socp_crypto import key_text, new_key, read_key
from socp_scene import (
    KEYS,
    SMALL,
    Scene,
    announce,
    hand_over,
    no_twins,
    same,
    tell,
)
from socp_session import DEADLINE
from socp_wire import Wrong, signature

Check = Callable[[str], Awaitable[None]]
Pair = Callable[[Accent, Scene, Client, Client], Awaitable[None]]


def clean(*clients: Client) -> None:
    """That the server sent nothing that this accent would stumble over."""
    for client in clients:
        if client.faults:
            raise Wrong(f"{client.accent.name} stumbled over: {client.faults[:3]}")


def sees_presence(accent: Accent) -> bool:
    """Whether its users have any way to learn who is there."""
    return accent.user.lists is not None or accent.server.tells_clients


async def wait_gone(watcher: Client, gone: Client) -> None:
    """Waits until the server has noticed that `gone` has left."""
    if sees_presence(watcher.accent):
        await watcher.wait_listed(gone.id, listed=False)
        return
    since, until = watcher.mark(), time.monotonic() + DEADLINE
    while not any(frame.type == "ERROR" for frame in watcher.frames[since:]):
        if time.monotonic() > until:
            raise Wrong(f"messages to one who has left are still taken after {DEADLINE:.0f} s")
        await watcher.direct(gone.id, gone.key_text, "gone?")
        await asyncio.sleep(0.05)  # what is delivered to the air is not confirmed: ask again
    await watcher.wait_error("USER_NOT_FOUND", since)


async def with_pair(accent: Accent, check: Pair, url: str) -> None:
    async with Scene() as scene:
        alice = await scene.client(url, accent, "alice")
        bob = await scene.client(url, accent, "bob")
        await check(accent, scene, alice, bob)
        clean(alice, bob)


# --- what works ----------------------------------------------------------------------------------


async def hello(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    if not alice.server_id:
        raise Wrong("an answer to a USER_HELLO that does not say who the server is")
    same("the server's id", bob.server_id, alice.server_id)
    if accent.user.ids == "assigned" and (alice.id == bob.id or "Guest" in (alice.id, bob.id)):
        raise Wrong(f"no ids were given out: {alice.id!r}, {bob.id!r}")


async def listed(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    """The list in its own spelling; where there is none, the gossip that servers pass on."""
    if sees_presence(accent):
        await alice.wait_listed(bob.id)
    if accent.user.lists is None:
        return
    await bob.wait_listed(alice.id)
    names = await alice.online()
    if not accent.user.names_recipient:
        same("the order of the list", names, sorted(names))
    same("its own name in the list", alice.id in names, True)


async def key(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    """The key of another user, in the container that this accent reads."""
    if accent.user.keys is not None:
        text = await alice.key_of(bob)
    elif accent.server.tells_clients:
        await alice.wait_listed(bob.id)
        text = alice.presence()[bob.id]
    else:
        return  # brought from outside
    found = read_key(accent.crypto, text)
    same("the key", found.public_numbers(), bob.key.public_key().public_numbers())


async def direct(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    body = await alice.direct(bob.id, await alice.key_of(bob), "shape")
    await bob.receive(0, body["payload"]["ciphertext"])
    frame = await bob.wait_type("USER_DELIVER")
    assert frame.body is not None
    same("from of a USER_DELIVER", frame.body["from"], alice.server_id)
    same("to of a USER_DELIVER", frame.body["to"], bob.id)
    for name in ("ciphertext", "sender_pub", "content_sig"):
        same(name, frame.payload.get(name), body["payload"][name])
    kept = frame.payload["original_ts"] if "original_ts" in frame.payload else frame.body["ts"]
    same("ts", float(kept), float(body["ts"]))
    for sender, to in ((bob, alice), (alice, bob)):
        await tell(sender, to, "é, 😀 and \"quotes\"")
        await tell(sender, to, "long " * 300)
    await tell(alice, bob, "")
    no_twins(bob, "USER_DELIVER")


async def public(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    await announce(alice, [bob], "to all: é")
    await announce(bob, [alice], "all the same")
    no_twins(bob, "MSG_PUBLIC_CHANNEL")
    no_twins(alice, "MSG_PUBLIC_CHANNEL")


async def file(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    await hand_over(alice, bob, await alice.key_of(bob))
    await hand_over(bob, alice, await bob.key_of(alice))


async def heartbeat(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    since = alice.mark()
    await alice.heartbeat()
    await tell(bob, alice, "still there?")
    heard = [frame.type for frame in alice.frames[since:] if frame.type in ("HEARTBEAT", "ERROR")]
    same("answers to a HEARTBEAT", heard, [])


async def leaving(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    if sees_presence(accent):
        await alice.wait_listed(bob.id)
    await bob.say_goodbye()
    await wait_gone(alice, bob)
    since = alice.mark()
    await alice.direct(bob.id, bob.key_text, "gone")
    await alice.wait_error("USER_NOT_FOUND", since)


async def coming_back(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    """An id is free again once its user has left."""
    await bob.say_goodbye()
    await wait_gone(alice, bob)
    again = await scene.connect(url_of(alice), accent, "bob")
    again.id = bob.id
    await again.hello()
    await tell(alice, again, "welcome back")


def url_of(client: Client) -> str:
    host, port = client.socket.remote_address[:2]
    return f"ws://{host}:{port}"


# --- what is refused -----------------------------------------------------------------------------


async def unknown_user(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    nobody, since = str(uuid.uuid4()), alice.mark()
    await alice.direct(nobody, bob.key_text, "hello?")
    await alice.wait_error("USER_NOT_FOUND", since)
    since = alice.mark()
    await alice.send(alice.file_frames(nobody, bob.key_text, "a.bin", SMALL)[0])
    await alice.wait_error("USER_NOT_FOUND", since)


async def unknown_type(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    since = alice.mark()
    await alice.send(alice.frame("MSG_NOVEL", alice.server_name, {}))
    await alice.wait_error("UNKNOWN_TYPE", since)
    await tell(alice, bob, "and on we go")


async def server_types(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    """A user is no server, whatever he says."""
    since, forged = alice.mark(), alice.direct_frame(bob.id, bob.key_text, "from your server")
    payload = {**forged["payload"], "user_id": bob.id, "sender": str(uuid.uuid4())}
    body = alice.frame("SERVER_DELIVER", alice.server_id, payload)
    body.pop("recipient", None)
    await alice.send(body)
    await alice.wait_for(lambda frame: frame.type == "ERROR", "an ERROR", since)
    await tell(alice, bob, "myself")
    same("messages", sum(frame.type == "USER_DELIVER" for frame in bob.frames), 1)


async def wrong_signature(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    if not accent.user.signs:
        return
    since = alice.mark()
    body = alice.direct_frame(bob.id, bob.key_text, "not signed by me")
    await alice.send({**body, "sig": signature(accent, bob.key, body["payload"])})
    await alice.wait_error("INVALID_SIG", since)
    await tell(alice, bob, "signed by me")
    same("messages", sum(frame.type == "USER_DELIVER" for frame in bob.frames), 1)


async def false_sender(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    """Nobody speaks in the name of somebody else."""
    since = bob.mark()
    name, alice.id = alice.id, str(uuid.uuid4())
    await alice.direct(bob.id, bob.key_text, "in a false name")
    alice.id = name
    await alice.wait_for(lambda frame: frame.type == "ERROR", "an ERROR")
    await tell(alice, bob, "in my name")
    texts = [frame for frame in bob.frames[since:] if frame.type == "USER_DELIVER"]
    same("messages", len(texts), 1)


async def hello_forged(accent: Accent, url: str) -> None:
    async with Scene() as scene:
        thief = await scene.connect(url, accent, "alice")
        body = thief.hello_frame()
        await thief.send({**body, "sig": signature(accent, KEYS["bob"], body["payload"])})
        await thief.wait_error("INVALID_SIG")


async def hello_small_key(accent: Accent, url: str) -> None:
    async with Scene() as scene:
        client = await scene.connect(url, accent, "alice")
        client.key = new_key(2048)
        client.key_text = key_text(accent.crypto, client.key.public_key())
        await client.send(client.hello_frame())
        await client.wait_error("BAD_KEY")


async def name_in_use(accent: Accent, scene: Scene, alice: Client, bob: Client) -> None:
    double = await scene.connect(url_of(alice), accent, "alice")
    double.id = alice.id
    await double.send(double.hello_frame())
    await double.wait_error("NAME_IN_USE")
    await tell(bob, alice, "you are still you")


# --- two accents ---------------------------------------------------------------------------------


def understands(reader: Accent, writer: Accent) -> bool:
    """Whether a direct message of `writer` is shown by `reader` as good, by what is known."""
    ours, theirs = reader.crypto, writer.crypto
    if ours.key != theirs.key or ours.base64 != theirs.base64:
        return False
    if reader.user.on_bad_content == "ignores":
        return True
    salt = ours.accepts in ("any", theirs.salt)
    # A time with fractions is written in a way of its own.
    return ours.content == theirs.content and salt and not writer.user.float_ts


async def between(writer: Accent, reader: Accent, url: str) -> None:
    async with Scene() as scene:
        alice = await scene.client(url, writer, "alice")
        bob = await scene.client(url, reader, "bob")
        await tell(alice, bob, "between two worlds", bob.key_text)
        clean(alice, bob)


def checks() -> Iterator[tuple[str, Check]]:
    pairs: dict[str, Pair] = {
        "hello": hello, "list": listed, "key": key, "direct": direct, "public": public,
        "file": file, "heartbeat": heartbeat, "leaving": leaving, "coming_back": coming_back,
        "unknown_user": unknown_user, "unknown_type": unknown_type, "server_types": server_types,
        "wrong_signature": wrong_signature, "false_sender": false_sender,
        "name_in_use": name_in_use,
    }
    for accent in ACCENTS:
        for name, check in pairs.items():
            if accent.user.ids == "assigned" and check in (name_in_use, coming_back):
                continue
            yield f"{accent.name}.{name}", partial(with_pair, accent, check)
        yield f"{accent.name}.hello_forged", partial(hello_forged, accent)
        yield f"{accent.name}.small_key", partial(hello_small_key, accent)
    for writer in ACCENTS:
        for reader in ACCENTS:
            if writer is not reader and understands(reader, writer):
                yield f"between.{writer.name}.{reader.name}", partial(between, writer, reader)
