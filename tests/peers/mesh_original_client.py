"""A client as the first one was (`rendezvous_original`), as a program that others can be watched with.

    python tests/peers/mesh_original_client.py --rendezvous HOST:PORT --listen IP:PORT

It prints `listening IP:PORT`, `list a b c` for each list, `dialled a` and `accepted ip` for each link, `text 'words'` for what it is
told, and `ended: why`. A line on its standard input goes to all of its links as it is.
"""

from __future__ import annotations

import argparse
import os
import select

from rendezvous_original import Original


def note(words: str) -> None:
    print(words, flush=True)


class Watch:
    def __init__(self, client: Original) -> None:
        self.client = client
        self.lists = self.texts = 0
        self.links: set[str] = set()

    def look(self) -> None:
        """Says what is new."""
        client = self.client
        for listed in client.lists[self.lists:]:
            note("list " + " ".join(listed))
            self.lists += 1
        dialled = {f"dialled {address}" for address in list(client.dialled)}
        accepted = {f"accepted {name(tcp)}" for tcp in list(client.accepted)}
        for link in sorted((dialled | accepted) - self.links):
            note(link)
        self.links = dialled | accepted
        for text in client.greeted[self.texts:]:
            note(f"text {text!r}")
            self.texts += 1
        if client.ending is not None:
            note(f"ended: {client.ending}")
            os._exit(1)

    def say(self, line: bytes) -> None:
        for tcp in [*self.client.accepted, *self.client.dialled.values()]:
            tcp.sendall(line)


def name(tcp: object) -> str:
    try:
        return tcp.getpeername()[0]
    except OSError:
        return "nobody"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rendezvous", required=True)
    parser.add_argument("--listen", required=True)
    arguments = parser.parse_args()
    host, port = arguments.listen.rsplit(":", 1)
    own = arguments.listen if port != "0" else None
    client = Original(arguments.rendezvous, own=own, host=host)
    note(f"listening {client.own}")
    watch = Watch(client)
    while True:
        watch.look()
        if not select.select([0], [], [], 0.02)[0]:
            continue
        typed = os.read(0, 4096)
        if not typed:
            os._exit(0)
        for line in typed.splitlines():
            watch.say(line)


if __name__ == "__main__":
    main()
