//! The words between a session and whoever runs it.

use std::sync::Arc;

use crate::{
    crypto::{keys::KeyError, sealing::SealError},
    domain::id::KeyId,
};

/// What a session wants done, or has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this text to the server.
    Send(String),
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
        joined: Vec<KeyId>,
        /// Who went since the last list.
        left: Vec<KeyId>,
    },
    /// A letter to everyone, proven to be of this author.
    Public {
        /// Whose key signed it.
        from: KeyId,
        /// What it says.
        text: String,
    },
    /// A letter to some, proven to be of this author.
    Private {
        /// Whose key signed it.
        from: KeyId,
        /// To whom the author says it went.
        to: Vec<Author>,
        /// What it says.
        text: String,
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
        from: KeyId,
        /// Why.
        why: Rejection,
    },
    /// The server said something that is no message of the protocol, under the key `error`.
    Complaint(String),
}

/// Somebody who is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Which key.
    pub id: KeyId,
    /// The homes, as the server spells them. More than one if the key is connected twice.
    pub homes: Vec<String>,
}

/// Somebody a letter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// A key that is or was present.
    Known(KeyId),
    /// A fingerprint that belongs to nobody here.
    Unknown(String),
}

/// Why an author is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The fingerprint belongs to nobody who is or was present.
    #[error("nobody here has that fingerprint")]
    UnknownSender,
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

/// Why a letter cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// A recipient is not in the list of the server.
    #[error("{} is not present", .0.short())]
    NotPresent(KeyId),
    /// No recipient was named.
    #[error("nobody was named")]
    Nobody,
    /// More recipients than servers let pass.
    #[error("a letter has at most {0} recipients")]
    TooMany(usize),
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
