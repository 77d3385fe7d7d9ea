//! What can be said to the neighbourhood.

use std::{net::IpAddr, sync::Arc};

use actix::Message;

use crate::{
    actors::{
        clock::unix_ms,
        house::House,
        lane::Lane,
        meter::{Meter, Reading},
    },
    dialect::{
        Ear,
        event::{Claim, Greeting, ServerCard, Standing},
        kith::{bans::Signed, wire},
    },
    domain::{
        book::{Entry, Turned},
        directory::listed::Listed,
        id::{ConnectionId, HomeId, KeyId, PeerId},
        neighbourhood::{Direction, State},
        peer::{PeerLine, Trust},
        refusal::{Ending, Refusal},
    },
};

/// The house is complete; dialling may begin.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Open(pub Arc<House>);

/// A server says who it is and has proven nothing yet.
#[derive(Message, Debug)]
#[rtype(result = "Result<Standing, Refusal>")]
pub struct Claimed {
    /// The neighbour that we dialled.
    pub dialled: Option<HomeId>,
    /// What it says.
    pub claim: Claim,
}

/// A server is as proven as it gets.
#[derive(Message, Debug)]
#[rtype(result = "Result<HomeId, Refusal>")]
pub struct Greeted {
    /// The connection.
    pub connection: ConnectionId,
    /// The neighbour that we dialled.
    pub dialled: Option<HomeId>,
    /// Where it is, if it came to us.
    pub address: IpAddr,
    /// Who opened the connection.
    pub direction: Direction,
    /// What it says and has proven.
    pub greeting: Greeting,
    /// The way to it.
    pub lane: Lane,
    /// What passes through.
    pub meter: Arc<Meter>,
    /// The steps of the handshake.
    pub steps: Vec<Step>,
}

/// A connection with a server is gone.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Closed {
    /// Which one.
    pub connection: ConnectionId,
    /// The neighbour, if it was clear which one it was.
    pub home: Option<HomeId>,
    /// Why.
    pub ending: Ending,
    /// The steps of the handshake.
    pub steps: Vec<Step>,
    /// Who it said that it is, if we did not dial it.
    pub claim: Option<Claim>,
}

/// A neighbour that we dialled has proven a key, whether it wants the link or not.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Found {
    /// Which one.
    pub home: HomeId,
    /// The key.
    pub key: KeyId,
}

/// A neighbour has signed something on this connection.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Shown(pub ConnectionId);

/// A neighbour says how its own links are doing.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Reported {
    /// Which one.
    pub home: HomeId,
    /// Its links.
    pub links: Vec<wire::Link>,
}

/// A neighbour says behind which doors its home is found.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Moved {
    /// Which one.
    pub home: HomeId,
    /// The doors.
    pub doors: Vec<String>,
}

/// A neighbour names other servers.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Introduced {
    /// Which one.
    pub home: HomeId,
    /// The servers.
    pub servers: Vec<ServerCard>,
}

/// A neighbour tells which bans its operator has made.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Shared {
    /// Which one.
    pub home: HomeId,
    /// What it says, and its signature.
    pub signed: Signed,
}

/// Neighbours are to be told that these are the entries of our directory.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Recommend(pub Arc<[Listed]>);

/// A neighbour tells the entries of its directory.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Recommended {
    /// Which one.
    pub home: HomeId,
    /// All of them.
    pub entries: Vec<Listed>,
}

/// One step of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Which one.
    pub step: &'static str,
    /// What happened.
    pub detail: String,
}

impl Step {
    /// A step that happens at this moment.
    #[must_use]
    pub fn now(step: &'static str, detail: String) -> Self {
        Self { at_ms: unix_ms(), step, detail }
    }
}

/// What went wrong last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The stable name.
    pub code: &'static str,
    /// What happened, in words.
    pub message: String,
    /// What may help.
    pub hint: &'static str,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// How one neighbour is doing, as its link says whenever that changes.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Status {
    /// Which one.
    pub home: HomeId,
    /// How it is doing.
    pub state: State,
    /// Since when, in Unix milliseconds.
    pub since_ms: i64,
    /// Its sockets.
    pub sockets: Vec<SocketView>,
    /// How it is written to.
    pub ear: Option<Ear>,
    /// How far it is trusted.
    pub trust: Option<Trust>,
    /// Attempts in a row that came to nothing.
    pub attempts: u32,
    /// When it will be dialled again, in Unix milliseconds.
    pub next_dial_ms: Option<i64>,
    /// What went wrong last.
    pub trouble: Option<Trouble>,
    /// Why somebody was turned away who came under its name and had proven nothing.
    pub doubt: Option<Trouble>,
    /// The last handshake.
    pub steps: Vec<Step>,
    /// What passed through sockets that are gone.
    pub past: Reading,
}

/// One socket of a link.
#[derive(Clone, Debug)]
pub struct SocketView {
    /// Who opened it.
    pub direction: Direction,
    /// From where, if the neighbour did.
    pub address: IpAddr,
    /// The way to the neighbour.
    pub lane: Lane,
    /// What passes through.
    pub meter: Arc<Meter>,
}

/// A link failed in a handler and is to be made anew.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Broken(pub HomeId);

/// One neighbour as people see it.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// What is known about it.
    pub entry: Entry,
    /// Its number in this process.
    pub home: HomeId,
    /// How it is doing.
    pub status: Status,
    /// The round trip that was measured last, in microseconds.
    pub round_trip_us: Option<u64>,
    /// What passed through all its sockets.
    pub reading: Reading,
    /// Bytes that wait for it.
    pub waiting_bytes: usize,
    /// When something came from it last, in Unix milliseconds.
    pub heard_ms: Option<i64>,
    /// How its own links are doing, as it says itself.
    pub links: Arc<[wire::Link]>,
    /// When it said so, in Unix milliseconds.
    pub links_ms: i64,
}

/// Asks for all neighbours but removed ones.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<PeerView>")]
pub struct Peers;

/// Asks for one neighbour.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<PeerView>")]
pub struct FindPeer(pub PeerId);

/// Adds a neighbour.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<PeerView, AddError>")]
pub struct AddPeer(pub PeerLine);

/// Why a neighbour is not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddError {
    /// A word of the line means nothing.
    Senseless(String),
    /// The house does not want it.
    Turned(Turned),
}

/// Removes a neighbour, and says whether it was there.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct RemovePeer(pub PeerId);

/// Dials a neighbour at once.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Option<PeerView>")]
pub struct RetryPeer(pub PeerId);

/// Holds a neighbour to a key: the one given, or the one that it shows or showed last.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<PeerView, PinError>")]
pub struct PinPeer {
    /// Which one.
    pub id: PeerId,
    /// The key, as people write it.
    pub key: Option<String>,
}

/// Why a key is not pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinError {
    /// There is no such neighbour.
    Unknown,
    /// It has never shown a key, and none was given.
    NoKey,
    /// What was given is no key.
    BadKey,
}

/// Makes the handler of a link fail. Only sent when `debug.faults` is on.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct FaultPeer(pub PeerId);
