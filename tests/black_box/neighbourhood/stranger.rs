//! A neighbour whose every message is ours: the library's own session, over a socket of our own.
//!
//! It proves its key as any server does; what it says afterwards, and what it leaves out, is up to the
//! test.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use kith::{
    crypto::{
        channel::Ephemeral,
        keys::{PrivateKey, PublicKey},
        sha256,
        signature::{Salt, Verifier, sign},
    },
    dialect::{
        Myself, Terms,
        event::{Input, Output, Standing},
        kith::{SUBPROTOCOL, session::Session, wire},
    },
    domain::{
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Member,
        news::News,
        replay::Trace,
    },
};
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{
    app::{App, PATIENCE, in_time},
    client::{Client, Goodbye},
};

/// Where a stranger says that its members are.
pub(super) const LAIR: &str = "lair.example:1";

/// Keys of servers that nobody knows.
static KEYS: LazyLock<Vec<PrivateKey>> =
    LazyLock::new(|| (0..2).map(|_| PrivateKey::generate(2048).expect("a key")).collect());

/// A socket that speaks the sub-protocol of servers.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A neighbour.
pub(super) struct Stranger {
    pub(super) socket: Socket,
    session: Session,
    key: &'static PrivateKey,
    /// Whose hand signs: its own, unless it lies.
    pub(super) hand: usize,
    /// What it sent so far.
    pub(super) sent: Vec<Message>,
    /// What was understood and not looked at yet.
    pub(super) heard: VecDeque<Output>,
}

/// Opens a socket to a main door as another server would.
pub(super) async fn knock(door: &str) -> Socket {
    let mut request = format!("ws://{door}/peer").into_client_request().expect("a request");
    request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().expect("a header"));
    let (socket, _) = timeout(PATIENCE, connect_async(request)).await.expect("in time").expect("a socket");
    socket
}

/// How a socket ends, whatever comes before.
pub(super) async fn goodbye(socket: &mut Socket) -> Goodbye {
    in_time("the end of a socket", async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => {
                    return Some((close.code.into(), close.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    })
    .await
}

/// Whether it is still a good house for its clients and for other servers.
pub(super) async fn still_serves(app: &App) {
    let mut client = Client::join(app, 3).await;
    client.say("are we well?").await;
    client.hear("are we well?").await;
    let mut guest = Stranger::linked(app, 1, "guest.example:1").await;
    guest.lists(1, &[somebody("a well behaved guest")]).await;
    client.looks(|homes| homes.get("guest.example:1").is_some_and(|keys| keys.len() == 1)).await;
}

impl Stranger {
    /// One that calls itself by this address and has said nothing yet.
    pub(super) async fn new(door: &str, number: usize, address: &str) -> Self {
        let key = &KEYS[number];
        let name = format!("stranger-{number}");
        let myself = Myself {
            takes_socp: true,
            id: address.into(),
            address: address.to_owned(),
            name,
            key: Arc::new(key.public().clone()),
        };
        let terms = Terms {
            doors: Vec::new(),
            recipients_per_letter: 256,
            detect_accents: true,
            socp_detect_accents: true,
            unsigned: false,
            peer_heartbeat_s: 5,
            peer_silence_s: 15,
            tpacket_strict_seed: false,
            myself,
        };
        let ephemeral = Ephemeral::generate().expect("randomness");
        let session = Session::dialling(Arc::new(terms), ephemeral, door);
        let (sent, heard) = (Vec::new(), VecDeque::new());
        Self { socket: knock(door).await, session, key, hand: number, sent, heard }
    }

    /// One that is linked, was told the list of the house, and has listed nobody.
    pub(super) async fn linked(app: &App, number: usize, address: &str) -> Self {
        let mut stranger = Self::greeted(&app.listen, number, address).await;
        stranger.is_told().await;
        app.until_state(address, "up").await;
        stranger
    }

    /// One whose greeting is over, as far as it knows.
    pub(super) async fn greeted(door: &str, number: usize, address: &str) -> Self {
        let mut stranger = Self::new(door, number, address).await;
        stranger.happens(Input::Opened).await;
        stranger.hears(|wish| matches!(wish, Output::Step("up", _)).then_some(())).await;
        stranger
    }

    /// Its key, as it shows it.
    pub(super) fn key(&self) -> &'static [u8] {
        self.key.public().spki()
    }

    /// The fingerprint of its key.
    pub(super) fn id(&self) -> String {
        self.key.public().id().hex()
    }

    /// What it signs in the name of its own key, or of another stranger's.
    pub(super) fn signs(&self, text: &[u8]) -> Vec<u8> {
        sign(&KEYS[self.hand], text, Salt::Digest).expect("a signature")
    }

    /// Something happens to the session, and what it wishes is done.
    pub(super) async fn happens(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut wishes = Vec::new();
            self.session.handle(input, Duration::from_secs(1), &mut wishes);
            for wish in wishes {
                match wish {
                    Output::Send(Frame::Binary(bytes)) => self.sends(Message::binary(bytes)).await,
                    Output::Sign(_, text) => {
                        let signature = sign(&KEYS[self.hand], &text, Salt::Digest).expect("a signature");
                        inputs.push_back(Input::Signed(signature));
                    }
                    Output::Check(check) => {
                        let verifier = Verifier::new(&check.key).expect("a verifier");
                        inputs.push_back(Input::Checked(verifier.judge(&check.question)));
                    }
                    Output::Claim(_) => inputs.push_back(Input::Stands(Ok(Standing::default()))),
                    Output::Greet(_) => inputs.push_back(Input::Welcomed(Ok(HomeId(2)))),
                    wish => self.heard.push_back(wish),
                }
            }
        }
    }

    /// Sends a frame as it is.
    pub(super) async fn sends(&mut self, frame: Message) {
        self.sent.push(frame.clone());
        let sent = timeout(PATIENCE, self.socket.send(frame)).await.expect("a frame that is taken in time");
        sent.expect("a socket that takes frames");
    }

    /// Seals a message without sending it.
    pub(super) fn seals(&mut self, message: Frame) -> Bytes {
        match self.session.wrap(message) {
            Frame::Binary(bytes) => bytes,
            Frame::Text(text) => panic!("nothing is sealed as text: {text}"),
        }
    }

    /// Says something under the seal.
    pub(super) async fn says(&mut self, message: Frame) {
        let sealed = self.seals(message);
        self.sends(Message::binary(sealed)).await;
    }

    /// Says something under the seal if the server still takes it.
    pub(super) async fn manages_to_say(&mut self, message: Frame) -> bool {
        let sealed = self.seals(message);
        self.socket.send(Message::binary(sealed)).await.is_ok()
    }

    /// The same with fields of its own.
    pub(super) async fn says_raw(&mut self, kind: u8, body: &[u8]) {
        self.says(Frame::Binary([&[kind], body].concat().into())).await;
    }

    /// Waits for something that is of interest.
    pub(super) async fn hears<T>(&mut self, wish: impl Fn(&Output) -> Option<T>) -> T {
        // All of it together: a server gossips every other second, and would be waited for without end.
        in_time("something that is of interest to a neighbour", async {
            loop {
                while let Some(heard) = self.heard.pop_front() {
                    if let Some(found) = wish(&heard) {
                        return found;
                    }
                }
                match self.socket.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        self.happens(Input::Frame(Frame::Binary(bytes))).await;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("an unexpected end: {other:?}; heard so far: {:?}", self.heard),
                }
            }
        })
        .await
    }

    /// Waits until it is told the list of the house, which is short.
    async fn is_told(&mut self) {
        self.hears(|wish| matches!(wish, Output::Tell(News::Part { through: None, .. })).then_some(())).await;
    }

    /// Waits until the server has dealt with everything that was said before.
    pub(super) async fn is_understood(&mut self) {
        // Wishes for the list are answered by the map, behind everything that it was told. The list that
        // comes with the link was awaited, so this one is the answer.
        self.says(wire::want_list()).await;
        self.is_told().await;
    }

    /// How the server ends the link, or the greeting.
    pub(super) async fn goodbye(&mut self) -> Goodbye {
        in_time("the end of a link", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        self.happens(Input::Frame(Frame::Binary(bytes))).await;
                    }
                    Some(Ok(Message::Close(Some(close)))) => {
                        return Some((close.code.into(), close.reason.to_string()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        })
        .await
    }

    /// Lists exactly these members.
    pub(super) async fn lists(&mut self, sequence: u64, members: &[Arc<Member>]) {
        self.says(wire::part(None, members, true, sequence)).await;
    }
}

/// Somebody with this key, or with one that is made up from this text: well formed, and nobody's.
pub(super) fn somebody(text: &str) -> Arc<Member> {
    let key = PublicKey::read(text).unwrap_or_else(|_| made_up(text));
    let public_key: Arc<str> =
        if PublicKey::read(text).is_ok() { text.into() } else { key.canonical_pem().into() };
    let spelled = KeyId(sha256(public_key.as_bytes()));
    Arc::new(Member {
        key: key.id(),
        name: None,
        number: 1,
        dialect: Dialect::Olaf,
        public_key,
        spelled,
        sealing_key: None,
        display_name: None,
        fingerprint: Some(key.id()),
    })
}

/// A 2048-bit modulus of noise with the usual exponent, as SubjectPublicKeyInfo.
fn made_up(seed: &str) -> PublicKey {
    const HEAD: [u8; 33] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
    ];
    let mut modulus: Vec<u8> = (0..8).flat_map(|part| sha256(format!("{part} {seed}").as_bytes())).collect();
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    let spki = [&HEAD[..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    PublicKey::from_der(&spki).expect("a well-formed key")
}

/// What somebody has written, with a signature that is of this letter alone and of nobody's hand. Clients
/// are handed these very words.
pub(super) fn written(serial: u128, text: &str) -> String {
    let data = json!({"type": "public_chat", "sender": "-", "message": text}).to_string();
    let signature = STANDARD.encode(serial.to_be_bytes());
    json!({"type": "signed_data", "data": data, "counter": 1, "signature": signature}).to_string()
}

/// A public letter of theirs, which nobody has signed.
pub(super) fn letter(author: &Member, serial: u128, text: &str) -> Frame {
    wrapped(author, serial, written(serial, text))
}

/// Any words at all, as a letter of theirs.
pub(super) fn wrapped(author: &Member, serial: u128, original: String) -> Frame {
    let letter = Letter {
        from: Origin::Home(HomeId::OWN),
        author: Author::Proven(author.key),
        audience: Audience::Everyone,
        trace: Trace(serial.to_be_bytes()),
        dialect: Dialect::Olaf,
        original: Frame::Text(original.into()),
        plain: None,
    };
    wire::letter(&letter).expect("a letter of somebody who is proven")
}
