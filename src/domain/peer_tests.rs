//! What a peer line may say, and that it reads back as it was written.

use super::{LinkDialect, PeerLine, PeerLineError, Source, Trust};
use crate::domain::address::Address;

const FINGERPRINT: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

fn public_key() -> String {
    format!("{}+/8==", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA".repeat(8))
}

fn complaint(text: &str) -> PeerLineError {
    text.parse::<PeerLine>().expect_err(text)
}

#[test]
fn every_combination_of_words_reads_back_as_it_was_written() {
    let keys = [None, Some(FINGERPRINT.to_owned()), Some(public_key())];
    let urls = [
        "ws://10.0.0.2:8080",
        "wss://chat.example.org",
        "ws://[2001:db8::1]:9001/peer?a=b,c",
        "ws://[::1]",
        "wss://x_1.example:443/?key=1",
        "ws://h?x",
    ];
    let given = |bit: u32, mask: u32, value: &str| (mask & bit != 0).then(|| value.to_owned());
    let dialects = [None, Some(LinkDialect::Kith), Some(LinkDialect::Olaf)];
    for url in urls {
        for (mask, key, dialect) in (0..8_u32)
            .flat_map(|mask| keys.iter().map(move |key| (mask, key)))
            .flat_map(|(mask, key)| dialects.into_iter().map(move |dialect| (mask, key, dialect)))
        {
            let line = PeerLine {
                url: url.to_owned(),
                key: key.clone(),
                dialect,
                accent: given(1, mask, "kat"),
                address: given(2, mask, "chat.example.org:443"),
                name: given(4, mask, "nörth=1"),
            };
            assert_eq!(line.check(), Ok(()));
            assert_eq!(line.to_string().parse(), Ok(line));
        }
    }
}

#[test]
fn order_and_spaces_do_not_matter() {
    let one: PeerLine = format!("ws://a:1 name=n key={FINGERPRINT} dialect=kith").parse().unwrap();
    let other: PeerLine = format!("  WS://a:1\t key={FINGERPRINT}  dialect=kith name=n ").parse().unwrap();
    assert_eq!(one, other);
    assert_eq!(one.to_string(), format!("ws://a:1 key={FINGERPRINT} dialect=kith name=n"));
}

#[test]
fn what_is_no_peer_line_is_refused_in_words() {
    for (text, error) in [
        ("", PeerLineError::Nothing),
        (" ", PeerLineError::Nothing),
        ("a:80", PeerLineError::Scheme),
        ("http://a", PeerLineError::Scheme),
        ("key=x", PeerLineError::Scheme),
        ("ws://", PeerLineError::Host),
        ("ws:///peer", PeerLineError::Host),
        ("ws://:80", PeerLineError::Host),
        ("ws://...", PeerLineError::Host),
        ("ws://a%20b", PeerLineError::Host),
        ("ws://é", PeerLineError::Host),
        ("ws://[::1", PeerLineError::Host),
        ("ws://[a]", PeerLineError::Host),
        ("ws://[fe80::1%25eth0]", PeerLineError::Host),
        ("ws://::1", PeerLineError::Host),
        ("ws://a:", PeerLineError::Port),
        ("ws://a:0", PeerLineError::Port),
        ("ws://a:65536", PeerLineError::Port),
        ("ws://a:+1", PeerLineError::Port),
        ("ws://a:b", PeerLineError::Port),
        ("ws://a:1:2", PeerLineError::Port),
        ("ws://[::1]1", PeerLineError::Port),
        ("ws://me:secret@a", PeerLineError::UserInfo),
        ("ws://a/#b", PeerLineError::Fragment),
        ("ws://a/\"", PeerLineError::Letter),
        ("ws://a/é", PeerLineError::Letter),
        ("ws://a b", PeerLineError::UnknownWord("b".to_owned())),
        ("ws://a Key=b", PeerLineError::UnknownWord("Key".to_owned())),
        ("ws://a =b", PeerLineError::UnknownWord(String::new())),
        ("ws://a name=b name=b", PeerLineError::Twice("name")),
        ("ws://a dialect=kith dialect=olaf", PeerLineError::Twice("dialect")),
        ("ws://a name=", PeerLineError::Empty("name")),
        ("ws://a key=", PeerLineError::Empty("key")),
        ("ws://a name=\u{7}", PeerLineError::Blank("name")),
        ("ws://a key=abc", PeerLineError::Key),
        ("ws://a dialect=Olaf", PeerLineError::Dialect("Olaf".to_owned())),
        ("ws://a dialect=", PeerLineError::Dialect(String::new())),
    ] {
        assert_eq!(complaint(text), error, "{text}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for digits in [63, 65, 128] {
        assert_eq!(complaint(&format!("ws://a key={}", "a".repeat(digits))), PeerLineError::Key);
    }
    assert_eq!(complaint(&format!("ws://a key={}!", public_key())), PeerLineError::Key);
    let said = complaint("ws://a colour=blue").to_string();
    assert!(said.contains("\"colour\"") && said.contains("accent="), "{said}");
}

#[test]
fn parts_of_other_origin_are_checked_like_those_of_a_line() {
    let line = PeerLine { name: Some("two words".to_owned()), ..PeerLine::new("ws://a") };
    assert_eq!(line.check(), Err(PeerLineError::Blank("name")));
    assert_eq!(PeerLine::new("ws://a name=b").check(), Err(PeerLineError::Host));
    assert_eq!(PeerLine::new("ws://a/ name=b").check(), Err(PeerLineError::Letter));
}

#[test]
fn spellings_of_one_door_are_equal_and_a_peer_may_call_itself_otherwise() {
    let line = |text: &str| text.parse::<PeerLine>().unwrap();
    assert_eq!(line("ws://localhost:80/").door(), line("ws://127.0.0.1").door());
    assert_ne!(line("ws://a/x").door(), line("ws://a/y").door());
    assert_eq!(line("ws://a:81?x:90").known_as(), Address::new("a:81"));
    assert_eq!(line("wss://a/peer").known_as(), Address::new("a:443"));
    assert_eq!(
        line("ws://10.0.0.2:8080 address=Chat.example:443").known_as(),
        Address::new("chat.example:443")
    );
}

#[test]
fn names_are_found_again() {
    for dialect in LinkDialect::ALL {
        assert_eq!(LinkDialect::from_name(&dialect.to_string()), Some(dialect));
    }
    for source in Source::ALL {
        assert_eq!(Source::from_name(&source.to_string()), Some(source));
    }
    for trust in Trust::ALL {
        assert_eq!(Trust::from_name(&trust.to_string()), Some(trust));
    }
    assert_eq!(
        (LinkDialect::from_name("any"), Source::from_name(""), Trust::from_name("Tofu")),
        (None, None, None)
    );
}
