//! The vocabulary between a session and the shell around it.

use std::sync::Arc;

use super::Ear;
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Question, Verdict},
    },
    domain::{
        letter::{Frame, Letter},
        member::Newcomer,
        refusal::{Ending, Violation},
    },
};

/// What can happen to a session.
#[derive(Debug)]
pub enum Input {
    /// A whole message came in.
    Frame(Frame),
    /// The answer to the one [`Output::Check`] that was asked.
    Checked(Verdict),
}

/// What a session wants done.
#[derive(Debug)]
pub enum Output {
    /// Have a signature checked and hand in no frame until [`Input::Checked`] was handed in.
    Check(Check),
    /// Somebody is proven and wants to come in.
    Join(Newcomer, Ear),
    /// A letter whose author is proven.
    Route(Letter),
    /// The client list is wanted.
    WantList,
    /// The peer broke the protocol; the frame is dropped and counted.
    Note(Violation),
    /// The connection ends.
    Close(Ending),
}

/// A signature to check, off the worker.
#[derive(Clone, Debug)]
pub struct Check {
    /// Whose signature it should be.
    pub key: Arc<PublicKey>,
    /// What may have been signed.
    pub question: Question,
}
