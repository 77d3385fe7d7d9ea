//! The keys of all servers, made before any of them starts, so that each can be told whom to expect.

use std::{
    path::Path,
    sync::atomic::{AtomicU8, Ordering},
    thread,
};

use super::{error::MeshError, plan};
use crate::identity::{Identity, IdentityError};

/// The digests that name the keys of the first so many servers, in order. What is missing is made, which
/// takes seconds of a processor for each.
pub(super) fn of_servers(folder: &Path, count: u8) -> Result<Vec<String>, MeshError> {
    let missing = (1..=count).filter(|number| !Identity::exists(&plan::data(folder, *number))).count();
    if missing > 0 {
        let whose = if missing == 1 { "a server" } else { "the servers" };
        eprintln!("making the keys of {whose}; this takes a moment, and happens only once");
    }
    let last = AtomicU8::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let number = last.fetch_add(1, Ordering::Relaxed) + 1;
            if number > count {
                return made;
            }
            let identity = Identity::open(&plan::data(folder, number));
            made.push((number, identity.map(|identity| identity.server.public().id().hex())));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(usize::from(count));
    let mut made: Vec<(u8, Result<String, IdentityError>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    made.sort_by_key(|(number, _)| *number);
    if made.len() != usize::from(count) {
        return Err(MeshError::Refused("a key could not be made".to_owned()));
    }
    Ok(made.into_iter().map(|(_, key)| key).collect::<Result<_, _>>()?)
}
