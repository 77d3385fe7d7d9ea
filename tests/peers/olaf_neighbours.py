"""Runs every check of links between OLAF servers against a server that is already up.

    python tests/peers/olaf_neighbours.py --url ws://127.0.0.1:8080 --admin 127.0.0.1:9090 --token …

The server must know nobody (`neighbourhood.admit: known`). With `--legacy` it must bear servers that
prove nothing (`legacy` and `unsigned`); without it, it must not. With `--certificate` and `--key`,
which are also those of a server at a `wss://` address, only what needs TLS is checked. Lines and exit
status are those of `olaf_suite.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import olaf_checks_neighbours
import olaf_checks_neighbours_hostile
from olaf_admin import Admin
from olaf_client import Wrong
from olaf_mesh import Check, Mesh, Surroundings
from olaf_neighbour import Home
from olaf_suite import chosen

PATIENCE = 60.0  # for one whole check


async def run(check: Check, around: Surroundings) -> str | None:
    """Runs one check; returns what is wrong, or None."""
    try:
        async with asyncio.timeout(PATIENCE), Mesh(around) as mesh:
            await check(mesh)
    except Wrong as fault:
        return str(fault)
    except TimeoutError:
        return f"not done after {PATIENCE:.0f} s"
    except Exception as fault:  # a check that falls over has failed, and the rest must still run
        return f"{type(fault).__name__}: {fault}"
    return None


async def run_all(given: argparse.Namespace) -> tuple[int, int]:
    admin = Admin(given.admin, given.token)
    about = await admin.server()
    tls = (given.certificate, given.key) if given.certificate else None
    home = Home(given.url, about["address"], about["olaf"]["public_key"])
    around = Surroundings(admin, home, tls, given.legacy)
    listed = olaf_checks_neighbours.checks(tls is not None, given.legacy)
    if tls is None and not given.legacy:
        listed += olaf_checks_neighbours_hostile.checks()
    passed = failed = 0
    for name, check in listed:
        if not chosen(name, given.only):
            continue
        fault = await run(check, around)
        if fault is None:
            passed += 1
            print(f"ok {name}", flush=True)
        else:
            failed += 1
            print(f"FAIL {name}: {' '.join(fault.split())}", flush=True)
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address, ws://host:port")
    parser.add_argument("--admin", required=True, help="host:port of the admin API")
    parser.add_argument("--token", required=True)
    parser.add_argument("--legacy", action="store_true")
    parser.add_argument("--certificate", metavar="PEM")
    parser.add_argument("--key", metavar="PEM")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    passed, failed = asyncio.run(run_all(parser.parse_args()))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
