//! Any text at the readers of succession: no panic, and what a node of the home has said is understood as it is written.
//!
//! The bytes are read as they are, and once more with a mark of the home behind them: nobody guesses one.
#![no_main]

use std::sync::LazyLock;

use kith::{
    crypto::home::HomeKey,
    dialect::succession::{
        End, MOST_BYTES, Request, end_of_request, host_request, open_reply, read_answer, read_request,
        seal_ask, seal_reply, tell,
    },
    domain::{
        id::KeyId,
        succession::{NodeId, legacy::Told},
    },
};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<HomeKey> = LazyLock::new(|| HomeKey::derive(b"the home's private key").expect("a key"));

/// The same with the mark of our home.
fn marked(context: &[&[u8]], bytes: &[u8]) -> Vec<u8> {
    let mark = KEY.mark(&[context, &[bytes]].concat());
    [bytes, format!("Mac: {}\n", KeyId(mark).hex()).as_bytes()].concat()
}

fn request(bytes: &[u8], key: Option<&HomeKey>) {
    match read_request(bytes, key) {
        Ok(Request::Host(report)) => {
            let text = host_request(report.id, report.address.as_deref(), &report.figures, &report.clock);
            assert!(
                text.len() > MOST_BYTES || read_request(text.as_bytes(), key) == Ok(Request::Host(report))
            );
        }
        Ok(Request::Node { ask, sequence, .. }) => {
            let sealed = seal_ask(&ask, sequence, "now", &KEY);
            let mark = sealed.mark;
            let again = read_request(sealed.text.as_bytes(), key);
            assert!(sealed.text.len() > MOST_BYTES || again == Ok(Request::Node { ask, sequence, mark }));
        }
        Err(_) => {}
    }
}

fuzz_target!(|data: &[u8]| {
    request(data, None);
    request(data, Some(&KEY));
    request(&marked(&[b"kith succession 1 request\n"], data), Some(&KEY));
    if let Ok(answer) = read_answer(data) {
        let told = Told {
            is_known: answer.is_known,
            lead: answer.lead,
            new_server: answer.new_server.as_deref().map(Into::into),
            fallback: answer.fallback.as_deref().map(Into::into),
            id: answer.id,
            address: answer.address.as_deref().unwrap_or_default().into(),
        };
        let again = read_answer(tell(&told).as_bytes()).expect("an answer");
        // Whoever is sent elsewhere is never told that all is well.
        let is_well = answer.is_known && answer.new_server.is_none();
        assert_eq!((again.is_known, again.lead, again.id), (is_well, answer.lead, answer.id));
        assert_eq!((again.new_server, again.fallback), (answer.new_server, answer.fallback));
    }
    let question = [7; 32];
    assert!(open_reply(data, &question, &KEY).is_err(), "nobody guesses a mark");
    if let Ok(reply) = open_reply(&marked(&[b"kith succession 1 answer\n", &question], data), &question, &KEY)
    {
        let text = seal_reply(&reply, NodeId(9), &question, &KEY);
        assert!(text.len() > MOST_BYTES || open_reply(text.as_bytes(), &question, &KEY) == Ok(reply));
    }
    let ended = end_of_request(data, true);
    assert_eq!(ended, if data.len() > MOST_BYTES { End::TooLong } else { End::Whole });
    // What is whole as it comes is whole at the end.
    assert!(end_of_request(data, false) != End::TooLong || ended == End::TooLong);
});
