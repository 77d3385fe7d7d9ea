//! A node that does not serve: it keeps a copy of what the one that serves writes, until it is its turn.

use std::{path::Path, sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{Outside, StartupError, end::End, home::database, readiness::Readiness};
use crate::{
    actors::succession::{
        copying::{AGAIN, Contents, CopyError, Follower, LONGEST, Newcomer, dial, lend},
        helm::{Duty, Helm, Place},
        shell::Shell,
    },
    domain::succession::{Epoch, Position, election::Role, home::MOST_OTHERS},
    http::standby::{self, Standby},
    store::{Copy, Mark, shelf::Shelf},
};

/// How it ended.
pub(super) enum Outcome {
    /// It is this node's turn, in this epoch.
    Leads(Epoch),
    /// The process should end.
    Ended,
}

/// Stands by until there is a reason to do something else.
pub(super) async fn wait(
    shell: &mut Shell,
    data: &Path,
    outside: &Outside,
    node: Standby,
    end: &mut End,
) -> Result<Outcome, StartupError> {
    let (copy, shelf) = (Copy::open(&database(data)).await?, Shelf::of(data));
    if let Err(error) = shelf.make().await {
        // The rows follow all the same.
        tracing::warn!(%error, "the folder of uploaded files cannot be made");
    }
    let node = Arc::new(node);
    let main = standby::serve(outside.listeners()?, &node, outside.tls.as_ref())?;
    let admin = standby::serve_admin(outside.admin()?, node)?;
    let (main_handle, admin_handle) = (main.handle(), admin.handle());
    let ready = Readiness { data, doors: [actix_rt::spawn(main), actix_rt::spawn(admin)] };
    let outcome = tokio::select! {
        leads = follow_whoever_serves(shell, &copy, &shelf, &ready) => leads.map(Outcome::Leads),
        () = end.comes(outside.tls.as_ref()) => Ok(Outcome::Ended),
    };
    copy.close().await;
    main_handle.stop(false).await;
    admin_handle.stop(false).await;
    outcome
}

/// Returns when it is this node's turn.
async fn follow_whoever_serves(
    shell: &mut Shell,
    copy: &Copy,
    shelf: &Shelf,
    ready: &Readiness<'_>,
) -> Result<Epoch, StartupError> {
    let helm = shell.helm.clone();
    let contents = Contents::new(shelf.clone(), helm.ledger.clone());
    let (follower, mut marks) = Follower::new(copy.clone(), contents, copy.mark().await?);
    let mut state = helm.state.clone();
    let mut following = Following::default();
    let lent = Arc::new(Semaphore::new(MOST_OTHERS));
    loop {
        let position = marks.borrow_and_update().map_or_else(Position::default, position);
        helm.copied(position);
        let (role, leader) = {
            let state = state.borrow_and_update();
            (state.role, state.leader.clone())
        };
        if let Role::Leader(epoch) = role {
            following.stop().await;
            return Ok(epoch);
        }
        following.turn_to(leader, &helm, &follower).await;
        tokio::select! {
            changed = state.changed() => changed.map_err(|_| StartupError::NoElection)?,
            _ = marks.changed() => {}
            duty = shell.duties.recv() => match duty {
                Some(Duty::Prepare(epoch)) => {
                    ready.say(&helm, epoch, *marks.borrow());
                }
                Some(Duty::Quiesce(..) | Duty::Resume) => {}
                None => return Err(StartupError::NoElection),
            },
            // Whoever takes this node for the one that serves is let go, and asks again. Files go to everybody.
            Some(newcomer) = shell.followers.recv() => {
                actix_rt::spawn(lend_to(newcomer, helm.clone(), shelf.clone(), Arc::clone(&lent)));
            }
        }
    }
}

/// Lends a node of this home what it asks for, if there is a place for one more.
async fn lend_to(newcomer: Newcomer, helm: Helm, shelf: Shelf, places: Arc<Semaphore>) {
    let lent = async {
        let guest = newcomer.prove(&helm.secret, helm.node).await?;
        let Ok(_place) = places.try_acquire() else { return Ok(()) };
        lend(guest, &shelf).await
    };
    if let Err(error) = lent.await {
        tracing::debug!(%error, "another node was lent uploaded files");
    }
}

pub(super) fn position(mark: Mark) -> Position {
    Position { epoch: Epoch(mark.epoch), index: mark.seq }
}

/// The streams from whoever serves: of the rows, and of uploaded files.
#[derive(Default)]
struct Following {
    from: Option<Place>,
    tasks: Vec<JoinHandle<()>>,
}

impl Following {
    /// Follows this node from now on, or nobody.
    async fn turn_to(&mut self, leader: Option<Place>, helm: &Helm, follower: &Follower) {
        if self.from == leader {
            return;
        }
        self.stop().await;
        self.from.clone_from(&leader);
        if let Some(place) = leader {
            let (helm, follower) = (helm.clone(), follower.clone());
            let (address, asker, contents) =
                (Arc::clone(&place.address), helm.clone(), follower.contents.clone());
            self.tasks.push(actix_rt::spawn(async move { keep_following(&place, &helm, &follower).await }));
            self.tasks.push(actix_rt::spawn(async move {
                contents.keep_fetching(&address, asker.asker()).await;
            }));
        }
    }

    /// What is being written is written, or not at all.
    async fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            // Aborting is what ends it.
            let _ = task.await;
        }
        self.from = None;
    }
}

/// Follows one node for as long as it serves.
async fn keep_following(place: &Place, helm: &Helm, follower: &Follower) {
    let mut wait = AGAIN;
    loop {
        let begun = Instant::now();
        let ended = once(place, helm, follower).await;
        match &ended {
            Err(error @ CopyError::Store(_)) => {
                tracing::warn!(leader = %place.address, %error, "this node cannot keep its copy");
            }
            Err(error) => tracing::debug!(leader = %place.address, %error, "the copy waits"),
            Ok(()) => {}
        }
        wait = pause(wait, &ended, begun.elapsed());
        sleep(wait).await;
    }
}

/// How long to wait after an attempt. What the disk or the schema refuses now, it will not take a moment later, and
/// whoever serves has better things to do than to say everything over and over: at most half of the time goes there.
fn pause(before: Duration, ended: &Result<(), CopyError>, took: Duration) -> Duration {
    match ended {
        Err(CopyError::Store(_)) => (before * 2).min(LONGEST).max(took),
        _ if took > LONGEST => AGAIN,
        _ => before.min(LONGEST),
    }
}

async fn once(place: &Place, helm: &Helm, follower: &Follower) -> Result<(), CopyError> {
    follower.follow(dial(&place.address).await?, helm.asker()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn a_copy_that_is_refused_again_and_again_costs_ever_less() {
        let refused = || Err(CopyError::Store(StoreError::Row { table: "facts" }));
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut wait = AGAIN;
        for _ in 0..20 {
            let longer = pause(wait, &refused(), Duration::ZERO);
            assert!(longer >= wait && longer <= LONGEST);
            wait = longer;
        }
        assert_eq!(wait, LONGEST);
        assert_eq!(
            pause(AGAIN, &refused(), minute),
            minute,
            "a long copy that fails is not begun again at once"
        );
        // A line that breaks is no refusal, and long service takes everything back.
        assert_eq!(pause(AGAIN, &Err(CopyError::Silent), second), AGAIN);
        assert_eq!(pause(minute, &Err(CopyError::Silent), second), LONGEST);
        assert_eq!(pause(LONGEST, &Err(CopyError::Silent), minute), AGAIN);
    }
}
