//! The bridge in meshes of all kinds: everybody reads everything at most once, and whoever can read it does.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::domain::{
    admission,
    id::HomeId,
    member::Member,
    rooms::{
        Asker, Carried, Event, LineId, Outcome, Record, RoomName, RoomNews, Rooms, Speaker, Stamp, Standing,
        Wish,
    },
};

const START: i64 = 1_700_000_000_000;

/// Who: the number of a home, a dialect, and whether she is in the public room. Everybody who speaks tPacket is.
type Person = (usize, Dialect, bool);

/// Everybody at one home.
const PEOPLE: [(Dialect, bool); 5] = [
    (Dialect::Olaf, false),
    (Dialect::Socp, false),
    (Dialect::Tpacket, true),
    (Dialect::Olaf, true),
    (Dialect::Socp, true),
];

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Letter,
    Line,
}

/// Every way of saying something to everybody.
const WAYS: [(Dialect, bool, How); 7] = [
    (Dialect::Olaf, false, How::Letter),
    (Dialect::Socp, false, How::Letter),
    (Dialect::Olaf, true, How::Letter),
    (Dialect::Socp, true, How::Letter),
    (Dialect::Tpacket, true, How::Line),
    (Dialect::Olaf, true, How::Line),
    (Dialect::Socp, true, How::Line),
];

struct House {
    rooms: Rooms,
    bridge: Option<Bridge>,
}

/// Homes that are all linked with each other, with one member of each kind, and one neighbour of all of them
/// that speaks OLAF and knows no rooms.
struct World {
    houses: Vec<House>,
    heard: BTreeMap<(Person, String), u32>,
    /// What the old neighbour's members have heard.
    outside: BTreeMap<String, u32>,
    news: VecDeque<(usize, usize, RoomNews)>,
    now: i64,
}

fn key((home, dialect, is_in): Person) -> KeyId {
    let mut key = [0; 32];
    for (byte, from) in key.iter_mut().zip(format!("{home} {dialect} {is_in}").bytes()) {
        *byte = from;
    }
    KeyId(key)
}

fn member(who: Person) -> Arc<Member> {
    let (home, dialect, _) = who;
    let key = key(who);
    let name = Some(format!("{dialect}-{home}").into()).filter(|_| dialect != Dialect::Olaf);
    let (number, public_key, sealing_key, display_name, fingerprint) = (0, "".into(), None, None, None);
    Member { key, name, number, dialect, public_key, spelled: key, sealing_key, display_name, fingerprint }
        .into()
}

fn home(number: usize) -> HomeId {
    HomeId(u32::try_from(number + 2).expect("few homes"))
}

/// The connection of one who is in the room.
fn seat(dialect: Dialect) -> ConnectionId {
    Bridge::seat(dialect)
}

impl World {
    fn new(bridges: &[bool]) -> Self {
        let limits = Limits { bridge_lines_per_second: 1000, ..Limits::default() };
        let own = |number| KeyId([u8::try_from(number + 100).expect("few homes"); 32]);
        let house = |(number, is_on): (usize, &bool)| House {
            rooms: Rooms::new(own(number), &limits),
            bridge: is_on.then(|| Bridge::new(own(number), &limits)),
        };
        let houses = bridges.iter().enumerate().map(house).collect();
        let (heard, outside, news) = Default::default();
        let mut world = Self { houses, heard, outside, news, now: START };
        for one in 0..bridges.len() {
            for other in (0..bridges.len()).filter(|other| *other != one) {
                let outcome = world.houses[one].rooms.link(home(other), own(other));
                world.follow(one, outcome);
            }
            for dialect in Dialect::ALL {
                let outcome = world.ask((one, dialect, true), Wish::Enter(RoomName::public()));
                world.follow(one, outcome);
            }
        }
        world.settle();
        world
    }

    fn ask(&mut self, who: Person, wish: Wish) -> Outcome {
        let ((at, dialect, _), member) = (who, member(who));
        let from = admission::Origin::V6(0);
        let asker = Asker { connection: seat(dialect), member: &member, from };
        self.houses[at].rooms.ask(&asker, wish, self.now)
    }

    fn hears(&mut self, who: Person, text: &str) {
        *self.heard.entry((who, text.to_owned())).or_default() += 1;
    }

    /// What follows at one home, as its shell carries it out.
    fn follow(&mut self, at: usize, outcome: Outcome) {
        for (_, guests, event) in outcome.events {
            let (Event::Said(_, line) | Event::Recalled(line)) = event else { continue };
            let Deed::Said(text) = &line.deed else { continue };
            for dialect in Dialect::ALL.into_iter().filter(|dialect| guests.contains(&seat(*dialect))) {
                if !is_read_as_letter(&line, Some(dialect), self.now) {
                    self.hears((at, dialect, true), text);
                }
            }
        }
        for (homes, news) in outcome.news {
            for other in homes {
                let other = usize::try_from(other.0).expect("a number") - 2;
                self.news.push_back((at, other, news.clone()));
            }
        }
        for record in outcome.records {
            let Record::Line(line) = record else { continue };
            for dialect in Dialect::ALL {
                let now = Moment::from_millis(u64::try_from(self.now).expect("a time"));
                let Some(bridge) = &mut self.houses[at].bridge else { continue };
                let Turn::Say(reach) = bridge.carry_out(&line, dialect, self.now, now) else { continue };
                let Deed::Said(text) = &line.deed else { panic!("{line:?}") };
                assert_eq!(words(&line).map(|words| words.ends_with(&**text)), Some(true));
                // Those who are in the room are left out.
                assert!(self.houses[at].rooms.is_in(seat(dialect), &line.room));
                self.hears((at, dialect, false), text);
                if reach == Reach::Neighbours && dialect == Dialect::Olaf {
                    *self.outside.entry(text.to_string()).or_default() += 1;
                }
            }
        }
    }

    fn settle(&mut self) {
        while let Some((from, to, news)) = self.news.pop_front() {
            let outcome = self.houses[to]
                .rooms
                .hear(home(from), news, |_, _| Standing::Listed, self.now)
                .expect("good news");
            self.follow(to, outcome);
        }
    }

    fn carry(&mut self, at: usize, by: &Arc<Member>, from: HomeId, text: &str) {
        if self.houses[at].bridge.is_none() {
            return;
        }
        let said = Carried {
            room: &RoomName::public(),
            member: by,
            home: from,
            key: KeyId([9; 32]),
            text: text.into(),
        };
        let outcome = self.houses[at].rooms.carry(said, self.now).expect("room for it");
        self.follow(at, outcome);
    }

    /// Everybody who speaks like that hears a letter as it is.
    fn deliver(&mut self, dialect: Dialect, author: Option<Person>, text: &str) {
        for at in 0..self.houses.len() {
            for who in [false, true].map(|is_in| (at, dialect, is_in)) {
                if Some(who) != author {
                    self.hears(who, text);
                }
            }
        }
    }

    /// Somebody says something to everybody.
    fn says(&mut self, who: Person, how: How, text: &str) {
        self.now += 50;
        let (at, dialect, _) = who;
        if how == How::Line {
            let outcome = self.ask(who, Wish::Say(Some(RoomName::public()), text.into()));
            self.follow(at, outcome);
        } else {
            self.deliver(dialect, Some(who), text);
            if dialect == Dialect::Olaf {
                *self.outside.entry(text.to_owned()).or_default() += 1;
            }
            self.carry(at, &member(who), HomeId::OWN, text);
        }
        self.settle();
    }

    /// A member of the old neighbour says something: each home hears the letter by itself.
    fn outsider_says(&mut self, text: &str) {
        self.now += 50;
        self.deliver(Dialect::Olaf, None, text);
        for at in 0..self.houses.len() {
            self.carry(at, &member((99, Dialect::Olaf, false)), HomeId(99), text);
        }
        self.settle();
    }

    fn times(&self, who: Person, text: &str) -> u32 {
        self.heard.get(&(who, text.to_owned())).copied().unwrap_or(0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_reads_everything_once(
        bridges in proptest::collection::vec(any::<bool>(), 1..5),
        said in proptest::collection::vec((0..5_usize, 0..=WAYS.len()), 1..12),
    ) {
        let mut world = World::new(&bridges);
        for (number, (at, by)) in said.into_iter().enumerate() {
            let (at, text) = (at % bridges.len(), format!("words {number}"));
            let author = WAYS.get(by).map(|(dialect, is_in, how)| ((at, *dialect, *is_in), *how));
            match author {
                Some((author, how)) => world.says(author, how, &text),
                None => world.outsider_says(&text),
            }
            let (spoken, how) = author.map_or((Dialect::Olaf, How::Letter), |((_, by, _), how)| (by, how));
            for (home, is_on) in bridges.iter().enumerate() {
                for (dialect, is_in) in PEOPLE {
                    let who = (home, dialect, is_in);
                    let reads_letter = how == How::Letter && dialect == spoken;
                    // Where the author's home has no bridge, its letters are no lines; lines of a room cross anyway.
                    let is_line = how == How::Line || author.map_or(*is_on, |_| bridges[at]);
                    let reads = reads_letter || (is_line && (*is_on || is_in));
                    let is_echo = reads_letter && author.is_some_and(|(author, _)| author == who);
                    prop_assert_eq!(world.times(who, &text), u32::from(reads && !is_echo), "{:?}: {}", who, text);
                }
            }
            let is_heard = author.is_some_and(|((_, by, _), how)| {
                bridges[at] || (how, by) == (How::Letter, Dialect::Olaf)
            });
            // It is not told what it has said itself.
            prop_assert_eq!(world.outside.get(&text).copied().unwrap_or(0), u32::from(is_heard));
        }
    }
}

fn said(room: &str, by: Option<Dialect>, at_ms: i64) -> Line {
    let id = LineId { stamp: Stamp::at(at_ms), home: KeyId([1; 32]) };
    let by = Speaker { member: KeyId([2; 32]), name: "alice".into(), dialect: by };
    let (room, deed) = (RoomName::new(room).expect("a name"), Deed::Said("hello".into()));
    Line { id, room, by: Some(by), deed, was_letter: false }
}

#[test]
fn only_what_is_said_now_in_public_in_another_dialect_is_said_again() {
    let mut bridge = Bridge::new(KeyId([1; 32]), &Limits::default());
    let mut turn = |line: &Line, dialect| bridge.carry_out(line, dialect, START, Moment::ZERO);
    let line = said("public", Some(Dialect::Tpacket), START);
    assert_eq!(turn(&line, Dialect::Olaf), Turn::Say(Reach::Neighbours));
    assert_eq!(turn(&line, Dialect::Tpacket), Turn::Leave);
    for line in [
        Line { was_letter: true, ..said("public", Some(Dialect::Olaf), START) },
        said("public", None, START),
        said("lobby", Some(Dialect::Tpacket), START),
        said("public", Some(Dialect::Tpacket), START - FRESH_MS - 1),
        Line { deed: Deed::Topic("hello".into()), ..said("public", Some(Dialect::Tpacket), START) },
        Line { by: None, ..said("public", Some(Dialect::Tpacket), START) },
    ] {
        assert_eq!(turn(&line, Dialect::Olaf), Turn::Leave, "{line:?}");
    }
    let of_her_own = said("public", Some(Dialect::Olaf), START);
    assert_eq!(turn(&of_her_own, Dialect::Olaf), Turn::Say(Reach::Neighbours), "no letter has told it");
    let line = Line { id: LineId { home: KeyId([3; 32]), ..line.id }, ..line };
    assert_eq!(turn(&line, Dialect::Socp), Turn::Say(Reach::Home), "others' lines are theirs to hand on");
}

#[test]
fn more_than_the_bridge_may_say_is_left_out_and_told_once_a_minute() {
    let limits = Limits { bridge_lines_per_second: 1, ..Limits::default() };
    let mut bridge = Bridge::new(KeyId([1; 32]), &limits);
    let mut turns = |second| {
        let now = Moment::from_secs(second);
        std::array::from_fn::<_, 4, _>(|number| {
            let mut line = said("public", Some(Dialect::Tpacket), START);
            let member = KeyId([u8::try_from(number).expect("few"); 32]);
            line.by = line.by.map(|by| Speaker { member, ..by });
            bridge.carry_out(&line, Dialect::Olaf, START, now)
        })
    };
    let say = Turn::Say(Reach::Neighbours);
    assert_eq!(turns(0), [say, say, Turn::TooMany(true), Turn::TooMany(false)]);
    assert_eq!(turns(1), [say, Turn::TooMany(false), Turn::TooMany(false), Turn::TooMany(false)]);
    assert_eq!(turns(61), [say, say, Turn::TooMany(true), Turn::TooMany(false)]);
}

#[test]
fn whoever_says_too_much_leaves_room_for_the_others() {
    let limits = Limits { bridge_lines_per_second: 20, ..Limits::default() };
    let mut bridge = Bridge::new(KeyId([1; 32]), &limits);
    let (flood, mut granted) = (KeyId([1; 32]), 0);
    for tick in 0..1000_u64 {
        let now = Moment::from_millis(tick * 10);
        granted += u32::from(bridge.carry_in(flood, now).is_ok());
        // Ten others, each of whom says something every second.
        if tick % 10 == 0 {
            let other = KeyId([2 + u8::try_from(tick / 10 % 10).expect("few"); 32]);
            assert_eq!(bridge.carry_in(other, now), Ok(()), "at {tick}");
        }
    }
    assert!((50..=60).contains(&granted), "{granted} in ten seconds: a quarter");
}

#[test]
fn authors_are_forgotten_whatever_their_number() {
    let limits = Limits { bridge_lines_per_second: 20, ..Limits::default() };
    let mut gauge = Gauge::new(&limits);
    let mut most = 0;
    for number in 0..10_000_u64 {
        let mut author = [0; 32];
        author[..8].copy_from_slice(&number.to_be_bytes());
        let _ = gauge.take(KeyId(author), Moment::from_millis(number * 10));
        most = most.max(gauge.authors.len());
    }
    assert!(most <= 160, "{most}");
}
