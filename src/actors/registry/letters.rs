//! Letters: who hears each, and what becomes of those that nobody may hear.

use actix::Handler;

use super::{Entry, Registry, Route, pressed::Pressed};
use crate::{
    actors::lane::Class,
    dialect::press,
    domain::{
        letter::{Author, Letter, Origin},
        refusal::Violation,
        switchboard::{Hearers, Objection, Plan},
    },
};

impl Registry {
    fn deliver(&self, letter: &Letter, plan: &Plan) {
        let clients = self.hearers(letter, plan.here).map(|entry| (entry.ear, &entry.lane));
        let neighbours = plan.elsewhere.iter().filter_map(|home| self.neighbours.get(home));
        let neighbours = neighbours.map(|neighbour| (neighbour.ear, &neighbour.lane));
        let mut pressed = Pressed::default();
        let (mut taken, mut refused) = (0, 0);
        for (ear, lane) in clients.chain(neighbours) {
            if let Some(frame) = pressed.hear(ear, || press::letter(letter, ear)) {
                if lane.offer(frame, Class::Letter) { taken += 1 } else { refused += 1 }
            }
        }
        self.tally.deliveries.inc_by(taken);
        self.tally.dropped.inc_by(refused);
    }

    pub(super) fn hearers(&self, letter: &Letter, hearers: Hearers) -> impl Iterator<Item = &Entry> {
        let author = match (letter.dialect.echoes(), letter.from) {
            (false, Origin::Here(connection)) => Some(connection),
            _ => None,
        };
        let (all, member) = match hearers {
            Hearers::Nobody => (false, None),
            Hearers::Everybody => (true, None),
            Hearers::Member(key) => (false, Some(key)),
        };
        let everybody =
            self.entries.iter().filter(move |(connection, _)| all && author != Some(**connection));
        let connections = member.map_or(&[][..], |key| self.switchboard.roster().connections(key));
        let of_member = connections.iter().filter_map(|connection| self.entries.get(connection));
        everybody.map(|(_, entry)| entry).chain(of_member)
    }
}

impl Handler<Route> for Registry {
    type Result = ();

    fn handle(&mut self, Route(letter): Route, ctx: &mut Self::Context) {
        self.inbox.taken(letter.original.len());
        match self.switchboard.route(&letter) {
            Ok(plan) => {
                self.tally.letters.inc();
                self.tally.unreachable.inc_by(u64::try_from(plan.unreachable).unwrap_or(u64::MAX));
                let behind = self.goes_behind(&letter);
                let Some(letter) = (if behind { self.keep(letter, ctx) } else { Some(letter) }) else {
                    return;
                };
                self.deliver(&letter, &plan);
                self.note_for_the_absent(&letter, &plan);
            }
            Err(Objection::Refused(refusal)) => self.refuse(letter.from, refusal),
            Err(Objection::Violated(violation)) => self.object(letter.from, violation),
            // Its home could as well list the author first, but not under another key.
            Err(Objection::Unlisted(key)) if press::author_key(&letter) == Some(key) => {
                let Author::Vouched { author, .. } = letter.author else {
                    return self.object(letter.from, Violation::WrongSender);
                };
                self.inbox.add(letter.original.len());
                self.handle(Route(Letter { author: Author::Proven(author), ..letter }), ctx);
            }
            Err(Objection::Unlisted(_)) => self.object(letter.from, Violation::WrongSender),
            Err(Objection::Doubted(member)) => self.have_checked(letter, member, ctx),
            Err(Objection::NotFound) => self.keep_or_refuse(letter, ctx),
        }
    }
}
