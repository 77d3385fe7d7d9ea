//! The texts of payloads, as CPython and Node print them.

use kith::dialect::socp::canonical::{Form, Payload};
use serde::Deserialize;

use super::read;

#[derive(Deserialize)]
struct Vector {
    name: String,
    received: String,
    sorted_ascii: String,
    sorted_utf8: String,
    compact: String,
    trap: Option<String>,
}

#[test]
fn payloads_are_printed_as_the_others_print_them() {
    let vectors: Vec<Vector> = serde_json::from_str(&read("canonical.json")).expect("vectors");
    assert_eq!(vectors.len(), 11);
    for Vector { name, received, sorted_ascii, sorted_utf8, compact, trap } in vectors {
        let payload = Payload::read(&received).expect("a payload");
        assert_eq!(payload.print(Form::SortedAscii), sorted_ascii, "{name}");
        assert_eq!(payload.print(Form::SortedUtf8), sorted_utf8, "{name}");
        assert_eq!(payload.print(Form::Compact), compact, "{name}");
        assert_eq!(payload.print(Form::Received), received, "{name}");
        if let Some(trap) = trap {
            assert_eq!(payload.print(Form::Trap), trap, "{name}");
        }
    }
}

#[test]
fn what_is_no_payload_is_refused() {
    for wrong in [
        "",
        " ",
        "{",
        "}",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "[1,]",
        "[,1]",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1}x",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":1.}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"",
        "\"",
        "{} {}",
        "nul",
        "\u{feff}{}",
        "{\"a\":1 2}",
        "{\"a\" 1}",
        "[1 2]",
    ] {
        assert!(Payload::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn nothing_is_too_deep_for_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (depth, fits) in [(127, true), (129, false), (200_000, false)] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(Payload::read(&text).is_ok(), fits, "{depth}");
            assert!(Payload::read(&open.repeat(depth)).is_err());
        }
    }
}
