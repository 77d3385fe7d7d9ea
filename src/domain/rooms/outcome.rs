//! What is asked of the rooms, and what follows from it: values for the shell to carry out.

use std::sync::Arc;

use bytestring::ByteString;

use super::{Answer, Event, Guest, Line, LineId, Opener, RoomName, RoomNews, Stamp};
use crate::domain::{
    admission::Origin,
    id::{ConnectionId, HomeId, KeyId},
    member::Member,
};

/// Who wishes something: a connection of a member of this home.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is. With [`super::Wish::Rename`]: who she is from now on.
    pub member: &'a Arc<Member>,
    /// From where it comes.
    pub from: Origin,
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The answer to the asker. It is said before the events.
    pub answer: Option<Answer>,
    /// What guests of this home hear, in order.
    pub events: Vec<(RoomName, Vec<ConnectionId>, Event)>,
    /// What Kith neighbours hear, in order; never nobody.
    pub news: Vec<(Vec<HomeId>, RoomNews)>,
    /// What the store writes down, in order.
    pub records: Vec<Record>,
}

impl Outcome {
    /// Whether nothing follows at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One thing to write down. Whoever reads all of them back, in any order, finds the rooms as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A line is in a history, or is its room's topic.
    Line(Arc<Line>),
    /// A line is no longer kept: it is too old, or was withdrawn. No error if it never was.
    Erased(LineId),
    /// There is such a room, or it has changed.
    Room(KeptRoom),
    /// There is no such room any more.
    Forgotten(RoomName),
    /// Whether this member may say nothing.
    Muted(KeyId, bool),
    /// An operator has emptied this room, up to this stamp; none, if that need not be known any more.
    Emptied(RoomName, Option<Stamp>),
    /// The last stamp that this home has given. Known from the line that has it, until that is no longer kept.
    Head(Stamp),
}

/// What is written down about a room beside its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRoom {
    /// Its name.
    pub name: RoomName,
    /// Since when it is closed by an operator, in unix milliseconds, if it is.
    pub closed: Option<i64>,
    /// Who has opened it.
    pub opener: Option<Opener>,
}

/// All that was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The rooms.
    pub rooms: Vec<KeptRoom>,
    /// All lines, in any order.
    pub lines: Vec<Line>,
    /// Who may say nothing.
    pub muted: Vec<KeyId>,
    /// Which rooms were emptied, and up to where.
    pub emptied: Vec<(RoomName, Stamp)>,
    /// The last stamp that this home had given when its line went.
    pub head: Stamp,
}

impl Kept {
    /// What a record means for what is read back, after those that came before it.
    pub fn note(&mut self, record: Record) {
        match record {
            Record::Line(line) => self.lines.push((*line).clone()),
            Record::Erased(id) => self.lines.retain(|line| line.id != id),
            Record::Room(room) => {
                self.rooms.retain(|known| known.name != room.name);
                self.rooms.push(room);
            }
            Record::Forgotten(name) => {
                self.rooms.retain(|known| known.name != name);
                self.lines.retain(|line| line.room != name);
            }
            Record::Muted(member, muted) => {
                self.muted.retain(|known| *known != member);
                self.muted.extend(muted.then_some(member));
            }
            Record::Emptied(name, through) => {
                self.emptied.retain(|(known, _)| *known != name);
                self.emptied.extend(through.map(|through| (name, through)));
            }
            Record::Head(stamp) => self.head = self.head.max(stamp),
        }
    }
}

/// What the operator of this home wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The room gets this topic, everywhere; an empty one takes it away.
    Topic(RoomName, ByteString),
    /// This line is withdrawn: everywhere if it is one of this home, or else here.
    Withdraw(LineId),
    /// The room is closed here: everybody of this home is out, and nobody gets in.
    Close(RoomName),
    /// It is open again.
    Reopen(RoomName),
    /// The room and all that was said in it is forgotten here, and everybody of this home is out.
    Forget(RoomName),
    /// Whether this member may say nothing here, and is not shown here if she speaks elsewhere.
    Mute(KeyId, bool),
    /// The guest of this home with this number is put out of the room.
    Kick(RoomName, u32),
}

/// A room as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// Its name.
    pub name: RoomName,
    /// Its topic, if it has one.
    pub topic: Option<ByteString>,
    /// Whether it is closed here.
    pub closed: bool,
    /// Everybody who is in, in the order in which they came.
    pub guests: Vec<Arc<Guest>>,
    /// How many lines its history has.
    pub lines: usize,
    /// How many bytes they count for.
    pub bytes: usize,
}
