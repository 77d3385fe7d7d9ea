//! What the Registry does: members come and go, lists are told and heard, letters find their way.

use std::sync::Arc;

use kith::{
    dialect::{
        Ear, olaf, press,
        socp::{self, kind::Kind},
    },
    domain::{
        Moment,
        dialect::Dialect,
        id::ConnectionId,
        letter::{Author, Frame, Letter},
        limits::seconds,
        member::{Member, Newcomer, Whom},
        news::News,
        refusal::{Ending, Violation},
        switchboard::{Hearers, Objection},
    },
};

use super::{Node, Reminder, Wish, link::Neighbour};
use crate::member;

impl Node {
    /// Somebody comes in. Says whether the house wanted that.
    pub(crate) fn join(&mut self, connection: ConnectionId, newcomer: &Newcomer, now: Moment) -> bool {
        let Ok((member, is_new)) = self.house.join(connection, newcomer) else { return false };
        self.connections.insert(connection);
        if is_new {
            self.tell_change(&member, true, now);
        }
        true
    }

    /// Somebody's connection is gone.
    pub(crate) fn leave(&mut self, connection: ConnectionId, now: Moment) {
        self.connections.remove(&connection);
        self.leave_rooms(connection, now);
        if let Some((member, true)) = self.house.leave(connection) {
            self.tell_change(&member, false, now);
        }
    }

    fn tell_change(&mut self, member: &Member, came: bool, now: Moment) {
        let sequence = self.house.roster().sequence();
        for (voice, ear) in self.voices() {
            if let Some(frame) = press::change(sequence, member, came, ear) {
                self.offer(voice, frame, now);
            }
        }
    }

    /// Says to everybody whatever it is told to, true or not.
    pub(crate) fn claim(&mut self, frame: &Frame, now: Moment) {
        self.offer_all(frame, now);
    }

    /// Where each linked neighbour is spoken to, and how.
    fn voices(&self) -> Vec<(ConnectionId, Ear)> {
        let voice = |neighbour: &Neighbour| Some((neighbour.voice?, neighbour.ear));
        self.neighbours.values().filter_map(voice).collect()
    }

    /// Members who have names.
    pub(super) fn find(&self, whom: Whom) -> Vec<Arc<Member>> {
        let (roster, mesh) = (self.house.roster(), self.house.mesh());
        match whom {
            Whom::One(key) => {
                let elsewhere = || mesh.member(mesh.whereabouts(key)?, key);
                roster.find(key).or_else(elsewhere).cloned().into_iter().collect()
            }
            Whom::Ours | Whom::Everybody => {
                roster.members().filter(|member| member.name.is_some()).cloned().collect()
            }
        }
    }

    fn offer_all(&mut self, frame: &Frame, now: Moment) {
        let voices: Vec<_> = self.neighbours.values().filter_map(|neighbour| neighbour.voice).collect();
        for voice in voices {
            self.offer(voice, frame.clone(), now);
        }
    }

    /// Says to everybody where our list stands.
    pub(super) fn tell_standing(&mut self, now: Moment) {
        let roster = self.house.roster();
        let (sequence, digest) = (roster.sequence(), roster.digest());
        let told = self.neighbours.values().filter(|neighbour| neighbour.telling.is_none());
        let voices: Vec<_> = told.filter_map(|neighbour| Some((neighbour.voice?, neighbour.ear))).collect();
        for (voice, ear) in voices {
            if let Some(frame) = press::standing(sequence, digest, ear) {
                self.offer(voice, frame, now);
            }
        }
        self.tidy_rooms(now);
        self.remind(now + seconds(self.setup.limits.peer_heartbeat_s), Reminder::Standing);
    }

    pub(super) fn tell_from_the_start(&mut self, peer: usize, now: Moment) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer)
            && neighbour.voice.is_some()
        {
            neighbour.telling = Some(None);
            self.tell(peer, now);
        }
    }

    /// Tells the next parts of our list while there is room.
    pub(super) fn tell(&mut self, peer: usize, now: Moment) {
        while let Some(neighbour) = self.neighbours.get_mut(&peer)
            && let (Some(after), Some(voice)) = (neighbour.telling, neighbour.voice)
            && self.wires.get(&voice).is_some_and(|wire| wire.waiting <= self.setup.room)
        {
            let roster = self.house.roster();
            let (members, is_last) = roster.part(after, self.setup.part);
            let parts = press::part(after, &members, is_last, roster.sequence(), 0, neighbour.ear);
            neighbour.telling = (!is_last).then(|| members.last().map(|member| member.key));
            for part in parts {
                self.offer(voice, part, now);
            }
        }
    }

    /// A neighbour has news of its members.
    pub(super) fn hear(&mut self, peer: usize, news: News, now: Moment) {
        if std::mem::take(&mut self.is_deaf) {
            return;
        }
        let arrivals = news.arrivals();
        let effect = self.house.hear(self.home(peer), news);
        self.house.hide_new(self.home(peer), &arrivals, |member| self.banned.contains(&member.key));
        self.seat(&arrivals, now);
        let neighbour = self.neighbours.get(&peer).and_then(|found| Some((found.voice?, found.ear)));
        let Some((voice, ear)) = neighbour else { return };
        if effect.excess {
            return self.close(voice, Ending::Violated(Violation::TooManyMembers), now);
        }
        if effect.lost
            && let Some(frame) = press::want_list(ear)
        {
            self.wishes.push(Wish::Wanted(peer));
            self.offer(voice, frame, now);
        }
    }

    /// A letter of a member, or one that a neighbour brings.
    pub(crate) fn route(&mut self, letter: &Letter, now: Moment) {
        let mut plan = self.house.route(letter);
        if is_of_servers(letter) {
            // No member wrote it, so the ledger knows nothing of it.
            assert!(plan.iter().all(|plan| plan.elsewhere.is_empty()), "{letter:?} hops on");
            return;
        }
        if let Err(Objection::Doubted(member)) = &plan {
            // The oracle knows who has signed it.
            let author = Author::Proven(member.key);
            plan = if member::is_by(&letter.original, member.key) {
                self.house.route(&Letter { author, ..letter.clone() })
            } else {
                Err(Objection::Violated(Violation::WrongSender))
            };
        }
        self.wishes.push(Wish::Planned(Box::new(letter.clone()), plan.clone()));
        let Ok(plan) = plan else { return };
        self.deliver(letter, plan.here);
        for home in plan.elsewhere {
            let neighbour = self.neighbours.get(&self.place(home));
            let spoken_to = neighbour.and_then(|found| Some((found.voice?, found.ear)));
            if let Some((voice, ear)) = spoken_to
                && let Some(frame) = press::letter(letter, ear)
            {
                self.offer(voice, frame, now);
            }
        }
    }

    fn deliver(&mut self, letter: &Letter, hearers: Hearers) {
        let ear = match letter.dialect {
            Dialect::Olaf => Ear::Olaf(olaf::accent::Ear::default()),
            Dialect::Socp => Ear::Socp(socp::Accent::default()),
            // Nothing but rooms, and those are told otherwise.
            Dialect::Tpacket => return,
        };
        let Some(frame) = press::letter(letter, ear) else { return };
        let hears = |connection: &&ConnectionId| match hearers {
            Hearers::Nobody => false,
            Hearers::Everybody => true,
            Hearers::Member(key) => self.house.roster().connections(key).contains(connection),
        };
        let deliver = |connection: &ConnectionId| Wish::Deliver(*connection, frame.clone());
        let delivered: Vec<_> = self.connections.iter().filter(hears).map(deliver).collect();
        self.wishes.extend(delivered);
    }
}

/// Whether this is what a server tells of the public channel.
fn is_of_servers(letter: &Letter) -> bool {
    let Frame::Text(text) = &letter.original else { return false };
    let envelope = socp::envelope::Envelope::read(text).ok();
    letter.dialect == Dialect::Socp && envelope.and_then(|it| it.known()) == Some(Kind::PublicChannelAdd)
}
