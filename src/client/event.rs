//! The words between a session and whoever runs it, whatever dialect it speaks.

use std::sync::Arc;

use super::{person::PersonId, room::Told};
use crate::{
    crypto::{keys::KeyError, sealing::SealError},
    domain::letter::Frame,
};

/// What a session wants done, or has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to the server.
    Send(Frame),
    /// Tell the member.
    Event(Event),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server told who is present. On the first list everybody but the member itself has joined.
    Listed {
        /// Everybody, the member itself included, in the order of their keys.
        members: Arc<[Present]>,
        /// Who came since the last list.
        joined: Vec<PersonId>,
        /// Who went since the last list.
        left: Vec<PersonId>,
    },
    /// A letter to everyone, proven to be of this author, in every dialect in which anything can be proven.
    Public {
        /// Whose key signed it, or whom the server names.
        from: PersonId,
        /// What it says.
        text: String,
    },
    /// A letter to some, proven to be of this author.
    Private {
        /// Whose key signed it.
        from: PersonId,
        /// To whom the author says it went.
        to: Vec<Author>,
        /// What it says.
        text: String,
    },
    /// A letter of ours waits at the server for somebody who is away.
    Kept {
        /// For whom.
        to: PersonId,
    },
    /// One of our own letters came back.
    Echo {
        /// Its counter.
        counter: u64,
    },
    /// A letter that can be read, but nobody knows of whom it is.
    Unverified {
        /// The fingerprint that it claims: a stranger's text, not a name.
        claimed: String,
        /// What it says.
        text: String,
        /// Whether it was sealed for us.
        is_private: bool,
        /// Why it is not believed.
        why: Doubt,
    },
    /// A letter that is proven, and yet not shown.
    Rejected {
        /// Whose key signed it.
        from: PersonId,
        /// Why.
        why: Rejection,
    },
    /// A letter that nobody here can read.
    Unreadable {
        /// Who claims to have written it.
        claimed: String,
        /// Whether it was for us alone.
        is_private: bool,
    },
    /// Keys that people came with for the first time, to be remembered.
    Keys(Vec<(PersonId, String)>),
    /// Somebody came with another key than before. It is not used.
    KeyChanged {
        /// Who.
        who: PersonId,
        /// The fingerprint of the key that is known.
        known: String,
        /// That of the one that came.
        offered: String,
    },
    /// A part of a file came in.
    Arriving {
        /// What it is called; a stranger's wish.
        name: String,
        /// How much of it is here, in percent.
        percent: u64,
    },
    /// A file came in whole, and its digest fits.
    File {
        /// Whose it is, if the signature says so.
        from: Result<PersonId, (String, Doubt)>,
        /// What it is called; a stranger's wish.
        name: String,
        /// Its content.
        bytes: Arc<[u8]>,
        /// Whether it was for us alone.
        is_private: bool,
    },
    /// A file did not come in whole.
    FileLost {
        /// Who claims to have sent it.
        claimed: String,
        /// What it is called; a stranger's wish.
        name: String,
        /// Why.
        why: Loss,
    },
    /// Something about rooms.
    Room(Told),
    /// The server complained about something.
    Complaint(String),
}

/// Somebody who is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Which key.
    pub id: PersonId,
    /// The homes, as the server spells them. More than one if the key is connected twice.
    pub homes: Vec<String>,
    /// What they want to be called; a stranger's wish.
    pub label: Option<String>,
}

/// Somebody a letter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// A key that is or was present.
    Known(PersonId),
    /// A fingerprint that belongs to nobody here.
    Unknown(String),
}

/// Why an author is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The fingerprint belongs to nobody who is or was present.
    #[error("nobody here has that fingerprint")]
    UnknownSender,
    /// Nobody knows a key of the claimed author.
    #[error("its author's key is not known")]
    NoKey,
    /// Nothing says who wrote it.
    #[error("it is not signed")]
    NotSigned,
    /// The signature leaves open who wrote it when and for whom, so anybody may have passed it on.
    #[error("the signature covers the text only")]
    Weak,
    /// Signed, but with another key than the one that is known.
    #[error("it is signed with another key than the known one")]
    OtherKey,
    /// The key of the claimed author did not sign it.
    #[error("the signature is not of that key")]
    WrongSignature,
}

/// Why a proven letter is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Exactly these bytes came before.
    #[error("it came before")]
    Repeated,
    /// The counter did not grow since the last letter of this author.
    #[error("its counter did not grow, so it may be an old letter played back")]
    StaleCounter,
}

/// Why a file is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It, or all that are under way together.
    #[error("it is too large")]
    TooLarge,
    /// The same for their number.
    #[error("too many files are under way")]
    TooMany,
    /// A part cannot be opened.
    #[error("a part of it cannot be read")]
    Unreadable,
    /// Parts are missing, or the length is another one.
    #[error("it is not complete")]
    Incomplete,
    /// The digest does not fit.
    #[error("its content is not what was announced")]
    Damaged,
    /// The connection broke, or nothing came for too long.
    #[error("it broke off")]
    BrokenOff,
}

/// Why a letter cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// A recipient is not in the list of the server.
    #[error("{} is not present", .0.short())]
    NotPresent(PersonId),
    /// The key of a recipient is not known.
    #[error("the key of {} is not known yet", .0.short())]
    NoKey(PersonId),
    /// A recipient has come with another key than before.
    #[error("{} has come with another key than before; to use it, say /trust", .0.short())]
    KeyChanged(PersonId),
    /// No recipient was named.
    #[error("nobody was named")]
    Nobody,
    /// More recipients than servers let pass.
    #[error("a letter has at most {0} recipients")]
    TooMany(usize),
    /// Neither this dialect has rooms, nor the server for those who speak it.
    #[error("this server has no rooms")]
    NoRooms,
    /// The member was in a room, and may not know that this is over.
    #[error("you are in no room any more; from now on your lines go to everyone")]
    PutOut,
    /// No history was shown that goes on.
    #[error("there is nothing older; /history shows what was said last")]
    NoOlder,
    /// This dialect knows everybody by a key.
    #[error("here nobody has a nick of their own choice")]
    NoNicks,
    /// This dialect has no letters for some people only.
    #[error("there are no private messages here: everything is said to the whole room")]
    NoPrivate,
    /// Only the first words of the protocol are spoken here.
    #[error("this server has no list of rooms")]
    NoList,
    /// The same.
    #[error("this server shows what was said only to those who enter a room")]
    NoHistory,
    /// The same.
    #[error("on this server one cannot be without a room; enter another one")]
    NoLeaving,
    /// The server does not say who listens where.
    #[error("this server has no directory")]
    NoDirectory,
    /// The member has not asked for it, or it is over.
    #[error("you are not introduced to anybody")]
    NotListed,
    /// Nobody can be called so.
    #[error("a nick has 1 to 48 bytes and no control characters")]
    BadNick,
    /// No room can be called so.
    #[error("a room's name has 1 to 64 bytes and no control characters")]
    BadRoom,
    /// The member has no nick yet.
    #[error("you have no nick yet; choose one with /nick NICK")]
    Nameless,
    /// The member is in no room.
    #[error("you are in no room; enter one with /join ROOM")]
    Outside,
    /// The member is in this room.
    #[error("you are in that room")]
    Inside,
    /// Files go another way here.
    #[error("files are not sent like letters here")]
    NoFiles,
    /// Longer than servers let pass.
    #[error("the message is too long")]
    TooLong,
    /// A recipient's key cannot seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Our own key cannot sign.
    #[error(transparent)]
    Sign(#[from] KeyError),
}
