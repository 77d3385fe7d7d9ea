//! How much one address may ask of the house.
//!
//! The book counts connections, hellos, uploads and waiting signature checks per address. IPv6 hosts
//! choose freely within their /64, so that is what counts as one address there.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::HashMap;

use super::{Moment, limits::Limits, rate::Bucket, refusal::Refusal};

/// The part of an address that one stranger controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A single host.
    V4(Ipv4Addr),
    /// The first 64 bits of a network.
    V6(u64),
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(host) => Self::V4(host),
            IpAddr::V6(host) => Self::V6(prefix(host)),
        }
    }
}

fn prefix(host: Ipv6Addr) -> u64 {
    u64::try_from(host.to_bits() >> 64).unwrap_or(u64::MAX)
}

fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

#[derive(Debug)]
struct Account {
    connections: u32,
    checks: u32,
    hellos: Bucket,
    uploads: Bucket,
    /// In KiB, so that a bucket holds gigabytes.
    volume: Bucket,
}

impl Account {
    fn new(limits: &Limits) -> Self {
        Self {
            connections: 0,
            checks: 0,
            hellos: Bucket::per_minute(limits.hellos_per_address_per_minute),
            uploads: Bucket::per_minute(limits.uploads_per_address_per_minute),
            volume: {
                let hour = kib(limits.upload_bytes_per_address_per_hour);
                Bucket::new((hour / 3600).max(1), hour)
            },
        }
    }

    fn is_forgettable(&self, now: Moment) -> bool {
        let buckets = [&self.hellos, &self.uploads, &self.volume];
        self.connections == 0 && self.checks == 0 && buckets.into_iter().all(|bucket| bucket.is_idle(now))
    }
}

/// The book of all addresses that matter at the moment.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    connections: u32,
    accounts: HashMap<Origin, Account>,
    /// Size of the book at which forgettable accounts are swept out.
    sweep_at: usize,
}

const SMALLEST_SWEEP: usize = 1024;

impl Admission {
    /// An empty book.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, connections: 0, accounts: HashMap::new(), sweep_at: SMALLEST_SWEEP }
    }

    /// Connections at the moment.
    #[must_use]
    pub const fn connections(&self) -> u32 {
        self.connections
    }

    fn account(&mut self, origin: Origin, now: Moment) -> &mut Account {
        if self.accounts.len() >= self.sweep_at {
            self.accounts.retain(|_, account| !account.is_forgettable(now));
            self.sweep_at = (self.accounts.len() * 2).max(SMALLEST_SWEEP);
        }
        let limits = &self.limits;
        self.accounts.entry(origin).or_insert_with(|| Account::new(limits))
    }

    /// A socket opens. Every success must be followed by one [`Admission::leave`].
    ///
    /// # Errors
    /// The house or the address is full.
    pub fn enter(&mut self, origin: Origin, now: Moment) -> Result<(), Refusal> {
        if self.connections >= self.limits.connections {
            return Err(Refusal::ServerFull);
        }
        let most = self.limits.connections_per_address;
        let account = self.account(origin, now);
        if account.connections >= most {
            return Err(Refusal::TooManyFromAddress);
        }
        account.connections += 1;
        self.connections += 1;
        Ok(())
    }

    /// A socket that entered is gone.
    pub fn leave(&mut self, origin: Origin) {
        if let Some(account) = self.accounts.get_mut(&origin) {
            account.connections = account.connections.saturating_sub(1);
            self.connections = self.connections.saturating_sub(1);
        }
    }

    /// Somebody at this address wants to be introduced.
    ///
    /// # Errors
    /// It happens too often.
    pub fn hello(&mut self, origin: Origin, now: Moment) -> Result<(), Refusal> {
        self.account(origin, now).hellos.take(1, now).map_err(|_| Refusal::TooManyHellos)
    }

    /// Somebody at this address wants to leave a file.
    ///
    /// # Errors
    /// It happens too often.
    pub fn upload(&mut self, origin: Origin, now: Moment) -> Result<(), Refusal> {
        let account = self.account(origin, now);
        account.volume.take_on_credit(0, now).map_err(|_| Refusal::TooManyUploads)?;
        account.uploads.take(1, now).map_err(|_| Refusal::TooManyUploads)
    }

    /// Somebody at this address has left so many bytes.
    pub fn uploaded(&mut self, origin: Origin, bytes: u64, now: Moment) {
        self.account(origin, now).volume.charge(kib(bytes), now);
    }

    /// A signature is handed to the notaries. Every success must be followed by one
    /// [`Admission::check_done`].
    ///
    /// # Errors
    /// Too many of this address wait already.
    pub fn check(&mut self, origin: Origin, now: Moment) -> Result<(), Refusal> {
        let most = self.limits.checks_per_address;
        let account = self.account(origin, now);
        if account.checks >= most {
            return Err(Refusal::TooManyChecks);
        }
        account.checks += 1;
        Ok(())
    }

    /// A check is over.
    pub fn check_done(&mut self, origin: Origin) {
        if let Some(account) = self.accounts.get_mut(&origin) {
            account.checks = account.checks.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(last: u8) -> Origin {
        Origin::from(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)))
    }

    #[test]
    fn places_are_counted_per_address_and_in_all() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let mut book = Admission::new(limits);
        let now = Moment::ZERO;
        assert_eq!(book.enter(origin(1), now), Ok(()));
        assert_eq!(book.enter(origin(1), now), Ok(()));
        assert_eq!(book.enter(origin(1), now), Err(Refusal::TooManyFromAddress));
        assert_eq!(book.enter(origin(2), now), Ok(()));
        assert_eq!(book.enter(origin(3), now), Err(Refusal::ServerFull));
        book.leave(origin(1));
        assert_eq!(book.enter(origin(3), now), Ok(()));
    }

    #[test]
    fn whoever_filled_its_hour_waits_and_nobody_else_does() {
        let limits = Limits { upload_bytes_per_address_per_hour: 36 << 20, ..Limits::default() };
        let mut book = Admission::new(limits);
        let at = Moment::from_secs;
        assert_eq!(book.upload(origin(1), at(0)), Ok(()));
        book.uploaded(origin(1), 40 << 20, at(0));
        assert_eq!(book.upload(origin(1), at(1)), Err(Refusal::TooManyUploads));
        assert_eq!(book.upload(origin(2), at(1)), Ok(()));
        assert_eq!(book.upload(origin(1), at(500)), Ok(()), "what was too much has leaked away");
    }

    #[test]
    fn one_ipv6_network_is_one_address_and_mapped_ipv4_is_ipv4() {
        let parse = |text: &str| Origin::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:10.0.0.1"), origin(1));
    }

    #[test]
    fn the_book_forgets_addresses_that_no_longer_matter() {
        let mut book = Admission::new(Limits::default());
        for host in 0..100_000_u32 {
            let origin = Origin::from(IpAddr::V4(Ipv4Addr::from_bits(host)));
            let now = Moment::from_millis(u64::from(host));
            assert_eq!(book.enter(origin, now), Ok(()));
            book.leave(origin);
            assert!(book.accounts.len() <= 2 * SMALLEST_SWEEP);
        }
    }
}
