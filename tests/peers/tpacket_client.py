"""One tPacket client, as a person would have written it who read only the text of the protocol."""

from __future__ import annotations

import itertools
import struct

from tpacket_wire import (BINARY, CLOSE, DEL_USER, LINE, LOGGED_MSG, MAGIC, NEW_MSG, NEW_USER, NOP, PING, PONG,
                          RESP_ERROR, RESP_OK, SET_ROOM, SET_USER_NICK, UNASKED, Ended, Packet, Socket, Wrong,
                          pack, unpack)


# More than a line of a room may have.
TOO_LONG = b"x" * 20000


class Client:
    """A socket, the numbers of its requests, and what it knows about itself."""

    def __init__(self, address: str, receive_buffer: int | None = None) -> None:
        self.socket = Socket(address, receive_buffer)
        self.uids = itertools.count(0x1000)
        self.nick = ""
        self.room = ""
        self.number = 0

    def close(self) -> None:
        self.socket.close()

    def leave(self) -> None:
        """A close handshake, to its end."""
        self.socket.send(CLOSE, struct.pack(">H", 1000))
        ended = self.ends()
        if ended.code not in (1000, None):
            raise Wrong(f"a polite close is answered with {ended.code}")

    # What it says.

    def say(self, cmd: int, data: bytes = b"", p1: int = 0) -> int:
        uid = next(self.uids)
        self.socket.send(BINARY, pack(uid, cmd, data, p1))
        return uid

    def magic(self, version: int = 0) -> None:
        self.say(NOP, MAGIC, version)

    # What it hears.

    def hears(self) -> Packet:
        opcode, payload = self.socket.next()
        while opcode == PING:
            self.socket.send(PONG, payload)
            opcode, payload = self.socket.next()
        if opcode != BINARY:
            raise Wrong(f"a frame of kind {opcode}: {payload[:40]!r}")
        return unpack(payload)

    def expect(self, *wanted: Packet) -> None:
        for packet in wanted:
            heard = self.hears()
            if heard != packet:
                raise Wrong(f"{self.nick or 'a stranger'} hears {heard} instead of {packet}")

    def ok(self, uid: int, p1: int = 0, p2: int = 0) -> None:
        self.expect(Packet(uid, RESP_OK, p1, p2, b""))

    def refused(self, uid: int, code: int) -> None:
        self.expect(Packet(uid, RESP_ERROR, code, 0, b""))

    def ends(self) -> Ended:
        """Reads until the server closes; what else it says is lost."""
        try:
            while True:
                self.socket.next()
        except Ended as ended:
            return ended

    def quiet(self) -> None:
        """Nothing was said to it that it has not heard. What happens in rooms, and answers that need to know what
        is there, come in their order; so such an answer proves that."""
        self.refused(self.say(NEW_MSG, TOO_LONG), -6 if self.room else -5)

    def pings(self, payload: bytes) -> None:
        self.socket.send(PING, payload)
        heard = self.socket.next()
        if heard != (PONG, payload):
            raise Wrong(f"a ping of {len(payload)} bytes is answered with {heard!r}")

    # What they do together.

    def call(self, nick: str, version: int = 0) -> None:
        self.magic(version)
        self.ok(self.say(SET_USER_NICK, nick.encode()), p1=version)
        self.nick = nick

    def enter(self, room: str) -> tuple[list[tuple[int, str]], list[str]]:
        """Goes into a room. Says who is there, newest first, and what was said."""
        uid = self.say(SET_ROOM, room.encode())
        self.ok(uid)
        here, log = [], []
        # One more answer, so that the end of what belongs to the first one is known.
        end = self.say(NEW_MSG, TOO_LONG)
        while (packet := self.hears()) != Packet(end, RESP_ERROR, -6, 0, b""):
            if packet.uid != UNASKED:
                raise Wrong(f"{packet} on the way into a room")
            if packet.cmd == NEW_USER and not log:
                here.append((packet.p1, packet.text))
            elif packet.cmd == LOGGED_MSG and packet.p1 == 0:
                log.append(packet.text)
            elif packet.cmd == LINE:
                log.append(line(packet).text)
            else:
                raise Wrong(f"{packet} on the way into a room")
        if not here or here[0][1] != self.nick:
            raise Wrong(f"the newcomer comes first, but here it is {here[:1]}")
        self.room, self.number = room, here[0][0]
        return here, log

    def hears_come(self, other: Client) -> None:
        self.expect(Packet(UNASKED, NEW_USER, other.number, 0, other.nick.encode()))

    def hears_go(self, other: Client) -> None:
        self.expect(Packet(UNASKED, DEL_USER, other.number, 0, other.nick.encode()))

    def hears_say(self, other: Client, *texts: str) -> None:
        for text in texts:
            self.expect(Packet(UNASKED, NEW_MSG, other.number, 0, text.encode()))

    def tells(self, text: str, others: list[Client]) -> None:
        """Says something short, and everybody hears it once, itself included."""
        self.say(NEW_MSG, text.encode())
        for one in (self, *others):
            one.hears_say(self, text)


class Told:
    """What a line of version one holds."""

    def __init__(self, packet: Packet) -> None:
        data = packet.data
        if packet.cmd != LINE or len(data) < 41:
            raise Wrong(f"{packet} is no line")
        self.id, length = data[:40], data[40]
        self.by = data[41:41 + length].decode()
        self.text = data[41 + length:].decode()
        self.deed, self.number, self.uid = packet.p2, packet.p1, packet.uid
        self.stamp, = struct.unpack("<Q", data[:8])


def line(packet: Packet) -> Told:
    return Told(packet)
