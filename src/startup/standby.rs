//! A node that does not serve: it keeps a copy of what the one that serves writes, until it is its turn.

use std::{path::Path, sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{Outside, StartupError, end::End, home::database, readiness::Readiness};
use crate::{
    actors::succession::{
        copying::{CopyError, follow},
        helm::{Duty, Helm, Place},
        shell::Shell,
    },
    domain::succession::{Epoch, Position, election::Role},
    http::standby::{self, Standby},
    store::{Copy, Mark},
};

/// How long dialling whoever serves may take, and the pause between two attempts.
const DIAL: Duration = Duration::from_millis(1500);
const AGAIN: Duration = Duration::from_millis(250);
/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(30);

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
    let copy = Copy::open(&database(data)).await?;
    let node = Arc::new(node);
    let main = standby::serve(outside.listeners()?, &node, outside.tls.as_ref())?;
    let admin = standby::serve_admin(outside.admin()?, node)?;
    let (main_handle, admin_handle) = (main.handle(), admin.handle());
    let ready = Readiness { data, doors: [actix_rt::spawn(main), actix_rt::spawn(admin)] };
    let outcome = tokio::select! {
        leads = follow_whoever_serves(shell, &copy, &ready) => leads.map(Outcome::Leads),
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
    ready: &Readiness<'_>,
) -> Result<Epoch, StartupError> {
    let helm = shell.helm.clone();
    let (told, mut marks) = watch::channel(copy.mark().await?);
    let mut state = helm.state.clone();
    let mut following = Following::default();
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
        following.turn_to(leader, &helm, copy, &told).await;
        tokio::select! {
            changed = state.changed() => changed.map_err(|_| StartupError::NoElection)?,
            _ = marks.changed() => {}
            duty = shell.duties.recv() => match duty {
                Some(Duty::Prepare(epoch)) => {
                    ready.say(&helm, epoch, *marks.borrow());
                }
                Some(Duty::Quiesce(_) | Duty::Resume) => {}
                None => return Err(StartupError::NoElection),
            },
            // Whoever takes this node for the one that serves finds a closed door, and asks again.
            Some(stream) = shell.followers.recv() => drop(stream),
        }
    }
}

pub(super) fn position(mark: Mark) -> Position {
    Position { epoch: Epoch(mark.epoch), index: mark.seq }
}

/// The stream from whoever serves.
#[derive(Default)]
struct Following {
    from: Option<Place>,
    task: Option<JoinHandle<()>>,
}

impl Following {
    /// Follows this node from now on, or nobody.
    async fn turn_to(
        &mut self,
        leader: Option<Place>,
        helm: &Helm,
        copy: &Copy,
        told: &watch::Sender<Option<Mark>>,
    ) {
        if self.from == leader {
            return;
        }
        self.stop().await;
        self.from.clone_from(&leader);
        if let Some(place) = leader {
            let (helm, copy, told) = (helm.clone(), copy.clone(), told.clone());
            self.task =
                Some(actix_rt::spawn(async move { keep_following(&place, &helm, &copy, &told).await }));
        }
    }

    /// What is being written is written, or not at all.
    async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // Aborting is what ends it.
            let _ = task.await;
        }
        self.from = None;
    }
}

/// Follows one node for as long as it serves.
async fn keep_following(place: &Place, helm: &Helm, copy: &Copy, told: &watch::Sender<Option<Mark>>) {
    let mut wait = AGAIN;
    loop {
        let begun = Instant::now();
        match once(place, helm, copy, told).await {
            // What the disk or the schema refuses now, it will not take a moment later.
            Err(error @ CopyError::Store(_)) => {
                tracing::warn!(leader = %place.address, %error, "this node cannot keep its copy");
                wait = (wait * 2).min(LONGEST);
            }
            Err(error) => tracing::debug!(leader = %place.address, %error, "the copy waits"),
            Ok(()) => {}
        }
        if begun.elapsed() > LONGEST {
            wait = AGAIN;
        }
        sleep(wait).await;
    }
}

async fn once(
    place: &Place,
    helm: &Helm,
    copy: &Copy,
    told: &watch::Sender<Option<Mark>>,
) -> Result<(), CopyError> {
    let stream =
        timeout(DIAL, TcpStream::connect(&*place.address)).await.map_err(|_| CopyError::Silent)??;
    follow(stream, &helm.secret, helm.node, copy, told).await
}
