"""One check's cast: clients that are gone when the check is over, names of its own, and its report."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Callable

from tpacket_client import Client
from tpacket_wire import PATIENCE, Ended, Wrong

NAMES = itertools.count(1)


class Scene:
    def __init__(self, address: str) -> None:
        self.address = address
        self.clients: list[Client] = []
        self.mark = next(NAMES)

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()

    def name(self, name: str) -> str:
        """A nick or a room that no other check uses."""
        return f"{name}-{self.mark}"

    def once(self, name: str) -> str:
        """One that nobody else in this check has either."""
        return f"{name}-{next(NAMES)}"

    def dial(self, path: str = "/", receive_buffer: int | None = None) -> Client:
        """A client at its lowest level of trust."""
        client = Client(self.address, receive_buffer)
        self.clients.append(client)
        client.socket.upgrade(path)
        return client

    def named(self, nick: str, version: int = 0, **more: int) -> Client:
        client = self.dial(**more)
        client.call(self.name(nick), version)
        return client

    def guest(self, nick: str, room: str = "room", version: int = 0, **more: int) -> Client:
        client = self.named(nick, version, **more)
        client.enter(self.name(room))
        return client

    def pair(self, room: str = "room") -> tuple[Client, Client]:
        alice = self.guest("alice", room)
        bob = self.guest("bob", room)
        alice.hears_come(bob)
        return alice, bob


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.160} instead of {wanted!r:.160}")


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Asks again until it holds, for as long as anything may take."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Wrong(f"never: {what}")
        time.sleep(0.01)


def ended(client: Client, code: int, words: str) -> None:
    last = client.ends()
    same("the end", (last.code, last.words), (code, words))


Check = Callable[[Scene], None]


def report(name: str, check: Check, address: str, witness: Client) -> bool:
    """Plays one check. Whatever happens in it, the witness in another room must not be harmed."""
    try:
        with Scene(address) as scene:
            check(scene)
        witness.tells(f"after {name}", [])
    except (Wrong, Ended, OSError, ValueError) as error:
        where = traceback.extract_tb(error.__traceback__)
        lines = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in where]
        print(f"FAIL {name}: {type(error).__name__}: {error} ({' < '.join(reversed(lines))})")
        return False
    print(f"ok {name}", flush=True)
    return True


def chosen(name: str, only: list[str], skip: list[str]) -> bool:
    parts = {name, name.split(".")[0], name.split(".")[-1]}
    return (not only or not parts.isdisjoint(only)) and parts.isdisjoint(skip)
