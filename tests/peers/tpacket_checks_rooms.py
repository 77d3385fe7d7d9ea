"""Rooms: who hears what, in which order, and what is remembered."""

from __future__ import annotations

from tpacket_client import Client
from tpacket_scene import Scene, eventually, same
from tpacket_wire import DEL_USER, NEW_MSG, NEW_USER, SET_ROOM, SET_USER_NICK, UNASKED, Packet, Wrong

ROOM_LINES = 40  # what the server under test keeps of a room


def pieces(text: str, most: int) -> list[str]:
    """A text in parts of at most so many bytes, no character cut."""
    parts = [""]
    for letter in text:
        if len((parts[-1] + letter).encode()) > most:
            parts.append("")
        parts[-1] += letter
    return parts


def rooms__order_of_a_join(scene: Scene) -> None:
    alice = scene.guest("alice")
    alice.tells("one", [])
    bob = scene.guest("bob")
    alice.hears_come(bob)
    bob.tells("zwei: größer", [alice])
    carol = scene.named("carol")
    here, log = carol.enter(scene.name("room"))
    same("who is there", here, [(carol.number, carol.nick), (bob.number, bob.nick), (alice.number, alice.nick)])
    same("what was said", log, [f"{alice.nick}: one", f"{bob.nick}: zwei: größer"])
    for one in (alice, bob):
        one.hears_come(carol)
        one.quiet()
    same("numbers grow", alice.number < bob.number < carol.number, True)


def rooms__everybody_hears_words_once_and_their_author_too(scene: Scene) -> None:
    alice, bob = scene.pair()
    outside = scene.guest("outside", "elsewhere")
    for text in ("hi", "", " ", "a\nb", "nul\0", "<b>html</b>", "日本語", "🏡" * 60):
        alice.tells(text, [bob])
    bob.tells("and back", [alice])
    for one in (alice, bob, outside):
        one.quiet()


def rooms__are_told_apart_byte_by_byte(scene: Scene) -> None:
    guests = []
    for room in ("Room", "room", "room ", "ｒｏｏｍ"):
        guest = scene.named(f"guest-{len(guests)}")
        here, log = guest.enter(f"{scene.mark}{room}")
        same("who is there", (here, log), ([(guest.number, guest.nick)], []))
        guests.append(guest)
    guests[0].tells("for this room only", [])
    for guest in guests:
        guest.quiet()


def rooms__what_none_can_be_called(scene: Scene) -> None:
    client = scene.named("client")
    for room in (b"", b"a\nb", b"\0", b"\xff", b"r" * 65, "日".encode() * 22, b"r" * 65512):
        client.refused(client.say(SET_ROOM, room), -4)
    for room in (b"r" * 64, "日".encode() * 21):
        client.enter(room.decode())


def rooms__change_of_nick(scene: Scene) -> None:
    alice, bob = scene.pair()
    outside = scene.guest("outside", "elsewhere")
    before, after = bob.nick, scene.name("robert")
    bob.ok(bob.say(SET_USER_NICK, f" {after} ".encode()))
    for one in (bob, alice):
        one.expect(Packet(UNASKED, DEL_USER, bob.number, 0, before.encode()),
                   Packet(UNASKED, NEW_USER, bob.number, 0, after.encode()))
    bob.nick = after
    bob.tells("it is me", [alice])
    for one in (alice, bob, outside):
        one.quiet()
    # The old nick is free, the new one is not.
    other = scene.named("bob")
    other.refused(other.say(SET_USER_NICK, after.upper().encode()), -2)
    other.refused(other.say(SET_USER_NICK, b""), -3)
    here, log = other.enter(scene.name("room"))
    same("who is there", here[1:], [(bob.number, after), (alice.number, alice.nick)])
    same("what was said", log, [f"{after}: it is me"])
    for one in (alice, bob):
        one.hears_come(other)
    # One that nobody has who is not in a room.
    loner = scene.named("loner")
    loner.ok(loner.say(SET_USER_NICK, scene.name("hermit").encode()))
    loner.quiet()
    loner.nick = scene.name("hermit")
    loner.enter(scene.name("hut"))


def rooms__change_of_nick_to_another_spelling(scene: Scene) -> None:
    alice, bob = scene.pair()
    before, after = bob.nick, scene.name("BOB")
    bob.ok(bob.say(SET_USER_NICK, after.encode()))
    for one in (bob, alice):
        one.expect(Packet(UNASKED, DEL_USER, bob.number, 0, before.encode()),
                   Packet(UNASKED, NEW_USER, bob.number, 0, after.encode()))
    bob.nick = after
    bob.tells("louder", [alice])


def rooms__change_of_room(scene: Scene) -> None:
    alice, bob = scene.pair("old")
    carol = scene.guest("carol", "new")
    carol.tells("welcome", [])
    old = bob.number
    here, log = bob.enter(scene.name("new"))
    same("the same number", bob.number, old)
    same("who is there", here, [(bob.number, bob.nick), (carol.number, carol.nick)])
    same("what was said", log, [f"{carol.nick}: welcome"])
    alice.hears_go(bob)
    carol.hears_come(bob)
    bob.tells("here now", [carol])
    alice.quiet()
    # A room that there cannot be changes nothing.
    bob.refused(bob.say(SET_ROOM, b""), -4)
    bob.tells("still here", [carol])


def rooms__the_same_room_again(scene: Scene) -> None:
    alice, bob = scene.pair()
    for _ in range(3):
        bob.ok(bob.say(SET_ROOM, bob.room.encode()))
    bob.tells("nothing has happened", [alice])
    alice.quiet()


def rooms__words_without_one(scene: Scene) -> None:
    client = scene.named("client")
    for text in (b"hi", b"", b"x" * 300, b"x" * 65000):
        client.refused(client.say(NEW_MSG, text), -5)


def rooms__the_history_stays_when_the_last_one_leaves(scene: Scene) -> None:
    alice = scene.guest("alice")
    alice.tells("remember me", [])
    alice.leave()
    bob = scene.named("bob")

    def is_alone() -> bool:
        bob.enter(scene.name("lobby"))
        here, log = bob.enter(scene.name("room"))
        same("what was said", log, [f"{alice.nick}: remember me"])
        return here == [(bob.number, bob.nick)]

    eventually("she is gone", is_alone)


def rooms__the_history_wraps_at_whole_entries(scene: Scene) -> None:
    alice = scene.guest("alice")
    said = [f"line {number} {'é' * (number % 100)}" for number in range(ROOM_LINES * 5 // 2)]
    for text in said:
        alice.tells(text, [])
    bob = scene.named("bob")
    _, log = bob.enter(scene.name("room"))
    same("what was said", log, [f"{alice.nick}: {text}" for text in said[-ROOM_LINES:]])


def rooms__the_history_is_bounded_in_bytes_and_whole(scene: Scene) -> None:
    alice = scene.guest("alice")
    said = [f"{number:02}." * 5000 for number in range(30)]
    for text in said:
        alice.say(NEW_MSG, text.encode())
        alice.hears_say(alice, *pieces(text, 255))
    bob = scene.named("bob")
    _, log = bob.enter(scene.name("room"))
    head = f"{alice.nick}: "
    if not all(entry.startswith(head) and len(entry.encode()) <= 255 for entry in log):
        raise Wrong("an entry is too long, or names nobody")
    whole = "".join(entry.removeprefix(head) for entry in log)
    kept = len(whole) // len(said[0])
    # A line goes when those behind it fill the history, so one may reach over its edge.
    same("how much is kept", 0 < len(whole) <= 262144 + len(said[0]) and 0 < kept < 30, True)
    same("what is kept", whole, "".join(said[-kept:]))


def rooms__many_at_once(scene: Scene) -> None:
    guests: list[Client] = []
    for number in range(40):
        guest = scene.guest(f"guest-{number}")
        for other in guests:
            other.hears_come(guest)
        guests.append(guest)
    guests[0].tells("hello, all of you", guests[1:])
    guests.pop().close()
    gone = guests[0].hears()
    for other in guests[1:]:
        other.expect(gone)
    same("who", gone.cmd, DEL_USER)
