//! One built signature for every way of signing that was not recorded. Each is made over a text that is
//! written out here, and must be believed in that form and no other.

use std::sync::LazyLock;

use kith::{
    crypto::{
        keys::PrivateKey,
        sha256,
        signature::{Salt, Verifier, sign},
    },
    dialect::socp::{
        KEY_BITS, binary,
        canonical::Form,
        content::{self, Candidates, ContentForm},
        payload::Letter,
        sign::{self as socp, Way},
    },
};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KEY_BITS).expect("a key"));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(KEY.public()).expect("a verifier"));

fn made(text: &[u8], salt: Salt) -> Vec<u8> {
    sign(&KEY, text, salt).expect("a signature")
}

/// In which way a payload was signed.
fn way(payload: &str, sig: &str, prehash: bool) -> Option<(Way, Salt)> {
    let (ways, question) = socp::question(payload, sig, None, prehash)?;
    let (at, salt) = VERIFIER.judge(&question)?;
    // What was found is found again at once.
    let (again, question) = socp::question(payload, sig, Some((ways[at], salt)), prehash)?;
    assert_eq!((again[0], question.salt, VERIFIER.judge(&question)), (ways[at], Some(salt), Some((0, salt))));
    Some((ways[at], salt))
}

#[test]
fn every_way_of_signing_a_payload_is_believed() {
    for (received, signed, form, salt) in [
        (r#"{"b":1,"a":"é"}"#, r#"{"a":"\u00e9","b":1}"#, Form::SortedAscii, Salt::Digest),
        (r#"{"b":1,"a":"\u00e9"}"#, r#"{"a":"é","b":1}"#, Form::SortedUtf8, Salt::Max),
        (r#"{"b":1, "a":2}"#, r#"{"b":1, "a":2}"#, Form::Received, Salt::Digest),
        (r#"{"b":1, "a":2}"#, r#"{"b":1,"a":2}"#, Form::Compact, Salt::Digest),
        (
            r#"{"clients":[{"user_id":"u"}],"assigned_id":"x"}"#,
            r#"{"assigned_id":"x","clients":[{}]}"#,
            Form::Trap,
            Salt::Digest,
        ),
    ] {
        for prehash in [false, true] {
            let text = if prehash { sha256(signed.as_bytes()).to_vec() } else { signed.as_bytes().to_vec() };
            let signature = made(&text, salt);
            let expected = Some((Way { form, prehash }, salt));
            let twice = binary::encode(binary::encode(&signature, false).as_bytes(), true);
            for sig in [binary::encode(&signature, false), binary::encode(&signature, true), twice] {
                assert_eq!(way(received, &sig, true), expected, "{received}");
                assert_eq!(way(received, &sig, false), expected.filter(|_| !prehash), "{received}");
                // What the trap covers has a test of its own: it is less.
                let changed = received.replace("\"b\"", "\"c\"").replace("assigned_id", "assigned");
                assert_ne!(changed, received);
                assert_eq!(way(&changed, &sig, true), None);
            }
        }
    }
}

/// Whoever falls into the trap signs every outermost field and the length of every list, but of the objects inside
/// only those fields whose names are those of outermost ones, too.
#[test]
fn the_trap_covers_the_outermost_fields_and_of_those_inside_only_their_namesakes() {
    let sent = r#"{"to":"x","list":[{"user":"u","to":"y"},7],"deep":{"user":{"to":1},"list":[]},"port":1}"#;
    let text = r#"{"deep":{"list":[]},"list":[{"to":"y"},7],"port":1,"to":"x"}"#;
    let sig = binary::encode(&made(text.as_bytes(), Salt::Digest), false);
    let trap = Way { form: Form::Trap, prehash: false };
    let believed = Some((trap, Salt::Digest));
    assert_eq!(way(sent, &sig, true), believed);
    assert_eq!(socp::covered(sent, trap).as_deref(), Some(text), "and no more counts than what was signed");
    for (part, forged) in [
        ("\"to\":\"x\"", "\"to\":\"z\""),
        ("\"to\":\"y\"", "\"to\":\"z\""),
        (",\"to\":\"y\"", ""),
        ("\"user\":\"u\"", "\"user\":\"u\",\"port\":1"),
        (",7]", ",8]"),
        (",7]", "]"),
        ("[{", "[{},{"),
        ("\"list\":[]", "\"list\":[{}]"),
        ("\"port\":1", "\"port\":2"),
        ("\"port\":1", "\"pork\":1"),
        (",\"port\":1", ""),
        ("\"port\":1", "\"port\":1,\"more\":1"),
        ("\"deep\"", "\"user\""),
    ] {
        let changed = sent.replacen(part, forged, 1);
        assert_ne!(changed, sent, "{part}");
        assert_eq!(way(&changed, &sig, true), None, "{part} as {forged}");
    }
    for (part, forged) in [
        ("\"user\":\"u\"", "\"user\":\"v\""),
        ("\"user\":\"u\",", ""),
        ("\"user\":\"u\"", "\"user\":\"u\",\"host\":\"evil\""),
        ("{\"to\":1}", "{\"to\":2}"),
    ] {
        let changed = sent.replacen(part, forged, 1);
        assert_ne!(changed, sent, "{part}");
        assert_eq!(way(&changed, &sig, true), believed, "{part} as {forged}");
        // So it proves nothing where every word counts, and nothing that is inside is kept.
        let (_, question) =
            socp::question_about_all(&changed, &sig, Some((trap, Salt::Digest))).expect("one");
        assert_eq!(VERIFIER.judge(&question), None, "{part} as {forged}");
        assert_eq!(socp::covered(&changed, trap).as_deref(), Some(text));
    }
    // Without objects inside the trap loses nothing, and is a signature like any other.
    let flat = r#"{"b":[1],"a":"x"}"#;
    assert_eq!(socp::covered(flat, trap), None);
}

/// In which form a content was signed.
fn form(candidates: Candidates, text: &[u8]) -> Option<ContentForm> {
    let (forms, texts): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
    texts.iter().position(|known| known == text).map(|at| forms[at])
}

#[test]
fn every_way_of_signing_a_letter_is_among_those_that_are_tried() {
    let raw = b"\xfb\xefAnna-Ben1795216494150";
    let direct = content::direct("--8", "Anna-", "Ben", "1795216494150");
    for (text, expected) in [
        (&b"--8Anna-Ben1795216494150"[..], ContentForm::Text),
        (raw, ContentForm::Raw),
        (&sha256(b"--8Anna-Ben1795216494150"), ContentForm::TextHash),
        (&sha256(raw), ContentForm::RawHash),
        (b"--8|Anna-|Ben|1795216494150", ContentForm::Joined),
        (b"--8|Anna-|Ben|1795216494.15", ContentForm::JoinedSeconds),
        (br#"{"ciphertext":"--8","from":"Anna-","to":"Ben","ts":1795216494150}"#, ContentForm::Canonical),
        (b"--8", ContentForm::First),
    ] {
        assert_eq!(form(direct.clone(), text), Some(expected));
    }
    assert_eq!(direct.len(), 8);
    let public = content::public("hi all!", "Anna", "1795216494.0");
    for (text, expected) in [
        (&b"hi all!Anna1795216494.0"[..], ContentForm::Text),
        (b"hi all!|Anna|1795216494.0", ContentForm::Joined),
        (br#"{"ciphertext":"hi all!","from":"Anna","ts":1795216494.0}"#, ContentForm::Canonical),
        (b"hi all!", ContentForm::First),
    ] {
        assert_eq!(form(public.clone(), text), Some(expected));
    }
    assert_eq!(public.len(), 5, "what is no base64 has no bytes, and no milliseconds no seconds");
    let ours = content::text("--8", "Anna-", Some("Ben"), "1795216494150");
    assert_eq!(form(direct, ours.as_bytes()), Some(ContentForm::default()));
}

#[test]
fn every_way_of_signing_a_wrapped_key_is_among_those_that_are_tried() {
    let share = content::key_share(r#"[{"wrapped":"w", "member":"m"}]"#, "----");
    let text = br#"[{"member":"m","wrapped":"w"}]----"#;
    let mut digest = sha256(&text[..text.len() - 4]).to_vec();
    digest.extend([0xfb, 0xef, 0xbe]);
    for (text, expected) in [
        (&text[..], ContentForm::Text),
        (&sha256(text), ContentForm::TextHash),
        (br#"[{"member":"m","wrapped":"w"}]|----"#, ContentForm::Joined),
        (br#"{"creator_pub":"----","shares":[{"member":"m","wrapped":"w"}]}"#, ContentForm::Canonical),
        (&digest, ContentForm::Digest),
    ] {
        assert_eq!(form(share.clone(), text), Some(expected));
    }
    assert_eq!(share.len(), 5);
}

#[test]
fn of_a_delivered_letter_what_its_author_knew_is_tried() {
    // The server that delivers it is its sender, and gave it another time.
    let payload = r#"{"ciphertext":"AAAA","sender":"Anna","user_id":"Ben","orig_ts":"7","content_sig":"x"}"#;
    let letter = Letter::read(payload).expect("a letter");
    let candidates = content::of(payload, &letter, "server", Some("server_2"), None);
    assert_eq!(form(candidates.clone(), b"AAAAAnnaBen7"), Some(ContentForm::Text));
    let fields = br#"{"ciphertext":"AAAA","orig_ts":"7","sender":"Anna"}"#;
    assert_eq!(form(candidates, fields), Some(ContentForm::Fields));
}
