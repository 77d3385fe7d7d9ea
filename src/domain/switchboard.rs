//! The rules of the house in one place: who may come in, and where a letter goes.
//!
//! A letter goes in, a plan comes out; nothing here sends anything. **Invariant:** a letter of
//! somebody who is not present is never planned, and no letter is planned twice.

use std::{collections::HashSet, sync::Arc};

use super::{
    address::Address,
    id::ConnectionId,
    letter::{Audience, Letter},
    limits::Limits,
    member::{Member, Newcomer},
    refusal::{Refusal, Violation},
    replay::Window,
    roster::Roster,
};

/// Where one letter goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether every connection of this home hears it, the author's own included.
    pub here: bool,
    /// Which other homes it is for.
    pub elsewhere: Vec<Address>,
}

/// Why a letter is not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The house will not.
    Refused(Refusal),
    /// The peer must not.
    Violated(Violation),
}

/// Members, addresses and the memory against replays.
#[derive(Debug)]
pub struct Switchboard {
    names: HashSet<Address>,
    roster: Roster,
    /// Apart, so that a flood of letters does not make an old hello new again.
    hellos: Window,
    letters: Window,
    most_connections_per_member: u32,
    draining: bool,
}

impl Switchboard {
    /// An empty house that answers to these addresses.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Address>, limits: &Limits) -> Self {
        Self {
            names: names.into_iter().collect(),
            roster: Roster::default(),
            hellos: Window::new(limits.replay_window),
            letters: Window::new(limits.replay_window),
            most_connections_per_member: limits.connections_per_member,
            draining: false,
        }
    }

    /// Who is present.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// From now on nobody is let in.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Lets somebody in, and says whether the list of members changed.
    ///
    /// # Errors
    /// The house is closing, the hello was seen before, or the member is connected too often.
    pub fn join(
        &mut self,
        connection: ConnectionId,
        newcomer: &Newcomer,
    ) -> Result<(Arc<Member>, bool), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if !self.hellos.admit(newcomer.trace) {
            return Err(Refusal::Replayed);
        }
        self.roster.join(connection, newcomer, self.most_connections_per_member)
    }

    /// A connection is gone. Says whose it was and whether the list of members changed.
    pub fn leave(&mut self, connection: ConnectionId) -> Option<(Arc<Member>, bool)> {
        self.roster.leave(connection)
    }

    /// Decides where a letter goes.
    ///
    /// # Errors
    /// The author is not present, or the letter was here before.
    pub fn route(&mut self, letter: &Letter) -> Result<Plan, Objection> {
        let present = self.roster.member(letter.from).is_some_and(|member| member.key == letter.author);
        if !present {
            return Err(Objection::Violated(Violation::OutOfOrder));
        }
        if !self.letters.admit(letter.trace) {
            return Err(Objection::Refused(Refusal::Replayed));
        }
        Ok(match &letter.audience {
            Audience::Everyone => Plan { here: true, elsewhere: Vec::new() },
            Audience::Homes(homes) => {
                let mut elsewhere: Vec<_> =
                    homes.iter().filter(|home| !self.names.contains(home)).cloned().collect();
                // Senders name a home once per recipient; it is told once.
                elsewhere.sort_unstable();
                elsewhere.dedup();
                // A letter that names no home at all can only mean this one.
                let here = homes.is_empty() || homes.iter().any(|home| self.names.contains(home));
                Plan { here, elsewhere }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;
    use crate::domain::{dialect::Dialect, id::KeyId, letter::Frame, replay::Trace};

    fn newcomer(key: u8, trace: u8) -> Newcomer {
        Newcomer {
            key: KeyId([key; 32]),
            dialect: Dialect::Olaf,
            public_key: "pem".into(),
            trace: Trace([trace; 16]),
        }
    }

    fn letter(from: u64, author: u8, trace: u8, audience: Audience) -> Letter {
        Letter {
            from: ConnectionId(from),
            author: KeyId([author; 32]),
            audience,
            trace: Trace([trace; 16]),
            dialect: Dialect::Olaf,
            original: Frame::Text(ByteString::from_static("{}")),
        }
    }

    fn house() -> Switchboard {
        let limits = Limits { connections_per_member: 2, ..Limits::default() };
        Switchboard::new([Address::new("127.0.0.1:8080")], &limits)
    }

    #[test]
    fn several_connections_of_one_key_are_one_member() {
        let mut house = house();
        assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok_and(|(_, new)| new));
        assert!(house.join(ConnectionId(2), &newcomer(7, 2)).is_ok_and(|(_, new)| !new));
        let third = house.join(ConnectionId(3), &newcomer(7, 3));
        assert_eq!(third.err(), Some(Refusal::TooManyOfMember));
        assert_eq!(house.roster().len(), 1);
        assert!(house.leave(ConnectionId(1)).is_some_and(|(_, gone)| !gone));
        assert!(house.leave(ConnectionId(2)).is_some_and(|(_, gone)| gone));
        assert!(house.leave(ConnectionId(2)).is_none());
        assert!(house.roster().is_empty());
    }

    #[test]
    fn a_recorded_hello_and_a_recorded_letter_count_once() {
        let mut house = house();
        assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
        assert_eq!(house.join(ConnectionId(2), &newcomer(7, 1)).err(), Some(Refusal::Replayed));
        assert!(house.route(&letter(1, 7, 9, Audience::Everyone)).is_ok());
        let again = house.route(&letter(1, 7, 9, Audience::Everyone));
        assert_eq!(again, Err(Objection::Refused(Refusal::Replayed)));
    }

    #[test]
    fn only_members_write_letters_and_only_in_their_own_name() {
        let mut house = house();
        let stranger = Err(Objection::Violated(Violation::OutOfOrder));
        assert_eq!(house.route(&letter(1, 7, 9, Audience::Everyone)), stranger);
        assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
        assert_eq!(house.route(&letter(1, 8, 9, Audience::Everyone)), stranger);
    }

    #[test]
    fn a_private_letter_goes_only_to_the_homes_it_names() {
        let mut house = house();
        assert!(house.join(ConnectionId(1), &newcomer(7, 1)).is_ok());
        let homes = |names: &[&str]| Audience::Homes(names.iter().map(|name| Address::new(name)).collect());
        let mut plan = |trace, names: &[&str]| house.route(&letter(1, 7, trace, homes(names)));
        let elsewhere = vec![Address::new("b:1")];
        assert_eq!(plan(2, &["ws://localhost:8080/"]), Ok(Plan { here: true, elsewhere: vec![] }));
        assert_eq!(plan(3, &["b:1", "b:1"]), Ok(Plan { here: false, elsewhere }));
        assert_eq!(plan(4, &[]), Ok(Plan { here: true, elsewhere: vec![] }));
    }

    #[test]
    fn a_draining_house_lets_nobody_in() {
        let mut house = house();
        house.drain();
        assert_eq!(house.join(ConnectionId(1), &newcomer(7, 1)).err(), Some(Refusal::Draining));
    }
}
