"""Broken frames, sent by a member in good standing.

Whatever it is, the server may drop it or close with a code that says why; it must not tear the line
(1006) or call it its own failure (1011), must deliver nothing, and must go on serving the others.
Each frame carries the marker `token`, which no one may ever receive, save where a row says that the
frame is odd but valid.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from olaf_accents import TS, TSC
from olaf_client import Client
from olaf_crypto import b64, sign
from olaf_scene import Check, Scene, closed_politely, fence, never_saw, recipient, token, watchers
from olaf_wire import frame, seal, sign_frame


@dataclass(frozen=True)
class Broken:
    """One way to break a frame. `make` gets a member, a listener and the marker."""

    name: str
    make: Callable[[Client, Client, str], str | bytes]
    may_arrive: bool = False


def _signed_text(client: Client, data_text: str, counter: Any = None) -> str:
    """A rightly signed frame whose `data` string is anything at all."""
    if counter is None:
        counter, client.counter = client.counter, client.counter + 1
    return frame(TS, data_text, counter, sign(client.key, f"{data_text}{counter}")).raw


def _public(client: Client, **changes: Any) -> str:
    """A rightly signed public chat with some members replaced."""
    data = {"type": "public_chat", "sender": client.name, "message": "", **changes}
    return client.sign(data).raw


def _envelope(client: Client, mark: str, drop: str = "", **changes: Any) -> str:
    """A good public chat with members of the envelope replaced or dropped."""
    body = {**json.loads(client.public_frame(mark).raw), **changes}
    body.pop(drop, None)
    return json.dumps(body)


def _counter(value: Any) -> Callable[[Client, Client, str], str]:
    """A public chat whose odd counter is the only thing wrong: it is signed as it stands."""
    def make(client: Client, _: Client, mark: str) -> str:
        data = json.loads(str(client.public_frame(mark).data))
        return _signed_text(client, json.dumps(data), value)
    return make


def _chat(**changes: Any) -> Callable[[Client, Client, str], str]:
    """A private chat with some members replaced, rightly signed."""
    def make(client: Client, listener: Client, mark: str) -> str:
        target = recipient(client, listener)
        data = {**seal(TS, target, [target], "hush"), "note": mark, **changes}
        return sign_frame(TS, client.key, data, client.counter + 1).raw
    return make


def _nested(client: Client, _: Client, mark: str) -> str:
    inner = '{"a":' * 200 + f'"{mark}"' + "}" * 200
    return _signed_text(client, f'{{"type":"public_chat","sender":"{client.name}",'
                                f'"message":{inner}}}')


def _nested_object(client: Client, _: Client, mark: str) -> str:
    data = {"type": "public_chat", "sender": client.name, "message": mark}
    raw = sign_frame(TSC, client.key, data, client.counter).raw
    return raw.replace('"data":', '"extra":' + "[" * 200 + "]" * 200 + ',"data":')


def _doubled(client: Client, _: Client, mark: str) -> str:
    sent = client.public_frame(mark)
    return sent.raw.replace('"counter":', '"counter":1,"counter":')


BROKEN: tuple[Broken, ...] = (
    Broken("not_json", lambda c, w, t: f"hello {t}"),
    Broken("empty", lambda c, w, t: ""),
    Broken("array", lambda c, w, t: json.dumps([t])),
    Broken("number", lambda c, w, t: "42"),
    Broken("null", lambda c, w, t: "null"),
    Broken("truncated", lambda c, w, t: c.public_frame(t).raw[:-20]),
    Broken("trailing", lambda c, w, t: c.public_frame(t).raw + "]"),
    Broken("two_in_one", lambda c, w, t: c.public_frame(t).raw * 2),
    Broken("nested_200", lambda c, w, t: "[" * 200 + f'"{t}"' + "]" * 200),
    Broken("nested_100000", lambda c, w, t: "[" * 100_000),
    Broken("nested_data", _nested),
    Broken("nested_extra", _nested_object, may_arrive=True),
    Broken("no_type", lambda c, w, t: _envelope(c, t, drop="type")),
    Broken("unknown_type", lambda c, w, t: _envelope(c, t, type="shout")),
    Broken("type_number", lambda c, w, t: _envelope(c, t, type=7)),
    Broken("no_data", lambda c, w, t: _envelope(c, t, drop="data")),
    Broken("data_number", lambda c, w, t: _envelope(c, t, data=7)),
    Broken("data_array", lambda c, w, t: _signed_text(c, json.dumps([t]))),
    Broken("data_text", lambda c, w, t: _signed_text(c, t)),
    Broken("data_string_in_string", lambda c, w, t: _signed_text(c, json.dumps(t))),
    Broken("data_unknown_type", lambda c, w, t: _public(c, type="shout", message=t)),
    Broken("data_no_type", lambda c, w, t: _signed_text(c, json.dumps({"message": t}))),
    Broken("no_counter", lambda c, w, t: _envelope(c, t, drop="counter")),
    Broken("counter_null", lambda c, w, t: _envelope(c, t, counter=None)),
    Broken("counter_array", lambda c, w, t: _envelope(c, t, counter=[3])),
    Broken("counter_words", lambda c, w, t: _envelope(c, t, counter="three")),
    Broken("counter_negative", _counter(-1)),
    Broken("counter_float", _counter(10.5)),
    Broken("counter_huge", _counter(10**40)),
    Broken("no_signature", lambda c, w, t: _envelope(c, t, drop="signature")),
    Broken("signature_number", lambda c, w, t: _envelope(c, t, signature=7)),
    Broken("signature_empty", lambda c, w, t: _envelope(c, t, signature="")),
    Broken("signature_not_base64", lambda c, w, t: _envelope(c, t, signature="§" * 300)),
    Broken("signature_short", lambda c, w, t: _envelope(c, t, signature=b64(b"short"))),
    Broken("sender_number", lambda c, w, t: _public(c, sender=7, message=t)),
    Broken("message_object", lambda c, w, t: _public(c, message={"text": t})),
    Broken("no_sender", lambda c, w, t: _signed_text(
        c, json.dumps({"type": "public_chat", "message": t}))),
    Broken("keys_10000", _chat(symm_keys=["AAAA"] * 10_000)),
    Broken("keys_text", _chat(symm_keys="AAAA")),
    Broken("keys_numbers", _chat(symm_keys=[1, 2, 3])),
    Broken("servers_numbers", _chat(destination_servers=[1, 2, 3])),
    Broken("servers_text", _chat(destination_servers="127.0.0.1")),
    Broken("servers_10000", _chat(destination_servers=["127.0.0.1:1"] * 10_000)),
    Broken("raw_nul", lambda c, w, t: c.public_frame(t).raw.replace(t, f"{t}\x00")),
    Broken("binary_noise", lambda c, w, t: b"\xff\xfe\x00" + t.encode()),
    # Odd, but JSON allows it, so delivering it is no fault.
    Broken("nul_escape", lambda c, w, t: _public(c, message=f"{t}\x00"), may_arrive=True),
    Broken("doubled_key", _doubled, may_arrive=True),
    Broken("lone_surrogate", lambda c, w, t: _signed_text(
        c, f'{{"type":"public_chat","sender":"{c.name}","message":"{t} \\ud800"}}'),
        may_arrive=True),
    Broken("lone_surrogate_outside", lambda c, w, t: c.public_frame(t).raw[:-1]
           + ',"extra":"\\udfff"}', may_arrive=True),
)


async def malformed(broken: Broken, scene: Scene) -> None:
    """Sends one broken frame after a good hello, and sees that nothing but it suffers."""
    bystander, watcher = await watchers(scene)
    client = await scene.join(TS)
    client.counter += 20
    mark = token()
    await client.send(broken.make(client, watcher, mark))
    client.counter += 20
    await fence(client, bystander, watcher)
    if not broken.may_arrive:
        never_saw(watcher, mark)
    closed_politely(client)


def checks() -> list[tuple[str, Check]]:
    return [(f"malformed.{one.name}", partial(malformed, one)) for one in BROKEN]
