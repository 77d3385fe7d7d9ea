//! What a session is told of the house that it plays in.

use std::sync::{Arc, LazyLock};

use kith::{
    crypto::keys::PrivateKey,
    dialect::{Myself, Terms},
};

/// Terms with this many recipients to a letter. The server's key is made once.
pub(crate) fn terms(recipients_per_letter: u32) -> Arc<Terms> {
    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).expect("a key"));
    Arc::new(Terms {
        doors: Vec::new(),
        recipients_per_letter,
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

/// The same of a house that hears neighbours without signatures, or of one that does not.
pub(crate) fn terms_where_unsigned(is_allowed: bool) -> Arc<Terms> {
    Arc::new(Terms { unsigned: is_allowed, ..Terms::clone(&terms(4)) })
}
