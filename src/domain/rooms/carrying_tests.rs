//! Guests without a connection: seen while they are in the neighbourhood, and the same ones with one.

use super::*;
use crate::domain::{
    admission::Origin,
    id::ConnectionId,
    limits::Limits,
    rooms::{
        Answer, Asker, Order, Page, Record, Stamp, Standing, Wish,
        testing::{START, key, member, room},
    },
};

const LISTENER: ConnectionId = ConnectionId(1);
const OLD: HomeId = HomeId(7);
const NEW: HomeId = HomeId(8);

/// A home in which somebody listens in the room, linked with a neighbour that knows rooms.
fn house(limits: &Limits) -> Rooms {
    let mut rooms = Rooms::new(key(200), limits);
    rooms.link(NEW, key(201));
    let listener = member(1, "listener");
    rooms.ask(
        &Asker { connection: LISTENER, member: &listener, from: Origin::V6(0) },
        Wish::Enter(room("public")),
        START,
    );
    rooms
}

fn says(rooms: &mut Rooms, who: u8, home: HomeId, text: &str) -> Result<Outcome, Objection> {
    let (room, member) = (&room("public"), &member(who, "anna"));
    let key = if home == HomeId::OWN { key(200) } else { key(99) };
    rooms.carry(Carried { room, member, home, key, text: text.to_owned().into() }, START)
}

/// What the listener hears, in short.
fn heard(outcome: &Outcome) -> Vec<&'static str> {
    let short = |event: &Event| match event {
        Event::Came(_) => "came",
        Event::Went(_) => "went",
        Event::Said(..) => "said",
        Event::Recalled(_) => "recalled",
        _ => "else",
    };
    outcome.events.iter().map(|(_, _, event)| short(event)).collect()
}

fn told(outcome: &Outcome) -> Vec<&'static str> {
    let short = |news: &RoomNews| match news {
        RoomNews::Seats(_) => "seats",
        RoomNews::Went(..) => "went",
        RoomNews::Lines(_) => "lines",
        _ => "else",
    };
    outcome.news.iter().map(|(_, news)| short(news)).collect()
}

#[test]
fn whoever_speaks_first_comes_first_and_stays_until_she_is_gone() {
    let mut rooms = house(&Limits::default());
    let first = says(&mut rooms, 2, HomeId::OWN, "one").expect("room");
    assert_eq!((heard(&first), told(&first).first()), (vec!["came", "said"], Some(&"seats")));
    let second = says(&mut rooms, 2, HomeId::OWN, "two").expect("room");
    assert_eq!(heard(&second), ["said"]);
    assert!(rooms.let_go(&[key(2)], |_, _| true).is_empty());
    let gone = rooms.let_go(&[key(2)], |_, who| who != key(2));
    assert_eq!((heard(&gone), told(&gone)), (vec!["went"], vec!["went"]));
    assert!(rooms.let_go(&[key(2)], |_, _| false).is_empty(), "nobody goes twice");
    assert_eq!(rooms.room(&room("public")).map(|view| (view.guests.len(), view.lines)), Some((1, 2)));
}

#[test]
fn what_is_said_at_a_home_without_rooms_is_kept_here_and_told_to_nobody() {
    let mut rooms = house(&Limits::default());
    let outcome = says(&mut rooms, 2, OLD, "one").expect("room");
    assert_eq!((heard(&outcome), told(&outcome)), (vec!["came", "said"], vec![]));
    let kept = |record: &Record| matches!(record, Record::Line(line) if line.id.home == key(99));
    assert_eq!(outcome.records.iter().filter(|record| kept(record)).count(), 1);
    // A neighbour that asks for everything hears nothing of it, and not that there is such a guest.
    let news = rooms.link(NEW, key(201));
    assert_eq!(told(&news).iter().filter(|news| **news == "seats").count(), 1);
    let all = rooms
        .hear(NEW, RoomNews::WantLines(Stamp::ZERO), |_, _| Standing::Listed, START)
        .expect("a good question");
    let has_lines = |news: &RoomNews| matches!(news, RoomNews::Lines(lines) if !lines.lines.is_empty());
    assert!(!all.news.iter().any(|(_, news)| has_lines(news)), "{all:?}");
    assert_eq!(heard(&rooms.let_go(&[key(2)], |home, _| home != OLD)), ["went"]);
}

#[test]
fn with_a_connection_she_is_the_same_guest() {
    let mut rooms = house(&Limits::default());
    says(&mut rooms, 2, HomeId::OWN, "one").expect("room");
    let (connection, anna) = (ConnectionId(2), member(2, "anna"));
    let asker = Asker { connection, member: &anna, from: Origin::V6(0) };
    let outcome = rooms.ask(&asker, Wish::Enter(room("public")), START);
    let Some(Answer::Entered(scene)) = &outcome.answer else { panic!("{outcome:?}") };
    assert_eq!((heard(&outcome), told(&outcome), scene.guests.len()), (vec![], vec![], 2));
    assert!(
        rooms.let_go(&[key(2)], |_, who| who != key(2)).is_empty(),
        "who is in with a connection leaves with that"
    );
    let page = Page { room: room("public"), before: None, most: 9 };
    assert!(matches!(rooms.ask(&asker, Wish::Page(page), START).answer, Some(Answer::History { .. })));
    let gone = rooms.gone(connection);
    assert_eq!((heard(&gone), told(&gone)), (vec!["went"], vec!["went"]));
    // And the other way round: who was in with a connection speaks as the same one.
    rooms.ask(&asker, Wish::Enter(room("public")), START);
    assert_eq!(heard(&says(&mut rooms, 2, HomeId::OWN, "two").expect("room")), ["said"]);
}

#[test]
fn what_may_not_be_said_stays_outside() {
    let limits = Limits { room_line_bytes: 10, room_guests: 1, ..Limits::default() };
    let mut rooms = house(&limits);
    assert_eq!(says(&mut rooms, 2, HomeId::OWN, "eleven bytes"), Err(Objection::TooLong));
    let full = says(&mut rooms, 2, HomeId::OWN, "one").expect("room");
    assert_eq!(heard(&full), ["recalled"], "without a seat she is read all the same");
    rooms.order(Order::Mute(key(2), true), START).expect("an order");
    assert_eq!(says(&mut rooms, 2, HomeId::OWN, "two"), Err(Objection::Muted));
    rooms.order(Order::Close(room("public")), START).expect("an order");
    assert_eq!(says(&mut rooms, 3, OLD, "two"), Err(Objection::Closed));
}

#[test]
fn one_who_goes_costs_nothing_for_those_who_stay() {
    let mut rooms = house(&Limits::default());
    let who = |number: u16| {
        let mut key = [7; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        KeyId(key)
    };
    for number in 0..1000 {
        let member = Arc::new(Member { key: who(number), ..(*member(2, "anna")).clone() });
        let (room, text) = (&room("public"), "hello".into());
        let said = Carried { room, member: &member, home: OLD, key: key(99), text };
        rooms.carry(said, START).expect("room");
    }
    let asked = std::cell::Cell::new(0);
    for number in 0..10 {
        let gone = rooms.let_go(&[who(number)], |home, member| {
            asked.set(asked.get() + 1);
            (home, member) != (OLD, who(number))
        });
        assert_eq!(heard(&gone), ["went"]);
    }
    assert_eq!(asked.get(), 10, "nobody else is looked at");
}
