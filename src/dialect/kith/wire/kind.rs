//! The kinds of messages, by their first byte. Below 16: the handshake.

/// Who dials.
pub const HELLO: u8 = 1;
/// Who answers, with its proof.
pub const WELCOME: u8 = 2;
/// The proof of who dialled.
pub const PROOF: u8 = 3;
/// The answer to the proof: the link is up. From here on everything is sealed.
pub const READY: u8 = 4;
/// No.
pub const REFUSED: u8 = 5;
/// Part of the sender's members.
pub const PART: u8 = 16;
/// Changes of the sender's members.
pub const CHANGES: u8 = 17;
/// Where the sender's list stands.
pub const STANDING: u8 = 18;
/// The whole list is wanted.
pub const WANT_LIST: u8 = 19;
/// A letter of one of the sender's members.
pub const LETTER: u8 = 32;
/// Are you there?
pub const PING: u8 = 48;
/// Yes.
pub const PONG: u8 = 49;
/// How the sender's own links are doing.
pub const LINKS: u8 = 64;
/// Guests of the sender have entered rooms.
pub const SEATS: u8 = 96;
/// One has left a room.
pub const WENT: u8 = 97;
/// One is called otherwise.
pub const RENAMED: u8 = 98;
/// Lines of the reader are wanted.
pub const WANT_LINES: u8 = 99;
/// Lines of the sender.
pub const LINES: u8 = 100;
/// Lines that the sender has lost.
pub const LOST: u8 = 101;
/// Where else the sender's home is found.
pub const DOORS: u8 = 72;
/// The sender is about to move: say no more letters until it has.
pub const HOLD: u8 = 73;
/// The sender has said all letters that it says before the reader has moved.
pub const HELD: u8 = 74;
/// The sender stays where it is: go on.
pub const GO_ON: u8 = 75;
/// Who is registered in the sender's directory.
pub const DIRECTORY: u8 = 112;
/// The bans that the sender's operator has made, signed.
pub const BANS: u8 = 65;
