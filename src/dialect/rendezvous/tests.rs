//! The texts of the rendezvous: each by itself, and all of them cut anywhere.

use proptest::prelude::*;

use super::{
    client::{Ended, FromClient, Said},
    hello::{self, FromDialler, Greeted},
    line::{Line, Refused, Unrelayed},
    list,
    server::{FromServer, Heard},
};
use crate::domain::{
    directory::listed::{Directory, Listed},
    endpoint::Endpoint,
    id::KeyId,
};

fn at(text: &str) -> Endpoint {
    text.parse().expect("an address")
}

fn said(parts: &[&[u8]]) -> Vec<Said> {
    let (mut reader, mut out) = (FromClient::default(), Vec::new());
    parts.iter().for_each(|part| reader.push(part, &mut out));
    reader.quiet(&mut out);
    out
}

fn heard(parts: &[&[u8]]) -> Vec<Heard> {
    let (mut reader, mut out) = (FromServer::default(), Vec::new());
    parts.iter().for_each(|part| reader.push(part, &mut out));
    reader.quiet(&mut out);
    out
}

fn entries(texts: &[&str]) -> Heard {
    Heard::List(texts.iter().map(|text| at(text)).collect())
}

#[test]
fn a_registration_is_whole_however_it_ends() {
    let there = at("127.0.0.1:50000");
    let registered = |ended| vec![Said::Registration { at: there, ended }];
    assert_eq!(said(&[b"127.0.0.1:50000"]), registered(Ended::Quiet));
    assert_eq!(said(&[b"127.0.0.1:50000\r\n"]), registered(Ended::Line));
    assert_eq!(said(&[b" 127.0.0.1:50000\0"]), registered(Ended::Nul));
    let (mut reader, mut out) = (FromClient::default(), Vec::new());
    reader.push(b"127.0.0.1:50000", &mut out);
    reader.end(&mut out);
    assert_eq!(out, registered(Ended::Closed));
    assert_eq!(said(&[b"127.0.0.1:500", b"00"]), registered(Ended::Quiet), "a port that is cut in two");
}

#[test]
fn what_is_no_registration_is_said_to_be_none() {
    for text in ["x", "127.0.0.1", "127.0.0.1:0", "GET / HTTP/1.1", "127.0.0.1:1127.0.0.1:2", "\u{e9}"] {
        assert_eq!(said(&[text.as_bytes()]), [Said::Nonsense], "{text}");
    }
    assert_eq!(said(&[&[b'1'; 300]]), [Said::Nonsense]);
    assert_eq!(said(&[&[0xff, 0xfe]]), [Said::Nonsense]);
    assert_eq!(said(&[b"\n\r\n\0"]), []);
}

#[test]
fn a_line_waits_for_its_end() {
    assert_eq!(said(&[b"kith/1 no"]), [], "silence ends no line");
    assert_eq!(said(&[b"kith/1 no", b"de\n127.0.0.1:5"]).first(), Some(&Said::Line(Line::Node)));
    assert_eq!(said(&[b"kith/1 dance\n"]), [Said::Unknown]);
    let (mut reader, mut out) = (FromClient::default(), Vec::new());
    reader.push(b"kith/1 node", &mut out);
    reader.end(&mut out);
    assert_eq!(out, [Said::Nonsense], "what was cut off was not said");
}

#[test]
fn a_list_is_read_in_every_spelling() {
    let both = [entries(&["127.0.0.1:1", "127.0.0.1:2"])];
    for text in [
        "list:\n127.0.0.1:1\n127.0.0.1:2\n",
        "list:\n127.0.0.1:1\n127.0.0.1:2",
        "list:\r\n127.0.0.1:1\r\n127.0.0.1:2\r\n\0",
        "list:\n 127.0.0.1:1, 127.0.0.1:2",
        "list:127.0.0.1:1,127.0.0.1:2",
        "noise list:\n127.0.0.1:1\n127.0.0.1:1\nnonsense:5\n127.0.0.1:0\n127.0.0.1:2\n",
    ] {
        assert_eq!(heard(&[text.as_bytes()]), both, "{text:?}");
    }
    assert_eq!(heard(&[b"list:\n"]), [entries(&[])]);
    assert_eq!(heard(&[b"list:\n[::1]:5\n"]), [entries(&["[::1]:5"])]);
}

#[test]
fn glued_lists_are_two() {
    for text in ["list:\n127.0.0.1:1\nlist:\n127.0.0.1:2\n", "list:\n127.0.0.1:1list:\n127.0.0.1:2"] {
        let two = [entries(&["127.0.0.1:1"]), entries(&["127.0.0.1:2"])];
        assert_eq!(heard(&[text.as_bytes()]), two, "{text:?}");
    }
}

#[test]
fn the_words_end_a_list() {
    let found = heard(&[b"list:\n127.0.0.1:1\nteardown\nfull\n"]);
    assert_eq!(found, [entries(&["127.0.0.1:1"]), Heard::Teardown, Heard::Full]);
    assert_eq!(heard(&[b"kith/1\nlist:\n"]), [Heard::Line(Line::Greeting), entries(&[])]);
    let shortest = list::print(&[at("0.0.0.1:1")], false);
    assert!(Line::Greeting.bytes().len() < shortest.len(), "the first clients read what is left of it");
}

#[test]
fn a_word_or_a_line_without_an_end_costs_no_memory() {
    let (mut reader, mut out) = (FromServer::default(), Vec::new());
    reader.push(&vec![b'a'; 1 << 20], &mut out);
    reader.push(b"list:\n127.0.0.1:1\nkith/1 ", &mut out);
    reader.push(&vec![b'a'; 1 << 20], &mut out);
    reader.push(b"\n", &mut out);
    assert_eq!(out, [entries(&["127.0.0.1:1"]), Heard::Unknown]);
    assert!(format!("{reader:?}").len() < 1000);
    let long: Vec<u8> = std::iter::repeat_n(*b"127.0.0.1:1,", 10_000).flatten().collect();
    let Some(Heard::List(read)) = heard(&[b"list:", &long, b"127.0.0.1:2"]).pop() else { panic!("a list") };
    assert_eq!(read, [at("127.0.0.1:1")], "what is behind the bound is left out");
}

#[test]
fn a_list_of_ours_fits_into_the_buffer_of_the_first_clients() {
    let long: Vec<_> = (0..12).map(|n| at(&format!("255.255.255.255:{}", 60_000 + n))).collect();
    for nul in [false, true] {
        let text = list::print(&long, nul);
        assert!(text.len() <= 255);
        assert_eq!(heard(&[&text]), [Heard::List(long[..11].to_vec())]);
        assert_eq!(text.last() == Some(&0), nul);
    }
    assert_eq!(list::print(&[at("[::1]:1"), at("127.0.0.1:50000")], false), b"list:\n127.0.0.1:50000\n");
}

#[test]
fn a_hello_is_read_to_its_end() {
    let whole = |text: &[u8]| {
        let mut reader = FromDialler::default();
        reader.push(text).or_else(|| reader.end())
    };
    let there = at("127.0.0.1:50001");
    assert_eq!(whole(b"Hello from:127.0.0.1:50001"), Some(Greeted::Hello(there, Vec::new())));
    assert_eq!(whole(b"Hello from:127.0.0.1:50001\nhi"), Some(Greeted::Hello(there, b"hi".to_vec())));
    assert_eq!(
        whole(b"Hello from:127.0.0.1:50001kith/1 x\n"),
        Some(Greeted::Hello(there, b"kith/1 x\n".to_vec()))
    );
    for wrong in
        [&b"Hello"[..], b"hello from:127.0.0.1:1", b"Hello from:127.0.0.1:0", b"Hello from:", b"\xff"]
    {
        assert_eq!(whole(wrong), Some(Greeted::Nonsense(wrong.to_vec())));
    }
    assert_eq!(whole(b""), None);
}

fn endpoints() -> impl Strategy<Value = Endpoint> {
    let v4 = (any::<[u8; 4]>(), 1..=u16::MAX).prop_map(|(ip, port)| Endpoint::new(ip.into(), port));
    let v6 = (any::<[u8; 16]>(), 1..=u16::MAX).prop_map(|(ip, port)| Endpoint::new(ip.into(), port));
    prop_oneof![v4, v6].prop_map(|found| found.expect("a port"))
}

fn members() -> impl Strategy<Value = Listed> {
    let id = || proptest::option::of(any::<[u8; 32]>().prop_map(KeyId));
    (any::<u64>(), endpoints(), any::<(bool, bool)>(), id(), id()).prop_map(
        |(seq, at, (undialable, relayed), home, member)| Listed {
            seq,
            at,
            undialable,
            relayed,
            home,
            member,
        },
    )
}

fn lines() -> impl Strategy<Value = Line> {
    let payload = || proptest::collection::vec(any::<u8>(), 0..400);
    prop_oneof![
        Just(Line::Greeting),
        Just(Line::Node),
        endpoints().prop_map(|at| Line::You { at }),
        any::<u64>().prop_map(|n| Line::Ping { n }),
        any::<u64>().prop_map(|n| Line::Pong { n }),
        (endpoints(), payload()).prop_map(|(peer, payload)| Line::RelayTo { peer, payload }),
        (endpoints(), payload()).prop_map(|(peer, payload)| Line::RelayFrom { peer, payload }),
        (endpoints(), proptest::sample::select(Unrelayed::ALL))
            .prop_map(|(peer, why)| Line::Unrelayed { peer, why }),
        proptest::sample::select(Refused::ALL).prop_map(|why| Line::Refused { why }),
    ]
}

/// The lines of a whole directory.
fn printed(directory: &Directory) -> Vec<u8> {
    Line::of(directory).iter().flat_map(Line::bytes).collect()
}

/// What a server may send, and what should be read of it.
fn speeches() -> impl Strategy<Value = Vec<(Vec<u8>, Heard)>> {
    let v4 = (any::<[u8; 4]>(), 1..=u16::MAX).prop_map(|(ip, port)| Endpoint::new(ip.into(), port).unwrap());
    let list = proptest::collection::hash_set(v4, 0..9).prop_map(|set| {
        let set: Vec<_> = set.into_iter().collect();
        (list::print(&set, false), Heard::List(set))
    });
    let directory = (any::<(u64, u64)>(), proptest::collection::vec(members(), 0..6)).prop_map(
        |((epoch, version), members)| {
            let directory = Directory { epoch, version, members };
            (printed(&directory), Heard::Directory(directory))
        },
    );
    let line = lines().prop_map(|line| (line.bytes(), Heard::Line(line)));
    let word = proptest::sample::select(vec![("teardown\n", Heard::Teardown), ("full\n", Heard::Full)])
        .prop_map(|(text, heard)| (text.as_bytes().to_vec(), heard));
    proptest::collection::vec(prop_oneof![list, directory, line, word], 0..6)
}

/// The bytes, cut at these places.
fn cut<'a>(bytes: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut from = 0;
    let mut parts: Vec<_> = places.iter().map(|to| &bytes[std::mem::replace(&mut from, *to)..*to]).collect();
    parts.push(&bytes[from..]);
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_survive_a_round_trip(line in lines(), listed in members()) {
        for line in [line, Line::Member(listed)] {
            prop_assert_eq!(line.to_string().parse(), Ok(line));
        }
    }

    #[test]
    fn however_a_server_is_cut_it_says_the_same(
        speech in speeches(),
        places in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (bytes, meant): (Vec<_>, Vec<_>) = speech.into_iter().unzip();
        let bytes = bytes.concat();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        for parts in [&cut(&bytes, &places), &single] {
            prop_assert_eq!(&heard(parts), &meant);
        }
    }

    #[test]
    fn silence_between_lists_changes_nothing(speech in speeches()) {
        let (mut reader, mut out) = (FromServer::default(), Vec::new());
        let mut meant = Vec::new();
        for (bytes, heard) in speech {
            reader.push(&bytes, &mut out);
            reader.quiet(&mut out);
            meant.push(heard);
        }
        prop_assert_eq!(out, meant);
    }

    #[test]
    fn anything_cut_anywhere_is_read_alike(
        bytes in proptest::collection::vec(prop_oneof![
            any::<u8>(),
            proptest::sample::select(b"list:kith/1 127.0.0.1:5\n\0,\r[]teardownfull=node".to_vec()),
        ], 0..300),
        places in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let parts = cut(&bytes, &places);
        prop_assert_eq!(heard(&parts), heard(&[&bytes]));
        prop_assert_eq!(said(&parts), said(&[&bytes]));
        let all = |parts: &[&[u8]]| {
            let mut reader = FromDialler::default();
            let mut read = None;
            let mut behind = Vec::new();
            for part in parts {
                match &read {
                    None => read = reader.push(part),
                    Some(_) => behind.extend_from_slice(part),
                }
            }
            match read.or_else(|| reader.end()) {
                Some(Greeted::Hello(at, rest)) => (Some(at), [rest, behind].concat()),
                Some(Greeted::Nonsense(rest)) => (None, [rest, behind].concat()),
                None => (None, behind),
            }
        };
        prop_assert_eq!(all(&parts), all(&[&bytes]));
    }

    #[test]
    fn a_registration_cut_at_every_byte_is_the_same(there in endpoints(), ending in "(\r?\n|\0)?") {
        let text = format!("{there}{ending}");
        for place in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(place);
            prop_assert_eq!(said(&[first, second]), said(&[text.as_bytes()]));
        }
        let found = said(&[text.as_bytes()]);
        let is_it = matches!(found[..], [Said::Registration { at, .. }] if at == there);
        prop_assert!(is_it, "{:?}", found);
    }

    #[test]
    fn a_hello_survives_a_round_trip(there in endpoints(), behind in "([g-z][a-z ]{0,20})?") {
        let text = format!("{}{behind}", hello::print(there));
        for place in 0..=text.len() {
            let mut reader = FromDialler::default();
            let (first, second) = text.as_bytes().split_at(place);
            let mut rest = second.to_vec();
            let read = reader.push(first).or_else(|| {
                rest.clear();
                reader.push(second)
            });
            let Some(Greeted::Hello(at, more)) = read.or_else(|| reader.end()) else {
                return Err(TestCaseError::fail("no hello"));
            };
            prop_assert_eq!(at, there);
            prop_assert_eq!([more, rest].concat(), behind.as_bytes());
        }
    }
}
