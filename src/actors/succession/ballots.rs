//! What a node must never forget, in a file of its own: the database belongs to the home, and goes from node to
//! node.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::succession::{Epoch, NodeId, ballot::Ballot};

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Ballots {
    path: PathBuf,
    node: NodeId,
}

#[derive(Serialize, Deserialize)]
struct Written {
    node: Uuid,
    run: u64,
    epoch: u64,
    voted: Option<Uuid>,
    promised: Option<Uuid>,
    /// Missing in files of the time in which nobody wrote it down.
    #[serde(default)]
    promised_ms: u64,
}

impl Ballots {
    /// Reads the file. Where there is none, the node gets an id, which is on disk before anybody hears it.
    ///
    /// # Errors
    /// The file cannot be read or written, or something else is in it. Nothing is made up then: a node that
    /// forgot a vote could give it twice.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Ballot)> {
        let read = match fs::read(path) {
            Ok(text) => Some(serde_json::from_slice::<Written>(&text).map_err(io::Error::other)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let path = path.to_owned();
        let Some(read) = read else {
            let ballots = Self { path, node: NodeId(Uuid::new_v4().as_u128()) };
            ballots.write(Ballot::default())?;
            return Ok((ballots, Ballot::default()));
        };
        let id = |id: Uuid| NodeId(id.as_u128());
        let ballot = Ballot {
            run: read.run,
            epoch: Epoch(read.epoch),
            voted: read.voted.map(id),
            promised: read.promised.map(id),
            promised_for: Duration::from_millis(read.promised_ms),
        };
        Ok((Self { path, node: id(read.node) }, ballot))
    }

    /// The node's own id.
    #[must_use]
    pub(super) const fn node(&self) -> NodeId {
        self.node
    }

    /// Writes it so that neither a crash nor a power cut undoes it.
    ///
    /// # Errors
    /// It may or may not be on disk.
    pub(super) fn write(&self, ballot: Ballot) -> io::Result<()> {
        let id = |id: NodeId| Uuid::from_u128(id.0);
        let written = Written {
            node: id(self.node),
            run: ballot.run,
            epoch: ballot.epoch.0,
            voted: ballot.voted.map(id),
            promised: ballot.promised.map(id),
            promised_ms: u64::try_from(ballot.promised_for.as_millis()).unwrap_or(u64::MAX),
        };
        let text = serde_json::to_vec_pretty(&written)?;
        let draft = self.path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // The name of the file is in the folder, and that has to be on disk as well.
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_id_and_its_vote() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("node");
        let (ballots, first) = Ballots::open(&path).expect("a new file");
        assert_eq!(first, Ballot::default());
        let (voted, promised) = (Some(NodeId(9)), Some(NodeId(8)));
        let promised_for = Duration::from_millis(9_900);
        let vote = Ballot { run: 3, epoch: Epoch(7), voted, promised, promised_for };
        ballots.write(vote).expect("written");
        let (again, read) = Ballots::open(&path).expect("the same file");
        assert_eq!((again.node(), read), (ballots.node(), vote));
    }

    #[test]
    fn a_file_that_says_something_else_is_no_reason_to_forget() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("node");
        for text in ["", "{}", "no", "{\"node\": 1}"] {
            fs::write(&path, text).expect("a file");
            assert!(Ballots::open(&path).is_err(), "{text}");
        }
    }
}
