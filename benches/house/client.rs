//! A client that costs as little as possible: raw sockets, frames prepared beforehand, and a reader that
//! counts frames without looking into them.

use std::{io, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use kith::crypto::{
    fingerprint,
    keys::PrivateKey,
    signature::{Salt, sign},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Somebody who can sign.
pub(crate) struct Person {
    key: PrivateKey,
    sender: String,
}

impl Person {
    pub(crate) fn new() -> Self {
        let key = PrivateKey::generate(2048).expect("a key");
        let sender = fingerprint::OFFICIAL.of(key.public(), "");
        Self { key, sender }
    }

    /// A hello, ready to be written.
    pub(crate) fn hello(&self) -> Bytes {
        self.signed(&json!({"type": "hello", "public_key": self.key.public().canonical_pem()}), 1)
    }

    /// A public chat of 256 bytes, ready to be written.
    pub(crate) fn letter(&self, counter: u64) -> Bytes {
        self.signed(
            &json!({"type": "public_chat", "sender": self.sender, "message": "m".repeat(256)}),
            counter,
        )
    }

    fn signed(&self, data: &Value, counter: u64) -> Bytes {
        let data = data.to_string();
        let signature =
            sign(&self.key, format!("{data}{counter}").as_bytes(), Salt::Digest).expect("a signature");
        let signature = STANDARD.encode(signature);
        let frame = json!({"type": "signed_data", "data": data, "counter": counter, "signature": signature});
        text_frame(&frame.to_string())
    }
}

/// A text frame of a client, masked with zeros: correct, and free of charge.
fn text_frame(text: &str) -> Bytes {
    let length = u16::try_from(text.len()).expect("a frame below 64 KiB");
    let mut bytes = vec![0x81];
    match u8::try_from(length) {
        Ok(short @ ..=125) => bytes.push(0x80 | short),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes.into()
}

/// Opens a WebSocket.
pub(crate) async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    if head.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(io::Error::other("no upgrade")) }
}

/// Opens a WebSocket, says hello and waits for the first client list.
pub(crate) async fn join(address: SocketAddr, hello: &[u8]) -> io::Result<(TcpStream, Tape)> {
    let mut stream = open(address).await?;
    stream.write_all(hello).await?;
    let mut tape = Tape::default();
    let mut buffer = vec![0; 16 << 10];
    while tape.lists == 0 {
        let count = stream.read(&mut buffer).await?;
        if count == 0 || tape.closed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        tape.feed(&buffer[..count]);
    }
    Ok((stream, tape))
}

/// Counts the frames of a server as their bytes go by.
#[derive(Default)]
pub(crate) struct Tape {
    head: Vec<u8>,
    left: u64,
    at: u64,
    mark: u8,
    in_payload: bool,
    /// Letters so far.
    pub(crate) letters: u64,
    /// Client lists so far.
    pub(crate) lists: u64,
    /// A close frame was seen.
    pub(crate) closed: bool,
}

/// The first letter of the type, in the frames that servers send to us: `{"type":"signed_data"`.
const MARK_AT: u64 = 9;

impl Tape {
    /// The same place between the bytes, counting letters from zero.
    pub(crate) fn recounting(self) -> Self {
        Self { letters: 0, ..self }
    }

    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if !self.in_payload {
                self.head.push(*first);
                bytes = rest;
                self.try_head();
                continue;
            }
            let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(count);
            if let Some(mark) = MARK_AT.checked_sub(self.at).and_then(|at| now.get(usize::try_from(at).ok()?))
            {
                self.mark = *mark;
            }
            self.at += count as u64;
            self.left -= count as u64;
            bytes = later;
            self.try_end();
        }
    }

    fn try_head(&mut self) {
        let length = match self.head[..] {
            [_, short @ 0..=125] => u64::from(short),
            [_, 126, high, low] => u64::from(u16::from_be_bytes([high, low])),
            [_, 127, ref long @ ..] if long.len() == 8 => {
                long.iter().fold(0, |length, byte| length << 8 | u64::from(*byte))
            }
            _ => return,
        };
        (self.left, self.at, self.mark, self.in_payload) = (length, 0, 0, true);
        self.try_end();
    }

    fn try_end(&mut self) {
        if self.left > 0 {
            return;
        }
        match (self.head[0] & 0x0f, self.mark) {
            (1, b's') => self.letters += 1,
            (1, b'c') => self.lists += 1,
            (8, _) => self.closed = true,
            _ => {}
        }
        self.head.clear();
        self.in_payload = false;
    }
}
