//! Members of other dialects than OLAF, for tests in which several are spoken. What their dialects are is proven by
//! programs that share nothing with ours; see `peers`.

use std::sync::LazyLock;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use kith::{
    crypto::{
        keys::PrivateKey,
        signature::{Salt, sign},
    },
    dialect::{
        socp::{
            binary,
            envelope::print,
            key::{self, Spelling},
            sign as signature,
        },
        tpacket::packet::{MAGIC, Packet, command},
    },
    domain::letter::Frame,
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::app::{App, PATIENCE, in_time};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One key is enough: names tell SOCP users apart.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(4096).expect("a key"));

async fn dial(app: &App) -> Socket {
    let dialled = timeout(PATIENCE, connect_async(format!("ws://{}/", app.listen))).await;
    dialled.expect("in time").expect("a socket").0
}

async fn next(socket: &mut Socket) -> Message {
    loop {
        match socket.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => return message,
            other => panic!("the connection is over: {other:?}"),
        }
    }
}

/// A SOCP user.
pub(crate) struct User {
    socket: Socket,
    name: String,
    ts: i64,
}

impl User {
    /// Comes in under a name.
    pub(crate) async fn join(app: &App, name: &str) -> Self {
        let mut user = Self { socket: dial(app).await, name: name.to_owned(), ts: 1_700_000_000_000 };
        user.hello().await;
        user.hear("\"ACK\"").await;
        user
    }

    /// What somebody is told whom the server does not let in under a name.
    pub(crate) async fn refused(app: &App, name: &str) -> String {
        let mut user = Self { socket: dial(app).await, name: name.to_owned(), ts: 1_700_000_000_000 };
        user.hello().await;
        user.hear("\"ERROR\"").await
    }

    async fn hello(&mut self) {
        let own = key::write(KEY.public(), Spelling::default());
        self.frame("USER_HELLO", "*", &json!({"client": "test", "enc_pubkey": own, "pubkey": own})).await;
    }

    async fn frame(&mut self, kind: &str, to: &str, payload: &Value) {
        self.ts += 1;
        let payload = payload.to_string();
        let sig = sign(&KEY, payload.as_bytes(), Salt::Digest).expect("a signature");
        let sig = signature::encode(&sig, false);
        let text = print(kind, &self.name, to, &self.ts.to_string(), &payload, Some(&sig));
        self.socket.send(Message::text(text)).await.expect("a socket that takes frames");
    }

    /// Says something to everybody, in words.
    pub(crate) async fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes()).await;
    }

    /// The same with what only programs understand.
    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        let payload =
            json!({"ciphertext": binary::encode(bytes, false), "content_sig": "", "sender_pub": ""});
        self.frame("MSG_PUBLIC_CHANNEL", "public", &payload).await;
    }

    /// Waits for a frame with this text in it.
    pub(crate) async fn hear(&mut self, text: &str) -> String {
        self.hears_until(text).await.pop().expect("the last one")
    }

    /// All frames up to one with this text in it.
    pub(crate) async fn hears_until(&mut self, text: &str) -> Vec<String> {
        in_time(text, async {
            let mut frames = Vec::new();
            loop {
                let Message::Text(frame) = next(&mut self.socket).await else { panic!("no text") };
                frames.push(frame.to_string());
                if frame.contains(text) {
                    return frames;
                }
            }
        })
        .await
    }
}

/// A tPacket client in one room.
pub(crate) struct Guest {
    socket: Socket,
    uid: u32,
    /// What was said before it came.
    pub(crate) history: Vec<String>,
    /// Who is in, by number.
    roster: Vec<(i32, String)>,
}

impl Guest {
    /// Takes a nick and enters a room.
    pub(crate) async fn enter(app: &App, nick: &str, room: &str) -> Self {
        let mut guest = Self { socket: dial(app).await, uid: 0, history: Vec::new(), roster: Vec::new() };
        guest.send(command::NOP, MAGIC).await;
        guest.send(command::SET_USER_NICK, nick.as_bytes()).await;
        guest.until(command::RESP_OK).await;
        guest.send(command::SET_ROOM, room.as_bytes()).await;
        guest.until(command::RESP_OK).await;
        // Too long for any line, so this is answered behind all that belongs to the room.
        guest.send(command::NEW_MSG, &[b'x'; 20_000]).await;
        guest.until(command::RESP_ERROR).await;
        guest
    }

    async fn send(&mut self, command: u32, data: &[u8]) {
        self.uid += 1;
        let Frame::Binary(bytes) = (Packet { uid: self.uid, command, p1: 0, p2: 0, data }).print() else {
            panic!("packets are binary")
        };
        self.socket.send(Message::Binary(bytes)).await.expect("a socket that takes frames");
    }

    /// One packet: its command, its first number and its text. The roster and the history are kept.
    async fn hear_one(&mut self) -> (u32, i32, String) {
        let Message::Binary(bytes) = next(&mut self.socket).await else { panic!("no packet") };
        let bytes: Bytes = bytes;
        let packet = Packet::read(&bytes).expect("a packet");
        let text = String::from_utf8(packet.data.to_vec()).expect("text");
        match packet.command {
            command::NEW_USER => self.roster.push((packet.p1, text.clone())),
            command::DEL_USER => self.roster.retain(|(number, _)| *number != packet.p1),
            command::LOGGED_MSG => self.history.push(text.clone()),
            _ => {}
        }
        (packet.command, packet.p1, text)
    }

    async fn until(&mut self, wanted: u32) {
        in_time("an answer", async { while self.hear_one().await.0 != wanted {} }).await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(command::NEW_MSG, text.as_bytes()).await;
    }

    /// The next thing that is said, with the name of whoever says it.
    pub(crate) async fn hears_one(&mut self) -> (String, String) {
        in_time("words", async {
            loop {
                let (command, number, text) = self.hear_one().await;
                if command == command::NEW_MSG {
                    let by = self.roster.iter().find(|(known, _)| *known == number);
                    return (by.expect("whoever says something is in").1.clone(), text);
                }
            }
        })
        .await
    }

    /// All that is said up to this text, with the names of those who say it.
    pub(crate) async fn hears_until(&mut self, last: &str) -> Vec<(String, String)> {
        in_time(last, async {
            let mut said = Vec::new();
            loop {
                said.push(self.hears_one().await);
                if said.last().is_some_and(|(_, text)| text == last) {
                    return said;
                }
            }
        })
        .await
    }

    /// Waits until exactly these are in.
    pub(crate) async fn sees(&mut self, names: &[&str]) {
        let mut wanted: Vec<&str> = names.to_vec();
        wanted.sort_unstable();
        in_time("a roster as wished", async {
            loop {
                let mut here: Vec<&str> = self.roster.iter().map(|(_, name)| name.as_str()).collect();
                here.sort_unstable();
                if here == wanted {
                    return;
                }
                self.hear_one().await;
            }
        })
        .await;
    }
}
