"""tPacket clients on one server that is already up.

    python tests/peers/tpacket_suite.py --url ws://127.0.0.1:25021

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`. The exit status is 0 only if
something ran and nothing failed. `--only` and `--skip` take a name (`nicks.taken`), the group in front of it or the
check behind it, and may be given several times. Groups that need a server with other settings run only if they are
named: `strict` (tpacket.strict_seed), `tiny` (limits.rooms is 2), `busy` (four hellos a minute, a
second for each) and `replay` (a server on which nobody has been).
"""

from __future__ import annotations

import argparse
import sys

import tpacket_checks_bytes
import tpacket_checks_directory
import tpacket_checks_houses
import tpacket_checks_rooms
import tpacket_checks_trust
import tpacket_checks_version
import tpacket_checks_weaknesses
from tpacket_client import Client
from tpacket_scene import Check, chosen, report

MODULES = [tpacket_checks_trust, tpacket_checks_rooms, tpacket_checks_bytes, tpacket_checks_version,
           tpacket_checks_weaknesses, tpacket_checks_houses, tpacket_checks_directory]
APART = ["strict", "tiny", "busy", "replay"]


def checks() -> list[tuple[str, Check]]:
    """All of them. A function `group__name` is the check `group.name`."""
    return [(name.replace("__", ".", 1), check) for module in MODULES
            for name, check in vars(module).items() if "__" in name.strip("_") and callable(check)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address, ws://host:port")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME")
    given = parser.parse_args()
    skip = given.skip + [group for group in APART if group not in given.only]
    address = given.url.removeprefix("ws://").rstrip("/")
    wanted = [(name, check) for name, check in checks() if chosen(name, given.only, skip)]
    if "replay" in given.only:
        # There, nobody may have been before.
        results = [tpacket_checks_houses.replay(address)]
    else:
        witness = Client(address)
        witness.socket.upgrade()
        witness.call("witness")
        witness.enter("w")
        results = [report(name, check, address, witness) for name, check in wanted]
        witness.leave()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
