//! The rendezvous of a simulated mesh: who is in its list, who is told, and its own death.

use kith::domain::{
    directory::listed::Listed,
    endpoint::Endpoint,
    node::{Introduction, Way},
};

use super::{Event, World, address};

impl World {
    pub(super) fn registers(&mut self, number: usize, life: u64) {
        if !self.lives(number, life) {
            return;
        }
        if self.epoch.is_none() || self.is_troubled(6) {
            self.with(number, |node, now, chance, _| node.lost(now, chance));
            return;
        }
        self.members[number].is_registered = true;
        let modern = self.is_modern;
        self.with(number, |node, now, _, _| {
            node.registered(now);
            if modern {
                node.is_modern();
            }
        });
        let me = address(number);
        let seq = self.count;
        // The first kind fills holes, the new one never does.
        let hole = self.listed.iter().position(|(at, _)| *at == me);
        match hole {
            Some(at) => self.listed[at].1 = seq,
            None if self.is_modern => self.listed.push((me, seq)),
            None => {
                let at = self.rng.usize(..=self.listed.len());
                self.listed.insert(at, (me, seq));
            }
        }
        if self.is_modern {
            self.listed.sort_by_key(|(_, seq)| *seq);
        }
        self.tell_everybody();
    }

    pub(super) fn tell_everybody(&mut self) {
        self.version += 1;
        for number in 0..self.members.len() {
            if self.members[number].is_registered {
                let (life, list) = (self.members[number].life, self.list_for(number));
                self.say(number, Event::List(number, life, list));
            }
        }
    }

    /// Something comes to a node over the line to the rendezvous.
    fn say(&mut self, number: usize, event: Event) {
        let at = (self.now + self.soon()).max(self.members[number].line);
        self.members[number].line = at;
        self.plan(at - self.now, event);
    }

    fn list_for(&self, reader: usize) -> Introduction {
        if !self.is_modern {
            return self.listed.iter().map(|(at, _)| *at).collect::<Vec<_>>().into();
        }
        let undialable =
            |at: Endpoint| self.number(at).is_some_and(|number| !self.members[number].is_dialable);
        let me = undialable(address(reader));
        let mut nodes: Vec<_> = self
            .listed
            .iter()
            .map(|(at, seq)| Listed {
                seq: *seq,
                at: *at,
                undialable: undialable(*at),
                relayed: me && undialable(*at),
                home: None,
                member: None,
            })
            .collect();
        nodes.sort_by_key(Listed::order);
        Introduction { edition: self.epoch.map(|epoch| (epoch, self.version)), nodes }
    }

    pub(super) fn rendezvous_dies(&mut self) {
        self.epoch = None;
        self.listed.clear();
        for number in 0..self.members.len() {
            if self.members[number].is_registered {
                let life = self.members[number].life;
                self.say(number, Event::Lost(number, life));
            }
        }
        let relayed = self.links.iter().filter(|(_, link)| link.is_open && link.way == Way::Relayed);
        for id in relayed.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.break_link(id);
        }
    }

    pub(super) fn rendezvous_comes(&mut self) {
        if self.epoch.is_none() {
            self.epochs += 1;
            self.epoch = Some(self.epochs);
            self.version = 0;
        }
    }
}
