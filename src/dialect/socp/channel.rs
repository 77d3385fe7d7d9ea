//! The key of the public channel, as far as it can be read without opening anything: who wrapped it, for whom,
//! and which one it is.

use std::sync::Arc;

use crate::{
    crypto::signature::Question,
    dialect::event::Check,
    domain::{
        channel::{Wrap, Wraps},
        letter::Frame,
    },
};

use super::{
    binary, content,
    envelope::Envelope,
    id_of, is_server_id, key,
    kind::Kind,
    payload::is_user_name,
    request::{ChannelUpdate, KeyShare, Share},
};

/// What a frame of a server holds for which members; `None` if it hands out no key.
#[must_use]
pub fn read(frame: &Frame) -> Option<Wraps> {
    let envelope = Envelope::read(frame.text()?).ok()?;
    let (version, shares) = match envelope.known()? {
        Kind::PublicChannelUpdated => {
            let update = ChannelUpdate::read(envelope.payload()).ok()?;
            (update.version, update.wraps)
        }
        Kind::PublicChannelKeyShare => {
            let share = KeyShare::read(envelope.payload()).ok()?;
            (share.version, share.shares())
        }
        _ => return None,
    };
    let server = Some(&*envelope.from).filter(|id| is_server_id(id))?;
    let wraps = shares.iter().filter_map(wrap).collect();
    let is_share = envelope.known() == Some(Kind::PublicChannelKeyShare);
    Some(Wraps { server: server.into(), is_share, version, wraps, frame: frame.detached() })
}

fn wrap(share: &Share<'_>) -> Option<Wrap> {
    let name = share.member().filter(|name| is_user_name(name))?;
    Some(Wrap { member: id_of(name), name: name.into(), wrapped: share.wrapped()?.into() })
}

/// What must be checked before a share is handed to anybody who comes later: that who wrapped the key has signed
/// it, in any of the ways in which people do. `None` if nobody has, or if the frame is no share.
#[must_use]
pub fn question(envelope: &Envelope<'_>) -> Option<Check> {
    let share = KeyShare::read(envelope.payload()).ok()?;
    let creator = share.creator_pub.as_deref()?;
    let (key, _) = key::read(creator).ok()?;
    let signature = binary::decode(share.content_sig.as_deref()?)?;
    let candidates = content::key_share(share.shares.get(), creator);
    let texts: Vec<_> = candidates.into_iter().map(|(_, text)| text).collect();
    let question = Question { texts, signature, salt: None };
    (!question.texts.is_empty()).then(|| Check { key: Arc::new(key), question })
}
