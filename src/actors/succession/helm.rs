//! What the rest of the program knows of the election, and says to it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::copying::{Asker, Copies, Ledger};
use crate::{
    crypto::home::HomeKey,
    domain::succession::{
        Epoch, NodeId, Position,
        election::{Attempt, Cause, NotHanded, Role, View},
        home::Member,
        message::Objection,
    },
};

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which one.
    pub node: NodeId,
    /// What its operator calls it.
    pub name: Arc<str>,
    /// Its succession door.
    pub address: Arc<str>,
    /// Where clients find it, as URL.
    pub door: Arc<str>,
}

/// What this node is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its role.
    pub role: Role,
    /// Why.
    pub cause: Cause,
    /// The highest epoch that it has heard of.
    pub epoch: Epoch,
    /// Who leads, if that is known and another node.
    pub leader: Option<Place>,
}

/// What the election wants to be done by whoever serves, or could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Get ready to lead in this epoch; answered with [`Helm::prepared`].
    Prepare(Epoch),
    /// Accept nothing more, and bring this node's copy to the end; answered with [`Helm::caught_up`] or
    /// [`Helm::stuck`].
    Quiesce(NodeId, Attempt),
    /// Go on as before.
    Resume,
}

/// What the election is told.
#[derive(Debug)]
pub enum Order {
    /// Whether we could lead, or why not.
    Prepared(Epoch, Result<(), Objection>),
    /// The other node has everything.
    CaughtUp(Attempt),
    /// What was accepted cannot be written down for the other node.
    Stuck(Attempt),
    /// How far our copy goes, or what we serve.
    Copied(Position),
    /// An operator wants another leader. Answered when that one has said that it could lead, or why there will be none.
    HandOver(Option<NodeId>, oneshot::Sender<Result<NodeId, NotHanded>>),
    /// This node stops for good. Answered with the host that hosts are sent to, if any are.
    Bequeath(oneshot::Sender<Option<NodeId>>),
    /// This process starts anew. Answered when no ballot waits to be written any more.
    Settle(oneshot::Sender<()>),
    /// Somebody looks.
    Look(oneshot::Sender<View>),
}

/// The way to the election, for everybody else in the program.
#[derive(Clone, Debug)]
pub struct Helm {
    /// Which node this is.
    pub node: NodeId,
    /// What proves to the other nodes that we are one.
    pub secret: Arc<HomeKey>,
    /// How far the other nodes' copies go, while we serve.
    pub copies: Copies,
    /// Which uploaded files are not on this node.
    pub ledger: Ledger,
    /// What we are.
    pub state: watch::Receiver<State>,
    /// The other nodes, in the order of the settings.
    pub others: Arc<[Member]>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Helm {
    /// The way to whoever receives these orders.
    #[must_use]
    pub fn new(
        node: NodeId,
        secret: Arc<HomeKey>,
        state: watch::Receiver<State>,
        others: Arc<[Member]>,
        orders: mpsc::UnboundedSender<Order>,
    ) -> Self {
        Self { node, secret, copies: Copies::default(), ledger: Ledger::default(), state, others, orders }
    }

    /// Who we are for the nodes that we ask for a copy.
    #[must_use]
    pub fn asker(&self) -> Asker<'_> {
        Asker { secret: &self.secret, node: self.node }
    }

    /// Says whether we could lead in this epoch, or why not.
    pub fn prepared(&self, epoch: Epoch, ready: Result<(), Objection>) {
        self.say(Order::Prepared(epoch, ready));
    }

    /// Says that the other node has everything that was accepted.
    pub fn caught_up(&self, attempt: Attempt) {
        self.say(Order::CaughtUp(attempt));
    }

    /// Says that the other node cannot have everything that was accepted, because it cannot be written down.
    pub fn stuck(&self, attempt: Attempt) {
        self.say(Order::Stuck(attempt));
    }

    /// Says how far our copy goes.
    pub fn copied(&self, position: Position) {
        self.say(Order::Copied(position));
    }

    /// Asks for another leader: this one, or the best of those that have nearly all uploaded files. Tells whom, once that
    /// one has said that it could lead.
    ///
    /// # Errors
    /// Why there will be none.
    pub async fn hand_over(&self, to: Option<NodeId>) -> Result<NodeId, NotHanded> {
        let to = match to {
            Some(to) if self.lacks_much(to) => return Err(NotHanded::Files),
            Some(to) => Some(to),
            None => self.best_with_files().await?,
        };
        let (answer, answered) = oneshot::channel();
        self.say(Order::HandOver(to, answer));
        answered.await.unwrap_or(Err(NotHanded::NotLeading))
    }

    /// Sends the hosts that know only the first form to the best of them, if no other node lives that could go on.
    /// Tells to which; `None` if they are sent nowhere.
    pub async fn bequeath(&self) -> Option<NodeId> {
        let (answer, answered) = oneshot::channel();
        self.say(Order::Bequeath(answer));
        answered.await.ok().flatten()
    }

    /// Returns when no ballot waits to be written: whoever starts anew before would have given its vote for nothing.
    pub async fn settled(&self) {
        let (answer, answered) = oneshot::channel();
        self.say(Order::Settle(answer));
        // Nobody writes any more when the program ends.
        let _ = answered.await;
    }

    /// What people are shown; `None` if the program ends.
    pub async fn look(&self) -> Option<View> {
        let (answer, answered) = oneshot::channel();
        self.say(Order::Look(answer));
        answered.await.ok()
    }

    fn lacks_much(&self, node: NodeId) -> bool {
        self.copies.lacking(node).is_some_and(|lacks| !lacks.is_little())
    }

    /// Whom to choose instead of the best node, if that one has too few of the files. The election knows nothing of
    /// files: they are no part of a position.
    async fn best_with_files(&self) -> Result<Option<NodeId>, NotHanded> {
        let next = self.look().await.map(|view| view.successors).unwrap_or_default();
        match next.iter().position(|node| !self.lacks_much(*node)) {
            None if next.is_empty() => Ok(None),
            None => Err(NotHanded::Files),
            Some(0) => Ok(None),
            Some(place) => Ok(next.get(place).copied()),
        }
    }

    fn say(&self, order: Order) {
        // Nobody hears it any more when the program ends.
        let _ = self.orders.send(order);
    }
}
