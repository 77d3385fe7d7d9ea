//! Who may not come: bans by key, name, address and server, for good or until some moment.
//!
//! One set holds what the operator has said and what neighbours say whose lists are subscribed to; each ban
//! knows where it comes from. Times are Unix milliseconds and handed in. **Invariants:** a ban that is over
//! hits nobody, swept or not; taking one ban away leaves every other one that hits the same in force; what a
//! question costs does not grow with the number of bans.

mod target;

use core::net::IpAddr;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use ipnet::IpNet;

pub use self::target::{Server, Target, TargetError};
use super::{address::Address, id::KeyId, member::Member, nick::Folded};

/// The longest reason, in bytes: a sentence.
pub const LONGEST_REASON: usize = 256;

/// A ban as it is called. No other one is ever called the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BanId(pub i64);

impl fmt::Display for BanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The operator of this server.
    Operator,
    /// The list of the neighbour with this key.
    List(KeyId),
}

/// A ban that has no name yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whom it is about.
    pub target: Target,
    /// Until when, or for good.
    pub until: Option<i64>,
    /// Why, in words; may be empty.
    pub reason: String,
    /// When it was made.
    pub made: i64,
}

impl Draft {
    /// Whether it still counts.
    #[must_use]
    pub fn is_on(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// What it is called.
    pub id: BanId,
    /// What it says.
    pub said: Draft,
    /// Who says so.
    pub by: Origin,
}

/// Whether a text can be a reason.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    text.len() <= LONGEST_REASON && !text.contains(char::is_control)
}

/// All bans in force.
#[derive(Debug, Default)]
pub struct Bans {
    entries: BTreeMap<BanId, Ban>,
    by_target: HashMap<Target, Vec<BanId>>,
    /// How many are about networks and names: without any, those questions cost nothing.
    networks: usize,
    names: usize,
}

impl Bans {
    /// Adds a ban.
    pub fn insert(&mut self, ban: Ban) {
        self.remove(ban.id);
        self.count(&ban.said.target, 1);
        self.by_target.entry(ban.said.target.clone()).or_default().push(ban.id);
        self.entries.insert(ban.id, ban);
    }

    /// Takes a ban away.
    pub fn remove(&mut self, id: BanId) -> Option<Ban> {
        let ban = self.entries.remove(&id)?;
        self.count(&ban.said.target, -1);
        if let Some(ids) = self.by_target.get_mut(&ban.said.target) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_target.remove(&ban.said.target);
            }
        }
        Some(ban)
    }

    /// Takes everything away that somebody says.
    pub fn remove_all(&mut self, by: Origin) {
        let gone: Vec<BanId> = self.by(by).map(|ban| ban.id).collect();
        for id in gone {
            self.remove(id);
        }
    }

    const fn count(&mut self, target: &Target, change: isize) {
        match target {
            Target::Address(_) => self.networks = self.networks.saturating_add_signed(change),
            Target::Name(_) => self.names = self.names.saturating_add_signed(change),
            Target::Key(_) | Target::Server(_) => {}
        }
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: BanId) -> Option<&Ban> {
        self.entries.get(&id)
    }

    /// All of them, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.entries.values()
    }

    /// What one of them says.
    pub fn by(&self, by: Origin) -> impl Iterator<Item = &Ban> {
        self.iter().filter(move |ban| ban.by == by)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When the next one is over.
    #[must_use]
    pub fn next_end(&self) -> Option<i64> {
        self.iter().filter_map(|ban| ban.said.until).min()
    }

    /// Those that are over.
    #[must_use]
    pub fn over(&self, now: i64) -> Vec<BanId> {
        self.iter().filter(|ban| !ban.said.is_on(now)).map(|ban| ban.id).collect()
    }

    /// The ban of exactly this target that counts now.
    #[must_use]
    pub fn on(&self, target: &Target, now: i64) -> Option<&Ban> {
        let ids = self.by_target.get(target)?;
        ids.iter().filter_map(|id| self.get(*id)).find(|ban| ban.said.is_on(now))
    }

    /// The same of one origin alone, over or not.
    #[must_use]
    pub fn said_by(&self, by: Origin, target: &Target) -> Option<&Ban> {
        let ids = self.by_target.get(target)?;
        ids.iter().filter_map(|id| self.get(*id)).find(|ban| ban.by == by)
    }

    /// What keeps an address out.
    #[must_use]
    pub fn address(&self, address: IpAddr, now: i64) -> Option<&Ban> {
        if self.networks == 0 {
            return None;
        }
        // A network has at most 128 around it, however many bans there are.
        let host = IpNet::from(address.to_canonical());
        let around = std::iter::successors(Some(host), IpNet::supernet);
        around.into_iter().find_map(|network| self.on(&Target::Address(network), now))
    }

    /// What keeps a member out, by the fingerprint of its key and by its name, as far as it has them.
    #[must_use]
    pub fn person(&self, key: Option<KeyId>, name: Option<&str>, now: i64) -> Option<&Ban> {
        if self.entries.is_empty() {
            return None;
        }
        let by_key = key.and_then(|key| self.on(&Target::Key(key), now));
        let by_name = || {
            let name = name.filter(|_| self.names > 0)?;
            self.on(&Target::Name(Folded::new(name)), now)
        };
        by_key.or_else(by_name)
    }

    /// The same of somebody who is present, here or elsewhere.
    #[must_use]
    pub fn member(&self, member: &Member, now: i64) -> Option<&Ban> {
        self.person(member.fingerprint, member.name.as_deref(), now)
    }

    /// What keeps a server out, by its key and by every address by which it goes.
    #[must_use]
    pub fn server(&self, key: Option<KeyId>, addresses: &[Address], now: i64) -> Option<&Ban> {
        if self.entries.is_empty() {
            return None;
        }
        let keys = key.into_iter().map(Server::Key);
        let all = keys.chain(addresses.iter().cloned().map(Server::Address));
        all.into_iter().find_map(|server| self.on(&Target::Server(server), now))
    }
}

#[cfg(test)]
#[path = "bans_tests.rs"]
mod tests;
