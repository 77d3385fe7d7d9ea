//! What the rendezvous says, and the links that go through it.

use super::{Hub, chance, links::Known};
use crate::{
    client::node::{
        event::{Event, Manner},
        rendezvous::Rendezvous,
        seal::{Broken, Out, Seal},
        wire::{Text, kind},
    },
    dialect::rendezvous::{line::Line, server::Heard},
    domain::{
        endpoint::Endpoint,
        id::ConnectionId,
        node::{Introduction, Order, Way, Wishes},
    },
};

impl Hub {
    pub(super) fn on_rendezvous(&mut self, what: Rendezvous) {
        let now = self.clock.now();
        match what {
            Rendezvous::Registered => {
                self.node.registered(now);
                (self.is_modern, self.is_missed, self.has_listed) = (false, false, false);
                self.events.push_back(Event::Registered);
            }
            Rendezvous::Heard(heard) => {
                self.node.heard(now);
                self.on_heard(heard);
            }
            Rendezvous::Lost(error) => {
                self.node.lost(now, chance());
                self.lost(&error.to_string());
            }
        }
    }

    fn on_heard(&mut self, heard: Heard) {
        match heard {
            // Said before it knew that we read the newer form.
            Heard::List(_) if self.is_modern => {}
            Heard::List(list) => self.on_list(list.into()),
            Heard::Directory(directory) => self.on_list(directory.into()),
            Heard::Teardown => self.events.push_back(Event::Teardown),
            Heard::Full => self.events.push_back(Event::Full),
            Heard::Line(Line::Greeting) => {
                self.is_modern = true;
                self.node.is_modern();
                self.write(Line::Node);
                self.events.push_back(Event::Modern);
            }
            Heard::Line(Line::Ping { n }) => _ = self.write(Line::Pong { n }),
            Heard::Line(Line::RelayFrom { peer, payload }) => self.on_relayed(peer, &payload),
            Heard::Line(Line::Unrelayed { peer, .. }) => self.end_relayed(peer, None),
            Heard::Line(Line::Refused { why }) => self.events.push_back(Event::Refused(why)),
            Heard::Line(_) | Heard::Unknown => {}
        }
    }

    fn on_list(&mut self, list: Introduction) {
        let mut wishes = Wishes::default();
        self.node.listed(list, self.clock.now(), &mut wishes);
        self.follow(wishes);
        // Who was here before its name was in the list.
        for who in self.here().collect::<Vec<_>>() {
            self.keep(who);
        }
        let list = self.node.list();
        let me = self.node.me();
        let is_dialable = list.nodes.iter().find(|node| node.at == me).is_none_or(|node| !node.undialable);
        if !std::mem::replace(&mut self.has_listed, true) {
            let others = list.nodes.iter().map(|node| node.at).filter(|at| *at != me).collect();
            self.events.push_back(Event::Listed(others));
        }
        if std::mem::replace(&mut self.is_dialable, is_dialable) != is_dialable {
            self.events.push_back(Event::Dialable(is_dialable));
        }
    }

    /// The line to the rendezvous is gone, and with it the links that went over it.
    pub(super) fn lost(&mut self, why: &str) {
        self.line = None;
        // What still comes of that line is out of date.
        self.life += 1;
        for peer in self.relayed.keys().copied().collect::<Vec<_>>() {
            self.end_relayed(peer, None);
        }
        if !std::mem::replace(&mut self.is_missed, true) {
            self.events.push_back(Event::Lost(why.to_owned()));
        }
    }

    /// Hands a line to the rendezvous. One that takes none any more is as good as gone; its silence will tell.
    fn write(&self, line: Line) -> bool {
        self.line.as_ref().is_some_and(|to| to.try_send(line).is_ok())
    }

    pub(super) fn dial_relayed(&mut self, peer: Endpoint) {
        let (now, id, mut wishes) = (self.clock.now(), self.new_id(), Wishes::default());
        self.node.dialled(peer, id, Way::Relayed, &mut wishes);
        let is_needed = !wishes.orders.contains(&Order::Close(id));
        if let (true, Ok(seal)) = (is_needed, Seal::dial(&self.me, self.node.rank(), peer, now)) {
            self.insert(peer, id, seal, Some(peer));
            self.write(Line::RelayTo { peer, payload: vec![kind::HELLO] });
        } else {
            self.node.dial_failed(peer, now, chance(), &mut wishes);
            self.follow(wishes);
        }
    }

    fn insert(&mut self, peer: Endpoint, id: ConnectionId, seal: Seal, dialled: Option<Endpoint>) {
        self.end_relayed(peer, None);
        self.relayed.insert(peer, (id, seal));
        self.links.insert(id, Known::new(dialled, peer.ip(), Way::Relayed));
    }

    fn on_relayed(&mut self, peer: Endpoint, payload: &[u8]) {
        let mut out = Vec::new();
        let now = self.clock.now();
        if payload == [kind::HELLO] {
            // If both have said it, one of them has to take it back, and both must take it for the same one.
            let we_asked = self.relayed.get(&peer).is_some_and(|(id, _)| {
                self.links.get(id).is_some_and(|known| known.dialled.is_some() && known.manner.is_none())
            });
            let is_listed = self.node.list().nodes.iter().any(|node| node.at == peer && node.relayed);
            if !is_listed || (we_asked && self.me.at < peer) {
                return;
            }
            let Ok(seal) = Seal::answer(&self.me, self.node.rank(), now, &mut out) else { return };
            let id = self.new_id();
            self.insert(peer, id, seal, None);
            self.tell_relayed(peer, out);
            return;
        }
        let Some((_, seal)) = self.relayed.get_mut(&peer) else { return };
        let step = seal.receive(payload, now, &mut out);
        self.tell_relayed(peer, out);
        if let Err(why) = step {
            self.end_relayed(peer, Some(why));
        }
    }

    pub(super) fn wake_relayed(&mut self) {
        let now = self.clock.now();
        let due = self.relayed.iter().filter(|(_, (_, seal))| seal.wakes_at() <= now);
        for peer in due.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            let mut out = Vec::new();
            let Some((_, seal)) = self.relayed.get_mut(&peer) else { continue };
            let step = seal.wake(now, &mut out);
            self.tell_relayed(peer, out);
            if let Err(why) = step {
                self.end_relayed(peer, Some(why));
            }
        }
    }

    fn tell_relayed(&mut self, peer: Endpoint, said: Vec<Out>) {
        for one in said {
            match one {
                Out::Frame(payload) => _ = self.write(Line::RelayTo { peer, payload }),
                Out::Asks(them) => {
                    // Whom the rendezvous names is all that is known of where it comes from.
                    let verdict = self.judge(&them, Some(peer), peer.ip());
                    let mut out = Vec::new();
                    let Some((_, seal)) = self.relayed.get_mut(&peer) else { return };
                    let refused = match verdict {
                        Ok(()) => seal.accept(&mut out).err(),
                        Err(why) => Some(seal.refuse(why, &mut out)),
                    };
                    self.tell_relayed(peer, out);
                    if let Some(why) = refused {
                        self.end_relayed(peer, Some(why));
                        return;
                    }
                }
                Out::Greeted(them) => {
                    let Some((id, _)) = self.relayed.get(&peer) else { return };
                    self.greeted(*id, peer, Manner::Sealed(them.key), them.rank);
                }
                Out::Text(text) => {
                    let id = self.relayed.get(&peer).map(|(id, _)| *id);
                    let who = id.and_then(|id| self.who(id));
                    self.events.extend(who.map(|who| Event::Text(who, text)));
                }
            }
        }
    }

    pub(super) fn say_relayed(&mut self, peer: Endpoint, text: Text) -> bool {
        let Some((_, seal)) = self.relayed.get_mut(&peer) else { return false };
        let Some(payload) = seal.say(text) else { return false };
        let is_taken = self.write(Line::RelayTo { peer, payload });
        if !is_taken {
            // What is sealed and not sent leaves a gap that nothing behind it gets over.
            self.end_relayed(peer, None);
        }
        is_taken
    }

    pub(super) fn close_relayed(&mut self, peer: Endpoint) {
        let bye = self.relayed.get_mut(&peer).and_then(|(_, seal)| seal.goodbye());
        if let Some(payload) = bye {
            self.write(Line::RelayTo { peer, payload });
        }
        self.end_relayed(peer, None);
    }

    fn end_relayed(&mut self, peer: Endpoint, why: Option<Broken>) {
        let Some((id, _)) = self.relayed.remove(&peer) else { return };
        let over = why.map_or(super::Over::Gone, super::Over::Broken);
        self.on_over(id, &over);
    }
}
