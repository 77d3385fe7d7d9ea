//! A node that serves for a home of several: what it tells the others, and how it gives its place away.

use std::{sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::{end::flush, moving::neighbours_hold_back};
use crate::{
    actors::{
        archivist::Flush,
        keeper::FlushOffline,
        neighbourhood::Written,
        registry::{Count, GoOn},
        succession::{
            copying::{Contents, Newcomer, Reign, lead},
            helm::{Duty, Helm, Place, State},
            shell::Shell,
        },
    },
    domain::succession::{
        Epoch, NodeId, Position,
        election::{Attempt, Role},
        home::MOST_OTHERS,
        message::Objection,
    },
    http::site::Site,
    store::{Store, StoreError, shelf::Shelf},
};

/// How often the election is told how far we are: more often than anybody asks it.
const TELL: Duration = Duration::from_millis(500);
/// How often we look whether the house holds still.
const LOOK: Duration = Duration::from_millis(2);
/// Streams at once: one of changes and one of files for each other node, and two that have not noticed their end.
const FOLLOWERS: usize = 4 * MOST_OTHERS;
/// How long whoever has given its place away waits to hear that the other one has taken it.
pub(super) const WHERE: Duration = Duration::from_secs(2);
/// How many changes go by until the log is cut.
const CUT: u64 = 8192;

/// How a reign ends.
pub(super) enum Lost {
    /// Another node serves, and everything that we accepted is there.
    HandedOver(Option<Place>),
    /// We may not serve any more, at once.
    AtOnce,
}

/// What brings another node's copy to the end.
pub(super) struct Handing {
    to: NodeId,
    task: JoinHandle<()>,
}

impl Handing {
    fn give_up(self, helm: &Helm) {
        self.task.abort();
        let (to, lacks) = (self.to, helm.copies.lacking(self.to).unwrap_or_default());
        tracing::warn!(%to, %lacks, "the other node was not brought to the end; this one goes on");
    }
}

/// Serves until this node may not any more.
pub(super) async fn hold(
    shell: &mut Shell,
    handing: &mut Option<Handing>,
    site: &Arc<Site>,
    epoch: Epoch,
) -> Lost {
    let helm = shell.helm.clone();
    let reign = Reign {
        node: helm.node,
        epoch: epoch.0,
        store: site.store.clone(),
        copies: helm.copies.clone(),
        shelf: Shelf::of(&site.settings.server.data_dir),
        wholes: Arc::new(Semaphore::new(1)),
    };
    let _telling = Telling::begin(&helm, site, epoch);
    let back = Arc::new(Notify::new());
    let begin_recovery = || Recovery::begin(&helm, &reign, &back);
    let mut recovery = handing.is_none().then(begin_recovery);
    let places = Arc::new(Semaphore::new(FOLLOWERS));
    let mut state = helm.state.clone();
    loop {
        let (role, leader) = {
            let state = state.borrow_and_update();
            (state.role, state.leader.clone())
        };
        if role != Role::Leader(epoch) {
            if !site.house.stillness.is_on() || role == Role::Fenced {
                return Lost::AtOnce;
            }
            // People are told where to go, if that is heard soon.
            return Lost::HandedOver(timeout(WHERE, whoever_leads(state)).await.unwrap_or(leader));
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return Lost::AtOnce },
            Some(newcomer) = shell.followers.recv() => {
                let back = Arc::clone(&back);
                actix_rt::spawn(tell_all(newcomer, helm.clone(), reign.clone(), back, Arc::clone(&places)));
            }
            Some(duty) = shell.duties.recv() => match duty {
                Duty::Quiesce(to, attempt) => {
                    // What it would write has no end.
                    drop(recovery.take());
                    let (helm, site) = (helm.clone(), Arc::clone(site));
                    let bring = async move { bring_to_the_end(&helm, &site, (to, attempt, epoch)).await };
                    let now = Handing { to, task: actix_rt::spawn(bring) };
                    if let Some(before) = handing.replace(now) {
                        before.task.abort();
                    }
                }
                Duty::Resume => {
                    go_on(&helm, site, handing.take());
                    recovery.get_or_insert_with(begin_recovery);
                }
                // Asked before it led, and no longer of interest.
                Duty::Prepare(epoch) => helm.prepared(epoch, Err(Objection::Unready)),
            },
        }
    }
}

/// Tells a node of this home everything, if there is a place for one more.
async fn tell_all(newcomer: Newcomer, helm: Helm, reign: Reign, back: Arc<Notify>, places: Arc<Semaphore>) {
    let told = async {
        let guest = newcomer.prove(&helm.secret, reign.node).await?;
        // It may have files that nobody else has.
        back.notify_one();
        let Ok(_place) = places.try_acquire() else { return Ok(()) };
        lead(guest, &reign).await
    };
    if let Err(error) = told.await {
        tracing::info!(%error, "a node that kept a copy is gone");
    }
}

/// Looks for uploaded files of which this node has only the rows, for as long as it is held.
struct Recovery {
    task: JoinHandle<()>,
}

impl Recovery {
    /// `back`: a node is back, and may have some of them.
    fn begin(helm: &Helm, reign: &Reign, back: &Arc<Notify>) -> Self {
        let (helm, store) = (helm.clone(), reign.store.clone());
        let contents = Contents::new(reign.shelf.clone(), helm.ledger.clone());
        let heard = Arc::clone(back);
        let task = actix_rt::spawn(async move {
            let nodes: Vec<&str> = helm.others.iter().map(|member| &*member.address).collect();
            if let Err(error) = contents.recover(&store, &nodes, helm.asker(), &heard).await {
                tracing::warn!(%error, "nobody can tell which uploaded files are missing");
            }
        });
        Self { task }
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells the election again and again how far we are, for as long as it is held. Beside everything else: a disk that
/// takes its time must not hold up an order.
struct Telling {
    task: JoinHandle<()>,
}

impl Telling {
    fn begin(helm: &Helm, site: &Arc<Site>, epoch: Epoch) -> Self {
        let (helm, store) = (helm.clone(), site.store.clone());
        let task = actix_rt::spawn(async move {
            let mut tick = interval(TELL);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut cut = 0;
            loop {
                tick.tick().await;
                if let Err(error) = tell(&helm, &store, epoch, &mut cut).await {
                    tracing::warn!(%error, "the others are not told how far we are");
                }
            }
        });
        Self { task }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn whoever_leads(mut state: watch::Receiver<State>) -> Option<Place> {
    let known = state.wait_for(|state| state.leader.is_some()).await;
    known.ok().and_then(|state| state.leader.clone())
}

async fn tell(helm: &Helm, store: &Store, epoch: Epoch, cut: &mut u64) -> Result<(), StoreError> {
    let index = store.last_change().await?;
    helm.copied(Position { epoch, index });
    if index.saturating_sub(*cut) >= CUT {
        *cut = index;
        store.cut_changes().await?;
    }
    Ok(())
}

/// Accepts nothing more, writes down what was accepted, and waits until that node has all of it.
async fn bring_to_the_end(helm: &Helm, site: &Site, (to, attempt, epoch): (NodeId, Attempt, Epoch)) {
    let house = &site.house;
    if let Some(lacks) = helm.copies.lacking(to).filter(|lacks| !lacks.is_nothing()) {
        tracing::info!(%to, %lacks, "the hand-over waits for uploaded files");
    }
    // While large files go over, and until neighbours have said what they have to say, everybody is still served.
    helm.copies.until(to, 0).await;
    neighbours_hold_back(site).await;
    // What was uploaded meanwhile.
    helm.copies.until(to, 0).await;
    house.stillness.begin();
    // What was read before is looked at, then it is on the map, then it is written.
    loop {
        let is_done = || !house.stillness.is_busy() && house.inbox.is_empty();
        if is_done() && house.registry.send(Count).await.is_ok() && is_done() {
            break;
        }
        sleep(LOOK).await;
    }
    let mut is_written = house.neighbourhood.send(Written).await.unwrap_or(false);
    is_written &= flush(async || site.archivist.send(Flush).await).await;
    if let Some(keeper) = &site.keeper {
        is_written &= flush(async || keeper.send(FlushOffline).await).await;
    }
    let last = match site.store.last_change().await {
        Ok(last) if is_written => last,
        failed => {
            if let Err(error) = failed {
                tracing::error!(%error, "nobody can tell how far the database goes");
            }
            // This node goes on with what it has in memory.
            return helm.stuck(attempt);
        }
    };
    helm.copies.until(to, last).await;
    helm.copied(Position { epoch, index: last });
    helm.caught_up(attempt);
}

/// Nothing comes of a hand-over: what clients and neighbours say is read again.
fn go_on(helm: &Helm, site: &Site, handing: Option<Handing>) {
    if let Some(handing) = handing {
        handing.give_up(helm);
    }
    site.house.stillness.end();
    site.house.registry.do_send(GoOn);
}
