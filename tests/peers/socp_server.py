"""A small but complete SOCP server that speaks with a given accent: the side that faces users.

    python tests/peers/socp_server.py --accent g45 --port 9101 [--join ws://host:port --pin KEY]

Tests make servers inside themselves; this is for trying one by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import uuid
from typing import Any

import websockets

from socp_accents import BY_NAME, Question
from socp_crypto import Json, Keys, Refused, b64, read_key, unb64, verifies
from socp_node import DEADLINE
from socp_routing import Routing, Seat
from socp_wire import FILE_TYPES, Frame, is_uuid, now, signed_by

# What only servers may say.
SERVER_TYPES = ("SERVER_", "PEER_", "PUBLIC_CHANNEL_")


class Server(Routing):
    # --- letting users in ------------------------------------------------------------------------

    async def user(self, socket: Any, frame: Frame) -> None:
        assert frame.body is not None
        user = str(frame.body.get("from"))
        if self.accent.user.ids == "assigned":
            user = str(uuid.uuid4())
        refusal = self._refusal(user, frame)
        if refusal:
            await self.error(socket, user, *refusal)
            return
        if self.accent.user.prompted and not await self._proves(socket, user, frame):
            return
        self.seats[user] = Seat(socket, str(frame.payload.get("pubkey")))
        try:
            await self._greet(socket, user)
            await self._read_user(socket, user)
        except websockets.ConnectionClosed:
            pass
        finally:
            await self._gone(user)

    def _refusal(self, user: str, frame: Frame) -> tuple[str, str] | None:
        assert frame.body is not None
        if user in self.seats and self.ways.name_in_use != "none":
            return "NAME_IN_USE", user
        if self.accent.crypto.base64 == "bare" and not is_uuid(user):
            return "BAD_KEY", f"{user} is no UUID"
        if self.accent.crypto.accepts == "unchecked":
            return None
        try:
            key = read_key(self.accent.crypto, frame.payload.get("pubkey"))
        except Refused as fault:
            return "BAD_KEY", str(fault)
        may_be_empty = self.ways.user_sigs != "required" or self.accent.user.names_recipient
        if not frame.body.get("sig"):
            return None if may_be_empty else ("INVALID_SIG", "no signature")
        if self.ways.user_sigs != "unchecked" and not signed_by(self.accent, key, frame.body):
            return "INVALID_SIG", "USER_HELLO"
        if user in self.seats:
            return "INVALID_SIG", "the key of somebody else"
        return None

    async def _proves(self, socket: Any, user: str, hello: Frame) -> bool:
        challenge = os.urandom(32)
        body = self.make("AUTH_CHALLENGE", user, {"challenge": b64(challenge)})
        await self.send(socket, body)
        proof = Frame.read(await asyncio.wait_for(socket.recv(), DEADLINE))
        crypto = self.accent.crypto
        try:
            key = read_key(crypto, hello.payload.get("pubkey"))
            same = unb64(crypto, proof.payload.get("challenge")) == challenge
            return proof.type == "AUTH_PROOF" and same and verifies(
                crypto, key, challenge, proof.payload.get("signature"))
        except Refused:
            return False

    async def _greet(self, socket: Any, user: str) -> None:
        if self.accent.user.ids == "assigned":
            body = self.make("USER_WELCOME", user, {"server_pub_key": self.key_text})
        else:
            body = self.make("ACK", user, {"msg_ref": "USER_HELLO"})
        if not self.ways.full_errors and self.accent.user.alg:  # says no more than it must
            body = {"type": "ACK", "payload": body["payload"]}
        await self.send(socket, body)
        if self.ways.gossip != "server":
            return
        await self.tell_links(self.advert(user))
        await self.say_added([user])
        if self.ways.tells_clients:
            await self.tell_users(self.advert(user))
            for other in self.seats:
                await self.hand(user, self.advert(other))
            for other, server in self.locations.items():
                meta = {"pubkey": self.user_keys.get(other, "")}
                payload = {"user_id": other, "server_id": server, "meta": meta}
                await self.hand(user, self.make("USER_ADVERTISE", "*", payload))

    async def _gone(self, user: str) -> None:
        self.seats.pop(user, None)
        self.own_gossip.pop(user, None)
        if self.ways.gossip == "server" and self.ways.removes:
            body = self.make("USER_REMOVE", "*", {"user_id": user, "server_id": self.id})
            await self.tell_links(body)
            await self.tell_users(body)
        await self.tell()

    # --- what users say --------------------------------------------------------------------------

    async def _read_user(self, socket: Any, user: str) -> None:
        async for raw in socket:
            frame = Frame.read(raw)
            if frame.body is None:
                continue
            if frame.body.get("from") != user:
                await self.error(socket, user, "INVALID_SIG", "from somebody else")
            elif self._forged(user, frame):
                await self.error(socket, user, "INVALID_SIG", frame.type)
            else:
                await self._from_user(socket, user, frame)
            await self.tell()

    def _forged(self, user: str, frame: Frame) -> bool:
        assert frame.body is not None
        habit, sig = self.ways.user_sigs, frame.body.get("sig")
        if habit == "unchecked" or (habit == "if-present" and not sig):
            return False
        try:
            key = read_key(self.accent.crypto, self.seats[user].key)
        except Refused:
            return True
        return not signed_by(self.accent, key, frame.body)

    async def _from_user(self, socket: Any, user: str, frame: Frame) -> None:
        assert frame.body is not None
        kind, asked = frame.type, self._question(frame)
        if asked is not None:
            await self._answer(socket, user, asked, frame.payload)
        elif kind == "MSG_DIRECT":
            await self._direct(socket, user, frame)
        elif kind == "MSG_PUBLIC_CHANNEL":
            await self.public(frame, user)
        elif kind in FILE_TYPES:
            await self._file(socket, user, frame)
        elif kind in ("USER_ADVERTISE", "USER_REMOVE") and self.ways.gossip == "user":
            await self._user_gossip(user, frame)
        elif kind in ("HEARTBEAT", "CTRL_CLOSE"):
            pass
        elif kind.startswith(SERVER_TYPES) or self.ways.unknown_type:
            await self.error(socket, user, "UNKNOWN_TYPE", kind)

    async def _user_gossip(self, user: str, frame: Frame) -> None:
        assert frame.body is not None
        if frame.type == "USER_ADVERTISE":
            self.own_gossip[user] = frame.body
        await self.tell_links(frame.body)
        for other in list(self.seats):
            if other != user:
                await self.hand(other, frame.body)

    # --- questions -------------------------------------------------------------------------------

    def _question(self, frame: Frame) -> Question | None:
        command = str(frame.payload.get("cmd", ""))
        for asked in (self.accent.user.lists, self.accent.user.keys):
            if asked is not None and asked.type == frame.type and (
                    command.startswith(asked.command)):
                return asked
        return None

    async def _answer(self, socket: Any, user: str, asked: Question, payload: Json) -> None:
        if asked is self.accent.user.lists:
            online = sorted({*self.seats, *self.locations})
            listed: list[Any] = list(online)
            if self.accent.user.names_recipient:
                keys = {**self.user_keys, **self.local_keys()}
                listed = [{"userID": one, "version": "1", "ts": now(), "pubkey": keys.get(one)}
                          for one in online]
                await self._join_again()
            await self.send(socket, self.make(asked.answer, user, {asked.field: listed}))
            return
        wanted = str(payload.get(asked.argument) if asked.argument
                     else str(payload.get("cmd")).removeprefix(asked.command))
        key = self.local_keys().get(wanted) or self.user_keys.get(wanted)
        if key is None:
            await self.error(socket, user, "USER_NOT_FOUND", wanted)
            return
        answer = {"user_id": wanted, "found": True, asked.field: key}
        await self.send(socket, self.make(asked.answer, user, answer))

    async def _join_again(self) -> None:
        """One program learns of remote users only from a WELCOME, so it asks for one each time."""
        for link in list(self.links.values()):
            if link.said == "SERVER_HELLO_JOIN":
                to = link.url.removeprefix("ws://")
                await self.send(link.socket, self.make("SERVER_HELLO_JOIN", to, self.own_payload()))

    # --- messages --------------------------------------------------------------------------------

    def _recipient(self, frame: Frame) -> str:
        assert frame.body is not None
        field = "recipient" if self.accent.user.names_recipient else "to"
        return str(frame.body.get(field))

    async def _reachable(self, socket: Any, user: str, to: str) -> bool:
        if to in self.seats or self.link_of(to) is not None:
            return True
        if self.ways.unknown_user:
            await self.error(socket, user, "USER_NOT_FOUND", to)
        elif self.accent.user.names_recipient:
            await self.error(socket, user, "RECIPIENT_UNAVAILABLE", to)
        return False

    async def _direct(self, socket: Any, user: str, frame: Frame) -> None:
        assert frame.body is not None
        to, ts = self._recipient(frame), frame.body.get("ts")
        if self.ways.checks_content != "no" and (
                not self.content_verifies(frame.payload, user, to, ts)):
            await self.error(socket, user, "INVALID_SIG", "content_sig")
            return
        if not await self._reachable(socket, user, to):
            return
        if to in self.seats:
            await self.hand(to, self.delivery(to, frame.payload, user, ts, away=False))
        elif self.ways.routes_away:
            link = self.links[self.locations[to]]
            await self.send(link.socket, self.delivery(to, frame.payload, user, ts, away=True))

    async def _file(self, socket: Any, user: str, frame: Frame) -> None:
        to = self._recipient(frame)
        # One error is enough for a whole file.
        if frame.type == "FILE_START" and not await self._reachable(socket, user, to):
            return
        await self.file(frame, user, to)


async def join(server: Server, url: str, pin: str | None) -> None:
    """Bootstraps, also at an introducer that is not up yet."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await server.join(url, pin)
            except OSError:
                await asyncio.sleep(0.2)


async def run(given: argparse.Namespace) -> None:
    server = Server(BY_NAME[given.accent], Keys()["north"], introduces=given.join is None)
    await server.open(given.port)
    print(f"{given.accent} {server.id} at {server.url}\n{server.key_text}", flush=True)
    if given.join is not None:
        await join(server, given.join, given.pin)
    await asyncio.get_running_loop().create_future()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accent", choices=sorted(BY_NAME), default="text")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--join", metavar="URL")
    parser.add_argument("--pin", metavar="KEY")
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
