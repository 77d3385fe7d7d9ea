//! One built frame for every way of signing and naming that was not recorded, by the tables in
//! `docs/olaf-accents.md`.
//!
//! Each row is signed here with a real key exactly as that implementation signs, and must be believed
//! in that form and no other; the same frame with anything changed must not.

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kith::{
    crypto::{
        fingerprint::{self, Spelling, Text},
        keys::{PrivateKey, PublicKey},
        sha256,
        signature::{Question, Salt, Verdict, Verifier, sign},
    },
    dialect::{
        Ear, Session,
        event::{Input, Output},
        olaf::{
            accent::{self, Form, Letters, Lists},
            print::{ascii, compact, python, sorted},
            wire::Message,
        },
        press,
    },
    domain::{
        id::{ConnectionId, KeyId},
        letter::Frame,
        refusal::{Ending, Violation},
    },
};
use serde_json::{Value, json};

use crate::terms::terms;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).expect("a key"));
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).expect("a key"));

const PLAIN: accent::Ear = accent::Ear { letters: Letters::AsSent, lists: Lists::Plain };

/// A way of printing.
type Print = fn(&Value) -> String;

fn compact_sorted(value: &Value) -> String {
    compact(&sorted(value))
}

fn ascii_sorted(value: &Value) -> String {
    ascii(&sorted(value))
}

fn python_sorted(value: &Value) -> String {
    python(&sorted(value))
}

/// How one implementation writes.
#[derive(Clone, Copy)]
struct Writer {
    name: &'static str,
    /// How the data is printed in the frame, and whether it is a string there.
    shown: Print,
    as_string: bool,
    /// How it is printed for the signature, and whether counter and data stand in one object there.
    signed: Print,
    wrapped: bool,
    salt: Salt,
    /// Whether the counter is a string of digits.
    counter_as_text: bool,
    first_counter: u64,
    /// How the key is spelled, and how the fingerprint is made.
    spell: fn(&PublicKey) -> String,
    fingerprint: (Text, Spelling),
    /// What must be found.
    form: Form,
    ear: accent::Ear,
}

fn columns(key: &PublicKey) -> String {
    key.column_pem()
}

fn columns_and_newline(key: &PublicKey) -> String {
    format!("{}\n", key.column_pem())
}

/// The specification, v1.2; the rows below say where they deviate.
const SPEC: Writer = Writer {
    name: "spec",
    shown: compact,
    as_string: true,
    signed: compact,
    wrapped: false,
    salt: Salt::Digest,
    counter_as_text: false,
    first_counter: 0,
    spell: PublicKey::canonical_pem,
    fingerprint: (Text::Canonical, Spelling::Base64),
    form: Form::Raw,
    ear: PLAIN,
};

const PYTHON: Writer =
    Writer { shown: python, signed: python, as_string: false, spell: columns_and_newline, ..SPEC };

/// The ways of signing that nobody recorded, by their short names there.
const ROWS: [Writer; 5] = [
    SPEC,
    Writer {
        name: "CAM",
        as_string: true,
        salt: Salt::Max,
        first_counter: 1,
        fingerprint: (Text::ColumnsAndNewline, Spelling::Hex),
        ear: accent::Ear { letters: Letters::DataAsObject, lists: Lists::Plain },
        ..PYTHON
    },
    Writer {
        name: "G17",
        signed: ascii_sorted,
        wrapped: true,
        salt: Salt::Max,
        first_counter: 1,
        fingerprint: (Text::ColumnsAndNewline, Spelling::Base64),
        form: Form::Wrapped,
        ..PYTHON
    },
    Writer { name: "G15", salt: Salt::Max, fingerprint: (Text::ReceivedBase64, Spelling::Hex), ..PYTHON },
    Writer {
        name: "G40",
        first_counter: 7,
        spell: columns,
        fingerprint: (Text::Columns, Spelling::Hex),
        ..PYTHON
    },
];

/// Writers whose frame is printed in another way than what they signed, so that only printing again
/// finds the text. Texts that coincide for plain ASCII are told apart by the letter in their message.
fn reprinted() -> Vec<Writer> {
    let base = Writer { shown: compact, as_string: false, spell: columns, ..SPEC };
    let row = |name, shown: Print, signed: Print, form| Writer { name, shown, signed, form, ..base };
    vec![
        row("compact, shown as Python", python, compact, Form::Compact),
        row("Python, shown compact", compact, python, Form::Python),
        row("compact sorted, shown in order", compact, compact_sorted, Form::CompactSorted),
        row("Python sorted, shown compact", compact, python_sorted, Form::PythonSorted),
        row("escaped, shown raw", compact, ascii, Form::Ascii),
        row("escaped and sorted, shown raw", compact, ascii_sorted, Form::AsciiSorted),
        Writer { wrapped: true, ..row("wrapped", compact, ascii_sorted, Form::Wrapped) },
        Writer { wrapped: true, ..row("wrapped without escapes", python, compact_sorted, Form::WrappedRaw) },
        Writer {
            as_string: true,
            ..row("sorted, in a string in order", compact, compact_sorted, Form::CompactSorted)
        },
    ]
}

impl Writer {
    fn text(&self, data: &Value, counter: u64) -> String {
        let data = (self.signed)(data);
        if self.wrapped {
            format!("{{\"counter\":{counter},\"data\":{data}}}")
        } else {
            format!("{data}{counter}")
        }
    }

    /// The frame with this signature in it.
    fn frame(&self, data: &Value, counter: u64, signature: &[u8]) -> String {
        let shown = (self.shown)(data);
        let shown = if self.as_string { (self.shown)(&Value::String(shown)) } else { shown };
        let counter = if self.counter_as_text { format!("\"{counter}\"") } else { counter.to_string() };
        let signature = STANDARD.encode(signature);
        format!(
            "{{\"type\":\"signed_data\",\"data\":{shown},\"counter\":{counter},\"signature\":\"{signature}\"}}"
        )
    }

    fn write(&self, data: &Value, counter: u64) -> String {
        let signature = sign(&KEY, self.text(data, counter).as_bytes(), self.salt).expect("a signature");
        self.frame(data, counter, &signature)
    }

    fn hello(&self) -> Value {
        json!({"type": "hello", "public_key": (self.spell)(KEY.public())})
    }

    fn claim(&self) -> String {
        let (text, spelling) = self.fingerprint;
        fingerprint::Form { text, spelling }.of(KEY.public(), &(self.spell)(KEY.public()))
    }

    fn public_chat(&self, message: &str) -> Value {
        json!({"type": "public_chat", "sender": self.claim(), "message": message})
    }
}

fn judge(text: &str, key: &PublicKey) -> (Vec<Form>, Verdict) {
    let Ok(Message::Signed(message)) = Message::read(text) else { panic!("not read: {text}") };
    let (forms, texts) = Form::candidates(&message, None).into_iter().unzip();
    let question = Question { texts, signature: message.signature, salt: None };
    (forms, Verifier::new(key).expect("a verifier").judge(&question))
}

fn found(text: &str) -> Option<(Form, Salt)> {
    let (forms, verdict) = judge(text, KEY.public());
    verdict.map(|(at, salt)| (forms[at], salt))
}

/// Hands in a frame and the honest answer to the check it leads to.
fn step(session: &mut Session, text: &str) -> Output {
    let mut out = Vec::new();
    session.handle(Input::Frame(Frame::Text(text.into())), Duration::ZERO, &mut out);
    if let [Output::Check(check)] = &out[..] {
        let verdict = Verifier::new(&check.key).expect("a verifier").judge(&check.question);
        out.clear();
        session.handle(Input::Checked(verdict), Duration::ZERO, &mut out);
    }
    assert_eq!(out.len(), 1, "{out:?}");
    out.remove(0)
}

fn session() -> Session {
    Session::new(ConnectionId(1), None, terms(256), None)
}

#[test]
fn every_writer_is_believed_in_its_own_form() {
    for writer in ROWS.iter().chain(&reprinted()) {
        for message in ["plain", "é and \u{1d11e}"] {
            let data = writer.public_chat(message);
            let text = writer.write(&data, 3);
            let (form, salt) =
                found(&text).unwrap_or_else(|| panic!("{} is not believed: {text}", writer.name));
            assert_eq!(salt, writer.salt, "{}", writer.name);
            if message != "plain" {
                assert_eq!(form, writer.form, "{}: {text}", writer.name);
            }
        }
    }
}

#[test]
fn every_writer_comes_in_and_is_heard_and_its_ear_is_known() {
    for writer in &ROWS {
        let mut session = session();
        let joined = step(&mut session, &writer.write(&writer.hello(), writer.first_counter));
        let Output::Join(newcomer, ear) = joined else { panic!("{}: {joined:?}", writer.name) };
        assert_eq!(ear, Ear::Olaf(writer.ear), "{}", writer.name);
        assert_eq!(newcomer.key, KEY.public().id(), "however it is spelled, it is the same key");
        assert_eq!(*newcomer.public_key, (writer.spell)(KEY.public()), "lists must show its own spelling");
        for counter in [writer.first_counter + 1, writer.first_counter + 5] {
            let text = writer.write(&writer.public_chat("grüße"), counter);
            let routed = step(&mut session, &text);
            let Output::Route(letter) = routed else { panic!("{}: {routed:?}", writer.name) };
            assert_eq!(press::letter(&letter, Ear::Olaf(PLAIN)), Some(Frame::Text(text.into())));
        }
        let stale = step(&mut session, &writer.write(&writer.public_chat("late"), writer.first_counter + 5));
        assert!(matches!(stale, Output::Note(Violation::StaleCounter)), "{}: {stale:?}", writer.name);
    }
}

#[test]
fn a_writer_with_anything_changed_is_refused_and_let_go() {
    for writer in ROWS.iter().chain(&reprinted()) {
        let data = writer.hello();
        let good = sign(&KEY, writer.text(&data, 3).as_bytes(), writer.salt).expect("a signature");
        let strange = sign(&OTHER, writer.text(&data, 3).as_bytes(), writer.salt).expect("a signature");
        let mut torn = good.clone();
        torn[200] ^= 1;
        let mut more = data.clone();
        more["more"] = json!(1);
        let wrong = [
            writer.frame(&data, 4, &good),
            writer.frame(&more, 3, &good),
            writer.frame(&data, 3, &torn),
            writer.frame(&data, 3, &strange),
            writer.frame(&data, 3, &[]),
        ];
        for text in wrong {
            let outcome = step(&mut session(), &text);
            let refused = matches!(outcome, Output::Close(Ending::Violated(Violation::BadSignature)));
            assert!(refused, "{}: {outcome:?} to {text}", writer.name);
        }
    }
}

/// One signature has one spelling. Otherwise a recorded hello could be played back with another one,
/// and would not be recognised.
#[test]
fn a_signature_with_bytes_around_it_is_not_believed() {
    for salt in [Salt::Digest, Salt::Max] {
        let writer = Writer { salt, ..SPEC };
        let data = writer.hello();
        let good = sign(&KEY, writer.text(&data, 3).as_bytes(), salt).expect("a signature");
        let padded = [
            [&[0][..], &good].concat(),
            [&[0; 256][..], &good].concat(),
            [&good[..], &[0]].concat(),
            good[1..].to_vec(),
        ];
        for signature in padded {
            let text = writer.frame(&data, 3, &signature);
            assert_eq!(found(&text), None, "{} bytes", signature.len());
        }
        let text = writer.frame(&data, 3, &good);
        for (from, to) in [("==\"", "=\""), ("==\"", "\""), ("==\"", "== \""), ("==\"", "\\n==\"")] {
            let respelled = text.replace(from, to);
            assert_ne!(respelled, text);
            assert!(Message::read(&respelled).is_err(), "{respelled}");
        }
    }
}

/// The server of one implementation writes its counter as text.
#[test]
fn a_counter_may_be_a_string_of_digits() {
    for writer in ROWS.map(|writer| Writer { counter_as_text: true, ..writer }) {
        let text = writer.write(&writer.public_chat("hi"), 12);
        assert!(text.contains("\"counter\":\"12\""));
        assert_eq!(found(&text).map(|(_, salt)| salt), Some(writer.salt), "{}", writer.name);
    }
}

/// An implementation that signs what it prints, but sends escapes, and one that does the opposite.
#[test]
fn text_beyond_ascii_is_believed_raw_and_escaped() {
    let message = "naïve \u{1f600} \u{7f}\u{2028}";
    for (shown, signed) in
        [(compact as Print, ascii as Print), (ascii, compact), (ascii, ascii), (compact, compact)]
    {
        for as_string in [false, true] {
            let writer = Writer { shown, signed, as_string, ..SPEC };
            let text = writer.write(&writer.public_chat(message), 1);
            assert!(found(&text).is_some(), "{text}");
        }
    }
}

/// What cannot be printed again has only one text: the raw one. In particular, a signature over
/// another text must not cover it.
#[test]
fn data_that_cannot_be_printed_again_is_only_believed_raw() {
    for odd in ["1e999", "\"\\ud800\""] {
        let data = format!(
            "{{\"type\":\"public_chat\",\"sender\":\"{}\",\"message\":\"x\",\"odd\":{odd}}}",
            SPEC.claim()
        );
        let frame = |signed: &str| {
            let signature =
                STANDARD.encode(sign(&KEY, signed.as_bytes(), Salt::Digest).expect("a signature"));
            format!(
                "{{\"type\":\"signed_data\",\"data\":{data},\"counter\":1,\"signature\":\"{signature}\"}}"
            )
        };
        assert_eq!(found(&frame(&format!("{data}1"))), Some((Form::Raw, Salt::Digest)), "{odd}");
        assert_eq!(found(&frame("null1")), None, "{odd}: a signature over nothing covers everything");
        assert_eq!(found(&frame("{\"counter\":1,\"data\":null}")), None, "{odd}");
    }
}

/// The table of fingerprints, told without the code under test: what each implementation hashes and how it writes it.
#[test]
fn every_fingerprint_of_the_table_names_its_key() {
    let key = KEY.public();
    let (line, columns) = (key.canonical_pem(), key.column_pem());
    let ended = format!("{columns}\n");
    let hex = |text: &str| KeyId(sha256(text.as_bytes())).hex();
    let base64 = |text: &str| STANDARD.encode(sha256(text.as_bytes()));
    let table = [
        ("TS", &line, base64(&line)),
        ("G8", &columns, base64(&columns)),
        ("FREW, G17", &ended, base64(&ended)),
        ("AEG", &ended, STANDARD.encode(hex(&ended))),
        ("KAT", &columns, STANDARD.encode(hex(&columns))),
        ("CAM", &ended, hex(&ended)),
        ("G40, sender", &columns, hex(&columns)),
        ("G40, participants", &columns, STANDARD.encode(hex(&columns))),
        ("G15", &ended, hex(&STANDARD.encode(&ended))),
        ("canonical, while spelled otherwise", &ended, base64(&line)),
    ];
    for (name, received, claim) in table {
        assert!(fingerprint::recognise(&claim, key, received, None).is_some(), "{name}");
        let other = OTHER.public();
        assert_eq!(fingerprint::recognise(&claim, other, &other.column_pem(), None), None, "{name}");
        let mut session = session();
        let writer = Writer { spell: PublicKey::canonical_pem, ..SPEC };
        let mut hello = writer.hello();
        hello["public_key"] = json!(received);
        assert!(matches!(step(&mut session, &writer.write(&hello, 0)), Output::Join(..)), "{name}");
        let chat = |sender: &str| json!({"type": "public_chat", "sender": sender, "message": "hi"});
        let strange = step(&mut session, &writer.write(&chat(&base64(&other.canonical_pem())), 1));
        assert!(matches!(strange, Output::Note(Violation::WrongSender)), "{name}: {strange:?}");
        assert!(matches!(step(&mut session, &writer.write(&chat(&claim), 1)), Output::Route(_)), "{name}");
    }
}
