//! Two sessions against each other: what one of them wraps, the other one must understand.

use std::collections::VecDeque;

use super::{super::hello::HelloMore, *};
use crate::{
    crypto::keys::{PrivateKey, PublicKey},
    dialect::{Myself, event::Standing},
};

fn terms(name: &str, key: &PublicKey) -> Arc<Terms> {
    let id = name.into();
    let myself = Myself {
        takes_socp: true,
        id,
        address: format!("{name}:1"),
        name: name.to_owned(),
        key: Arc::new(key.clone()),
    };
    Arc::new(Terms {
        doors: Vec::new(),
        recipients_per_letter: 4,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned: false,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        tpacket_strict_seed: false,
        myself,
    })
}

/// When a house is asked about the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    AtClaim,
    AtGreeting,
}

/// Both ends of a link, and which of them says no, and when.
struct Link {
    ends: [Session; 2],
    refuser: Option<(usize, Asked)>,
    wishes: [Vec<Output>; 2],
}

impl Link {
    fn new(refuser: Option<(usize, Asked)>) -> Self {
        let key = PrivateKey::generate(2048).expect("a key").public().clone();
        let ephemeral = || Ephemeral::generate().expect("randomness");
        let dialler = Session::dialling(terms("north", &key), ephemeral(), "ws://south:1/peer");
        let answerer = Session::answering(terms("south", &key), ephemeral());
        Self { ends: [dialler, answerer], refuser, wishes: [vec![], vec![]] }
    }

    fn answer<T>(&self, end: usize, asked: Asked, yes: T) -> Result<T, Refusal> {
        if self.refuser == Some((end, asked)) { Err(Refusal::Crossed) } else { Ok(yes) }
    }

    /// Something happens at one end, and then everything that follows from it. Every signature is good,
    /// and whoever asks is answered before it hears anything else.
    fn happens(&mut self, end: usize, input: Input, now: Moment) {
        let mut ahead = VecDeque::from([(end, input)]);
        while let Some((end, input)) = ahead.pop_front() {
            let mut out = Vec::new();
            self.ends[end].handle(input, now, &mut out);
            for wish in out {
                let answer = match wish {
                    Output::Send(frame) => {
                        ahead.push_back((1 - end, Input::Frame(frame)));
                        continue;
                    }
                    Output::Sign(..) => Input::Signed(vec![1]),
                    Output::Check(_) => Input::Checked(Some((0, Salt::Digest))),
                    Output::Claim(_) => Input::Stands(self.answer(end, Asked::AtClaim, Standing::default())),
                    Output::Greet(_) => Input::Welcomed(self.answer(end, Asked::AtGreeting, HomeId(2))),
                    wish => {
                        self.wishes[end].push(wish);
                        continue;
                    }
                };
                ahead.push_front((end, answer));
            }
        }
    }

    fn ending(&self, end: usize) -> Option<Ending> {
        self.wishes[end].iter().find_map(|wish| match wish {
            Output::Close(ending) => Some(*ending),
            _ => None,
        })
    }
}

#[test]
fn two_servers_greet_each_other_and_talk() {
    let mut link = Link::new(None);
    link.happens(0, Input::Opened, Moment::ZERO);
    // Often enough for every first byte that a sealed message may have.
    for second in 1..2000 {
        for end in [0, 1] {
            link.happens(end, Input::Woken, Moment::from_secs(second));
        }
    }
    for end in [0, 1] {
        assert_eq!(link.ending(end), None);
        let answered = link.wishes[end].iter().filter(|wish| matches!(wish, Output::RoundTrip(_))).count();
        assert_eq!(answered, 2000);
    }
}

#[test]
fn whoever_is_dialled_sees_by_which_name() {
    let mut link = Link::new(None);
    link.happens(0, Input::Opened, Moment::ZERO);
    let dialled = ["welcome", "hello"].map(|wanted| {
        let said = |wish: &Output| matches!(wish, Output::Step(step, detail) if *step == wanted && detail.ends_with("which dialled ws://south:1/peer"));
        link.wishes.each_ref().map(|wishes| wishes.iter().filter(|wish| said(wish)).count())
    });
    assert_eq!(dialled, [[0, 0], [0, 1]]);
}

#[test]
fn a_refusal_is_understood_at_every_step() {
    for refuser in [0, 1] {
        for asked in [Asked::AtClaim, Asked::AtGreeting] {
            let mut link = Link::new(Some((refuser, asked)));
            link.happens(0, Input::Opened, Moment::ZERO);
            assert_eq!(link.ending(refuser), Some(Ending::Refused(Refusal::Crossed)));
            assert_eq!(link.ending(1 - refuser), Some(Ending::RefusedUs(Refusal::Crossed)));
        }
    }
}

#[test]
fn whoever_says_what_socp_servers_call_it_can_be_introduced_to_them() {
    let key = PrivateKey::generate(4096).expect("a key").public().clone();
    let ephemeral = || Ephemeral::generate().expect("randomness");
    let card = |terms: &Terms| read_hello(&own_hello(terms, &ephemeral(), "")).expect("a hello").card();
    let here = terms("north", &key);
    let shown = card(&here).expect("a card");
    assert_eq!((shown.id.as_str(), shown.address.as_str()), ("north", "north:1"));
    assert_eq!(shown.key, Some(key.id()));
    // Where no SOCP server is heard, none is sent.
    let mut deaf = Terms::clone(&here);
    deaf.myself.takes_socp = false;
    assert!(card(&deaf).is_none());
    // Nor can one be whose key is too short for them.
    let short = PrivateKey::generate(2048).expect("a key").public().clone();
    assert!(card(&terms("north", &short)).is_none());
    // An older program says nothing of it, and a newer one more than we know.
    let whole = own_hello(&here, &ephemeral(), "");
    let (hello, more): (wire::Hello, _) = wire::split(&whole[1..]).expect("a hello");
    let more: HelloMore = wire::decode(more).expect("more");
    let older = read_hello(&wire::encode(kind::HELLO, &hello)).expect("a hello");
    assert!(older.card().is_none());
    let newer = read_hello(&wire::encode(kind::HELLO, &(hello, more, [7_u8; 9]))).expect("a hello");
    assert!(newer.card().is_some());
}

#[test]
fn a_home_that_moves_says_so_under_the_seal() {
    let mut link = Link::new(None);
    link.happens(0, Input::Opened, Moment::ZERO);
    let words = [Pause::Hold(7), Pause::Held(300), Pause::GoOn];
    for word in words {
        let frame = link.ends[0].wrap(wire::pause(word));
        link.happens(1, Input::Frame(frame), Moment::ZERO);
    }
    let heard = link.wishes[1].iter().filter_map(|wish| match wish {
        Output::Pause(pause) => Some(*pause),
        _ => None,
    });
    assert_eq!(heard.collect::<Vec<_>>(), words);
}
