//! Files that are coming in, part by part, until they are whole.
//!
//! A file is a stranger's wish to fill our memory, so there is a bound for one, for all together, and for
//! their number, and whoever falls silent loses its place.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    client::{
        event::{Doubt, Event, Loss},
        person::PersonId,
        transfer::LARGEST_CARRIED,
    },
    crypto::sha256,
    dialect::socp::payload::File,
};

/// Files under way at once, of everybody and of one author.
const MOST_FILES: usize = 16;
const MOST_OF_ONE: usize = 4;
/// What all of them may hold.
const MOST_BYTES: usize = 64 << 20;
/// What a part costs beside its bytes.
const PART_COST: usize = 128;
/// How long the next part may take.
const LONGEST_SILENCE_MS: i64 = 60_000;
/// Steps in which it is told how far a file is, in percent.
const STEP: u64 = 5;
/// Shorter files are here before anybody wonders.
const WORTH_A_WORD: u64 = 64 << 10;

/// Which file: its author and what the author calls it.
type Name = (String, String);

/// The files under way.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    files: BTreeMap<Name, Arrival>,
    held: usize,
}

/// A file under way.
#[derive(Debug)]
struct Arrival {
    from: Result<PersonId, (String, Doubt)>,
    name: String,
    size: u64,
    sha256: String,
    is_private: bool,
    parts: BTreeMap<u64, Vec<u8>>,
    bytes: u64,
    held: usize,
    told: u64,
    heard_ms: i64,
}

impl Arrivals {
    /// A file begins.
    pub(super) fn start(
        &mut self,
        claimed: &str,
        from: Result<PersonId, (String, Doubt)>,
        file: &File<'_>,
        is_private: bool,
        now_ms: i64,
    ) -> Option<Event> {
        let id = (claimed.to_owned(), file.file_id.to_string());
        let name = file.name.as_deref().unwrap_or_default().to_owned();
        let lost = |why| Some(Event::FileLost { claimed: claimed.to_owned(), name: name.clone(), why });
        let Some((size, sha256)) = file.size.zip(file.sha256.as_deref()) else { return lost(Loss::Damaged) };
        if size > LARGEST_CARRIED {
            return lost(Loss::TooLarge);
        }
        let of_one = self.files.keys().filter(|(author, _)| author == claimed).count();
        if self.files.contains_key(&id) || of_one >= MOST_OF_ONE || self.files.len() >= MOST_FILES {
            return lost(Loss::TooMany);
        }
        let (sha256, parts, heard_ms) = (sha256.to_ascii_lowercase(), BTreeMap::new(), now_ms);
        let arrival =
            Arrival { from, name, size, sha256, is_private, parts, bytes: 0, held: 0, told: 0, heard_ms };
        self.files.insert(id, arrival);
        None
    }

    /// Whether the parts of a file are sealed for us, if it is under way.
    pub(super) fn is_private(&self, claimed: &str, file: &File<'_>) -> Option<bool> {
        let id = (claimed.to_owned(), file.file_id.to_string());
        self.files.get(&id).map(|arrival| arrival.is_private)
    }

    /// A part of a file; `None` for one that cannot be opened.
    pub(super) fn part(
        &mut self,
        claimed: &str,
        file: &File<'_>,
        bytes: Option<Vec<u8>>,
        now_ms: i64,
    ) -> Option<Event> {
        let id = (claimed.to_owned(), file.file_id.to_string());
        let arrival = self.files.get_mut(&id)?;
        arrival.heard_ms = now_ms;
        let Some((index, bytes)) = file.index.zip(bytes) else { return self.lose(&id, Loss::Unreadable) };
        if arrival.parts.contains_key(&index) {
            return None;
        }
        arrival.bytes += bytes.len() as u64;
        let cost = bytes.len() + PART_COST;
        arrival.held += cost;
        self.held += cost;
        if arrival.bytes > arrival.size || self.held > MOST_BYTES {
            return self.lose(&id, Loss::TooLarge);
        }
        arrival.parts.insert(index, bytes);
        let percent = arrival.bytes * 100 / arrival.size.max(1) / STEP * STEP;
        if arrival.size < WORTH_A_WORD || percent <= arrival.told || percent >= 100 {
            return None;
        }
        arrival.told = percent;
        Some(Event::Arriving { name: arrival.name.clone(), percent })
    }

    /// A file is complete.
    pub(super) fn end(&mut self, claimed: &str, file: &File<'_>) -> Option<Event> {
        let id = (claimed.to_owned(), file.file_id.to_string());
        let arrival = self.files.get(&id)?;
        let is_whole = (0..).zip(arrival.parts.keys()).all(|(at, index)| at == *index);
        if !is_whole || arrival.bytes != arrival.size {
            return self.lose(&id, Loss::Incomplete);
        }
        let bytes: Vec<u8> = arrival.parts.values().flatten().copied().collect();
        let digest: String = sha256(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != arrival.sha256 {
            return self.lose(&id, Loss::Damaged);
        }
        let Arrival { from, name, is_private, .. } = self.remove(&id)?;
        Some(Event::File { from, name, bytes: Arc::from(bytes), is_private })
    }

    /// Gives up on those that have fallen silent.
    pub(super) fn expire(&mut self, now_ms: i64) -> Vec<Event> {
        let is_silent = |arrival: &Arrival| now_ms.saturating_sub(arrival.heard_ms) > LONGEST_SILENCE_MS;
        let silent: Vec<Name> =
            self.files.iter().filter(|(_, arrival)| is_silent(arrival)).map(|(id, _)| id.clone()).collect();
        silent.iter().filter_map(|id| self.lose(id, Loss::BrokenOff)).collect()
    }

    fn lose(&mut self, id: &Name, why: Loss) -> Option<Event> {
        let Arrival { name, .. } = self.remove(id)?;
        Some(Event::FileLost { claimed: id.0.clone(), name, why })
    }

    fn remove(&mut self, id: &Name) -> Option<Arrival> {
        let arrival = self.files.remove(id)?;
        self.held = self.held.saturating_sub(arrival.held);
        Some(arrival)
    }
}
