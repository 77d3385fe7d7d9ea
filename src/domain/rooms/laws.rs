//! Laws of several homes: whatever is said, cut, lost and linked again, in the end everybody keeps the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::{collection, prelude::*, sample::Index};

use super::{testing::*, *};
use crate::domain::{
    id::{HomeId, KeyId},
    limits::Limits,
};

const ROOMS: [&str; 3] = ["attic", "cellar", "hall"];

/// What happens, at the home that the first number picks.
#[derive(Clone, Debug)]
enum Act {
    Enter(u8, usize),
    Move(u8, usize),
    Leave(u8, usize),
    Go(u8),
    Say(u8, usize, usize),
    Topic(usize),
    Withdraw(Index),
    Kick(usize),
    Rename(u8, u8),
    /// The clock goes on, or back.
    Pass(i64),
    /// The link to another home is cut, or made if it is cut.
    Turn(usize),
    /// So much of what is on its way to this home from another one arrives.
    Deliver(usize, usize),
    /// It crashes, and so much was not stored.
    Crash(usize),
    Tidy,
}

fn act() -> impl Strategy<Value = Act> {
    let (who, place) = (0..3_u8, 0..ROOMS.len());
    prop_oneof![
        3 => (who.clone(), place.clone()).prop_map(|(who, place)| Act::Enter(who, place)),
        1 => (who.clone(), place.clone()).prop_map(|(who, place)| Act::Move(who, place)),
        1 => (who.clone(), place.clone()).prop_map(|(who, place)| Act::Leave(who, place)),
        1 => who.clone().prop_map(Act::Go),
        8 => (who, place.clone(), 0..120_usize).prop_map(|(who, place, long)| Act::Say(who, place, long)),
        1 => place.clone().prop_map(Act::Topic),
        2 => any::<Index>().prop_map(Act::Withdraw),
        1 => place.prop_map(Act::Kick),
        1 => (0..3_u8, 0..3_u8).prop_map(|(who, called)| Act::Rename(who, called)),
        2 => (-4_000..20_000_i64).prop_map(Act::Pass),
        2 => any::<usize>().prop_map(Act::Turn),
        6 => (any::<usize>(), 0..5_usize).prop_map(|(from, most)| Act::Deliver(from, most)),
        1 => (0..6_usize).prop_map(Act::Crash),
        1 => Just(Act::Tidy),
    ]
}

/// Homes, and what is on its way between them.
struct Mesh {
    homes: Vec<Home>,
    ways: BTreeMap<(usize, usize), VecDeque<RoomNews>>,
    /// Whether what was said can be lost with a crash.
    loses: bool,
}

fn home(at: usize) -> HomeId {
    HomeId(u32::try_from(at).expect("few") + 2)
}

fn seed(at: usize) -> u8 {
    u8::try_from(at).expect("few") + 200
}

impl Mesh {
    fn new(homes: usize, limits: &Limits, loses: bool) -> Self {
        let homes = (0..homes).map(|at| Home::new(seed(at), limits)).collect();
        Self { homes, ways: BTreeMap::new(), loses }
    }

    fn send(&mut self, from: usize, outcome: Outcome) {
        for (homes, news) in outcome.news {
            for to in homes {
                let to = usize::try_from(to.0 - 2).expect("few");
                self.ways.get_mut(&(from, to)).expect("a link").push_back(news.clone());
            }
        }
    }

    fn link(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            self.ways.insert((from, to), VecDeque::new());
        }
        for (from, to) in [(one, other), (other, one)] {
            let outcome = self.homes[from].links(u32::try_from(to).expect("few") + 2, seed(to));
            self.send(from, outcome);
        }
    }

    fn cut(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            self.ways.remove(&(from, to));
        }
        for (from, to) in [(one, other), (other, one)] {
            let outcome = self.homes[from].unlinks(home(to).0);
            self.send(from, outcome);
        }
    }

    fn is_linked(&self, one: usize, other: usize) -> bool {
        self.ways.contains_key(&(one, other))
    }

    fn deliver(&mut self, from: usize, to: usize, most: usize) -> bool {
        for _ in 0..most {
            let Some(news) = self.ways.get_mut(&(from, to)).and_then(VecDeque::pop_front) else {
                return false;
            };
            let outcome = self.homes[to].is_told(home(from).0, news).expect("honest homes break no rule");
            self.send(to, outcome);
        }
        true
    }

    fn own_lines(&self, at: usize) -> Vec<LineId> {
        let rooms = ROOMS.iter().filter_map(|name| self.homes[at].rooms.history(&room(name), None, 1000));
        let lines = rooms.flat_map(|(lines, _)| lines).filter(|line| matches!(line.deed, Deed::Said(_)));
        lines.map(|line| line.id).filter(|id| id.home == key(seed(at))).collect()
    }

    fn act(&mut self, at: usize, act: &Act) {
        let members = u8::try_from(at * 3).expect("few");
        let home = &mut self.homes[at];
        let outcome = match act {
            Act::Enter(who, place) => home.asks(members + who, Wish::Enter(room(ROOMS[*place]))),
            Act::Move(who, place) => home.moves(members + who, ROOMS[*place]),
            Act::Leave(who, place) => home.asks(members + who, Wish::Leave(room(ROOMS[*place]))),
            Act::Go(who) => home.goes(members + who),
            Act::Say(who, place, long) => {
                home.asks(members + who, Wish::Say(Some(room(ROOMS[*place])), "x".repeat(*long).into()))
            }
            Act::Topic(place) => {
                let text = format!("{at} at {}", home.now);
                home.orders(Order::Topic(room(ROOMS[*place]), text.into())).unwrap_or_default()
            }
            Act::Withdraw(which) => {
                let lines = self.own_lines(at);
                if lines.is_empty() {
                    return;
                }
                self.homes[at].orders(Order::Withdraw(*which.get(&lines))).expect("it is there")
            }
            Act::Kick(place) => {
                let guests = home.rooms.room(&room(ROOMS[*place])).map_or_else(Vec::new, |view| view.guests);
                let Some(guest) = guests.iter().find(|guest| guest.home == HomeId::OWN) else { return };
                home.orders(Order::Kick(room(ROOMS[*place]), guest.number)).expect("she is here")
            }
            Act::Rename(who, called) => {
                let (member, nick) = (member(members + who + RENAMED, "nick"), format!("nick-{called}"));
                home.asks_as(members + who, &member, Wish::Rename(nick.into()))
            }
            Act::Pass(span) => {
                home.now += span;
                return;
            }
            Act::Tidy => home.tidies(),
            Act::Turn(..) | Act::Deliver(..) | Act::Crash(_) => return self.trouble(at, act),
        };
        self.send(at, outcome);
        self.homes[at].everybody_knows_everybody();
    }

    fn trouble(&mut self, at: usize, act: &Act) {
        let count = self.homes.len();
        let other = |pick: usize| (at + 1 + pick % (count - 1)) % count;
        match act {
            Act::Turn(pick) if self.is_linked(at, other(*pick)) => self.cut(at, other(*pick)),
            Act::Turn(pick) => self.link(at, other(*pick)),
            Act::Deliver(pick, most) => {
                self.deliver(other(*pick), at, *most);
            }
            Act::Crash(lost) => {
                (0..count).filter(|other| *other != at).for_each(|other| {
                    if self.is_linked(at, other) {
                        self.cut(at, other);
                    }
                });
                // That takes longer than any clock was set back.
                self.homes[at].now += 5_000;
                self.homes[at].restarts(if self.loses { *lost } else { 0 });
            }
            _ => {}
        }
    }

    /// All links come up, and everything arrives.
    fn heal(&mut self) {
        let latest = self.homes.iter().map(|home| home.now).max().expect("a home");
        let pairs = || (0..self.homes.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let missing: Vec<_> = pairs().filter(|(one, other)| !self.is_linked(*one, *other)).collect();
        missing.into_iter().for_each(|(one, other)| self.link(one, other));
        for at in 0..self.homes.len() {
            self.homes[at].now = latest;
            let outcome = self.homes[at].tidies();
            self.send(at, outcome);
        }
        let ways: Vec<_> = self.ways.keys().copied().collect();
        for round in 0.. {
            let moved: Vec<_> = ways.iter().map(|(from, to)| self.deliver(*from, *to, 1)).collect();
            if !moved.contains(&true) {
                break;
            }
            assert!(round < 10_000, "they never come to rest");
        }
    }

    fn all_is_the_same(&self) {
        for name in ROOMS {
            let history = |home: &Home| {
                let lines = home.rooms.history(&room(name), None, 1000).unwrap_or_default().0;
                assert!(lines.is_sorted_by(|one, next| one.id < next.id), "in order, and each once");
                lines
            };
            let view = |home: &Home| home.rooms.room(&room(name));
            let seen =
                |home: &Home| view(home).map_or((None, 0, 0), |view| (view.topic, view.lines, view.bytes));
            let mut truth = BTreeSet::new();
            for home in &self.homes {
                let guests = view(home).map_or_else(Vec::new, |view| view.guests);
                let own = guests.iter().filter(|guest| guest.home == HomeId::OWN);
                truth.extend(own.map(|guest| guest.member));
            }
            let first = &self.homes[0];
            for home in &self.homes {
                assert_eq!(history(home), history(first), "histories of {name}");
                assert_eq!(seen(home), seen(first), "what is kept of {name}");
                let guests = view(home).map_or_else(Vec::new, |view| view.guests);
                let members: BTreeSet<KeyId> = guests.iter().map(|guest| guest.member).collect();
                assert_eq!(members, truth, "who is in {name}");
                home.everybody_knows_everybody();
            }
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<(Index, Act)>> {
    collection::vec((any::<Index>(), act()), 1..120)
}

fn play(homes: usize, limits: &Limits, loses: bool, acts: &[(Index, Act)]) {
    let mut mesh = Mesh::new(homes, limits, loses);
    for (at, act) in acts {
        mesh.act(at.index(homes), act);
    }
    mesh.heal();
    mesh.all_is_the_same();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_all_keep_the_same(homes in 2..=5_usize, acts in acts()) {
        let limits = Limits { room_lines: 6, room_bytes: 700, ..Limits::default() };
        play(homes, &limits, false, &acts);
    }

    #[test]
    fn whatever_is_lost_all_keep_the_same(homes in 2..=5_usize, acts in acts()) {
        play(homes, &Limits::default(), true, &acts);
    }
}
