//! Members who speak OLAF, with frames prepared beforehand.

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

use crate::wire::{Tape, open, text_frame};

/// How the type of a letter begins.
pub(crate) const LETTER: u8 = b's';
/// How the type of a client list begins.
const LIST: u8 = b'c';

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

/// Opens a WebSocket, says hello and waits for the first client list.
pub(crate) async fn join(address: SocketAddr, hello: &[u8]) -> io::Result<(TcpStream, Tape)> {
    let mut stream = open(address).await?;
    stream.write_all(hello).await?;
    let mut tape = Tape::default();
    let mut buffer = vec![0; 16 << 10];
    while tape.count(LIST) == 0 {
        let count = stream.read(&mut buffer).await?;
        if count == 0 || tape.closed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        tape.feed(&buffer[..count]);
    }
    Ok((stream, tape))
}
