//! A node that serves for a home of several: what it tells the others, and how it gives its place away.

use std::{sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::end::flush;
use crate::{
    actors::{
        archivist::Flush,
        keeper::FlushOffline,
        registry::Count,
        succession::{
            copying::{Reign, lead},
            helm::{Duty, Helm, Place, State},
            shell::Shell,
        },
    },
    domain::succession::{Epoch, NodeId, Position, election::Role, home::MOST_OTHERS, message::Objection},
    http::site::Site,
    store::StoreError,
};

/// How often the election is told how far we are: more often than anybody asks it.
const TELL: Duration = Duration::from_millis(500);
/// How often we look whether the house holds still.
const LOOK: Duration = Duration::from_millis(2);
/// Streams of changes at once: one for each other node, and one that has not noticed its end.
const FOLLOWERS: usize = 2 * MOST_OTHERS;
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

/// Serves until this node may not any more.
pub(super) async fn hold(
    shell: &mut Shell,
    handing: &mut Option<JoinHandle<()>>,
    site: &Arc<Site>,
    epoch: Epoch,
) -> Lost {
    let helm = shell.helm.clone();
    let reign = Reign {
        node: helm.node,
        epoch: epoch.0,
        store: site.store.clone(),
        copies: helm.copies.clone(),
        wholes: Arc::new(Semaphore::new(1)),
    };
    let places = Arc::new(Semaphore::new(FOLLOWERS));
    let mut state = helm.state.clone();
    let mut tick = interval(TELL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut cut = 0;
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
            Some(stream) = shell.followers.recv() => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (reign, helm) = (reign.clone(), helm.clone());
                actix_rt::spawn(async move {
                    let _place = place;
                    if let Err(error) = lead(stream, &helm.secret, &reign).await {
                        tracing::info!(%error, "a node that kept a copy is gone");
                    }
                });
            }
            Some(duty) = shell.duties.recv() => match duty {
                Duty::Quiesce(to) => {
                    let (helm, site) = (helm.clone(), Arc::clone(site));
                    let bring = async move { bring_to_the_end(&helm, &site, (to, epoch)).await };
                    if let Some(before) = handing.replace(actix_rt::spawn(bring)) {
                        before.abort();
                    }
                }
                Duty::Resume => {
                    if let Some(handing) = handing.take() {
                        handing.abort();
                    }
                    site.house.stillness.end();
                }
                // Asked before it led, and no longer of interest.
                Duty::Prepare(epoch) => helm.prepared(epoch, Err(Objection::Unready)),
            },
            _ = tick.tick() => match tell(&helm, site, epoch, &mut cut).await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "the others are not told how far we are"),
            },
        }
    }
}

async fn whoever_leads(mut state: watch::Receiver<State>) -> Option<Place> {
    let known = state.wait_for(|state| state.leader.is_some()).await;
    known.ok().and_then(|state| state.leader.clone())
}

async fn tell(helm: &Helm, site: &Site, epoch: Epoch, cut: &mut u64) -> Result<(), StoreError> {
    let index = site.store.last_change().await?;
    helm.copied(Position { epoch, index });
    if index.saturating_sub(*cut) >= CUT {
        *cut = index;
        site.store.cut_changes().await?;
    }
    Ok(())
}

/// Accepts nothing more, writes down what was accepted, and waits until that node has all of it.
async fn bring_to_the_end(helm: &Helm, site: &Site, (to, epoch): (NodeId, Epoch)) {
    let house = &site.house;
    house.stillness.begin();
    // What was read before is looked at, then it is on the map, then it is written.
    loop {
        let is_done = || !house.stillness.is_busy() && house.inbox.is_empty();
        if is_done() && house.registry.send(Count).await.is_ok() && is_done() {
            break;
        }
        sleep(LOOK).await;
    }
    let mut is_written = flush(async || site.archivist.send(Flush).await).await;
    if let Some(keeper) = &site.keeper {
        is_written &= flush(async || keeper.send(FlushOffline).await).await;
    }
    if !is_written {
        // Unsaid, the hand-over comes to nothing, and this node goes on with what it has in memory.
        return;
    }
    match site.store.last_change().await {
        Ok(last) => {
            helm.copies.until(to, last).await;
            helm.copied(Position { epoch, index: last });
            helm.caught_up(to);
        }
        Err(error) => tracing::error!(%error, "nobody can tell how far the database goes"),
    }
}
