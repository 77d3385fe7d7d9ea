"""A server as the first program of succession has it, with what it cannot bear, and with its faults on request.

    python tests/peers/succession_server.py [--host HOST] [--port PORT] [--fault FAULT [FAULT ...]] [--send-to HOST]

It prints its address, then one line of JSON for everything that happens: `{"visit": [...], "below": ...}` with the
lines in front of the empty line of a request and the number of bytes behind it. Where the first one died, it prints
`{"crashed": ...}` and goes on, so that a test sees every reason and not only the first.

Faults: `migrating` (another key for the same thing, as while it moves), `empty-fallback`, `reset` (RST in the middle of
its answer), `silent` (closed without an answer), `empty` (an empty line and nothing else), `half` (an answer that is
cut), `mute` (never an answer), `leads-you` (`Switch-To-Server: true`), `none`. Of several there is one for each visit,
and the last one stays. `migrating` sends its hosts to `--send-to`.
"""

from __future__ import annotations

import argparse
import json
import socket
import uuid

from succession_wire import reset

FAULTS = ["migrating", "empty-fallback", "reset", "silent", "empty", "half", "mute", "leads-you", "none"]
FIELDS = 9


def note(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def read(stream: socket.socket) -> bytes:
    """Up to the half-close or the first empty line, as the first one reads."""
    heard = b""
    while b"\n\n" not in heard:
        part = stream.recv(4096)
        if not part:
            break
        heard += part
    return heard


class Server:
    def __init__(self, faults: list[str], send_to: str) -> None:
        self.faults = faults
        self.fault = faults[0]
        self.send_to = send_to
        self.known: set[str] = set()
        self.mute: list[socket.socket] = []

    def visit(self, stream: socket.socket) -> None:
        heard = read(stream)
        head, _, below = heard.decode(errors="replace").partition("\n\n")
        lines = [line for line in head.split("\n") if line]
        note(visit=lines, below=len(below))
        self.fault = self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]
        if not heard:
            return note(crashed="an empty connection")
        if len(lines) != FIELDS:
            return note(crashed=f"{len(lines)} lines")
        stamp = lines[8]
        if not (stamp.endswith(" UTC") and len(stamp.split(" ")) == 3 and "." in stamp):
            return note(crashed=f"a date that it cannot read: {stamp}")
        self.answer(stream, lines[0], lines[2])

    def answer(self, stream: socket.socket, identity: str, name: str) -> None:
        text = self.text(identity, name).encode()
        match self.fault:
            case "reset":
                stream.sendall(text[:20])
                reset(stream)
            case "silent":
                pass
            case "empty":
                stream.sendall(b"\n")
            case "half":
                stream.sendall(text[:len(text) // 2])
            case "mute":
                # Held, so that it is not closed.
                self.mute.append(stream.dup())
            case _:
                stream.sendall(text)

    def text(self, identity: str, name: str) -> str:
        if self.fault == "migrating":
            return (f"State: Unauthorized\nSwitchToServer: false\nNew-Server: {self.send_to}\nFallback-Server: None\n"
                    f"Id: {uuid.uuid4()}")
        if identity == "No-Id":
            identity = str(uuid.uuid4())
            self.known.add(identity)
            return (f"State: Unauthorized\nSwitch-To-Server: false\nNew-Server: None\nFallback-Server: None\n"
                    f"Id: {identity}\nIp: 127.0.0.1")
        fallback = "" if self.fault == "empty-fallback" else "None"
        leads = "true" if self.fault == "leads-you" else "false"
        return (f"State: OK\nSwitch-To-Server: {leads}\nNew-Server: None\nFallback-Server: {fallback}\n"
                f"Id: {identity}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", choices=FAULTS, nargs="+", default=["none"])
    parser.add_argument("--send-to", default="127.0.0.1")
    given = parser.parse_args()
    server = Server(given.fault, given.send_to)
    with socket.create_server((given.host, given.port)) as listener:
        print("{}:{}".format(*listener.getsockname()), flush=True)
        # One after the other, without any patience for one of them in particular: that is how it was.
        while True:
            stream, _ = listener.accept()
            with stream:
                try:
                    server.visit(stream)
                except OSError as error:
                    note(crashed=str(error))


if __name__ == "__main__":
    raise SystemExit(main())
