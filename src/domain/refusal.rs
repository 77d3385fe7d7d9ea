//! Why the house says no, and why a connection ends: stable codes that people can look up.
//!
//! A [`Refusal`] is a decision about a wish; an [`Ending`] is the last word about a connection. Both
//! appear in events, metrics and close frames by their `code`, which never changes once published.

use std::fmt;

/// What the reason of a close frame begins with if the home is served elsewhere from now on; then comes where.
pub const MOVED: &str = "moved ";

/// The header by which the answer to a WebSocket request says how many doors the home has, if there are several. Only
/// who sees it asks where they are: there are servers that do not survive a question that they do not expect.
pub const DOORS: &str = "kith-doors";

/// The house will not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Every place is taken.
    ServerFull,
    /// This address holds as many connections as one address may.
    TooManyFromAddress,
    /// This key is connected as often as one key may be.
    TooManyOfMember,
    /// This address says hello too often.
    TooManyHellos,
    /// This address uploads too often.
    TooManyUploads,
    /// Too many signatures of this address wait for their check.
    TooManyChecks,
    /// These very bytes were accepted before.
    Replayed,
    /// The house closes its doors.
    Draining,
    /// We link with known servers only, and this one is not known.
    UnknownPeer,
    /// Another key is shown than the one to which we hold this server, or this name.
    WrongKey,
    /// It is not proven who it is, and here that is not enough.
    Unproven,
    /// An administrator removed this server from the neighbourhood.
    RemovedPeer,
    /// This server is a neighbour already.
    KnownPeer,
    /// There are as many neighbours as there may be.
    TooManyPeers,
    /// The address under which it wants to be known is another server's.
    TakenAddress,
    /// Both sides dialled at once, and the other connection is the one that stays.
    Crossed,
    /// It is us.
    Ourselves,
    /// The two programs share no version of the protocol.
    NoCommonVersion,
    /// Somebody of this name is here.
    NameInUse,
    /// A ban keeps this key, name, address or server out.
    Banned,
}

impl Refusal {
    /// Every refusal, so that metrics can show a zero before the first one.
    pub const ALL: [Self; 20] = [
        Self::ServerFull,
        Self::TooManyFromAddress,
        Self::TooManyOfMember,
        Self::TooManyHellos,
        Self::TooManyUploads,
        Self::TooManyChecks,
        Self::Replayed,
        Self::Draining,
        Self::UnknownPeer,
        Self::WrongKey,
        Self::Unproven,
        Self::RemovedPeer,
        Self::KnownPeer,
        Self::TooManyPeers,
        Self::TakenAddress,
        Self::Crossed,
        Self::Ourselves,
        Self::NoCommonVersion,
        Self::NameInUse,
        Self::Banned,
    ];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ServerFull => "server_full",
            Self::TooManyFromAddress => "too_many_from_address",
            Self::TooManyOfMember => "too_many_of_member",
            Self::TooManyHellos => "too_many_hellos",
            Self::TooManyUploads => "too_many_uploads",
            Self::TooManyChecks => "too_many_checks",
            Self::Replayed => "replayed",
            Self::Draining => "draining",
            Self::UnknownPeer => "unknown_peer",
            Self::WrongKey => "wrong_key",
            Self::Unproven => "unproven",
            Self::RemovedPeer => "removed_peer",
            Self::KnownPeer => "known_peer",
            Self::TooManyPeers => "too_many_peers",
            Self::TakenAddress => "taken_address",
            Self::Crossed => "crossed",
            Self::Ourselves => "ourselves",
            Self::NoCommonVersion => "no_common_version",
            Self::NameInUse => "name_in_use",
            Self::Banned => "banned",
        }
    }

    /// The refusal of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// Whether the same wish may be granted later.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        match self {
            Self::ServerFull
            | Self::TooManyFromAddress
            | Self::TooManyOfMember
            | Self::TooManyHellos
            | Self::TooManyUploads
            | Self::TooManyChecks
            | Self::TooManyPeers
            | Self::NameInUse
            | Self::Crossed
            | Self::Draining => true,
            Self::Replayed
            | Self::UnknownPeer
            | Self::WrongKey
            | Self::Unproven
            | Self::RemovedPeer
            | Self::KnownPeer
            | Self::TakenAddress
            | Self::Ourselves
            | Self::Banned
            | Self::NoCommonVersion => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// What a peer did that its protocol forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// The frame is not what the dialect calls a message.
    Malformed,
    /// A message of another protocol than the one to which this door is pinned.
    WrongDialect,
    /// A message that may not come now.
    OutOfOrder,
    /// The key is not one the protocol allows.
    BadKey,
    /// No known form of the message carries this signature.
    BadSignature,
    /// The counter did not grow.
    StaleCounter,
    /// The message claims an author whose key did not sign it.
    WrongSender,
    /// An array is longer than we let our clients suffer.
    TooManyRecipients,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A frame or message over the limit.
    TooLarge,
    /// The WebSocket protocol itself was broken.
    BadFrame,
    /// A server lists more members than one server may.
    TooManyMembers,
    /// Text, where a protocol knows only binary messages.
    NotBinary,
    /// Frames that are no messages, or come too early, once more than is forgiven.
    TooManyFaults,
}

impl Violation {
    /// Every violation, for metrics.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::WrongDialect,
        Self::OutOfOrder,
        Self::BadKey,
        Self::BadSignature,
        Self::StaleCounter,
        Self::WrongSender,
        Self::TooManyRecipients,
        Self::NotUtf8,
        Self::TooLarge,
        Self::BadFrame,
        Self::TooManyMembers,
        Self::NotBinary,
        Self::TooManyFaults,
    ];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongDialect => "wrong_dialect",
            Self::OutOfOrder => "out_of_order",
            Self::BadKey => "bad_key",
            Self::BadSignature => "bad_signature",
            Self::StaleCounter => "stale_counter",
            Self::WrongSender => "wrong_sender",
            Self::TooManyRecipients => "too_many_recipients",
            Self::NotUtf8 => "not_utf8",
            Self::TooLarge => "too_large",
            Self::BadFrame => "bad_frame",
            Self::TooManyMembers => "too_many_members",
            Self::NotBinary => "not_binary",
            Self::TooManyFaults => "too_many_faults",
        }
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The other side closed it, politely or by vanishing.
    Left,
    /// Nothing was heard for too long.
    Silent,
    /// The socket accepted nothing for too long.
    Stalled,
    /// More waited for it than may wait for one connection.
    Slow,
    /// It never said who it is.
    NoHello,
    /// It broke its protocol.
    Violated(Violation),
    /// It asked for what it cannot have.
    Refused(Refusal),
    /// The other server does not want this link.
    RefusedUs(Refusal),
    /// An administrator showed it the door.
    Kicked,
    /// The house closes.
    Draining,
    /// Another connection to the same server took its place.
    Replaced,
    /// Our own fault: its handler failed.
    Failed,
}

impl Ending {
    /// Every ending that is no violation and no refusal, for metrics.
    pub const PLAIN: [Self; 9] = [
        Self::Left,
        Self::Silent,
        Self::Stalled,
        Self::Slow,
        Self::NoHello,
        Self::Kicked,
        Self::Draining,
        Self::Replaced,
        Self::Failed,
    ];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Silent => "silent",
            Self::Stalled => "stalled",
            Self::Slow => "slow",
            Self::NoHello => "no_hello",
            Self::Violated(violation) => violation.code(),
            Self::Refused(refusal) | Self::RefusedUs(refusal) => refusal.code(),
            Self::Kicked => "kicked",
            Self::Draining => "draining",
            Self::Replaced => "replaced",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}
