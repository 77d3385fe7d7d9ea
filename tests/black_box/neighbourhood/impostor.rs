//! Servers that are not who they say they are, or say it wrongly: nobody gets past the greeting, and
//! everybody is told why at once.

use std::fs;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use kith::{
    crypto::{channel::Ephemeral, keys::PrivateKey},
    dialect::{
        event::Input,
        kith::wire::{self, Hello, Proof, Refused, kind},
    },
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{
    place::places,
    stranger::{LAIR, Stranger, goodbye, knock},
};
use crate::{
    app::{App, PATIENCE},
    client::Client,
};

/// A hello with some field of its own.
fn hello(key: &[u8], change: impl Fn(&mut Hello)) -> Bytes {
    let ephemeral = Ephemeral::generate().expect("randomness");
    let mut hello = Hello {
        versions: (1, 1),
        nonce: ephemeral.nonce(),
        ephemeral: ephemeral.public(),
        address: LAIR.to_owned(),
        dialled: String::new(),
        name: "somebody".to_owned(),
        key: key.to_vec(),
    };
    change(&mut hello);
    wire::encode(kind::HELLO, &hello)
}

/// How the server answers to a first message: the code of its refusal if it says one, and of its close.
async fn answer(app: &App, first: Message) -> (Option<String>, String) {
    let mut socket = knock(&app.listen).await;
    socket.send(first).await.expect("a frame");
    let mut refused = None;
    loop {
        let frame = socket.next();
        match timeout(PATIENCE, frame).await.expect("an answer in time") {
            Some(Ok(Message::Binary(bytes))) if bytes.first() == Some(&kind::REFUSED) => {
                let said: Refused = wire::decode(&bytes[1..]).expect("a refusal");
                refused = Some(said.code);
            }
            Some(Ok(Message::Close(Some(close)))) => return (refused, close.reason.to_string()),
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("an unexpected answer: {other:?}"),
        }
    }
}

/// The key that a server shows to others.
fn server_key(app: &App) -> Vec<u8> {
    let text = fs::read_to_string(app.folder().join("data/keys/server-4096.pem")).expect("a key file");
    PrivateKey::read(&text).expect("a key").public().spki().to_vec()
}

#[actix_web::test]
async fn a_first_message_that_is_no_good_hello_ends_the_connection_at_once() {
    // Nobody waits for the end of this time.
    let app = App::with(&[("LIMITS__HELLO_TIMEOUT_S", "600")]);
    let key = Stranger::new(&app.listen, 0, LAIR).await.key();
    let proof = wire::encode(kind::PROOF, &Proof { signature: vec![1; 256] });
    let later = hello(key, |hello| hello.versions = (2, 9));
    let us = hello(&server_key(&app), |_| ());
    let our_address = hello(key, |hello| hello.address.clone_from(&app.listen));
    let cases = [
        ("nothing", Message::binary(Bytes::new()), None, "malformed"),
        ("text", Message::text("hello"), None, "malformed"),
        ("half a hello", Message::binary(hello(key, |_| ()).slice(..50)), None, "malformed"),
        ("a proof", Message::binary(proof), None, "out_of_order"),
        ("a letter", Message::binary(vec![kind::LETTER; 60]), None, "out_of_order"),
        ("no key", Message::binary(hello(b"not a key", |_| ())), None, "bad_key"),
        ("a later version", Message::binary(later), Some("no_common_version"), "no_common_version"),
        ("ourselves", Message::binary(us), Some("ourselves"), "ourselves"),
        ("our address", Message::binary(our_address), Some("ourselves"), "ourselves"),
    ];
    for (what, first, refused, code) in cases {
        let (said, closed) = answer(&app, first).await;
        assert_eq!((said.as_deref(), closed.as_str()), (refused, code), "{what}");
    }
    assert!(app.neighbours().await.is_empty());
    app.until_metric("kith_connections", |count| count == 0.0).await;
}

#[actix_web::test]
async fn a_key_that_is_shown_must_be_proven() {
    let app = App::start();
    // It shows one key and signs with another.
    let mut liar = Stranger::new(&app.listen, 0, LAIR).await;
    liar.hand = 1;
    liar.happens(Input::Opened).await;
    assert_eq!(liar.goodbye().await, Some((1008, "bad_signature".to_owned())));
    // It says again what a real one said.
    let mut real = Stranger::linked(&app, 0, LAIR).await;
    let recorded: Vec<Message> = real.sent.drain(..2).collect();
    let mut socket = knock(&app.listen).await;
    for message in recorded {
        socket.send(message).await.expect("a frame");
    }
    assert_eq!(goodbye(&mut socket).await, Some((1008, "bad_signature".to_owned())));
    // The link of the real one is as it was.
    real.is_understood().await;
    let peers = app.neighbours().await;
    assert!(peers.len() == 1 && peers[0]["state"] == "up", "{peers:?}");
}

#[actix_web::test]
async fn the_name_of_a_neighbour_is_worth_nothing_without_its_key() {
    let [a, b] = places::<2>();
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &format!("{} key={}", b.url(), b.key()))]);
    let mut anna = Client::join(&first, 0).await;
    let own = anna.pem();
    // The neighbour is away, was never here, and then is here.
    let mut second = None;
    for is_here in [false, true] {
        if is_here {
            second = Some(b.open(&[]));
            first.until_up(1).await;
        }
        let mut watch = first.watch().await;
        let mut liar = Stranger::new(&first.listen, 0, &b.address()).await;
        liar.happens(Input::Opened).await;
        assert_eq!(liar.goodbye().await, Some((1008, "wrong_key".to_owned())));
        assert_eq!(watch.about_link("link_refused").await["code"], "wrong_key");
        // One that proves nothing at all, in the old way.
        let mut old = Client::dial(&first, 1).await;
        let hello = old.signed(&json!({"type": "server_hello", "sender": b.address()}));
        old.send(&hello).await;
        old.send(r#"{"type":"client_update","clients":["a member of nobody"]}"#).await;
        assert_eq!(old.goodbye().await, Some((1008, "wrong_key".to_owned())));
        // Both are shown, and neither as a fault of the neighbour or of its link.
        let fault = if is_here { Value::Null } else { "unreachable".into() };
        let is_shown = |peer: &Value| {
            (&peer["refused_claim"]["code"], &peer["last_error"]["code"]) == (&"wrong_key".into(), &fault)
        };
        first.until_peer(&b.address(), is_shown).await;
        let state = watch.about_link("link_refused").await["state"].clone();
        assert_eq!(state == "up", is_here, "{state}");
        let peers = first.neighbours().await;
        assert!(peers.len() == 1 && peers[0]["members"] == 0, "{peers:?}");
        assert_eq!((peers[0]["state"] == "up", &peers[0]["key"]), (is_here, &b.key().into()));
    }
    // A key of one's own does not help.
    let thief = Stranger::linked(&first, 0, LAIR).await;
    drop(thief);
    first.until_peer(LAIR, |peer| peer["state"] == "down").await;
    let mut thief = Stranger::new(&first.listen, 0, &b.address()).await;
    thief.happens(Input::Opened).await;
    assert_eq!(thief.goodbye().await, Some((1008, "taken_address".to_owned())));
    let second = second.expect("it is here");
    let ben = Client::join(&second, 2).await;
    anna.sees(&[(&a, &[&own]), (&b, &[&ben.pem()])]).await;
}
