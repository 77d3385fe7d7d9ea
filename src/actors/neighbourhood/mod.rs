//! The neighbourhood: who our neighbours are, and one link for each of them.
//!
//! It keeps the book of `domain::book` and supervises the links; letters and presence do not pass here,
//! they go between the sockets and the registry. **Invariants:** whoever is in the book and not removed
//! has a link, whatever happens to it; the registry hears that a neighbour is linked before anything that
//! the neighbour says.

mod bans;
pub mod bootstrap;
mod claims;
mod doors;
mod gossip;
pub mod members;
mod message;
mod notices;
mod scribe;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, Addr, AsyncContext as _, Context, Handler};
use rustls::ClientConfig;

pub use self::message::{
    AddError, AddPeer, Broken, Claimed, Closed, FaultPeer, FindPeer, Found, Greeted, Introduced, Moved, Open,
    PeerView, Peers, PinError, PinPeer, Recommend, Recommended, RemovePeer, Reported, RetryPeer, Shared,
    Shown, SocketView, Status, Step, Trouble,
};
pub use self::scribe::Written;
use self::{
    notices::{Each, Recommends},
    scribe::Scribe,
};

use super::{
    clock::Clock,
    event::{Bulletin, Kind},
    house::House,
    meter::Meter,
    peer_link::{self, PeerLink},
    registry::Unlink,
    tally::Tally,
};
use crate::{
    crypto::keys::PublicKey,
    dialect::{
        Accent,
        event::ServerCard,
        kith::{bans::Signed, doors as told, wire},
    },
    domain::{
        book::{Book, Entry},
        id::{ConnectionId, HomeId},
        letter::Frame,
        neighbourhood::State,
        peer::LinkDialect,
        replay::Window,
    },
    store::Store,
    telemetry,
};

/// How often neighbours are told how our links are doing.
const ROUND: Duration = Duration::from_secs(2);
/// Proofs of neighbours that are remembered: more than a hundred each, however many they are; about 2 MiB.
const PROOFS: u32 = 65_536;

/// What the neighbourhood is made of.
#[derive(Debug)]
pub struct Parts {
    /// Who our neighbours are, from settings and store.
    pub book: Book,
    /// Where that is kept.
    pub store: Store,
    /// Whose certificates are believed.
    pub trust: Arc<ClientConfig>,
    /// Behind which doors this home is found, if it has several.
    pub doors: Vec<String>,
    /// Whether to learn of further servers from trusted neighbours.
    pub introduce: bool,
    /// Whose bans count here as well: fingerprints, addresses and names.
    pub subscribe: Vec<String>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// Where events go.
    pub bulletin: Bulletin,
}

/// One neighbour's link.
#[derive(Debug)]
struct Known {
    link: Addr<PeerLink>,
    status: Option<Status>,
    /// What it needs to know beside the book: parsed, because that is slow.
    key: Option<Arc<PublicKey>>,
    accent: Option<Accent>,
    /// How SOCP servers could be linked with it, as it said when it came.
    card: Option<ServerCard>,
    links: Arc<[wire::Link]>,
    links_ms: i64,
    /// The key that it has proven on its newest socket, as a whole.
    proven: Option<Arc<PublicKey>>,
    /// The sockets, by their meters, on which it was told each of our notices.
    told: Each<Arc<Meter>>,
    /// That it has told us its directory.
    recommends: Option<Recommends>,
    /// Whether a list of its bans is being looked at, and the one that came meanwhile.
    is_heard: bool,
    unheard: Option<Signed>,
}

/// The actor. It lives on a thread of its own, with the sockets that we dialled.
#[derive(Debug)]
pub struct Neighbourhood {
    parts: Parts,
    scribe: Scribe,
    house: Option<Arc<House>>,
    known: BTreeMap<HomeId, Known>,
    /// Whose each socket is. A connection that dies while it is let in does not know that itself.
    sockets: HashMap<ConnectionId, HomeId>,
    /// What was announced last, and why it was so, so that only changes are.
    announced: HashMap<HomeId, (State, Option<&'static str>)>,
    /// What made servers neighbours, where that could be recorded and played back.
    proofs: Window,
    /// Whether neighbours are told how our links are doing in a moment.
    gossip_is_due: bool,
    /// What neighbours are told as a whole.
    notices: Each<Frame>,
}

impl Neighbourhood {
    /// A neighbourhood whose links are not dialled yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let doors = (!parts.doors.is_empty()).then(|| told::frame(&parts.doors));
        Self {
            scribe: Scribe::start(parts.store.clone()),
            parts,
            house: None,
            known: BTreeMap::new(),
            sockets: HashMap::new(),
            announced: HashMap::new(),
            proofs: Window::new(PROOFS),
            gossip_is_due: false,
            notices: [None, None, doors],
        }
    }

    /// Makes the link of a neighbour, in place of the one that was there.
    fn start_link(&mut self, home: HomeId, is_coming: bool, ctx: &Context<Self>) {
        let Some((house, entry)) = self.house.clone().zip(self.parts.book.entry(home)) else { return };
        let key = entry.key_text.as_deref().and_then(members::whole_key).map(Arc::new);
        let dialect = entry.dialect.unwrap_or(LinkDialect::Olaf);
        let accent = entry.accent.as_deref().and_then(|words| Accent::parse(dialect, words).ok());
        let link = PeerLink::new(peer_link::Parts {
            home,
            url: entry.url.clone(),
            doors: entry.doors.clone(),
            dialect: entry.dialect,
            accent,
            is_coming,
            bar: self.bar(home),
            house,
            trust: Arc::clone(&self.parts.trust),
            status: ctx.address().recipient(),
            broken: ctx.address().recipient(),
        });
        let known = Known {
            link: link.start(),
            status: None,
            key,
            accent,
            card: None,
            links: Arc::default(),
            links_ms: 0,
            proven: None,
            told: Known::NOTHING_TOLD,
            recommends: None,
            is_heard: false,
            unheard: None,
        };
        self.known.insert(home, known);
    }

    /// Keeps what is known about a neighbour, beside the way of everything else.
    fn save(&self, home: HomeId) {
        if let Some(entry) = self.parts.book.entry(home) {
            self.scribe.save(members::record(entry));
        }
    }

    fn announce(&mut self, status: &Status) {
        let code = status.trouble.as_ref().map(|trouble| trouble.code);
        let known = self.announced.get(&status.home).copied();
        let (before, code_before) = known.unwrap_or((State::Down, None));
        // One more attempt is no news; what comes of it may be.
        if !before.is_linked() && matches!(status.state, State::Dialling | State::Greeting) {
            return;
        }
        self.announced.insert(status.home, (status.state, code));
        let Some(entry) = self.parts.book.entry(status.home) else { return };
        let peer = members::naming(entry);
        let kind = match (before, status.state) {
            (before, State::Up) if before != State::Up => Kind::LinkUp { peer, state: status.state },
            (before, State::Suspect) if before != State::Suspect => {
                Kind::LinkSuspect { peer, state: status.state }
            }
            (before, State::Refused) if before != State::Refused || code != code_before => {
                Kind::LinkRefused { peer, state: status.state, code }
            }
            (before, state) if before.is_linked() && !state.is_linked() => {
                Kind::LinkDown { peer, state, code }
            }
            _ => return,
        };
        log(entry, &kind, status);
        self.parts.bulletin.publish(kind);
    }
}

fn log(entry: &Entry, kind: &Kind, status: &Status) {
    let (peer, name) = (entry.id, entry.name.as_deref().unwrap_or_default());
    let address = entry.address.as_deref().or(entry.url.as_deref()).unwrap_or_default();
    let why = status.trouble.as_ref().map(|trouble| trouble.message.as_str()).unwrap_or_default();
    match kind {
        Kind::LinkUp { .. } => tracing::info!(%peer, name, address, "linked"),
        Kind::LinkRefused { .. } => tracing::warn!(%peer, name, address, why, "the link is refused"),
        Kind::LinkSuspect { .. } => tracing::warn!(%peer, name, address, "the link is silent"),
        _ => tracing::warn!(%peer, name, address, why, "the link is down"),
    }
}

impl Actor for Neighbourhood {
    type Context = Context<Self>;
}

impl Drop for Neighbourhood {
    fn drop(&mut self) {
        if std::thread::panicking() {
            telemetry::say(
                "kith: the neighbourhood failed; the process ends so that it can be started anew\n",
            );
            telemetry::exit(70);
        }
    }
}

impl Handler<Open> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Open(house): Open, ctx: &mut Self::Context) {
        self.house = Some(house);
        let homes: Vec<HomeId> =
            self.parts.book.entries().filter(|(_, entry)| !entry.removed).map(|(home, _)| home).collect();
        for home in homes {
            self.start_link(home, false, ctx);
        }
        self.tell_barred();
        ctx.run_interval(ROUND, |neighbourhood, ctx| {
            neighbourhood.gossip(ctx);
            neighbourhood.tell_notices();
        });
    }
}

impl Handler<Status> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, status: Status, ctx: &mut Self::Context) {
        self.announce(&status);
        let changed = self.known.get_mut(&status.home).map(|known| {
            if status.sockets.is_empty() {
                known.recommends = None;
            }
            let before = known.status.replace(status.clone()).map(|before| before.state);
            before != Some(status.state)
        });
        if changed == Some(true) {
            self.gossip_soon(ctx);
        }
        self.tell_notices();
    }
}

impl Handler<Broken> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Broken(home): Broken, ctx: &mut Self::Context) {
        let removed = self.parts.book.entry(home).is_none_or(|entry| entry.removed);
        if removed || !self.known.contains_key(&home) {
            return;
        }
        tracing::error!(home = home.0, "a link failed in a handler; it is made anew");
        if let Some(house) = &self.house {
            house.registry.do_send(Unlink(home));
        }
        self.start_link(home, false, ctx);
    }
}

impl Handler<Shown> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, shown: Shown, _: &mut Self::Context) {
        let home = self.sockets.get(&shown.0);
        if let Some(known) = home.and_then(|home| self.known.get(home)) {
            known.link.do_send(shown);
        }
    }
}

impl Handler<Closed> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, closed: Closed, _: &mut Self::Context) {
        match self.sockets.remove(&closed.connection).or(closed.home) {
            Some(home) => {
                if let Some(known) = self.known.get(&home) {
                    known.link.do_send(closed);
                }
            }
            None => self.doubt(closed),
        }
    }
}
