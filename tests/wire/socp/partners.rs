//! Keys and accents: how each known partner spells, and how it is recognised.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use kith::{
    crypto::keys::{KeyError, PrivateKey, PublicKey},
    dialect::socp::{
        accent::{Accent, Clients, LinkType, PublicFrom},
        binary,
        envelope::{Envelope, print},
        key::{self, BadKey, KeyForm, Spelling},
    },
};

use super::frames;

/// A key that somebody really had.
static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let (_, frame) = frames("g17").swap_remove(0);
    let frame: serde_json::Value = serde_json::from_str(&frame).expect("JSON");
    key::read(frame["payload"]["pubkey"].as_str().expect("a key")).expect("a key").0
});

/// Where the PKCS#1 key begins in the SPKI of a key of 4096 bits.
const PKCS1_AT: usize = 24;

fn spellings() -> Vec<Spelling> {
    let forms = [KeyForm::Der, KeyForm::Base64Pem, KeyForm::Pem];
    let both = forms.into_iter().flat_map(|form| [false, true].map(|padded| Spelling { form, padded }));
    both.filter(|spelling| spelling.form != KeyForm::Pem || !spelling.padded).collect()
}

#[test]
fn every_form_of_a_key_is_read_back_as_it_was_written() {
    for (spelling, length) in spellings().into_iter().zip([734, 736, 1067, 1068, 800]) {
        let text = key::write(&KEY, spelling);
        assert_eq!(text.len(), length, "{spelling:?}");
        assert_eq!(key::read(&text), Ok((KEY.clone(), spelling)));
        let standard = text.replace('_', "/");
        let standard = if spelling.form == KeyForm::Pem { standard } else { standard.replace('-', "+") };
        assert_eq!(key::read(&standard), Ok((KEY.clone(), spelling)));
    }
    for other in [
        STANDARD_NO_PAD.encode(KEY.spki()),
        binary::encode(&KEY.spki()[PKCS1_AT..], false),
        KEY.canonical_pem(),
        binary::encode(KEY.canonical_pem().as_bytes(), false),
        KEY.column_pem().replace('\n', "\r\n"),
    ] {
        assert_eq!(key::read(&other).map(|(key, _)| key), Ok(KEY.clone()), "{other}");
    }
}

#[test]
fn other_keys_are_bad() {
    let small = PrivateKey::generate(2048).expect("a key");
    for spelling in spellings() {
        let text = key::write(small.public(), spelling);
        assert_eq!(key::read(&text), Err(BadKey(KeyError::WrongSize(2048))), "{spelling:?}");
    }
    let mut odd = KEY.spki().to_vec();
    *odd.last_mut().expect("an exponent") = 3;
    assert_eq!(key::read(&binary::encode(&odd, false)), Err(BadKey(KeyError::WrongExponent)));
    for wrong in
        ["", "AAAA", "-----BEGIN PUBLIC KEY-----", "LS0tLS1CRUdJTi", "not a key", &"A".repeat(100_000)]
    {
        assert_eq!(key::read(wrong), Err(BadKey(KeyError::Unreadable)), "{wrong}");
    }
}

/// Every accent that there can be.
fn accents() -> Vec<Accent> {
    let mut all = vec![Accent::default()];
    let mut vary = |change: &dyn Fn(Accent) -> Vec<Accent>| {
        all = all.iter().flat_map(|accent| change(*accent)).collect();
    };
    vary(&|accent| {
        [KeyForm::Der, KeyForm::Base64Pem, KeyForm::Pem]
            .map(|key_form| Accent { key_form, ..accent })
            .to_vec()
    });
    vary(&|accent| [false, true].map(|padding| Accent { padding, ..accent }).to_vec());
    vary(&|accent| [false, true].map(|prehash| Accent { prehash, ..accent }).to_vec());
    vary(&|accent| [false, true].map(|prefix| Accent { prefix, ..accent }).to_vec());
    vary(&|accent| {
        [LinkType::Join, LinkType::Link, LinkType::PeerLink].map(|link| Accent { link, ..accent }).to_vec()
    });
    vary(&|accent| {
        [PublicFrom::User, PublicFrom::Server].map(|public_from| Accent { public_from, ..accent }).to_vec()
    });
    vary(&|accent| [Clients::Users, Clients::Servers].map(|clients| Accent { clients, ..accent }).to_vec());
    vary(&|accent| [false, true].map(|channel| Accent { channel, ..accent }).to_vec());
    all
}

#[test]
fn every_accent_has_a_name_of_its_own() {
    let accents = accents();
    assert_eq!(accents.len(), 576);
    let mut names: Vec<String> = accents.iter().map(Accent::name).collect();
    for (accent, name) in accents.iter().zip(&names) {
        assert_eq!(Accent::parse(name).as_ref(), Ok(accent), "{name}");
        assert_eq!(accent.to_string(), *name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), accents.len());
}

#[test]
fn names_mean_what_they_say() {
    let parse = |name| Accent::parse(name).expect("an accent");
    for (name, shortest) in [
        ("text", "text"),
        ("g17", "no-channel"),
        ("g29", "no-channel"),
        ("samlovat", "no-channel"),
        ("samlovat+channel", "text"),
        ("key-der+unpadded+plain-hash+id-uuid+join+public-user+clients-users", "text"),
        ("g2", "g2"),
        ("key-pem", "key-pem"),
        ("key-pem+no-channel", "g2"),
        ("g56", "g56"),
        ("g45", "g45"),
        ("id-prefix+public-server", "g45"),
        ("g40", "g40"),
        ("admiral", "admiral"),
        ("link", "admiral"),
        ("pezhy", "pezhy"),
        ("prehash+peer-link+no-channel", "pezhy"),
        ("key-pem64+link", "g56+link"),
        ("padded", "padded"),
    ] {
        assert_eq!(parse(name).name(), shortest, "{name}");
    }
    for wrong in ["", "g3", "text+", "padded+text", "KEY-PEM", "g2,padded"] {
        let message = Accent::parse(wrong).expect_err(wrong).to_string();
        assert!(message.contains("samlovat") && message.contains("key-pem64"), "{message}");
    }
}

#[test]
fn recorded_partners_are_recognised_by_their_first_frames() {
    for (name, number, accent) in [
        ("g17", 1, "no-channel"),
        ("g17", 11, "text"),
        ("g2", 1, "g2"),
        ("g2", 7, "g2"),
        ("g45", 1, "g45"),
        ("g45", 5, "text"),
        ("g56", 1, "g56+link"),
        ("g56", 2, "g56"),
    ] {
        let frames = frames(name);
        let first = Envelope::read(&frames[number - 1].1).expect("a frame");
        assert_eq!(Accent::recognise(&first).name(), accent, "{name}:{number} {}", first.kind);
    }
}

#[test]
fn partners_that_nobody_recorded_are_recognised_too() {
    let key = |form, padded| key::write(&KEY, Spelling { form, padded });
    let plain = binary::encode(&[7; 512], false);
    let padded = binary::encode(&[7; 512], true);
    let id = "89d96a6e-3d5c-4a2b-9c1d-0f0e0d0c0b0a";
    for (kind, from, pubkey, sig, accent) in [
        ("SERVER_HELLO_JOIN", id, Some(key(KeyForm::Base64Pem, true)), Some(&*padded), "g40"),
        ("SERVER_HELLO_JOIN", id, Some(key(KeyForm::Base64Pem, false)), Some(&*plain), "g56"),
        ("SERVER_HELLO_LINK", id, Some(key(KeyForm::Der, false)), None, "admiral"),
        ("PEER_HELLO_LINK", id, Some(key(KeyForm::Der, false)), Some(&*plain), "pezhy"),
        ("SERVER_HELLO_JOIN", "master_server_1", Some(key(KeyForm::Der, false)), Some(&*plain), "g45"),
        ("SERVER_HELLO_JOIN", id, Some(key(KeyForm::Der, false)), Some(&*padded), "padded"),
        ("SERVER_HELLO_JOIN", id, None, Some(&*plain), "no-channel"),
        ("USER_HELLO", "server_of_drinks", Some(key(KeyForm::Pem, false)), Some(&*padded), "g2"),
        ("USER_HELLO", id, Some(key(KeyForm::Base64Pem, true)), None, "g40"),
        ("USER_HELLO", id, Some("nonsense".into()), None, "text"),
    ] {
        let payload = serde_json::json!({"host": "h", "port": "1", "pubkey": pubkey}).to_string();
        let frame = print(kind, from, "*", "1", &payload, sig);
        let first = Envelope::read(&frame).expect("a frame");
        assert_eq!(Accent::recognise(&first).name(), accent, "{frame}");
    }
}

#[test]
fn whoever_does_not_answer_a_link_is_asked_to_let_us_join() {
    let tried = |name: &str| {
        let accent = Accent::parse(name).expect("an accent");
        [0, 1, 2, 3, 4].map(|failures| accent.tried(failures).link)
    };
    let (link, join) = (LinkType::Link, LinkType::Join);
    assert_eq!(tried("text"), [link, link, join, link, join]);
    assert_eq!(tried("admiral"), [link, link, join, link, join]);
    assert_eq!(tried("pezhy"), [LinkType::PeerLink; 5], "nothing else is known to work");
}
