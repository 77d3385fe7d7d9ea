"""Hosts of the first form of succession, with its faults, on one Kith server that is already up.

    python tests/peers/succession_suite.py --address 127.0.0.1:3012 --admin 127.0.0.1:9090 --token TOKEN

The server must be a home of one node with `succession.suspect_ms` 1500 and `succession.disconnected_ms` 3000. One line
for each check, `ok NAME` or `FAIL NAME: reason`, then `N passed, N failed`; the exit status is 0 only if nothing
failed. `--only NAME` runs one check.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Callable

from succession_host import Host
from succession_wire import Admin, Wrong, clock, dial, hear, request, reset, same, understand, until, visit

# Fewer visits a second than any address may make.
PACE = 0.03


class Scene:
    """A server, and hosts that report to it."""

    def __init__(self, address: str, admin: Admin) -> None:
        self.address, self.admin = address, admin

    def host(self, name: str, **more: object) -> Host:
        host = Host(self.address, name, **more)
        same("the state at the first contact", host.report()["State"], "Unauthorized")
        same("the state when it comes back", host.report()["State"], "OK")
        return host

    def is_well(self) -> None:
        """Whatever was done to it, it answers, and nobody but itself leads."""
        self.host("witness")
        view = self.admin.view()
        same("its role", view["role"], "leader")
        same("who leads", view["leader"]["id"], view["own"])


def first_contact_is_answered_to_the_letter(scene: Scene) -> None:
    answer = visit(scene.address, request())
    told = understand(answer)
    expected = (f"State: Unauthorized\nSwitch-To-Server: false\nNew-Server: None\nFallback-Server: "
                f"{told['Fallback-Server']}\nId: {told['Id']}\nIp: 127.0.0.1")
    same("the first answer", answer.decode(), expected)
    answer = visit(scene.address, request(identity=told["Id"], address=told["Ip"]))
    again = understand(answer)
    expected = (f"State: OK\nSwitch-To-Server: false\nNew-Server: None\nFallback-Server: "
                f"{again['Fallback-Server']}\nId: {told['Id']}")
    same("the second answer", answer.decode(), expected)


def a_host_is_ranked_and_shown(scene: Scene) -> None:
    host = scene.host("shown", cpu=3, ram=1000, bandwidth=77, disk=55, total=8000)
    row = scene.admin.row(host.identity)
    expected = {"name": "shown", "kind": "host", "state": "connected", "leads": False, "cpu_percent": 3,
                "ram_used_mb": 1000, "ram_total_mb": 8000, "bandwidth_mb": 77, "disk_free_gb": 55,
                "address": "127.0.0.1", "door": None, "position": None}
    same("its row", {key: row[key] for key in expected}, expected)
    if not isinstance(row["rank"], int) or row["rank"] < 1:
        raise Wrong(f"its rank is {row['rank']!r}")


def an_idle_host_ranks_before_a_busy_one_and_still_does_not_lead(scene: Scene) -> None:
    idle, busy = scene.host("idle", cpu=0, ram=1), scene.host("busy", cpu=100, ram=16000)
    for _ in range(12):
        for host in (idle, busy):
            same("what it is told about leading", host.report()["Switch-To-Server"], "false")
            time.sleep(PACE)
    ranks = [scene.admin.row(host.identity)["rank"] for host in (idle, busy)]
    if not ranks[0] < ranks[1]:
        raise Wrong(f"idle is {ranks[0]}, busy is {ranks[1]}")
    scene.is_well()


def two_hosts_on_one_address_are_two_rows(scene: Scene) -> None:
    one, two = scene.host("twin"), scene.host("twin")
    if one.identity == two.identity:
        raise Wrong("they have one id")
    for host in (one, two):
        same("its row", scene.admin.row(host.identity)["name"], "twin")
        same("whether it leads", host.leads, False)


def an_id_that_nobody_gave_is_taken_as_it_is(scene: Scene) -> None:
    """A host whose server was another one before."""
    identity = "451ecb5e-0d51-4b0e-8c7e-3a1f2b9c4d5e"
    told = understand(visit(scene.address, request(identity=identity, address="127.0.0.1", name="moved")))
    same("its id", told["Id"], identity)
    same("its row", scene.admin.row(identity)["name"], "moved")


def nobody_takes_the_row_of_the_node_itself(scene: Scene) -> None:
    own = scene.admin.view()["own"]
    told = understand(visit(scene.address, request(identity=own, name="impostor")))
    if told["Id"] == own:
        raise Wrong("a stranger is known by the id of the node")
    same("the kind of the row", scene.admin.row(own)["kind"], "own")
    if scene.admin.row(own)["name"] == "impostor":
        raise Wrong("a stranger speaks for the node")


def clocks_that_are_wrong_change_nothing(scene: Scene) -> None:
    """By the clock of the first program, one would be dead and the other immortal."""
    hosts = [scene.host(f"skew{skew:+}", skew_s=skew) for skew in (-60, 60, -3600, 86400)]
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        for host in hosts:
            host.report()
            time.sleep(PACE)
        states = [scene.admin.row(host.identity)["state"] for host in hosts]
        same("their states", states, ["connected"] * len(hosts))
    immortal = hosts[1]
    until("a silent host with a fast clock is suspect",
          lambda: scene.admin.row(immortal.identity)["state"] == "suspect", hosts[0].report)
    until("and disconnected", lambda: scene.admin.row(immortal.identity)["state"] == "disconnected",
          hosts[0].report)
    same("its rank", scene.admin.row(immortal.identity)["rank"], None)
    same("the state of the one with a slow clock", scene.admin.row(hosts[0].identity)["state"], "connected")
    immortal.report()
    same("its state when it is back", scene.admin.row(immortal.identity)["state"], "connected")


def dates_that_cannot_be_read_are_no_reason_to_die(scene: Scene) -> None:
    for number, date in enumerate(["yesterday", "2026-13-45 99:99:99 UTC", "0", "\u00fc" * 40]):
        told = understand(visit(scene.address, request(name=f"date{number}", at=date)))
        same("its state", scene.admin.row(told["Id"])["state"], "connected")
    scene.is_well()


def a_tenth_line_is_read_by_nobody(scene: Scene) -> None:
    for tail in (b"\nconnected", b"\ndisconnected\nand an eleventh", b"\n", b"\n\nAny: thing\nbelow"):
        told = understand(visit(scene.address, request(name="ten") + tail))
        row = scene.admin.row(told["Id"])
        same("its row", (row["name"], row["state"]), ("ten", "connected"))


def an_empty_line_ends_a_request_as_well(scene: Scene) -> None:
    understand(visit(scene.address, request(name="open") + b"\n\n", fin=False))
    understand(visit(scene.address, request(name="open").replace(b"\n", b"\r\n") + b"\r\n\r\n", fin=False))


def what_is_no_request_gets_no_answer(scene: Scene) -> None:
    for said in (b"", b"\n", b"No-Id", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\xff" * 200, b"\0" * 50,
                 request().replace(b"4100", b"much"), request().replace(b"12", b"-1"), b"a\n" * 4000):
        same(f"the answer to {said[:30]!r}", visit(scene.address, said), b"")
    scene.is_well()


def a_request_may_be_cut_anywhere(scene: Scene) -> None:
    whole = request(name="cut")
    stamp = whole.index(clock()[:4].encode())
    for end in range(stamp):
        same(f"the answer to {end} bytes", visit(scene.address, whole[:end]), b"")
        time.sleep(PACE)
    scene.is_well()


def a_request_may_come_in_pieces(scene: Scene) -> None:
    with dial(scene.address) as stream:
        for byte in request(name="slow"):
            stream.sendall(bytes([byte]))
            time.sleep(0.002)
        stream.shutdown(1)
        told = understand(hear(stream))
    same("its row", scene.admin.row(told["Id"])["name"], "slow")


def resets_in_the_middle_hurt_nobody(scene: Scene) -> None:
    for said in (b"", b"No-Id\nNo-Ip\nana", request(), request() + b"\n\n"):
        for _ in range(5):
            stream = dial(scene.address)
            stream.sendall(said)
            reset(stream)
            time.sleep(PACE)
    scene.is_well()


def silent_sockets_hold_up_nobody(scene: Scene) -> None:
    silent = [dial(scene.address) for _ in range(30)]
    for stream in silent[:10]:
        stream.sendall(b"No-Id\n")
    began = time.monotonic()
    scene.host("patient")
    took = time.monotonic() - began
    if took > 2:
        raise Wrong(f"beside silent sockets, two answers took {took:.1f} s")
    for stream in silent:
        stream.settimeout(15)
        same("what a silent one hears", hear(stream), b"")
        stream.close()


def metrics_count_them(scene: Scene) -> None:
    scene.host("counted")
    status, text = scene.admin.ask("/metrics")
    same("the status", status, 200)
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    same("the role", values['kith_succession_role{role="leader"}'], "1")
    same("another role", values['kith_succession_role{role="standby"}'], "0")
    if int(values['kith_succession_hosts{state="connected"}']) < 2:
        raise Wrong("the host and the node itself are not counted")
    same("failures", values['kith_succession_failures_total{kind="refused"}'], "0")


def a_home_of_one_node_hands_over_to_nobody(scene: Scene) -> None:
    host = scene.host("heir")
    for body, expected in (({}, (409, "nobody")), ({"to": host.identity}, (409, "no_node")),
                           ({"to": "heir"}, (409, "no_node")), ({"to": "who"}, (404, "unknown_node")),
                           ({"to": scene.admin.view()["own"]}, (409, "leads_already")),
                           ({"too": "x"}, (400, "bad_request"))):
        status, text = scene.admin.ask("/api/v1/succession/handover", body)
        same(f"the answer to {body}", (status, f'/problems/{expected[1]}"' in text), (expected[0], True))
    scene.is_well()


CHECKS: list[Callable[[Scene], None]] = [
    first_contact_is_answered_to_the_letter, a_host_is_ranked_and_shown,
    an_idle_host_ranks_before_a_busy_one_and_still_does_not_lead, two_hosts_on_one_address_are_two_rows,
    an_id_that_nobody_gave_is_taken_as_it_is, nobody_takes_the_row_of_the_node_itself,
    clocks_that_are_wrong_change_nothing, dates_that_cannot_be_read_are_no_reason_to_die,
    a_tenth_line_is_read_by_nobody, an_empty_line_ends_a_request_as_well, what_is_no_request_gets_no_answer,
    a_request_may_be_cut_anywhere, a_request_may_come_in_pieces, resets_in_the_middle_hurt_nobody,
    silent_sockets_hold_up_nobody, metrics_count_them, a_home_of_one_node_hands_over_to_nobody,
]


def run(check: Callable[[Scene], None], scene: Scene) -> bool:
    try:
        check(scene)
    except Exception as error:
        where = "" if isinstance(error, Wrong) else traceback.format_exc()
        print(f"FAIL {check.__name__}: {error}\n{where}", flush=True)
        return False
    print(f"ok {check.__name__}", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="host:port of the succession door")
    parser.add_argument("--admin", required=True, help="host:port of the admin door")
    parser.add_argument("--token", required=True)
    parser.add_argument("--only")
    given = parser.parse_args()
    scene = Scene(given.address, Admin(given.admin, given.token))
    wanted = [check for check in CHECKS if given.only in (None, check.__name__)]
    results = [run(check, scene) for check in wanted]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
