//! Guests of neighbours who may not be seen, and those who come too early, too often, or under another name.

use super::*;
use crate::domain::rooms::{Answer, Deed, Order, RoomNews, Speaker, Stamp, testing::*};
use crate::domain::{limits::Limits, nick::Folded};

const THERE: u32 = 2;
const SEED: u8 = 90;

fn seats(of: &[(u8, &str)]) -> RoomNews {
    let seat = |(number, name): &(u8, &str)| (room("hall"), seat_of(u32::from(*number), *number, name));
    RoomNews::Seats(of.iter().map(seat).collect())
}

fn home(limits: &Limits) -> Home {
    let mut home = Home::with(limits);
    home.enters(0, "hall");
    home.links(THERE, SEED);
    home.is_told(THERE, told(Stamp::ZERO, vec![])).expect("heard");
    home
}

fn named(name: &str) -> Shunned {
    Shunned { names: HashSet::from([Folded::new(name)]), ..Shunned::default() }
}

fn shuns(home: &mut Home, shunned: Shunned) {
    let outcome = home.rooms.shun(shunned, |_, _| Standing::Listed);
    home.hears(&outcome);
    home.everybody_knows_everybody();
}

#[test]
fn the_banned_go_and_come_back_when_that_is_over() {
    let mut home = home(&Limits::default());
    home.is_told(THERE, RoomNews::Seats(vec![(room("hall"), named_seat(7, "Mallory"))])).expect("heard");
    home.is_told(THERE, seats(&[(8, "x")])).expect("heard");
    shuns(&mut home, named("mallory"));
    assert_eq!(home.heard(0), ["+Mallory", "+x", "-Mallory"]);
    // Who is called so from now on goes, too, and under another name she is there again.
    home.is_told(THERE, RoomNews::Renamed(named_seat(7, "Malory"))).expect("heard");
    home.is_told(THERE, RoomNews::Renamed(named_seat(7, "MALLORY"))).expect("heard");
    assert_eq!(home.heard(0), ["+Malory", "-Malory"]);
    home.is_told(THERE, RoomNews::Went(room("hall"), 7)).expect("heard");
    home.is_told(THERE, RoomNews::Seats(vec![(room("hall"), named_seat(7, "Mallory"))])).expect("heard");
    assert_eq!(home.heard(0), [""; 0]);
    shuns(&mut home, Shunned { members: HashSet::from([key(8)]), ..Shunned::default() });
    shuns(&mut home, Shunned::default());
    assert_eq!(home.heard(0), ["-x", "+Mallory", "+x"]);
}

fn named_seat(number: u8, name: &str) -> Seat {
    Seat { dialect: None, ..seat_of(u32::from(number), number, name) }
}

#[test]
fn what_the_banned_said_is_kept_and_not_read() {
    for shunned in [
        named("x"),
        Shunned { members: HashSet::from([key(SEED + 1)]), ..Shunned::default() },
        Shunned { homes: HashSet::from([key(SEED)]), ..Shunned::default() },
    ] {
        let mut home = home(&Limits::default());
        shuns(&mut home, shunned);
        let line = said(SEED, START, "hall", "spam");
        home.is_told(THERE, told(Stamp::ZERO, vec![line.clone()])).expect("heard");
        assert_eq!((home.heard(0).len(), home.history("hall")), (0, vec!["spam".to_owned()]));
        assert!(!home.rooms.shows(&line));
        let Answer::Entered(scene) = home.enters(1, "hall") else { panic!("not in") };
        assert_eq!(scene.history.len(), 0);
        shuns(&mut home, Shunned::default());
        let Answer::Entered(scene) = home.enters(2, "hall") else { panic!("not in") };
        assert_eq!(scene.history.len(), 1);
    }
    // The beginning of a key is not a name.
    let by =
        Speaker { member: key(1), name: "abc".into(), dialect: Some(crate::domain::dialect::Dialect::Olaf) };
    let mut line = (*said(SEED, START, "hall", "hello")).clone();
    line.by = Some(by);
    let mut home = home(&Limits::default());
    shuns(&mut home, named("abc"));
    assert!(home.rooms.shows(&line));
}

#[test]
fn a_seat_waits_until_its_member_is_listed() {
    let mut home = home(&Limits::default());
    let early = home.rooms.hear(HomeId(THERE), seats(&[(7, "g")]), |_, _| Standing::Unlisted, START);
    assert_eq!(early, Ok(Outcome::default()));
    let hidden = home.rooms.look_at(&[key(7)], |_, _| Standing::Hidden);
    assert_eq!(hidden, Outcome::default());
    let listed = home.rooms.look_at(&[key(7), key(9)], |_, _| Standing::Listed);
    home.hears(&listed);
    // Whoever leaves or is called otherwise is listed no more for a moment.
    let moment = home.rooms.look_at(&[key(7)], |_, _| Standing::Unlisted);
    assert_eq!((home.heard(0), moment), (vec!["+g".to_owned()], Outcome::default()));
    let at_last = home.rooms.look_around(|_, _| Standing::Unlisted);
    home.hears(&at_last);
    assert_eq!(home.heard(0), ["-g"]);
    home.everybody_knows_everybody();
}

#[test]
fn neighbours_leave_place_for_guests_of_this_home_and_for_each_other() {
    let mut home = home(&Limits { room_guests: 8, ..Limits::default() });
    home.links(THERE + 1, SEED + 10);
    let many = |from: u8| {
        let names: Vec<_> = (from..from + 8).map(|number| (number, "g")).collect();
        seats(&names)
    };
    let seen = |home: &Home, of: u32| {
        let guests = home.rooms.room(&room("hall")).expect("a room").guests;
        guests.iter().filter(|guest| guest.home == HomeId(of)).count()
    };
    home.is_told(THERE, many(100)).expect("heard");
    assert_eq!(seen(&home, THERE), 4);
    home.is_told(THERE + 1, many(120)).expect("heard");
    assert_eq!((seen(&home, THERE), seen(&home, THERE + 1)), (4, 2));
    assert!(matches!(home.enters(1, "hall"), Answer::Entered(_)));
    // Whoever found no place finds one when others have left.
    (100..103).for_each(|number| {
        home.is_told(THERE, RoomNews::Went(room("hall"), number)).expect("heard");
    });
    let outcome = home.rooms.look_around(|_, _| Standing::Listed);
    home.hears(&outcome);
    assert_eq!(seen(&home, THERE) + seen(&home, THERE + 1), 6);
    home.everybody_knows_everybody();
}

#[test]
fn in_a_closed_room_nothing_is_shown() {
    let mut home = home(&Limits::default());
    let line = said(SEED, START, "hall", "in here");
    home.is_told(THERE, told(Stamp::ZERO, vec![line.clone()])).expect("heard");
    assert!(matches!(line.deed, Deed::Said(_)) && home.rooms.shows(&line));
    home.orders(Order::Close(room("hall"))).expect("closed");
    assert!(!home.rooms.shows(&line));
    home.orders(Order::Reopen(room("hall"))).expect("open");
    assert!(home.rooms.shows(&line));
}
