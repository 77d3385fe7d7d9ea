//! The bridge in meshes of all kinds: everybody reads everything at most once, and whoever can read it does.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::domain::{
    id::HomeId,
    member::Member,
    rooms::{
        Asker, Carried, Event, LineId, Outcome, Record, RoomName, RoomNews, Rooms, Speaker, Stamp, Wish,
    },
};

const START: i64 = 1_700_000_000_000;

/// Who: the number of a home, and a dialect. Everybody who speaks tPacket is in the public room.
type Person = (usize, Dialect);

struct House {
    rooms: Rooms,
    bridge: Option<Bridge>,
}

/// Homes that are all linked with each other, with one member of each dialect, and one neighbour of all of them
/// that speaks OLAF and knows no rooms.
struct World {
    houses: Vec<House>,
    heard: BTreeMap<(Person, String), u32>,
    /// What the old neighbour's members have heard.
    outside: BTreeMap<String, u32>,
    news: VecDeque<(usize, usize, RoomNews)>,
    now: i64,
}

fn key(home: usize, dialect: Dialect) -> KeyId {
    let mut key = [0; 32];
    for (byte, from) in key.iter_mut().zip(format!("{home} {dialect}").bytes()) {
        *byte = from;
    }
    KeyId(key)
}

fn member((home, dialect): Person) -> Arc<Member> {
    let key = key(home, dialect);
    let name = Some(format!("{dialect}-{home}").into()).filter(|_| dialect != Dialect::Olaf);
    let (number, public_key, sealing_key, display_name, fingerprint) = (0, "".into(), None, None, None);
    Member { key, name, number, dialect, public_key, spelled: key, sealing_key, display_name, fingerprint }
        .into()
}

fn home(number: usize) -> HomeId {
    HomeId(u32::try_from(number + 2).expect("few homes"))
}

const HEARS: ConnectionId = ConnectionId(1);

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
            let outcome = world.ask(one, Wish::Enter(RoomName::public()));
            world.follow(one, outcome);
        }
        world.settle();
        world
    }

    fn ask(&mut self, at: usize, wish: Wish) -> Outcome {
        let member = member((at, Dialect::Tpacket));
        self.houses[at].rooms.ask(&Asker { connection: HEARS, member: &member }, wish, self.now)
    }

    fn hears(&mut self, who: Person, text: &str) {
        *self.heard.entry((who, text.to_owned())).or_default() += 1;
    }

    /// What follows at one home, as its shell carries it out.
    fn follow(&mut self, at: usize, outcome: Outcome) {
        for (_, guests, event) in outcome.events {
            if let (true, Event::Said(_, line) | Event::Recalled(line)) = (guests.contains(&HEARS), event)
                && let Deed::Said(text) = &line.deed
            {
                self.hears((at, Dialect::Tpacket), text);
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
                self.hears((at, dialect), text);
                if reach == Reach::Neighbours && dialect == Dialect::Olaf {
                    *self.outside.entry(text.to_string()).or_default() += 1;
                }
            }
        }
    }

    fn settle(&mut self) {
        while let Some((from, to, news)) = self.news.pop_front() {
            let outcome = self.houses[to].rooms.hear(home(from), news, self.now).expect("good news");
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

    /// Somebody says something to everybody; in a dialect with letters, all of that dialect hear it as it is.
    fn says(&mut self, who: Person, text: &str) {
        self.now += 50;
        let (at, dialect) = who;
        if dialect == Dialect::Tpacket {
            let outcome = self.ask(at, Wish::Say(None, text.into()));
            self.follow(at, outcome);
        } else {
            for other in (0..self.houses.len()).filter(|other| *other != at) {
                self.hears((other, dialect), text);
            }
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
        for at in 0..self.houses.len() {
            self.hears((at, Dialect::Olaf), text);
            self.carry(at, &member((99, Dialect::Olaf)), HomeId(99), text);
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
        said in proptest::collection::vec((0..5_usize, 0..4_usize), 1..12),
    ) {
        let mut world = World::new(&bridges);
        for (number, (at, by)) in said.into_iter().enumerate() {
            let (at, text) = (at % bridges.len(), format!("words {number}"));
            let author = Dialect::ALL.get(by).map(|dialect| (at, *dialect));
            match author {
                Some(author) => world.says(author, &text),
                None => world.outsider_says(&text),
            }
            let spoken = author.map_or(Dialect::Olaf, |(_, dialect)| dialect);
            for (home, is_on) in bridges.iter().enumerate() {
                for dialect in Dialect::ALL {
                    let who = (home, dialect);
                    // Where the author's home has no bridge, its letters are no lines; lines of a room cross anyway.
                    let becomes_a_line = spoken == Dialect::Tpacket || author.map_or(*is_on, |(at, _)| bridges[at]);
                    let reads = dialect == spoken || (becomes_a_line && (*is_on || dialect == Dialect::Tpacket));
                    let is_echo = Some(who) == author && dialect != Dialect::Tpacket;
                    prop_assert_eq!(world.times(who, &text), u32::from(reads && !is_echo), "{:?}: {}", who, text);
                }
            }
            if let Some((at, dialect)) = author {
                let is_heard = dialect == Dialect::Olaf || bridges[at];
                prop_assert_eq!(world.outside.get(&text).copied().unwrap_or(0), u32::from(is_heard));
            } else {
                prop_assert_eq!(world.outside.get(&text), None, "it is not told what it has said itself");
            }
        }
    }
}

fn said(room: &str, by: Option<Dialect>, at_ms: i64) -> Line {
    let id = LineId { stamp: Stamp::at(at_ms), home: KeyId([1; 32]) };
    let by = Speaker { member: KeyId([2; 32]), name: "alice".into(), dialect: by };
    Line { id, room: RoomName::new(room).expect("a name"), by: Some(by), deed: Deed::Said("hello".into()) }
}

#[test]
fn only_what_is_said_now_in_public_in_another_dialect_is_said_again() {
    let mut bridge = Bridge::new(KeyId([1; 32]), &Limits::default());
    let mut turn = |line: &Line, dialect| bridge.carry_out(line, dialect, START, Moment::ZERO);
    let line = said("public", Some(Dialect::Tpacket), START);
    assert_eq!(turn(&line, Dialect::Olaf), Turn::Say(Reach::Neighbours));
    assert_eq!(turn(&line, Dialect::Tpacket), Turn::Leave);
    for line in [
        said("public", Some(Dialect::Olaf), START),
        said("public", None, START),
        said("lobby", Some(Dialect::Tpacket), START),
        said("public", Some(Dialect::Tpacket), START - FRESH_MS - 1),
        Line { deed: Deed::Topic("hello".into()), ..said("public", Some(Dialect::Tpacket), START) },
        Line { by: None, ..said("public", Some(Dialect::Tpacket), START) },
    ] {
        assert_eq!(turn(&line, Dialect::Olaf), Turn::Leave, "{line:?}");
    }
    let line = Line { id: LineId { home: KeyId([3; 32]), ..line.id }, ..line };
    assert_eq!(turn(&line, Dialect::Socp), Turn::Say(Reach::Home), "others' lines are theirs to hand on");
}

#[test]
fn who_says_too_much_is_told_once_until_there_is_room_again() {
    let limits = Limits { bridge_lines_per_second: 1, ..Limits::default() };
    let mut bridge = Bridge::new(KeyId([1; 32]), &limits);
    let line = said("public", Some(Dialect::Tpacket), START);
    let mut turns = |second| {
        let now = Moment::from_secs(second);
        std::array::from_fn::<_, 4, _>(|_| bridge.carry_out(&line, Dialect::Olaf, START, now))
    };
    let say = Turn::Say(Reach::Neighbours);
    assert_eq!(turns(0), [say, say, Turn::TooMany(true), Turn::TooMany(false)]);
    assert_eq!(turns(1), [say, Turn::TooMany(true), Turn::TooMany(false), Turn::TooMany(false)]);
}
