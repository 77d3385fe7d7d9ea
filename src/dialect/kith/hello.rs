//! How the two sides of a Kith link describe themselves.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::wire::{self, Hello, Refused, kind};
use crate::{
    crypto::{channel::Ephemeral, keys::PublicKey},
    dialect::{
        Ear, Terms,
        event::{Claim, Greeting, ServerCard},
        socp,
    },
    domain::{
        neighbourhood::Sockets,
        peer::LinkDialect,
        refusal::{Ending, Refusal, Violation},
    },
};

/// The versions that we speak.
const VERSIONS: (u8, u8) = (1, 1);
/// The shortest key that we believe.
const LEAST_KEY_BITS: u32 = 2048;

/// What newer programs say behind the hello.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HelloMore {
    /// What the sender is called among SOCP servers; empty if those do not reach it at its address.
    pub(super) socp_id: String,
}

/// The other side, as it describes itself.
#[derive(Debug)]
pub(super) struct Them {
    pub(super) hello: Bytes,
    pub(super) claim: Claim,
    pub(super) key: Arc<PublicKey>,
    pub(super) ephemeral: [u8; 32],
    /// What SOCP servers call it; empty if they do not reach it.
    socp_id: String,
    /// What it dialled to reach us, as it says; empty if we dialled.
    dialled: String,
}

pub(super) fn own_hello(terms: &Terms, ephemeral: &Ephemeral, dialled: &str) -> Bytes {
    let hello = Hello {
        versions: VERSIONS,
        nonce: ephemeral.nonce(),
        ephemeral: ephemeral.public(),
        address: terms.myself.address.clone(),
        dialled: dialled.to_owned(),
        name: terms.myself.name.clone(),
        key: terms.myself.key.spki().to_vec(),
    };
    let id = if terms.myself.takes_socp { &*terms.myself.id } else { "" };
    wire::encode(kind::HELLO, &(hello, HelloMore { socp_id: id.to_owned() }))
}

pub(super) fn read_hello(bytes: &Bytes) -> Result<Them, Ending> {
    let malformed = Ending::Violated(Violation::Malformed);
    let body = bytes.strip_prefix(&[kind::HELLO]).ok_or(malformed)?;
    let (hello, more): (Hello, &[u8]) = wire::split(body).map_err(|_| malformed)?;
    // An older program says nothing more.
    let more: HelloMore = wire::decode(more).unwrap_or_default();
    if hello.versions.0 > VERSIONS.1 || hello.versions.1 < VERSIONS.0 {
        return Err(Ending::Refused(Refusal::NoCommonVersion));
    }
    let key = PublicKey::from_der(&hello.key).map_err(|_| Ending::Violated(Violation::BadKey))?;
    if key.bits() < LEAST_KEY_BITS {
        return Err(Ending::Violated(Violation::BadKey));
    }
    let claim = Claim {
        dialect: LinkDialect::Kith,
        address: shortened(hello.address),
        name: Some(shortened(hello.name)).filter(|name| !name.is_empty()),
        key: Some(key.id()),
    };
    Ok(Them {
        hello: bytes.clone(),
        claim,
        key: Arc::new(key),
        ephemeral: hello.ephemeral,
        socp_id: more.socp_id,
        dialled: shortened(hello.dialled),
    })
}

/// Names are for people; nobody needs a long one.
fn shortened(text: String) -> String {
    const MOST: usize = 255;
    if text.len() <= MOST { text } else { text.chars().take(MOST / 4).collect() }
}

impl Them {
    /// What the house is told once it has proven its key.
    pub(super) fn greeting(self) -> Greeting {
        let (card, Self { claim, key, .. }) = (self.card(), self);
        let (ear, sockets) = (Ear::Kith, Sockets::One);
        Greeting { claim, proven: true, key: Some(key), trace: None, ear, sockets, card }
    }

    /// How SOCP servers could be linked with it, if they can.
    pub(super) fn card(&self) -> Option<ServerCard> {
        let fits = self.key.bits() == socp::KEY_BITS && socp::is_server_id(&self.socp_id);
        fits.then(|| ServerCard {
            id: self.socp_id.clone(),
            address: self.claim.address.clone(),
            key: Some(self.key.id()),
            public_key: Some(Arc::clone(&self.key)),
        })
    }

    pub(super) fn describe(&self) -> String {
        let name = self.claim.name.as_deref().unwrap_or("a server");
        let of = format!("{name} at {} with key {}", self.claim.address, self.key.id().short());
        if self.dialled.is_empty() { of } else { format!("{of}, which dialled {}", self.dialled) }
    }
}

/// The other side says no.
pub(super) fn refused_by_them(bytes: &Bytes) -> Result<(), Ending> {
    let body = bytes.get(1..).unwrap_or_default();
    let refused: Refused = wire::decode(body).map_err(|_| Ending::Violated(Violation::Malformed))?;
    Err(Ending::RefusedUs(Refusal::from_code(&refused.code).unwrap_or(Refusal::UnknownPeer)))
}
