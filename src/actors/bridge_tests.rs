//! What is said again is signed so that everybody believes it is the bridge's, and nobody that it is another's.

use super::*;
use crate::{
    actors::stillness::Stillness,
    crypto::{
        keys::PublicKey,
        signature::{Question, Verifier},
    },
    dialect::{olaf, socp::envelope::Envelope},
    domain::{
        bridge::Bridge,
        letter::{Audience, Author, Letter, Origin},
        limits::Limits,
        rooms::{Deed, LineId, RoomName, Speaker, Stamp},
        switchboard::Switchboard,
    },
};

fn line(text: &str) -> Job {
    let by = Speaker { member: KeyId([1; 32]), name: "alice".into(), dialect: Some(Dialect::Tpacket) };
    let id = LineId { stamp: Stamp::at(unix_ms()), home: KeyId([2; 32]) };
    let (room, deed) = (RoomName::public(), Deed::Said(text.to_owned().into()));
    let line = Arc::new(Line { id, room, by: Some(by), deed, was_letter: false });
    let under_way = Stillness::default().look();
    Job { line, dialect: Dialect::Olaf, reach: Reach::Home, read_by: Arc::default(), under_way }
}

fn keys() -> BridgeKeys {
    BridgeKeys::generate().expect("keys")
}

fn has_signed(key: &PublicKey, text: Vec<u8>, signature: Vec<u8>) -> bool {
    let question = Question { texts: vec![text], signature, salt: Some(Salt::Digest) };
    Verifier::new(key).expect("a key").judge(&question).is_some()
}

/// The letter as it goes out from a house, if it does.
fn plan(spoken: &Spoken) -> bool {
    let mut house = Switchboard::new([], &Limits::default());
    let seat = Bridge::seat(spoken.by.dialect);
    let (member, is_new) = house.join(seat, &spoken.by).expect("a place");
    let letter = Letter {
        from: Origin::Here(seat),
        author: Author::Proven(member.key),
        audience: Audience::Everyone,
        trace: spoken.trace,
        dialect: spoken.by.dialect,
        original: spoken.frame.clone(),
        plain: None,
    };
    is_new && house.route(&letter).is_ok() && !Bridge::may_carry(&letter)
}

#[test]
fn olaf_members_hear_a_signed_letter_with_a_counter_that_survives_restarts() {
    let keys = keys();
    let (mut last, mut who) = (0_u64, None);
    for _ in 0..2 {
        // As after a restart: the key is kept, and the counter goes on. No restart takes less than this.
        while i128::from(unix_ms()) <= i128::from(last) {
            std::thread::yield_now();
        }
        let mut pen = Pen { keys: keys.clone(), last: 0 };
        for _ in 0..2 {
            let spoken = pen.write(line("héllo")).expect("a key").expect("words");
            let Frame::Text(text) = &spoken.frame else { panic!("{spoken:?}") };
            let Ok(olaf::wire::Message::Signed(signed)) = olaf::wire::Message::read(text) else {
                panic!("{text}")
            };
            let Ok(olaf::wire::Body::PublicChat { sender, message }) = signed.body() else {
                panic!("{text}")
            };
            let key = PublicKey::read(&spoken.by.public_key).expect("a key");
            assert_eq!((message.as_str(), sender), ("alice (tpacket): héllo", say::fingerprint(key.id())));
            assert!(signed.counter > last, "{} after {last}", signed.counter);
            assert_eq!(*who.get_or_insert(spoken.by.key), key.id());
            assert!(has_signed(&key, say::signed(&signed.data, signed.counter), signed.signature.clone()));
            assert!(plan(&spoken));
            last = signed.counter;
        }
    }
}

#[test]
fn socp_members_hear_a_letter_in_every_form_that_programs_show() {
    let mut pen = Pen { keys: keys(), last: 0 };
    let job = Job { dialect: Dialect::Socp, ..line("héllo") };
    let spoken = pen.write(job).expect("a key").expect("words");
    let Frame::Text(text) = &spoken.frame else { panic!("{spoken:?}") };
    let envelope = Envelope::read(text).expect("a frame");
    let payload: serde_json::Value = serde_json::from_str(envelope.payload()).expect("a payload");
    let (key, _) = socp::key::read(&spoken.by.public_key).expect("a key");
    let name = socp::bridge::name(&key);
    assert_eq!((&*envelope.from, &*envelope.to, payload["from"].as_str()), (&*name, "public", Some(&*name)));
    assert_eq!(payload["text"], "alice (tpacket): héllo");
    let coded = payload["ciphertext"].as_str().expect("a text");
    assert_eq!(socp::binary::decode(coded).as_deref(), Some("alice (tpacket): héllo".as_bytes()));
    let bytes = |text: &str| socp::sign::decode(text).expect("a signature");
    let sig = bytes(envelope.sig.as_deref().expect("signed"));
    assert!(has_signed(&key, envelope.payload().as_bytes().to_vec(), sig));
    let ts = envelope.ts.as_ref().expect("a time").text().to_owned();
    let content = socp::content::text(coded, &name, None, &ts).into_bytes();
    assert!(has_signed(&key, content, bytes(payload["content_sig"].as_str().expect("signed"))));
    assert!(socp::heard::is_a_letter(socp::kind::Kind::MsgPublicChannel, &envelope, Some(&name)));
    assert!(plan(&spoken));
    let member = crate::domain::member::Member {
        key: spoken.by.key,
        name: Some(name.as_str().into()),
        number: 1,
        dialect: Dialect::Socp,
        public_key: Arc::clone(&spoken.by.public_key),
        spelled: spoken.by.spelled,
        sealing_key: None,
        display_name: None,
        fingerprint: None,
    };
    assert!(socp::bridge::is_bridge(&member), "every house knows it by its name and key");
    assert!(!socp::bridge::is_bridge(&crate::domain::member::Member { name: Some("anna".into()), ..member }));
}
