//! The edges of RFC 6455 that the codec leaves open: whole messages, and how to say goodbye.

use std::io;

use actix_http::ws::{CloseCode, CloseReason, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use crate::domain::{
    letter::Frame,
    refusal::{Ending, Violation},
};

/// The payload length that a frame announces, as soon as enough of its head is there.
#[must_use]
pub fn announced(head: &[u8]) -> Option<u64> {
    match head.get(1)? & 0x7f {
        126 => Some(u16::from_be_bytes(head.get(2..4)?.try_into().ok()?).into()),
        127 => Some(u64::from_be_bytes(head.get(2..10)?.try_into().ok()?)),
        short => Some(short.into()),
    }
}

/// Puts fragments together, within a limit.
#[derive(Debug)]
pub struct Assembler {
    limit: usize,
    /// Boxed, because most connections never send a fragment.
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    bytes: BytesMut,
}

impl Assembler {
    /// An assembler for messages of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, partial: None }
    }

    /// From now on messages may be larger.
    pub const fn allow(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds a fragment, and returns the message if this was the last one.
    ///
    /// # Errors
    /// The message is too large, or its text is not UTF-8.
    pub fn push(&mut self, item: Item) -> Result<Option<Frame>, Violation> {
        match item {
            Item::FirstText(bytes) => self.start(true, &bytes),
            Item::FirstBinary(bytes) => self.start(false, &bytes),
            Item::Continue(bytes) => self.extend(&bytes),
            Item::Last(bytes) => {
                self.extend(&bytes)?;
                let partial = self.partial.take().ok_or(Violation::BadFrame)?;
                let bytes = partial.bytes.freeze();
                let frame = if partial.is_text {
                    Frame::Text(ByteString::try_from(bytes).map_err(|_| Violation::NotUtf8)?)
                } else {
                    Frame::Binary(bytes)
                };
                return Ok(Some(frame));
            }
        }
        .map(|()| None)
    }

    fn start(&mut self, is_text: bool, bytes: &Bytes) -> Result<(), Violation> {
        self.partial = Some(Box::new(Partial { is_text, bytes: BytesMut::new() }));
        self.extend(bytes)
    }

    fn extend(&mut self, bytes: &Bytes) -> Result<(), Violation> {
        let partial = self.partial.as_mut().ok_or(Violation::BadFrame)?;
        if partial.bytes.len() + bytes.len() > self.limit {
            return Err(Violation::TooLarge);
        }
        partial.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// What a failure of the codec means.
#[must_use]
pub fn violation(error: &ProtocolError) -> Violation {
    match error {
        ProtocolError::Overflow => Violation::TooLarge,
        // The codec says "invalid data" of reserved bits; what is left is text that is not UTF-8.
        ProtocolError::Io(error) if !matches!(error.kind(), io::ErrorKind::InvalidData) => Violation::NotUtf8,
        _ => Violation::BadFrame,
    }
}

/// The close frame for an ending: a code of the RFC, and our stable name as the reason.
#[must_use]
pub fn goodbye(ending: Ending) -> CloseReason {
    let code = match ending {
        Ending::Left | Ending::Replaced | Ending::RefusedUs(_) => CloseCode::Normal,
        Ending::Violated(Violation::NotUtf8) => CloseCode::Invalid,
        Ending::Violated(Violation::TooLarge) => CloseCode::Size,
        Ending::Violated(Violation::NotBinary) => CloseCode::Unsupported,
        Ending::Violated(Violation::BadFrame) => CloseCode::Protocol,
        Ending::Refused(crate::domain::refusal::Refusal::Draining) | Ending::Draining => CloseCode::Restart,
        Ending::Refused(refusal) if refusal.is_temporary() => CloseCode::Again,
        Ending::Slow | Ending::Stalled => CloseCode::Again,
        Ending::Failed => CloseCode::Error,
        Ending::Silent | Ending::NoHello | Ending::Kicked | Ending::Violated(_) | Ending::Refused(_) => {
            CloseCode::Policy
        }
    };
    let description = (ending != Ending::Left).then(|| ending.code().to_owned());
    CloseReason { code, description }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_measured_by_its_head() {
        let two = 300_u16.to_be_bytes();
        let eight = (100_u64 << 20).to_be_bytes();
        assert_eq!(announced(&[0x81, 0x80 | 125]), Some(125));
        assert_eq!(announced(&[0x81, 0xfe, two[0], two[1]]), Some(300));
        assert_eq!(announced(&[&[0x81, 0xff][..], &eight].concat()), Some(100 << 20));
        for torn in [&[][..], &[0x81], &[0x81, 0xfe, 1], &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 1]] {
            assert_eq!(announced(torn), None);
        }
    }

    #[test]
    fn fragments_become_one_message_within_the_limit() {
        let mut assembler = Assembler::new(6);
        let part = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(assembler.push(Item::FirstText(part("hä"))), Ok(None));
        assert_eq!(assembler.push(Item::Continue(part(""))), Ok(None));
        let whole = Frame::Text(ByteString::from_static("häppy"));
        assert_eq!(assembler.push(Item::Last(part("ppy"))), Ok(Some(whole)));
        assert_eq!(assembler.push(Item::FirstBinary(part("1234"))), Ok(None));
        assert_eq!(assembler.push(Item::Last(part("567"))), Err(Violation::TooLarge));
    }

    #[test]
    fn a_letter_torn_apart_is_whole_again_and_half_a_letter_is_refused() {
        let mut assembler = Assembler::new(100);
        let bytes = "é".as_bytes();
        let half = |range: std::ops::Range<usize>| Bytes::copy_from_slice(&bytes[range]);
        assert_eq!(assembler.push(Item::FirstText(half(0..1))), Ok(None));
        assert!(assembler.push(Item::Last(half(1..2))).is_ok_and(|frame| frame.is_some()));
        assert_eq!(assembler.push(Item::FirstText(half(0..1))), Ok(None));
        assert_eq!(assembler.push(Item::Last(half(0..0))), Err(Violation::NotUtf8));
    }
}
