//! The house that a session plays in, and whoever has said hello there.

// Not every target needs all of it.
#![allow(dead_code)]

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use kith::{
    crypto::{keys::PrivateKey, signature::Salt},
    dialect::{
        Myself, Session, Terms,
        event::{Input, Output},
    },
    domain::{dialect::Dialect, id::ConnectionId, letter::Frame},
};
use serde_json::json;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).expect("a key"));

/// What sessions must know. The server's key is made once.
pub fn terms() -> Arc<Terms> {
    Arc::new(Terms {
        doors: Vec::new(),
        recipients_per_letter: 16,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned: false,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        tpacket_strict_seed: false,
        myself: Myself {
            takes_socp: true,
            id: "3e81ec8a-f6c3-49bd-94d0-ca2f9d0b0c43".into(),
            address: "127.0.0.1:8080".to_owned(),
            name: "home".to_owned(),
            key: Arc::new(KEY.public().clone()),
        },
    })
}

/// What a session makes of something.
pub fn hears(session: &mut Session, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    session.handle(input, Duration::ZERO, &mut out);
    out
}

/// A client of OLAF that is in.
pub fn member() -> Session {
    let mut session = Session::new(ConnectionId(1), Some(Dialect::Olaf), terms(), None);
    let data = json!({"type": "hello", "public_key": KEY.public().canonical_pem()}).to_string();
    // Nobody checks it here.
    let signature = "A".repeat(344);
    let hello = json!({"type": "signed_data", "data": data, "counter": 1, "signature": signature});
    let asked = hears(&mut session, Input::Frame(Frame::Text(hello.to_string().into())));
    assert!(matches!(asked[..], [Output::Check(_)]), "{asked:?}");
    let joined = hears(&mut session, Input::Checked(Some((0, Salt::Digest))));
    assert!(joined.iter().any(|output| matches!(output, Output::Join(..))), "{joined:?}");
    session
}
