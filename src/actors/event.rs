//! What happens in the house, for people who watch it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::broadcast;

use super::clock::unix_ms;
use crate::domain::{
    bans::Ban,
    dialect::Dialect,
    directory::listed::Listed,
    id::{ConnectionId, KeyId, PeerId},
    member::{Member, Named},
    neighbourhood::State,
    refusal::Ending,
    rooms::{LineId, RoomName},
    succession::{
        Epoch, NodeId,
        election::{Cause, Handing, Role},
    },
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Counts up, so that a watcher sees a gap.
    pub number: u64,
    /// When.
    pub at_ms: i64,
    /// What.
    pub kind: Kind,
}

/// A neighbour, as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Its name in the API.
    pub id: PeerId,
    /// What it calls itself.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// A server that was not let in, as it introduced itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Its first words: which kind, from whom, where that listens.
    pub hello: String,
    /// What was wrong with them.
    pub reason: String,
}

/// The kinds of things that happen.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A connection introduced itself.
    Joined {
        /// Which connection.
        client: ConnectionId,
        /// Whose it is.
        member: Arc<Member>,
        /// What it speaks.
        dialect: Dialect,
    },
    /// A connection that had introduced itself is gone.
    Left {
        /// Which connection.
        client: ConnectionId,
        /// Whose it was.
        member: Arc<Member>,
        /// Why.
        ending: Ending,
    },
    /// A neighbour is linked.
    LinkUp {
        /// Which one.
        peer: Naming,
        /// How it is doing now.
        state: State,
    },
    /// A linked neighbour is silent.
    LinkSuspect {
        /// Which one.
        peer: Naming,
        /// How it is doing now.
        state: State,
    },
    /// A neighbour is no longer linked.
    LinkDown {
        /// Which one.
        peer: Naming,
        /// How it is doing now.
        state: State,
        /// Why.
        code: Option<&'static str>,
    },
    /// A link was refused, by us or by the neighbour; or somebody who came under its name.
    LinkRefused {
        /// Which one.
        peer: Naming,
        /// How it is doing now, whoever was refused.
        state: State,
        /// Why.
        code: Option<&'static str>,
    },
    /// A neighbour became known.
    PeerAdded {
        /// Which one.
        peer: Naming,
    },
    /// A neighbour was removed.
    PeerRemoved {
        /// Which one.
        peer: Naming,
    },
    /// A neighbour listed somebody under a name that is another key's.
    NameRefused {
        /// The address of the neighbour.
        address: String,
        /// The name, and the key that came with it this time.
        member: Named,
    },
    /// A ban is in force.
    Banned {
        /// Which one.
        ban: Ban,
    },
    /// A ban was lifted, or is over.
    Unbanned {
        /// Which one.
        ban: Ban,
    },
    /// A member is called otherwise from now on.
    Renamed {
        /// Which connection.
        client: ConnectionId,
        /// Who it was.
        before: Arc<Member>,
        /// Who it is.
        member: Arc<Member>,
    },
    /// A room came to be, or an operator opened it again.
    RoomOpened {
        /// Which one.
        room: RoomName,
    },
    /// An operator has emptied and forgotten a room.
    RoomForgotten {
        /// Which one.
        room: RoomName,
    },
    /// An operator closed a room.
    RoomClosed {
        /// Which one.
        room: RoomName,
    },
    /// A room has another topic.
    TopicSet {
        /// Which one.
        room: RoomName,
    },
    /// A line was withdrawn.
    LineWithdrawn {
        /// From which room.
        room: RoomName,
        /// Which one.
        line: LineId,
    },
    /// An operator put a guest out of a room.
    Expelled {
        /// Out of which one.
        room: RoomName,
        /// The guest's number.
        number: u32,
    },
    /// An operator lets a member say nothing in rooms.
    Muted {
        /// Whom.
        member: KeyId,
    },
    /// More is said in public than the bridge may say again; said once until it catches up.
    BridgeBusy,
    /// An operator lets a member speak again.
    Unmuted {
        /// Whom.
        member: KeyId,
    },
    /// This node of the home has another role.
    Role {
        /// Which one.
        role: Role,
        /// Why.
        cause: Cause,
        /// In which epoch.
        epoch: Epoch,
    },
    /// News of a hand-over of this node's place.
    HandOver {
        /// To which node.
        node: NodeId,
        /// How it is getting on.
        step: Handing,
    },
    /// Somebody is listed in the directory.
    DirectoryJoined {
        /// As which entry.
        listed: Listed,
    },
    /// Somebody is listed there no more.
    DirectoryLeft {
        /// As which entry it was.
        listed: Listed,
    },
    /// A connection was turned away before or after it introduced itself.
    Refused {
        /// From where.
        address: IpAddr,
        /// Why.
        ending: Ending,
        /// Who it said that it is, if it was a server.
        server: Option<Stranger>,
    },
}

impl Kind {
    /// The name under which watchers subscribe to it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Joined { .. } => "joined",
            Self::Left { ending: Ending::Kicked, .. } => "kicked",
            Self::Left { .. } => "left",
            Self::Refused { .. } => "refused",
            Self::LinkUp { .. } => "link_up",
            Self::LinkSuspect { .. } => "link_suspect",
            Self::LinkDown { .. } => "link_down",
            Self::LinkRefused { .. } => "link_refused",
            Self::PeerAdded { .. } => "peer_added",
            Self::PeerRemoved { .. } => "peer_removed",
            Self::NameRefused { .. } => "name_refused",
            Self::Renamed { .. } => "renamed",
            Self::RoomOpened { .. } => "room_opened",
            Self::RoomForgotten { .. } => "room_forgotten",
            Self::RoomClosed { .. } => "room_closed",
            Self::TopicSet { .. } => "topic_set",
            Self::LineWithdrawn { .. } => "line_withdrawn",
            Self::Expelled { .. } => "expelled",
            Self::Muted { .. } => "muted",
            Self::Unmuted { .. } => "unmuted",
            Self::BridgeBusy => "bridge_busy",
            Self::Role { .. } => "role",
            Self::HandOver { .. } => "handover",
            Self::Banned { .. } => "banned",
            Self::Unbanned { .. } => "unbanned",
            Self::DirectoryJoined { .. } => "directory_joined",
            Self::DirectoryLeft { .. } => "directory_left",
        }
    }
}

/// Events that a watcher may fall behind before it misses some.
const BACKLOG: usize = 1024;

/// Where events are published. A house without watchers forgets them.
#[derive(Clone, Debug)]
pub struct Bulletin {
    sender: broadcast::Sender<Event>,
    number: Arc<AtomicU64>,
}

impl Default for Bulletin {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, number: Arc::default() }
    }
}

impl Bulletin {
    /// Tells whoever watches.
    pub fn publish(&self, kind: Kind) {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        // Nobody watching is not an error.
        let _ = self.sender.send(Event { number, at_ms: unix_ms(), kind });
    }

    /// Watches from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}
