//! What a neighbour may wrap, and what it may list.

use super::*;
use crate::{
    crypto::keys::PrivateKey,
    domain::{letter::Origin, mesh::Mesh, news::Effect, replay::Trace},
};

const HOME: HomeId = HomeId(2);

/// A letter as a neighbour wraps it, whatever it says.
fn wrapped(original: &str) -> Bytes {
    let letter = Letter {
        from: Origin::Home(HOME),
        author: Author::Proven(KeyId([7; 32])),
        audience: Audience::Everyone,
        trace: Trace([1; 16]),
        dialect: Dialect::Olaf,
        original: Frame::Text(original.to_owned().into()),
        plain: None,
    };
    match super::letter(&letter) {
        Some(Frame::Binary(bytes)) => bytes,
        other => panic!("{other:?}"),
    }
}

fn public_chat(signature: &str) -> String {
    let data = r#"{\"type\":\"public_chat\",\"sender\":\"x\",\"message\":\"hi\"}"#;
    format!(r#"{{"type":"signed_data","data":"{data}","counter":1,"signature":"{signature}"}}"#)
}

#[test]
fn a_letter_is_read_and_recognised_by_its_own_signature() {
    let read = |text: &str| {
        let read = read_letter(&wrapped(text), HOME, 4).expect("a message");
        read.expect("a dialect we know").expect("a letter")
    };
    let one = read(&public_chat("AAAA"));
    assert_eq!(one.author, Author::Vouched { author: KeyId([7; 32]), named: None });
    assert_eq!((one.audience, one.from), (Audience::Everyone, Origin::Home(HOME)));
    assert_ne!(one.trace, Trace([1; 16]), "whatever the neighbour says about it");
    let other = read(&public_chat("BBBB"));
    assert_ne!(one.trace, other.trace);
}

#[test]
fn what_is_no_letter_reaches_nobody() {
    for original in [
        r#"{"type":"client_list","servers":[]}"#,
        r#"{"type":"client_update","clients":[]}"#,
        r#"{"data":{"type":"public_chat","sender":"x","message":"unsigned"}}"#,
        "hello",
        "",
    ] {
        let read = read_letter(&wrapped(original), HOME, 4).expect("a message");
        let violation = read.expect("a dialect we know").err();
        assert_eq!(violation, Some(Violation::Malformed), "{original}");
    }
    let whole = wrapped(&public_chat("AAAA"));
    let half = whole.slice(..whole.len() / 2);
    assert_eq!(read_letter(&half, HOME, 4).err(), Some(Malformed), "what the neighbour itself says is wrong");
}

#[test]
fn a_member_is_a_key_and_the_one_that_it_is_listed_under() {
    let key = PrivateKey::generate(2048).expect("a key").public().clone();
    let member = |key: KeyId, public_key: &str| Member {
        name: None,
        key,
        number: 1001,
        dialect: Dialect::Olaf,
        public_key: public_key.into(),
        spelled: KeyId(sha256(public_key.as_bytes())),
        fingerprint: Some(key),
        sealing_key: None,
        display_name: None,
    };
    let told = |member: &Member| match change(1, member, true) {
        Frame::Binary(bytes) => read_news(&bytes).map(|news| news.is_some()),
        Frame::Text(_) => Err(Malformed),
    };
    assert_eq!(told(&member(key.id(), &key.column_pem())), Ok(true));
    assert_eq!(told(&member(key.id(), &key.canonical_pem())), Ok(true));
    assert_eq!(told(&member(KeyId([1; 32]), &key.column_pem())), Err(Malformed), "another key");
    let text = "no key at all";
    assert_eq!(told(&member(KeyId(sha256(text.as_bytes())), text)), Err(Malformed));
    let long = format!("{}{}", key.canonical_pem(), " ".repeat(LONGEST_KEY));
    assert_eq!(told(&member(key.id(), &long)), Err(Malformed));
}

/// A neighbour with a newer program and what we make of it.
struct Newer {
    mesh: Mesh,
    digest: Digest,
    sequence: u64,
}

impl Newer {
    fn new() -> Self {
        let mut mesh = Mesh::new(10);
        mesh.link(HOME, "newer:1".into(), vec![]);
        Self { mesh, digest: Digest::default(), sequence: 0 }
    }

    fn says(&mut self, message: &[u8]) -> Effect {
        self.mesh.hear(HOME, read_news(message).expect("a message").expect("news"))
    }

    /// Says how many of its members we know, if we believe to know where its list stands.
    fn stands(&mut self) -> Option<usize> {
        let Frame::Binary(said) = standing(self.sequence, self.digest) else { return None };
        let effect = self.says(&said);
        (!effect.lost).then(|| self.mesh.listed(HOME).count())
    }

    fn part(&mut self, members: Vec<MemberWire<'_>>) -> Effect {
        self.digest = Digest::default();
        members.iter().for_each(|member| self.digest.toggle(KeyId(sha256(member.public_key.as_bytes()))));
        let part = PartWire { after: None, through: None, sequence: self.sequence, members };
        self.says(&encode(kind::PART, &part))
    }

    fn change(&mut self, change: ChangeWire<'_>, whose: &str) -> Effect {
        self.sequence += 1;
        self.digest.toggle(KeyId(sha256(whose.as_bytes())));
        self.says(&encode(kind::CHANGES, &ChangesWire { first: self.sequence, changes: vec![change] }))
    }
}

#[test]
fn members_of_a_dialect_that_we_do_not_know_count_and_are_nobody() {
    let key = PrivateKey::generate(2048).expect("a key").public().clone();
    let pem = key.canonical_pem();
    let ours =
        || MemberWire { dialect: "olaf", public_key: &pem, key: key.id().0, name: "", sealing_key: "" };
    // What a key is there, and how long, is their own affair.
    let (short, long) = ("klin:7", "k".repeat(3 * LONGEST_KEY));
    let theirs = |public_key| MemberWire {
        dialect: "klin",
        public_key,
        key: sha256(public_key.as_bytes()),
        name: "",
        sealing_key: "",
    };
    let mut newer = Newer::new();
    assert!(newer.part(vec![theirs(short), ours(), theirs(&long)]).changed);
    assert_eq!(newer.stands(), Some(1));
    assert_eq!(newer.change(ChangeWire::Went(theirs(short).key), short), Effect::default());
    assert_eq!(newer.stands(), Some(1));
    assert_eq!(newer.change(ChangeWire::Came(theirs(short)), short), Effect::default());
    assert_eq!(newer.stands(), Some(1));
    assert!(newer.change(ChangeWire::Went(ours().key), &pem).changed);
    assert_eq!(newer.stands(), Some(0));
    assert_eq!(newer.part(vec![theirs(&long)]), Effect::default());
    assert_eq!(newer.stands(), Some(0));
    newer.digest = Digest::default();
    assert_eq!(newer.stands(), None, "whoever left without a word is missed");
}

#[test]
fn a_second_key_crosses_the_link_and_counts_in_the_digest() {
    use crate::dialect::socp::testing::Who;
    let anna = Member { sealing_key: Some(Who("ben").pubkey().into()), ..(*Who("anna").member()).clone() };
    let told = |member: &Member| {
        let Frame::Binary(bytes) = change(1, member, true) else { panic!("binary") };
        match read_news(&bytes) {
            Ok(Some(News::Changes { changes, .. })) => changes,
            Ok(other) => panic!("{other:?}"),
            Err(Malformed) => Vec::new(),
        }
    };
    let changes = told(&anna);
    let [Change::Came(Listed::Known(resident))] = &changes[..] else { panic!("{changes:?}") };
    let named = resident.named.as_ref().expect("a name");
    assert_eq!(named.sealing_key, anna.sealing_key);
    assert_ne!(resident.spelled, Who("anna").member().spelled);
    let weak = Member { sealing_key: Some("no key".into()), ..anna };
    assert!(told(&weak).is_empty(), "that is no key");
}
