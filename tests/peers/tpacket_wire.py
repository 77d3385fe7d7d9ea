"""tPacket and WebSocket, byte by byte and from their texts alone: nothing of this is shared with any server."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
from dataclasses import dataclass

PATIENCE = 20.0

MAGIC = b"magic string :)"
UNASKED = 0xFFFFFFFF
HEAD = 24

(NOP, SET_USER_NICK, SET_ROOM, RESP_OK, RESP_ERROR, NEW_USER, DEL_USER, NEW_MSG, LOGGED_MSG) = range(9)
(LINE, ROOMS, HISTORY, LEAVE_ROOM, TOPIC, WITHDRAWN, ROOM_CLOSED, REGISTER, UNREGISTER, DIRECTORY) = range(16, 26)

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Wrong(Exception):
    """Something is not as it should be."""


class Ended(Exception):
    """The server has closed the connection, with this code and these words; None if it only hung up."""

    def __init__(self, code: int | None, words: str = "") -> None:
        super().__init__(f"the server closed the connection: {code} {words}")
        self.code = code
        self.words = words


def pack(uid: int, cmd: int, data: bytes = b"", p1: int = 0, p2: int = 0,
         size: int | None = None, sign: bytes = b"Ej8@") -> bytes:
    size = HEAD + len(data) if size is None else size
    return sign + struct.pack("<IIIii", uid, size & 0xFFFFFFFF, cmd & 0xFFFFFFFF, p1, p2) + data


@dataclass(frozen=True)
class Packet:
    uid: int
    cmd: int
    p1: int
    p2: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()


def unpack(message: bytes) -> Packet:
    if len(message) < HEAD or message[:4] != b"Ej8@":
        raise Wrong(f"this is no packet: {message[:40]!r}")
    uid, size, cmd, p1, p2 = struct.unpack("<IIIii", message[4:HEAD])
    if size != len(message):
        raise Wrong(f"a packet of {len(message)} bytes says that it has {size}")
    return Packet(uid, cmd, p1, p2, message[HEAD:])


def ws_frame(opcode: int, payload: bytes, final: bool = True, masked: bool = True,
             length: int | None = None) -> bytes:
    """One frame. `length` announces another one than it has."""
    said = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | opcode])
    if said < 126:
        head += bytes([mask_bit | said])
    elif said < 1 << 16:
        head += bytes([mask_bit | 126]) + struct.pack(">H", said)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", said)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def handshake(host: str, path: str, key: str) -> bytes:
    return (f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()


def accept_of(key: str) -> str:
    return base64.b64encode(
        hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


class Socket:
    """A WebSocket as its bytes are, on a blocking TCP socket."""

    def __init__(self, address: str, receive_buffer: int | None = None) -> None:
        self.address = address
        host, port = address.rsplit(":", 1)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.tcp.settimeout(PATIENCE)
        self.tcp.connect((host, int(port)))
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def close(self) -> None:
        """Hangs up without a word."""
        self.tcp.close()

    def raw(self, data: bytes) -> None:
        self.tcp.sendall(data)

    def read(self, count: int) -> bytes:
        while len(self.held) < count:
            self.more()
        data, self.held = self.held[:count], self.held[count:]
        return data

    def more(self) -> None:
        try:
            data = self.tcp.recv(65536)
        except ConnectionError:
            data = b""
        except TimeoutError as error:
            raise Wrong("nothing came for too long") from error
        if not data:
            raise Ended(None)
        self.held += data

    def upgrade(self, path: str = "/", cuts: tuple[int, ...] = ()) -> None:
        """From HTTP to WebSocket; the request goes out in parts that end at these bytes."""
        key = base64.b64encode(os.urandom(16)).decode()
        request = handshake(self.address, path, key)
        start = 0
        for cut in (*cuts, len(request)):
            self.raw(request[start:cut])
            start = cut
        self.check_answer(key)

    def check_answer(self, key: str) -> None:
        while b"\r\n\r\n" not in self.held:
            self.more()
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        if not lines[0].startswith("HTTP/1.1 101 "):
            raise Wrong(f"no WebSocket: {lines[0]}")
        fields = {name.strip().lower(): value.strip()
                  for name, value in (line.split(":", 1) for line in lines[1:])}
        if fields.get("sec-websocket-accept") != accept_of(key):
            raise Wrong(f"the accept key is {fields.get('sec-websocket-accept')}")

    def send(self, opcode: int, payload: bytes, final: bool = True) -> None:
        self.raw(ws_frame(opcode, payload, final))

    def next(self) -> tuple[int, bytes]:
        """The next frame, held against what the protocol says about frames of servers."""
        first, second = self.read(2)
        if first & 0x70:
            raise Wrong("reserved bits are set")
        if not first & 0x80:
            raise Wrong("a server of this protocol sends no fragments")
        if second & 0x80:
            raise Wrong("a server does not mask")
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack(">H", self.read(2))
            least = 126
        elif length == 127:
            length, = struct.unpack(">Q", self.read(8))
            least = 1 << 16
        else:
            least = 0
        if length < least:
            raise Wrong("a length is written in more bytes than it needs")
        opcode, payload = first & 0x0F, self.read(length)
        if opcode >= CLOSE and length > 125:
            raise Wrong("a control frame is too long")
        if opcode == CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if payload else None
            raise Ended(code, payload[2:].decode())
        return opcode, payload
