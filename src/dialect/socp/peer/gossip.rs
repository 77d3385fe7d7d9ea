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
    let keys = [presence.pubkey(), presence.enc_pubkey()];
    let [pubkey, enc_pubkey] = keys.each_ref().map(Option::as_deref);
    with_keys(&presence.user_id, pubkey, enc_pubkey, presence.display_name().as_deref())
}

/// Somebody is there, with a key or without one.
pub(super) fn present(name: &str, pubkey: Option<&str>) -> Option<News> {
    with_keys(name, pubkey, None, None)
}

/// A key that nobody could use is none, and without the first one the second says nothing.
fn with_keys(
    name: &str,
    pubkey: Option<&str>,
    enc_pubkey: Option<&str>,
    display_name: Option<&str>,
) -> Option<News> {
    let first = pubkey.and_then(|text| Some((text, key::read(text).ok()?.0)));
    let sealing_key = first.as_ref().and_then(|(_, key)| key::read_second(key, enc_pubkey).ok()?);
    let public_key = first.as_ref().map_or("", |(text, _)| text);
    let mut named = socp::named(name, public_key, sealing_key)?;
    named.display_name = display_name.map(Into::into);
    let (key, spelled) = (id_of(name), heard::spelled(name, public_key, sealing_key));
    let (named, dialect, public_key) = (Some(named), Dialect::Socp, public_key.into());
    let resident = Resident { key, named, dialect, public_key, spelled };
    Some(News::Single(Change::Came(Listed::Known(resident))))
}

/// Somebody went.
pub(super) fn went(presence: &Presence<'_>) -> Option<News> {
    is_user_name(&presence.user_id).then(|| News::Single(Change::Went(id_of(&presence.user_id))))
}
