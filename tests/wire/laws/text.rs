//! Laws of reading and printing: any text, any JSON, any way to tear a message apart.

use kith::dialect::olaf::{
    accent::Form,
    print::{ascii, compact, python, sorted},
    wire::Message,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::cases;

/// Any JSON value. Numbers are whole: nothing that is signed has others, and printing them again is not
/// exact in any language.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        let key = prop_oneof!["[a-z_]{1,6}", any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().map(|object| object.keys().collect()).unwrap_or_default()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_printing_is_read_back_as_the_same_value(value in value()) {
        for print in [compact, ascii, python] {
            let text = print(&value);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(keys(&read), keys(&value), "the order of keys is kept");
        }
        prop_assert!(ascii(&value).is_ascii() && python(&value).is_ascii());
    }

    #[test]
    fn sorting_changes_the_order_and_nothing_else(value in value()) {
        let once = sorted(&value);
        prop_assert_eq!(&once, &value);
        prop_assert_eq!(compact(&sorted(&once)), compact(&once));
        prop_assert!(keys(&once).is_sorted());
    }

    #[test]
    fn reading_any_text_does_not_panic(text in any::<String>()) {
        let _ = Message::read(&text);
    }

    /// Reading any value, and any value in any place of a message, says yes or no and nothing else. What
    /// is read has a bounded number of texts that may have been signed.
    #[test]
    fn reading_any_json_does_not_panic(
        value in value(), inner in value(), place in 0..7_usize, as_string in any::<bool>(), print in 0..3_usize,
    ) {
        let print = [compact, ascii, python][print];
        let _ = Message::read(&print(&value));
        let mut data = json!({"type": "public_chat", "sender": "s", "message": "m", "symm_keys": [], "more": inner});
        let mut frame = json!({"type": "signed_data", "counter": 1, "signature": "AAAA", "data": null});
        match place {
            0..4 => frame[["type", "counter", "signature", "data"][place]] = value,
            _ => data[["type", "sender", "message"][place - 4]] = value,
        }
        if place != 3 {
            frame["data"] = if as_string { Value::String(print(&data)) } else { data };
        }
        if let Ok(Message::Signed(message)) = Message::read(&print(&frame)) {
            let _ = message.body();
            for likely in [None, Some(Form::Wrapped)] {
                let candidates = Form::candidates(&message, likely);
                prop_assert!((1..=9).contains(&candidates.len()));
                let raw = format!("{}{}", message.data, message.counter).into_bytes();
                prop_assert!(candidates.iter().any(|(_, text)| *text == raw), "the raw text is always tried");
            }
        }
    }
}

#[cfg(feature = "io")]
mod fragments {
    //! Putting messages together is the shell's business, but any way to tear one apart is a law.

    use actix_codec::Encoder as _;
    use actix_http::ws::{Codec, Item, Message};
    use bytes::{Bytes, BytesMut};
    use kith::{
        actors::websocket::{Assembler, text_so_far, whole_characters},
        domain::{letter::Frame, refusal::Violation},
    };

    use super::{Strategy, any, cases, prop, prop_assert, prop_assert_eq, proptest};

    fn cuts() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(any::<usize>(), 0..8)
    }

    /// The pieces of a message, and what each of them is called on the wire.
    fn torn(bytes: &[u8], mut cuts: Vec<usize>, is_text: bool) -> Vec<Item> {
        cuts.iter_mut().for_each(|cut| *cut %= bytes.len() + 1);
        cuts.sort_unstable();
        let mut from = 0;
        let mut items = Vec::new();
        for cut in cuts {
            let piece = Bytes::copy_from_slice(&bytes[from..cut]);
            items.push(match (items.is_empty(), is_text) {
                (true, true) => Item::FirstText(piece),
                (true, false) => Item::FirstBinary(piece),
                (false, _) => Item::Continue(piece),
            });
            from = cut;
        }
        let rest = Bytes::copy_from_slice(&bytes[from..]);
        if items.is_empty() {
            items.push(if is_text { Item::FirstText(Bytes::new()) } else { Item::FirstBinary(Bytes::new()) });
        }
        items.push(Item::Last(rest));
        items
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn a_message_is_the_same_however_it_is_torn_apart(text in any::<String>(), cuts in cuts()) {
            let bytes = text.as_bytes();
            for (is_text, whole) in [
                (true, Frame::Text(text.clone().into())),
                (false, Frame::Binary(Bytes::copy_from_slice(bytes))),
            ] {
                let limit = u32::try_from(bytes.len()).unwrap();
                let mut assembler = Assembler::default();
                let mut found: Vec<_> =
                    torn(bytes, cuts.clone(), is_text).into_iter().map(|item| assembler.push(item, limit).unwrap()).collect();
                prop_assert_eq!(found.pop(), Some(Some(whole)));
                prop_assert!(found.iter().all(Option::is_none), "nothing comes out before the end");
                if !bytes.is_empty() {
                    let mut narrow = Assembler::default();
                    let items = torn(bytes, cuts.clone(), is_text);
                    let refused = items.into_iter().find_map(|item| narrow.push(item, limit - 1).err());
                    prop_assert_eq!(refused, Some(Violation::TooLarge));
                }
            }
        }

        #[test]
        fn text_in_pieces_is_refused_by_its_first_bad_byte(
            text in any::<String>(), bad in prop::collection::vec(any::<u8>(), 0..4), cuts in cuts(),
        ) {
            let bytes = [text.as_bytes(), &bad].concat();
            // Up to where a reader cannot know: behind the last whole character, and what may become one.
            let known = match std::str::from_utf8(&bytes) {
                Err(error) if error.error_len().is_some() => error.valid_up_to(),
                _ => bytes.len(),
            };
            let (mut assembler, mut read, mut refused) = (Assembler::default(), 0, None);
            for item in torn(&bytes, cuts, true) {
                let (Item::FirstText(piece) | Item::FirstBinary(piece) | Item::Continue(piece) | Item::Last(piece)) =
                    &item;
                read += piece.len();
                refused = assembler.push(item, u32::MAX).err();
                if refused.is_some() {
                    break;
                }
                // No character is longer than four bytes.
                prop_assert!(read < known + 4, "bad bytes were taken");
            }
            let expected = std::str::from_utf8(&bytes).is_err().then_some(Violation::NotUtf8);
            prop_assert_eq!(refused, expected);
            prop_assert!(expected.is_none() || read > known || known == bytes.len());
        }

        #[test]
        fn a_text_that_is_on_its_way_is_read_as_it_is(
            text in any::<String>(), mask in any::<[u8; 4]>(), cut in any::<usize>(),
        ) {
            let mut frame = BytesMut::new();
            Codec::new().client_mode().encode(Message::Text(text.clone().into()), &mut frame).unwrap();
            let head = frame.len() - text.len();
            frame[head - 4..head].copy_from_slice(&mask);
            for (at, byte) in text.bytes().enumerate() {
                frame[head + at] = byte ^ mask[at % 4];
            }
            let mut whole = 0;
            for end in [head + cut % (text.len() + 1), frame.len()] {
                let seen = text_so_far(&frame[..end], whole).unwrap();
                prop_assert_eq!(&seen[..], &text.as_bytes()[whole..end - head]);
                whole += whole_characters(&seen).unwrap();
                prop_assert!(text.is_char_boundary(whole));
            }
            prop_assert_eq!(whole, text.len());
        }

        #[test]
        fn pieces_in_any_order_are_bounded_and_do_not_panic(
            pieces in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..40)), 0..40),
        ) {
            let mut assembler = Assembler::default();
            for (kind, bytes) in pieces {
                let bytes = Bytes::from(bytes);
                let item = match kind {
                    0 => Item::FirstText(bytes),
                    1 => Item::FirstBinary(bytes),
                    2 => Item::Continue(bytes),
                    _ => Item::Last(bytes),
                };
                if let Ok(Some(frame)) = assembler.push(item, 100) {
                    prop_assert!(frame.len() <= 100);
                }
            }
        }
    }
}
