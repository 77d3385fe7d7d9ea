"""The rendezvous of a server that is already up, met by its first clients and by byte streams of all kinds.

    python tests/peers/rendezvous_suite.py --door 127.0.0.1:8888 --only mesh

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`. The exit status is 0 only if
something ran and nothing failed. A function `group__name` is the check `group.name`; each group needs a server with settings
of its own, as tests/black_box/rendezvous.rs gives it.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable

from rendezvous_original import Original

PATIENCE = 30.0
PORTS = itertools.count(1)


class Wrong(Exception):
    pass


def same(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.300} instead of {wanted!r:.300}")


def eventually(what: str, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise Wrong(f"{what}, for {patience} s")
        time.sleep(0.02)


class Raw:
    """A socket that says what it is told, and keeps what it hears with the moment when it came."""

    def __init__(self, door: str, source: str | None = None) -> None:
        host, port = door.rsplit(":", 1)
        host = host.strip("[]")
        self.socket = socket.create_connection((host, int(port)), 10, (source, 0) if source else None)
        self.socket.settimeout(None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard: list[tuple[float, bytes]] = []
        self.is_closed = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        try:
            while piece := self.socket.recv(65536):
                self.heard.append((time.monotonic(), piece))
        except OSError:
            pass
        self.is_closed = True

    def say(self, text: bytes | str) -> None:
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def text(self) -> str:
        return b"".join(piece for _, piece in self.heard).decode()

    def lists(self) -> list[list[str]]:
        """Every list that is whole so far."""
        parts = self.text().split("list:\n")[1:]
        return [[line for line in part.split("\n") if ":" in line] for part in parts]

    def last(self) -> list[str]:
        return self.lists()[-1] if self.lists() else []

    def lines(self, verb: str) -> list[dict[str, str]]:
        found = [line.split(" ")[2:] for line in self.text().split("\n") if line.startswith(f"kith/1 {verb} ")]
        return [dict(word.partition("=")[::2] for word in words) for words in found]

    def close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.reader.join(10)


class Scene:
    def __init__(self, door: str) -> None:
        self.door = door
        self.cast: list[Raw | Original | socket.socket] = []

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.cast:
            one.close()
        # The next check shall find nobody.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                watcher = Raw(self.door)
            except ConnectionRefusedError:
                return
            own = f"127.0.0.1:{free_port()}"
            watcher.say(own + "\n")
            try:
                eventually("a list", lambda: watcher.last() == [own], 1)
                return
            except Wrong:
                if watcher.is_closed:
                    return
            finally:
                watcher.close()

    def original(self, **more: str) -> Original:
        client = Original(self.door, **more)
        self.cast.append(client)
        return client

    def raw(self, source: str | None = None) -> Raw:
        raw = Raw(self.door, source)
        self.cast.append(raw)
        return raw

    def member(self, ending: str = "\n") -> tuple[Raw, str]:
        """Somebody who reads lists, and where she listens."""
        raw, own = self.raw(), f"127.0.0.1:{free_port()}"
        raw.say(own + ending)
        eventually(f"{own} in its own list", lambda: own in raw.last())
        return raw, own

    def listener(self, ending: str) -> tuple[Raw, str]:
        """Somebody who closes its side when it has registered, and reads on."""
        raw, own = self.raw(), f"127.0.0.1:{free_port()}"
        raw.say(own + ending)
        raw.socket.shutdown(socket.SHUT_WR)
        eventually(f"{own} in its own list", lambda: own in raw.last())
        return raw, own

    def node(self, listens: bool = True) -> tuple[Raw, str]:
        """Somebody who knows the new form, dialable or not."""
        if listens:
            listener = socket.create_server(("127.0.0.1", 0))
            self.cast.append(listener)
            own = "%s:%d" % listener.getsockname()
        else:
            own = f"127.0.0.1:{free_port()}"
        raw = self.raw()
        raw.say(own)
        eventually("the greeting", lambda: raw.text().startswith("kith/1\n"))
        raw.say("kith/1 node\n")
        eventually("itself in the directory", lambda: own in places(raw))
        return raw, own


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def directory(raw: Raw) -> list[tuple[str, list[str]]]:
    """The newest whole directory: addresses with their words."""
    text = raw.text()
    end = text.rfind("kith/1 end ")
    start = text.rfind("kith/1 directory ", 0, end)
    if end < 0 or start < 0:
        return []
    found = []
    for line in text[start:end].split("\n"):
        words = line.split(" ")
        if words[1:2] == ["member"]:
            at = next(word[3:] for word in words if word.startswith("at="))
            found.append((at, [word for word in words[2:] if "=" not in word]))
    return found


def places(raw: Raw) -> list[str]:
    return [at for at, _ in directory(raw)]


def is_meshed(clients: list[Original]) -> bool:
    return all(client.links() == len(clients) - 1 for client in clients)


# -- the first clients -----------------------------------------------------------------------------------------


def mesh(scene: Scene, count: int, at_once: bool) -> list[Original]:
    clients = []
    for _ in range(count):
        clients.append(scene.original())
        if not at_once:
            eventually("its list", lambda: bool(clients[-1].lists))
    eventually(f"{count} clients are no mesh", lambda: is_meshed(clients))
    for one, other in itertools.combinations(clients, 2):
        pair = [one.own in other.dialled, other.own in one.dialled]
        same(f"links between {one.own} and {other.own}", sum(pair), 1)
    same("ends", [client.ending for client in clients], [None] * count)
    return clients


def mesh__of_three_one_after_another(scene: Scene) -> None:
    clients = mesh(scene, 3, at_once=False)
    same("the order", clients[0].lists[-1], [client.own for client in clients])
    same("whom the first dials", sorted(clients[0].dialled), sorted(client.own for client in clients[1:]))
    same("whom the last dials", clients[2].dialled, {})


def mesh__of_three_at_once(scene: Scene) -> None:
    mesh(scene, 3, at_once=True)


def mesh__of_seven(scene: Scene) -> None:
    mesh(scene, 7, at_once=True)


def mesh__says_hello_wrongly_and_nobody_minds(scene: Scene) -> None:
    one, other = mesh(scene, 2, at_once=False)
    eventually("a hello", lambda: bool(other.greeted))
    same("the hello", other.greeted, [f"Hello from:{other.own}"])


def mesh__hears_nothing_but_lists_apart(scene: Scene) -> None:
    clients = mesh(scene, 4, at_once=True)
    for client in clients:
        for text in client.texts[1:]:
            same("lists in one read", (text[:5], text.count(b"list:")), (b"list:", 1))
        same("the first words", client.texts[0], b"kith/1\n")


def mesh__with_a_node_and_somebody_who_ends_lines(scene: Scene) -> None:
    first = scene.original()
    eventually("a list", lambda: bool(first.lists))
    node, own = scene.node()
    last = scene.original()
    eventually("all three", lambda: len(places(node)) == 3)
    same("the order", places(node), [first.own, own, last.own])
    eventually("the links", lambda: own in first.dialled and last.own in first.dialled)


def mesh__around_an_entry_that_stays_dead(scene: Scene) -> None:
    first = scene.original()
    eventually("a list", lambda: bool(first.lists))
    _, dead = scene.member(ending="")
    last = scene.original()
    # Lists are repeated every 15 s, and every second one begins elsewhere.
    eventually("the link behind it", lambda: last.own in first.dialled, 60)
    same("the order", first.lists[-2:], [[first.own, dead, last.own], [first.own, last.own, dead]])
    same("it was tried", first.attempts.count(dead) > 1, True)
    same("one link", (list(first.dialled), last.links()), ([last.own], 1))


def departure__tells_the_others_with_a_nul(scene: Scene) -> None:
    clients = mesh(scene, 3, at_once=False)
    clients[1].close()
    eventually("the shorter list", lambda: clients[0].lists[-1] == [clients[0].own, clients[2].own])
    newcomer = scene.original()
    left = [clients[0], clients[2], newcomer]
    eventually("a mesh of those who are left", lambda: is_meshed(left))
    same("the hole is not filled", clients[0].lists[-1], [client.own for client in left])
    same("the bytes", clients[0].texts[-1][-1:], b"\0")
    same("ends", [client.ending for client in left], [None] * 3)


def stale__a_departure_without_a_nul_ends_the_first_clients(scene: Scene) -> None:
    """This is why there is a switch; it is not in their protocol."""
    clients = mesh(scene, 3, at_once=False)
    clients[1].close()
    eventually("the end", lambda: clients[0].ending == "aborted")


# -- streams ---------------------------------------------------------------------------------------------------


def stream__a_registration_cut_at_every_byte(scene: Scene) -> None:
    own = "127.0.0.1:%d" % free_port()
    sockets = []
    for place in range(len(own) + 1):
        raw = scene.raw()
        raw.say(own[:place])
        sockets.append((raw, place))
    # Shorter than the silence that would end it.
    time.sleep(0.03)
    for raw, place in sockets:
        raw.say(own[place:])
    # They all are the same address from the same host: the last one has it.
    eventually("one of them listed", lambda: any(raw.last() == [own] for raw, _ in sockets))
    eventually("the others closed", lambda: sum(not raw.is_closed for raw, _ in sockets) == 1)
    for raw, _ in sockets:
        same("nothing but the whole address", {at for listed in raw.lists() for at in listed} <= {own}, True)


def stream__every_ending_is_understood(scene: Scene) -> None:
    cast = [scene.listener("")]
    cast += [scene.member(ending) for ending in ("", "\n", "\r\n", "\0", " ")]
    cast += [scene.listener(ending) for ending in ("", "\n")]
    everybody = [own for _, own in cast]
    eventually("all of them", lambda: all(sorted(raw.last()) == sorted(everybody) for raw, _ in cast))
    same("ends", [raw.is_closed for raw, _ in cast], [False] * len(cast))


def stream__who_has_closed_both_sides_is_gone(scene: Scene) -> None:
    witness, own = scene.member()
    for ending in ("", "\n"):
        raw = scene.raw()
        other = f"127.0.0.1:{free_port()}"
        # The end of its side and the end of all are one to the network.
        raw.say(other + ending)
        raw.close()
        third, at = scene.member()
        eventually("those who are there", lambda: witness.last() == [own, at], 5)
        third.close()
    raw, other = scene.listener("")
    eventually("both", lambda: witness.last() == [own, other])
    raw.close()
    # Nothing tells of this but a list that it does not take.
    eventually("one", lambda: witness.last() == [own])


def stream__nonsense_is_passed_over(scene: Scene) -> None:
    witness, own = scene.member()
    for text in (b"hello\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\n", b"127.0.0.1:0\n", b"1" * 300 + b"\n",
                 b"kith/1 dance\n", b"\0\0\0\n", b"localhost:5000\n"):
        raw = scene.raw()
        raw.say(text)
    raw, other = scene.member()
    raw.say(b"nonsense\n")
    eventually("both", lambda: witness.last() == [own, other])


def stream__connecting_without_registering_harms_nobody(scene: Scene) -> None:
    silent = [scene.raw() for _ in range(3)]
    clients = mesh(scene, 2, at_once=True)
    same("silence", [raw.heard for raw in silent], [[], [], []])
    eventually("their end", lambda: all(raw.is_closed for raw in silent))
    same("the others", [client.ending for client in clients], [None, None])


def stream__a_shorter_registration_leaves_nothing_behind(scene: Scene) -> None:
    witness, first = scene.member()
    raw, long = scene.member()
    short = "127.0.0.1:9"
    raw.say(short)
    eventually("the short one", lambda: witness.last() == [first, short])
    same("no tail", any(at not in (first, long, short) for listed in witness.lists() for at in listed), False)


def stream__lists_are_repeated(scene: Scene) -> None:
    raw, own = scene.member()
    before = len(raw.lists())
    eventually("another list", lambda: len(raw.lists()) > before, 17)
    same("the same one", raw.last(), [own])


def stream__who_leaves_is_told_of_at_once(scene: Scene) -> None:
    witness, own = scene.member()
    raw, other = scene.member()
    eventually("both", lambda: witness.last() == [own, other])
    raw.close()
    eventually("one", lambda: witness.last() == [own], 5)


def stream__two_lists_are_never_closer_than_the_first_clients_can_bear(scene: Scene) -> None:
    raw, own = scene.member(ending="")
    others = [scene.member(ending="") for _ in range(4)]
    eventually("everybody", lambda: len(raw.last()) == 5)
    others[0][0].close()
    eventually("one less", lambda: len(raw.last()) == 4)
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(raw.heard)]
    # The server keeps 200 ms; what the system adds or takes on the way is less than a quarter of that.
    same("gaps", [gap for gap in gaps if gap < 0.15], [])


def stream__an_address_must_be_ones_own(scene: Scene) -> None:
    for text, why in (("192.0.2.1:5000", "foreign"), ("0.0.0.0:5000", "unusable"), ("[2001:db8::1]:5", "foreign")):
        raw = scene.raw()
        raw.say(text)
        eventually(f"{text} is refused", lambda: raw.is_closed)
        same("the words", raw.text(), f"kith/1 refused why={why}\n")


def stream__a_long_list_comes_in_turns(scene: Scene) -> None:
    cast = [scene.member(ending="") for _ in range(14)]
    first, own = cast[0]
    shown: set[str] = set()

    def has_seen_all() -> bool:
        for listed in first.lists():
            if len(listed) > 11:
                raise Wrong(f"{len(listed)} entries in one list")
            shown.update(listed)
        return shown == {own for _, own in cast}

    eventually("everybody in some list", has_seen_all)
    same("short enough", max(len(piece) for _, piece in first.heard) <= 255, True)


# -- full ------------------------------------------------------------------------------------------------------


def reject__the_last_is_told_and_the_others_stay(scene: Scene) -> None:
    clients = mesh(scene, 9, at_once=True)
    idle = scene.raw()
    clients.append(scene.original())
    eventually("a mesh of ten", lambda: is_meshed(clients))
    refused = scene.original()
    eventually("its end", lambda: refused.ending == "server closed")
    same("its words", refused.texts, [b"full\n"])
    same("the others", [client.ending for client in clients], [None] * 10)
    clients[4].close()
    late, own = scene.member()
    same("a free place is given", late.last()[-1], own)
    same("the silent one", idle.text(), "")


def teardown__the_last_one_is_listed_and_it_ends(scene: Scene) -> None:
    one, two = scene.original(), scene.original()
    eventually("both", lambda: bool(one.lists) and len(one.lists[-1]) == 2)
    three = scene.original()
    eventually("the end of all", lambda: all(one.ending == "server closed" for one in (one, two, three)))
    for client in (one, two, three):
        same("everybody listed", len(client.lists[-1]), 3)
        same("the last words", client.texts[-1], b"teardown\n")
    try:
        late = scene.raw()
        late.say("127.0.0.1:5\n")
        eventually("nobody is taken any more", lambda: late.is_closed)
    except ConnectionRefusedError:
        pass


# -- the new form ----------------------------------------------------------------------------------------------


def node__is_listed_with_its_marks(scene: Scene) -> None:
    node, own = scene.node()
    hidden, far = scene.node(listens=False)
    eventually("the order", lambda: directory(node) == [(far, ["undialable"]), (own, [])])
    same("where it is seen", [words["at"].rsplit(":", 1)[0] for words in node.lines("you")], ["127.0.0.1"])
    versions = [int(words["version"]) for words in node.lines("directory")]
    same("versions grow", versions, sorted(versions))
    seqs = [int(words["seq"]) for words in node.lines("member")]
    same("places are times", min(seqs) > 1_600_000_000_000, True)
    node.say("kith/1 ping n=77\n")
    eventually("the answer", lambda: {"n": "77"} in node.lines("pong"))


def node__two_that_cannot_be_dialled_are_relayed(scene: Scene) -> None:
    (one, first), (other, second) = scene.node(listens=False), scene.node(listens=False)
    dialable, third = scene.node()
    eventually("the marks", lambda: directory(one) == [
        (first, ["undialable", "relayed"]), (second, ["undialable", "relayed"]), (third, [])])
    eventually("none for others", lambda: [words for _, words in directory(dialable)] == [
        ["undialable"], ["undialable"], []])
    one.say(f"kith/1 relay to={second} data=c2VhbGVk\n")
    eventually("the payload", lambda: {"from": first, "data": "c2VhbGVk"} in other.lines("relay"))
    one.say(f"kith/1 relay to={third} data=c2VhbGVk\n")
    eventually("no", lambda: {"to": third, "why": "dialable"} in one.lines("unrelayed"))
    one.say("kith/1 relay to=127.0.0.1:1 data=c2VhbGVk\n")
    eventually("nobody", lambda: {"to": "127.0.0.1:1", "why": "absent"} in one.lines("unrelayed"))
    one.say("".join(f"kith/1 relay to={second} data={'A' * 5460}\n" for _ in range(40)))
    eventually("too much", lambda: {"to": second, "why": "busy"} in one.lines("unrelayed"))


def node__a_first_client_is_never_told_lines_after_the_greeting(scene: Scene) -> None:
    raw, _ = scene.member(ending="")
    scene.node()
    eventually("two", lambda: len(raw.last()) == 2)
    same("lines", raw.text().count("kith/1"), 1)


def v6__stands_in_the_new_form_alone(scene: Scene) -> None:
    host = scene.door.rsplit(":", 1)[0]
    same("the door", host, "[::1]")
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    scene.cast.append(listener)
    own = f"[::1]:{listener.getsockname()[1]}"
    node = scene.raw()
    node.say(own)
    eventually("the greeting", lambda: node.text().startswith("kith/1\n"))
    old = scene.raw()
    old.say(f"[::1]:{free_port()}\n")
    eventually("an empty list", lambda: old.lists() == [[]])
    node.say("kith/1 node\n")
    eventually("both", lambda: len(places(node)) == 2 and own in places(node))
    same("none in lists", [at for listed in old.lists() for at in listed], [])


CHECKS = {name.replace("__", ".", 1): check for name, check in list(globals().items())
          if "__" in name.strip("_") and callable(check)}


def report(name: str, check: Callable[[Scene], None], door: str) -> bool:
    try:
        with Scene(door) as scene:
            check(scene)
    except Wrong as wrong:
        print(f"FAIL {name}: {wrong}", flush=True)
        return False
    except Exception:
        print(f"FAIL {name}: {traceback.format_exc()}", flush=True)
        return False
    print(f"ok {name}", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--door", required=True, help="where the rendezvous listens, host:port")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a group or a check")
    given = parser.parse_args()
    wanted = [(name, check) for name, check in CHECKS.items()
              if not given.only or name in given.only or name.split(".")[0] in given.only]
    results = [report(name, check, given.door) for name, check in wanted]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
