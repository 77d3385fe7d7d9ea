"""A host as the first program of succession has it.

    python tests/peers/succession_host.py --address 127.0.0.1:3012 [--pace 1.3] [--reports 10] [--name ana]

It comes without an id, takes the one that it is given, and reports at its pace. It does what it is told: it goes where
`New-Server` says if the state is `Unauthorized` (always at the same port, which the protocol cannot name), and leads if
`Switch-To-Server` says so.
Two attempts, half a second apart, then it turns to the fallback that it heard of last. It prints one line of JSON for
each answer, with `at` for where it reports from then on, and what it would do at the end.
"""

from __future__ import annotations

import argparse
import json
import time

from succession_wire import NEEDED, Panicked, clock, request, understand, visit

ATTEMPTS = 2
BETWEEN = 0.5


class Host:
    def __init__(self, address: str, name: str = "ana", skew_s: float = 0.0, **figures: int) -> None:
        self.address, self.name, self.skew_s, self.figures = address, name, skew_s, figures
        self.identity, self.ip = "No-Id", "No-Ip"
        self.told: dict[str, str] | None = None
        self.leads = False

    @property
    def unknown(self) -> dict[str, str]:
        """The keys of the last answer that the first program does not know, which it keeps."""
        return {key: value for key, value in (self.told or {}).items() if key not in [*NEEDED, "Ip"]}

    def report(self) -> dict[str, str]:
        """One request, and what follows from its answer."""
        said = request(identity=self.identity, address=self.ip, name=self.name, at=clock(self.skew_s),
                       **self.figures)
        told = understand(self.ask(said))
        self.told = told
        if told["State"] == "Unauthorized" and told["New-Server"] == "None":
            if "Ip" not in told and self.ip == "No-Ip":
                raise Panicked("the first answer has no Ip")
            self.ip = told.get("Ip", self.ip)
        self.identity = told["Id"]
        self.leads = self.leads or told["Switch-To-Server"] == "true"
        # Where all is well, the first program does not look at it.
        if told["State"] == "Unauthorized" and told["New-Server"] != "None":
            self.address = f"{told['New-Server']}:{self.address.rsplit(':', 1)[1]}"
        return told

    def ask(self, said: bytes) -> bytes:
        for _ in range(ATTEMPTS):
            try:
                answer = visit(self.address, said)
            except OSError:
                time.sleep(BETWEEN)
                continue
            if not answer:
                raise Panicked("an empty answer")
            return answer
        return self.turn_away()

    def turn_away(self) -> bytes:
        """The server is gone."""
        if self.told is None:
            self.leads = True
            raise ConnectionError("nobody was ever there, so this host leads")
        fallback = self.told["Fallback-Server"]
        if fallback in ("None", ""):
            raise Panicked(f"the server is gone, and the fallback is {fallback!r}")
        if fallback == self.ip:
            self.leads = True
            raise ConnectionError("this host is the fallback, so it leads")
        raise ConnectionError(f"turns to {fallback}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="host:port of the server")
    parser.add_argument("--name", default="ana")
    parser.add_argument("--pace", type=float, default=1.3, help="seconds between reports")
    parser.add_argument("--reports", type=int, default=0, help="how many; without it, for ever")
    given = parser.parse_args()
    host, count = Host(given.address, given.name), 0
    while not given.reports or count < given.reports:
        count += 1
        try:
            told = host.report()
            print(json.dumps({**told, "at": host.address}), flush=True)
        except Panicked as why:
            print(json.dumps({"panicked": str(why)}), flush=True)
            return 134
        except ConnectionError as why:
            print(json.dumps({"gone": str(why), "leads": host.leads}), flush=True)
            return 0
        time.sleep(given.pace)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
