//! What a neighbour says once the link is up: the list of its members, and their letters.

use std::collections::BTreeMap;

use super::wire::{Entries, Letter as Said};
use crate::{
    crypto::{fingerprint, keys::PublicKey, sha256},
    dialect::{olaf::wire::Body, trace},
    domain::{
        address::Address,
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Resident,
        news::News,
        refusal::Violation,
    },
};

/// The members of the last list, by the digest of their spelling: reading a key takes much longer than
/// finding it here.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<KeyId, Resident>);

impl Members {
    /// A new list. Also says whether something in it could not be read and was left out.
    pub(super) fn replace(&mut self, entries: Entries) -> Result<(News, bool), Violation> {
        if entries.too_many {
            return Err(Violation::TooManyMembers);
        }
        let mut before = std::mem::take(&mut self.0);
        let mut all_read = true;
        for public_key in entries.keys {
            let Some(public_key) = public_key else {
                all_read = false;
                continue;
            };
            let spelled = KeyId(sha256(public_key.as_bytes()));
            if self.0.contains_key(&spelled) {
                continue;
            }
            match before.remove(&spelled).or_else(|| resident(public_key, spelled)) {
                Some(resident) => drop(self.0.insert(spelled, resident)),
                None => all_read = false,
            }
        }
        Ok((News::Whole(self.0.values().cloned().collect()), all_read))
    }
}

fn resident(public_key: String, spelled: KeyId) -> Option<Resident> {
    let key = PublicKey::read(&public_key).ok()?.id();
    Some(Resident { key, named: None, dialect: Dialect::Olaf, public_key: public_key.into(), spelled })
}

/// A letter of one of its members. Nobody checks the signature here: the clients who read it do, and
/// the house only knows whom it claims to be from.
pub(super) fn letter(
    said: Said<'_>,
    frame: Frame,
    home: HomeId,
    may_be_unsigned: bool,
    most_recipients: u32,
) -> Result<Letter, Violation> {
    let trace = match &said.envelope {
        Some(signed) => trace(&signed.signature),
        None if may_be_unsigned => trace(frame.text().unwrap_or_default().as_bytes()),
        None => return Err(Violation::Malformed),
    };
    let (author, audience, plain) = match said.body {
        Body::PublicChat { sender, message } => {
            (fingerprint::digest(&sender), Audience::Everyone, Some(message.into()))
        }
        Body::Chat { homes, recipients } => {
            if recipients > usize::try_from(most_recipients).unwrap_or(usize::MAX) {
                return Err(Violation::TooManyRecipients);
            }
            (None, Audience::Homes(homes.iter().map(|home| Address::new(home)).collect()), None)
        }
        Body::Hello { .. } => return Err(Violation::OutOfOrder),
    };
    Ok(Letter {
        from: Origin::Home(home),
        author: Author::Claimed(author),
        audience,
        trace,
        dialect: Dialect::Olaf,
        original: frame,
        plain,
    })
}
