//! Which uploaded files this node has only the rows of.

use std::{cmp::Reverse, collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::store::FileRecord;

/// How long a file rests that the other side does not have either.
const REST: Duration = Duration::from_secs(30);

/// Files that may be lacking where a hand-over begins, and their bytes: what goes over a line of 100 Mbit/s in a
/// third of a lease, while everybody is still served.
const FEW: Lacks = Lacks { files: 256, bytes: 32 << 20 };

/// Files of which the rows are here and the bytes are not, although whoever serves has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacks {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Lacks {
    /// Whether that is everything.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.files == 0
    }

    /// Whether it is so little that a hand-over can wait for it.
    #[must_use]
    pub const fn is_little(self) -> bool {
        self.files <= FEW.files && self.bytes <= FEW.bytes
    }
}

impl fmt::Display for Lacks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} uploaded files ({} bytes)", self.files, self.bytes)
    }
}

/// What people are shown of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What is still to be fetched.
    pub lacks: Lacks,
    /// Files that whoever was asked does not have either.
    pub lost: u64,
    /// How often fetching failed.
    pub failures: u64,
    /// Why it failed last, if nothing has come since.
    pub trouble: Option<Arc<str>>,
}

/// A file whose bytes are not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) bytes: u64,
    pub(super) digest: Option<[u8; 32]>,
    uploaded_at: i64,
    tries: u32,
    /// Whoever was asked does not have it, so nobody waits for it. It is asked for again from then on.
    rests: Option<Instant>,
}

impl Wanted {
    pub(super) fn of(record: &FileRecord) -> Self {
        let &FileRecord { bytes, digest, uploaded_at, .. } = record;
        Self { bytes, digest, uploaded_at, tries: 0, rests: None }
    }

    fn is_awake(&self, now: Instant) -> bool {
        self.rests.is_none_or(|until| until <= now)
    }
}

#[derive(Debug, Default)]
struct Page {
    /// None: nobody has looked yet.
    wanted: Option<BTreeMap<String, Wanted>>,
    /// All of them that do not rest, counted as they come and go: a new node may lack a hundred thousand.
    lacks: Lacks,
    failures: u64,
    trouble: Option<Arc<str>>,
}

impl Page {
    fn wanted(&self) -> impl Iterator<Item = (&String, &Wanted)> {
        self.wanted.iter().flatten()
    }

    fn put(&mut self, id: String, wanted: Wanted) {
        self.take(&id);
        if wanted.rests.is_none() {
            self.lacks.files += 1;
            self.lacks.bytes = self.lacks.bytes.saturating_add(wanted.bytes);
        }
        self.wanted.get_or_insert_default().insert(id, wanted);
    }

    fn take(&mut self, id: &str) -> Option<Wanted> {
        let taken = self.wanted.as_mut()?.remove(id)?;
        if taken.rests.is_none() {
            self.lacks.files = self.lacks.files.saturating_sub(1);
            self.lacks.bytes = self.lacks.bytes.saturating_sub(taken.bytes);
        }
        Some(taken)
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Wanted)) {
        if let Some(mut wanted) = self.take(id) {
            change(&mut wanted);
            self.put(id.to_owned(), wanted);
        }
    }
}

/// The list, which whoever follows writes, whoever fetches strikes out, and whoever wants may read.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<watch::Sender<Page>>);

impl Default for Ledger {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Page::default())))
    }
}

impl Ledger {
    /// What is still to be fetched.
    #[must_use]
    pub fn lacks(&self) -> Lacks {
        self.0.borrow().lacks
    }

    /// The same, or nothing as long as nobody has looked.
    #[must_use]
    pub fn known(&self) -> Option<Lacks> {
        let page = self.0.borrow();
        page.wanted.as_ref().map(|_| page.lacks)
    }

    /// Whether this node has nearly all that whoever serves has, as far as it knows at all.
    #[must_use]
    pub fn is_nearly_whole(&self) -> bool {
        self.known().is_some_and(Lacks::is_little)
    }

    /// What people are shown.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let lacks = self.lacks();
        let page = self.0.borrow();
        let lost = page.wanted().filter(|(_, wanted)| wanted.rests.is_some()).count();
        let lost = u64::try_from(lost).unwrap_or(u64::MAX);
        Shown { lacks, lost, failures: page.failures, trouble: page.trouble.clone() }
    }

    /// Hears when anything has changed.
    pub(super) fn watch(&self) -> impl AsyncFnMut() {
        let mut changes = self.0.subscribe();
        async move || {
            // The sender lives as long as we do.
            let _ = changes.changed().await;
        }
    }

    /// From now on these are lacking, and no others. What rests goes on resting.
    pub(super) fn set(&self, wanted: BTreeMap<String, Wanted>) {
        self.0.send_modify(|page| {
            let before = page.wanted.replace(BTreeMap::new()).unwrap_or_default();
            page.lacks = Lacks::default();
            for (id, mut new) in wanted {
                if let Some(old) = before.get(&id).filter(|old| old.digest == new.digest) {
                    new.rests = old.rests;
                }
                page.put(id, new);
            }
        });
    }

    /// Whatever rests is asked for again, because somebody else is asked.
    pub(super) fn wake(&self) {
        self.0.send_modify(|page| {
            for wanted in page.wanted.iter_mut().flat_map(BTreeMap::values_mut) {
                wanted.rests = wanted.rests.map(|_| Instant::now());
            }
        });
    }

    /// Its row has come or changed, so whoever serves has it now even if it did not before.
    pub(super) fn want(&self, record: &FileRecord) {
        self.0.send_modify(|page| {
            page.put(record.id.clone(), Wanted::of(record));
        });
    }

    /// All that is lacking.
    pub(super) fn ids(&self) -> Vec<String> {
        self.0.borrow().wanted().map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn forget(&self, id: &str) {
        self.0.send_if_modified(|page| page.take(id).is_some());
    }

    pub(super) fn is_wanted(&self, id: &str) -> bool {
        self.0.borrow().wanted.as_ref().is_some_and(|wanted| wanted.contains_key(id))
    }

    /// What is fetched next, and not more than so many: the newest first, because they are most likely to be asked for;
    /// but what was tried in vain lets everything else go before it.
    pub(super) fn next(&self, most: usize) -> Vec<(String, Wanted)> {
        let (page, now) = (self.0.borrow(), Instant::now());
        let mut awake: Vec<_> = page.wanted().filter(|(_, wanted)| wanted.is_awake(now)).collect();
        awake.sort_by_key(|(_, wanted)| (wanted.tries, Reverse(wanted.uploaded_at)));
        awake.into_iter().take(most).map(|(id, wanted)| (id.clone(), wanted.clone())).collect()
    }

    /// Whether there is something to fetch.
    pub(super) fn has_next(&self) -> bool {
        let now = Instant::now();
        self.0.borrow().wanted().any(|(_, wanted)| wanted.is_awake(now))
    }

    /// Returns when there is something to fetch.
    pub(super) async fn until_next(&self) {
        let mut changes = self.0.subscribe();
        loop {
            changes.mark_unchanged();
            if self.has_next() {
                return;
            }
            let first = self.0.borrow().wanted().filter_map(|(_, wanted)| wanted.rests).min();
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(first.unwrap_or_else(Instant::now)), if first.is_some() => {}
            }
        }
    }

    pub(super) fn tried(&self, id: &str) {
        self.0.send_modify(|page| page.change(id, |wanted| wanted.tries = wanted.tries.saturating_add(1)));
    }

    /// Whoever was asked does not have it.
    pub(super) fn rest(&self, id: &str) {
        self.0.send_modify(|page| page.change(id, |wanted| wanted.rests = Some(Instant::now() + REST)));
    }

    /// Gives a whole file its place, unless its row has gone meanwhile. Says whether it has it.
    pub(super) fn place(&self, id: &str, place: impl FnOnce() -> io::Result<()>) -> io::Result<bool> {
        let mut placed = Ok(false);
        // Nobody can strike it out between the question and the act.
        self.0.send_modify(|page| {
            if !page.wanted.as_ref().is_some_and(|wanted| wanted.contains_key(id)) {
                return;
            }
            placed = place().map(|()| true);
            if placed.is_ok() {
                page.take(id);
                page.trouble = None;
            }
        });
        placed
    }

    pub(super) fn failed(&self, why: &impl fmt::Display) {
        self.0.send_modify(|page| {
            page.failures += 1;
            page.trouble = Some(why.to_string().into());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, bytes: u64, uploaded_at: i64) -> FileRecord {
        FileRecord {
            id: id.to_owned(),
            name: String::new(),
            content_type: String::new(),
            bytes,
            uploaded_at,
            expires_at: i64::MAX,
            downloads: 0,
            digest: None,
        }
    }

    #[test]
    fn nobody_is_nearly_whole_before_somebody_has_looked() {
        let ledger = Ledger::default();
        assert!(ledger.known().is_none() && !ledger.is_nearly_whole());
        ledger.set(BTreeMap::new());
        assert!(ledger.known().is_some_and(Lacks::is_nothing) && ledger.is_nearly_whole());
        ledger.want(&record("a", FEW.bytes, 1));
        assert!(ledger.is_nearly_whole());
        ledger.want(&record("b", 1, 1));
        assert!(!ledger.is_nearly_whole());
        assert_eq!(ledger.lacks(), Lacks { files: 2, bytes: FEW.bytes + 1 });
    }

    #[tokio::test]
    async fn the_newest_goes_first_and_what_nobody_has_holds_up_nobody() {
        let ledger = Ledger::default();
        for (id, at) in [("old", 1), ("new", 3), ("middle", 2)] {
            ledger.want(&record(id, 10, at));
        }
        let next = || ledger.next(1).pop().map(|(id, _)| id);
        assert_eq!(next().as_deref(), Some("new"));
        ledger.tried("new");
        assert_eq!(next().as_deref(), Some("middle"), "what failed waits for its turn");
        for id in ["middle", "old", "new"] {
            ledger.rest(id);
        }
        assert_eq!((next(), ledger.lacks()), (None, Lacks::default()));
        assert_eq!(ledger.shown().lost, 3);
        // A whole copy comes, and knows no more of them.
        let wanted = ["old", "new"].map(|id| (id.to_owned(), Wanted::of(&record(id, 10, 1))));
        ledger.set(wanted.into());
        assert_eq!((ledger.shown().lost, ledger.lacks()), (2, Lacks::default()));
        assert_eq!(next(), None, "what rests goes on resting");
        ledger.wake();
        ledger.until_next().await;
        assert!(
            next().is_some() && ledger.lacks().is_nothing(),
            "somebody else is asked, and nobody waits for it"
        );
        ledger.want(&record("old", 10, 1));
        assert_eq!(ledger.lacks().files, 1, "it is there again");
    }

    #[test]
    fn a_file_whose_row_has_gone_gets_no_place() {
        let ledger = Ledger::default();
        ledger.want(&record("a", 10, 1));
        assert!(ledger.place("a", || Err(io::Error::other("no"))).is_err());
        assert!(ledger.is_wanted("a"));
        assert!(ledger.place("a", || Ok(())).expect("a place"));
        assert!(!ledger.place("a", || panic!("nobody asked for it")).expect("no place"));
        assert!(ledger.lacks().is_nothing());
    }
}
