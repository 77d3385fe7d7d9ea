"""How a server of each accent finds others, is found, and learns their keys."""

from __future__ import annotations

import uuid
from typing import Any

from websockets.asyncio.client import connect

from socp_crypto import Json, PublicKey, Refused, read_key
from socp_node import DEADLINE, PREFIXES, Link, Node
from socp_wire import Frame, is_uuid, signed_by


class Bootstrap(Node):
    # --- the one that dials ---------------------------------------------------------------------

    def own_payload(self) -> Json:
        payload: Json = {"host": "127.0.0.1", "port": self.link_port}
        if self.ways.shows_key:
            payload["pubkey"] = self.key_text
        if "role" in self.ways.join_payload:
            payload["role"] = self.role
        if "ws_uri" in self.ways.join_payload:
            payload["ws_uri"] = self.link_url
        return payload

    async def join(self, url: str, pin: str | None = None) -> None:
        """Bootstraps at an introducer, whose key may be in the bootstrap file."""
        if pin is not None:
            self.pins[url] = pin
        to = self.ways.join_to or url.removeprefix("ws://")
        body = self.make("SERVER_HELLO_JOIN", to, self.own_payload(), signed=self.ways.join_signed)
        await self._dial(url, body)

    async def link(self, url: str, to: str = "*") -> None:
        """Dials a server that it knows by address."""
        kind = self.ways.links_with or "SERVER_ANNOUNCE"
        body = self.make(kind, self.ways.link_to or to, self.own_payload(),
                         signed=self.ways.join_signed)
        if not self.ways.link_signed:
            del body["sig"]
        await self._dial(url, body)

    async def _dial(self, url: str, first: Json) -> None:
        socket = await connect(url + self.ways.path, proxy=None, open_timeout=DEADLINE,
                               close_timeout=2)
        self._sockets.add(socket)
        await self.send(socket, first)
        link = Link(socket, url=url, said=str(first["type"]))
        if link.said == "PEER_HELLO_LINK":  # it knows from the WELCOME who is there
            await self.up(link, str(first["to"]))
            await self.gossip(link)
        self.run(self._listen(link))

    async def _listen(self, link: Link) -> None:
        await self.read(link)
        closed_by_introducer = link.said == "SERVER_HELLO_JOIN" and link.welcomed and (
            self.ways.join == "introducer-closes")
        if closed_by_introducer:
            await self.link(link.url, link.id)

    async def welcome(self, link: Link, frame: Frame) -> None:
        """What a joiner makes of a WELCOME."""
        assert frame.body is not None
        sender = str(frame.body.get("from"))
        if self.ways.ids == "prefixed" and not sender.startswith(PREFIXES):
            return self.fault(f"a WELCOME from {sender!r}, without prefix")
        try:
            found = self._introducer_key(link, frame, sender)
        except Refused as fault:
            return self.fault(f"the introducer's key: {fault}")
        if found is not None:
            self.keys[sender] = found
            if self.ways.welcome_signed and not signed_by(self.accent, found, frame.body):
                self.fault("a WELCOME whose signature does not verify")
                await link.socket.close()
                return
        elif self.ways.finds_key:
            return self.fault(f"a WELCOME without the key that it looks for: {self.ways.finds_key}")
        if isinstance(frame.payload.get("assigned_id"), str):
            self.id = frame.payload["assigned_id"]
        if self.ways.welcome == "users":
            self._learn_users(sender, frame.payload.get("clients"))
        if self.ways.join == "introducer-closes":
            link.id, link.welcomed = sender, True
            await link.socket.close()
            return
        await self.up(link, sender)
        if self.ways.announces:
            await self.send(link.socket, self.make("SERVER_ANNOUNCE", "*", self.own_payload()))
        await self.gossip(link)
        if self.ways.join == "joiner-drops":
            await link.socket.close()
        if self.ways.dials_listed:
            await self._dial_listed(frame.payload.get("clients"))

    def _introducer_key(self, link: Link, frame: Frame, sender: str) -> PublicKey | None:
        text: Any = None
        for place in self.ways.finds_key:
            if place == "pin":
                # Where nobody wrote a key into the bootstrap file, the first one is believed.
                text = self.pins.get(link.url) or frame.payload.get("pubkey")
            elif place == "servers":
                listed = [one for one in frame.payload.get("servers", [])
                          if isinstance(one, dict) and one.get("server_id") == sender]
                text = listed[0].get("pubkey") if listed else None
            else:
                text = frame.payload.get(place)
        return None if text is None else read_key(self.accent.crypto, text)

    def _learn_users(self, server: str, clients: Any) -> None:
        for one in clients if isinstance(clients, list) else []:
            if isinstance(one, dict) and isinstance(one.get("user_id"), str):
                self.locations[one["user_id"]] = server
                self.user_keys[one["user_id"]] = str(one.get("pubkey"))

    async def _dial_listed(self, clients: Any) -> None:
        """Opens a second socket to every address in a WELCOME, as if all were servers."""
        for one in clients if isinstance(clients, list) else []:
            if not {"user_id", "host", "port", "pubkey"} <= set(one):
                self.fault(f"an entry in clients like {one!r:.80}")
                continue
            if one["user_id"] == self.id:
                continue
            try:
                self.keys[one["user_id"]] = read_key(self.accent.crypto, one["pubkey"])
                await self.link(f"ws://{one['host']}:{one['port']}", one["user_id"])
            except (OSError, Refused) as fault:
                self.fault(f"dialling {one['host']}:{one['port']}: {fault}")

    # --- the one that is dialled ----------------------------------------------------------------

    async def _first(self, socket: Any, frame: Frame) -> None:
        """The first frame says who is there, and must say it at the right door."""
        if self.ways.own_door and (frame.type == "USER_HELLO") == self.is_link_door(socket):
            sender = str((frame.body or {}).get("from"))
            await self.error(socket, sender, "UNKNOWN_TYPE", f"{frame.type} at this port")
        elif frame.type == "USER_HELLO":
            await self.user(socket, frame)
        else:
            await self._first_of_server(socket, frame)

    async def _first_of_server(self, socket: Any, frame: Frame) -> None:
        await self.ready.wait()
        if frame.type == "SERVER_HELLO_JOIN":
            await self.joined(Link(socket), frame)
        elif frame.type == self.ways.links_with or (
                frame.type == "SERVER_ANNOUNCE" and self.ways.dials_listed):
            await self._linked(Link(socket), frame)
        elif self.ways.unknown_type:
            sender = str((frame.body or {}).get("from"))
            await self.error(socket, sender, "UNKNOWN_TYPE", frame.type)

    async def joined(self, link: Link, frame: Frame) -> None:
        assert frame.body is not None
        sender, wrong = str(frame.body.get("from")), ""
        if self.ways.refuses_foreign_ids:
            prefixed = self.ways.ids == "prefixed"
            if not (sender.startswith(PREFIXES) if prefixed else is_uuid(sender)):
                wrong = f"a JOIN from {sender!r}"
        if not wrong and self.ways.shows_key:
            wrong = self._wrong_with_key(frame, sender)
        if wrong:
            self.fault(wrong)
            if self.accent.user.alg:  # the only one that says why
                await self.error(link.socket, sender, "BAD_KEY", wrong)
            return
        assigned = str(uuid.uuid4()) if self.ways.assigns_new_id else sender
        if self.ways.welcome == "none":
            await self.send(link.socket, self.make("SERVER_ANNOUNCE", "*", self.own_payload()))
        else:
            body = self.make("SERVER_WELCOME", assigned, self._welcome_payload(assigned),
                             signed=self.ways.welcome_signed)
            await self.send(link.socket, body)
        if self.ways.join == "introducer-closes" or link.welcomed:
            return
        await self.up(link, sender)
        await self.gossip(link)
        await self.read(link)

    def _wrong_with_key(self, frame: Frame, sender: str) -> str:
        assert frame.body is not None
        try:
            key = read_key(self.accent.crypto, frame.payload.get("pubkey"))
        except Refused as fault:
            return f"the key in a {frame.type}: {fault}"
        sig = frame.body.get("sig")
        if sig == "" and self.accent.crypto.base64 == "bare":
            return f"a {frame.type} with an empty signature"
        if sig and self.ways.checks_links and not signed_by(self.accent, key, frame.body):
            return f"a {frame.type} whose signature does not verify"
        self.keys[sender] = key
        return ""

    def _welcome_payload(self, assigned: str) -> Json:
        me = {"host": "127.0.0.1", "port": self.link_port, "pubkey": self.key_text}
        match self.ways.welcome:
            case "servers":
                return {"assigned_id": assigned, "servers": [{"server_id": self.id, **me}]}
            case "own":
                return {**me, "role": self.role}
            case "server_pub":
                return {"server_id": self.id, "server_pub": self.key_text,
                        "snapshot": {"user_locations": dict(self.locations)},
                        "assigned_id": assigned}
            case "users":
                users = [{"user_id": user, "host": "127.0.0.1", "port": self.link_port, "pubkey": key}
                         for user, key in self.local_keys().items()]
                return {"assigned_id": assigned, "clients": users}
        return {"assigned_id": assigned, "clients": []}

    async def _linked(self, link: Link, frame: Frame) -> None:
        """A server that introduces itself without asking for anything."""
        assert frame.body is not None
        sender = str(frame.body.get("from"))
        wrong = self._wrong_with_key(frame, sender)
        if wrong:
            return self.fault(wrong)
        await self.up(link, sender)
        if frame.type == "SERVER_HELLO_LINK":
            await self.send(link.socket, self.make("SERVER_ANNOUNCE", "*", self.own_payload()))
        await self.gossip(link)
        await self.read(link)

    async def up(self, link: Link, sender: str) -> None:
        link.id, link.welcomed = sender, True
        self.links.setdefault(sender, link)
        await self.tell()

    async def announced(self, link: Link, frame: Frame, sender: str) -> None:
        assert frame.body is not None
        if self.ways.dies_of_announce:
            self.fault("a SERVER_ANNOUNCE, of which it dies")
            await link.socket.close(1011)
            return
        if not self.ways.shows_key:  # no keys at all: the link is up, and still it complains
            await self.error(link.socket, sender, "INVALID_SIG", "unknown server")
            if not link.welcomed:
                await self.up(link, sender)
                await self.gossip(link)
            return
        known = self.keys.get(sender)
        if link.url and self.ways.only_listens:
            return
        if known is None and self.ways.join == "introducer-closes":
            return  # only a LINK of the other side brings its key
        try:
            key = known or read_key(self.accent.crypto, frame.payload.get("pubkey"))
        except Refused as fault:
            return self.fault(f"the key in a SERVER_ANNOUNCE: {fault}")
        if self.ways.checks_links and not signed_by(self.accent, key, frame.body):
            return self.fault("a SERVER_ANNOUNCE whose signature does not verify")
        self.keys[sender] = key
        if not link.welcomed:
            await self.up(link, sender)
            await self.gossip(link)
