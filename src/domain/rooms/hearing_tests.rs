//! Scenes between a home and a neighbour that may be behind, wrong, or worse.

use std::sync::Arc;

use super::{testing::*, *};
use crate::domain::{
    id::{HomeId, KeyId},
    limits::Limits,
    refusal::Violation,
};

/// The neighbour, and the seed of its key.
const THERE: u32 = 2;
const SEED: u8 = 90;

/// A home that is linked with a neighbour, and has somebody in the hall who listens.
fn linked(limits: &Limits) -> Home {
    let mut home = Home::with(limits);
    home.enters(0, "hall");
    home.links(THERE, SEED);
    home
}

fn live(limits: &Limits) -> Home {
    let mut home = linked(limits);
    home.is_told(THERE, told(Stamp::ZERO, vec![])).expect("heard");
    home
}

fn text(text: &str) -> Deed {
    Deed::Said(text.to_owned().into())
}

fn wants(outcome: &Outcome) -> Vec<Stamp> {
    let wanted = outcome.news.iter().filter_map(|(_, news)| match news {
        RoomNews::WantLines(stamp) => Some(*stamp),
        _ => None,
    });
    wanted.collect()
}

#[test]
fn guests_of_a_neighbour_come_and_go_with_it() {
    let mut home = linked(&Limits::default());
    let seats = [("hall", 7), ("attic", 7), ("hall", 8)]
        .map(|(place, number)| (room(place), seat_of(u32::from(number), number, &format!("g{number}"))));
    home.is_told(THERE, RoomNews::Seats(seats.to_vec())).expect("heard");
    assert_eq!(home.heard(0), ["+g7", "+g8"]);
    home.is_told(THERE, RoomNews::Renamed(seat_of(7, 67, "gee"))).expect("heard");
    home.is_told(THERE, RoomNews::Went(room("hall"), 8)).expect("heard");
    home.is_told(THERE, RoomNews::Went(room("hall"), 8)).expect("once is enough");
    assert_eq!(home.heard(0), ["g7=gee", "-g8"]);
    home.everybody_knows_everybody();
    home.unlinks(THERE);
    assert_eq!(home.heard(0), ["-gee"]);
    assert!(home.rooms.room(&room("attic")).expect("it stays").guests.is_empty());
    assert_eq!(home.unlinks(THERE), Outcome::default());
    assert_eq!(home.is_told(THERE, RoomNews::Went(room("hall"), 7)), Ok(Outcome::default()));
}

#[test]
fn nothing_is_told_before_it_was_asked_for_and_nothing_is_left_out() {
    let mut home = linked(&Limits::default());
    home.says(0, "hall", "one").expect("said");
    let two = home.asks(0, Wish::Say(None, "two".into()));
    assert_eq!(two.news, [], "nobody has asked");
    let answer = home.is_told(THERE, RoomNews::WantLines(Stamp::ZERO)).expect("heard");
    let [(to, RoomNews::Lines(part))] = &answer.news[..] else { panic!("{answer:?}") };
    assert_eq!((to, part.lines.len(), part.more), (&vec![HomeId(THERE)], 2, false));
    let three = home.asks(0, Wish::Say(None, "three".into()));
    let [(_, RoomNews::Lines(next))] = &three.news[..] else { panic!("{three:?}") };
    assert_eq!((next.after, next.lines.len()), (part.through, 1));
}

#[test]
fn much_is_told_in_parts() {
    let mut home = linked(&Limits::default());
    for number in 0..300 {
        home.says(0, "hall", &format!("{number}")).expect("said");
    }
    home.says(0, "hall", &"x".repeat(16 << 10)).expect("said");
    let (mut after, mut sizes) = (Stamp::ZERO, vec![]);
    loop {
        let answer = home.is_told(THERE, RoomNews::WantLines(after)).expect("heard");
        let [(_, RoomNews::Lines(part))] = &answer.news[..] else { panic!("{answer:?}") };
        assert_eq!(part.after, after);
        (after, _) = (part.through, sizes.push(part.lines.len()));
        if !part.more {
            break;
        }
        let meanwhile = home.asks(0, Wish::Say(None, "meanwhile".into()));
        assert_eq!(meanwhile.news, [], "it comes with the next part");
    }
    assert_eq!(sizes, [256, 46]);
}

#[test]
fn what_others_say_is_said_by_guests_or_recalled() {
    let mut home = live(&Limits::default());
    home.is_told(THERE, RoomNews::Seats(vec![(room("hall"), seat_of(7, SEED + 1, "x"))])).expect("heard");
    let lines = vec![said(SEED, START + 1, "hall", "hi"), said(SEED, START + 2, "attic", "elsewhere")];
    let after = lines[1].id.stamp;
    home.is_told(THERE, told(Stamp::ZERO, lines)).expect("heard");
    home.is_told(THERE, RoomNews::Went(room("hall"), 7)).expect("heard");
    home.is_told(THERE, told(after, vec![said(SEED, START + 3, "hall", "from the door")])).expect("heard");
    assert_eq!(home.heard(0), ["+x", "x: hi", "-x", "(from the door)"]);
    assert_eq!((home.history("hall").len(), home.history("attic").len()), (2, 1));
}

#[test]
fn the_last_topic_in_the_order_of_lines_is_in_force() {
    let mut home = live(&Limits::default());
    home.orders(Order::Topic(room("hall"), "ours".into())).expect("set");
    let earlier = line(SEED, START - 9, "hall", Deed::Topic("earlier".into()));
    let later = line(SEED, START + 9, "hall", Deed::Topic("later".into()));
    home.is_told(THERE, told(Stamp::ZERO, vec![earlier, later])).expect("heard");
    assert_eq!(home.heard(0), ["#ours", "#later"]);
    home.orders(Order::Topic(room("hall"), "".into())).expect("set");
    assert_eq!(home.heard(0), ["#"]);
    assert_eq!(home.history("hall"), ["#earlier", "#ours", "#later", "#"]);
}

#[test]
fn a_line_may_be_withdrawn_before_it_was_heard() {
    let mut home = live(&Limits::default());
    let line_ = said(SEED, START, "hall", "oops");
    let withdrew = |at| line(SEED, at, "hall", Deed::Withdrew { line: id(SEED, START), bytes: 68 });
    home.is_told(THERE, told(Stamp::ZERO, vec![withdrew(START + 5)])).expect("heard");
    home.links(THERE, SEED);
    let all = told(Stamp::at(START + 5), vec![]);
    home.is_told(THERE, all).expect("heard");
    let view = home.rooms.room(&room("hall")).expect("a room");
    assert_eq!((home.history("hall").len(), view.lines), (0, 2), "its place stays taken");
    let mut other = live(&Limits::default());
    let outcome = other.is_told(THERE, told(Stamp::ZERO, vec![line_, withdrew(START + 5)])).expect("heard");
    assert!(outcome.records.contains(&Record::Erased(id(SEED, START))));
    assert_eq!(other.heard(0), ["(oops)", "withdrawn"]);
}

#[test]
fn a_neighbour_with_a_wrong_clock_waits_and_moves_nobody() {
    let mut home = live(&Limits::default());
    let (hour, now) = (3_600_000, START);
    let lines = vec![said(SEED, now, "hall", "now"), said(SEED, now + hour, "hall", "in an hour")];
    home.is_told(THERE, told(Stamp::ZERO, lines)).expect("no crime");
    home.is_told(THERE, told(Stamp::at(now + hour), vec![said(SEED, now + hour + 1, "hall", "and then")]))
        .expect("no crime");
    assert_eq!(home.history("hall"), ["now"]);
    let mine = home.says(0, "hall", "mine").expect("said");
    assert_eq!(mine.stamp.unix_ms(), now);
    assert_eq!(home.tidies(), Outcome::default());
    home.now += hour;
    assert_eq!(wants(&home.tidies()), [Stamp::at(now)]);
    let all =
        vec![said(SEED, now + hour, "hall", "in an hour"), said(SEED, now + hour + 1, "hall", "and then")];
    home.is_told(THERE, told(Stamp::at(now), all)).expect("heard");
    assert_eq!(home.history("hall"), ["now", "mine", "in an hour", "and then"]);
}

#[test]
fn what_a_neighbour_has_lost_is_lost() {
    let mut home = live(&Limits::default());
    let lines = [1, 2, 3].map(|at| said(SEED, START + at, "hall", &format!("{at}")));
    let (last_id, last) = (lines[2].id, lines[2].id.stamp);
    home.is_told(THERE, told(Stamp::ZERO, lines.to_vec())).expect("heard");
    home.heard(0);
    assert_eq!(wants(&home.links(THERE, SEED)), [last]);
    let lost = RoomNews::Lost(last);
    assert_eq!(home.is_told(THERE, lost.clone()), Ok(Outcome::default()), "what is there still, it says now");
    assert_eq!(wants(&home.links(THERE, SEED)), [last], "until it has said so, nothing has changed");
    home.is_told(THERE, lost.clone()).expect("heard");
    let first = said(SEED, START + 1, "hall", "1");
    let all = told(Stamp::ZERO, vec![first, said(SEED, START + 9, "hall", "9")]);
    let outcome = home.is_told(THERE, all).expect("heard");
    assert!(outcome.records.contains(&Record::Erased(last_id)), "{outcome:?}");
    assert_eq!(home.history("hall"), ["1", "9"]);
    assert_eq!(home.heard(0), ["withdrawn", "withdrawn", "(9)"]);
    assert_eq!(home.is_told(THERE, lost).err(), Some(Violation::OutOfOrder), "nobody has asked");
}

#[test]
fn after_a_crash_we_say_what_we_have_lost() {
    let mut home = linked(&Limits::default());
    let ids = ["one", "two"].map(|text| home.says(0, "hall", text).expect("said"));
    let first = home.rooms.history(&room("hall"), None, 9).expect("a room").0[0].clone();
    let mut again = Home::with(&Limits::default());
    let kept = Kept { lines: vec![(*first).clone()], ..Kept::default() };
    again.rooms.restore(kept, again.now);
    again.links(THERE, SEED);
    again.enters(0, "hall");
    again.says(0, "hall", "three").expect("said");
    let answer = again.is_told(THERE, RoomNews::WantLines(ids[1].stamp)).expect("heard");
    let [(_, RoomNews::Lost(through)), (_, RoomNews::Lines(part))] = &answer.news[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(*through, ids[1].stamp);
    assert_eq!((part.after, part.lines.len()), (Stamp::ZERO, 2));
    let known = again.is_told(THERE, RoomNews::WantLines(ids[0].stamp)).expect("heard");
    assert!(matches!(&known.news[..], [(_, RoomNews::Lines(part))] if part.lines.len() == 1), "{known:?}");
}

#[test]
fn a_liar_is_cut_off_and_leaves_nothing_behind() {
    let seats = |seats: &[(u32, u8, &str)]| {
        let seats = seats.iter().map(|(number, seed, place)| (room(place), seat_of(*number, *seed, "x")));
        RoomNews::Seats(seats.collect())
    };
    let withdrew = |home: u8, at| Deed::Withdrew { line: id(home, at), bytes: 1 };
    let one = || said(SEED, START + 1, "hall", "1");
    let alien = said(SEED + 1, START + 2, "hall", "not mine");
    let part = |after, through, more, lines| RoomNews::Lines(Lines { after, through, more, lines });
    let late = Stamp::at(START + 9);
    for (news, violation) in [
        (seats(&[(1, 1, "a"), (2, 2, "a"), (3, 3, "a"), (4, 4, "a")]), Violation::TooManyMembers),
        (seats(&[(1, 1, "hall"), (1, 1, "hall")]), Violation::OutOfOrder),
        (seats(&[(1, 1, "hall"), (1, 2, "attic")]), Violation::OutOfOrder),
        (seats(&[(1, 1, "hall"), (2, 1, "attic")]), Violation::OutOfOrder),
        (RoomNews::Renamed(seat_of(1, 1, &"x".repeat(LONG))), Violation::TooLarge),
        (told(Stamp::ZERO, vec![alien]), Violation::WrongSender),
        (told(Stamp::ZERO, vec![one(), one()]), Violation::OutOfOrder),
        (told(Stamp::at(START + 1), vec![one()]), Violation::OutOfOrder),
        (part(Stamp::ZERO, Stamp::at(START), false, vec![one()]), Violation::OutOfOrder),
        (part(late, late, true, vec![]), Violation::OutOfOrder),
        (part(late, late, false, vec![]), Violation::OutOfOrder),
        (told(Stamp::ZERO, vec![line(SEED, START, "hall", withdrew(SEED + 1, 5))]), Violation::WrongSender),
        (told(Stamp::ZERO, vec![line(SEED, START, "hall", withdrew(SEED, START))]), Violation::WrongSender),
        (RoomNews::Lost(late), Violation::OutOfOrder),
    ] {
        let mut home = live(&Limits { peer_members: 3, ..Limits::default() });
        assert_eq!(home.is_told(THERE, news.clone()).err(), Some(violation), "{news:?}");
        assert_eq!((home.history("hall").len(), home.rooms.rooms().count()), (0, 1), "{news:?}");
        assert_eq!(home.rooms.room(&room("hall")).expect("a room").guests.len(), 1);
    }
}

/// Longer than any name.
const LONG: usize = 257;

#[test]
fn whoever_never_heard_of_what_made_place_keeps_the_same() {
    // A line of 65 bytes counts for 130 with its author; the bound is 190.
    let limits = Limits { room_bytes: 190, ..Limits::default() };
    let long = "x".repeat(65);
    let lines =
        [(1, "a"), (2, &long), (3, &long), (4, "b")].map(|(at, text)| said(SEED, START + at, "hall", text));
    let [mut one, mut other] = [live(&limits), live(&limits)];
    one.is_told(THERE, told(Stamp::ZERO, lines.to_vec())).expect("heard");
    // The second line was gone before the other home could hear of it; without it there would be room for the first.
    let [first, _, third, fourth] = lines;
    other.is_told(THERE, told(Stamp::ZERO, vec![first, third, fourth])).expect("heard");
    assert_eq!((one.history("hall"), one.history("hall")), (other.history("hall"), vec![long, "b".into()]));
}

#[test]
fn more_rooms_than_there_may_be_are_not_seen() {
    let limits = Limits { rooms: 6, room_guests: 2, ..Limits::default() };
    let mut home = live(&limits);
    let seats = (1..9).map(|n| (room(&format!("r{n}")), seat_of(u32::from(n), n, "x"))).collect();
    home.is_told(THERE, RoomNews::Seats(seats)).expect("no crime");
    let lines = (1..9).map(|n| said(SEED, START + n, &format!("l{n}"), "x")).collect();
    home.is_told(THERE, told(Stamp::ZERO, lines)).expect("no crime");
    let full = (20..25).map(|n| (room("hall"), seat_of(u32::from(n), n, "x"))).collect();
    home.is_told(THERE, RoomNews::Seats(full)).expect("no crime");
    assert_eq!(home.rooms.rooms().count(), 4);
    assert_eq!(home.rooms.room(&room("hall")).expect("a room").guests.len(), 2);
    // Who was not seen comes and goes all the same.
    home.is_told(THERE, RoomNews::Went(room("r8"), 8)).expect("no crime");
    home.unlinks(THERE);
    assert!(home.rooms.rooms().all(|view| view.guests.len() == usize::from(view.name == room("hall"))));
}

#[test]
fn a_name_takes_no_more_than_a_name() {
    let mut home = live(&Limits::default());
    let mut long = (*said(SEED, START, "hall", "hello")).clone();
    if let Some(by) = &mut long.by {
        by.name = "x".repeat(257).into();
    }
    let refused = home.is_told(THERE, told(Stamp::ZERO, vec![Arc::new(long)])).err();
    assert_eq!((refused, home.history("hall").len()), (Some(Violation::TooLarge), 0));
}

#[test]
fn what_was_never_heard_pushes_out_no_more_than_it_could_have() {
    let mut home = live(&Limits::default());
    home.is_told(THERE, told(Stamp::ZERO, vec![said(SEED, START, "hall", "old")])).expect("heard");
    let nothing = Deed::Withdrew { line: id(SEED, START + 1), bytes: u32::MAX };
    let after = Stamp::at(START);
    home.is_told(THERE, told(after, vec![line(SEED, START + 2, "hall", nothing)])).expect("heard");
    assert_eq!(home.history("hall").len(), 1);
}

#[test]
fn who_is_muted_is_not_shown_and_kept_nevertheless() {
    let mut home = live(&Limits::default());
    home.orders(Order::Mute(key(SEED + 1), true)).expect("muted");
    home.is_told(THERE, told(Stamp::ZERO, vec![line(SEED, START, "hall", text("spam"))])).expect("heard");
    assert_eq!((home.heard(0), home.history("hall").len()), (vec![], 1));
    let Answer::Entered(scene) = home.enters(1, "hall") else { panic!("not in") };
    assert_eq!(scene.history.len(), 0);
    home.orders(Order::Mute(key(SEED + 1), false)).expect("heard again");
    let Answer::Entered(scene) = home.enters(2, "hall") else { panic!("not in") };
    assert_eq!(scene.history.len(), 1);
}

#[test]
fn a_closed_room_is_not_shown_and_goes_on_elsewhere() {
    let mut home = live(&Limits::default());
    home.orders(Order::Close(room("hall"))).expect("closed");
    home.heard(0);
    home.is_told(THERE, RoomNews::Seats(vec![(room("hall"), seat_of(7, 7, "x"))])).expect("heard");
    home.is_told(THERE, told(Stamp::ZERO, vec![said(SEED, START, "hall", "in here")])).expect("heard");
    assert_eq!(
        (home.heard(0), home.asks(0, Wish::List(None)).answer),
        (vec![], Some(Answer::Rooms(vec![], false)))
    );
    home.orders(Order::Reopen(room("hall"))).expect("open");
    let Answer::Entered(scene) = home.enters(0, "hall") else { panic!("not in") };
    assert_eq!((scene.guests.len(), scene.history.len()), (2, 1));
}

#[test]
fn a_hidden_line_leaves_its_place_taken_for_as_long_as_it_would_have_been_there() {
    let limits = Limits { room_lines: 3, room_keep_s: 60, ..Limits::default() };
    let [mut home, mut other] = [live(&limits), live(&limits)];
    let lines = [1, 2].map(|at| said(SEED, START + at, "hall", &format!("{at}")));
    for home in [&mut home, &mut other] {
        home.is_told(THERE, told(Stamp::ZERO, lines.to_vec())).expect("heard");
    }
    home.heard(0);
    let first = lines[0].id;
    let outcome = home.orders(Order::Withdraw(first)).expect("hidden");
    assert_eq!((home.heard(0), home.history("hall")), (vec!["withdrawn".into()], vec!["2".to_owned()]));
    assert_eq!((outcome.news, outcome.records.len()), (vec![], 2), "nobody else is told");
    assert_eq!(home.orders(Order::Withdraw(first)).err(), Some(Objection::Unknown), "once is enough");
    assert_eq!(home.orders(Order::Withdraw(id(SEED, START + 9))).err(), Some(Objection::Unknown));
    let size = |home: &Home| home.rooms.room(&room("hall")).map(|view| (view.lines, view.bytes));
    assert_eq!(size(&home), size(&other));
    // Said again by its home, whatever is forgotten here meanwhile, it stays hidden.
    home.restarts(0);
    home.links(THERE, SEED);
    home.is_told(THERE, RoomNews::Lost(lines[1].id.stamp)).expect("heard");
    home.is_told(THERE, told(Stamp::ZERO, lines.to_vec())).expect("heard");
    assert_eq!((home.history("hall"), size(&home)), (vec!["2".to_owned()], size(&other)));
    // It ends when the line would have ended: when it is too old, or its home withdraws it.
    let mut later = Home::with(&limits);
    later.enters(0, "hall");
    later.links(THERE, SEED);
    later.is_told(THERE, told(Stamp::ZERO, lines.to_vec())).expect("heard");
    later.orders(Order::Withdraw(first)).expect("hidden");
    later.now += 61_000;
    assert!(later.tidies().records.contains(&Record::Erased(first)));
    let withdrew = line(SEED, START + 3, "hall", Deed::Withdrew { line: first, bytes: 66 });
    let outcomes = [&mut home, &mut other]
        .map(|home| home.is_told(THERE, told(lines[1].id.stamp, vec![withdrew.clone()])).expect("heard"));
    assert!(outcomes.iter().all(|outcome| outcome.records.contains(&Record::Erased(first))), "{outcomes:?}");
    // Asked with something that its home has not, it tells everything anew.
    for home in [&mut home, &mut other] {
        home.links(THERE, SEED);
        home.is_told(THERE, RoomNews::Lost(withdrew.id.stamp)).expect("heard");
        home.is_told(THERE, told(Stamp::ZERO, vec![lines[1].clone(), withdrew.clone()])).expect("heard");
    }
    assert_eq!((home.history("hall"), size(&home)), (other.history("hall"), size(&other)));
}

#[test]
fn of_many_homes_that_come_and_go_those_heard_long_ago_are_forgotten_and_their_lines_are_not_told_twice() {
    let mut rooms = Rooms::new(key(200), &Limits::default());
    let of = |number: usize| {
        let mut key = [9; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        KeyId(key)
    };
    let mut visit = |number: usize| {
        let linked = rooms.link(HomeId(2), of(number));
        let wanted = linked.news.iter().find_map(|(_, news)| match news {
            RoomNews::WantLines(stamp) => Some(*stamp),
            _ => None,
        });
        let at = START + i64::try_from(number).expect("few");
        let line = Line {
            id: LineId { stamp: Stamp::at(at), home: of(number) },
            ..(*said(9, at, "hall", "hi")).clone()
        };
        let after = wanted.expect("a wish");
        let news = told(after, if after == Stamp::ZERO { vec![line.into()] } else { vec![] });
        let new =
            rooms.hear(HomeId(2), news, |_, _| Standing::Listed, START).expect("good news").records.len();
        rooms.unlink(HomeId(2));
        (after, new, rooms.heard.len())
    };
    let homes = heard::MOST + 10;
    for number in 0..homes {
        assert!(visit(number).2 <= heard::MOST);
    }
    assert_eq!(visit(homes - 1).0, Stamp::at(START + i64::try_from(homes - 1).expect("few")));
    let (asked, _, known) = visit(0);
    assert_eq!((asked, known), (Stamp::ZERO, heard::MOST), "it is heard from the beginning, once more");
}
