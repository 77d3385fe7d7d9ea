//! Sockets that cost as little as possible: raw, and with a reader that counts frames without looking into
//! them.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A text frame of a client, masked with zeros: correct, and free of charge.
pub(crate) fn text_frame(text: &str) -> Bytes {
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

/// Counts the frames of a server as their bytes go by.
pub(crate) struct Tape {
    head: Vec<u8>,
    left: u64,
    at: u64,
    mark: u8,
    in_payload: bool,
    seen: [u64; 128],
    /// A close frame was seen.
    pub(crate) closed: bool,
}

/// The first letter of the type, in the frames that servers send to us: `{"type":"signed_data"`.
const MARK_AT: u64 = 9;

impl Default for Tape {
    fn default() -> Self {
        Self { head: Vec::new(), left: 0, at: 0, mark: 0, in_payload: false, seen: [0; 128], closed: false }
    }
}

impl Tape {
    /// The same place between the bytes, counting from zero.
    pub(crate) fn recounting(self) -> Self {
        Self { seen: [0; 128], ..self }
    }

    /// Frames so far whose type begins with this letter.
    pub(crate) fn count(&self, mark: u8) -> u64 {
        self.seen[usize::from(mark & 127)]
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
        match self.head[0] & 0x0f {
            1 => self.seen[usize::from(self.mark & 127)] += 1,
            8 => self.closed = true,
            _ => {}
        }
        self.head.clear();
        self.in_payload = false;
    }
}
