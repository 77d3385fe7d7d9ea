"""Users of every accent on one SOCP server that is already up.

    python tests/peers/socp_suite.py --url ws://127.0.0.1:8080

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`. The exit
status is 0 only if something ran and nothing failed. `--only` and `--skip` take a name
(`g45.direct`), the accent in front of it or the check behind it, and may be given several times.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial

from socp_checks_users import checks
from socp_scene import KEYS, chosen, finish, report


async def run_all(url: str, only: list[str], skip: list[str]) -> int:
    return finish([await report(name, partial(check, url))
                   for name, check in checks() if chosen(name, only, skip)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address, ws://host:port")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    given = parser.parse_args()
    if given.list:
        names = [name for name, _ in checks() if chosen(name, given.only, given.skip)]
        print("\n".join(names))
        return 0
    KEYS.make_all()
    return asyncio.run(run_all(given.url.rstrip("/"), given.only, given.skip))


if __name__ == "__main__":
    sys.exit(main())
