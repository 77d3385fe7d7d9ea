//! Messages between nodes go through their words, so that what cannot be written is noticed.

use std::sync::OnceLock;

use kith::{
    crypto::home::HomeKey,
    dialect::succession::{Request, open_reply, read_request, seal_ask, seal_reply},
    domain::succession::{
        NodeId,
        message::{Ask, Reply},
        sequence::Sequence,
    },
};

fn key() -> &'static HomeKey {
    static KEY: OnceLock<HomeKey> = OnceLock::new();
    KEY.get_or_init(|| HomeKey::derive(b"the home's private key").expect("a key"))
}

/// A question, as it arrives.
pub(crate) fn carried(ask: &Ask) -> Box<Ask> {
    let sealed = seal_ask(ask, Sequence { run: 1, count: 1 }, "1970-01-01 00:00:00.000000000 UTC", key());
    match read_request(sealed.text.as_bytes(), Some(key())) {
        // A host without a name gets one on the way; here nobody looks at it.
        Ok(Request::Node { ask: read, .. }) => {
            assert_eq!((&read.from, &read.what), (&ask.from, &ask.what), "{}", sealed.text);
            Box::new(read)
        }
        other => panic!("{other:?}: {}", sealed.text),
    }
}

/// An answer, as it arrives.
pub(crate) fn carried_back(reply: &Reply) -> Box<Reply> {
    let text = seal_reply(reply, NodeId(1), &[0; 32], key());
    let read = open_reply(text.as_bytes(), &[0; 32], key());
    assert_eq!(read.as_ref(), Ok(reply), "{text}");
    Box::new(read.expect("read"))
}
