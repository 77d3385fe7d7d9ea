//! A small OLAF client for tests that are about the house and not about the protocol.
//!
//! The protocol itself is proven by programs that share nothing with ours; see `peers`.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use kith::crypto::{
    fingerprint::OFFICIAL,
    keys::PrivateKey,
    signature::{Salt, sign},
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async, tungstenite::Message};

use crate::app::{App, PATIENCE, in_time};

/// Making keys is slow in an unoptimised build; tests share a handful.
static KEYS: LazyLock<Vec<PrivateKey>> =
    LazyLock::new(|| (0..4).map(|_| PrivateKey::generate(2048).expect("a key")).collect());

/// How a connection ended: the close code and reason, or nothing if it just broke off.
pub(crate) type Goodbye = Option<(u16, String)>;

/// A TCP connection from an address of this machine.
pub(crate) async fn connect_from(app: &App, address: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((address, 0).into()).expect("an address of this machine");
    let door = app.listen.parse().expect("an address");
    timeout(PATIENCE, socket.connect(door)).await.expect("in time").expect("a connection")
}

/// One member on one connection.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    key: &'static PrivateKey,
    counter: u64,
}

impl Client {
    /// Connects as the person with this number, without saying hello.
    pub(crate) async fn dial(app: &App, person: usize) -> Self {
        Self::dial_url(&format!("ws://{}/", app.listen), person).await
    }

    /// The same with a URL.
    pub(crate) async fn dial_url(url: &str, person: usize) -> Self {
        let (socket, _) = timeout(PATIENCE, connect_async(url)).await.expect("in time").expect("a socket");
        Self { socket, key: &KEYS[person], counter: 0 }
    }

    /// Connects from an address of this machine, without saying hello.
    pub(crate) async fn dial_from(app: &App, person: usize, address: [u8; 4]) -> Self {
        let stream = MaybeTlsStream::Plain(connect_from(app, address).await);
        let socket = timeout(PATIENCE, client_async(format!("ws://{}/", app.listen), stream)).await;
        let (socket, _) = socket.expect("in time").expect("a socket");
        Self { socket, key: &KEYS[person], counter: 0 }
    }

    /// Connects, says hello, and waits for the first list.
    pub(crate) async fn join(app: &App, person: usize) -> Self {
        let mut client = Self::dial(app, person).await;
        client.hello().await;
        client.list_with(&client.pem()).await;
        client
    }

    /// The public key as this client writes it.
    pub(crate) fn pem(&self) -> String {
        self.key.public().canonical_pem()
    }

    /// The fingerprint that goes with it.
    pub(crate) fn fingerprint(&self) -> String {
        OFFICIAL.of(self.key.public(), "")
    }

    /// A signed frame.
    pub(crate) fn signed(&mut self, data: &Value) -> String {
        self.counter += 1;
        let data = data.to_string();
        let signature = sign(self.key, format!("{data}{}", self.counter).as_bytes(), Salt::Digest);
        let signature = STANDARD.encode(signature.expect("a signature"));
        json!({"type": "signed_data", "data": data, "counter": self.counter, "signature": signature})
            .to_string()
    }

    /// The hello of this client.
    pub(crate) fn hello_frame(&mut self) -> String {
        let pem = self.pem();
        self.signed(&json!({"type": "hello", "public_key": pem}))
    }

    pub(crate) async fn hello(&mut self) {
        let frame = self.hello_frame();
        self.send(&frame).await;
    }

    /// Says something to everyone, and returns the frame.
    pub(crate) async fn say(&mut self, text: &str) -> String {
        let sender = self.fingerprint();
        let frame = self.signed(&json!({"type": "public_chat", "sender": sender, "message": text}));
        self.send(&frame).await;
        frame
    }

    pub(crate) async fn send(&mut self, frame: &str) {
        let sent = self.socket.send(Message::text(frame)).await;
        sent.expect("a socket that takes frames");
    }

    /// The next text, or how the connection ended. Pings are answered by the library.
    pub(crate) async fn next(&mut self) -> Result<String, Goodbye> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Some((close.code.into(), close.reason.to_string())));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("an unexpected frame: {other:?}"),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Waits for a frame that contains some text.
    pub(crate) async fn hear(&mut self, text: &str) -> String {
        in_time(text, async {
            loop {
                match self.next().await {
                    Ok(frame) if frame.contains(text) => return frame,
                    Ok(_) => {}
                    Err(goodbye) => panic!("closed with {goodbye:?} before {text:?} was heard"),
                }
            }
        })
        .await
    }

    /// Waits for a list that fulfils a wish, and returns its keys.
    pub(crate) async fn list(&mut self, wish: impl Fn(&[String]) -> bool) -> Vec<String> {
        in_time("a list as wished", async {
            loop {
                let frame = self.hear("\"client_list\"").await;
                let list: Value = serde_json::from_str(&frame).expect("a list that is JSON");
                let clients = list["servers"][0]["clients"].as_array().expect("clients");
                let keys: Vec<String> = clients.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                if wish(&keys) {
                    return keys;
                }
            }
        })
        .await
    }

    pub(crate) async fn list_with(&mut self, pem: &str) {
        self.list(|keys| keys.iter().any(|key| key == pem)).await;
    }

    pub(crate) async fn list_without(&mut self, pem: &str) {
        self.list(|keys| !keys.iter().any(|key| key == pem)).await;
    }

    /// Reads until the connection ends.
    pub(crate) async fn goodbye(&mut self) -> Goodbye {
        in_time("the end of a connection", async {
            loop {
                if let Err(goodbye) = self.next().await {
                    return goodbye;
                }
            }
        })
        .await
    }
}
