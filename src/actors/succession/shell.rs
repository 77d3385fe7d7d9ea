//! The election on the wire: puts the driver, the door and the way to the other nodes together.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc};

use actix_rt::Arbiter;
use tokio::sync::{mpsc, watch};

use super::{
    ballots::Ballots,
    copying::Newcomer,
    door::{self, Inside},
    driver::{self, Parts},
    figures,
    guest::{self, Visit},
    helm::{Duty, Helm, State},
    places::{Places, Visits},
    post::Post,
};
use crate::{
    actors::event::Bulletin,
    crypto::home::HomeKey,
    domain::succession::{
        Position,
        election::{Cause, Role, Setup},
        home::Home,
        numbers::Numbers,
    },
};

/// Visitors that wait for an answer of the election.
const CALLERS: usize = 64;
/// Nodes that wait for a copy.
const FOLLOWERS: usize = 16;

/// What a node needs to take part.
pub struct Plan {
    /// The other nodes.
    pub home: Home,
    /// The numbers in force, checked.
    pub numbers: Numbers,
    /// What proves that we are one of them.
    pub secret: Arc<HomeKey>,
    /// How far this node's copy goes.
    pub position: Position,
    /// Where this node is found.
    pub listener: TcpListener,
    /// How many may visit it at once who are no nodes of this home.
    pub visits: Visits,
    /// The file of the node's id and ballot.
    pub file: PathBuf,
    /// `host:port` of a server of the first form that this node reports to as a host.
    pub report_to: Option<String>,
    /// The folder whose disk is measured.
    pub data: PathBuf,
    /// What this node is called.
    pub name: String,
    /// Who hears of changes of the role.
    pub bulletin: Bulletin,
    /// Ends all service in this very moment, on a thread that waits for nothing. Called when the lease has run out
    /// and nobody has taken note.
    pub fence: Box<dyn Fn() + Send>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Plan({:?})", self.home)
    }
}

/// The election, running.
#[derive(Debug)]
pub struct Shell {
    /// How everybody else speaks to it.
    pub helm: Helm,
    /// What it wants to be done.
    pub duties: mpsc::UnboundedReceiver<Duty>,
    /// Nodes that want a copy of what we serve, with their first line unread.
    pub followers: mpsc::Receiver<Newcomer>,
}

/// Takes part from now on, on a thread of its own: whatever holds up the house does not hold up the answers on
/// which its lease depends.
///
/// # Errors
/// The file cannot be read or written, or the listener cannot be used.
pub fn start(plan: Plan) -> io::Result<Shell> {
    let (ballots, ballot) = Ballots::open(&plan.file)?;
    plan.listener.set_nonblocking(true)?;
    let node = ballots.node();
    let alone = plan.home.others.is_empty();
    let (orders, to_obey) = mpsc::unbounded_channel();
    let (to_do, duties) = mpsc::unbounded_channel();
    let (callers, calls) = mpsc::channel(CALLERS);
    let (streams, followers) = mpsc::channel(FOLLOWERS);
    let first = State { role: Role::Standby(None), cause: Cause::Started, epoch: ballot.epoch, leader: None };
    let (state, told) = watch::channel(first);
    let helm = Helm::new(node, Arc::clone(&plan.secret), told, plan.home.others.clone().into(), orders);
    let figures = figures::measured(plan.name, plan.data, plan.numbers.report);
    let visit = plan.report_to.map(|server| Visit {
        server,
        numbers: plan.numbers.clone(),
        figures: figures.clone(),
        callers: callers.clone(),
    });
    let inside = Inside::new((!alone).then(|| Arc::clone(&plan.secret)), callers, streams);
    let (places, members) = (Places::new(plan.visits), plan.home.others.clone());
    // The number of this run: the first ballot is written with it.
    let run = ballot.run.saturating_add(1);
    let post = Post::new(plan.secret, plan.home.clone(), run, plan.numbers.retry);
    let parts = Parts {
        setup: Setup { own: node, home: plan.home, numbers: plan.numbers, ballot, position: plan.position },
        ballots,
        postman: post,
        figures,
        bulletin: plan.bulletin,
        fence: (!alone).then_some(plan.fence),
        orders: to_obey,
        callers: calls,
        state,
        duties: to_do,
    };
    let listener = plan.listener;
    Arbiter::new().spawn(async move {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::select! {
                    () = door::keep(listener, inside, places.clone()) => {}
                    () = places.know(&members) => {}
                    () = driver::run(parts) => {}
                    () = guest::report(visit) => {}
                }
            }
            Err(error) => tracing::error!(%error, "the door of succession cannot be used"),
        }
    });
    Ok(Shell { helm, duties, followers })
}
