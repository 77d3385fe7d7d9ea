"""The text protocol of succession as its first program speaks it: nine lines in, five keys out, one of each per
connection. Where that program would have ended, `Panicked` is raised.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

PATIENCE = 10.0
NEEDED = ["State", "Switch-To-Server", "New-Server", "Fallback-Server", "Id"]


class Wrong(Exception):
    """Something is not as it should be."""


class Panicked(Exception):
    """The first program would have ended here."""


def clock(skew_s: float = 0.0) -> str:
    """The time as the first program writes it, with nine digits behind the second."""
    moment = datetime.now(timezone.utc) + timedelta(seconds=skew_s)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") + "000 UTC"


def lines(identity: str = "No-Id", address: str = "No-Ip", name: str = "ana", cpu: int = 12, ram: int = 4100,
          bandwidth: int = 900, disk: int = 120, total: int = 16000, at: str | None = None) -> list[str]:
    """The nine lines of a request."""
    return [identity, address, name, str(cpu), str(ram), str(bandwidth), str(disk), str(total), at or clock()]


def request(**said: object) -> bytes:
    return "\n".join(lines(**said)).encode()


def dial(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), PATIENCE)


def hear(stream: socket.socket) -> bytes:
    """Everything up to the end; what is reset has ended, too."""
    heard = b""
    try:
        while part := stream.recv(4096):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def visit(address: str, said: bytes, fin: bool = True) -> bytes:
    """One request and its answer."""
    with dial(address) as stream:
        try:
            stream.sendall(said)
            if fin:
                stream.shutdown(socket.SHUT_WR)
        except OSError as error:
            # The other side has closed already, in any of the ways in which one learns that.
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                raise
        return hear(stream)


def reset(stream: socket.socket) -> None:
    """Closes as somebody whose process was killed does."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def understand(answer: bytes) -> dict[str, str]:
    """The answer as the first host reads it. It keeps keys that it does not know and stops at an empty line."""
    told = {}
    for line in answer.decode().split("\n"):
        if not line:
            break
        key, colon, value = line.partition(":")
        if not colon:
            raise Panicked(f"a line without a colon: {line!r}")
        told[key] = value.strip()
    for key in NEEDED:
        if key not in told:
            raise Panicked(f"no {key} in {answer!r}")
    return told


class Admin:
    """The admin door of a Kith server."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def ask(self, path: str, body: dict | None = None) -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"http://{self.address}{path}", data)
        asked.add_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            asked.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def view(self) -> dict:
        status, text = self.ask("/api/v1/hosts")
        if status != 200:
            raise Wrong(f"/hosts answers {status}: {text}")
        return json.loads(text)

    def row(self, identity: str) -> dict | None:
        return next((row for row in self.view()["hosts"] if row["id"] == identity), None)


def until(what: str, is_so: Callable[[], object], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Waits for something, and does something else while it waits."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise Wrong(f"not in {PATIENCE} s: {what}")
        meanwhile()
        time.sleep(0.05)


def same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Wrong(f"{what}: {found!r} is not {expected!r}")
