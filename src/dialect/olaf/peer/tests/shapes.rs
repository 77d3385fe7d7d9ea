//! Names of accents, and what we say in each.

use super::*;

fn every_accent() -> Vec<Accent> {
    let mut accents = vec![Accent::default()];
    let mut vary = |change: &[fn(&mut Accent)]| {
        accents = accents
            .iter()
            .flat_map(|accent| {
                change.iter().map(|change| {
                    let mut changed = *accent;
                    change(&mut changed);
                    changed
                })
            })
            .collect();
    };
    vary(&[|a| a.data = Data::Text, |a| a.data = Data::Object]);
    vary(&[
        |a| a.printer = Printer::Sorted,
        |a| a.printer = Printer::Compact,
        |a| a.printer = Printer::Python,
    ]);
    vary(&[|a| a.greeting = Greeting::Hello, |a| a.greeting = Greeting::Connect]);
    vary(&[|a| a.field = Field::Sender, |a| a.field = Field::Hostname]);
    vary(&[
        |a| a.entries = Entries::Plain,
        |a| a.entries = Entries::Dashed,
        |a| a.entries = Entries::Underscored,
    ]);
    vary(&[|a| a.spelling = Spelling::Plain, |a| a.spelling = Spelling::Ws, |a| a.spelling = Spelling::Wss]);
    vary(&[|a| a.updates = Updates::Nameless, |a| a.updates = Updates::Named]);
    vary(&[|a| a.letters = Letters::AsSent, |a| a.letters = Letters::Object, |a| a.letters = Letters::Text]);
    vary(&[|a| a.sockets = Sockets::One, |a| a.sockets = Sockets::Two]);
    vary(&[|a| a.signed = Signed::Rsa, |a| a.signed = Signed::None, |a| a.signed = Signed::Hash]);
    accents
}

#[test]
fn every_accent_is_read_back_from_its_name() {
    let accents = every_accent();
    assert_eq!(accents.len(), 7776);
    for accent in accents {
        let name = accent.name();
        assert_eq!(Accent::parse(&name), Ok(accent), "{name}");
    }
}

#[test]
fn presets_keep_their_names_and_words_change_one_property() {
    for name in ["plain", "ts", "tsc", "frew", "aeg", "aeg0", "cam", "kat", "g17", "g8"] {
        assert_eq!(Accent::parse(name).expect("a preset").name(), name);
    }
    assert_eq!(Accent::parse("plain"), Ok(Accent::default()));
    assert_eq!(Accent::parse("object+python"), Accent::parse("g17"));
    assert_eq!(Accent::parse("kat+sockets-one").expect("an accent").sockets, Sockets::One);
    for (name, wrong) in [
        ("string+kat", "kat"),
        ("", ""),
        ("plain+", ""),
        ("klingon", "klingon"),
        ("ts+TS", "TS"),
        ("ts +x", "ts "),
    ] {
        assert_eq!(Accent::parse(name).expect_err(name).word, wrong);
    }
}

/// What we say in an accent to a server whose key is known, as the first thing on a socket of ours.
fn said(name: &str) -> String {
    let accent = Accent::parse(name).expect("an accent");
    let session = Session::dialling(terms(true), Some(accent), "10.0.0.2:80");
    let mut house = House::new(session, unknown());
    house.step(Input::Opened);
    let Some(Output::Send(frame)) = house.seen().into_iter().next() else { panic!("{name}: nothing said") };
    text(&frame)
}

#[test]
fn we_say_hello_as_each_of_them_does() {
    let shapes = [
        (
            "plain",
            r#"{"counter":1,"data":"{\"sender\":\"10.0.0.1:80\",\"type\":\"server_hello\"}","signature":"*","type":"signed_data"}"#,
        ),
        (
            "compact",
            r#"{"type":"signed_data","data":"{\"type\":\"server_hello\",\"sender\":\"10.0.0.1:80\"}","counter":1,"signature":"*"}"#,
        ),
        (
            "tsc",
            r#"{"counter":1,"data":{"sender":"10.0.0.1:80","type":"server_hello"},"signature":"*","type":"signed_data"}"#,
        ),
        (
            "cam",
            r#"{"type": "signed_data", "data": "{\"type\": \"server_hello\", \"sender\": \"10.0.0.1:80\"}", "counter": 1, "signature": "*"}"#,
        ),
        (
            "kat",
            r#"{"type": "signed_data", "data": {"type": "server_hello", "sender": "ws://10.0.0.1:80"}, "counter": 1, "signature": "*"}"#,
        ),
        (
            "frew",
            r#"{"counter":1,"data":{"hostname":"10.0.0.1:80","type":"server_connect"},"signature":"*","type":"signed_data"}"#,
        ),
        (
            "g8",
            r#"{"counter":"1","data":{"sender":"ws://10.0.0.1:80","type":"server_hello"},"signature":"*","type":"signed_data"}"#,
        ),
        ("aeg0", r#"{"data":{"sender":"10.0.0.1:80","type":"server_hello"}}"#),
        (
            "frew+address-wss",
            r#"{"counter":1,"data":{"hostname":"wss://10.0.0.1:80","type":"server_connect"},"signature":"*","type":"signed_data"}"#,
        ),
    ];
    for (name, shape) in shapes {
        let frame = said(name);
        let value: Value = serde_json::from_str(&frame).expect("JSON");
        let signature = value["signature"].as_str().unwrap_or_default();
        assert_eq!(if signature.is_empty() { frame.clone() } else { frame.replace(signature, "*") }, shape);
        let Some(data) = value.get("data").filter(|_| !signature.is_empty()) else { continue };
        // Over the very text that stands in the frame, whatever reads it.
        let data = match data {
            Value::String(text) => text.clone(),
            _ => frame[frame.find("\"data\":").expect("data") + 7..=frame.find('}').expect("its end")]
                .trim()
                .into(),
        };
        let signature = STANDARD.decode(signature).expect("base64");
        let signed = format!("{data}1");
        if name == "g8" {
            assert_eq!(signature, sha256(signed.as_bytes()));
            continue;
        }
        let question =
            crate::crypto::signature::Question { texts: vec![signed.into_bytes()], signature, salt: None };
        let verdict = Verifier::new(ours().public()).expect("a verifier").judge(&question);
        assert_eq!(verdict, Some((0, Salt::Digest)), "{name}");
    }
}

#[test]
fn lists_have_the_shape_that_is_wanted() {
    let member = Member {
        name: None,
        key: KeyId([1; 32]),
        number: 1001,
        dialect: Dialect::Olaf,
        public_key: "a\nkey".into(),
        spelled: KeyId([2; 32]),
        fingerprint: Some(KeyId([1; 32])),
        sealing_key: None,
        display_name: None,
    };
    let shapes = [
        ("plain", r#"{"type":"client_update","clients":["a\nkey"]}"#),
        ("frew", r#"{"type":"client_update","hostname":"10.0.0.1:80","clients":["a\nkey"]}"#),
        ("aeg", r#"{"clients":[{"client-id":1001,"public-key":"a\nkey"}],"type":"client_update"}"#),
        ("aeg0", r#"{"clients":[{"client_id":1001,"public_key":"a\nkey"}],"type":"client_update"}"#),
        (
            "aeg+update-hostname+address-ws",
            r#"{"clients":[{"client-id":1001,"public-key":"a\nkey"}],"hostname":"ws://10.0.0.1:80","type":"client_update"}"#,
        ),
    ];
    for (name, shape) in shapes {
        let accent = Accent::parse(name).expect("an accent");
        let frame = client_update([&member].into_iter(), "ws://10.0.0.1:80/", accent);
        assert_eq!(text(&frame), shape);
        let Ok(wire::Message::Update(entries)) = wire::Message::read(shape) else { panic!("{shape}") };
        assert_eq!(entries.keys, [Some("a\nkey".to_owned())], "we read what we write");
    }
}

#[test]
fn letters_have_the_shape_that_is_wanted() {
    let string = r#"{"type":"signed_data","data":"{\"type\":\"public_chat\",\"x\":1}","counter":3,"signature":"AA=="}"#;
    let object = r#"{"type": "signed_data", "data": {"x": 1, "type": "public_chat"}, "counter": 3, "signature": "AA=="}"#;
    let print = |original: &str, name: &str| {
        text(&letter(&Frame::Text(original.into()), Accent::parse(name).expect("an accent")))
    };
    for original in [string, object] {
        assert_eq!(print(original, "plain"), original);
    }
    assert_eq!(print(object, "cam"), object, "an object stays as it was printed");
    assert_eq!(
        print(string, "cam"),
        r#"{"type": "signed_data", "data": {"type": "public_chat", "x": 1}, "counter": 3, "signature": "AA=="}"#
    );
    assert_eq!(print(string, "aeg"), string, "a string stays as it was printed");
    assert_eq!(
        print(object, "aeg"),
        r#"{"counter":3,"data":"{\"x\": 1, \"type\": \"public_chat\"}","signature":"AA==","type":"signed_data"}"#
    );
}
