//! What goes into a node's election and what comes out of it, and the words for both.

use crate::domain::Moment;
use crate::domain::succession::{
    Epoch, NodeId, Position,
    ballot::{Ballot, Serial},
    home::Seat,
    message::{Ask, Failure, Objection, Reply},
    numbers::Spans,
    report::Figures,
};

/// Names one question of another node that waits for its answer. The shell makes it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Asked(pub u64);

/// Names one hand-over of this node among all in its run, so that what is said late about one is not taken for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt(pub u64);

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed.
    Tick,
    /// How busy we are. Asked for about once per report interval.
    Measured(Figures),
    /// How far our copy of the database goes now.
    Copied(Position),
    /// A node of this home asks. Its message is proven and new.
    Ask(Asked, Box<Ask>),
    /// The node at this seat answers. Its answer is proven, and belongs to our question.
    Reply(Seat, Box<Reply>),
    /// The node at this seat gave no answer.
    Failed(Seat, Failure),
    /// The ballot is on disk, and the disk has said so.
    Persisted(Serial),
    /// The ballot could not be written.
    NotPersisted(Serial),
    /// Whether we could lead in this epoch, or why not: the answer to [`Output::Prepare`].
    Prepared(Epoch, Result<(), Objection>),
    /// All that was accepted has been copied: the answer to [`Output::Quiesce`].
    CaughtUp(Attempt),
    /// What was accepted cannot be written down, so nobody can have it: the other answer.
    Stuck(Attempt),
    /// An operator wants another leader: this one, or whoever is best.
    HandOver(Option<NodeId>),
}

/// Something should be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this down so that no crash undoes it, then say so. Later ones replace earlier ones, never the other way.
    Persist(Serial, Ballot),
    /// Ask the node at this seat.
    Ask(Seat, Box<Ask>),
    /// Answer this question.
    Reply(Asked, Box<Reply>),
    /// Our role is another one.
    Became(Role, Cause),
    /// We may serve until this moment of our own clock, and not a moment longer unless told again.
    Leased(Moment),
    /// Get ready to lead in this epoch, and say whether we could.
    Prepare(Epoch),
    /// Accept nothing more, bring this node's copy to the end, and say so.
    Quiesce(NodeId, Attempt),
    /// Go on as before: the hand-over has come to nothing. It is not said to a node that no longer leads.
    Resume,
    /// News of a hand-over.
    Handing(NodeId, Handing),
    /// An operator's wish for a hand-over is refused.
    NotHanded(NotHanded),
    /// The settings of another node and ours do not go together. Said once, until they do.
    Differs(Difference),
}

/// Why another node's words do not count here, nor ours there, until an operator has changed settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which node.
    pub node: NodeId,
    /// Why.
    pub why: Objection,
    /// Its numbers.
    pub theirs: Spans,
    /// Ours.
    pub ours: Spans,
}

/// What this node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It follows, or waits for somebody to follow.
    Standby(Option<NodeId>),
    /// It asks whether it may lead.
    Candidate,
    /// It leads in this epoch.
    Leader(Epoch),
    /// It led and has lost the majority. It serves nobody.
    Fenced,
}

impl Role {
    /// The word that people and events are shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standby(_) => "standby",
            Self::Candidate => "candidate",
            Self::Leader(_) => "leader",
            Self::Fenced => "fenced",
        }
    }
}

/// The words of all roles.
pub const ROLES: [&str; 4] = ["standby", "candidate", "leader", "fenced"];

/// Why the role changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The node has just started.
    Started,
    /// It has heard who leads.
    Heard,
    /// Nobody was heard leading for too long.
    Silence,
    /// It has voted for another one.
    Voted,
    /// A majority voted for it.
    Elected,
    /// The leader before gave it its place.
    HandedOver,
    /// Not enough voted for it.
    NotElected,
    /// Too few answered for as long as a lease lasts.
    LostMajority,
    /// It has heard of a higher epoch.
    HigherEpoch,
    /// Its ballot could not be written.
    DiskFailed,
    /// Whom it voted for was not elected either.
    Conceded,
}

impl Cause {
    /// The word that people and events are shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Heard => "heard-leader",
            Self::Silence => "leader-silent",
            Self::Voted => "voted",
            Self::Elected => "elected",
            Self::HandedOver => "handed-over",
            Self::NotElected => "not-elected",
            Self::LostMajority => "lost-majority",
            Self::HigherEpoch => "higher-epoch",
            Self::DiskFailed => "disk-failed",
            Self::Conceded => "conceded",
        }
    }
}

/// How a hand-over is getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handing {
    /// It was asked whether it is ready, because an operator wants it.
    Ordered,
    /// It was asked whether it is ready, because it is better.
    Outranked,
    /// It has our place, as far as we can tell.
    Done,
    /// It did not answer in time, or was not ready: we go on leading.
    Cancelled,
}

impl Handing {
    /// The word that people are shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Outranked => "outranked",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why there is no hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotHanded {
    /// Only a leader can hand over.
    #[error("this node does not lead")]
    NotLeading,
    /// One at a time.
    #[error("a hand-over is under way")]
    UnderWay,
    /// It leads already.
    #[error("this node leads already")]
    Ourselves,
    /// There is no such node.
    #[error("no such node is known")]
    Unknown,
    /// It is a host without a vote.
    #[error("only a node of this home can lead it")]
    NotANode,
    /// It has not been heard just now.
    #[error("it has not been heard just now")]
    NotAlive,
    /// Its copy of the database is too far behind.
    #[error("its copy of the database is too far behind")]
    Lags,
    /// It has the rows of uploaded files, and not yet the files.
    #[error("it does not have the uploaded files yet")]
    Files,
    /// There is nobody who could lead.
    #[error("there is nobody who could lead")]
    Nobody,
    /// It has looked whether it could lead, and could not.
    #[error("that node could not lead now: {}", .0.word())]
    Declined(Objection),
    /// It has not said in time whether it could lead.
    #[error("that node did not say in time whether it could lead")]
    Silent,
}

impl NotHanded {
    /// The stable code that programs are told.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotLeading => "not_leading",
            Self::UnderWay => "under_way",
            Self::Ourselves => "leads_already",
            Self::Unknown => "unknown_node",
            Self::NotANode => "no_node",
            Self::NotAlive => "not_alive",
            Self::Lags => "lags",
            Self::Files => "lacks_files",
            Self::Nobody => "nobody",
            Self::Declined(_) => "declined",
            Self::Silent => "silent",
        }
    }
}
