//! WebSocket by hand, for what no library would send.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::app::PATIENCE;

/// A connection whose every byte is ours.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
}

/// A frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;
pub(crate) const FINAL: u8 = 0x80;

/// A handshake with some headers of one's own.
pub(crate) fn handshake(path: &str, host: &str, extra: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    )
}

impl Raw {
    /// A TCP connection and nothing more.
    pub(crate) fn dial(listen: &str) -> Self {
        let stream = TcpStream::connect(listen).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream }
    }

    /// A WebSocket.
    pub(crate) fn open(listen: &str) -> Self {
        Self::open_at(listen, "/")
    }

    /// A WebSocket at a path.
    pub(crate) fn open_at(listen: &str, path: &str) -> Self {
        let mut raw = Self::dial(listen);
        let answer = raw.request(&handshake(path, listen, ""));
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        raw
    }

    /// Sends a request and reads the head of the answer.
    pub(crate) fn request(&mut self, text: &str) -> String {
        self.stream.write_all(text.as_bytes()).expect("a request");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read(&mut byte).expect("an answer") == 0 {
                break;
            }
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("an answer in text")
    }

    /// Sends a masked frame. `first` holds the FIN bit and the opcode.
    pub(crate) fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = header(first, payload.len() as u64);
        frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).expect("a frame");
    }

    /// Reads the next frame; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.take()?)),
            127 => u64::from_be_bytes(self.take()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame { opcode: head[0] & 0x0f, payload })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Reads until a close frame, returns its code, and checks that the stream ends behind it.
    pub(crate) fn close_code(&mut self) -> u16 {
        let close = loop {
            let frame = self.next().expect("a close frame before the end");
            if frame.opcode == CLOSE {
                break frame;
            }
        };
        assert!(self.next().is_none(), "nothing comes after a close frame");
        close.payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]))
    }

    /// Whether the server has not ended the connection so far.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.set_nonblocking(true).expect("an option");
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).expect("an option");
        matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Whether the server ends the connection within a span.
    pub(crate) fn ends_within(&mut self, span: Duration) -> bool {
        self.stream.set_read_timeout(Some(span)).expect("a timeout");
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// The head of a masked frame of any length.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..=125 => head.push(0x80 | u8::try_from(length).expect("a short length")),
        126..=0xffff => {
            head.push(0x80 | 126);
            head.extend(u16::try_from(length).expect("a length").to_be_bytes());
        }
        _ => {
            head.push(0x80 | 127);
            head.extend(length.to_be_bytes());
        }
    }
    head.extend([1, 2, 3, 4]);
    head
}
