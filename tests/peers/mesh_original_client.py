"""A client as the first one was, faults included.

    python tests/peers/mesh_original_client.py --rendezvous HOST:PORT --listen IP:PORT

It prints `listening IP:PORT`, `list a b c` for each list, `dialled a` and `accepted ip` for each link, and `text ip words` for
what it is told. A line on its standard input goes to all of its links as it is. It dials one new address for each list, says the
address of whom it has dialled instead of its own, takes two lists in one read for one, keeps the end of a longer list
behind a shorter one (and aborts then), and exits with status 1 when the rendezvous has gone.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import sys

BUFFER = 256


def note(words: str) -> None:
    print(words, flush=True)


def pair(text: str) -> tuple[str, int]:
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Client:
    def __init__(self, rendezvous: str, listen: str) -> None:
        self.selector = selectors.DefaultSelector()
        host, port = pair(listen)
        self.listener = socket.create_server((host, port))
        self.host, self.me = host, "%s:%d" % self.listener.getsockname()
        self.linked: set[str] = set()
        self.links: list[socket.socket] = []
        self.buffer = bytearray(BUFFER)
        note(f"listening {self.me}")
        self.server = socket.create_connection(pair(rendezvous))
        self.server.sendall(self.me.encode())
        for source, act in ((self.listener, self.accept), (self.server, self.hear), (sys.stdin, self.say)):
            self.selector.register(source, selectors.EVENT_READ, act)

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, listener: socket.socket) -> None:
        tcp, address = listener.accept()
        note(f"accepted {address[0]}")
        self.take(tcp)

    def take(self, tcp: socket.socket) -> None:
        self.links.append(tcp)
        self.selector.register(tcp, selectors.EVENT_READ, self.read)

    def read(self, tcp: socket.socket) -> None:
        try:
            data = tcp.recv(BUFFER)
        except ConnectionError:
            data = b""
        if not data:
            self.selector.unregister(tcp)
            self.links.remove(tcp)
            note("closed")
            return
        if len(data) == BUFFER:
            note("abort: more than fits")
            os._exit(134)
        note("text %s %r" % (tcp.getpeername()[0], data.decode("utf-8", "replace")))

    def say(self, _stdin: object) -> None:
        typed = os.read(0, 4096)
        if not typed:
            os._exit(0)
        for line in typed.splitlines():
            for tcp in self.links:
                tcp.sendall(line)

    def hear(self, server: socket.socket) -> None:
        try:
            data = server.recv(BUFFER)
        except ConnectionError:
            data = b""
        if not data:
            note("the end: the server has gone")
            os._exit(1)
        if len(data) == BUFFER:
            note("abort: more than fits")
            os._exit(134)
        self.buffer[:len(data)] = data
        # What ends the text is whatever was there before.
        text = bytes(self.buffer).split(b"\0")[0].decode("latin-1")
        if not text.startswith("list:"):
            note(f"ignored {text!r}")
            return
        entries = text.split("list:")[1].split("\n")
        entries = [entry for entry in entries if entry]
        if any(entry.count(":") != 1 or not entry.rsplit(":", 1)[1].isdigit() for entry in entries):
            note(f"abort: {entries}")
            os._exit(134)
        note("list " + " ".join(entries))
        behind = entries[entries.index(self.me) + 1:] if self.me in entries else []
        # One of them, even if it is dead and others stand behind it.
        for address in [entry for entry in behind if entry not in self.linked][:1]:
            try:
                tcp = socket.create_connection(pair(address), source_address=(self.host, 0))
            except OSError as error:
                note(f"not dialled {address} {error}")
                return
            tcp.sendall(f"Hello from:{address}".encode())
            self.linked.add(address)
            note(f"dialled {address}")
            self.take(tcp)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rendezvous", required=True)
    parser.add_argument("--listen", required=True)
    arguments = parser.parse_args()
    Client(arguments.rendezvous, arguments.listen).run()


if __name__ == "__main__":
    main()
