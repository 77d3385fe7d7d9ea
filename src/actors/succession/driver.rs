//! The task that owns the election: what happens goes in, what should be done is done.

use std::{collections::HashMap, io, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

use super::{
    ballots::Ballots,
    figures::Measured,
    helm::{Duty, Order, Place, State},
    lease::{self, Lease},
};
use crate::{
    actors::{
        chance,
        event::{Bulletin, Kind},
    },
    domain::{
        Moment,
        succession::{
            NodeId,
            ballot::{Ballot, Serial},
            election::{Asked, Cause, Difference, Election, Handing, Input, NotHanded, Output, Role, Setup},
            home::Seat,
            legacy::{Call, Told},
            message::{Ask, Failure, Objection, Reply},
        },
    },
};

/// Somebody wants to know something of this node.
#[derive(Debug)]
pub(super) enum Caller {
    /// A node of this home, proven.
    Node(Box<Ask>, oneshot::Sender<Reply>),
    /// A host of the first form.
    Host(Call, oneshot::Sender<Told>),
    /// Nobody: a report of ours to a server of the first form got no answer.
    Missed(Failure),
}

/// The way to the other nodes.
pub(super) trait Postman: Send + Sync + 'static {
    /// Asks the node at a seat.
    fn ask(&self, seat: Seat, ask: Ask) -> impl Future<Output = Result<Reply, Failure>> + Send;
}

/// What the driver is made of.
pub(super) struct Parts<P> {
    pub(super) setup: Setup,
    pub(super) ballots: Ballots,
    pub(super) postman: P,
    pub(super) figures: Measured,
    pub(super) bulletin: Bulletin,
    /// None for a home of one node: nobody else could serve.
    pub(super) fence: Option<Box<dyn Fn() + Send>>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) callers: mpsc::Receiver<Caller>,
    pub(super) state: watch::Sender<State>,
    pub(super) duties: mpsc::UnboundedSender<Duty>,
}

/// Runs the election for as long as anybody listens to it.
pub(super) async fn run<P: Postman>(parts: Parts<P>) {
    let mut figures = parts.figures.clone();
    let (mut driver, mut done) = Driver::start(parts);
    loop {
        let now = lease::now();
        let next = driver.election.next_tick(now).saturating_sub(now);
        tokio::select! {
            Some(input) = done.recv() => driver.handle(input),
            order = driver.orders.recv() => match order {
                Some(order) => driver.obey(order),
                // The program ends.
                None => return,
            },
            Some(caller) = driver.callers.recv() => driver.answer(caller),
            Ok(()) = figures.changed() => {
                let latest = figures.borrow_and_update().clone();
                latest.into_iter().for_each(|figures| driver.handle(Input::Measured(figures)));
            }
            () = sleep(next) => driver.handle(Input::Tick),
        }
    }
}

struct Driver<P> {
    election: Election,
    postman: Arc<P>,
    bulletin: Bulletin,
    lease: Option<Lease>,
    orders: mpsc::UnboundedReceiver<Order>,
    callers: mpsc::Receiver<Caller>,
    state: watch::Sender<State>,
    duties: mpsc::UnboundedSender<Duty>,
    done: mpsc::UnboundedSender<Input>,
    writer: mpsc::UnboundedSender<ToWrite>,
    asked: HashMap<Asked, oneshot::Sender<Reply>>,
    last_asked: u64,
    cause: Cause,
    wish: Option<oneshot::Sender<Result<NodeId, NotHanded>>>,
}

impl<P: Postman> Driver<P> {
    fn start(parts: Parts<P>) -> (Self, mpsc::UnboundedReceiver<Input>) {
        let (done, inputs) = mpsc::unbounded_channel();
        let (writer, to_write) = mpsc::unbounded_channel();
        write_in_order(parts.ballots, to_write, done.clone());
        let lease = parts.fence.map(|fence| {
            let lease = Lease::default();
            lease.watch(fence);
            lease
        });
        let mut out = Vec::new();
        let election = Election::start(parts.setup, lease::now(), chance(), &mut out);
        let mut driver = Self {
            election,
            postman: Arc::new(parts.postman),
            bulletin: parts.bulletin,
            lease,
            orders: parts.orders,
            callers: parts.callers,
            state: parts.state,
            duties: parts.duties,
            done,
            writer,
            asked: HashMap::new(),
            last_asked: 0,
            cause: Cause::Started,
            wish: None,
        };
        driver.carry_out(out);
        (driver, inputs)
    }

    fn handle(&mut self, input: Input) {
        let mut out = Vec::new();
        self.election.handle(input, lease::now(), chance(), &mut out);
        self.carry_out(out);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Prepared(epoch, ready) => self.handle(Input::Prepared(epoch, ready)),
            Order::CaughtUp(attempt) => self.handle(Input::CaughtUp(attempt)),
            Order::Stuck(attempt) => self.handle(Input::Stuck(attempt)),
            Order::Copied(position) => self.handle(Input::Copied(position)),
            Order::HandOver(_, answer) if self.wish.is_some() => {
                let _ = answer.send(Err(NotHanded::UnderWay));
            }
            Order::HandOver(to, answer) => {
                self.wish = Some(answer);
                self.handle(Input::HandOver(to));
                // An election that says neither yes nor no has nothing to hand over.
                if self.election.view(lease::now()).handing.is_none() {
                    self.wished(Err(NotHanded::NotLeading));
                }
            }
            Order::Bequeath(answer) => {
                let _ = answer.send(self.election.bequeath(lease::now()));
            }
            Order::Settle(answer) => {
                let _ = self.writer.send(ToWrite::Told(answer));
            }
            Order::Look(answer) => {
                // Whoever does not wait any more does not want to know.
                let _ = answer.send(self.election.view(lease::now()));
            }
        }
    }

    fn answer(&mut self, caller: Caller) {
        match caller {
            Caller::Node(ask, answer) => {
                self.last_asked += 1;
                let asked = Asked(self.last_asked);
                self.asked.retain(|_, waiting| !waiting.is_closed());
                self.asked.insert(asked, answer);
                self.handle(Input::Ask(asked, ask));
            }
            Caller::Host(call, answer) => {
                let fresh = NodeId(uuid::Uuid::new_v4().as_u128());
                let _ = answer.send(self.election.call(&call, fresh, lease::now()));
            }
            Caller::Missed(failure) => self.election.missed(failure),
        }
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        let mut silent = false;
        for output in out {
            match output {
                Output::Persist(serial, ballot) => {
                    // The writer lives as long as we do.
                    let _ = self.writer.send(ToWrite::Ballot(serial, ballot));
                }
                Output::Ask(seat, ask) => {
                    let (postman, done) = (Arc::clone(&self.postman), self.done.clone());
                    tokio::spawn(async move {
                        let input = match postman.ask(seat, *ask).await {
                            Ok(reply) => Input::Reply(seat, Box::new(reply)),
                            Err(failure) => Input::Failed(seat, failure),
                        };
                        let _ = done.send(input);
                    });
                }
                Output::Reply(asked, reply) => {
                    if let Some(waiting) = self.asked.remove(&asked) {
                        let _ = waiting.send(*reply);
                    }
                }
                Output::Became(role, cause) => self.became(role, cause),
                Output::Leased(until) => self.leased(until),
                Output::Prepare(epoch) => self.ask_for(Duty::Prepare(epoch)),
                Output::Quiesce(node, attempt) => {
                    self.ask_for(Duty::Quiesce(node, attempt));
                    self.wished(Ok(node));
                }
                Output::Resume => self.ask_for(Duty::Resume),
                Output::Handing(node, step) => {
                    tracing::info!(%node, ?step, "a hand-over");
                    self.bulletin.publish(Kind::HandOver { node, step });
                    silent |= step == Handing::Cancelled;
                }
                Output::Differs(difference) => tell_of(&difference),
                Output::NotHanded(why) => {
                    tracing::info!(%why, "there is no hand-over");
                    self.wished(Err(why));
                }
            }
        }
        // Whoever declines says so beside.
        if silent {
            self.wished(Err(NotHanded::Silent));
        }
        self.tell();
    }

    fn leased(&self, until: Moment) {
        if let Some(lease) = &self.lease {
            lease.set(Some(until));
        }
    }

    fn became(&mut self, role: Role, cause: Cause) {
        let epoch = self.election.view(lease::now()).epoch;
        tracing::info!(?role, why = cause.word(), %epoch, "this node has another role");
        self.bulletin.publish(Kind::Role { role, cause, epoch });
        let served = matches!(self.state.borrow().role, Role::Leader(_));
        if let Some(lease) = self.lease.as_ref().filter(|_| !matches!(role, Role::Leader(_))) {
            // Who has handed over closes in order. Whoever else stops serving does so in this moment, and is not
            // asked whether it has time.
            lease.set((served && cause != Cause::HandedOver).then(lease::now));
        }
        self.cause = cause;
        if !matches!(role, Role::Leader(_)) {
            self.wished(Err(NotHanded::NotLeading));
        }
    }

    /// Whoever waits for news of our role or of whoever leads hears them.
    fn tell(&self) {
        let role = self.election.role();
        let leader = match role {
            Role::Standby(Some(leader)) => Some(leader),
            _ => None,
        };
        let known = self.state.borrow().leader.as_ref().map(|place| place.node);
        if known == leader && self.state.borrow().role == role {
            return;
        }
        let view = self.election.view(lease::now());
        // Whoever leads may be heard before it has answered at its seat. Until then nobody knows where it is.
        let place = leader.and_then(|leader| {
            let member = self.election.member(leader)?;
            let row = view.hosts.iter().find(|row| row.id == leader);
            let name = row.map_or(&member.name, |row| &row.figures.name);
            let [name, address, door] = [name, &member.address, &member.door].map(Arc::clone);
            Some(Place { node: leader, name, address, door })
        });
        if place.is_none() && self.state.borrow().role == role {
            return;
        }
        self.state.send_modify(|state| {
            // All at once: whoever acts on the role needs to know who leads instead.
            state.role = role;
            state.cause = self.cause;
            state.epoch = view.epoch;
            state.leader = place;
        });
    }

    fn ask_for(&self, duty: Duty) {
        // The program ends.
        let _ = self.duties.send(duty);
    }

    fn wished(&mut self, answer: Result<NodeId, NotHanded>) {
        if let Some(wish) = self.wish.take() {
            let _ = wish.send(answer);
        }
    }
}

/// Says what an operator has to mend.
fn tell_of(Difference { node, why, theirs, ours }: &Difference) {
    if *why == Objection::OtherNumbers {
        tracing::warn!(
            %node,
            their_lease = ?theirs.lease,
            their_promise = ?theirs.promise,
            lease = ?ours.lease,
            promise = ?ours.promise,
            "another node has other numbers, with which two could serve at once, so neither counts for the other one: \
             give all nodes the same succession.lease_ms, takeover_ms and stagger_ms"
        );
    } else {
        tracing::warn!(
            %node,
            why = why.word(),
            "another node's settings describe another home, so neither counts for the other one: \
             compare home.members and home.fallback of all nodes"
        );
    }
}

/// What the writer of ballots does, one after the other.
enum ToWrite {
    Ballot(Serial, Ballot),
    /// Somebody wants to know that everything before this is written, or could not be.
    Told(oneshot::Sender<()>),
}

/// Writes ballots one after the other, on threads that may wait for the disk.
fn write_in_order(
    ballots: Ballots,
    mut to_write: mpsc::UnboundedReceiver<ToWrite>,
    done: mpsc::UnboundedSender<Input>,
) {
    tokio::spawn(async move {
        while let Some(next) = to_write.recv().await {
            let (serial, ballot) = match next {
                ToWrite::Ballot(serial, ballot) => (serial, ballot),
                ToWrite::Told(answer) => {
                    let _ = answer.send(());
                    continue;
                }
            };
            let ballots = ballots.clone();
            let written = tokio::task::spawn_blocking(move || ballots.write(ballot)).await;
            let input = match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(()) => Input::Persisted(serial),
                Err(error) => {
                    tracing::error!(%error, "this node cannot write down its vote, so it gives none");
                    Input::NotPersisted(serial)
                }
            };
            let _ = done.send(input);
        }
    });
}

fn chance() -> u64 {
    u64::from_ne_bytes(chance::bytes())
}
