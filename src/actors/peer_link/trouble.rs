//! Why a link failed, in words, with a hint for whoever wants to mend it.

use crate::{
    actors::{
        clock::unix_ms,
        neighbourhood::{Step, Trouble},
    },
    domain::refusal::{Ending, Refusal, Violation},
};

/// Whether one of the two sides does not want the other.
pub(super) const fn is_refusal(ending: Ending) -> bool {
    match ending {
        Ending::Refused(refusal) | Ending::RefusedUs(refusal) => !refusal.is_temporary(),
        Ending::Violated(violation) => matches!(violation, Violation::BadSignature | Violation::BadKey),
        _ => false,
    }
}

/// An ending for people.
pub(in crate::actors) fn explain(ending: Ending) -> Trouble {
    let (message, hint) = match ending {
        Ending::Refused(refusal) => refused(refusal),
        Ending::RefusedUs(refusal) => refused_us(refusal),
        Ending::Left => ("the other side closed the connection", "the side that dials tries again"),
        Ending::Silent => ("nothing was heard for too long", "is the network in between whole?"),
        Ending::Stalled | Ending::Slow => {
            ("the other side took nothing any more", "is it overloaded, or the line too narrow?")
        }
        Ending::NoHello => (
            "the other side never said who it is, or nothing that its key has signed",
            "is there a server at this address, and does it speak this dialect?",
        ),
        Ending::Violated(Violation::BadSignature) => {
            ("its signature does not fit its key", "is this its key? Is this its accent?")
        }
        Ending::Violated(Violation::BadKey) => (
            "it shows a key that its protocol does not allow",
            "in SOCP that is RSA with 4096 bits and the exponent 65537",
        ),
        Ending::Violated(Violation::Malformed) => (
            "it said something that cannot be read as its protocol",
            "is its dialect right? If so, its program writes as no other does",
        ),
        Ending::Violated(Violation::TooManyMembers) => {
            ("it lists more members than limits.peer_members allows", "raise the limit, if that is real")
        }
        Ending::Violated(_) => ("it broke the protocol", "what exactly it did is in the code"),
        Ending::Kicked => ("an administrator ended the connection", "the side that dials tries again"),
        Ending::Draining => ("one of the two servers closes", "the side that dials tries again"),
        Ending::Replaced => ("another connection took its place", "nothing needs to be done"),
        Ending::Failed => ("our own handler failed", "please report this, with the log"),
    };
    Trouble { code: ending.code(), message: message.to_owned(), hint, at_ms: unix_ms() }
}

/// The same, with what the steps of the attempt tell of it.
pub(in crate::actors) fn told(ending: Ending, steps: &[Step]) -> Trouble {
    let trouble = explain(ending);
    let telling = match ending {
        Ending::NoHello | Ending::Left => "error",
        Ending::Violated(Violation::BadSignature) => "signature",
        Ending::Violated(Violation::Malformed) => "frame",
        Ending::Refused(Refusal::Unproven) => "key",
        _ => return trouble,
    };
    match steps.iter().rev().find(|step| step.step == telling) {
        Some(step) => {
            let said = if telling == "error" { "; it answered: " } else { ": " };
            Trouble { message: format!("{}{said}{}", trouble.message, step.detail), ..trouble }
        }
        None => trouble,
    }
}

/// A ban, and the reason that was given for it.
pub(super) fn barred(reason: &str) -> Trouble {
    let trouble = explain(Ending::Refused(Refusal::Banned));
    match reason {
        "" => trouble,
        reason => Trouble { message: format!("{}: {reason}", trouble.message), ..trouble },
    }
}

const fn refused(refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::WrongKey => (
            "it shows another key than the one we hold it to",
            "if its operator confirms the new key, pin it: kith peers pin",
        ),
        Refusal::Unproven => {
            ("it cannot prove who it is", "give its public key, or allow neighbourhood.legacy")
        }
        Refusal::Ourselves => ("this address leads to ourselves", "remove it, or correct the address"),
        Refusal::TakenAddress => (
            "it calls itself by the address of another server",
            "each server needs a server.public_address of its own",
        ),
        Refusal::NoCommonVersion => ("the two programs share no version", "update the older one"),
        Refusal::TooManyPeers => ("there are limits.peers neighbours already", "raise the limit"),
        Refusal::Banned => ("it is banned here", "kith admin bans shows which ban that is"),
        _ => ("we do not want this link", "the code says why"),
    }
}

const fn refused_us(refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::WrongKey => (
            "it holds us to another key than ours",
            "its operator must pin our key; kith keys show prints it",
        ),
        Refusal::UnknownPeer => ("it links with known servers only", "its operator must add us"),
        Refusal::RemovedPeer => ("its operator removed us", "its operator must add us again"),
        Refusal::Banned => ("it has banned us", "its operator must lift the ban"),
        Refusal::Crossed => ("it wants to dial us itself", "can it reach us under our public address?"),
        Refusal::TakenAddress => (
            "it knows another server under our address",
            "set server.public_address to the address under which others reach us",
        ),
        Refusal::Draining => ("it closes", "it is dialled again"),
        Refusal::NoCommonVersion => ("the two programs share no version", "update the older one"),
        _ => ("it does not want this link", "the code says why"),
    }
}
