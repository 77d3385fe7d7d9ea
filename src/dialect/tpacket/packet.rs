//! The shape of a packet: 24 bytes of head, little-endian, and data up to the end of the message.
//!
//! A message is a packet or it is nothing: the size in the head must be the size of the message, or a reader
//! that trusts it reads what is not there. Two packets in one message are none.

use crate::domain::letter::Frame;

/// How a packet begins.
pub const SIGNATURE: [u8; 4] = *b"Ej8@";
/// The length of a packet without data.
pub const HEAD: usize = 24;
/// What the first packet says to show that this is the protocol that is meant.
pub const MAGIC: &[u8] = b"magic string :)";
/// The number of a packet that answers nothing: minus one.
pub const UNASKED: u32 = u32::MAX;

/// What a packet is for. From 16 on these are ours, for clients that said that they know them.
pub mod command {
    /// Nothing; at the first level of trust it carries the magic string.
    pub const NOP: u32 = 0;
    /// The client wants to be called so.
    pub const SET_USER_NICK: u32 = 1;
    /// The client wants to be in this room and in no other.
    pub const SET_ROOM: u32 = 2;
    /// It is done.
    pub const RESP_OK: u32 = 3;
    /// It is not done; why is a number.
    pub const RESP_ERROR: u32 = 4;
    /// Somebody is in the room.
    pub const NEW_USER: u32 = 5;
    /// Somebody has left it.
    pub const DEL_USER: u32 = 6;
    /// Something is said.
    pub const NEW_MSG: u32 = 7;
    /// Something was said before.
    pub const LOGGED_MSG: u32 = 8;
    /// A line, said now or before, with all that is known of it.
    pub const LINE: u32 = 16;
    /// Which rooms there are; in the answer, one of them.
    pub const ROOMS: u32 = 17;
    /// Some of a history is wanted.
    pub const HISTORY: u32 = 18;
    /// The client wants to leave this room.
    pub const LEAVE_ROOM: u32 = 19;
    /// What the room is about.
    pub const TOPIC: u32 = 20;
    /// A line is no longer in the history.
    pub const WITHDRAWN: u32 = 21;
    /// The room is closed, and everybody is out.
    pub const ROOM_CLOSED: u32 = 22;
    /// The client wants to be listed in the directory of the rendezvous.
    pub const REGISTER: u32 = 23;
    /// The client wants to be listed there no more.
    pub const UNREGISTER: u32 = 24;
    /// What that directory holds; in the answer, one entry of it.
    pub const DIRECTORY: u32 = 25;
}

/// A packet, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The number that the sender gave it.
    pub uid: u32,
    /// What it is for.
    pub command: u32,
    /// Depends on the command.
    pub p1: i32,
    /// Depends on the command; the first programs write 0.
    pub p2: i32,
    /// The rest.
    pub data: &'a [u8],
}

/// The message is no packet. If it is clear enough which number it had, an answer can name that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub u32);

impl<'a> Packet<'a> {
    /// Reads a whole message.
    ///
    /// # Errors
    /// It is no packet, or not exactly one.
    pub fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let nothing = Malformed(UNASKED);
        let (head, data) = message.split_first_chunk::<HEAD>().ok_or(nothing)?;
        let (fields, _) = head.as_chunks::<4>();
        let [signature, uid, size, command, p1, p2] = fields else { return Err(nothing) };
        if *signature != SIGNATURE {
            return Err(nothing);
        }
        let uid = u32::from_le_bytes(*uid);
        // A negative size is a huge one here, and no message is that long.
        if usize::try_from(u32::from_le_bytes(*size)) != Ok(message.len()) {
            return Err(Malformed(uid));
        }
        let (p1, p2) = (i32::from_le_bytes(*p1), i32::from_le_bytes(*p2));
        Ok(Self { uid, command: u32::from_le_bytes(*command), p1, p2, data })
    }

    /// The packet as a message.
    #[must_use]
    pub fn print(&self) -> Frame {
        // Nothing that is printed comes near the largest number.
        let size = u32::try_from(HEAD + self.data.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEAD + self.data.len());
        bytes.extend(SIGNATURE);
        for field in [self.uid, size, self.command] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.p1.to_le_bytes());
        bytes.extend(self.p2.to_le_bytes());
        bytes.extend(self.data);
        Frame::Binary(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Packet<'_> = Packet { uid: 0x1000, command: command::NOP, p1: 0, p2: 0, data: b"" };

    fn bytes(packet: Packet<'_>) -> Vec<u8> {
        match packet.print() {
            Frame::Binary(bytes) => bytes.to_vec(),
            Frame::Text(text) => panic!("a packet in text: {text}"),
        }
    }

    #[test]
    fn the_magic_packet_is_what_the_first_client_sends() {
        let mut expected = hex("456a384000100000270000000000000000000000 00000000");
        expected.extend(hex("6d6167696320737472696e67203a29"));
        assert_eq!(bytes(Packet { data: MAGIC, ..EMPTY }), expected);
        assert_eq!(Packet::read(&expected), Ok(Packet { data: MAGIC, ..EMPTY }));
    }

    #[test]
    fn only_the_size_of_the_message_is_its_size() {
        let good = bytes(Packet { data: b"alice", ..EMPTY });
        for size in [0, 1, 23, 24, 28, 30, 69, i32::MAX, i32::MIN, -1, -24] {
            let mut wrong = good.clone();
            wrong[8..12].copy_from_slice(&size.to_le_bytes());
            assert_eq!(Packet::read(&wrong), Err(Malformed(0x1000)), "size {size}");
        }
        assert_eq!(Packet::read(&[good.clone(), good.clone()].concat()), Err(Malformed(0x1000)), "two");
        for length in 0..HEAD {
            assert_eq!(Packet::read(&good[..length]), Err(Malformed(UNASKED)), "{length} bytes");
        }
        for at in 0..4 {
            let mut wrong = good.clone();
            wrong[at] ^= 1;
            assert_eq!(Packet::read(&wrong), Err(Malformed(UNASKED)), "signature");
        }
    }

    fn hex(digits: &str) -> Vec<u8> {
        let digits: Vec<_> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect()
    }
}
