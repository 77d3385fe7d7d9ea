//! Letters as they come in: who claims to have written one, what it says, and whether that is so.

use std::borrow::Cow;

use super::{directory::Directory, seal};
use crate::{
    client::{event::Doubt, person::PersonId},
    crypto::{sealing::Opener, signature},
    dialect::socp::{
        binary,
        content::{self, ContentForm},
        envelope::Envelope,
        key,
        kind::Kind,
        payload::{Letter, is_user_name},
        sign,
    },
};

/// What a signature says about a letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The known key of the author signed it.
    Known,
    /// The key that the letter brings signed it, and no key of the author was known.
    First(String),
    /// The key that the letter brings signed it, which is another one than the known one.
    Other(String),
    /// None of that.
    None(Doubt),
}

/// The author that a frame names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) who: PersonId,
    /// Whether that is the server's word. If it is not, only a key that is known can prove it.
    pub(super) is_sure: bool,
}

/// The author that a frame names. What our server wraps names its author inside, and everybody else speaks
/// for themselves; but some servers of others wrap, too, and all that is known of them is that they are no
/// users.
pub(super) fn author(
    envelope: &Envelope<'_>,
    inside: Option<&str>,
    server: &str,
    directory: &Directory,
) -> Option<Named> {
    let person = |name: &str| is_user_name(name).then(|| PersonId::new(name));
    let is_here = |person: &PersonId| directory.is_here(person);
    let is_wrapped = envelope.known().is_some_and(|kind| kind == Kind::UserDeliver || kind.is_wrapped());
    let is_server = envelope.from.is_empty() || *envelope.from == *server;
    let outside = person(&envelope.from).filter(|_| !is_server);
    let inside = inside.and_then(person);
    let (who, is_sure) = match (outside, inside) {
        (_, Some(inside)) if is_wrapped => (inside, true),
        (Some(outside), Some(inside)) if !is_here(&outside) && is_here(&inside) => (inside, false),
        (Some(outside), _) => (outside, true),
        (None, inside) => (inside?, true),
    };
    Some(Named { who, is_sure })
}

/// What a public letter says: text in base64, or in the clear in a field of its own. One implementation
/// seals it for each member, and one writes it in the clear where the sealed text should be.
pub(super) fn public_text(letter: &Letter<'_>, opener: &Opener) -> Option<String> {
    let ciphertext = letter.ciphertext.as_deref().filter(|text| !text.chars().any(char::is_control));
    let is_words = |text: &&str| text.contains(' ') || binary::decode(text).is_none();
    let words = ciphertext.filter(is_words);
    let decoded = ciphertext.filter(|text| !is_words(text)).and_then(binary::decode);
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let clear = || letter.text.as_deref().or(words).map(str::to_owned);
    decoded.or_else(clear).or_else(|| private_text(letter, opener))
}

/// What a letter says that was sealed for us.
pub(super) fn private_text(letter: &Letter<'_>, opener: &Opener) -> Option<String> {
    String::from_utf8(seal::open(letter.ciphertext.as_deref()?, opener)?).ok()
}

/// Whether the author wrote a letter; `to` is none for a public one.
pub(super) fn judge(
    directory: &mut Directory,
    author: &PersonId,
    envelope: &Envelope<'_>,
    letter: &Letter<'_>,
    to: Option<&str>,
) -> Proof {
    let Some(signature) = letter.content_sig.as_deref() else { return Proof::None(Doubt::NotSigned) };
    let Some(signature) = sign::decode(signature) else { return Proof::None(Doubt::WrongSignature) };
    let ts = envelope.ts.as_ref();
    let candidates = content::of(envelope.payload(), letter, author.as_str(), to, ts);
    let (forms, texts): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
    let is_weak = |at: usize| match forms.get(at) {
        Some(ContentForm::First) | None => true,
        Some(ContentForm::Fields) => letter.author().is_none() || letter.written().is_none(),
        Some(_) => false,
    };
    if let Some(at) = directory.verify(author, texts.clone(), signature.clone()) {
        return if is_weak(at) { Proof::None(Doubt::Weak) } else { Proof::Known };
    }
    let is_known = directory.key(author).is_some();
    let Some(brought) = letter.sender_pub.as_deref() else {
        return Proof::None(if is_known { Doubt::WrongSignature } else { Doubt::NoKey });
    };
    match signed_with(brought, texts, signature) {
        Some(at) if is_weak(at) => Proof::None(Doubt::Weak),
        Some(_) if is_known => Proof::Other(brought.to_owned()),
        Some(_) => Proof::First(brought.to_owned()),
        None => Proof::None(Doubt::WrongSignature),
    }
}

fn signed_with(key: &str, texts: Vec<Vec<u8>>, signature: Vec<u8>) -> Option<usize> {
    let verifier = signature::Verifier::new(&key::read(key).ok()?.0).ok()?;
    let question = signature::Question { texts, signature, salt: None };
    verifier.judge(&question).map(|(at, _)| at)
}

/// Whether the known key of somebody signed the payload of a frame.
pub(super) fn has_signed(directory: &mut Directory, author: &PersonId, envelope: &Envelope<'_>) -> Doubted {
    if directory.key(author).is_none() {
        return Err(Doubt::NoKey);
    }
    let signature: Option<&Cow<'_, str>> = envelope.sig.as_ref();
    let signature = signature.ok_or(Doubt::NotSigned)?;
    let question = sign::question(envelope.payload(), signature, None, true);
    let (_, question) = question.ok_or(Doubt::WrongSignature)?;
    let verified = directory.verify(author, question.texts, question.signature);
    verified.map(|_| ()).ok_or(Doubt::WrongSignature)
}

/// Nothing, or why it is not believed.
pub(super) type Doubted = Result<(), Doubt>;
