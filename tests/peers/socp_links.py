"""What a server of each accent makes of the frames of other servers, and how presence spreads."""

from __future__ import annotations

from typing import Any

import websockets

from socp_bootstrap import Bootstrap
from socp_crypto import Json, Refused, read_key
from socp_node import PREFIXES, Link
from socp_wire import Frame, now, signed_by

QUIET = ("ACK", "HEARTBEAT", "PUBLIC_CHANNEL_UPDATED", "PUBLIC_CHANNEL_KEY_SHARE", "CTRL_CLOSE")
GOSSIP = ("USER_ADVERTISE", "USER_REMOVE", "PUBLIC_CHANNEL_ADD")


class Links(Bootstrap):
    # --- a link ----------------------------------------------------------------------------------

    async def read(self, link: Link) -> None:
        try:
            async for raw in link.socket:
                frame, link.heard_at = Frame.read(raw), now()
                self.heard.append(frame)
                if frame.body is None:
                    self.fault(f"a frame that is no JSON object: {raw[:60]!r}")
                else:
                    await self._from_server(link, frame)
                await self.tell()
        except websockets.ConnectionClosed:
            pass
        finally:
            self._sockets.discard(link.socket)
            if self.links.get(link.id) is link:
                del self.links[link.id]
            await self.tell()

    async def _from_server(self, link: Link, frame: Frame) -> None:
        assert frame.body is not None
        kind, sender = frame.type, str(frame.body.get("from"))
        if kind == "ERROR":
            self.errors_heard += 1
            if self.ways.answers_errors:
                await self.error(link.socket, link.id, "UNKNOWN_TYPE", kind)
        elif kind in GOSSIP and self._is_deaf(link, sender):
            pass
        elif kind in self.ways.unknown:
            await self.error(link.socket, link.id, "UNKNOWN_TYPE", kind)
        elif kind == "SERVER_HELLO_JOIN":
            await self.joined(link, frame)  # once more, for a fresh WELCOME
        elif kind == "SERVER_WELCOME":
            await self.welcome(link, frame)
        elif kind == "SERVER_ANNOUNCE":
            await self.announced(link, frame, sender)
        elif kind == "PUBLIC_CHANNEL_ADD":
            self._added(link, frame, sender)
        elif kind in QUIET:
            wrong = self.wrong_with_server(frame, sender)
            if kind == "HEARTBEAT" and wrong:
                self.fault(wrong)
            if kind == "HEARTBEAT" and not self.ways.shows_key:
                await self.error(link.socket, link.id, "INVALID_SIG", "unknown server")
        elif kind in ("USER_ADVERTISE", "USER_REMOVE"):
            await self._presence(link, frame, sender)
        else:
            await self.content(link, frame, sender)

    def _is_deaf(self, link: Link, sender: str) -> bool:
        """One learns keys from a LINK alone, and drops without a word what came before that."""
        return self.ways.only_listens and bool(link.url) and sender not in self.keys

    # --- the public channel ----------------------------------------------------------------------

    async def say_added(self, users: list[str], link: Link | None = None) -> None:
        """Everybody is in the public channel, and some tell each other so."""
        if not self.ways.channel or not users:
            return
        body = self.make("PUBLIC_CHANNEL_ADD", "*", {"add": users, "if_version": 0})
        if link is None:
            await self.tell_links(body)
        else:
            await self.send(link.socket, body)

    def _added(self, link: Link, frame: Frame, sender: str) -> None:
        if not self.ways.channel:
            # A socket that is closed after its WELCOME belongs to somebody who is not known yet.
            if link.said != "SERVER_HELLO_JOIN" or self.ways.join != "introducer-closes":
                self.fault("a PUBLIC_CHANNEL_ADD, of which it knows nothing")
            return
        wrong, users = self.wrong_with_server(frame, sender), frame.payload.get("add")
        version = frame.payload.get("if_version")
        if not isinstance(users, list) or not users or not isinstance(version, int):
            wrong = f"a PUBLIC_CHANNEL_ADD like {frame.payload!r:.80}"
        if wrong:
            self.fault(wrong)
        else:
            self.channel |= {(sender, user) for user in users}

    # --- presence --------------------------------------------------------------------------------

    def advert(self, user: str) -> Json:
        meta = {"pubkey": self.local_keys()[user]} if self.ways.gossip_key == "meta" else {}
        return self.make("USER_ADVERTISE", "*",
                         {"user_id": user, "server_id": self.id, "meta": meta})

    async def gossip(self, link: Link) -> None:
        """Tells a new link who is here."""
        if self.ways.gossip == "user":
            for body in self.own_gossip.values():
                await self.send(link.socket, body)
        elif self.ways.gossip == "server":
            for user in self.local_keys():
                await self.send(link.socket, self.advert(user))
            await self.say_added(list(self.local_keys()), link)

    async def _presence(self, link: Link, frame: Frame, sender: str) -> None:
        assert frame.body is not None
        if sender == self.id:  # an echo
            return
        user, server = frame.payload.get("user_id"), frame.payload.get("server_id")
        meta = frame.payload.get("meta")
        inner = meta.get("pubkey") if isinstance(meta, dict) else None
        text = frame.payload.get("pubkey") or inner
        if self.ways.gossip == "user":
            wrong = self._wrong_with_user_gossip(frame, str(user), text)
            server = link.id
        else:
            wrong = self.wrong_with_server(frame, sender)
            if wrong:
                self.fault(wrong)
        if wrong or not isinstance(user, str) or not isinstance(server, str):
            if self.ways.full_errors is False or self.accent.crypto.base64 == "bare":
                await self.error(link.socket, link.id, "INVALID_SIG", wrong or "malformed")
            return
        if frame.type == "USER_ADVERTISE":
            self.locations[user] = server
            if isinstance(text, str):
                self.user_keys[user] = text
        elif self.locations.get(user) == server:
            del self.locations[user]
        await self.tell_users(frame.body)
        if self.ways.echoes:
            await self.tell_links(frame.body)

    def _wrong_with_user_gossip(self, frame: Frame, user: str, text: Any) -> str:
        """One program lets users advertise themselves, under their own signatures."""
        assert frame.body is not None
        try:
            key = read_key(self.accent.crypto, text or self.user_keys.get(user))
        except Refused as fault:
            return str(fault)
        return "" if signed_by(self.accent, key, frame.body) else "not signed by the user"

    def wrong_with_server(self, frame: Frame, sender: str) -> str:
        """What is wrong with a frame that a server must have signed."""
        assert frame.body is not None
        if not self.ways.checks_links:
            return ""
        if self.ways.ids == "prefixed" and not sender.startswith(PREFIXES):
            return f"a {frame.type} from {sender!r}, without prefix"
        key = self.keys.get(sender)
        if key is None:
            return f"a {frame.type} from {sender!r}, whose key it does not know"
        if not signed_by(self.accent, key, frame.body):
            return f"a {frame.type} whose signature does not verify"
        return ""
