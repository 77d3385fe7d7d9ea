//! Whether a node that stands by could lead: somebody stands at its doors, its disk takes writes, its copy follows, and
//! has nearly all uploaded files.
//!
//! The leader asks before it gives its place away, while it still serves. A node that finds out afterwards costs the
//! home an election.

use std::{
    fs, io,
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use actix_rt::task::JoinHandle;
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    actors::succession::helm::Helm,
    domain::succession::{Epoch, message::Objection},
    store::Mark,
};

/// What is written to see whether the disk takes it: a full one has no room for this either.
static SAMPLE: [u8; 64 << 10] = [0; 64 << 10];
/// How long that may take. The leader waits for the answer somewhat longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// The file.
const FILE: &str = "probe";

/// What has to be in order.
pub(super) struct Readiness<'a> {
    pub(super) data: &'a Path,
    /// Whoever stands at the doors.
    pub(super) doors: [JoinHandle<io::Result<()>>; 2],
}

impl Readiness<'_> {
    /// Says to the election whether we could lead in this epoch, as soon as that is known.
    pub(super) fn say(&self, helm: &Helm, epoch: Epoch, mark: Option<Mark>) {
        let leads = helm.state.borrow().epoch;
        // A copy of an earlier reign is not what is written now.
        let follows = mark.is_some_and(|mark| mark.epoch == leads.0);
        if self.doors.iter().any(JoinHandle::is_finished) {
            return answer(helm, epoch, Err(Objection::NoDoors));
        }
        if !follows {
            return answer(helm, epoch, Err(Objection::NoCopy));
        }
        // Files of hours would not come within a lease.
        if !helm.ledger.is_nearly_whole() {
            tracing::info!(lacks = %helm.ledger.lacks(), "uploaded files are still to come");
            return answer(helm, epoch, Err(Objection::NoFiles));
        }
        let (helm, path) = (helm.clone(), self.data.join(FILE));
        actix_rt::spawn(async move {
            let written = timeout(PATIENCE, spawn_blocking(move || write(&path))).await;
            let ready = match written {
                Ok(Ok(Ok(()))) => Ok(()),
                trouble => {
                    tracing::warn!(?trouble, "the disk of this node takes no writes");
                    Err(Objection::NoDisk)
                }
            };
            answer(&helm, epoch, ready);
        });
    }
}

fn answer(helm: &Helm, epoch: Epoch, ready: Result<(), Objection>) {
    if let Err(why) = ready {
        tracing::warn!(why = why.word(), "this node could not lead, and says so");
    }
    helm.prepared(epoch, ready);
}

fn write(path: &Path) -> io::Result<()> {
    // Whoever was given up may still be at it, with the same file.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = fs::File::create(path)?;
    file.write_all(&SAMPLE)?;
    file.sync_all()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_asked_by_writing_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        write(&path).expect("it takes writes");
        assert!(!path.exists());
        fs::create_dir(&path).expect("a folder in the way");
        assert!(write(&path).is_err());
    }

    #[test]
    fn two_who_ask_at_once_do_not_take_the_file_away_from_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20).for_each(|_| write(&path).expect("it takes writes")));
            }
        });
        assert!(!path.exists());
    }
}
