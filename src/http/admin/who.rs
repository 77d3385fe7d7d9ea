//! How members are shown: by their key, and by their name if they have one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        id::KeyId,
        member::{Member, Named},
    },
    store::MemberRecord,
};

/// A member: one digest of its key in three spellings, and its name in dialects that have names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Who {
    /// The name that it chose; null where members are called by their keys.
    name: Option<String>,
    /// Hexadecimal digits, as in URLs and logs; null if it has a name and nobody has shown its key.
    fingerprint: Option<String>,
    /// Base64, as OLAF writes it since v1.2.
    olaf_fingerprint: Option<String>,
    /// The first digits, for people.
    short: Option<String>,
}

impl Who {
    fn of(name: Option<String>, key: Option<KeyId>) -> Self {
        Self {
            name,
            fingerprint: key.map(|key| key.hex()),
            // Both are the digest of the canonical PEM.
            olaf_fingerprint: key.map(|key| STANDARD.encode(key.0)),
            short: key.map(|key| key.short()),
        }
    }
}

impl From<&Member> for Who {
    fn from(member: &Member) -> Self {
        // Who has a name is told from others by it, but people compare keys.
        Self::of(member.name.as_deref().map(str::to_owned), member.fingerprint)
    }
}

impl From<&Named> for Who {
    fn from(named: &Named) -> Self {
        Self::of(Some(named.name.to_string()), named.key)
    }
}

impl From<&MemberRecord> for Who {
    fn from(member: &MemberRecord) -> Self {
        let key = if member.name.is_none() { Some(member.key_id) } else { member.name_key };
        Self::of(member.name.clone(), key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dialect::Dialect;

    fn member(name: Option<&str>, fingerprint: Option<KeyId>) -> Member {
        let (name, number) = (name.map(Into::into), 1);
        let (key, spelled) = (KeyId([7; 32]), KeyId([8; 32]));
        Member {
            key,
            name,
            number,
            dialect: Dialect::Socp,
            public_key: "".into(),
            spelled,
            sealing_key: None,
            display_name: None,
            fingerprint,
        }
    }

    #[test]
    fn whoever_has_a_name_is_shown_with_the_key_behind_it_and_not_with_the_digest_of_the_name() {
        let nameless = Who::from(&member(None, Some(KeyId([7; 32]))));
        assert_eq!((nameless.name, nameless.fingerprint), (None, Some(KeyId([7; 32]).hex())));
        let keyless = Who::from(&member(Some("alice"), None));
        assert_eq!((keyless.name.as_deref(), keyless.fingerprint), (Some("alice"), None));
        let key = KeyId([9; 32]);
        let alice = Who::from(&member(Some("alice"), Some(key)));
        assert_eq!((alice.fingerprint, alice.short), (Some(key.hex()), Some(key.short())));
    }
}
