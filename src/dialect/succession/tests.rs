//! The words, as captured from the first program and as ours; and everything that is no message at all.

use proptest::prelude::*;

use super::*;
use crate::{
    crypto::home::HomeKey,
    domain::succession::{
        Epoch, NodeId, Position,
        legacy::{HostAnswer, Told},
        message::{Answer, Ask, Beat, Guidance, Lead, Objection, Question, Reply, Sender},
        numbers::Numbers,
        report::Figures,
        sequence::Sequence,
    },
};

const ID: &str = "451ecb5e-0d51-4b0e-8c7e-3a1f2b9c4d5e";
const CLOCK: &str = "2026-11-20 23:15:02.341826933 UTC";

fn key() -> HomeKey {
    HomeKey::derive(b"the home's private key").expect("a key")
}

fn id() -> NodeId {
    NodeId::parse(ID).expect("an id")
}

fn figures() -> Figures {
    Figures {
        name: "ana".into(),
        cpu_percent: 12,
        ram_used_mb: 4_100,
        ram_total_mb: 16_000,
        bandwidth_mb: 900,
        disk_free_gb: 120,
    }
}

fn sender() -> Sender {
    let position = Position { epoch: Epoch(6), index: 81 };
    let spans = Numbers::default().spans();
    Sender { node: id(), epoch: Epoch(7), position, size: 3, is_fallback: true, spans }
}

fn first_request() -> String {
    format!("No-Id\nNo-Ip\nana\n12\n4100\n900\n120\n16000\n{CLOCK}")
}

#[test]
fn the_request_of_the_first_form_is_written_and_read_to_the_letter() {
    assert_eq!(host_request(None, None, &figures(), CLOCK), first_request());
    assert_eq!(utc(1_795_216_502_341), "2026-11-20 23:15:02.341000000 UTC");
    let known = host_request(Some(id()), Some("10.1.2.3"), &figures(), CLOCK);
    assert!(known.starts_with(&format!("{ID}\n10.1.2.3\nana\n")) && !known.ends_with('\n'), "{known}");
    let report = |id, address: Option<&str>| HostReport {
        id,
        address: address.map(ToOwned::to_owned),
        figures: figures(),
        clock: CLOCK.to_owned(),
    };
    for (text, expected) in [
        (first_request(), report(None, None)),
        (known.clone(), report(Some(id()), Some("10.1.2.3"))),
        (format!("{known}\nconnected\n"), report(Some(id()), Some("10.1.2.3"))),
        (format!("{known}\n\n"), report(Some(id()), Some("10.1.2.3"))),
        (known.replace('\n', "\r\n"), report(Some(id()), Some("10.1.2.3"))),
    ] {
        assert_eq!(read_request(text.as_bytes(), Some(&key())), Ok(Request::Host(expected)), "{text:?}");
    }
}

#[test]
fn a_host_with_a_wrong_clock_or_no_clock_that_reads_as_one_is_a_host_all_the_same() {
    for clock in ["yesterday", "1970-01-01 00:00:00 UTC", "9999-99-99 99:99:99 UTC"] {
        let text = host_request(Some(id()), None, &figures(), clock);
        let Ok(Request::Host(report)) = read_request(text.as_bytes(), None) else { panic!("{clock}") };
        assert_eq!((report.clock.as_str(), report.figures), (clock, figures()));
    }
}

#[test]
fn empty_and_cut_requests_are_faults_and_nothing_of_them_is_used() {
    let read = |text: &str| read_request(text.as_bytes(), Some(&key()));
    assert_eq!(read(""), Err(Fault::Empty));
    assert_eq!(read("\n\n"), Err(Fault::Empty));
    assert_eq!(read("No-Id"), Err(Fault::Cut));
    let whole = first_request();
    let clock_at = whole.len() - CLOCK.len();
    for end in 1..clock_at {
        assert!(read(&whole[..end]).is_err(), "{:?}", &whole[..end]);
    }
    for wrong in ["-1", "a", "", "99999999999999999999999", "1e3"] {
        assert!(read(&whole.replace("4100", wrong)).is_err(), "{wrong:?}");
    }
    assert_eq!(read_request(&[0xff; 20], None), Err(Fault::NotText));
    assert_eq!(read_request(&[b'a'; MOST_BYTES + 1], None), Err(Fault::TooLong));
    assert!(read(&whole.replace("4100", "4100.9")).is_ok(), "a part of a megabyte");
}

#[test]
fn the_answers_of_the_first_program_are_read_in_both_spellings() {
    let first = format!(
        "State: Unauthorized\nSwitch-To-Server: false\nNew-Server: None\nFallback-Server: None\nId: {ID}\nIp: 127.0.0.1"
    );
    let answer = HostAnswer {
        is_known: false,
        lead: false,
        new_server: None,
        fallback: None,
        id: id(),
        address: Some("127.0.0.1".to_owned()),
    };
    assert_eq!(read_answer(first.as_bytes()), Ok(answer.clone()));
    let told = Told {
        is_known: false,
        lead: false,
        new_server: None,
        fallback: None,
        id: id(),
        address: "127.0.0.1".into(),
    };
    assert_eq!(tell(&told), first);
    let later = format!("State: OK\nSwitch-To-Server: false\nNew-Server: None\nFallback-Server: \nId: {ID}");
    let empty = HostAnswer { is_known: true, address: None, ..answer };
    assert_eq!(read_answer(later.as_bytes()), Ok(empty.clone()), "an empty fallback is none");
    let moving = format!(
        "State: Unauthorized\nSwitchToServer: true\nNew-Server: 10.0.0.9\nFallback-Server: 10.0.0.7\nId: {ID}"
    );
    let moved = HostAnswer {
        is_known: false,
        lead: true,
        new_server: Some("10.0.0.9".to_owned()),
        fallback: Some("10.0.0.7".to_owned()),
        ..empty
    };
    assert_eq!(read_answer(moving.as_bytes()), Ok(moved));
    assert_eq!(read_answer(b""), Err(Fault::Empty));
    // Every line counts: cut anywhere before the id is whole, it is no answer.
    for end in 0..later.len() - 1 {
        assert!(read_answer(&later.as_bytes()[..end]).is_err(), "{:?}", &later[..end]);
    }
}

#[test]
fn whoever_is_sent_elsewhere_is_told_so_in_the_way_in_which_every_host_looks_for_it() {
    let told = Told {
        is_known: true,
        lead: false,
        new_server: Some("10.0.0.9".into()),
        fallback: None,
        id: id(),
        address: "10.0.0.5".into(),
    };
    let text = format!(
        "State: Unauthorized\nSwitch-To-Server: false\nNew-Server: 10.0.0.9\nFallback-Server: None\nId: {ID}\nIp: 10.0.0.5"
    );
    assert_eq!(tell(&told), text);
    assert!(tell(&Told { new_server: None, ..told }).starts_with("State: OK\n"));
}

fn questions() -> Vec<Question> {
    let guidance = Guidance { beat: Beat(4), lease_ms: 8_900, successors: vec![id(), NodeId(7)] };
    let (to, epoch) = (NodeId(9), Epoch(8));
    vec![
        Question::Report(None),
        Question::Report(Some(Beat(3))),
        Question::Pulse(guidance),
        Question::Pulse(Guidance::default()),
        Question::PreVote(epoch),
        Question::Vote { epoch, handed: false },
        Question::Vote { epoch, handed: true },
        Question::Prepare(to, epoch),
        Question::Commit(to, epoch, Position { epoch: Epoch(7), index: u64::MAX }),
        Question::Cancel(to, epoch),
    ]
}

fn answers() -> Vec<Answer> {
    let guidance = Guidance { beat: Beat(4), lease_ms: 8_900, successors: vec![NodeId(7)] };
    let refused = Objection::ALL.iter().map(|(objection, _)| Answer::Refused(*objection));
    let mut all = vec![
        Answer::Leading(guidance),
        Answer::NotLeading(None),
        Answer::NotLeading(Some(Lead { epoch: Epoch(7), leader: id() })),
        Answer::Following(Beat(u64::MAX)),
        Answer::Would(Epoch(8)),
        Answer::Granted(Epoch(8)),
        Answer::Ready(Epoch(8)),
    ];
    all.extend(refused);
    all
}

fn sealed(what: Question) -> (Ask, SealedAsk) {
    let ask = Ask { from: sender(), figures: figures(), what };
    let text = seal_ask(&ask, Sequence { run: 3, count: 99 }, CLOCK, &key());
    (ask, text)
}

#[test]
fn every_question_and_every_answer_survives_its_words() {
    for what in questions() {
        let (ask, sealed) = sealed(what);
        let expected = Request::Node { ask, sequence: Sequence { run: 3, count: 99 }, mark: sealed.mark };
        assert_eq!(read_request(sealed.text.as_bytes(), Some(&key())), Ok(expected), "{}", sealed.text);
    }
    for what in answers() {
        let reply = Reply { from: sender(), what };
        let text = seal_reply(&reply, NodeId(1), &[7; 32], &key());
        assert_eq!(open_reply(text.as_bytes(), &[7; 32], &key()), Ok(reply), "{text}");
        assert!(read_answer(text.as_bytes()).is_ok(), "a host of the first form reads it, too: {text}");
    }
}

#[test]
fn a_node_that_does_not_say_its_lease_and_its_promise_is_none() {
    let (_, sealed) = sealed(Question::PreVote(Epoch(8)));
    for (line, lacks) in [("Full-Lease-Ms: 9000\n", "Full-Lease-Ms"), ("Promise-Ms: 9900\n", "Promise-Ms")] {
        let (covered, _) = sealed.text.split_once("Mac: ").expect("a mark");
        let without = covered.replace(line, "");
        assert_ne!(without, covered);
        let mark = crate::domain::id::KeyId(mark_of(&without)).hex();
        let text = format!("{without}Mac: {mark}\n");
        assert_eq!(read_request(text.as_bytes(), Some(&key())), Err(Fault::Line(lacks)));
    }
}

/// The mark that a node of this home would put below a question.
fn mark_of(covered: &str) -> [u8; 32] {
    key().mark(&[b"kith succession 1 request\n", covered.as_bytes()])
}

#[test]
fn a_program_of_the_first_form_sees_nine_lines_and_nothing_else() {
    for what in questions() {
        let (_, sealed) = sealed(what);
        let (head, _) = sealed.text.split_once("\n\n").expect("an empty line");
        assert_eq!(head.lines().count(), 9, "{head}");
        assert!(sealed.text.len() < 1500, "it fits into one segment");
    }
}

#[test]
fn a_message_of_another_home_or_of_another_moment_proves_nothing() {
    let stranger = HomeKey::derive(b"another home").expect("a key");
    let (_, sealed) = sealed(Question::Vote { epoch: Epoch(8), handed: false });
    assert_eq!(read_request(sealed.text.as_bytes(), Some(&stranger)), Err(Fault::Unproven));
    for (from, to) in [
        ("ana", "eve"),
        ("For-Epoch: 8", "For-Epoch: 9"),
        ("Seq: 99", "Seq: 98"),
        ("Full-Lease-Ms: 9000", "Full-Lease-Ms: 900"),
        ("Promise-Ms: 9900", "Promise-Ms: 99000"),
        (ID, &ID.replace('4', "5")),
    ] {
        let forged = sealed.text.replace(from, to);
        assert_eq!(read_request(forged.as_bytes(), Some(&key())), Err(Fault::Unproven), "{to}");
    }
    let reply = Reply { from: sender(), what: Answer::Granted(Epoch(8)) };
    let text = seal_reply(&reply, id(), &sealed.mark, &key());
    assert_eq!(open_reply(text.as_bytes(), &[0; 32], &key()), Err(Fault::Unproven), "to another question");
    assert_eq!(open_reply(text.as_bytes(), &sealed.mark, &stranger), Err(Fault::Unproven));
    let unmarked = tell(&Told {
        is_known: true,
        lead: true,
        new_server: None,
        fallback: None,
        id: id(),
        address: "10.0.0.1".into(),
    });
    assert_eq!(open_reply(unmarked.as_bytes(), &sealed.mark, &key()), Err(Fault::Unproven));
    for end in 0..text.len() {
        assert!(open_reply(&text.as_bytes()[..end], &sealed.mark, &key()).is_err(), "cut at {end}");
    }
}

#[test]
fn a_request_is_whole_when_its_sender_is_done_and_not_before() {
    let (_, sealed) = sealed(Question::Report(None));
    let (first, all) = (first_request(), sealed.text.as_bytes());
    assert_eq!(end_of_request(first.as_bytes(), false), End::Open);
    assert_eq!(end_of_request(first.as_bytes(), true), End::Whole);
    assert_eq!(end_of_request(format!("{first}\n\n").as_bytes(), false), End::Perhaps);
    assert_eq!(end_of_request(format!("{first}\r\n\r\n").as_bytes(), false), End::Perhaps);
    assert_eq!(end_of_request(b"", true), End::Whole);
    assert_eq!(end_of_request(&[b'\n'; MOST_BYTES + 1], true), End::TooLong);
    for end in 0..all.len() {
        assert_ne!(end_of_request(&all[..end], false), End::Whole, "cut at {end}");
    }
    assert_eq!(end_of_request(all, false), End::Whole);
}

proptest! {
    #[test]
    fn no_bytes_make_anybody_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), place in 0..600_usize) {
        let (_, mut sealed) = sealed(Question::Pulse(Guidance::default()));
        let place = place.min(sealed.text.len());
        let mut spoilt = sealed.text.split_off(0).into_bytes();
        spoilt.splice(place.min(spoilt.len()).., bytes.iter().copied());
        for text in [&bytes, &spoilt] {
            let _ = (end_of_request(text, false), read_answer(text), open_reply(text, &[0; 32], &key()));
            let read = read_request(text, Some(&key()));
            prop_assert!(!matches!(read, Ok(Request::Node { .. })) || text.len() == place, "{read:?}");
        }
    }
}
