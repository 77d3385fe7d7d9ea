//! Content signatures: what the author of a letter signed, for the one who reads it.
//!
//! The protocol writes `SHA256(a || b)` and leaves open what that means, so there is a reading for every
//! group. A server never checks them and never changes what they cover; a client tries them all, and says
//! so if none fits.

use super::{
    binary,
    canonical::{Form, Payload, canonical, quote},
    envelope::Ts,
    payload::Letter,
};
use crate::crypto::sha256;

/// How the signed parts are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentForm {
    /// The texts as they stand in the frame, one behind the other: our own form.
    #[default]
    Text,
    /// The same, with the bytes that the first one stands for.
    Raw,
    /// The SHA-256 of [`ContentForm::Text`].
    TextHash,
    /// The SHA-256 of [`ContentForm::Raw`].
    RawHash,
    /// The texts with `|` between them.
    Joined,
    /// The same, with the time in seconds.
    JoinedSeconds,
    /// The canonical JSON of an object of the parts.
    Canonical,
    /// All of the payload but the signature and the key, canonical.
    Fields,
    /// The first part alone, as text.
    First,
    /// The SHA-256 of the first part, then the bytes that the second one stands for.
    Digest,
}

/// Texts that may have been signed, the likeliest first.
pub type Candidates = Vec<(ContentForm, Vec<u8>)>;

/// Fields of a payload that an author who signs all of it cannot have signed.
const NEVER_SIGNED: [&str; 3] = ["content_sig", "sender_pub", "user_id"];

/// What our own clients sign; `to` is none for a public letter.
#[must_use]
pub fn text(ciphertext: &str, from: &str, to: Option<&str>, ts: &str) -> String {
    [ciphertext, from, to.unwrap_or_default(), ts].concat()
}

/// What the author of a direct letter, or of a part of a file, may have signed.
#[must_use]
pub fn direct(ciphertext: &str, from: &str, to: &str, ts: &str) -> Candidates {
    parts(ciphertext, from, Some(to), ts)
}

/// What the author of a public letter may have signed.
#[must_use]
pub fn public(ciphertext: &str, from: &str, ts: &str) -> Candidates {
    parts(ciphertext, from, None, ts)
}

/// What the author of a letter may have signed, who signs every field of it.
#[must_use]
pub fn fields(payload: &str) -> Candidates {
    let Ok(mut read) = Payload::read(payload) else { return Vec::new() };
    read.drop_fields(&NEVER_SIGNED);
    vec![(ContentForm::Fields, read.print(Form::SortedAscii).into_bytes())]
}

/// What the author of a letter may have signed, by what stands in the frame: the names are those of the
/// frame, and both the time of the frame and the one inside are tried.
#[must_use]
pub fn of(
    payload: &str,
    letter: &Letter<'_>,
    from: &str,
    to: Option<&str>,
    ts: Option<&Ts<'_>>,
) -> Candidates {
    let from = letter.author().unwrap_or(from);
    let to = to.map(|to| letter.to.as_deref().or(letter.user_id.as_deref()).unwrap_or(to));
    let first = letter.ciphertext.as_deref().unwrap_or_default();
    let inside = letter.written();
    let times = inside.iter().chain(ts).map(Ts::text);
    let mut all: Candidates = times.flat_map(|ts| parts(first, from, to, ts)).collect();
    all.extend(fields(payload));
    once(all)
}

/// What the author of a wrapped key may have signed.
#[must_use]
pub fn key_share(shares: &str, creator_pub: &str) -> Candidates {
    let Ok(shares) = canonical(shares) else { return Vec::new() };
    let text = format!("{shares}{creator_pub}");
    let mut object = String::from("{\"creator_pub\":");
    quote(creator_pub, &mut object);
    object.push_str(",\"shares\":");
    object.push_str(&shares);
    object.push('}');
    let mut all = vec![
        (ContentForm::TextHash, sha256(text.as_bytes()).to_vec()),
        (ContentForm::Text, text.into_bytes()),
        (ContentForm::Joined, format!("{shares}|{creator_pub}").into_bytes()),
        (ContentForm::Canonical, object.into_bytes()),
    ];
    if let Some(key) = binary::decode(creator_pub) {
        all.push((ContentForm::Digest, [&sha256(shares.as_bytes())[..], &key].concat()));
    }
    all.sort_by_key(|(form, _)| *form);
    all
}

fn parts(first: &str, from: &str, to: Option<&str>, ts: &str) -> Candidates {
    let text = text(first, from, to, ts).into_bytes();
    let rest = [from, to.unwrap_or_default(), ts].concat();
    let mut all = vec![(ContentForm::Text, text.clone())];
    if let Some(bytes) = binary::decode(first) {
        let raw = [&bytes, rest.as_bytes()].concat();
        let hash = sha256(&raw).to_vec();
        all.extend([(ContentForm::Raw, raw), (ContentForm::RawHash, hash)]);
    }
    all.push((ContentForm::TextHash, sha256(&text).to_vec()));
    let joined = |ts: &str| {
        let parts: Vec<&str> = [Some(first), Some(from), to, Some(ts)].into_iter().flatten().collect();
        parts.join("|").into_bytes()
    };
    all.push((ContentForm::Joined, joined(ts)));
    all.extend(seconds(ts).map(|ts| (ContentForm::JoinedSeconds, joined(&ts))));
    all.push((ContentForm::Canonical, object(first, from, to, ts).into_bytes()));
    all.push((ContentForm::First, first.as_bytes().to_vec()));
    once(all)
}

/// Every text once.
fn once(all: Candidates) -> Candidates {
    let mut kept: Candidates = Vec::with_capacity(all.len());
    for (form, text) in all {
        if !kept.iter().any(|(_, known)| *known == text) {
            kept.push((form, text));
        }
    }
    kept
}

/// Whole milliseconds as Python prints the seconds.
fn seconds(ts: &str) -> Option<String> {
    let digits = ts.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = ts.split_at_checked(ts.len().checked_sub(3)?)?;
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    (digits && !whole.is_empty()).then(|| format!("{whole}.{fraction}"))
}

fn object(first: &str, from: &str, to: Option<&str>, ts: &str) -> String {
    let mut out = String::from("{\"ciphertext\":");
    quote(first, &mut out);
    out.push_str(",\"from\":");
    quote(from, &mut out);
    if let Some(to) = to {
        out.push_str(",\"to\":");
        quote(to, &mut out);
    }
    out.push_str(",\"ts\":");
    out.push_str(ts);
    out.push('}');
    out
}
