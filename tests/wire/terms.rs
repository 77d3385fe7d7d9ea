//! What the sessions under test must know of a house.

use std::sync::Arc;

use kith::dialect::{Myself, Terms};

use crate::recordings::keys;

/// Nothing here can sign with the key of this house, and nothing has to.
pub(crate) fn terms(recipients_per_letter: u32, unsigned: bool) -> Arc<Terms> {
    let (key, _) = keys("ts").swap_remove(0);
    let myself = Myself { address: "10.0.0.1:80".into(), name: "here".into(), key: Arc::new(key) };
    Arc::new(Terms {
        recipients_per_letter,
        detect_accents: true,
        unsigned,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        myself,
    })
}
