//! What went wrong, as a number in the answer. The first server knew -1 alone, and its client reads none of them.

use crate::domain::{refusal::Refusal, rooms::Objection};

/// Refused, or not for this version; also what comes before its level of trust.
pub const REFUSED: i32 = -1;
/// Somebody else is called so.
pub const NICK_IN_USE: i32 = -2;
/// Nobody can be called so.
pub const BAD_NICK: i32 = -3;
/// No room can be called so, or this one is closed.
pub const BAD_ROOM: i32 = -4;
/// One must be in a room first.
pub const NO_ROOM: i32 = -5;
/// The text is longer than a line may be.
pub const TOO_LONG: i32 = -6;
/// This address comes too often.
pub const TOO_OFTEN: i32 = -7;
/// This is no packet, or its data are not what they should be.
pub const MALFORMED: i32 = -8;
/// No such command, for a client.
pub const UNKNOWN_COMMAND: i32 = -9;
/// Every place is taken.
pub const FULL: i32 = -10;
/// The address to be listed is not the client's own.
pub const FOREIGN: i32 = -11;
/// Nobody can be dialled at that address.
pub const UNUSABLE: i32 = -12;
/// Somebody else has registered that address.
pub const TAKEN: i32 = -13;
/// The client has registered nothing there.
pub const NOT_REGISTERED: i32 = -14;

/// Why a wish is refused.
pub(super) const fn of_objection(objection: Objection) -> i32 {
    match objection {
        Objection::Unsupported | Objection::Unknown | Objection::Muted | Objection::Banned => REFUSED,
        Objection::NickInUse => NICK_IN_USE,
        Objection::BadNick => BAD_NICK,
        Objection::BadRoom | Objection::Closed => BAD_ROOM,
        Objection::NoRoom => NO_ROOM,
        Objection::TooLong => TOO_LONG,
        Objection::TooManyRooms | Objection::Full => FULL,
    }
}

/// Why somebody is not let in.
pub(super) const fn of_refusal(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::NameInUse | Refusal::TooManyOfMember => NICK_IN_USE,
        Refusal::TooManyFromAddress | Refusal::TooManyHellos | Refusal::TooManyChecks => TOO_OFTEN,
        Refusal::ServerFull | Refusal::Draining => FULL,
        _ => REFUSED,
    }
}
