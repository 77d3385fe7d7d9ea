//! What a server tells of its members.

use crate::{
    dialect::socp::{
        heard, id_of, key,
        payload::{Presence, is_user_name},
    },
    domain::{
        dialect::Dialect,
        id::KeyId,
        member::{Named, Resident},
        news::{Change, Listed, News},
    },
};

/// Somebody came.
pub(super) fn came(presence: &Presence<'_>) -> Option<News> {
    let name: &str = &presence.user_id;
    if !is_user_name(name) {
        return None;
    }
    let pubkey = presence.pubkey().filter(|text| !text.is_empty());
    // A key that nobody could use is none.
    let key: Option<KeyId> = pubkey.as_deref().and_then(|text| key::read(text).ok()).map(|(key, _)| key.id());
    let public_key: std::sync::Arc<str> =
        pubkey.as_deref().filter(|_| key.is_some()).unwrap_or_default().into();
    let spelled = heard::spelled(name, &public_key);
    let named = Some(Named { name: name.into(), key, proven: false });
    let (key, dialect) = (id_of(name), Dialect::Socp);
    let resident = Resident { key, named, dialect, public_key, spelled };
    Some(News::Single(Change::Came(Listed::Known(resident))))
}

/// Somebody went.
pub(super) fn went(presence: &Presence<'_>) -> Option<News> {
    is_user_name(&presence.user_id).then(|| News::Single(Change::Went(id_of(&presence.user_id))))
}
