"""Runs every OLAF check against a server that is already up.

    python tests/peers/olaf_suite.py --url ws://127.0.0.1:8080 --http http://127.0.0.1:8080

One line for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`. The exit
status is 0 only if something ran and nothing failed. `--only` takes a name, the beginning of one up
to a dot (`public`, `hostile.counter`), or a shell pattern, and may be given several times.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import sys

import olaf_checks_accents
import olaf_checks_hostile
import olaf_checks_malformed
import olaf_checks_upload
from olaf_client import Wrong
from olaf_scene import Check, Scene, World

PATIENCE = 60.0  # for one whole check, beyond the server's hello timeout


def all_checks(world: World) -> list[tuple[str, Check]]:
    listed = [*olaf_checks_accents.checks(), *olaf_checks_hostile.checks(),
              *olaf_checks_malformed.checks()]
    if world.http is not None:
        listed += olaf_checks_upload.checks(limited=world.max_upload is not None)
    return listed


def chosen(name: str, only: list[str]) -> bool:
    return not only or any(
        name == one or name.startswith(f"{one}.") or fnmatch.fnmatchcase(name, one) for one in only
    )


async def run(name: str, check: Check, world: World) -> str | None:
    """Runs one check; returns what is wrong, or None."""
    try:
        async with asyncio.timeout(PATIENCE + world.hello_timeout), Scene(world) as scene:
            await check(scene)
    except Wrong as fault:
        return str(fault)
    except TimeoutError:
        return f"not done after {PATIENCE + world.hello_timeout:.0f} s"
    except Exception as fault:  # a check that falls over has failed, and the rest must still run
        return f"{type(fault).__name__}: {fault}"
    return None


async def run_all(world: World, only: list[str]) -> tuple[int, int]:
    passed = failed = 0
    for name, check in all_checks(world):
        if not chosen(name, only):
            continue
        fault = await run(name, check, world)
        if fault is None:
            passed += 1
            print(f"ok {name}", flush=True)
        else:
            failed += 1
            print(f"FAIL {name}: {' '.join(fault.split())}", flush=True)
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the WebSocket address, ws://host:port[/path]")
    parser.add_argument("--http", help="the upload address; without it no upload is checked")
    parser.add_argument("--hello-timeout", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--max-upload", type=int, metavar="BYTES")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    given = parser.parse_args()
    http = given.http.rstrip("/") if given.http else None
    world = World(given.url, http, given.hello_timeout, given.max_upload)
    if given.list:
        print("\n".join(name for name, _ in all_checks(world) if chosen(name, given.only)))
        return 0
    passed, failed = asyncio.run(run_all(world, given.only))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
