//! What a server tells of its members.

use crate::{
    dialect::socp::{
        self, heard, id_of, key,
        payload::{Presence, is_user_name},
    },
    domain::{
        dialect::Dialect,
        member::Resident,
        news::{Change, Listed, News},
    },
};

/// Somebody came.
pub(super) fn came(presence: &Presence<'_>) -> Option<News> {
    present(&presence.user_id, presence.pubkey().as_deref())
}

/// Somebody is there, with a key or without one. A key that nobody could use is none.
pub(super) fn present(name: &str, pubkey: Option<&str>) -> Option<News> {
    let public_key = pubkey.filter(|text| key::read(text).is_ok()).unwrap_or_default();
    let named = socp::named(name, public_key);
    let (key, spelled, dialect) = (id_of(name), heard::spelled(name, public_key), Dialect::Socp);
    let resident =
        |named| Resident { key, named: Some(named), dialect, public_key: public_key.into(), spelled };
    named.map(|named| News::Single(Change::Came(Listed::Known(resident(named)))))
}

/// Somebody went.
pub(super) fn went(presence: &Presence<'_>) -> Option<News> {
    is_user_name(&presence.user_id).then(|| News::Single(Change::Went(id_of(&presence.user_id))))
}
