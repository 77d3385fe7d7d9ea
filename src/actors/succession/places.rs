//! Who may be at the door of succession at once, so that nobody keeps the nodes of the home out.
//!
//! Strangers share a number of places, of which one address gets a few. The addresses of `home.members` have places of
//! their own, each its own, and take none from strangers: a node that cannot be asked loses its lease. **Invariant:**
//! whatever way a visit ends, its place is free again.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use tokio::{net::lookup_host, time::sleep};

use super::lease;
use crate::domain::{admission::Origin, rate::Bucket, succession::home::Member};

/// Visits of one address of the home at once: all its nodes may be on one machine, and each may ask three things.
const OF_MEMBER: u32 = 64;
/// Visits of one address in a second on average, and at once. A home of fifteen nodes on one machine, each of
/// which reports every second, needs a third of that.
const PER_SECOND: u32 = 50;
const BURST: u32 = 100;
/// Addresses whose visits are counted.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
/// How often the names of the other nodes are looked up.
const LOOK_UP: Duration = Duration::from_secs(10);

/// How many strangers may visit at once.
#[derive(Clone, Copy, Debug)]
pub struct Visits {
    /// All together.
    pub strangers: u32,
    /// From one address.
    pub per_address: u32,
}

/// The places.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Mutex<Book>>);

#[derive(Debug)]
struct Book {
    visits: Visits,
    strangers: u32,
    here: HashMap<Origin, u32>,
    rates: LruCache<Origin, Bucket>,
    /// Where the other nodes of the home are.
    members: HashSet<IpAddr>,
    members_here: HashMap<IpAddr, u32>,
}

/// Whose a place is.
#[derive(Clone, Copy, Debug)]
enum Guest {
    Member(IpAddr),
    Stranger(Origin),
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    guest: Guest,
}

impl Places {
    pub(super) fn new(visits: Visits) -> Self {
        Self(Arc::new(Mutex::new(Book {
            visits,
            strangers: 0,
            here: HashMap::new(),
            rates: LruCache::new(ADDRESSES),
            members: HashSet::new(),
            members_here: HashMap::new(),
        })))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody comes. Nothing, if there is no place for it.
    pub(super) fn enter(&self, from: IpAddr) -> Option<Place> {
        let guest = self.book().enter(from.to_canonical())?;
        Some(Place { places: self.clone(), guest })
    }

    /// Knows the addresses of the other nodes from now on. Names may mean other addresses some day; one that cannot
    /// be looked up keeps those that it had.
    pub(super) async fn know(&self, members: &[Member]) {
        let mut known: Vec<Vec<IpAddr>> = vec![Vec::new(); members.len()];
        loop {
            for (member, addresses) in members.iter().zip(&mut known) {
                if let Ok(found) = lookup_host(&*member.address).await {
                    *addresses = found.map(|address| address.ip().to_canonical()).collect();
                }
            }
            self.book().members = known.iter().flatten().copied().collect();
            sleep(LOOK_UP).await;
        }
    }
}

impl Book {
    fn enter(&mut self, from: IpAddr) -> Option<Guest> {
        if self.members.contains(&from) {
            let here = self.members_here.get(&from).copied().unwrap_or_default();
            if here >= OF_MEMBER {
                return None;
            }
            self.members_here.insert(from, here + 1);
            return Some(Guest::Member(from));
        }
        let origin = Origin::from(from);
        let rate = self.rates.get_or_insert_mut(origin, || Bucket::new(PER_SECOND, BURST));
        let comes_too_often = rate.take(1, lease::now()).is_err();
        let here = self.here.get(&origin).copied().unwrap_or_default();
        if comes_too_often || self.strangers >= self.visits.strangers || here >= self.visits.per_address {
            return None;
        }
        self.strangers += 1;
        self.here.insert(origin, here + 1);
        Some(Guest::Stranger(origin))
    }

    fn leave(&mut self, guest: Guest) {
        match guest {
            Guest::Member(address) => leave(&mut self.members_here, &address),
            Guest::Stranger(origin) => {
                self.strangers = self.strangers.saturating_sub(1);
                leave(&mut self.here, &origin);
            }
        }
    }
}

/// One less; who has nobody here is not remembered.
fn leave<K: std::hash::Hash + Eq>(here: &mut HashMap<K, u32>, who: &K) {
    if let Some(count) = here.get_mut(who) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            here.remove(who);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.book().leave(self.guest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_gets_a_few_places_and_a_stranger_none_of_the_home() {
        let places = Places::new(Visits { strangers: 5, per_address: 2 });
        places.book().members.insert(address("10.0.0.2"));
        let held: Vec<_> = (0..2).map(|_| places.enter(address("10.0.0.9")).expect("a place")).collect();
        assert!(places.enter(address("10.0.0.9")).is_none());
        let net = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
        let of_net: Vec<_> = net.iter().filter_map(|host| places.enter(address(host))).collect();
        assert_eq!(of_net.len(), 2, "a /64 counts as one address");
        let _fifth = places.enter(address("10.0.0.8")).expect("a place");
        assert!(places.enter(address("10.0.0.7")).is_none(), "all places of strangers are taken");
        let own: Vec<_> = (0..OF_MEMBER).map(|_| places.enter(address("::ffff:10.0.0.2"))).collect();
        assert!(own.iter().all(Option::is_some), "a node of the home finds a place");
        assert!(places.enter(address("10.0.0.2")).is_none(), "not for ever more");
        drop((held, own));
        assert!(places.enter(address("10.0.0.9")).is_some() && places.enter(address("10.0.0.2")).is_some());
        assert_eq!(places.book().here.len(), 2, "who is gone is forgotten");
    }
}
