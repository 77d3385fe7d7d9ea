//! Who belongs to the neighbourhood, as operators change it: added, removed, pinned, tried again.

use actix::{Context, Handler};

use super::{
    AddError, AddPeer, FaultPeer, Neighbourhood, PeerView, PinError, PinPeer, RemovePeer, RetryPeer,
};
use crate::{
    actors::{
        clock::unix_ms,
        event::{Kind, Naming},
        peer_link::{Fail, Remove, Retry},
    },
    crypto::{keys::PublicKey, sha256_start},
    dialect::{Accent, event::Claim, socp},
    domain::{
        book::Entry,
        id::{HomeId, KeyId, PeerId},
        peer::{LinkDialect, PeerLine, Source},
    },
    store::PeerRecord,
};

/// The name of a neighbour in the API and the store: the same for every spelling of its door.
fn id_of(text: &str) -> PeerId {
    PeerId(sha256_start(text.as_bytes()))
}

/// The name of a server that came to us by itself.
pub(super) fn id_of_stranger(claim: &Claim) -> PeerId {
    let name = claim.key.map_or_else(|| claim.address.clone(), |key| key.hex());
    id_of(&name)
}

/// What a peer line says, understood.
///
/// # Errors
/// A word in it means nothing.
pub fn entry(line: &PeerLine, source: Source) -> Result<Entry, String> {
    let (door, path) = line.door();
    let pinned =
        line.key.as_deref().map(|text| read_key(text).ok_or("the key cannot be read")).transpose()?;
    if let Some(words) = &line.accent {
        Accent::parse(line.dialect.unwrap_or(LinkDialect::Olaf), words)?;
    }
    // OLAF has accents, and needs a whole key. SOCP has accents, too, and is named when it is meant.
    let whole_key = line.key.as_deref().is_some_and(|text| KeyId::from_hex(text).is_none());
    let is_olaf = line.accent.is_some() || whole_key;
    let dialect = line.dialect.or_else(|| is_olaf.then_some(LinkDialect::Olaf));
    if dialect == Some(LinkDialect::Olaf) && pinned.is_some() && !whole_key {
        return Err(
            "for OLAF, the key must be the public key itself: OLAF servers never send theirs".to_owned()
        );
    }
    Ok(Entry {
        url: Some(line.url.clone()),
        address: line.address.clone(),
        address_is_set: line.address.is_some(),
        name: line.name.clone(),
        key_text: line.key.clone(),
        pinned,
        dialect,
        accent: line.accent.clone(),
        source,
        ..Entry::stranger(id_of(&format!("{}{path}", door.as_str())), unix_ms())
    })
}

/// A fingerprint, or the fingerprint of a key in any spelling.
#[must_use]
pub fn read_key(text: &str) -> Option<KeyId> {
    KeyId::from_hex(text).or_else(|| whole_key(text).map(|key| key.id()))
}

/// A public key in any spelling.
pub(super) fn whole_key(text: &str) -> Option<PublicKey> {
    PublicKey::read(text).ok().or_else(|| socp::key::read(text).ok().map(|(key, _)| key))
}

/// What the store remembers, understood.
#[must_use]
pub fn remembered(record: PeerRecord) -> Entry {
    Entry {
        url: record.url,
        doors: record.doors,
        address: record.address,
        name: record.name,
        pinned: record.key.as_deref().and_then(read_key),
        key_text: record.key,
        seen: record.seen_key,
        dialect: record.dialect,
        accent: record.accent,
        source: record.source,
        removed: record.removed,
        linked_at: record.linked_at,
        ..Entry::stranger(record.id, record.added_at)
    }
}

/// What the store should remember.
pub(super) fn record(entry: &Entry) -> PeerRecord {
    PeerRecord {
        id: entry.id,
        url: entry.url.clone(),
        doors: entry.doors.clone(),
        address: entry.address.clone(),
        name: entry.name.clone(),
        key: entry.key_text.clone(),
        seen_key: entry.seen,
        dialect: entry.dialect,
        accent: entry.accent.clone(),
        source: entry.source,
        removed: entry.removed,
        added_at: entry.added_at,
        linked_at: entry.linked_at,
    }
}

/// How a neighbour is named in events.
pub(super) fn naming(entry: &Entry) -> Naming {
    Naming { id: entry.id, name: entry.name.clone(), address: entry.shown_address() }
}

impl Neighbourhood {
    pub(super) fn announce_added(&self, home: HomeId) {
        if let Some(entry) = self.parts.book.entry(home) {
            let (peer, source) = (naming(entry), entry.source);
            tracing::info!(peer = %entry.id, address = peer.address, source = source.name(), "a new neighbour");
            self.parts.bulletin.publish(Kind::PeerAdded { peer });
        }
    }

    /// Adds a neighbour and begins to dial it.
    pub(super) fn add(&mut self, entry: Entry, ctx: &Context<Self>) -> Result<HomeId, AddError> {
        let home = self.parts.book.add(entry).map_err(AddError::Turned)?;
        self.save(home);
        self.start_link(home, false, ctx);
        self.announce_added(home);
        Ok(home)
    }

    /// A neighbour has no link any more; what was announced about it does not count.
    pub(super) fn forget(&mut self, home: HomeId) {
        self.announced.remove(&home);
        self.known.remove(&home);
    }

    /// Takes the link of a neighbour down and makes a new one.
    fn renew(&mut self, home: HomeId, ctx: &Context<Self>) {
        if let Some(known) = self.known.remove(&home) {
            known.link.do_send(Remove);
        }
        self.start_link(home, false, ctx);
    }
}

impl Handler<AddPeer> for Neighbourhood {
    type Result = Result<PeerView, AddError>;

    fn handle(&mut self, AddPeer(line): AddPeer, ctx: &mut Context<Self>) -> Self::Result {
        line.check().map_err(|error| AddError::Senseless(error.to_string()))?;
        let entry = entry(&line, Source::Api).map_err(AddError::Senseless)?;
        let home = self.add(entry, ctx)?;
        self.view(home).ok_or_else(|| AddError::Senseless("it is gone again".to_owned()))
    }
}

impl Handler<RemovePeer> for Neighbourhood {
    type Result = bool;

    fn handle(&mut self, RemovePeer(id): RemovePeer, _: &mut Context<Self>) -> bool {
        let Some(home) = self.parts.book.by_id(id) else { return false };
        if !self.parts.book.remove(home) {
            return false;
        }
        self.save(home);
        if let Some(known) = self.known.remove(&home) {
            known.link.do_send(Remove);
        }
        self.forget(home);
        if let Some(entry) = self.parts.book.entry(home) {
            self.forget_bans(entry.expected());
            self.parts.bulletin.publish(Kind::PeerRemoved { peer: naming(entry) });
        }
        true
    }
}

impl Handler<RetryPeer> for Neighbourhood {
    type Result = Option<PeerView>;

    fn handle(&mut self, RetryPeer(id): RetryPeer, _: &mut Context<Self>) -> Self::Result {
        let home = self.parts.book.by_id(id)?;
        self.known.get(&home)?.link.do_send(Retry);
        // Whoever asks wants to hear what comes of it, even if it is the same as before.
        if self.announced.get(&home).is_some_and(|(state, _)| !state.is_linked()) {
            self.announced.remove(&home);
        }
        self.view(home)
    }
}

impl Handler<PinPeer> for Neighbourhood {
    type Result = Result<PeerView, PinError>;

    fn handle(&mut self, PinPeer { id, key }: PinPeer, ctx: &mut Context<Self>) -> Self::Result {
        let home = self.parts.book.by_id(id).ok_or(PinError::Unknown)?;
        let entry = self.parts.book.entry_mut(home).filter(|entry| !entry.removed);
        let entry = entry.ok_or(PinError::Unknown)?;
        let pinned = match &key {
            // As in a peer line: OLAF servers never send their key, so its digest is not enough.
            Some(text) if entry.dialect == Some(LinkDialect::Olaf) && KeyId::from_hex(text).is_some() => {
                return Err(PinError::BadKey);
            }
            Some(text) => read_key(text).ok_or(PinError::BadKey)?,
            None => entry.presented.or_else(|| entry.expected()).ok_or(PinError::NoKey)?,
        };
        let former = entry.expected();
        let same = former == Some(pinned);
        // The whole key is worth more than its digest.
        let kept = entry.key_text.take().filter(|_| entry.pinned == Some(pinned));
        entry.key_text = Some(key.or(kept).unwrap_or_else(|| pinned.hex()));
        entry.pinned = Some(pinned);
        entry.seen = entry.dialect.filter(|dialect| *dialect == LinkDialect::Kith).map(|_| pinned);
        entry.presented = None;
        self.save(home);
        if same {
            if let Some(known) = self.known.get(&home) {
                known.link.do_send(Retry);
            }
        } else {
            // Whoever is linked at the moment has proven another key.
            self.renew(home, ctx);
            self.forget_bans(former);
        }
        self.view(home).ok_or(PinError::Unknown)
    }
}

impl Handler<FaultPeer> for Neighbourhood {
    type Result = bool;

    fn handle(&mut self, FaultPeer(id): FaultPeer, _: &mut Context<Self>) -> bool {
        let known = self.parts.book.by_id(id).and_then(|home| self.known.get(&home));
        known.inspect(|known| known.link.do_send(Fail)).is_some()
    }
}
