//! Everybody has a share of the rooms, and rooms that nobody misses end.

use super::*;
use crate::domain::rooms::{Answer, Asker, Deed, Objection, Order, RoomNews, Stamp, Wish, testing::*};
use crate::domain::{id::ConnectionId, id::HomeId};

const THERE: u32 = 2;
const SEED: u8 = 90;

fn linked(limits: &Limits) -> Home {
    let mut home = Home::with(limits);
    for (home_id, seed) in [(THERE, SEED), (THERE + 1, SEED + 10)] {
        home.links(home_id, seed);
        home.is_told(home_id, told(Stamp::ZERO, vec![])).expect("heard");
    }
    home
}

fn names(home: &Home) -> Vec<String> {
    home.rooms.rooms().map(|view| view.name.to_string()).collect()
}

/// Somebody enters a room, says something there and leaves.
fn uses(home: &mut Home, who: u8, name: &str) -> bool {
    let is_in = matches!(home.enters(who, name), Answer::Entered(_));
    if is_in {
        home.says(who, name, "x").expect("said");
        home.asks(who, Wish::Leave(room(name)));
    }
    is_in
}

#[test]
fn neighbours_leave_rooms_for_members_of_this_home_and_for_each_other() {
    let mut home = linked(&Limits { rooms: 8, ..Limits::default() });
    let seats = (1..9).map(|n| (room(&format!("s{n}")), seat_of(u32::from(n), n, "x"))).collect();
    home.is_told(THERE, RoomNews::Seats(seats)).expect("no crime");
    let said_there = |seed: u8| {
        let lines = (1..9).map(|n| said(seed, START + n, &format!("l{seed}-{n}"), "x"));
        told(Stamp::ZERO, lines.collect())
    };
    home.is_told(THERE, said_there(SEED)).expect("no crime");
    assert_eq!(names(&home).len(), 4, "half for one");
    home.is_told(THERE + 1, said_there(SEED + 10)).expect("no crime");
    assert_eq!(names(&home).len(), 6, "three quarters for all of them");
    assert!(uses(&mut home, 0, "ours") && uses(&mut home, 1, "and this one"));
    assert_eq!(home.enters(2, "one more"), Answer::Refused(Objection::TooManyRooms));
    // What was written down counts for the same.
    home.restarts(0);
    home.links(THERE + 1, SEED + 10);
    home.orders(Order::Forget(room("ours"))).expect("forgotten");
    let after = Stamp::at(START + 8);
    home.is_told(THERE + 1, told(after, vec![said(SEED + 10, START + 10, "more", "x")])).expect("no crime");
    assert!(!names(&home).contains(&"more".to_owned()), "{:?}", names(&home));
    assert!(uses(&mut home, 0, "ours again"));
}

#[test]
fn a_member_and_an_address_have_a_share_of_the_rooms() {
    let mut home =
        linked(&Limits { rooms_opened_per_member: 2, rooms_opened_per_address: 3, ..Limits::default() });
    assert!(uses(&mut home, 0, "a") && uses(&mut home, 0, "b"));
    assert_eq!(home.enters(0, "c"), Answer::Refused(Objection::TooManyRooms));
    assert!(uses(&mut home, 1, "c") && uses(&mut home, 0, "c"), "whoever opened it");
    // Others from the same address, under as many names as they like.
    let from = Origin::V6(77);
    let mut opens = |who: u8, name: &str| {
        let (connection, member) = (ConnectionId(who.into()), member(who, &format!("n{who}")));
        let asker = Asker { connection, member: &member, from };
        let entered = home.rooms.ask(&asker, Wish::Enter(room(name)), START).answer;
        home.rooms.ask(&asker, Wish::Say(None, "x".into()), START);
        matches!(entered, Some(Answer::Entered(_)))
    };
    let opened: Vec<_> = (10..15).map(|who| opens(who, &format!("room {who}"))).collect();
    assert_eq!(opened, [true, true, true, false, false]);
    assert!(opens(16, "a"), "that is there already");
    // Those that nobody would miss do not count.
    for name in ["d", "e", "f", "g"] {
        assert!(matches!(home.moves(5, name).answer, Some(Answer::Entered(_))), "{name}");
    }
    assert!(!names(&home).contains(&"d".to_owned()));
}

#[test]
fn what_nobody_misses_is_forgotten_at_the_second_look() {
    let mut home = linked(&Limits { room_keep_s: 60, ..Limits::default() });
    home.enters(0, "empty");
    home.goes(0);
    home.tidies();
    assert_eq!(names(&home), ["empty"]);
    home.enters(0, "empty");
    home.goes(0);
    home.tidies();
    assert_eq!(names(&home), ["empty"], "somebody was here meanwhile");
    assert_eq!(home.tidies().records, [Record::Forgotten(room("empty"))]);
    // A topic lasts as long as anybody is there, and a closed room as long as a line.
    home.is_told(THERE, told(Stamp::ZERO, vec![line(SEED, START, "theirs", Deed::Topic("tea".into()))]))
        .expect("heard");
    home.enters(0, "theirs");
    home.orders(Order::Close(room("shut"))).expect("closed");
    home.now += 61_000;
    (0..3).for_each(|_| drop(home.tidies()));
    assert_eq!(home.rooms.room(&room("theirs")).expect("a room").topic.as_deref(), Some("tea"));
    home.goes(0);
    (0..3).for_each(|_| drop(home.tidies()));
    assert_eq!(names(&home), [""; 0]);
    home.restarts(0);
    assert_eq!(names(&home), [""; 0]);
}

#[test]
fn a_forgotten_room_is_gone_with_all_that_was_said() {
    let mut home = linked(&Limits::default());
    home.enters(0, "hall");
    home.says(0, "hall", "ours").expect("said");
    let lines = vec![said(SEED, START, "hall", "theirs"), said(SEED, START + 1, "attic", "elsewhere")];
    home.is_told(THERE, told(Stamp::ZERO, lines.clone())).expect("heard");
    home.orders(Order::Topic(room("hall"), "tea".into())).expect("set");
    home.heard(0);
    assert_eq!(home.orders(Order::Forget(room("cellar"))).err(), Some(Objection::Unknown));
    let outcome = home.orders(Order::Forget(room("hall"))).expect("forgotten");
    assert_eq!((home.heard(0), names(&home)), (vec!["closed".to_owned()], vec!["attic".to_owned()]));
    assert_eq!(outcome.news[0].0.len(), 2, "neighbours hear that she is out: {outcome:?}");
    // Nothing comes back, whoever says it again, and after a restart, too; what is said from now on is heard.
    home.restarts(0);
    home.links(THERE, SEED);
    home.is_told(THERE, RoomNews::Lost(lines[1].id.stamp)).expect("heard");
    home.is_told(THERE, told(Stamp::ZERO, lines.clone())).expect("heard");
    assert_eq!(names(&home), ["attic"]);
    let next = said(SEED, START + 20_000, "hall", "next");
    home.is_told(THERE, told(lines[1].id.stamp, vec![next])).expect("heard");
    assert_eq!(home.history("hall"), ["next"]);
    home.enters(0, "hall");
    home.says(0, "hall", "again").expect("said");
    // Who is there at a neighbour stays.
    home.is_told(THERE, RoomNews::Seats(vec![(room("hall"), seat_of(7, 7, "x"))])).expect("heard");
    home.orders(Order::Forget(room("hall"))).expect("forgotten");
    let view = home.rooms.room(&room("hall")).expect("a room");
    assert_eq!((view.guests.len(), view.guests[0].home, view.lines), (1, HomeId(THERE), 0));
    home.enters(1, "hall");
    home.everybody_knows_everybody();
}

#[test]
fn where_a_room_was_emptied_is_remembered_no_longer_than_lines_are_kept() {
    let mut home = linked(&Limits { room_keep_s: 60, rooms: 4, ..Limits::default() });
    for name in ["a", "b", "c", "d", "e"] {
        uses(&mut home, 0, name);
        home.orders(Order::Forget(room(name))).expect("forgotten");
    }
    assert_eq!(home.rooms.emptied.len(), 4);
    home.now += 61_000;
    assert_eq!(home.tidies().records.len(), 4);
    assert_eq!(home.rooms.emptied.len(), 0);
}

#[test]
fn neighbours_keep_what_they_have_of_a_home_that_forgot_its_newest_line_and_started_anew() {
    let mut home = linked(&Limits::default());
    home.enters(0, "hall");
    let said = home.says(0, "hall", "kept elsewhere").expect("said");
    home.orders(Order::Forget(room("hall"))).expect("forgotten");
    home.restarts(0);
    home.links(THERE, SEED);
    let answer = home.is_told(THERE, RoomNews::WantLines(said.stamp)).expect("heard");
    let lost = answer.news.iter().any(|(_, news)| matches!(news, RoomNews::Lost(_)));
    assert!(!lost, "nobody is told to drop anything: {answer:?}");
}
