//! The book of neighbours, entry by entry: who may come in under which name and key.

use super::*;
use crate::domain::peer::Source;

const OWN: KeyId = KeyId([1; 32]);

fn key(number: u8) -> KeyId {
    KeyId([number; 32])
}

fn book(anyone: bool, legacy: bool) -> Book {
    Book::new(OWN, vec![Address::new("home:1")], Policy { anyone, legacy, most: 3 })
}

fn entry(number: u8, url: &str) -> Entry {
    Entry { url: Some(url.to_owned()), source: Source::Settings, ..Entry::stranger(PeerId([number; 6]), 0) }
}

fn kith(number: u8, address: &str) -> Claim<'_> {
    Claim { dialect: LinkDialect::Kith, key: Some(key(number)), address, name: Some("n"), dialled: None }
}

fn olaf(address: &str) -> Claim<'_> {
    Claim { dialect: LinkDialect::Olaf, key: None, address, name: None, dialled: None }
}

fn socp(number: u8, address: &str) -> Claim<'_> {
    Claim { dialect: LinkDialect::Socp, name: Some("an id"), ..kith(number, address) }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Turned>) -> Refusal {
    result.expect_err("a refusal").refusal
}

#[test]
fn strangers_come_in_only_where_anyone_may() {
    assert_eq!(refusal(book(false, true).stand(&kith(5, "a:1"))), Refusal::UnknownPeer);
    assert_eq!(refusal(book(true, false).stand(&olaf("a:1"))), Refusal::UnknownPeer);
    let mut open = book(true, true);
    let admitted = open.admit(&kith(5, "a:1"), true, PeerId([5; 6]), 7).expect("a welcome");
    assert_eq!((admitted.is_new, admitted.trust), (true, Trust::Tofu));
    assert_eq!(open.admit(&olaf("b:1"), false, PeerId([6; 6]), 7).map(|a| a.trust), Ok(Trust::Legacy));
    open.add(entry(9, "ws://c:1")).expect("room");
    assert_eq!(refusal(open.stand(&kith(8, "d:1"))), Refusal::TooManyPeers);
    assert_eq!(open.stand(&kith(5, "elsewhere:1")), Ok(Some(admitted.home)), "known by its key");
}

#[test]
fn a_key_that_is_known_is_held_to() {
    let mut book = book(true, true);
    let pinned = Entry { pinned: Some(key(5)), ..entry(2, "ws://a:1") };
    let home = book.add(pinned).expect("room");
    for claim in [kith(6, "a:1"), Claim { dialled: Some(home), ..kith(6, "x:1") }] {
        assert_eq!(book.stand(&claim), Err(Turned { home: Some(home), refusal: Refusal::WrongKey }));
    }
    assert_eq!(book.admit(&kith(5, "x:1"), true, PeerId([0; 6]), 7).map(|a| a.trust), Ok(Trust::Pinned));
    let named = Entry { pinned: Some(key(9)), key_text: Some(key(9).hex()), ..entry(4, "ws://c:1") };
    book.add(named).expect("room");
    assert_eq!(refusal(book.stand(&olaf("c:1"))), Refusal::WrongKey, "before it ever came, too");
    let met = book.add(entry(3, "ws://b:1")).expect("room");
    let dialled = |number| Claim { dialled: Some(met), ..kith(number, "b:1") };
    assert_eq!(book.admit(&dialled(7), true, PeerId([0; 6]), 7).map(|a| a.trust), Ok(Trust::Tofu));
    assert_eq!(refusal(book.stand(&dialled(8))), Refusal::WrongKey);
    assert_eq!(refusal(book.stand(&olaf("b:1"))), Refusal::WrongKey, "no way around the key");
}

#[test]
fn a_fingerprint_is_not_proven_in_olaf() {
    let mut book = book(true, true);
    let digits = Entry { pinned: Some(key(5)), key_text: Some(key(5).hex()), ..entry(2, "ws://a:1") };
    let home = book.add(digits).expect("room");
    assert_eq!(refusal(book.stand(&olaf("a:1"))), Refusal::WrongKey, "before it was ever here");
    let dialled = Claim { dialled: Some(home), ..olaf("a:1") };
    assert_eq!(refusal(book.stand(&dialled)), Refusal::WrongKey);
    let whole = Entry { pinned: Some(key(6)), key_text: Some("MIIB".to_owned()), ..entry(3, "ws://b:1") };
    let home = book.add(whole).expect("room");
    assert_eq!(book.stand(&olaf("b:1")), Ok(Some(home)), "its signature is checked");
}

#[test]
fn whoever_we_have_never_reached_is_called_back_unless_anyone_may_come() {
    let mut strict = book(false, false);
    let home = strict.add(entry(2, "ws://a:1")).expect("room");
    assert_eq!(strict.stand(&kith(5, "a:1")), Ok(Some(home)), "it is told who we are, and no more");
    let crossed = Turned { home: Some(home), refusal: Refusal::Crossed };
    assert_eq!(strict.admit(&kith(5, "a:1"), true, PeerId([0; 6]), 7), Err(crossed));
    assert_eq!(strict.stand(&Claim { dialled: Some(home), ..kith(5, "a:1") }), Ok(Some(home)));
    assert_eq!(refusal(strict.stand(&olaf("a:1"))), Refusal::Unproven);
    assert!(strict.proven(home, key(5)) && !strict.proven(home, key(6)), "our dial found it");
    assert!(strict.admit(&kith(5, "a:1"), true, PeerId([0; 6]), 7).is_ok());
    assert_eq!(refusal(strict.stand(&kith(6, "a:1"))), Refusal::WrongKey);
    let mut open = book(true, false);
    let home = open.add(entry(2, "ws://a:1")).expect("room");
    assert_eq!(open.stand(&kith(5, "a:1")), Ok(Some(home)));
}

#[test]
fn we_are_nobody_s_neighbour_but_others() {
    let mut book = book(true, true);
    assert_eq!(refusal(book.add(entry(2, "ws://home:1/x"))), Refusal::Ourselves);
    assert_eq!(refusal(book.stand(&kith(1, "a:1"))), Refusal::Ourselves);
    assert_eq!(refusal(book.stand(&olaf("ws://home:1"))), Refusal::Ourselves);
    let introduced = Entry { seen: Some(OWN), ..entry(2, "ws://a:1") };
    assert_eq!(refusal(book.add(introduced)), Refusal::Ourselves, "under a name that only others use");
    book.add(entry(2, "ws://a:1")).expect("room");
    assert_eq!(refusal(book.add(entry(3, "ws://a:1/peer"))), Refusal::KnownPeer);
}

#[test]
fn a_removed_one_stays_out_until_it_is_added_again() {
    let mut book = book(true, true);
    let home = book.add(Entry { pinned: Some(key(5)), ..entry(2, "ws://a:1") }).expect("room");
    assert!(book.remove(home) && !book.remove(home));
    assert_eq!(refusal(book.stand(&kith(5, "a:1"))), Refusal::RemovedPeer);
    assert_eq!(refusal(book.stand(&olaf("a:1"))), Refusal::RemovedPeer);
    assert_eq!(book.add(entry(2, "ws://a:1")), Ok(home));
    assert_eq!(book.stand(&kith(6, "a:1")), Ok(Some(home)), "with what was said now");
}

#[test]
fn one_server_under_two_names_becomes_one() {
    let mut book = book(true, true);
    let came = book.admit(&kith(5, "10.0.0.1:1"), true, PeerId([5; 6]), 7).expect("a welcome").home;
    let named = book.add(entry(2, "ws://north:1")).expect("room");
    let claim = Claim { dialled: Some(named), ..kith(5, "10.0.0.1:1") };
    let admitted = book.admit(&claim, true, PeerId([0; 6]), 8).expect("a welcome");
    assert_eq!((admitted.home, admitted.double), (named, Some((came, PeerId([5; 6])))));
    assert_eq!(book.entries().count(), 1);
    assert_eq!(book.by_address(&Address::new("north:1")), Some(named));
    assert_eq!(book.by_address(&Address::new("10.0.0.1:1")), Some(named));
}

#[test]
fn nobody_takes_the_address_of_another_server() {
    let mut book = book(true, true);
    let north = book.admit(&kith(5, "north:1"), true, PeerId([5; 6]), 7).expect("a welcome").home;
    let south = book.admit(&kith(6, "south:1"), true, PeerId([6; 6]), 7).expect("a welcome").home;
    for taken in ["ws://north:1/", "home:1"] {
        let turned = book.stand(&Claim { dialled: Some(south), ..kith(6, taken) });
        assert_eq!(turned, Err(Turned { home: Some(south), refusal: Refusal::TakenAddress }), "{taken}");
    }
    assert_eq!(book.stand(&kith(6, "elsewhere:1")), Ok(Some(south)), "it may move");
    book.remove(north);
    assert_eq!(book.stand(&kith(6, "north:1")), Ok(Some(south)), "nobody is there any more");
    let set =
        Entry { address: Some("east:1".to_owned()), address_is_set: true, ..entry(2, "ws://10.0.0.1:1") };
    let east = book.add(set).expect("room");
    let claim = Claim { dialled: Some(east), ..kith(8, "far-east:1") };
    book.admit(&claim, true, PeerId([0; 6]), 8).expect("a welcome");
    assert_eq!(book.entry(east).and_then(|entry| entry.address.as_deref()), Some("east:1"), "as was said");
}

#[test]
fn an_id_of_socp_belongs_to_the_key_that_came_with_it_first() {
    let mut book = book(true, false);
    let home = book.admit(&socp(7, "lair:1"), true, PeerId([1; 6]), 0).expect("a stranger").home;
    let turned = Turned { home: Some(home), refusal: Refusal::WrongKey };
    for address in ["lair:1", "elsewhere:1"] {
        assert_eq!(book.stand(&socp(8, address)), Err(turned), "{address}");
    }
    assert_eq!(book.stand(&socp(7, "elsewhere:1")), Ok(Some(home)), "its own key");
}

#[test]
fn a_key_of_socp_that_was_proven_once_is_proven_each_time() {
    let mut book = book(true, true);
    let claim = socp(7, "lair:1");
    let first = book.admit(&claim, false, PeerId([1; 6]), 0).expect("legacy servers may come");
    assert_eq!(first.trust, Trust::Legacy);
    let home = book.admit(&claim, true, PeerId([1; 6]), 0).expect("a proof").home;
    for claim in [Claim { key: None, name: None, ..claim }, claim] {
        assert_eq!(refusal(book.admit(&claim, false, PeerId([2; 6]), 0)), Refusal::Unproven, "{claim:?}");
        let dialled = Claim { dialled: Some(home), ..claim };
        assert!(book.admit(&dialled, false, PeerId([2; 6]), 0).is_ok(), "some never sign their welcome");
    }
}

#[test]
fn the_first_id_of_a_socp_server_stays() {
    let mut book = book(true, false);
    let home = book.admit(&socp(7, "lair:1"), true, PeerId([1; 6]), 0).expect("a stranger").home;
    let renamed = Claim { name: Some("another id"), ..socp(7, "lair:1") };
    assert_eq!(book.admit(&renamed, true, PeerId([2; 6]), 1).map(|admitted| admitted.home), Ok(home));
    assert_eq!(
        book.entry(home).and_then(|entry| entry.name.as_deref()),
        Some("an id"),
        "names are not signed"
    );
    let proven_name = Claim { dialect: LinkDialect::Kith, ..renamed };
    assert!(book.admit(&proven_name, true, PeerId([2; 6]), 2).is_ok());
    assert_eq!(book.entry(home).and_then(|entry| entry.name.as_deref()), Some("another id"));
}

#[test]
fn a_key_of_socp_takes_nothing_away_from_what_an_operator_said() {
    let known = |source, pinned| Entry { source, pinned, seen: Some(key(7)), ..entry(2, "ws://lair:1") };
    for (double, may_go) in [
        (known(Source::Inbound, None), true),
        (known(Source::Introduced, None), true),
        (known(Source::Inbound, Some(key(7))), false),
        (known(Source::Introduced, Some(key(7))), false),
        (known(Source::Settings, None), false),
        (known(Source::Api, None), false),
    ] {
        let mut book = book(true, false);
        let first = book.add(double.clone()).expect("room");
        let second = book.add(entry(3, "ws://north:1")).expect("room");
        let claim = Claim { dialled: Some(second), ..socp(7, "north:1") };
        let admitted = book.admit(&claim, true, PeerId([0; 6]), 8);
        if may_go {
            let gone = admitted.map(|admitted| (admitted.home, admitted.double));
            assert_eq!(gone, Ok((second, Some((first, PeerId([2; 6]))))), "{double:?}");
        } else {
            assert_eq!(
                admitted,
                Err(Turned { home: Some(first), refusal: Refusal::TakenAddress }),
                "{double:?}"
            );
        }
        assert_eq!(book.entry(first).is_none(), may_go, "{double:?}");
    }
}
