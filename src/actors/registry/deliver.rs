//! Letters on their way out: to whom the switchboard has planned, and to nobody else.

use super::{Entry, Registry, pressed::Pressed};
use crate::{
    actors::lane::Class,
    dialect::press,
    domain::{
        id::ConnectionId,
        letter::{Letter, Origin},
        switchboard::{Hearers, Plan},
    },
};

impl Registry {
    /// Hands a letter to everybody who hears it, printed once per way of hearing it. Says whether there was somebody,
    /// and nobody took it.
    pub(super) fn deliver(&self, letter: &Letter, plan: &Plan) -> bool {
        self.deliver_but(letter, plan, |_| false)
    }

    /// The same, but not to some connections of this home.
    pub(super) fn deliver_but(
        &self,
        letter: &Letter,
        plan: &Plan,
        not: impl Fn(ConnectionId) -> bool,
    ) -> bool {
        let hearers = self.hearers(letter, plan.here).filter(|(connection, _)| !not(*connection));
        let clients = hearers.map(|(_, entry)| (entry.ear, &entry.lane));
        let elsewhere = plan.elsewhere.iter().filter(|home| !self.moves(**home));
        let neighbours = elsewhere.filter_map(|home| self.neighbours.get(home));
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
        taken == 0 && refused > 0
    }

    pub(super) fn hearers(
        &self,
        letter: &Letter,
        hearers: Hearers,
    ) -> impl Iterator<Item = (ConnectionId, &Entry)> {
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
        let of_member = connections.iter().filter_map(|connection| self.entries.get_key_value(connection));
        everybody.chain(of_member).map(|(connection, entry)| (*connection, entry))
    }
}
