//! Everything that a node does at once, in one place: what happened comes in, what is decided is carried out, what matters is
//! told.

mod links;
mod pins;
mod relay;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, timeout_at},
};

use self::links::Known;
use super::{
    dial::{dial, prepare},
    direct::Told,
    event::{Event, Manner, Reached, Who},
    rendezvous::{Post, Rendezvous},
    seal::{Me, Seal},
    socket::{Clock, Over, ToLink},
    wire::Text,
};
use crate::{
    client::keyring::Contacts,
    crypto::keys::PrivateKey,
    dialect::rendezvous::line::Line,
    domain::{
        endpoint::Endpoint,
        id::{ConnectionId, KeyId},
        node::{Listed, News, Node, Order, Wishes},
    },
};

/// How long a line may take to be written to the rendezvous.
pub(super) const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// How long everybody may take to say goodbye.
const LONGEST_GOODBYE: Duration = Duration::from_secs(3);
/// What has happened and waits to be looked at. Beyond it nothing more is read.
const MOST_HAPPENINGS: usize = 256;
/// Words that wait for one link. One that is further behind takes nothing any more.
const MOST_WORDS: usize = 256;
/// Lines that wait for the rendezvous.
const MOST_LINES: usize = 256;

/// Something happened.
#[derive(Debug)]
pub(super) enum Inner {
    Accepted(TcpStream, IpAddr),
    Dialled(Endpoint, io::Result<TcpStream>),
    Told(ConnectionId, Told),
    Over(ConnectionId, Over),
    Rendezvous(u64, Rendezvous),
}

/// What a node has to know.
#[derive(Debug)]
pub struct Setup {
    /// The rendezvous: a name or an address, and a port.
    pub rendezvous: String,
    /// Where others reach us: what is registered, and what we say in every hello.
    pub me: Endpoint,
    /// The address of ours from which we dial; none, if we listen at all of them.
    pub from: Option<IpAddr>,
    /// Our key.
    pub key: Arc<PrivateKey>,
    /// Which key was met at which address.
    pub pins: Contacts,
    /// Nobody is talked to in plain text.
    pub is_sealed_only: bool,
}

/// A node.
#[derive(Debug)]
pub struct Hub {
    node: Node,
    me: Me,
    name: String,
    from: Option<IpAddr>,
    pins: Contacts,
    is_sealed_only: bool,
    /// Refusals that were told, so that none is told every minute.
    told: BTreeSet<(Endpoint, Option<KeyId>)>,
    clock: Clock,
    sender: mpsc::Sender<Inner>,
    inbox: mpsc::Receiver<Inner>,
    links: BTreeMap<ConnectionId, Known>,
    /// The sealed links that go through the rendezvous.
    relayed: BTreeMap<Endpoint, (ConnectionId, Seal)>,
    line: Option<mpsc::Sender<Line>>,
    /// Which line to the rendezvous this is.
    life: u64,
    is_modern: bool,
    is_missed: bool,
    has_listed: bool,
    is_dialable: bool,
    last_id: u64,
    events: VecDeque<Event>,
}

impl Hub {
    /// Starts to listen and to dial, on the runtime that is there.
    #[must_use]
    pub fn start(setup: Setup, listener: TcpListener) -> Self {
        let Setup { rendezvous, me, from, key, pins, is_sealed_only } = setup;
        let (sender, inbox) = mpsc::channel(MOST_HAPPENINGS);
        let clock = Clock::start();
        let accepted = sender.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, from)) if prepare(&stream).is_ok() => {
                        if accepted.send(Inner::Accepted(stream, from.ip())).await.is_err() {
                            return;
                        }
                    }
                    // Gone before it was there.
                    Ok(_) => {}
                    // No file descriptor is left; there will be one when a link ends.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Self {
            node: Node::new(me, clock.now()),
            me: Me { at: me, key },
            name: rendezvous,
            from,
            pins,
            is_sealed_only,
            told: BTreeSet::new(),
            clock,
            sender,
            inbox,
            links: BTreeMap::new(),
            relayed: BTreeMap::new(),
            line: None,
            life: 0,
            is_modern: false,
            is_missed: false,
            has_listed: false,
            is_dialable: true,
            last_id: 0,
            events: VecDeque::new(),
        }
    }

    /// The next thing worth telling. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let relayed = self.relayed.values().map(|(_, seal)| seal.wakes_at());
            let wakes = relayed.chain(self.node.wakes_at()).min();
            tokio::select! {
                Some(inner) = self.inbox.recv() => self.on(inner),
                () = self.clock.until(wakes) => {}
            }
            self.wake_relayed();
            let mut wishes = Wishes::default();
            self.node.due(self.clock.now(), chance(), &mut wishes);
            self.follow(wishes);
        }
    }

    /// Says something to everybody there is a link to.
    pub fn say(&mut self, words: &str) -> Reached {
        let mut reached = Reached::default();
        for id in self.ids(|_| true) {
            match self.say_to(id, Text { words: words.to_owned(), is_private: false }) {
                Some(Manner::Sealed(_)) => reached.sealed += 1,
                Some(Manner::Plain) => reached.plain += 1,
                None => {}
            }
        }
        reached
    }

    /// Says something to one of them alone. Says whether it could be.
    pub fn tell(&mut self, who: &Who, words: &str) -> bool {
        let ids = self.ids(|other| other == who);
        let text = || Text { words: words.to_owned(), is_private: true };
        ids.into_iter().filter(|id| self.say_to(*id, text()).is_some()).count() > 0
    }

    fn ids(&self, is_meant: impl Fn(&Who) -> bool) -> Vec<ConnectionId> {
        let here = self.links.iter().filter(|(id, _)| self.counts(**id));
        here.filter(|(_, known)| known.who().is_some_and(|who| is_meant(&who))).map(|(id, _)| *id).collect()
    }

    /// Everybody there is a link to.
    pub fn here(&self) -> impl Iterator<Item = Who> {
        self.links.iter().filter(|(id, _)| self.counts(**id)).filter_map(|(_, known)| known.who())
    }

    /// Everybody else who is in the list, and what is in the way.
    pub fn absent(&self) -> impl Iterator<Item = Listed> {
        let others = self.node.list().nodes.iter().filter(|node| node.at != self.node.me());
        others.filter(|node| self.node.link(node.at).is_none()).copied()
    }

    /// Where others reach us.
    #[must_use]
    pub const fn me(&self) -> Endpoint {
        self.node.me()
    }

    /// Whether a list has come since the last registration.
    #[must_use]
    pub const fn has_listed(&self) -> bool {
        self.has_listed
    }

    /// Says goodbye to everybody.
    pub async fn leave(mut self) {
        for known in self.links.values_mut() {
            // One whose channel is full hears it by the end of the channel.
            known.to.take().map(|to| to.try_send(ToLink::Leave));
        }
        for peer in self.relayed.keys().copied().collect::<Vec<_>>() {
            self.close_relayed(peer);
        }
        let until = Instant::now() + LONGEST_GOODBYE;
        while !self.links.is_empty() {
            match timeout_at(until, self.inbox.recv()).await {
                Ok(Some(Inner::Over(id, _))) => _ = self.links.remove(&id),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn on(&mut self, inner: Inner) {
        match inner {
            Inner::Accepted(stream, from) => self.on_accepted(stream, from),
            Inner::Dialled(at, outcome) => self.on_dialled(at, outcome),
            Inner::Told(id, told) => self.on_told(id, told),
            Inner::Over(id, over) => self.on_over(id, &over),
            Inner::Rendezvous(life, what) if life == self.life => self.on_rendezvous(what),
            // Of a line that was given up.
            Inner::Rendezvous(..) => {}
        }
    }

    fn follow(&mut self, wishes: Wishes) {
        let Wishes { orders, news } = wishes;
        for news in news {
            self.announce(news);
        }
        for order in orders {
            match order {
                Order::Register => self.register(),
                Order::HangUp => self.lost("it says nothing any more"),
                Order::Dial(at) => {
                    let (from, sender) = (self.from, self.sender.clone());
                    tokio::spawn(async move {
                        let outcome = dial(at.socket(), from).await;
                        let _ = sender.send(Inner::Dialled(at, outcome)).await;
                    });
                }
                Order::Relay(at) => self.dial_relayed(at),
                Order::Close(id) => self.close(id),
            }
        }
    }

    fn register(&mut self) {
        let (line, to) = mpsc::channel(MOST_LINES);
        self.line = Some(line);
        self.life += 1;
        let post = Post {
            life: self.life,
            name: self.name.clone(),
            me: self.me.at,
            from: self.from,
            hub: self.sender.clone(),
            to,
        };
        tokio::spawn(post.run());
    }

    fn announce(&mut self, news: News) {
        match news {
            News::Unreached(at) => self.events.push_back(Event::Unreached(at)),
            News::Joined(_, id) => {
                if let Some(who) = self.who(id) {
                    let is_new = self.keep(who);
                    self.events.push_back(Event::Joined { who, is_new });
                }
            }
            News::Moved(_, id) => self.events.extend(self.who(id).map(Event::Moved)),
            // Told where it happened, with what was known of the link.
            News::Left(_) => {}
        }
    }

    fn new_id(&mut self) -> ConnectionId {
        self.last_id += 1;
        ConnectionId(self.last_id)
    }

    fn who(&self, id: ConnectionId) -> Option<Who> {
        self.links.get(&id)?.who()
    }

    /// Whether this is the link over which somebody is talked to.
    fn counts(&self, id: ConnectionId) -> bool {
        self.links.get(&id).is_some_and(|known| match known.at {
            Some(at) => self.node.link(at).is_some_and(|(current, _)| current == id),
            None => known.manner.is_some(),
        })
    }
}

/// A random number that spreads the waits of many nodes.
fn chance() -> u16 {
    let mut bytes = [0; 2];
    // Without randomness nothing else would work either; then everybody waits equally long.
    let _ = SystemRandom::new().fill(&mut bytes);
    u16::from_be_bytes(bytes)
}
