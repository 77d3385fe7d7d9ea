"""A server as the first one was, with what it could not bear.

    python tests/peers/tpacket_original.py [--port PORT]

It prints its address, then a line for everything that it notices (`nick anna`, `room den`, `ping 8`). Where the first
one crashed, it prints why and exits with status 139: a client that is kind to it never brings that about.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import sys

from tpacket_wire import (BINARY, CLOSE, DEL_USER, LOGGED_MSG, MAGIC, NEW_MSG, NEW_USER, NOP, PING, RESP_ERROR,
                          RESP_OK, SET_ROOM, SET_USER_NICK, TEXT, UNASKED, Packet, accept_of, pack, unpack)

ROOM_BYTES = 8192
ENTRY_BYTES = 255
NICK_BYTES = 64


def note(words: str) -> None:
    print(words, flush=True)


def crash(why: str) -> None:
    note(f"crashed: {why}")
    os._exit(139)


class Guest:
    """A slot. Whoever leaves keeps it, nick and all, until somebody else needs it."""

    def __init__(self, tcp: socket.socket, number: int) -> None:
        self.tcp: socket.socket | None = tcp
        self.number = number
        self.trust = 0
        self.nick = ""
        self.room = ""
        self.held = b""

    def write(self, data: bytes) -> None:
        if self.tcp is not None:
            try:
                self.tcp.sendall(data)
            except OSError:
                # It will be seen to have gone.
                pass

    def send(self, uid: int, cmd: int, data: bytes = b"", p1: int = 0) -> None:
        packet = pack(uid, cmd, data, p1)
        length = len(packet)
        # The length of these was taken from the data alone.
        measured = len(data) if cmd in (LOGGED_MSG, NEW_USER, DEL_USER) else length
        if measured < 126:
            self.write(bytes([0x80 | BINARY, length & 0xFF]) + packet)
        else:
            self.write(bytes([0x80 | BINARY, 126]) + length.to_bytes(2, "big") + packet)


class Server:
    def __init__(self, port: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.slots: list[Guest] = []
        self.logs: dict[str, list[bytes]] = {}
        self.numbers = 0x1000
        note("127.0.0.1:%d" % self.listener.getsockname()[1])

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.data)

    def accept(self) -> None:
        tcp, _ = self.listener.accept()
        guest = Guest(tcp, self.numbers)
        self.numbers += 1
        free = next((at for at, slot in enumerate(self.slots) if slot.tcp is None), len(self.slots))
        self.slots[free:free + 1] = [guest]
        self.selector.register(tcp, selectors.EVENT_READ, guest)

    def read(self, guest: Guest) -> None:
        try:
            data = guest.tcp.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.leaves(guest)
        elif guest.trust == 0:
            self.upgrade(guest, data)
        else:
            guest.held += data
            self.frames(guest)

    def upgrade(self, guest: Guest, data: bytes) -> None:
        """The whole request is in this segment, and the key has this spelling, or that was that."""
        lines = data.split(b"\r\n")
        keys = [line.split(b":", 1)[1].strip() for line in lines if line.startswith(b"Sec-WebSocket-Key")]
        if not data.endswith(b"\r\n\r\n") or not lines[0].startswith(b"GET / ") or not keys:
            crash(f"not the request that it wants: {data[:60]!r}")
        guest.trust = 1
        guest.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + accept_of(keys[0].decode()).encode() + b"\r\n\r\n")

    def frames(self, guest: Guest) -> None:
        while guest.tcp is not None and len(guest.held) >= 2:
            opcode, length, at = guest.held[0] & 0x0F, guest.held[1] & 0x7F, 2
            if length == 127:
                crash("a length of 64 bits")
            if length == 126:
                length, at = int.from_bytes(guest.held[2:4], "big"), 4
            if len(guest.held) < at + 4 + length:
                return
            mask, masked = guest.held[at:at + 4], guest.held[at + 4:at + 4 + length]
            guest.held = guest.held[at + 4 + length:]
            self.frame(guest, opcode, bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked)))

    def frame(self, guest: Guest, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            note(f"ping {len(payload)}")
            # Always ten bytes, which is right for eight.
            guest.write((bytes([0x8A, len(payload)]) + payload).ljust(10, b"\0")[:10])
        elif opcode == CLOSE:
            guest.write(b"\x88\x02" + payload[:2] + b"what was in the buffer")
            self.leaves(guest)
        elif opcode in (TEXT, BINARY):
            self.packet(guest, unpack(payload))

    def packet(self, guest: Guest, packet: Packet) -> None:
        if guest.trust == 1:
            if packet.data.startswith(MAGIC):
                note(f"magic {packet.p1}" if packet.cmd == NOP else "magic")
                guest.trust = 2
        elif guest.trust == 2:
            self.call(guest, packet)
        elif packet.cmd == SET_ROOM:
            self.enter(guest, packet)
        elif packet.cmd == NEW_MSG:
            self.say(guest, packet.data)
        elif packet.cmd == SET_USER_NICK:
            note("nick again")
            guest.send(packet.uid, RESP_ERROR, p1=-1)
        elif packet.cmd != NOP:
            crash(f"a command that it does not know: {packet.cmd}")

    def call(self, guest: Guest, packet: Packet) -> None:
        nick = packet.data.decode()
        if len(packet.data) >= NICK_BYTES:
            crash("a nick that is too long")
        # One letter too few is compared.
        if any(slot.nick[:-1] == nick for slot in self.slots if slot is not guest and slot.nick):
            note(f"refused {nick}")
            guest.send(packet.uid, RESP_ERROR, p1=-1)
            return
        note(f"nick {nick}")
        guest.nick, guest.trust = nick, 3
        guest.send(packet.uid, RESP_OK)

    def members(self, room: str) -> list[Guest]:
        return [slot for slot in self.slots if slot.tcp is not None and slot.room == room]

    def enter(self, guest: Guest, packet: Packet) -> None:
        if guest.room:
            # And nothing returns here.
            guest.send(packet.uid, RESP_ERROR, p1=-1)
            self.forget(guest)
        guest.room = packet.data.decode()
        note(f"room {guest.room}")
        log = self.logs.setdefault(guest.room, [])
        guest.send(packet.uid, RESP_OK)
        members = sorted(self.members(guest.room), key=lambda member: (member is guest, member.number))
        for member in reversed(members):
            guest.send(UNASKED, NEW_USER, member.nick.encode(), member.number)
        for entry in log:
            guest.send(UNASKED, LOGGED_MSG, entry)
        for member in members[:-1]:
            member.send(UNASKED, NEW_USER, guest.nick.encode(), guest.number)

    def say(self, guest: Guest, text: bytes) -> None:
        if not guest.room:
            crash("words without a room")
        entry = guest.nick.encode() + b": " + text
        if len(entry) > ENTRY_BYTES:
            crash(f"an entry of {len(entry)} bytes")
        log = self.logs[guest.room]
        log.append(entry)
        while sum(1 + len(one) for one in log) > ROOM_BYTES:
            log.pop(0)
        for member in self.members(guest.room):
            member.send(UNASKED, NEW_MSG, text, guest.number)

    def forget(self, guest: Guest) -> None:
        room, guest.room = guest.room, ""
        if not self.members(room):
            del self.logs[room]

    def leaves(self, guest: Guest) -> None:
        if not guest.room:
            crash("somebody left who had not been in a room")
        note(f"left {guest.nick}")
        self.selector.unregister(guest.tcp)
        guest.tcp.close()
        guest.tcp = None
        for member in self.members(guest.room):
            member.send(UNASKED, DEL_USER, guest.nick.encode(), guest.number)
        self.forget(guest)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    Server(parser.parse_args().port).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
