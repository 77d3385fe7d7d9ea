//! The rules of the house: who comes in, and where letters go.

use bytestring::ByteString;

use super::*;
use crate::domain::{
    dialect::Dialect,
    letter::Frame,
    member::{Named, Resident},
    news::Digest,
    news::{Change, Listed},
    replay::Trace,
};

const NORTH: HomeId = HomeId(2);
const SOUTH: HomeId = HomeId(3);

fn newcomer(key: u8, trace: u8) -> Newcomer {
    Newcomer {
        named: None,
        key: KeyId([key; 32]),
        dialect: Dialect::Olaf,
        public_key: "pem".into(),
        spelled: KeyId([key | 0x80; 32]),
        trace: Trace([trace; 16]),
    }
}

fn letter(from: u64, author: u8, trace: u8, audience: Audience) -> Letter {
    Letter {
        from: Origin::Here(ConnectionId(from)),
        author: Author::Proven(KeyId([author; 32])),
        audience,
        trace: Trace([trace; 16]),
        dialect: Dialect::Olaf,
        original: Frame::Text(ByteString::from_static("{}")),
        plain: None,
    }
}

fn house() -> Switchboard {
    let limits = Limits { connections_per_member: 2, ..Limits::default() };
    Switchboard::new([Address::new("127.0.0.1:8080")], &limits)
}

#[test]
fn several_connections_of_one_key_are_one_member() {
    let mut house = house();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok_and(|(_, new)| new));
    assert!(house.join(ConnectionId(2), &newcomer(7, 2)).is_ok_and(|(_, new)| !new));
    let third = house.join(ConnectionId(3), &newcomer(7, 3));
    assert_eq!(third.err(), Some(Refusal::TooManyOfMember));
    assert_eq!(house.roster().len(), 1);
    assert!(house.leave(ConnectionId(1)).is_some_and(|(_, gone)| !gone));
    assert!(house.leave(ConnectionId(2)).is_some_and(|(_, gone)| gone));
    assert!(house.leave(ConnectionId(2)).is_none());
    assert!(house.roster().is_empty());
}

#[test]
fn a_recorded_hello_and_a_recorded_letter_count_once() {
    let mut house = house();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    assert_eq!(house.join(ConnectionId(2), &newcomer(7, 1)).err(), Some(Refusal::Replayed));
    assert!(house.route(&letter(1, 7, 9, Audience::Everyone)).is_ok());
    let again = house.route(&letter(1, 7, 9, Audience::Everyone));
    assert_eq!(again, Err(Objection::Refused(Refusal::Replayed)));
}

#[test]
fn only_members_write_letters_and_only_in_their_own_name() {
    let mut house = house();
    let stranger = Err(Objection::Violated(Violation::OutOfOrder));
    assert_eq!(house.route(&letter(1, 7, 9, Audience::Everyone)), stranger);
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    assert_eq!(house.route(&letter(1, 8, 9, Audience::Everyone)), stranger);
}

#[test]
fn a_private_letter_goes_only_to_the_homes_it_names() {
    let mut house = linked();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    let homes = |names: &[&str]| Audience::Homes(names.iter().map(|name| Address::new(name)).collect());
    let mut plan = |trace, names: &[&str]| house.route(&letter(1, 7, trace, homes(names)));
    let planned = |here, elsewhere: &[HomeId], unreachable| {
        Ok(Plan { here, elsewhere: elsewhere.to_vec(), unreachable })
    };
    assert_eq!(plan(2, &["ws://localhost:8080/"]), planned(Hearers::Everybody, &[], 0));
    assert_eq!(
        plan(3, &["south:1", "ws://north:1", "south:1", "north:1"]),
        planned(Hearers::Nobody, &[NORTH, SOUTH], 0)
    );
    assert_eq!(plan(4, &[]), planned(Hearers::Everybody, &[], 0));
    assert_eq!(plan(5, &["west:1", "127.0.0.1:8080", "north:1"]), planned(Hearers::Everybody, &[NORTH], 1));
}

fn called(name: &str, key: u8, trace: u8) -> Newcomer {
    let named = Named { name: name.into(), key: None, proven: false, sealing_key: None, display_name: None };
    Newcomer { named: Some(named), ..newcomer(key, trace) }
}

#[test]
fn whoever_takes_another_name_goes_and_comes_at_once() {
    let mut house = house();
    assert!(house.join(ConnectionId(1), &called("alice", 7, 1)).is_ok());
    let (sequence, version) = (house.roster().sequence(), house.mesh().version());
    // The trace was seen before, and counts for nothing: nobody says hello.
    let (before, after) = house.rename(ConnectionId(1), &called("bob", 8, 1)).expect("a free name");
    assert_eq!((before.name.as_deref(), after.name.as_deref()), (Some("alice"), Some("bob")));
    assert_eq!((before.number, house.roster().len()), (after.number, 1));
    assert_eq!(house.roster().connections(KeyId([8; 32])), [ConnectionId(1)]);
    assert!(house.roster().connections(KeyId([7; 32])).is_empty());
    assert_eq!(house.roster().sequence(), sequence + 2, "neighbours hear of both");
    let mut digest = Digest::default();
    digest.toggle(after.spelled);
    assert_eq!(house.roster().digest(), digest);
    assert!(house.mesh().version() > version);
    assert_eq!(house.mesh().whereabouts(KeyId([7; 32])), None, "her old name is free at once");
    assert!(house.join(ConnectionId(2), &called("alice", 7, 2)).is_ok());
    assert!(house.leave(ConnectionId(1)).is_some_and(|(member, gone)| gone && member.key == after.key));
}

#[test]
fn nobody_takes_a_name_that_somebody_has() {
    let mut house = linked();
    for (connection, name) in [(1, "alice"), (2, "bob")] {
        let key = u8::try_from(connection).expect("small");
        assert!(house.join(ConnectionId(connection), &called(name, key, key)).is_ok());
    }
    house.hear(NORTH, News::Whole(vec![resident(9)]));
    let sequence = house.roster().sequence();
    for taken in [2, 9] {
        let refused = house.rename(ConnectionId(1), &called("carol", taken, 5));
        assert_eq!(refused.err(), Some(Refusal::NameInUse), "{taken}");
    }
    assert_eq!(house.roster().sequence(), sequence, "and nothing has happened");
    assert_eq!(house.roster().member(ConnectionId(1)).map(|member| member.key), Some(KeyId([1; 32])));
    // Another spelling of her own name is hers.
    assert!(
        house
            .rename(ConnectionId(1), &called("ALICE", 1, 5))
            .is_ok_and(|(_, now)| { now.name.as_deref() == Some("ALICE") })
    );
    assert_eq!(house.mesh().whereabouts(KeyId([1; 32])), Some(HomeId::OWN));
    assert!(house.join(ConnectionId(3), &newcomer(7, 7)).is_ok());
    assert!(house.rename(ConnectionId(3), &called("dora", 8, 8)).is_err(), "who has no name changes none");
    assert!(house.rename(ConnectionId(9), &called("dora", 8, 8)).is_err(), "nor does nobody");
}

#[test]
fn a_draining_house_lets_nobody_in() {
    let mut house = house();
    house.drain();
    assert_eq!(house.join(ConnectionId(1), &newcomer(7, 1)).err(), Some(Refusal::Draining));
}

fn linked() -> Switchboard {
    let mut house = house();
    house.link(NORTH, "north:1".into(), vec![Address::new("north:1")]);
    house.link(SOUTH, "south:1".into(), vec![Address::new("south:1"), Address::new("127.0.0.1:8080")]);
    house
}

fn resident(key: u8) -> Resident {
    let Newcomer { key, dialect, public_key, spelled, .. } = newcomer(key, 0);
    Resident { key, named: None, dialect, public_key, spelled }
}

fn vouched(author: u8, named: Option<u8>) -> Author {
    Author::Vouched { author: KeyId([author; 32]), named: named.map(|named| KeyId([named; 32])) }
}

fn brought(home: HomeId, author: Author, trace: u8) -> Letter {
    Letter { from: Origin::Home(home), author, ..letter(0, 0, trace, Audience::Everyone) }
}

#[test]
fn a_public_letter_goes_to_every_linked_home_and_what_comes_from_one_stays_here() {
    let mut house = linked();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    house.hear(NORTH, News::Whole(vec![resident(8)]));
    let plan = house.route(&letter(1, 7, 9, Audience::Everyone));
    assert_eq!(plan, Ok(Plan { here: Hearers::Everybody, elsewhere: vec![NORTH, SOUTH], unreachable: 0 }));
    let here = Ok(Plan { here: Hearers::Everybody, ..Plan::default() });
    assert_eq!(house.route(&brought(NORTH, vouched(8, None), 10)), here);
    house.unlink(NORTH);
    let plan = house.route(&letter(1, 7, 11, Audience::Everyone));
    assert_eq!(plan.map(|plan| plan.elsewhere), Ok(vec![SOUTH]));
}

#[test]
fn a_neighbour_brings_letters_of_its_own_members_only() {
    let mut house = linked();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    house.hear(NORTH, News::Whole(vec![resident(8)]));
    let wrong = Err(Objection::Violated(Violation::WrongSender));
    for author in [7, 8, 9] {
        let letter = brought(SOUTH, vouched(author, None), author);
        assert_eq!(house.route(&letter), wrong, "{author}");
    }
    for claimed in [KeyId([7; 32]), KeyId([8; 32]), resident(8).spelled] {
        assert_eq!(house.route(&brought(SOUTH, Author::Claimed(Some(claimed)), 20)), wrong);
    }
    for (trace, claimed) in [(21, Some(KeyId([9; 32]))), (22, None)] {
        assert!(house.route(&brought(SOUTH, Author::Claimed(claimed), trace)).is_ok());
    }
    let stranger = brought(HomeId(9), Author::Claimed(None), 23);
    assert_eq!(house.route(&stranger), Err(Objection::Violated(Violation::OutOfOrder)));
}

#[test]
fn an_echo_is_dropped_and_a_forged_copy_keeps_nothing_out() {
    let mut house = linked();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    house.hear(NORTH, News::Whole(vec![resident(8)]));
    assert!(house.route(&letter(1, 7, 9, Audience::Everyone)).is_ok());
    let replayed = Err(Objection::Refused(Refusal::Replayed));
    assert_eq!(house.route(&brought(SOUTH, Author::Claimed(None), 9)), replayed, "our own letter");
    let forged = brought(SOUTH, Author::Claimed(None), 10);
    assert!(house.route(&forged).is_ok());
    assert_eq!(house.route(&forged), replayed, "on a second socket");
    assert!(house.route(&brought(NORTH, vouched(8, None), 10)).is_ok());
    assert_eq!(house.route(&brought(NORTH, vouched(8, None), 10)), replayed);
}

#[test]
fn whoever_lists_somebody_else_s_member_must_show_her_signature() {
    let mut house = linked();
    assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
    house.hear(NORTH, News::Whole(vec![resident(8)]));
    house.hear(SOUTH, News::Whole(vec![resident(7), resident(8), resident(9)]));
    for author in [7, 8] {
        for doubtful in [vouched(author, None), Author::Claimed(Some(KeyId([author; 32])))] {
            let letter = brought(SOUTH, doubtful, author);
            let objection = house.route(&letter).expect_err("a doubt");
            assert!(matches!(objection, Objection::Doubted(member) if member.key == KeyId([author; 32])));
        }
        let checked = brought(SOUTH, Author::Proven(KeyId([author; 32])), author);
        assert!(house.route(&checked).is_ok(), "she is there, too, or has just moved");
    }
    let wrong = Err(Objection::Violated(Violation::WrongSender));
    assert_eq!(
        house.route(&brought(SOUTH, vouched(9, Some(8)), 30)),
        wrong,
        "the letter names somebody else"
    );
    assert!(house.route(&brought(SOUTH, vouched(9, Some(9)), 31)).is_ok());
}

/// Who comes under the name of this number with the key of that one.
fn named(name: u8, key: Option<u8>, proven: bool) -> Named {
    Named {
        name: format!("name {name}").into(),
        key: key.map(|key| KeyId([key; 32])),
        proven,
        sealing_key: None,
        display_name: None,
    }
}

/// The number's member, listed by name.
fn listed(name: u8, key: Option<u8>) -> Listed {
    Listed::Known(Resident { named: Some(named(name, key, false)), ..resident(name) })
}

#[test]
fn without_a_signature_nobody_takes_a_name_from_another_home() {
    let mut house = linked();
    house.hear(NORTH, News::Single(Change::Came(listed(8, Some(80)))));
    let hello = |trace, proven| Newcomer { named: Some(named(8, Some(80), proven)), ..newcomer(8, trace) };
    let mut join = |connection, hello| house.join(ConnectionId(connection), &hello).map(|(_, is_new)| is_new);
    assert_eq!(join(1, hello(1, false)), Err(Refusal::NameInUse));
    assert_eq!(join(2, hello(2, true)), Ok(true), "her key shows that she has moved");
    assert_eq!(join(3, hello(3, true)), Err(Refusal::NameInUse), "she is here");
    house.leave(ConnectionId(2));
    assert_eq!(house.mesh().whereabouts(KeyId([8; 32])), Some(NORTH), "who was never taken off the list");
}

#[test]
fn a_name_whose_key_was_proven_is_listed_with_that_key_or_not_at_all() {
    let mut house = linked();
    let hello = Newcomer { named: Some(named(8, Some(80), true)), ..newcomer(8, 1) };
    assert!(house.join(ConnectionId(1), &hello).is_ok());
    house.leave(ConnectionId(1));
    let part = |key| News::Part {
        after: None,
        through: None,
        sequence: 1,
        members: vec![listed(8, key), listed(9, None)],
    };
    let (anna, other) = (KeyId([8; 32]), KeyId([9; 32]));
    for wrong in [None, Some(81)] {
        for news in [News::Single(Change::Came(listed(8, wrong))), part(wrong)] {
            assert_eq!(house.hear(NORTH, news).impostor, Some(named(8, wrong, false)));
            assert_eq!(house.mesh().whereabouts(anna), None, "{wrong:?}");
        }
        assert_eq!(house.mesh().whereabouts(other), Some(NORTH), "the others are listed");
    }
    assert_eq!(house.hear(NORTH, part(Some(80))).impostor, None);
    assert_eq!(house.mesh().whereabouts(anna), Some(NORTH));
    assert!(house.take_learnt().is_empty(), "no name is new");
}

#[test]
fn a_letter_may_come_after_its_author_has_left_if_she_is_nowhere_else() {
    let mut house = linked();
    let hello =
        |key, member| Newcomer { named: Some(named(member, Some(key), true)), ..newcomer(member, member) };
    assert!(house.join(ConnectionId(1), &hello(1, 7)).is_ok());
    assert!(house.join(ConnectionId(2), &hello(2, 8)).is_ok());
    house.leave(ConnectionId(2));
    let to = |audience, author, trace| Letter { audience, ..brought(NORTH, vouched(author, None), trace) };
    let member = || Audience::Member(KeyId([7; 32]));
    let wrong = Err(Objection::Violated(Violation::WrongSender));
    assert_eq!(house.route(&to(Audience::Everyone, 8, 20)), wrong, "only private letters wait");
    assert_eq!(house.route(&to(member(), 9, 21)), wrong, "nobody has ever heard of this one");
    assert_eq!(house.route(&to(member(), 8, 22)), Err(Objection::Unlisted(KeyId([2; 32]))));
    let plan = Plan { here: Hearers::Member(KeyId([7; 32])), ..Plan::default() };
    let checked = Letter { author: Author::Proven(KeyId([8; 32])), ..to(member(), 8, 22) };
    assert_eq!(house.route(&checked), Ok(plan), "it shows that key");
    // She has come to another home meanwhile: anybody could say that she was at this one.
    house.hear(SOUTH, News::Single(Change::Came(listed(8, Some(2)))));
    let objection = house.route(&to(member(), 8, 23)).expect_err("a doubt");
    assert!(matches!(objection, Objection::Doubted(member) if member.key == KeyId([8; 32])));
}
