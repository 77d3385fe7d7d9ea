//! The nodes of one home as this node knows them from its settings, and how many of them are enough.
//!
//! Enough is more than half of all nodes, this one included, whether they live or not. With an even number of
//! nodes, two of which each other's halves may be cut off, the *fallback* breaks the tie: the half that it is in
//! counts as a majority. Two sets that are enough always share a node, which is what everything rests on.

use std::{collections::BTreeSet, sync::Arc};

/// Another node, by its place in the settings. Its id is learnt when it answers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seat(pub u8);

/// What the settings say about another node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// `host:port` where its succession door is.
    pub address: Arc<str>,
    /// Where clients and neighbours find it when it leads, as URL.
    pub door: Arc<str>,
    /// What its operator calls it.
    pub name: Arc<str>,
}

/// The node that breaks ties where no majority can exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// None: with two nodes, the loss of one stops the home.
    #[default]
    Nobody,
    /// This very node.
    Ourselves,
    /// Another one.
    Other(Seat),
}

/// The home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The other nodes, by seat.
    pub others: Vec<Member>,
    /// Who breaks ties.
    pub fallback: Fallback,
}

/// The most other nodes that a home may have: each change of the role asks all of them.
pub const MOST_OTHERS: usize = 14;

impl Home {
    /// The seats of the other nodes.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        let count = u8::try_from(self.others.len().min(MOST_OTHERS)).unwrap_or(u8::MAX);
        (0..count).map(Seat)
    }

    /// All nodes, this one included.
    #[must_use]
    pub fn size(&self) -> u8 {
        u8::try_from(self.others.len().min(MOST_OTHERS)).unwrap_or(u8::MAX).saturating_add(1)
    }

    /// What the settings say about the node at this seat.
    #[must_use]
    pub fn member(&self, seat: Seat) -> Option<&Member> {
        self.others.get(usize::from(seat.0))
    }

    /// Whether this node, together with those at `seats`, is enough.
    #[must_use]
    pub fn is_enough(&self, seats: &BTreeSet<Seat>) -> bool {
        let votes = seats.len().saturating_add(1);
        let size = usize::from(self.size());
        let breaks_tie = match self.fallback {
            Fallback::Nobody => false,
            Fallback::Ourselves => true,
            Fallback::Other(seat) => seats.contains(&seat),
        };
        votes * 2 > size || (votes * 2 == size && breaks_tie)
    }
}

/// The host of a `host:port`, without the brackets of an IPv6 address.
#[must_use]
pub fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(others: u8, fallback: Fallback) -> Home {
        Home { others: (0..others).map(|_| Member::default()).collect(), fallback }
    }

    fn seats(list: &[u8]) -> BTreeSet<Seat> {
        list.iter().copied().map(Seat).collect()
    }

    #[test]
    fn more_than_half_is_enough_and_half_only_with_the_fallback() {
        assert!(home(0, Fallback::Nobody).is_enough(&seats(&[])), "alone");
        assert!(
            !home(1, Fallback::Nobody).is_enough(&seats(&[]))
                && home(1, Fallback::Nobody).is_enough(&seats(&[0]))
        );
        assert!(home(1, Fallback::Ourselves).is_enough(&seats(&[])));
        assert!(!home(1, Fallback::Other(Seat(0))).is_enough(&seats(&[])));
        assert!(!home(2, Fallback::Ourselves).is_enough(&seats(&[])), "one of three");
        assert!(home(2, Fallback::Nobody).is_enough(&seats(&[1])));
        assert!(!home(3, Fallback::Nobody).is_enough(&seats(&[1])));
        assert!(home(3, Fallback::Other(Seat(1))).is_enough(&seats(&[1])));
        assert!(!home(3, Fallback::Other(Seat(1))).is_enough(&seats(&[2])));
    }

    #[test]
    fn the_host_of_an_address_has_neither_port_nor_brackets() {
        for (address, host) in
            [("10.0.0.2:3012", "10.0.0.2"), ("[::1]:3012", "::1"), ("a.example", "a.example")]
        {
            assert_eq!(host_of(address), host);
        }
    }
}
