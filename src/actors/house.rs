//! What every connection of one house shares, and how a house is put together.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use actix::{Actor as _, Addr, Arbiter, ArbiterHandle};

use super::{
    archivist::Archivist,
    bans::{self, Banned, Warden},
    clock::Clock,
    event::Bulletin,
    gate::Gate,
    lane::Inbox,
    neighbourhood::{self, Neighbourhood},
    notary::{Keys, Notary},
    registry::{self, OfflineParts, Registry},
    rendezvous::{self, Rendezvous},
    stillness::Stillness,
    tally::Tally,
};
use crate::{
    dialect::Terms,
    domain::{
        address::Address,
        bans::Bans,
        channel::Channel,
        id::{ConnectionId, KeyId},
        limits::Limits,
        names::Bearer,
        rooms::Kept,
    },
    identity::BridgeKeys,
    store::Store,
};

/// Handed to every worker by reference.
#[derive(Debug)]
pub struct House {
    /// The connection map.
    pub registry: Addr<Registry>,
    /// Who our neighbours are.
    pub neighbourhood: Addr<Neighbourhood>,
    /// Who listens where, for clients that mesh by themselves.
    pub rendezvous: Addr<Rendezvous>,
    /// Who may not come.
    pub bans: Banned,
    /// The one who changes that.
    pub warden: Addr<Warden>,
    /// Signatures, checked and made.
    pub notary: Notary,
    /// What waits for the registry.
    pub inbox: Inbox,
    /// Who may come in.
    pub gate: Gate,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// What sessions must know.
    pub terms: Arc<Terms>,
    /// What time it is.
    pub clock: Clock,
    /// What is counted.
    pub tally: Tally,
    /// What happens.
    pub bulletin: Bulletin,
    /// Whether anything is read at the moment.
    pub stillness: Stillness,
    /// Where everybody should go, once this home is served by another node: the door, as URL.
    pub next_door: OnceLock<String>,
    /// Whether the doors are closing.
    pub draining: Arc<AtomicBool>,
    /// The last connection number given.
    pub last_connection: AtomicU64,
}

/// What a house is made of.
#[derive(Debug)]
pub struct Plan {
    /// The address under which members are listed.
    pub home: String,
    /// Every other address that means this home.
    pub names: Vec<Address>,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// What sessions must know.
    pub terms: Terms,
    /// Who our neighbours are.
    pub neighbourhood: neighbourhood::Parts,
    /// Our own keys, as far as they sign.
    pub keys: Keys,
    /// Threads for signatures.
    pub notaries: usize,
    /// What is known of rooms.
    pub kept_rooms: Kept,
    /// Whose names are known.
    pub bearers: Vec<(KeyId, Bearer)>,
    /// Keys of the public channel that were handed out before.
    pub channel: Channel,
    /// The keys of the bridge, if it is on.
    pub bridge: Option<BridgeKeys>,
    /// The rules of the rendezvous.
    pub rendezvous: rendezvous::Policy,
    /// Who may not come.
    pub bans: Sentences,
    /// Who writes things down.
    pub archivist: Addr<Archivist>,
    /// What letters for those who are away are kept with, if they are.
    pub offline: Option<OfflineParts>,
    /// The thread of those who wait for the disk.
    pub desk: ArbiterHandle,
}

/// The bans with which a house opens.
#[derive(Debug, Default)]
pub struct Sentences {
    /// The bans that the store remembers.
    pub bans: Bans,
    /// The newest issue of each list among them, by the key that signed it.
    pub issues: HashMap<KeyId, u64>,
    /// The number of our own newest issue, if there ever was one.
    pub issue: Option<u64>,
    /// Whether neighbours are told our own bans.
    pub publish: bool,
}

impl House {
    /// Starts the actors and puts them together. Neighbours are dialled once they are told to.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn build(plan: Plan) -> io::Result<Arc<Self>> {
        let (clock, limits) = (plan.neighbourhood.clock, plan.limits);
        let (tally, bulletin) = (plan.neighbourhood.tally.clone(), plan.neighbourhood.bulletin.clone());
        let stillness = Stillness::default();
        let most = usize::try_from(limits.registry_bytes).unwrap_or(usize::MAX);
        let inbox = Inbox::new(most, stillness.clone());
        let draining = Arc::new(AtomicBool::new(false));
        let terms = Arc::new(plan.terms);
        let notary = Notary::start(plan.notaries, &plan.keys, &tally)?;
        let banned = Banned::new(plan.bans.bans);
        let parts = registry::Parts {
            bans: banned.clone(),
            notary: notary.clone(),
            home: plan.home,
            names: plan.names,
            kept_rooms: plan.kept_rooms,
            bearers: plan.bearers,
            channel: plan.channel,
            bridge: plan.bridge,
            terms: Arc::clone(&terms),
            limits: Arc::clone(&limits),
            clock,
            tally: tally.clone(),
            bulletin: bulletin.clone(),
            archivist: plan.archivist,
            offline: plan.offline,
            inbox: inbox.clone(),
            draining: Arc::clone(&draining),
        };
        let registry = Registry::start_in_arbiter(&Arbiter::new().handle(), move |_| Registry::new(parts));
        let store = plan.neighbourhood.store.clone();
        let parts = plan.neighbourhood;
        let thread = Arbiter::new().handle();
        let neighbourhood = Neighbourhood::start_in_arbiter(&thread, move |_| Neighbourhood::new(parts));
        let rendezvous = meeting(plan.rendezvous, &neighbourhood, &store, clock, (&tally, &bulletin));
        let sentences = bans::Parts {
            banned: banned.clone(),
            store,
            notary: notary.clone(),
            bulletin: bulletin.clone(),
            enforcers: vec![registry.clone().recipient(), neighbourhood.clone().recipient()],
            publisher: neighbourhood.clone().recipient(),
            most: usize::try_from(limits.bans).unwrap_or(usize::MAX),
            publish: plan.bans.publish,
            issue: plan.bans.issue,
            issues: plan.bans.issues,
        };
        let warden = Warden::start_in_arbiter(&plan.desk, move |_| Warden::new(sentences));
        Ok(Arc::new(Self {
            registry,
            neighbourhood,
            rendezvous,
            bans: banned,
            warden,
            notary,
            inbox,
            gate: Gate::new((*limits).clone(), clock),
            limits,
            terms,
            clock,
            tally,
            bulletin,
            stillness,
            next_door: OnceLock::new(),
            draining,
            last_connection: AtomicU64::new(0),
        }))
    }

    /// A number that no connection had before.
    #[must_use]
    pub fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Whether the doors are closing.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

fn meeting(
    policy: rendezvous::Policy,
    neighbourhood: &Addr<Neighbourhood>,
    store: &Store,
    clock: Clock,
    (tally, bulletin): (&Tally, &Bulletin),
) -> Addr<Rendezvous> {
    let neighbours = policy.share.then(|| neighbourhood.clone().recipient());
    Rendezvous::open(rendezvous::Parts {
        policy,
        neighbours,
        clock,
        tally: tally.clone(),
        bulletin: bulletin.clone(),
        store: store.clone(),
    })
}
