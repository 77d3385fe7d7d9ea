"""A client that is attached to a home server of our own, and so has no socket.

What it would say to its server, and what it makes of the letters that its server hears.
"""

from __future__ import annotations

from olaf_accents import Accent
from olaf_client import Wrong
from olaf_crypto import PrivateKey, fingerprint, pem_text, read_pem
from olaf_wire import Json, Opened, Recipient, Sent, data_of, open_chat, seal, sign_frame, verify


class Guest:
    """A client attached to the neighbour."""

    def __init__(self, accent: Accent, key: PrivateKey) -> None:
        self.accent, self.key = accent, key
        self.pem = pem_text(key.public_key(), accent.pem)
        self.counter = accent.first_counter

    def sign(self, data: Json) -> Sent:
        self.counter += 1
        return sign_frame(self.accent, self.key, data, self.counter)

    def public(self, message: str, name: str | None = None) -> Sent:
        name = name or fingerprint(self.accent, self.pem)
        return self.sign({"type": "public_chat", "sender": name, "message": message})

    def private(self, to: list[Recipient], message: str, home: str) -> Sent:
        return self.sign(seal(self.accent, Recipient(self.pem, home), to, message))

    def check(self, body: Json, claimed: str, pems: list[str], form: str | None = None) -> None:
        """Demands that a letter is from whom it says, as this client checks it."""
        for pem in pems:
            if fingerprint(self.accent, pem, form) == claimed:  # type: ignore[arg-type]
                fault = verify(self.accent, body, read_pem(pem))
                if fault is not None:
                    raise Wrong(fault)
                return
        raise Wrong(f"a client of {self.accent.name} finds nobody named {claimed!r}")

    def read_public(self, body: Json, pems: list[str]) -> str:
        data = data_of(body)
        self.check(body, data["sender"], pems)
        return str(data["message"])

    def read_private(self, body: Json, pems: list[str]) -> Opened | None:
        opened = open_chat(self.accent, self.key, data_of(body))
        if opened is not None:
            self.check(body, opened.participants[0], pems, self.accent.participants_as)
        return opened
