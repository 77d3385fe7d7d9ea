//! What nodes of one home say to each other: one question, one answer.
//!
//! Every question carries the asker's figures, so each is a report, too. By the time one arrives here it is
//! proven that a node of this home sent it, and that it is no repetition.

use super::{Epoch, NodeId, Position, numbers::Spans, report::Figures};

/// What a leader numbers, so that answers say what they are answers to. Rises for as long as it leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Beat(pub u64);

/// Who leads, as somebody tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// In which epoch.
    pub epoch: Epoch,
    /// Who.
    pub leader: NodeId,
}

/// What a leader tells whoever follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guidance {
    /// Which answer of the leader this is.
    pub beat: Beat,
    /// How long it may serve if it hears nothing more, in milliseconds; for people.
    pub lease_ms: u64,
    /// Who would be next, best first; never the leader.
    pub successors: Vec<NodeId>,
}

/// What every message says about its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Who it is.
    pub node: NodeId,
    /// The highest epoch it has heard of.
    pub epoch: Epoch,
    /// How far its copy of the database goes.
    pub position: Position,
    /// How many nodes its home has by its settings. Homes that disagree about that do not vote together.
    pub size: u8,
    /// Whether it breaks ties.
    pub is_fallback: bool,
    /// How long it serves, and how long it helps nobody else. Where these do not go together, two could serve at once.
    pub spans: Spans,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asks.
    pub from: Sender,
    /// How busy it is.
    pub figures: Figures,
    /// What is asked.
    pub what: Question,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// I am here: who leads? With the beat that was heard last from whoever led in the sender's epoch.
    Report(Option<Beat>),
    /// I lead: do you follow?
    Pulse(Guidance),
    /// Would you vote for me in this epoch?
    PreVote(Epoch),
    /// Do you vote for me in this epoch? `handed`: the leader gives its place to me.
    Vote {
        /// In which epoch.
        epoch: Epoch,
        /// Whether the leader has let go.
        handed: bool,
    },
    /// Could you lead in this epoch? Asked by the leader, of this node.
    Prepare(NodeId, Epoch),
    /// Lead in this epoch, if your copy goes as far as this. Asked by the leader, of this node.
    Commit(NodeId, Epoch, Position),
    /// Forget what I asked for this epoch.
    Cancel(NodeId, Epoch),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who answers.
    pub from: Sender,
    /// What is answered.
    pub what: Answer,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a report: I lead.
    Leading(Guidance),
    /// To a report: I do not lead, but I know who does.
    NotLeading(Option<Lead>),
    /// To a pulse: I follow, and this is the beat that I answer.
    Following(Beat),
    /// Whether I would vote for you in this epoch: yes.
    Would(Epoch),
    /// I vote for you in this epoch. It is on my disk.
    Granted(Epoch),
    /// To what a leader asks of its candidate: yes, for this epoch.
    Ready(Epoch),
    /// No.
    Refused(Objection),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Objection {
    /// I know of a higher epoch.
    OldEpoch,
    /// I have heard whoever leads so recently that I help nobody else.
    LeaderLives,
    /// I have voted in that epoch.
    Voted,
    /// Your copy of the database, or mine, is behind.
    Lags,
    /// Our settings do not describe the same home.
    OtherHome,
    /// Your numbers and mine do not go together: one of us could serve longer than the other one keeps its promise.
    OtherNumbers,
    /// I cannot, or not yet.
    Unready,
    /// This was not meant for me, or not said by whom I follow.
    NotYours,
    /// I could not lead: somebody who should stand at my doors does not.
    NoDoors,
    /// I could not lead: my disk takes no writes.
    NoDisk,
    /// I could not lead: my copy does not follow what is written.
    NoCopy,
    /// I could not lead: uploaded files are still to come.
    NoFiles,
}

impl Objection {
    /// All of them, with their words.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::OldEpoch, "old-epoch"),
        (Self::LeaderLives, "leader-lives"),
        (Self::Voted, "voted"),
        (Self::Lags, "lags"),
        (Self::OtherHome, "other-home"),
        (Self::OtherNumbers, "other-numbers"),
        (Self::Unready, "unready"),
        (Self::NotYours, "not-yours"),
        (Self::NoDoors, "no-doors"),
        (Self::NoDisk, "no-disk"),
        (Self::NoCopy, "no-copy"),
        (Self::NoFiles, "no-files"),
    ];

    /// Whether this is what a node says that has looked whether it could lead, and could not. Everything else may be
    /// otherwise when it is asked again.
    #[must_use]
    pub const fn is_incapable(self) -> bool {
        matches!(self, Self::NoDoors | Self::NoDisk | Self::NoCopy | Self::NoFiles)
    }

    /// Whether this is about settings: it stays so until an operator has changed them.
    #[must_use]
    pub const fn is_about_settings(self) -> bool {
        matches!(self, Self::OtherHome | Self::OtherNumbers)
    }

    /// The word for it on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("refused", |(_, word)| *word)
    }

    /// Reads such a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(objection, _)| *objection)
    }
}

/// Why a question got no answer. All of them lead to the next attempt; none is ever half an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// Nobody listens there.
    Refused,
    /// Nothing came in time.
    TimedOut,
    /// The connection was reset, before or in the middle of the answer.
    Reset,
    /// The connection was closed without an answer.
    Empty,
    /// What came is no answer.
    Malformed,
    /// The name of the host is not known.
    NoSuchName,
    /// What came is not proven to be of our home.
    Unproven,
}

impl Failure {
    /// All of them, with their words, in the order in which they are counted.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Refused, "refused"),
        (Self::TimedOut, "timed-out"),
        (Self::Reset, "reset"),
        (Self::Empty, "empty"),
        (Self::Malformed, "malformed"),
        (Self::NoSuchName, "no-such-name"),
        (Self::Unproven, "unproven"),
    ];
}
