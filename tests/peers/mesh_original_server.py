"""A rendezvous as the first one was, with what it could not bear.

    python tests/peers/mesh_original_server.py [--host HOST] [--port PORT] [--glue]

It prints its address, then a line for everything that it notices (`registered 127.0.0.1:50000`, `left 0`). Where the first one
crashed, it prints why and exits with status 139; at its tenth client it exits with status 0. With `--glue` every list is
sent twice in one write, as a slow reader got them.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket

SLOTS = 10
BUFFER = 256


def note(words: str) -> None:
    print(words, flush=True)


class Server:
    def __init__(self, host: str, port: int, glue: bool) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((host, port))
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.sockets: list[socket.socket | None] = [None] * SLOTS
        # Never cleared, neither between two registrations of a client nor when it leaves.
        self.buffers = [bytearray(BUFFER) for _ in range(SLOTS)]
        self.has_registered = [False] * SLOTS
        self.clients = 0
        self.glue = glue
        note("%s:%d" % self.listener.getsockname())

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.data)

    def accept(self) -> None:
        tcp, _ = self.listener.accept()
        self.clients += 1
        if self.clients == SLOTS:
            note("full: the end")
            os._exit(0)
        slot = self.sockets.index(None)
        self.sockets[slot] = tcp
        self.has_registered[slot] = False
        self.selector.register(tcp, selectors.EVENT_READ, slot)

    def read(self, slot: int) -> None:
        tcp = self.sockets[slot]
        try:
            data = tcp.recv(BUFFER - 1)
        except ConnectionError:
            data = b""
        if not data:
            # Nobody is told.
            self.selector.unregister(tcp)
            tcp.close()
            self.sockets[slot] = None
            self.clients -= 1
            note(f"left {slot}")
            return
        self.buffers[slot][:len(data)] = data
        self.has_registered[slot] = True
        for other, known in zip(self.sockets, self.has_registered):
            if other is not None and not known:
                note("crashed: somebody is connected who has not registered")
                os._exit(139)
        note(f"registered {self.address(slot)}")
        self.tell()

    def address(self, slot: int) -> str:
        return bytes(self.buffers[slot]).split(b"\0")[0].decode("latin-1")

    def tell(self) -> None:
        present = [slot for slot in range(SLOTS) if self.sockets[slot] is not None]
        text = "list:\n" + "".join(f"{self.address(slot)}\n" for slot in present)
        for slot in present:
            try:
                self.sockets[slot].sendall(text.encode("latin-1") * (2 if self.glue else 1))
            except OSError:
                # It will be seen to have gone.
                pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--glue", action="store_true")
    arguments = parser.parse_args()
    Server(arguments.host, arguments.port, arguments.glue).run()


if __name__ == "__main__":
    main()
