//! A client as its home server hears it, with an oracle in the place of RSA.

use serde_json::{Value, json};

use super::*;
use crate::{
    dialect::socp::{
        key::{KeyForm, Spelling},
        testing::{US, Who, judge, said, terms, unsigned, value},
    },
    domain::{
        letter::Audience,
        member::{Member, Whom},
    },
};

const ANNA: Who = Who("anna");
const BEN: Who = Who("ben");

struct House {
    session: Session,
    seen: Vec<Output>,
}

impl House {
    fn new() -> Self {
        Self { session: Session::new(ConnectionId(1), terms(false)), seen: Vec::new() }
    }

    /// Somebody is in.
    fn joined() -> Self {
        let mut house = Self::new();
        house.hear(&hello(ANNA));
        assert!(matches!(house.seen.pop(), Some(Output::Join(..))), "{:?}", house.seen);
        house
    }

    fn hear(&mut self, text: &str) {
        let mut inputs = vec![Input::Frame(Frame::Text(text.into()))];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.session.handle(input, &mut out);
            for output in out {
                match output {
                    Output::Check(check) => inputs.push(Input::Checked(judge(&check))),
                    Output::Find(whom) => {
                        let both = [ANNA, BEN].map(Who::member);
                        let wanted =
                            |member: &Arc<Member>| !matches!(whom, Whom::One(key) if member.key != key);
                        inputs.push(Input::Found(both.into_iter().filter(wanted).collect()));
                    }
                    other => self.seen.push(other),
                }
            }
        }
    }

    fn said(&mut self) -> Vec<Value> {
        let stamp = self.session.stamp();
        let said = self.seen.iter().filter_map(|output| match output {
            Output::Send(frame) => Some(said(stamp.unsigned(frame).expect("something to sign"))),
            _ => None,
        });
        let said = said.collect();
        self.seen.retain(|output| !matches!(output, Output::Send(_)));
        said
    }

    /// How a frame is counted, and with which code it is answered.
    fn refuses(&mut self, frame: &str) -> (Violation, String) {
        self.seen.clear();
        self.hear(frame);
        let [error] = &self.said()[..] else { panic!("{frame}: {:?}", self.seen) };
        let [Output::Note(violation)] = self.seen[..] else { panic!("{frame}: {:?}", self.seen) };
        assert_eq!((&error["type"], &error["from"]), (&json!("ERROR"), &json!("us")));
        (violation, error["payload"]["code"].as_str().expect("a code").to_owned())
    }

    fn routes(&mut self, frame: &str) -> Letter {
        self.seen.clear();
        self.hear(frame);
        match self.seen.pop() {
            Some(Output::Route(letter)) => letter,
            other => panic!("{frame}: {other:?}"),
        }
    }

    fn ending(&mut self) -> Option<Ending> {
        self.seen.drain(..).find_map(|output| match output {
            Output::Close(ending) => Some(ending),
            _ => None,
        })
    }

    fn last_word(&self, ending: Ending) -> String {
        let words = self.session.last_words(ending).expect("words");
        value(&words)["payload"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn hello(who: Who) -> String {
    who.says("USER_HELLO", who.0, "", 1, &json!({"client": "test", "pubkey": who.pubkey()}))
}

fn direct(text: &str) -> Value {
    json!({"ciphertext": text, "sender_pub": ANNA.pubkey(), "content_sig": "..."})
}

#[test]
fn a_second_key_is_taken_if_it_is_good_enough() {
    let hello = |enc_pubkey: &str| {
        let payload = json!({"pubkey": ANNA.pubkey(), "enc_pubkey": enc_pubkey});
        ANNA.says("USER_HELLO", "anna", "", 1, &payload)
    };
    let padded = format!("{}==", ANNA.pubkey());
    let second = BEN.pubkey();
    let mut spelled = Vec::new();
    for (said, kept) in [("", None), (padded.as_str(), None), (second.as_str(), Some(second.as_str()))] {
        let mut house = House::new();
        house.hear(&hello(said));
        let Some(Output::Join(newcomer, _)) = house.seen.pop() else { panic!("{said}: {:?}", house.seen) };
        assert_eq!(newcomer.named.and_then(|named| named.sealing_key).as_deref(), kept, "{said}");
        spelled.push(newcomer.spelled);
    }
    assert_eq!(spelled[0], spelled[1]);
    assert_ne!(spelled[1], spelled[2], "others are told when it changes");
    for weak in ANNA.weak_keys().into_iter().chain(["no key".to_owned()]) {
        let mut house = House::new();
        house.hear(&hello(&weak));
        assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadKey)), "{weak}");
    }
}

#[test]
fn who_leaves_its_name_to_the_server_gets_one_and_a_uuid_is_kept() {
    // The key in the spelling of the one program whose server names its users.
    let spelling = Spelling { form: KeyForm::Base64Pem, padded: true };
    let pubkey = key::write(&ANNA.key(), spelling);
    let named = |from: &str, pubkey: &str| {
        let mut house = House::new();
        house.hear(&ANNA.says("USER_HELLO", from, "", 1, &json!({"pubkey": pubkey})));
        let Some(Output::Join(newcomer, _)) = house.seen.pop() else { panic!("{from}: {:?}", house.seen) };
        newcomer.named.expect("a name").name.to_string()
    };
    let uuid = "11111111-1111-4111-8111-111111111111";
    assert_eq!(named(uuid, &pubkey), uuid, "a name of the usual kind is kept");
    let given = named("guest", &pubkey);
    assert!(uuid::Uuid::try_parse(&given).is_ok_and(|id| id.get_version_num() == 4), "{given}");
    assert_eq!(named("another guest", &pubkey), given, "the same whenever this key comes");
    assert_eq!(named("", &ANNA.pubkey()), given, "and however it is spelled");
    assert_eq!(named("anna", &ANNA.pubkey()), "anna", "others choose their names");
    assert_eq!(named("anna", &format!("{}==", ANNA.pubkey())), "anna", "padding alone makes nobody a guest");
}

#[test]
fn what_a_user_wants_to_be_called_is_told_to_others_if_it_can_be_shown() {
    for (meta, called) in [
        (json!({"display_name": "Anna of the hill", "age": 7}), Some("Anna of the hill")),
        (json!({"display_name": "é".repeat(64)}), Some("é".repeat(64).as_str())),
        (json!({"display_name": "x".repeat(65)}), None),
        (json!({"display_name": "  "}), None),
        (json!({"display_name": "an\u{7}na"}), None),
        (json!({"display_name": "\u{202e}anna"}), None),
        (json!({"display_name": ["anna"]}), None),
        (json!("anna"), None),
        (json!(null), None),
    ] {
        let mut house = House::new();
        let payload = json!({"pubkey": ANNA.pubkey(), "meta": meta});
        house.hear(&ANNA.says("USER_HELLO", "anna", "", 1, &payload));
        let Some(Output::Join(newcomer, _)) = house.seen.pop() else { panic!("{meta}: {:?}", house.seen) };
        let named = newcomer.named.expect("a name");
        assert_eq!(named.display_name.as_deref(), called, "{meta}");
        let member = Member { display_name: named.display_name, ..(*ANNA.member()).clone() };
        let told = value(&relay::came(&member, Accent::default()).expect("an arrival"));
        assert_eq!(told["payload"]["meta"].get("display_name").and_then(Value::as_str), called, "{meta}");
        assert_eq!(told["payload"]["user_id"], "anna");
    }
}

#[test]
fn a_hello_joins_signed_or_not() {
    for (frame, proven) in [(hello(ANNA), true), (unsigned(&hello(ANNA)), false)] {
        let mut house = House::new();
        house.hear(&frame);
        let [Output::Join(newcomer, Ear::Socp(_))] = &house.seen[..] else { panic!("{:?}", house.seen) };
        let named = newcomer.named.as_ref().expect("a name");
        assert_eq!((&*named.name, named.key, named.proven), ("anna", Some(ANNA.key().id()), proven));
        assert_eq!(newcomer.key, id_of("anna"));
    }
}

#[test]
fn a_bad_hello_ends_the_connection_with_its_code() {
    let [short, small] = ANNA.weak_keys();
    let with = |key: &str| ANNA.says("USER_HELLO", "anna", "", 1, &json!({"pubkey": key}));
    let named = |name: &str| ANNA.says("USER_HELLO", name, "", 1, &json!({"pubkey": ANNA.pubkey()}));
    let key = Ending::Violated(Violation::BadKey);
    let frames = [
        (with(&short), key, "BAD_KEY"),
        (with(&small), key, "BAD_KEY"),
        (with("AAAA"), key, "BAD_KEY"),
        (ANNA.says("USER_HELLO", "anna", "", 1, &json!({})), key, "BAD_KEY"),
        (named("*"), key, "BAD_KEY"),
        (named("public"), key, "BAD_KEY"),
        (named(&"x".repeat(65)), key, "BAD_KEY"),
        (
            BEN.says("USER_HELLO", "anna", "", 1, &json!({"pubkey": ANNA.pubkey()})),
            Ending::Violated(Violation::BadSignature),
            "INVALID_SIG",
        ),
    ];
    for (frame, ending, code) in frames {
        let mut house = House::new();
        house.hear(&frame);
        assert_eq!(house.ending(), Some(ending), "{frame}");
        assert_eq!(house.last_word(ending), code);
        house.hear(&hello(ANNA));
        house.hear("{");
        assert!(house.seen.is_empty(), "nothing after the end");
    }
}

#[test]
fn last_words_have_the_code_of_the_end() {
    let house = House::joined();
    for (refusal, code) in [
        (Refusal::WrongKey, "BAD_KEY"),
        (Refusal::NameInUse, "NAME_IN_USE"),
        (Refusal::Unproven, "INVALID_SIG"),
        (Refusal::Replayed, "INVALID_SIG"),
    ] {
        assert_eq!(house.last_word(Ending::Refused(refusal)), code);
    }
    assert_eq!(house.last_word(Ending::Silent), "TIMEOUT");
    assert_eq!(house.session.last_words(Ending::Left), None);
    assert_eq!(house.session.last_words(Ending::Draining), Some(relay::goodbye()));
}

#[test]
fn nothing_is_heard_before_the_hello() {
    let mut house = House::new();
    for kind in ["MSG_DIRECT", "SERVER_DELIVER", "CMD_LIST", "HEARTBEAT"] {
        let frame = ANNA.says(kind, "anna", "ben", 1, &direct("x"));
        assert_eq!(house.refuses(&frame), (Violation::OutOfOrder, "UNKNOWN_TYPE".to_owned()), "{kind}");
    }
}

#[test]
fn users_never_say_what_servers_say() {
    let mut house = House::joined();
    for kind in Kind::ALL.iter().filter(|kind| kind.server_only() && **kind != Kind::UserAdvertise) {
        let payload = json!({"user_id": "ben", "server_id": "us", "ciphertext": "x", "sender": "ben"});
        let frame = ANNA.says(kind.name(), "anna", "ben", 1, &payload);
        let (violation, code) = house.refuses(&frame);
        assert_eq!((violation, code.as_str()), (Violation::OutOfOrder, "UNKNOWN_TYPE"), "{kind:?}");
    }
    let other = ANNA.says("USER_ADVERTISE", "anna", "*", 1, &json!({"user_id": "ben"}));
    assert_eq!(house.refuses(&other).0, Violation::OutOfOrder);
    house.seen.clear();
    house.hear(&ANNA.says("USER_ADVERTISE", "anna", "*", 1, &json!({"user_id": "anna"})));
    assert!(house.seen.is_empty(), "one program has its users say that they are there");
}

#[test]
fn nobody_speaks_in_another_name_or_without_one() {
    let mut house = House::joined();
    for name in ["ben", "us", "Anna", ""] {
        for kind in ["MSG_DIRECT", "MSG_PUBLIC_CHANNEL", "FILE_START"] {
            let frame = ANNA.says(kind, name, "ben", 1, &direct("x"));
            for frame in [frame.clone(), unsigned(&frame)] {
                let refused = house.refuses(&frame);
                assert_eq!(refused, (Violation::WrongSender, "INVALID_SIG".to_owned()), "{name} {kind}");
            }
        }
    }
    let forged = BEN.says("MSG_DIRECT", "anna", "ben", 1, &direct("x"));
    assert_eq!(house.refuses(&forged), (Violation::BadSignature, "INVALID_SIG".to_owned()));
    let changed = ANNA.says("MSG_DIRECT", "anna", "ben", 1, &direct("x")).replace("\"x\"", "\"y\"");
    assert_eq!(house.refuses(&changed), (Violation::BadSignature, "INVALID_SIG".to_owned()));
    assert_eq!(house.refuses(&hello(ANNA)), (Violation::OutOfOrder, "NAME_IN_USE".to_owned()));
    assert_eq!(house.refuses("{"), (Violation::Malformed, "UNKNOWN_TYPE".to_owned()));
    assert_eq!(house.refuses(&ANNA.says("HIJACK", "anna", "", 1, &json!({}))).1, "UNKNOWN_TYPE");
}

#[test]
fn letters_go_to_whom_they_are_for() {
    let mut house = House::joined();
    let says = |kind: &str, to: &str, payload: &Value| ANNA.says(kind, "anna", to, 5, payload);
    let to_ben = Audience::Member(id_of("ben"));
    let private = house.routes(&says("MSG_DIRECT", "ben", &direct("x")));
    assert_eq!((private.author, &private.audience), (Author::Proven(id_of("anna")), &to_ben));
    assert_eq!(house.routes(&unsigned(&says("MSG_DIRECT", "ben", &direct("x")))).trace, private.trace);
    assert_ne!(house.routes(&says("MSG_DIRECT", "ben", &direct("y"))).trace, private.trace);
    for group in ["public", "all", "*", "us"] {
        let public = house.routes(&says("MSG_PUBLIC_CHANNEL", group, &direct("x")));
        assert_eq!(public.audience, Audience::Everyone, "{group}");
    }
    // Of other groups nobody here is a member.
    let group = house.routes(&says("MSG_PUBLIC_CHANNEL", "g123", &direct("x")));
    assert_eq!(group.audience, Audience::Member(id_of("g123")));
    // A file goes where its parts go.
    let file = json!({"file_id": "1", "name": "x", "size": 1, "mode": "public"});
    assert_eq!(house.routes(&says("FILE_START", "ben", &file)).audience, to_ben);
    let unread = json!({"ciphertext": "x", "content_sig": format!("sig:{}", "!".repeat(700))});
    let again = json!({"ciphertext": "y", "content_sig": format!("sig:{}", "!".repeat(700))});
    let [one, other] =
        [&unread, &again].map(|payload| house.routes(&says("MSG_DIRECT", "ben", payload)).trace);
    assert_ne!(one, other, "a signature that nobody can read makes no two letters one");
    let file = json!({"file_id": "1", "name": "x", "size": 1, "mode": "dm"});
    assert_eq!(house.routes(&says("FILE_START", "ben", &file)).audience, to_ben);
    let file = json!({"file_id": "1", "name": "x", "size": 1, "mode": "public"});
    assert_eq!(house.routes(&says("FILE_START", "public", &file)).audience, Audience::Everyone);
}

#[test]
fn questions_are_answered_to_who_asks() {
    let mut house = House::joined();
    house.hear(&ANNA.says("CMD_LIST", "anna", "us", 1, &json!({})));
    let [list] = &house.said()[..] else { panic!("{:?}", house.seen) };
    assert_eq!((&list["type"], &list["to"], &list["ts"]), (&json!("USER_LIST"), &json!("anna"), &json!(77)));
    assert_eq!(list["payload"]["users"], json!(["anna", "ben"]));
    assert_eq!(list["sig"], US.sig(&list["payload"]));
    for (user, kind) in [("ben", "PUBKEY_RESPONSE"), ("nobody", "ERROR")] {
        house.hear(&ANNA.says("PUBKEY_REQUEST", "anna", "us", 1, &json!({"user_id": user})));
        assert_eq!(house.said()[0]["type"], kind);
    }
}
