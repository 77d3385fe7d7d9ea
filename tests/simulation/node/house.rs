//! What the Registry does: members come and go, lists are told and heard, letters find their way.

use kith::{
    dialect::{Ear, olaf, press},
    domain::{
        Moment,
        id::ConnectionId,
        letter::{Author, Frame, Letter},
        limits::seconds,
        member::Newcomer,
        news::News,
        refusal::{Ending, Violation},
        switchboard::{Hearers, Objection},
    },
};

use super::{Node, Reminder, Wish};
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
        if let Some((member, true)) = self.house.leave(connection) {
            self.tell_change(&member, false, now);
        }
    }

    fn tell_change(&mut self, member: &kith::domain::member::Member, came: bool, now: Moment) {
        let sequence = self.house.roster().sequence();
        if let Some(frame) = press::change(sequence, member, came, Ear::Kith) {
            self.offer_all(&frame, now);
        }
    }

    /// Says to everybody whatever it is told to, true or not.
    pub(crate) fn claim(&mut self, frame: &Frame, now: Moment) {
        self.offer_all(frame, now);
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
        let standing = press::standing(roster.sequence(), roster.digest(), Ear::Kith);
        let told = self.neighbours.values().filter(|neighbour| neighbour.telling.is_none());
        let voices: Vec<_> = told.filter_map(|neighbour| neighbour.voice).collect();
        for voice in voices {
            if let Some(frame) = standing.clone() {
                self.offer(voice, frame, now);
            }
        }
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
            let parts = press::part(after, &members, is_last, roster.sequence(), Ear::Kith);
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
        let effect = self.house.hear(self.home(peer), news);
        let Some(voice) = self.neighbours.get(&peer).and_then(|neighbour| neighbour.voice) else { return };
        if effect.excess {
            return self.close(voice, Ending::Violated(Violation::TooManyMembers), now);
        }
        if effect.lost
            && let Some(frame) = press::want_list(Ear::Kith)
        {
            self.wishes.push(Wish::Wanted(peer));
            self.offer(voice, frame, now);
        }
    }

    /// A letter of a member, or one that a neighbour brings.
    pub(crate) fn route(&mut self, letter: &Letter, now: Moment) {
        let mut plan = self.house.route(letter);
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
        if plan.here != Hearers::Nobody
            && let Some(frame) = press::letter(letter, Ear::Olaf(olaf::accent::Ear::default()))
        {
            let deliver = |connection: &ConnectionId| Wish::Deliver(*connection, frame.clone());
            self.wishes.extend(self.connections.iter().map(deliver));
        }
        for home in plan.elsewhere {
            let voice = self.neighbours.get(&self.place(home)).and_then(|neighbour| neighbour.voice);
            if let (Some(voice), Some(frame)) = (voice, press::letter(letter, Ear::Kith)) {
                self.offer(voice, frame, now);
            }
        }
    }
}
