//! What is said to sessions in the laws of all dialects, and how it is said in each.

use std::sync::LazyLock;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use kith::{
    crypto::{fingerprint, keys::PublicKey},
    domain::{dialect::Dialect, letter::Frame},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::text::value;
use crate::recordings::keys;

/// Keys of other people, recorded: nothing here can sign with them, and nothing has to.
static KEYS: LazyLock<Vec<PublicKey>> =
    LazyLock::new(|| keys("ts").into_iter().map(|(key, _)| key).take(2).collect());

/// The same for SOCP, whose keys are longer.
static SOCP_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let read = |line| serde_json::from_str::<Value>(line).expect("JSON");
    let frames = include_str!("../../vectors/socp/g17.jsonl").lines().map(read);
    let keys = frames.filter_map(|line| line["frame"]["payload"]["pubkey"].as_str().map(str::to_owned));
    std::collections::BTreeSet::from_iter(keys).into_iter().take(2).collect()
});

/// What happens to a session, told without its dialect.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Rubbish(Vec<u8>, bool),
    Json(Value),
    Hello {
        key: usize,
        counter: u64,
        signature: u8,
    },
    Public {
        key: usize,
        counter: u64,
        signature: u8,
    },
    Private {
        homes: usize,
        counter: u64,
        signature: u8,
    },
    ListRequest,
    /// A frame about rooms, good or bad.
    Rooms(Option<u32>),
    /// An answer: which text was signed, or that none was. Also when nothing was asked.
    Answer(Option<u8>),
    /// The frame before the last one once more, as binary.
    Again,
    End,
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let (key, counter, signature) = (0..2_usize, || prop_oneof![0..12_u64, Just(u64::MAX)], 0..24_u8);
    prop_oneof![
        1 => (prop::collection::vec(any::<u8>(), 0..60), any::<bool>()).prop_map(|(bytes, text)| Event::Rubbish(bytes, text)),
        1 => value().prop_map(Event::Json),
        3 => (key.clone(), counter(), signature.clone())
            .prop_map(|(key, counter, signature)| Event::Hello { key, counter, signature }),
        4 => (key, counter(), signature.clone())
            .prop_map(|(key, counter, signature)| Event::Public { key, counter, signature }),
        2 => (0..6_usize, counter(), signature)
            .prop_map(|(homes, counter, signature)| Event::Private { homes, counter, signature }),
        1 => Just(Event::ListRequest),
        2 => prop::option::of(any::<u32>()).prop_map(Event::Rooms),
        12 => prop_oneof![6 => Just(Some(0)), 1 => any::<u8>().prop_map(Some), 1 => Just(None)].prop_map(Event::Answer),
        1 => Just(Event::Again),
        1 => Just(Event::End),
    ]
}

/// The frame that says so in a dialect; one without letters plays its own laws.
pub(super) fn frame(dialect: Dialect, event: &Event) -> Option<Frame> {
    match event {
        Event::Rubbish(bytes, true) => {
            return Some(Frame::Text(String::from_utf8_lossy(bytes).into_owned().into()));
        }
        Event::Rubbish(bytes, false) => return Some(Frame::Binary(Bytes::from(bytes.clone()))),
        Event::Json(value) => return Some(Frame::Text(value.to_string().into())),
        Event::Rooms(ticket) => {
            // Whatever else it looks like.
            let request = json!({"kith": "rooms", "ticket": ticket, "type": "client_list_request"});
            return Some(Frame::Text(request.to_string().into()));
        }
        _ => {}
    }
    match dialect {
        Dialect::Olaf => olaf_frame(event).map(|value| Frame::Text(value.to_string().into())),
        Dialect::Socp => socp_frame(event).map(|value| Frame::Text(value.to_string().into())),
        Dialect::Tpacket => None,
    }
}

fn olaf_frame(event: &Event) -> Option<Value> {
    let signed = |data: Value, counter: &u64, signature: &u8| {
        let signature = STANDARD.encode([*signature; 256]);
        json!({"type": "signed_data", "data": data.to_string(), "counter": counter, "signature": signature})
    };
    Some(match event {
        Event::Hello { key, counter, signature } => {
            signed(json!({"type": "hello", "public_key": KEYS[*key].canonical_pem()}), counter, signature)
        }
        Event::Public { key, counter, signature } => {
            let sender = fingerprint::OFFICIAL.of(&KEYS[*key], "");
            signed(json!({"type": "public_chat", "sender": sender, "message": "hi"}), counter, signature)
        }
        Event::Private { homes, counter, signature } => {
            let homes = vec!["a:1"; *homes];
            let data = json!({"type": "chat", "destination_servers": homes, "symm_keys": homes, "iv": "", "chat": ""});
            signed(data, counter, signature)
        }
        Event::ListRequest => json!({"type": "client_list_request"}),
        _ => return None,
    })
}

/// The same in SOCP, where everybody has a name, and the time takes the place of the counter.
fn socp_frame(event: &Event) -> Option<Value> {
    let said = |kind: &str, key: &usize, to: &str, payload: Value, counter: &u64, signature: &u8| {
        let signature = URL_SAFE_NO_PAD.encode([*signature; 512]);
        json!({"type": kind, "from": format!("user-{key}"), "to": to, "ts": counter, "payload": payload,
            "sig": signature})
    };
    Some(match event {
        Event::Hello { key, counter, signature } => {
            let payload = json!({"client": "laws", "pubkey": SOCP_KEYS[*key]});
            said("USER_HELLO", key, "", payload, counter, signature)
        }
        Event::Public { key, counter, signature } => {
            let payload = json!({"ciphertext": "aGk", "content_sig": "", "nonce": [counter, signature]});
            said("MSG_PUBLIC_CHANNEL", key, "public", payload, counter, signature)
        }
        Event::Private { homes, counter, signature } => {
            let payload = json!({"ciphertext": "aGk", "content_sig": "", "nonce": [counter, signature]});
            said("MSG_DIRECT", &0, &format!("user-{homes}"), payload, counter, signature)
        }
        Event::ListRequest => json!({"type": "CMD_LIST", "payload": {}}),
        _ => return None,
    })
}
