"""A SOCP server that waits to be named in the bootstrap file of a server that is not up yet.

    python tests/peers/socp_introducer.py --accent text --port 0

It says `listening` and an object with `url` and `key`. Then somebody starts the server under test and
writes its URL on a line of the standard input; a user on either side, a direct message each way, and it
says `talked` and an object with both users, who stay until the standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from socp_accents import BY_NAME
from socp_scene import KEYS, Scene, tell

PATIENCE = 60.0


def say(word: str, value: object) -> None:
    print(word, json.dumps(value), flush=True)


async def next_line() -> str:
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def run(given: argparse.Namespace) -> None:
    accent = BY_NAME[given.accent]
    async with Scene() as scene:
        peer = await scene.server(accent, "north", introduces=True, port=given.port)
        say("listening", {"url": peer.link_url, "key": peer.key_text})
        url = await next_line()
        if not url:
            return
        pat = await scene.client(peer.url, accent, "south")
        kim = await scene.client(url, accent, "alice")
        await peer.wait_linked(PATIENCE)
        await peer.wait_known(kim.id)
        await kim.wait_listed(pat.id)
        await tell(kim, pat, "over there: é, 😀", pat.key_text)
        await tell(pat, kim, "over here: é, 😀", kim.key_text)
        say("talked", {"here": {"name": kim.id, "key": kim.key_text},
                       "there": {"name": pat.id, "key": pat.key_text}})
        await next_line()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accent", choices=sorted(BY_NAME), default="text")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    KEYS.make_all()
    asyncio.run(run(given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
