//! Every recorded frame is read, and every signature whose key was recorded is believed in the form in
//! which it was made. All of them are counted, so that none can be skipped in silence.

use std::collections::{BTreeMap, BTreeSet};

use kith::{
    crypto::{
        keys::PublicKey,
        signature::{Question, Salt, Verifier},
    },
    dialect::socp::{
        canonical::{Form, Payload},
        content::{self, Candidates, ContentForm},
        envelope::{Envelope, is_socp, print},
        key::{self, KeyForm, Spelling},
        kind::Kind,
        payload::{File, Introduction, Letter, Presence, Welcome},
        request::{Ack, Complaint, KeyAnswer, KeyRequest, KeyShare, Names},
        sign::{self, Way},
    },
};
use serde_json::Value;

use super::{NAMES, frames};

/// What is known about a recording.
struct Recording {
    name: &'static str,
    /// How its keys are spelled, and how many there are.
    key: (KeyForm, usize),
    /// Transport signatures whose key was recorded, and those whose key was not.
    transport: (usize, usize),
    /// Content signatures by their form.
    content: &'static [(ContentForm, usize)],
    /// Content signatures on a later part of their way, where the frame no longer says all that they cover.
    repeated: usize,
}

const RECORDINGS: [Recording; 4] = [
    Recording {
        name: "g17",
        key: (KeyForm::Der, 5),
        transport: (44, 0),
        content: &[(ContentForm::Raw, 6), (ContentForm::Digest, 8)],
        repeated: 0,
    },
    Recording {
        name: "g2",
        key: (KeyForm::Pem, 3),
        transport: (35, 3),
        content: &[(ContentForm::RawHash, 12)],
        repeated: 2,
    },
    Recording {
        name: "g45",
        key: (KeyForm::Der, 5),
        transport: (36, 0),
        content: &[(ContentForm::Canonical, 8), (ContentForm::Fields, 13)],
        repeated: 0,
    },
    Recording {
        name: "g56",
        key: (KeyForm::Base64Pem, 4),
        transport: (25, 31),
        content: &[(ContentForm::Text, 15)],
        repeated: 1,
    },
];

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(object) => object.values().for_each(|item| collect(item, into)),
        _ => {}
    }
}

/// Every key that stands anywhere in a recording.
fn keys(name: &str) -> Vec<(PublicKey, Spelling)> {
    let mut texts = BTreeSet::new();
    for (_, frame) in frames(name) {
        collect(&serde_json::from_str(&frame).expect("JSON"), &mut texts);
    }
    texts.iter().filter_map(|text| key::read(text).ok()).collect()
}

fn verifiers(name: &str) -> Vec<Verifier> {
    keys(name).iter().map(|(key, _)| Verifier::new(key).expect("a verifier")).collect()
}

/// The text that one of the keys signed, and with which salt.
fn signed(verifiers: &[Verifier], texts: Vec<Vec<u8>>, signature: Vec<u8>) -> Option<(usize, Salt)> {
    let question = Question { texts, signature, salt: Some(Salt::Max) };
    let hits: Vec<_> = verifiers.iter().filter_map(|verifier| verifier.judge(&question)).collect();
    assert!(hits.len() <= 1, "{hits:?}");
    hits.first().copied()
}

#[test]
fn every_frame_is_read_and_printed_again() {
    for name in NAMES {
        let frames = frames(name);
        assert_eq!(frames.len(), 60);
        for (number, frame) in frames {
            let place = format!("{name}:{number}");
            let plain: Value = serde_json::from_str(&frame).expect("JSON");
            let read = Envelope::read(&frame).unwrap_or_else(|_| panic!("{place}"));
            let text = |field: &str| plain[field].as_str().unwrap_or_default();
            assert_eq!(
                (&*read.kind, &*read.from, &*read.to),
                (text("type"), text("from"), text("to")),
                "{place}"
            );
            assert_eq!(read.ts.as_ref().and_then(|ts| ts.millis()), plain["ts"].as_i64(), "{place}");
            assert_eq!(read.sig.as_deref().unwrap_or_default(), text("sig"), "{place}");
            assert_eq!(read.has_alg, plain.get("alg").is_some(), "{place}");
            assert_eq!(
                serde_json::from_str::<Value>(read.payload()).ok().as_ref(),
                plain.get("payload"),
                "{place}"
            );
            assert!(read.known().is_some() && is_socp(&frame), "{place}: {}", read.kind);
            let ts = read.ts.as_ref().map_or("0", |ts| ts.text());
            let again = print(&read.kind, &read.from, &read.to, ts, read.payload(), read.sig.as_deref());
            let again = Envelope::read(&again).expect("our own frame");
            assert_eq!(
                (again.kind, again.from, again.to, again.sig),
                (read.kind, read.from, read.to, read.sig)
            );
        }
    }
}

/// What a payload is about, read as what its type says.
fn subject(kind: Kind, payload: &str) -> Option<String> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    match kind {
        Kind::ServerHelloJoin | Kind::ServerHelloLink => {
            Introduction::read(payload).ok()?.port.map(|port| port.to_string())
        }
        Kind::UserHello => own(Introduction::read(payload).ok()?.pubkey.as_deref()),
        Kind::ServerWelcome => {
            let welcome = Welcome::read(payload).ok()?;
            own(welcome.assigned_id.as_deref().or_else(|| welcome.introducer_key("")))
        }
        Kind::UserAdvertise | Kind::UserRemove => Some(Presence::read(payload).ok()?.user_id.into_owned()),
        Kind::MsgDirect => own(Letter::read(payload).ok()?.content_sig.as_deref()),
        Kind::ServerDeliver => own(Letter::read(payload).ok()?.user_id.as_deref()),
        Kind::UserDeliver => own(Letter::read(payload).ok()?.content_sig.as_deref()),
        Kind::MsgPublicChannel => {
            let letter = Letter::read(payload).ok()?;
            own(letter.ciphertext.as_deref().or(letter.text.as_deref()))
        }
        Kind::FileStart => File::read(payload).ok()?.size.map(|size| size.to_string()),
        Kind::FileChunk => File::read(payload).ok()?.index.map(|index| index.to_string()),
        Kind::FileEnd => Some(File::read(payload).ok()?.file_id.into_owned()),
        Kind::Error => own(Complaint::read(payload).ok()?.code.as_deref()),
        Kind::Ack => own(Ack::read(payload).ok()?.msg_ref.as_deref()),
        Kind::UserDbGet | Kind::PubkeyRequest | Kind::DbGetUser => {
            own(KeyRequest::read(payload).ok()?.user())
        }
        Kind::UserDbUser | Kind::PubkeyResponse | Kind::DbUser => {
            own(KeyAnswer::read(payload).ok()?.pubkey())
        }
        Kind::UserList | Kind::ListResponse => {
            own(Names::read(payload).ok()?.users().first().and_then(|user| user.id()))
        }
        Kind::PublicChannelKeyShare => {
            own(KeyShare::read(payload).ok()?.shares().first().and_then(|share| share.wrapped()))
        }
        _ => Some(String::new()),
    }
}

#[test]
fn what_every_frame_is_about_is_found() {
    for name in NAMES {
        for (number, frame) in frames(name) {
            let read = Envelope::read(&frame).expect("a frame");
            let subject = subject(read.known().expect("a known type"), read.payload());
            let named = subject.filter(|subject| frame.contains(&subject.replace('\n', "\\n")));
            assert!(named.is_some(), "{name}:{number}: {frame}");
        }
    }
}

#[test]
fn transport_signatures_are_believed_in_the_form_in_which_they_were_made() {
    for Recording { name, key: (form, count), transport, .. } in RECORDINGS {
        let keys = keys(name);
        assert_eq!(keys.len(), count, "{name}");
        assert!(keys.iter().all(|(_, spelling)| *spelling == Spelling { form, padded: false }), "{name}");
        let verifiers = verifiers(name);
        let (mut believed, mut unknown) = (0, 0);
        for (number, frame) in frames(name) {
            let read = Envelope::read(&frame).expect("a frame");
            let Some(sig) = read.sig.as_deref() else { continue };
            let (ways, question) = sign::question(read.payload(), sig, None, false).expect("a signature");
            let forged = question.texts.iter().map(|text| [text, &b" "[..]].concat()).collect();
            match signed(&verifiers, question.texts, question.signature.clone()) {
                Some((at, salt)) => {
                    assert_eq!((ways[at], salt), (Way::default(), Salt::Max), "{name}:{number}");
                    let forged = signed(&verifiers, forged, question.signature);
                    assert_eq!(forged, None, "{name}:{number}");
                    believed += 1;
                }
                None => unknown += 1,
            }
        }
        assert_eq!((believed, unknown), transport, "{name}");
    }
}

fn candidates(read: &Envelope<'_>) -> Candidates {
    let kind = read.known().expect("a known type");
    if kind == Kind::PublicChannelKeyShare {
        let share = KeyShare::read(read.payload()).expect("a key");
        return content::key_share(share.shares.get(), share.creator_pub.as_deref().expect("its author"));
    }
    let letter = Letter::read(read.payload()).expect("a letter");
    let to = (kind != Kind::MsgPublicChannel).then_some(&*read.to);
    content::of(read.payload(), &letter, &read.from, to, read.ts.as_ref())
}

#[test]
fn content_signatures_are_believed_in_the_form_in_which_they_were_made() {
    for recording in RECORDINGS {
        let name = recording.name;
        let verifiers = verifiers(name);
        let mut counts: BTreeMap<ContentForm, usize> = BTreeMap::new();
        let (mut believed, mut repeated) = (BTreeSet::new(), 0);
        for (number, frame) in frames(name) {
            let read = Envelope::read(&frame).expect("a frame");
            let plain: Value = serde_json::from_str(read.payload()).expect("JSON");
            let Some(sig) = plain["content_sig"].as_str() else { continue };
            let signature = sign::decode(sig).expect("a signature");
            let (forms, texts): (Vec<_>, Vec<_>) = candidates(&read).into_iter().unzip();
            if let Some((at, salt)) = signed(&verifiers, texts, signature) {
                assert_eq!(salt, Salt::Max, "{name}:{number}");
                *counts.entry(forms[at]).or_default() += 1;
                believed.insert(sig.to_owned());
            } else {
                // The sender is missing, or the time was changed: only the frame before it can be checked.
                assert!(believed.contains(sig), "{name}:{number}");
                repeated += 1;
            }
        }
        let counts: Vec<_> = counts.into_iter().collect();
        assert_eq!((&counts[..], repeated), (recording.content, recording.repeated), "{name}");
    }
}

#[test]
fn some_of_them_tell_ascii_from_raw_text() {
    let differ = |(_, frame): &(usize, String)| {
        let read = Envelope::read(frame).expect("a frame");
        let payload = Payload::read(read.payload()).expect("a payload");
        read.sig.is_some() && payload.print(Form::SortedAscii) != payload.print(Form::SortedUtf8)
    };
    let counts = NAMES.map(|name| frames(name).iter().filter(|frame| differ(frame)).count());
    assert_eq!(counts, [0, 0, 4, 0]);
}
