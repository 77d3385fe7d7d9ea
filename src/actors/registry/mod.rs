//! The connection map: who is here, and the lane to each.
//!
//! It carries out what the switchboard decided and what the presence queue allows. **Invariant:** it
//! never decodes, verifies, stores or awaits, and if it fails the process ends: a house without its map
//! must be started anew, not limp on.

mod arrivals;
mod bans;
mod bridge;
mod channel;
mod deliver;
mod known;
mod leaving;
mod message;
mod moderation;
mod moving;
mod neighbours;
mod offline;
mod people;
mod pressed;
mod query;
mod room_message;
mod rooms;
mod route;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix::{Actor, Addr, AsyncContext as _, Context, Handler};

pub use self::leaving::{AreHeldBack, AwaitNobody, Awaited, GoOn, HoldBack};
pub use self::message::{
    Bridges, Client, Clients, Collapse, Count, Drain, Fault, Find, HomeView, Homes, Join, Kick, Leave, Link,
    People, Route, Tell, Unlink, WantList, WantedBy, Wrapped,
};
pub use self::moving::Paused;
pub use self::offline::{Discard, OfflineParts};
pub use self::room_message::{
    Barred, ListRooms, Mutes, Room, RoomCounts, RoomHistory, RoomOrder, RoomTally, RoomTold, Roster, ShowRoom,
};
use self::{
    bridge::Bridging, known::Known, leaving::Leaving, moving::Moving, neighbours::Neighbour, offline::Offline,
};

use super::{
    archivist::{Archivist, Chronicle},
    bans::Banned,
    clock::{Clock, unix_ms},
    event::Bulletin,
    lane::{Class, Inbox, Lane},
    notary::Notary,
    tally::Tally,
};
use crate::{
    dialect::{Ear, Terms, press},
    domain::{
        Moment,
        address::Address,
        bridge::Bridge,
        channel::Channel,
        dialect::Dialect,
        id::{ConnectionId, HomeId, KeyId},
        letter::Frame,
        limits::{Limits, seconds},
        member::Member,
        names::Bearer,
        presence::Presence,
        rooms::{Kept, Rooms},
        switchboard::Switchboard,
    },
    identity::BridgeKeys,
    telemetry,
};

#[derive(Debug)]
struct Entry {
    lane: Lane,
    ear: Ear,
    member: Arc<Member>,
    address: IpAddr,
    since_ms: i64,
    /// Whether it has got a room that it may not leave for another one.
    has_chosen: bool,
}

/// How long a reader that had no room for a list is left alone.
const LIST_RETRY: Duration = Duration::from_millis(500);

/// How often rooms are rid of what is too old.
const TIDY: Duration = Duration::from_secs(60);

/// The actor. It lives on a thread of its own.
#[derive(Debug)]
pub struct Registry {
    entries: BTreeMap<ConnectionId, Entry>,
    neighbours: BTreeMap<HomeId, Neighbour>,
    switchboard: Switchboard,
    rooms: Rooms,
    /// Where all protocols share the public room.
    bridging: Option<Bridging>,
    bans: Banned,
    /// Servers that are banned, by the keys of their lines.
    barred: HashSet<KeyId>,
    presence: Presence,
    /// Lists of the present version, one per ear.
    lists: HashMap<Ear, Frame>,
    lists_version: u64,
    /// Members who have names. Clients that hear of each by itself know of all of them.
    known: Known,
    /// Who has left a short time ago, in this order, and is not back.
    gone: VecDeque<(Moment, Member)>,
    /// When the link to a neighbour was lost that is not back.
    lost: BTreeMap<HomeId, Moment>,
    /// Neighbours that move to another of their nodes, and how often one has.
    moving: BTreeMap<HomeId, Moving>,
    moves: u64,
    /// Our own home is about to move, and how often a neighbour was asked to hold back letters for that.
    leaving: Option<Leaving>,
    holds: u32,
    /// How many connections are told the whole list after changes.
    readers: usize,
    list_alarm: bool,
    /// Connections that had no room for a list, and are offered the newest one again soon.
    slow: HashSet<ConnectionId>,
    home: String,
    terms: Arc<Terms>,
    notary: Notary,
    /// Letters whose signature is being checked before they count.
    doubts: u32,
    /// Letters for those who are away, if they are kept.
    offline: Option<Offline>,
    /// Keys of the public channel that are wrapped for members.
    channel: Channel,
    limits: Arc<Limits>,
    clock: Clock,
    tally: Tally,
    bulletin: Bulletin,
    archivist: Addr<Archivist>,
    inbox: Inbox,
    draining: Arc<AtomicBool>,
}

/// What the registry is made of.
#[derive(Debug)]
pub struct Parts {
    /// The address that lists name, as clients are to write it.
    pub home: String,
    /// Every other address that means this home.
    pub names: Vec<Address>,
    /// What is known of rooms.
    pub kept_rooms: Kept,
    /// Whose names are known.
    pub bearers: Vec<(KeyId, Bearer)>,
    /// Who may not come.
    pub bans: Banned,
    /// What sessions know of the house.
    pub terms: Arc<Terms>,
    /// The keys of the bridge, if it is on.
    pub bridge: Option<BridgeKeys>,
    /// Who checks letters that neighbours bring, where that is needed.
    pub notary: Notary,
    /// What letters for those who are away are kept with, if they are.
    pub offline: Option<OfflineParts>,
    /// Keys of the public channel that were handed out before.
    pub channel: Channel,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// Where events go.
    pub bulletin: Bulletin,
    /// Who writes things down.
    pub archivist: Addr<Archivist>,
    /// What waits for it.
    pub inbox: Inbox,
    /// Raised when a drain begins.
    pub draining: Arc<AtomicBool>,
}

impl Registry {
    /// An empty map.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let names = parts.names.into_iter().chain([Address::new(&parts.home)]);
        let mut switchboard = Switchboard::new(names, &parts.limits);
        switchboard.restore_names(parts.bearers);
        let offline = parts.offline.map(|offline| Offline::new(offline, &parts.limits, &mut switchboard));
        let mut rooms = Rooms::new(parts.terms.myself.key.id(), &parts.limits);
        let restored = rooms.restore(parts.kept_rooms, unix_ms());
        // What no longer fits is forgotten there, too.
        parts.archivist.do_send(Chronicle(restored.records));
        let rules = Bridge::new(parts.terms.myself.key.id(), &parts.limits);
        Self {
            entries: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            switchboard,
            rooms,
            bridging: parts.bridge.map(|keys| Bridging::new(rules, keys)),
            bans: parts.bans,
            barred: HashSet::new(),
            presence: Presence::new(parts.limits.presence_bytes_per_second),
            lists: HashMap::new(),
            lists_version: 0,
            known: Known::default(),
            gone: VecDeque::new(),
            lost: BTreeMap::new(),
            moving: BTreeMap::new(),
            moves: 0,
            leaving: None,
            holds: 0,
            readers: 0,
            list_alarm: false,
            slow: HashSet::new(),
            home: parts.home,
            terms: parts.terms,
            notary: parts.notary,
            doubts: 0,
            offline,
            channel: parts.channel,
            limits: parts.limits,
            clock: parts.clock,
            tally: parts.tally,
            bulletin: parts.bulletin,
            archivist: parts.archivist,
            inbox: parts.inbox,
            draining: parts.draining,
        }
    }

    /// The newest list for an ear, printed once however many hear it.
    fn list(&mut self, ear: Ear) -> Frame {
        let mesh = self.switchboard.mesh();
        if self.lists_version != mesh.version() {
            self.lists.clear();
            self.lists_version = mesh.version();
        }
        let print = || {
            let own = press::Home {
                number: HomeId::OWN.0,
                address: &self.home,
                members: listed(self.switchboard.roster().members()),
            };
            let others = mesh.homes().map(|(id, home)| press::Home {
                number: id.0,
                address: home.address(),
                members: listed(mesh.listed(id)),
            });
            let homes: Vec<_> = std::iter::once(own).chain(others).collect();
            // Only clients are sent lists.
            press::list(&homes, ear).unwrap_or(Frame::Binary(bytes::Bytes::new()))
        };
        self.lists.entry(ear).or_insert_with(print).clone()
    }

    /// What is listed has changed: everybody is behind.
    fn changed(&mut self, ctx: &mut Context<Self>) {
        let moved = self.switchboard.take_moved();
        self.let_go(&moved);
        let is_draining = self.draining.load(Ordering::Relaxed);
        self.follow_people(&moved, !is_draining);
        if !is_draining {
            let hears_lists = |entry: &&Entry| entry.ear.hears_lists();
            let behind = self.entries.iter().filter(|(_, entry)| hears_lists(entry));
            self.presence.changed(self.readers, behind.map(|(connection, _)| *connection));
        }
        self.push_lists(ctx);
    }

    /// Sends lists as far as the budget allows.
    fn push_lists(&mut self, ctx: &mut Context<Self>) {
        if self.list_alarm {
            // The budget is used up: whoever is behind waits, and no list is printed for nobody.
            return;
        }
        // What a list costs is about the same in every shape.
        let mut ears = self.entries.values().map(|entry| entry.ear);
        let Some(ear) = ears.find(|ear| ear.hears_lists()) else { return };
        while !self.presence.is_idle() {
            let bytes = u32::try_from(self.list(ear).len()).unwrap_or(u32::MAX);
            match self.presence.next(bytes, self.clock.now()) {
                Ok(Some(connection)) => self.push_list(connection, ctx),
                Ok(None) => return,
                Err(wait) => return self.push_lists_later(wait, ctx),
            }
        }
    }

    fn push_list(&mut self, connection: ConnectionId, ctx: &mut Context<Self>) {
        let Some(ear) = self.entries.get(&connection).map(|entry| entry.ear) else { return };
        let list = self.list(ear);
        if let Some(entry) = self.entries.get(&connection) {
            let taken = entry.lane.offer(list, Class::List);
            if taken { &self.tally.lists } else { &self.tally.dropped }.inc();
            if !taken && self.slow.insert(connection) {
                ctx.run_later(LIST_RETRY, move |registry, ctx| {
                    registry.slow.remove(&connection);
                    if registry.entries.contains_key(&connection) {
                        registry.presence.asked(connection);
                        registry.push_lists(ctx);
                    }
                });
            }
        }
    }

    fn push_lists_later(&mut self, wait: Duration, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.list_alarm, true) {
            ctx.run_later(wait, |registry, ctx| {
                registry.list_alarm = false;
                registry.push_lists(ctx);
            });
        }
    }
}

/// Those whom client lists can name: members of other dialects have no keys that a reader of lists could use.
fn listed<'a>(members: impl Iterator<Item = &'a Arc<Member>>) -> Vec<&'a Member> {
    members.map(AsRef::as_ref).filter(|member| member.dialect == Dialect::Olaf).collect()
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(seconds(self.limits.peer_heartbeat_s), |registry, _| registry.tell_standing());
        self.begin_to_tidy(ctx);
        self.shun();
        ctx.run_interval(TIDY, |registry, _| registry.tidy_rooms());
        self.start_bridge(ctx.address().recipient());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            telemetry::say(
                "kith: the connection map failed; the process ends so that it can be started anew\n",
            );
            telemetry::exit(70);
        }
    }
}

impl Handler<WantList> for Registry {
    type Result = ();

    fn handle(&mut self, WantList(connection): WantList, ctx: &mut Self::Context) {
        if self.entries.contains_key(&connection) {
            self.presence.asked(connection);
            self.push_lists(ctx);
        }
    }
}
