//! The edges of RFC 6455 that the codec leaves open: whole messages, and how to say goodbye.

use std::{io, str};

use actix_http::ws::{CloseCode, CloseReason, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use crate::domain::{
    letter::Frame,
    refusal::{Ending, MOVED, Violation},
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

/// How many of these bytes are whole characters. What is left may still become one.
///
/// # Errors
/// Whatever follows, this will never be UTF-8.
pub fn whole_characters(text: &[u8]) -> Result<usize, Violation> {
    match str::from_utf8(text) {
        Ok(text) => Ok(text.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(Violation::NotUtf8),
    }
}

/// What is here of a text that begins with this head, from the byte `from` of its payload on.
#[must_use]
pub fn text_so_far(frame: &[u8], from: usize) -> Option<Vec<u8>> {
    const OPCODE: u8 = 0x0f;
    const TEXT: u8 = 1;
    let [first, second, ..] = frame else { return None };
    if first & OPCODE != TEXT {
        return None;
    }
    let head = match second & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    if second & 0x80 == 0 {
        return frame.get(head + from..).map(<[u8]>::to_vec);
    }
    let (mask, payload) = frame.get(head..)?.split_first_chunk::<4>()?;
    let masks = mask.iter().cycle().skip(from % mask.len());
    Some(payload.get(from..)?.iter().zip(masks).map(|(byte, mask)| byte ^ mask).collect())
}

/// Puts fragments together, within a limit.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Boxed, because most connections never send a fragment.
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    /// So many bytes of a text are whole characters.
    whole: usize,
    bytes: BytesMut,
}

impl Assembler {
    /// Adds a fragment, and returns the message if this was the last one. `limit` is the size of
    /// the largest message.
    ///
    /// # Errors
    /// The message is too large, or its text is not UTF-8.
    pub fn push(&mut self, item: Item, limit: u32) -> Result<Option<Frame>, Violation> {
        match item {
            Item::FirstText(bytes) => self.start(true, &bytes, limit),
            Item::FirstBinary(bytes) => self.start(false, &bytes, limit),
            Item::Continue(bytes) => self.extend(&bytes, limit),
            Item::Last(bytes) => {
                self.extend(&bytes, limit)?;
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

    fn start(&mut self, is_text: bool, bytes: &Bytes, limit: u32) -> Result<(), Violation> {
        self.partial = Some(Box::new(Partial { is_text, whole: 0, bytes: BytesMut::new() }));
        self.extend(bytes, limit)
    }

    fn extend(&mut self, bytes: &Bytes, limit: u32) -> Result<(), Violation> {
        let partial = self.partial.as_mut().ok_or(Violation::BadFrame)?;
        let length = partial.bytes.len() + bytes.len();
        if u32::try_from(length).map_or(true, |length| length > limit) {
            return Err(Violation::TooLarge);
        }
        partial.bytes.extend_from_slice(bytes);
        if partial.is_text {
            partial.whole += whole_characters(&partial.bytes[partial.whole..])?;
        }
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

/// The longest reason that a close frame can hold.
const REASON: usize = 123;

/// The close frame for an ending: a code of the RFC, and our stable name as the reason, or where to go.
#[must_use]
pub fn goodbye(ending: Ending, next_door: Option<&str>) -> CloseReason {
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
    let moved = next_door.filter(|_| matches!(code, CloseCode::Restart)).map(|door| format!("{MOVED}{door}"));
    let moved = moved.filter(|reason| reason.len() <= REASON);
    let description = moved.or_else(|| (ending != Ending::Left).then(|| ending.code().to_owned()));
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
    fn a_text_is_read_while_it_comes() {
        let masked = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'a' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];
        for (from, text) in ["hallo", "allo", "llo", "lo", "o", ""].into_iter().enumerate() {
            assert_eq!(text_so_far(&masked, from).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(text_so_far(&masked[..8], 1).as_deref(), Some(&b"a"[..]));
        for length in 0..6 {
            assert_eq!(text_so_far(&masked[..length], 0), None, "a torn head");
        }
        let plain = [&[1, 126, 1, 0][..], "é".as_bytes()].concat();
        assert_eq!(text_so_far(&plain, 0).as_deref(), Some("é".as_bytes()));
        for other in [0x80, 0x82, 0x89] {
            assert_eq!(text_so_far(&[other, 2, 0xff], 0), None);
        }
        assert_eq!(whole_characters(&"hé".as_bytes()[..2]), Ok(1));
        assert_eq!(whole_characters(b"h\xed\xa0"), Err(Violation::NotUtf8));
    }

    #[test]
    fn fragments_become_one_message_within_the_limit() {
        let mut assembler = Assembler::default();
        let part = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(assembler.push(Item::FirstText(part("hä")), 6), Ok(None));
        assert_eq!(assembler.push(Item::Continue(part("")), 6), Ok(None));
        let whole = Frame::Text(ByteString::from_static("häppy"));
        assert_eq!(assembler.push(Item::Last(part("ppy")), 6), Ok(Some(whole)));
        assert_eq!(assembler.push(Item::FirstBinary(part("1234")), 6), Ok(None));
        assert_eq!(assembler.push(Item::Last(part("567")), 6), Err(Violation::TooLarge));
    }

    #[test]
    fn a_letter_torn_apart_is_whole_again_and_half_a_letter_is_refused() {
        let mut assembler = Assembler::default();
        let bytes = "é".as_bytes();
        let half = |range: std::ops::Range<usize>| Bytes::copy_from_slice(&bytes[range]);
        assert_eq!(assembler.push(Item::FirstText(half(0..1)), 100), Ok(None));
        assert!(assembler.push(Item::Last(half(1..2)), 100).is_ok_and(|frame| frame.is_some()));
        assert_eq!(assembler.push(Item::FirstText(half(0..1)), 100), Ok(None));
        assert_eq!(assembler.push(Item::Last(half(0..0)), 100), Err(Violation::NotUtf8));
        assert_eq!(assembler.push(Item::FirstText(half(1..2)), 100), Err(Violation::NotUtf8));
    }
}
