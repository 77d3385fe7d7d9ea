"""The first client of the rendezvous, played as it is: with its buffer, its one dial for each list, and its ends.

It shares nothing with our code. What it does wrong is done on purpose:

- it registers with `ip:port` and ends nothing;
- it reads into 256 bytes that are never cleared, so what an earlier message left behind a shorter list is read as part of
  it, and that ends the process (`Aborted`), unless a zero byte ends the list;
- it takes one read for one message: two lists that come together are one, of which the first counts;
- it dials at most one address for each list: the first one behind its own that it is not linked with, dead or not;
- its hello names the address that it dials, and not its own;
- when the server closes, it ends (`Ended`), with all of its links.
"""

from __future__ import annotations

import select
import socket
import threading

BUFFER = 256
MOST_PEERS = 20


class Original:
    def __init__(self, server: str, own: str | None = None, host: str = "127.0.0.1") -> None:
        self.listener = socket.create_server((host, int(own.rsplit(":", 1)[1]) if own else 0))
        self.host, self.own = host, "%s:%d" % self.listener.getsockname()[:2]
        self.buffer = bytearray(BUFFER)
        self.ending: str | None = None
        self.lists: list[list[str]] = []
        self.texts: list[bytes] = []
        self.greeted: list[str] = []
        self.dialled: dict[str, socket.socket] = {}
        self.accepted: list[socket.socket] = []
        self.attempts: list[str] = []
        name, port = server.rsplit(":", 1)
        self.server = socket.create_connection((name, int(port)), timeout=10)
        self.server.settimeout(None)
        self.server.sendall(self.own.encode())
        self.wake, self.bell = socket.socketpair()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # -- what it does ------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            while self.ending is None:
                inputs = [self.server, self.listener, self.bell, *self.accepted, *self.dialled.values()]
                for ready in select.select(inputs, [], [])[0]:
                    if ready is self.bell:
                        self.ending = "closed"
                    elif ready is self.listener:
                        self.accepted.append(self.listener.accept()[0])
                    elif ready is self.server:
                        self.hear_server()
                    else:
                        self.hear_peer(ready)
        except OSError as error:
            self.ending = f"{error}"
        finally:
            for one in (self.server, self.listener, *self.accepted, *self.dialled.values()):
                one.close()

    def hear_server(self) -> None:
        count = self.server.recv_into(self.buffer, BUFFER)
        if count == 0:
            self.ending = "server closed"
            return
        self.texts.append(bytes(self.buffer[:count]))
        # It is read as text up to the first zero byte, wherever that comes from.
        text = bytes(self.buffer).split(b"\0", 1)[0]
        if not text.startswith(b"list:\n"):
            return
        if len(text) > count:
            self.ending = "aborted"
            return
        listed = [line for line in text.decode().split("list:")[1].split("\n") if line]
        self.lists.append(listed)
        if self.own not in listed:
            return
        for address in listed[listed.index(self.own) + 1:]:
            if address not in self.dialled:
                self.dial(address)
                return

    def dial(self, address: str) -> None:
        self.attempts.append(address)
        if len(self.dialled) + len(self.accepted) >= MOST_PEERS:
            return
        host, port = address.rsplit(":", 1)
        peer = socket.socket()
        try:
            peer.bind((self.host, 0))
            peer.settimeout(2)
            peer.connect((host, int(port)))
        except OSError:
            peer.close()
            return
        peer.sendall(f"Hello from:{address}".encode())
        self.dialled[address] = peer

    def hear_peer(self, peer: socket.socket) -> None:
        try:
            text = peer.recv(BUFFER)
        except OSError:
            text = b""
        if text:
            self.greeted.append(text.decode(errors="replace"))
            return
        peer.close()
        if peer in self.accepted:
            self.accepted.remove(peer)
        for address in [address for address, one in self.dialled.items() if one is peer]:
            del self.dialled[address]

    # -- what a scene asks -------------------------------------------------------------------------------------

    def links(self) -> int:
        return len(self.dialled) + len(self.accepted)

    def close(self) -> None:
        if self.thread.is_alive():
            self.wake.send(b"x")
        self.thread.join(10)
        self.wake.close()
        self.bell.close()
