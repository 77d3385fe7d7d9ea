//! Scenes in the rooms of one home.

use super::{numbers::Numbers, testing::*, *};
use crate::domain::{
    id::{ConnectionId, HomeId},
    limits::Limits,
};

fn small() -> Limits {
    Limits {
        rooms: 3,
        rooms_per_member: 2,
        room_guests: 3,
        room_lines: 4,
        room_line_bytes: 10,
        ..Limits::default()
    }
}

fn refused(answer: &Answer) -> Option<Objection> {
    match answer {
        Answer::Refused(objection) => Some(*objection),
        _ => None,
    }
}

#[test]
fn whoever_enters_finds_everybody_and_is_announced_to_them() {
    let mut home = Home::with(&Limits::default());
    home.enters(0, "hall");
    home.says(0, "hall", "hello?").expect("said");
    let Answer::Entered(scene) = home.enters(1, "hall") else { panic!("not in") };
    let names: Vec<_> = scene.guests.iter().map(|guest| &*guest.name).collect();
    assert_eq!((names, scene.history.len(), scene.you.number), (vec!["a", "b"], 1, 0x1001));
    assert_eq!(home.heard(0), ["a: hello?", "+b"]);
    home.says(1, "hall", "hi").expect("said");
    home.asks(1, Wish::Leave(room("hall")));
    assert_eq!((home.heard(0), home.heard(1)), (vec!["b: hi".into(), "-b".into()], vec!["b: hi".to_owned()]));
    assert_eq!(home.history("hall"), ["hello?", "hi"]);
    assert_eq!(home.says(1, "hall", "wait"), None);
}

#[test]
fn nobody_is_told_anything_of_a_room_that_she_is_not_in() {
    let mut home = Home::with(&Limits::default());
    home.enters(0, "hall");
    home.enters(1, "attic");
    home.says(1, "attic", "psst").expect("said");
    assert_eq!(home.heard(0), [""; 0]);
    let page = Page { room: room("attic"), before: None, most: 5 };
    let answer = home.asks(0, Wish::Page(page)).answer.expect("an answer");
    assert_eq!(refused(&answer), Some(Objection::NoRoom));
}

#[test]
fn moving_tells_the_old_room_and_then_the_new_one() {
    let mut home = Home::with(&Limits::default());
    home.enters(0, "hall");
    home.enters(1, "attic");
    home.moves(2, "hall");
    let outcome = home.moves(2, "attic");
    assert!(matches!(outcome.answer, Some(Answer::Entered(_))));
    let told: Vec<_> = outcome.events.iter().map(|(room, to, _)| (room.as_str(), to[0].0)).collect();
    assert_eq!(told, [("hall", 0), ("attic", 1)]);
    let again = home.moves(2, "attic");
    assert_eq!(again, Outcome { answer: Some(Answer::Stayed(room("attic"))), ..Outcome::default() });
    home.everybody_knows_everybody();
}

#[test]
fn a_move_that_is_refused_changes_nothing() {
    let mut home = Home::with(&small());
    home.moves(0, "hall");
    home.orders(Order::Close(room("cellar"))).expect("closed");
    let outcome = home.moves(0, "cellar");
    assert_eq!(outcome, Outcome { answer: Some(Answer::Refused(Objection::Closed)), ..Outcome::default() });
    assert!(home.says(0, "hall", "still here").is_some());
}

#[test]
fn a_member_is_one_guest_however_often_she_is_connected() {
    let mut home = Home::with(&Limits::default());
    let twice = member(5, "eve");
    home.enters(0, "hall");
    for connection in [5, 6] {
        home.asks_as(connection, &twice, Wish::Enter(room("hall")));
    }
    assert_eq!(home.heard(0), ["+eve"]);
    home.asks_as(6, &twice, Wish::Say(None, "both hear".into()));
    assert_eq!(
        (home.heard(5), home.heard(6)),
        (vec!["eve: both hear".to_owned()], vec!["eve: both hear".into()])
    );
    home.goes(5);
    assert_eq!(home.heard(0), ["eve: both hear"], "she is still here");
    home.goes(6);
    assert_eq!(home.heard(0), ["-eve"]);
}

#[test]
fn numbers_are_never_given_twice() {
    let mut home = Home::with(&Limits::default());
    let welcome = |home: &mut Home, who: u8| home.rooms.welcome(ConnectionId(who.into()), &member(who, "x"));
    let first = welcome(&mut home, 0);
    assert_eq!((first, welcome(&mut home, 0), welcome(&mut home, 1)), (0x1000, 0x1000, 0x1001));
    home.goes(0);
    assert_eq!(welcome(&mut home, 0), 0x1002);
    home.links(2, 90);
    home.is_told(2, RoomNews::Seats(vec![(room("hall"), seat_of(0x1000, 7, "remote"))])).expect("heard");
    assert_eq!(home.rooms.room(&room("hall")).expect("a room").guests[0].number, 0x1003);
}

#[test]
fn after_the_last_number_nobody_gets_that_of_somebody_who_is_here() {
    let mut home = Home::with(&Limits::default());
    home.links(2, 90);
    home.enters(0, "hall");
    home.is_told(2, RoomNews::Seats(vec![(room("hall"), seat_of(1, 7, "remote"))])).expect("heard");
    home.rooms.numbers = Numbers::with_left(1);
    for who in [1, 2] {
        home.enters(who, "hall");
    }
    let guests = home.rooms.room(&room("hall")).expect("a room").guests;
    let numbers: Vec<_> = guests.iter().map(|guest| guest.number).collect();
    assert_eq!(numbers, [0x1000, 0x1001, u32::MAX, 0x1002]);
}

#[test]
fn a_home_has_no_more_seats_than_its_neighbours_hear_of() {
    let mut home = Home::with(&Limits { peer_members: 3, ..Limits::default() });
    for (who, room) in [(0, "hall"), (0, "attic"), (1, "hall")] {
        assert_eq!(refused(&home.enters(who, room)), None, "{who} in {room}");
    }
    assert_eq!(refused(&home.enters(2, "hall")), Some(Objection::Full));
    // On another connection she is the same guest, and who leaves one room for another one needs no seat more.
    let again = home.asks_as(9, &member(1, "b"), Wish::Enter(room("hall"))).answer.expect("an answer");
    assert_eq!(refused(&again), None);
    home.goes(9);
    let moved = home.moves(1, "cellar").answer.expect("an answer");
    assert_eq!(refused(&moved), None);
    assert_eq!(refused(&home.moves(2, "hall").answer.expect("an answer")), Some(Objection::Full));
    home.goes(1);
    assert_eq!(refused(&home.enters(2, "hall")), None);
}

#[test]
fn every_bound_is_kept() {
    let mut home = Home::with(&small());
    home.enters(0, "one");
    home.enters(0, "two");
    assert_eq!(refused(&home.enters(0, "three")), Some(Objection::TooManyRooms), "of this member");
    for who in [1, 2] {
        home.enters(who, "one");
    }
    assert_eq!(refused(&home.enters(3, "one")), Some(Objection::Full));
    home.enters(3, "three");
    assert_eq!(refused(&home.enters(3, "four")), Some(Objection::TooManyRooms), "of the home");
    let long = home.asks(3, Wish::Say(None, "x".repeat(11).into())).answer;
    assert_eq!(refused(&long.expect("an answer")), Some(Objection::TooLong));
    let nowhere = home.asks(0, Wish::Say(None, "in which?".into())).answer;
    assert_eq!(refused(&nowhere.expect("an answer")), Some(Objection::NoRoom));
}

#[test]
fn a_room_that_nobody_would_miss_makes_place_and_no_other() {
    let mut home = Home::with(&small());
    for name in ["said", "older", "newer"] {
        home.moves(0, name);
        if name == "said" {
            home.says(0, name, "keep").expect("said");
        }
    }
    home.goes(0);
    let outcome = home.moves(1, "fresh");
    assert!(outcome.records.contains(&Record::Forgotten(room("older"))), "{outcome:?}");
    let names: Vec<_> = home.rooms.rooms().map(|view| view.name.to_string()).collect();
    assert_eq!(names, ["fresh", "newer", "said"]);
    home.orders(Order::Close(room("newer"))).expect("closed");
    assert_eq!(refused(&home.enters(2, "other")), Some(Objection::TooManyRooms));
}

#[test]
fn the_oldest_lines_make_place_and_do_not_come_back() {
    let mut home = Home::with(&small());
    home.links(2, 90);
    home.enters(0, "hall");
    for text in ["one", "two", "three", "four", "five"] {
        home.says(0, "hall", text).expect("said");
    }
    assert_eq!(home.history("hall"), ["two", "three", "four", "five"]);
    home.heard(0);
    let late = home.is_told(2, told(Stamp::ZERO, vec![said(90, START - 5, "hall", "late")])).expect("heard");
    assert_eq!((late.records, home.heard(0)), (vec![], vec![]));
    let page = |before, most| home.rooms.history(&room("hall"), before, most).expect("a room");
    let (newest, more) = page(None, 2);
    assert_eq!((words(&newest[0]), more), ("four".to_owned(), true));
    let (older, more) = page(Some(newest[0].id), 2);
    assert_eq!((words(&older[0]), more), ("two".to_owned(), false));
}

#[test]
fn what_is_too_old_goes_and_the_topic_stays() {
    let mut home = Home::with(&Limits { room_keep_s: 60, ..Limits::default() });
    home.enters(0, "hall");
    home.says(0, "hall", "old").expect("said");
    home.orders(Order::Topic(room("hall"), "manners".into())).expect("set");
    home.now += 61_000;
    let outcome = home.tidies();
    assert!(matches!(outcome.records[..], [Record::Erased(_)]), "{outcome:?}");
    let view = home.rooms.room(&room("hall")).expect("a room");
    assert_eq!((home.history("hall").len(), view.topic.as_deref()), (0, Some("manners")));
    assert_eq!(home.heard(0), ["a: old", "#manners"]);
}

#[test]
fn a_new_name_keeps_the_number() {
    let mut home = Home::with(&Limits::default());
    home.links(2, 90);
    home.enters(0, "hall");
    home.enters(1, "hall");
    let outcome = home.asks_as(1, &member(61, "bee"), Wish::Rename("bee".into()));
    assert_eq!(outcome.answer, Some(Answer::Renamed("bee".into())));
    assert_eq!((home.heard(0), home.heard(1)), (vec!["+b".into(), "b=bee".into()], vec!["b=bee".to_owned()]));
    let Some((_, RoomNews::Renamed(seat))) = outcome.news.first() else { panic!("{outcome:?}") };
    assert_eq!((seat.number, seat.member, &*seat.name), (0x1001, key(61), "bee"));
    assert!(home.asks_as(1, &member(61, "bee"), Wish::Say(None, "me".into())).answer.is_some());
    assert_eq!(home.heard(0), ["bee: me"]);
    home.everybody_knows_everybody();
}

#[test]
fn the_operator_closes_kicks_mutes_and_withdraws() {
    let mut home = Home::with(&Limits::default());
    home.links(2, 90);
    for who in [0, 1] {
        home.enters(who, "hall");
    }
    let line = home.says(1, "hall", "rude").expect("said");
    home.orders(Order::Withdraw(line)).expect("withdrawn");
    assert_eq!(home.history("hall"), [""; 0]);
    assert_eq!(home.orders(Order::Withdraw(line)).err(), Some(Objection::Unknown));
    home.orders(Order::Mute(key(1), true)).expect("muted");
    assert_eq!(home.says(1, "hall", "still rude"), None);
    let outcome = home.orders(Order::Kick(room("hall"), 0x1001)).expect("kicked");
    assert_eq!(outcome.news, [(vec![HomeId(2)], RoomNews::Went(room("hall"), 0x1001))]);
    assert_eq!(home.heard(1), ["b: rude", "withdrawn", "-b"]);
    assert_eq!(home.heard(0), ["+b", "b: rude", "withdrawn", "-b"]);
    home.orders(Order::Close(room("hall"))).expect("closed");
    assert_eq!(
        (home.heard(0), refused(&home.enters(0, "hall"))),
        (vec!["closed".into()], Some(Objection::Closed))
    );
    assert_eq!(home.asks(0, Wish::List(None)).answer, Some(Answer::Rooms(vec![], false)));
    home.orders(Order::Reopen(room("hall"))).expect("open");
    assert!(matches!(home.enters(0, "hall"), Answer::Entered(_)));
}

#[test]
fn a_restart_finds_everything_but_the_guests() {
    let mut home = Home::with(&Limits::default());
    home.enters(0, "hall");
    for text in ["one", "two"] {
        home.says(0, "hall", text).expect("said");
    }
    home.orders(Order::Topic(room("hall"), "manners".into())).expect("set");
    home.orders(Order::Close(room("cellar"))).expect("closed");
    let first = home.rooms.history(&room("hall"), None, 9).expect("a room").0[0].id;
    home.orders(Order::Withdraw(first)).expect("withdrawn");
    // With a clock that was set back.
    home.now -= 1000;
    home.restarts(0);
    let mut again = home;
    assert_eq!(again.history("hall"), ["two", "#manners"]);
    assert_eq!(again.rooms.room(&room("hall")).expect("a room").topic.as_deref(), Some("manners"));
    assert_eq!(refused(&again.enters(0, "cellar")), Some(Objection::Closed));
    again.enters(0, "hall");
    again.says(0, "hall", "three").expect("said");
    assert_eq!(again.history("hall"), ["two", "#manners", "three"], "behind everything");
}

#[test]
fn whoever_takes_the_name_that_she_has_disturbs_nobody_and_another_spelling_is_told_once() {
    let mut home = Home::with(&Limits::default());
    home.links(2, 90);
    home.enters(0, "hall");
    home.enters(1, "hall");
    home.heard(0);
    let rename = |home: &mut Home, nick: &str| home.asks_as(1, &member(1, nick), Wish::Rename(nick.into()));
    let again = rename(&mut home, "b");
    assert_eq!((again.answer, again.events, again.news), (Some(Answer::Renamed("b".into())), vec![], vec![]));
    let other = rename(&mut home, "B");
    assert_eq!((home.heard(0), other.news.len()), (vec!["b=B".to_owned()], 1));
    home.everybody_knows_everybody();
}

#[test]
fn a_list_of_rooms_comes_in_parts_that_are_not_too_large() {
    let limits = Limits { queue_bytes: 80_000, ..Limits::default() };
    let mut home = Home::with(&limits);
    let names: Vec<String> = (10..40).map(|number| format!("hall {number}")).collect();
    for name in &names {
        home.orders(Order::Topic(room(name), "t".repeat(3000).into())).expect("a topic");
    }
    home.orders(Order::Topic(room("hall 99"), "t".repeat(16_000).into())).expect("a topic");
    let (mut listed, mut after, mut parts) = (Vec::new(), None, 0);
    loop {
        let Some(Answer::Rooms(rooms, more)) = home.asks(0, Wish::List(after)).answer else {
            panic!("no list")
        };
        parts += 1;
        let bytes: usize = rooms.iter().map(RoomCard::bytes).sum();
        assert!(bytes <= 10_000 || rooms.len() == 1, "{bytes} bytes");
        after = rooms.last().map(|card| card.name.clone());
        listed.extend(rooms.into_iter().map(|card| card.name.as_str().to_owned()));
        if !more {
            break;
        }
    }
    assert_eq!((&listed[..30], &listed[30..], parts), (&names[..], &["hall 99".to_owned()][..], 11));
}
