//! Somebody who speaks SOCP over a socket of the test: a user or a server, as honest as the test wants.

use std::{
    sync::{LazyLock, atomic::AtomicU64, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use kith::{
    crypto::{
        keys::PrivateKey,
        sha256,
        signature::{Salt, sign},
    },
    dialect::socp::{
        binary,
        canonical::canonical,
        key::{self, Spelling},
    },
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    app::{App, PATIENCE, in_time},
    client::Goodbye,
};

/// Two users and two servers.
const COUNT: usize = 4;
pub(in crate::socp) const ANNA: usize = 0;
pub(in crate::socp) const BEN: usize = 1;
pub(in crate::socp) const LAIR: usize = 2;
pub(super) const OTHER: usize = 3;

/// Keys of the size that the protocol prescribes take seconds to make, so all tests share theirs.
static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let make = || PrivateKey::generate(4096).expect("a key");
    thread::scope(|scope| {
        let threads: Vec<_> = (0..COUNT).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a key")).collect()
    })
});

/// Times are told by the test: each later than the one before.
static CLOCK: AtomicU64 = AtomicU64::new(1_795_216_307_176);

pub(super) fn now() -> u64 {
    CLOCK.fetch_add(1, Relaxed)
}

/// A key as it is written.
pub(in crate::socp) fn pubkey(owner: usize) -> String {
    key::write(KEYS[owner].public(), Spelling::default())
}

/// What people are shown of it.
pub(super) fn fingerprint(owner: usize) -> String {
    KEYS[owner].public().id().hex()
}

/// The name under which the owner of a key comes.
pub(in crate::socp) const fn name(owner: usize) -> &'static str {
    match owner {
        ANNA => "11111111-1111-4111-8111-111111111111",
        BEN => "22222222-2222-4222-8222-222222222222",
        LAIR => "33333333-3333-4333-8333-333333333333",
        _ => "44444444-4444-4444-8444-444444444444",
    }
}

/// Where a server says that it is.
pub(super) fn address(server: usize) -> String {
    format!("lair-{server}.example:1")
}

/// A signature as it is written.
pub(in crate::socp) fn signature(owner: usize, text: &[u8]) -> String {
    let signature = sign(&KEYS[owner], text, Salt::Digest).expect("a signature");
    binary::encode(&signature, false)
}

fn sig(owner: usize, payload: &Value) -> String {
    signature(owner, canonical(&payload.to_string()).expect("a payload").as_bytes())
}

/// A frame that the owner of this key has signed, whatever else it says.
pub(in crate::socp) fn signed(owner: usize, kind: &str, from: &str, to: &str, payload: &Value) -> Value {
    json!({"type": kind, "from": from, "to": to, "ts": now(), "payload": payload, "sig": sig(owner, payload)})
}

/// The same frame without the signature.
pub(super) fn unsigned(mut frame: Value) -> Value {
    frame.as_object_mut().expect("an object").remove("sig");
    frame
}

/// A frame of which one field says something else.
pub(in crate::socp) fn with(mut frame: Value, field: &str, value: impl Into<Value>) -> Value {
    *frame.pointer_mut(field).expect("a field") = value.into();
    frame
}

pub(super) fn hello(user: usize) -> Value {
    signed(user, "USER_HELLO", name(user), "", &json!({"client": "test", "pubkey": pubkey(user)}))
}

fn introduction(server: usize) -> Value {
    let host = format!("lair-{server}.example");
    json!({"host": host, "port": 1, "pubkey": pubkey(server)})
}

pub(super) fn join(server: usize) -> Value {
    signed(server, "SERVER_HELLO_JOIN", name(server), "127.0.0.1:1", &introduction(server))
}

/// What one user writes to another. A letter that was not written before is a new one.
pub(in crate::socp) fn content(author: usize, text: &str) -> Value {
    let seal = binary::encode(&sha256(text.as_bytes()).repeat(16), false);
    json!({"ciphertext": text, "sender_pub": pubkey(author), "content_sig": seal})
}

pub(in crate::socp) fn direct(from: usize, to: &str, text: &str) -> Value {
    signed(from, "MSG_DIRECT", name(from), to, &content(from, text))
}

/// A user that a server tells of.
pub(in crate::socp) fn advertise(server: usize, user: &str, key: &str) -> Value {
    let payload = json!({"user_id": user, "server_id": name(server), "meta": {"pubkey": key}});
    signed(server, "USER_ADVERTISE", name(server), "*", &payload)
}

pub(super) fn remove(server: usize, user: &str) -> Value {
    let payload = json!({"user_id": user, "server_id": name(server)});
    signed(server, "USER_REMOVE", name(server), "*", &payload)
}

/// A letter of a user, as a server brings it.
pub(super) fn deliver(server: usize, author: &str, to: &str, text: &str) -> Value {
    let mut payload = content(server, text);
    payload["user_id"] = json!(to);
    payload["sender"] = json!(author);
    payload.as_object_mut().expect("an object").remove("sender_pub");
    signed(server, "SERVER_DELIVER", name(server), "us", &payload)
}

/// One connection.
pub(in crate::socp) struct Stranger {
    pub(in crate::socp) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    owner: usize,
}

impl Stranger {
    /// One that has said nothing yet.
    pub(super) async fn dial(door: &str, owner: usize) -> Self {
        let url = format!("ws://{door}/");
        let (socket, _) = timeout(PATIENCE, connect_async(url)).await.expect("in time").expect("a socket");
        Self { socket, owner }
    }

    /// A user that is in.
    pub(in crate::socp) async fn user(app: &App, owner: usize) -> Self {
        Self::enters(&app.listen, owner).await
    }

    /// The same at a door.
    pub(in crate::socp) async fn enters(door: &str, owner: usize) -> Self {
        let mut user = Self::dial(door, owner).await;
        user.says(&hello(owner)).await;
        user.hears("ACK").await;
        user
    }

    /// A server that is linked.
    pub(in crate::socp) async fn server(app: &App, owner: usize) -> Self {
        let mut server = Self::dial(&app.listen, owner).await;
        server.says(&join(owner)).await;
        server.hears("SERVER_WELCOME").await;
        app.until_state(&address(owner), "up").await;
        server
    }

    pub(in crate::socp) async fn says(&mut self, frame: &Value) {
        self.says_text(frame.to_string()).await;
    }

    pub(in crate::socp) async fn says_text(&mut self, text: String) {
        let sent = timeout(PATIENCE, self.socket.send(Message::text(text))).await;
        sent.expect("a frame that is taken in time").expect("a socket that takes frames");
    }

    /// The next frame, or how it ended.
    pub(in crate::socp) async fn next(&mut self) -> Result<Value, Goodbye> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("a frame that is JSON"));
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Some((close.code.into(), close.reason.to_string())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame of this type; others are passed over.
    pub(in crate::socp) async fn hears(&mut self, kind: &str) -> Value {
        in_time(kind, async {
            loop {
                match self.next().await {
                    Ok(frame) if frame["type"] == kind => return frame,
                    Ok(_) => {}
                    Err(end) => panic!("waiting for {kind}, an unexpected end: {end:?}"),
                }
            }
        })
        .await
    }

    /// Waits for an error, and returns its code.
    pub(in crate::socp) async fn error(&mut self) -> String {
        self.hears("ERROR").await["payload"]["code"].as_str().expect("a code").to_owned()
    }

    /// What it is told before the connection ends, and how that ends.
    pub(super) async fn last_words(&mut self) -> (Option<String>, Goodbye) {
        in_time("the end of a connection", async {
            let mut code = None;
            loop {
                match self.next().await {
                    Ok(frame) if frame["type"] == "ERROR" => {
                        code = frame["payload"]["code"].as_str().map(str::to_owned);
                    }
                    Ok(_) => {}
                    Err(end) => return (code, end),
                }
            }
        })
        .await
    }

    /// Who is here, and what came before the answer.
    pub(in crate::socp) async fn list(&mut self) -> (Vec<String>, Vec<Value>) {
        self.says(&signed(self.owner, "CMD_LIST", name(self.owner), "", &json!({}))).await;
        in_time("the list", async {
            let mut before = Vec::new();
            loop {
                let frame = self.next().await.expect("an open connection");
                if frame["type"] == "USER_LIST" {
                    let users = frame["payload"]["users"].as_array().expect("a list").clone();
                    let users = users.iter().map(|user| user.as_str().expect("a name").to_owned());
                    return (users.collect(), before);
                }
                before.push(frame);
            }
        })
        .await
    }

    /// Asks until somebody is listed, or is no more; returns the letters that came before.
    pub(in crate::socp) async fn sees(&mut self, user: &str, is_there: bool) -> Vec<String> {
        in_time(user, async {
            let mut letters = Vec::new();
            loop {
                let (users, before) = self.list().await;
                letters.extend(before.iter().filter_map(text_of));
                if users.iter().any(|other| other == user) == is_there {
                    return letters;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    /// Waits until everything that a server said is dealt with; returns the letters that came before.
    pub(in crate::socp) async fn settles(&mut self, server: &mut Self) -> Vec<String> {
        let marker = format!("marker-{}", now());
        server.says(&advertise(server.owner, &marker, "")).await;
        self.sees(&marker, true).await
    }
}

/// What a letter says.
pub(in crate::socp) fn text_of(frame: &Value) -> Option<String> {
    let is_letter = matches!(frame["type"].as_str(), Some("USER_DELIVER" | "MSG_PUBLIC_CHANNEL"));
    frame["payload"]["ciphertext"].as_str().filter(|_| is_letter).map(str::to_owned)
}

/// Whether users are still served.
pub(in crate::socp) async fn still_serves(app: &App) {
    let mut users = Vec::new();
    for owner in [ANNA, BEN] {
        let mut user = Stranger::dial(&app.listen, owner).await;
        user.says(&with(hello(owner), "/from", format!("guest-{owner}"))).await;
        user.hears("ACK").await;
        users.push(user);
    }
    let text = format!("are we well at {}?", now());
    let letter = signed(ANNA, "MSG_DIRECT", "guest-0", "guest-1", &content(ANNA, &text));
    users[0].says(&letter).await;
    let heard = users[1].hears("USER_DELIVER").await;
    assert_eq!(
        (&heard["payload"]["ciphertext"], &heard["payload"]["sender"]),
        (&json!(text), &json!("guest-0"))
    );
}

/// A public key that is too weak: of 2048 bits, or with the exponent 3.
pub(super) fn weak(bits: usize, exponent: &[u8]) -> String {
    let mut modulus: Vec<u8> =
        (0..bits / 256).flat_map(|part| sha256(format!("weak {part}").as_bytes())).collect();
    modulus[0] |= 0x80;
    *modulus.last_mut().expect("a byte") |= 1;
    modulus.insert(0, 0);
    let tagged = |tag: u8, inside: &[u8]| {
        let length = u16::try_from(inside.len()).expect("a length");
        let length = if length < 0x80 {
            vec![length.to_be_bytes()[1]]
        } else {
            [&[0x82][..], &length.to_be_bytes()].concat()
        };
        [&[tag][..], &length, inside].concat()
    };
    let numbers = tagged(0x30, &[tagged(2, &modulus), tagged(2, exponent)].concat());
    let rsa = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = tagged(3, &[&[0][..], &numbers].concat());
    binary::encode(&tagged(0x30, &[&rsa[..], &bits].concat()), false)
}
