//! What becomes of links: opened, believed, used, ended.

use std::{io, net::IpAddr};

use tokio::{net::TcpStream, sync::mpsc};

use super::{Hub, MOST_WORDS, chance};
use crate::{
    client::node::{
        direct::{Direct, Told},
        event::{Event, Manner, Who},
        seal::{Broken, Them},
        socket::{Link, Over, ToLink},
        wire::{Refusal, Text},
    },
    domain::{
        endpoint::Endpoint,
        id::{ConnectionId, KeyId},
        node::{Doubt, Greeting, Order, Rank, Way, Wishes},
    },
};

/// Links at most, those included that nobody has greeted on. Each is a file descriptor and some KiB.
const MOST_LINKS: usize = 512;
/// Refusals that are remembered, so that none is told twice.
const MOST_TOLD: usize = 1024;
/// Sockets of one host on which nobody has said who it is.
const MOST_STRANGERS: usize = 32;

/// One link.
#[derive(Debug)]
pub(in crate::client::node) struct Known {
    /// The task that holds its socket; none, if it goes through the rendezvous.
    pub(super) to: Option<mpsc::Sender<ToLink>>,
    /// Where its socket comes from.
    pub(super) from: IpAddr,
    /// Whom we have dialled.
    pub(super) dialled: Option<Endpoint>,
    /// Whom the other side has shown, or said, to be.
    pub(super) at: Option<Endpoint>,
    /// How it is talked to, once that is known.
    pub(super) manner: Option<Manner>,
    pub(super) way: Way,
}

impl Known {
    /// A link of which nothing is known but where it comes from, or leads.
    pub(super) const fn new(dialled: Option<Endpoint>, from: IpAddr, way: Way) -> Self {
        Self { to: None, from, dialled, at: None, manner: None, way }
    }

    pub(super) fn who(&self) -> Option<Who> {
        Some(Who { at: self.at.ok_or(self.from), manner: self.manner?, way: self.way })
    }
}

impl Hub {
    pub(super) fn on_accepted(&mut self, stream: TcpStream, from: IpAddr) {
        let from = from.to_canonical();
        let is_strange = |known: &&Known| known.from == from && known.at.is_none() && known.dialled.is_none();
        let strangers = self.links.values().filter(is_strange).count();
        if self.links.len() >= MOST_LINKS || strangers >= MOST_STRANGERS {
            return;
        }
        let direct = Direct::answer(self.me.clone(), self.node.rank(), self.clock.now());
        let id = self.new_id();
        self.open(id, stream, (direct, Vec::new()), Known::new(None, from, Way::Direct));
    }

    pub(super) fn on_dialled(&mut self, at: Endpoint, outcome: io::Result<TcpStream>) {
        let (now, mut wishes) = (self.clock.now(), Wishes::default());
        match outcome {
            Ok(stream) => {
                let id = self.new_id();
                self.node.dialled(at, id, Way::Direct, &mut wishes);
                if !wishes.orders.contains(&Order::Close(id)) {
                    let mut first = Vec::new();
                    let direct = Direct::dial(self.me.clone(), self.node.rank(), at, now, &mut first);
                    self.open(id, stream, (direct, first), Known::new(Some(at), at.ip(), Way::Direct));
                }
            }
            Err(_) => self.node.dial_failed(at, now, chance(), &mut wishes),
        }
        self.follow(wishes);
    }

    fn open(
        &mut self,
        id: ConnectionId,
        stream: TcpStream,
        (direct, first): (Direct, Vec<Told>),
        mut known: Known,
    ) {
        let (to, commands) = mpsc::channel(MOST_WORDS);
        let link = Link { id, direct, clock: self.clock, hub: self.sender.clone(), to: commands };
        tokio::spawn(link.run(stream, first));
        known.to = Some(to);
        self.links.insert(id, known);
    }

    pub(super) fn on_told(&mut self, id: ConnectionId, told: Told) {
        let Some(known) = self.links.get(&id) else { return };
        match told {
            // The link sends by itself.
            Told::Send(_) => {}
            Told::Plain(said) => self.on_plain(id, known.dialled, said, known.from),
            Told::Asks(them) => {
                let answer = match self.judge(&them, known.dialled, known.from) {
                    Ok(()) => {
                        self.links.entry(id).and_modify(|known| known.at = Some(them.at));
                        ToLink::Accept
                    }
                    Err(why) => ToLink::Refuse(why),
                };
                self.command(id, answer);
            }
            Told::Greeted(them) => {
                let at = known.dialled.unwrap_or(them.at);
                self.greeted(id, at, Manner::Sealed(them.key), them.rank);
            }
            Told::Text(text) => {
                // What was said before both agreed which link counts is no less said.
                if let Some(who) = known.who() {
                    self.events.push_back(Event::Text(who, text));
                }
            }
        }
    }

    fn on_plain(
        &mut self,
        id: ConnectionId,
        dialled: Option<Endpoint>,
        said: Option<Endpoint>,
        from: IpAddr,
    ) {
        if self.is_sealed_only {
            if let Some(at) = dialled {
                self.tell_once(at, None, Event::Unsealed(at));
            }
            self.command(id, ToLink::Leave);
            return;
        }
        // A hello that names us, or somebody elsewhere, leaves nothing but a voice.
        let named = dialled.or_else(|| said.filter(|said| self.node.believes(*said, from).is_ok()));
        match named {
            Some(at) if self.pinned(at).is_some() => {
                self.tell_once(at, None, Event::Downgraded(at));
                self.command(id, ToLink::Leave);
            }
            Some(at) => {
                let rank = if dialled.is_some() { self.node.rank() } else { self.node.rank_of(at) };
                self.greeted(id, at, Manner::Plain, rank);
            }
            None if !self.node.knows_host(from) => _ = self.command(id, ToLink::Leave),
            None => {
                let Some(known) = self.links.get_mut(&id) else { return };
                known.manner = Some(Manner::Plain);
                self.events.extend(known.who().map(|who| Event::Joined { who, is_new: false }));
            }
        }
    }

    /// Whether somebody who has proven a key may be who it says.
    pub(super) fn judge(
        &mut self,
        them: &Them,
        dialled: Option<Endpoint>,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        match dialled {
            Some(dialled) if dialled == them.at => {}
            Some(_) => return Err(Refusal::FromElsewhere),
            None => self.node.believes_key(them.at, from).map_err(|doubt| match doubt {
                Doubt::Unlisted => Refusal::Unlisted,
                Doubt::OurOwn | Doubt::FromElsewhere => Refusal::FromElsewhere,
            })?,
        }
        match self.pinned(them.at) {
            Some(known) if known != them.key => {
                let (at, offered) = (them.at, them.key);
                self.tell_once(at, Some(offered), Event::WrongKey { at, known, offered });
                Err(Refusal::WrongKey)
            }
            _ => Ok(()),
        }
    }

    /// Tells of a refusal, unless it was told already: whoever is refused tries again every minute.
    fn tell_once(&mut self, at: Endpoint, offered: Option<KeyId>, event: Event) {
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        if self.told.insert((at, offered)) {
            self.events.push_back(event);
        }
    }

    pub(super) fn greeted(&mut self, id: ConnectionId, at: Endpoint, manner: Manner, rank: Rank) {
        let Some(known) = self.links.get_mut(&id) else { return };
        (known.at, known.manner) = (Some(at), Some(manner));
        self.told.retain(|(told, _)| *told != at);
        let (way, now, mut wishes) = (known.way, self.clock.now(), Wishes::default());
        self.node.greeted(Greeting { id, address: at, rank, way }, now, &mut wishes);
        self.follow(wishes);
    }

    pub(super) fn on_over(&mut self, id: ConnectionId, over: &Over) {
        let counts = self.counts(id);
        let Some(known) = self.links.remove(&id) else { return };
        let who = known.who().filter(|_| counts);
        if let (Some(who), Over::Stalled) = (who, over) {
            self.events.push_back(Event::NotTaken(who));
        }
        match (who, known.dialled.or(known.at), over) {
            (None, Some(at), Over::Broken(Broken::TheyRefuse(why))) => {
                let ours = self.me.key.public().id();
                self.tell_once(at, Some(ours), Event::RefusedBy(at, *why));
            }
            // Ours was told when it was decided.
            (_, _, Over::Broken(Broken::WeRefuse(_) | Broken::Bye)) => {}
            (None, Some(at), Over::Broken(why)) => self.tell_once(at, None, Event::Broken(at, *why)),
            _ => {}
        }
        self.events.extend(who.map(Event::Left));
        let mut wishes = Wishes::default();
        self.node.closed(id, self.clock.now(), chance(), &mut wishes);
        self.follow(wishes);
    }

    pub(super) fn say_to(&mut self, id: ConnectionId, text: Text) -> Option<Manner> {
        let known = self.links.get(&id)?;
        let manner = known.manner?;
        match known.way {
            Way::Direct => self.command(id, ToLink::Say(text)).then_some(manner),
            Way::Relayed => self.say_relayed(known.at?, text).then_some(manner),
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        match self.links.get(&id).map(|known| (known.way, known.at.or(known.dialled))) {
            Some((Way::Direct, _)) => _ = self.command(id, ToLink::Close),
            Some((Way::Relayed, Some(peer))) => self.close_relayed(peer),
            Some((Way::Relayed, None)) | None => {}
        }
    }

    /// Hands a command to the task of a link. One that takes none any more is given up.
    fn command(&mut self, id: ConnectionId, command: ToLink) -> bool {
        let Some(known) = self.links.get_mut(&id) else { return false };
        let Some(to) = &known.to else { return false };
        match to.try_send(command) {
            Ok(()) => true,
            Err(_) => {
                // The end of its channel is the end of the link.
                known.to = None;
                let who = known.who();
                self.events.extend(who.map(Event::NotTaken));
                false
            }
        }
    }
}
