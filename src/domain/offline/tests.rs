//! What is kept, in which order it comes out, and who pushes out whom.

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;
use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules { letters: 8, bytes: 8000, total: 20_000, keep_ms: 1000, members: 4 };

fn id(number: u8) -> KeyId {
    KeyId([number; 32])
}

fn kept(number: u64, author: u8, recipient: Option<u8>, bytes: usize) -> Kept {
    Kept {
        number,
        recipient: recipient.map(id),
        author: id(author),
        at_ms: 0,
        trace: Trace([0; 16]),
        dialect: Dialect::Socp,
        original: Frame::Text(ByteString::from("x".repeat(bytes))),
    }
}

fn numbers(letters: &[Kept]) -> Vec<u64> {
    letters.iter().map(|kept| kept.number).collect()
}

#[test]
fn a_box_gives_out_once_and_in_order_what_was_put_into_it() {
    let mut boxes = Boxes::new(RULES);
    for (number, author) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
        assert_eq!(boxes.put(kept(number, author, Some(9), 10)), Ok(()));
    }
    assert!(boxes.holds(id(9), 3) && boxes.take(id(9), 3).is_some(), "the store did not take it");
    assert_eq!(boxes.first(id(9)).map(|kept| kept.number), Some(1));
    assert_eq!(boxes.clear(id(9)), [1, 2, 4]);
    assert!(!boxes.waits(id(9)) && boxes.bytes() == 0 && boxes.clear(id(9)).is_empty());
}

#[test]
fn one_author_fills_a_share_of_a_box_and_the_others_the_rest() {
    let mut boxes = Boxes::new(RULES);
    for number in 1..=2 {
        assert_eq!(boxes.put(kept(number, 1, Some(9), 10)), Ok(()));
    }
    assert_eq!(boxes.put(kept(3, 1, Some(9), 10)), Err(Full), "a quarter of eight letters");
    for (number, author) in [(4, 2), (5, 2), (6, 3), (7, 3), (8, 4), (9, 4)] {
        assert_eq!(boxes.put(kept(number, author, Some(9), 10)), Ok(()));
    }
    assert_eq!(boxes.put(kept(10, 5, Some(9), 10)), Err(Full), "eight letters");
    assert_eq!(boxes.put(kept(10, 5, Some(8), 1800)), Err(Full), "a quarter of the bytes");
    assert_eq!(boxes.put(kept(10, 5, Some(8), 1700)), Ok(()));
}

#[test]
fn one_author_fills_a_share_of_the_house() {
    let mut boxes = Boxes::new(RULES);
    let fits = |recipient: u8| boxes.put(kept(recipient.into(), 1, Some(recipient), 1700)).is_ok();
    assert_eq!((1..=10).map(fits).filter(|fits| *fits).count(), 4, "8000 bytes and no more");
    assert_eq!(boxes.put(kept(11, 2, Some(50), 1700)), Ok(()));
}

#[test]
fn what_was_kept_for_long_enough_goes() {
    let mut boxes = Boxes::new(RULES);
    for (number, at_ms) in [(1_u8, 0), (2, 500), (3, 0)] {
        assert_eq!(boxes.put(Kept { at_ms, ..kept(number.into(), 1, Some(number), 10) }), Ok(()));
    }
    assert!(boxes.expire(999).is_empty());
    assert_eq!(boxes.expire(1000), [1, 3]);
    assert!(boxes.holds(id(2), 2));
}

#[test]
fn whoever_was_away_hears_what_it_missed_once_and_strangers_nothing() {
    let mut log = Backlog::new(RULES);
    assert_eq!(log.came(id(1), 0), (Vec::new(), None));
    assert!(!log.has_listeners());
    assert!(log.went(id(1), 0, 0).is_some() && log.has_listeners());
    for number in 1..=3 {
        assert!(log.put(kept(number, 2, None, 10)).is_empty());
    }
    assert_eq!(log.came(id(2), 0).0, [], "a first visit");
    assert_eq!(numbers(&log.came(id(1), 0).0), [1, 2, 3]);
    assert_eq!(log.came(id(1), 0).0, [], "a second connection");
    log.went(id(1), 3, 0);
    assert_eq!(log.came(id(1), 0).0, [], "it heard all of it");
    log.went(id(1), 3, 0);
    log.put(kept(4, 2, None, 10));
    assert_eq!(log.skip(id(1), 4), 1);
    assert_eq!(log.came(id(1), 0).0, []);
}

#[test]
fn whoever_could_not_take_everything_hears_the_rest_the_next_time() {
    let mut log = Backlog::new(RULES);
    log.came(id(1), 0);
    log.went(id(1), 0, 0);
    for number in 1..=3 {
        log.put(kept(number, 2, None, 10));
    }
    assert_eq!(numbers(&log.came(id(1), 0).0), [1, 2, 3]);
    log.stopped(id(1), 2, 0);
    assert_eq!((log.expire(0), log.has_listeners()), (vec![1], true), "the rest is still to be heard");
    log.put(kept(4, 2, None, 10));
    assert_eq!(log.went(id(1), 4, 7), Some(Heard::Through { number: 1, left_ms: 7 }));
    assert_eq!(numbers(&log.came(id(1), 7).0), [2, 3, 4]);
    log.went(id(1), 4, 8);
    assert_eq!(log.came(id(1), 9).0, []);
    assert!(!log.has_listeners());
}

#[test]
fn whoever_was_here_when_the_house_fell_has_heard_what_was_kept() {
    let mut log = Backlog::new(RULES);
    log.restore_mark(id(1), Heard::All, 2, 0);
    log.restore_mark(id(2), Heard::Through { number: 1, left_ms: 0 }, 2, 0);
    log.put(kept(2, 3, None, 10));
    log.put(kept(3, 3, None, 10));
    assert_eq!(numbers(&log.came(id(1), 0).0), [3]);
    assert_eq!(numbers(&log.came(id(2), 0).0), [2, 3]);
}

#[test]
fn a_flood_pushes_out_nothing_but_itself() {
    let mut log = Backlog::new(RULES);
    log.came(id(1), 0);
    log.went(id(1), 0, 0);
    log.put(kept(1, 2, None, 10));
    let gone: Vec<u64> = (2..200).flat_map(|number| log.put(kept(number, 3, None, 1000))).collect();
    assert!(!gone.contains(&1) && log.bytes() <= RULES.total);
    assert_eq!(gone, (2..).take(gone.len()).collect::<Vec<_>>(), "its oldest first");
}

#[test]
fn a_crowd_of_new_keys_makes_nobody_forgotten_who_was_here_lately() {
    let mut log = Backlog::new(RULES);
    for member in 1..=4 {
        log.came(id(member), 0);
        log.went(id(member), 0, i64::from(member) * 100);
    }
    assert_eq!(log.came(id(5), 1099), (Vec::new(), None));
    assert_eq!(log.heard(id(5)), None, "the book is full");
    assert_eq!(log.came(id(5), 1100), (Vec::new(), Some(id(1))), "away for longer than a letter is kept");
    assert_eq!((log.heard(id(1)), log.heard(id(5))), (None, Some(Heard::All)));
}

#[test]
fn what_everybody_has_heard_is_not_kept() {
    let mut log = Backlog::new(RULES);
    for member in 1..=2 {
        log.came(id(member), 0);
        log.went(id(member), u64::from(member), 0);
    }
    for number in 2..=3 {
        log.put(kept(number, 3, None, 10));
    }
    log.came(id(1), 0);
    assert_eq!(log.expire(0), [2], "only the second is still away");
    assert_eq!(numbers(&log.came(id(2), 0).0), [3]);
    assert_eq!(log.expire(0), [3]);
    assert_eq!(log.bytes(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8, usize),
    Deliver(u8),
    Wait(i64),
    Come(u8),
    Go(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 0..6_u8, 0..3000_usize).prop_map(|(author, to, bytes)| Step::Put(author, to, bytes)),
        2 => (0..6_u8).prop_map(Step::Deliver),
        1 => (0..600_i64).prop_map(Step::Wait),
        2 => (0..6_u8).prop_map(Step::Come),
        2 => (0..6_u8).prop_map(Step::Go),
    ]
}

proptest! {
    #[test]
    fn boxes_hand_over_in_order_and_once_and_stay_within_their_bounds(
        steps in prop::collection::vec(step(), 0..200)
    ) {
        let mut boxes = Boxes::new(RULES);
        let (mut now, mut last) = (0, HashMap::<u8, u64>::new());
        for (number, step) in (1..).zip(steps) {
            match step {
                Step::Put(author, to, bytes) => {
                    let before = boxes.bytes();
                    let letter = Kept { at_ms: now, ..kept(number, author, Some(to), bytes) };
                    let cost = letter.cost();
                    let is_kept = boxes.put(letter).is_ok();
                    prop_assert_eq!(boxes.bytes(), before + if is_kept { cost } else { 0 });
                    prop_assert_eq!(boxes.holds(id(to), number), is_kept);
                }
                Step::Deliver(to) => for number in boxes.clear(id(to)) {
                    let earlier = last.insert(to, number).unwrap_or(0);
                    prop_assert!(number > earlier, "{} after {}", number, earlier);
                },
                Step::Wait(span) => {
                    now += span;
                    boxes.expire(now);
                }
                Step::Come(_) | Step::Go(_) => {}
            }
            prop_assert!(boxes.bytes() <= RULES.total);
        }
        let rest: Vec<KeyId> = boxes.recipients().collect();
        for recipient in rest {
            prop_assert!(boxes.clear(recipient).len() <= RULES.letters);
        }
        prop_assert_eq!(boxes.bytes(), 0);
    }

    #[test]
    fn nobody_hears_a_letter_of_the_log_twice_or_out_of_order(
        steps in prop::collection::vec(step(), 0..200)
    ) {
        let rules = Rules { members: 6, ..RULES };
        let mut log = Backlog::new(rules);
        let (mut now, mut newest) = (0, 0);
        let mut here = HashSet::new();
        let mut last = HashMap::<u8, u64>::new();
        for (number, step) in (1..).zip(steps) {
            match step {
                Step::Put(author, _, bytes) => {
                    newest = number;
                    last.extend(here.iter().map(|member| (*member, number)));
                    log.put(Kept { at_ms: now, ..kept(number, author, None, bytes) });
                }
                Step::Come(member) => {
                    let (missed, forgotten) = log.came(id(member), now);
                    prop_assert_eq!(forgotten, None);
                    prop_assert!(missed.is_empty() || here.insert(member));
                    here.insert(member);
                    prop_assert!(missed.len() <= rules.letters);
                    prop_assert!(missed.iter().map(Kept::cost).sum::<u64>() <= rules.bytes);
                    for letter in missed {
                        prop_assert!(!rules.is_over(letter.at_ms, now));
                        let earlier = last.insert(member, letter.number).unwrap_or(0);
                        prop_assert!(letter.number > earlier, "{} after {}", letter.number, earlier);
                    }
                }
                Step::Go(member) => if here.remove(&member) {
                    log.went(id(member), newest, now);
                },
                Step::Wait(span) => {
                    now += span;
                    log.expire(now);
                }
                Step::Deliver(_) => {}
            }
            prop_assert!(log.bytes() <= rules.total);
        }
    }
}
