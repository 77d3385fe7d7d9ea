//! `mesh.json`: who runs where, for the next start and for visitors. It holds the token of the control
//! door, so only its owner can read it.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::error::MeshError;
use crate::identity::write_secret;

/// What is remembered of a mesh.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where wishes are heard; none while nothing runs.
    pub(super) control: Option<Control>,
    /// The doors of each server.
    pub(super) servers: Vec<Doors>,
    /// The port through which each server dials each other.
    pub(super) lines: Vec<Line>,
}

/// The control door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Control {
    pub(super) address: SocketAddr,
    pub(super) token: String,
}

/// The doors of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doors {
    pub(super) number: u8,
    pub(super) main: u16,
    pub(super) admin: u16,
}

/// The port through which one server dials another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) port: u16,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("mesh.json")
}

impl Record {
    /// What an earlier mesh left, or nothing.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, MeshError> {
        let path = path(folder);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MeshError::File { path, error }),
        };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| MeshError::Record { path, problem: error.to_string() })
    }

    /// Keeps it for the next one.
    pub(super) fn write(&self, folder: &Path) -> Result<(), MeshError> {
        let path = path(folder);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| MeshError::Record { path: path.clone(), problem: error.to_string() })?;
        Ok(write_secret(&path, &text)?)
    }

    /// Takes newer facts in. What is known of servers that are not started this time is kept.
    pub(super) fn renew(&mut self, servers: &[Doors], lines: &[Line]) {
        self.servers.retain(|old| servers.iter().all(|new| new.number != old.number));
        self.servers.extend(servers);
        self.lines.retain(|old| lines.iter().all(|new| (new.from, new.to) != (old.from, old.to)));
        self.lines.extend(lines);
    }

    /// The doors that this server had.
    pub(super) fn doors(&self, number: u8) -> Option<Doors> {
        self.servers.iter().copied().find(|doors| doors.number == number)
    }

    /// The port of this line.
    pub(super) fn line(&self, from: u8, to: u8) -> Option<u16> {
        self.lines.iter().find(|line| (line.from, line.to) == (from, to)).map(|line| line.port)
    }
}

/// Keeps a second one out of a folder for as long as the file is held.
pub(super) fn lock(folder: &Path) -> Result<fs::File, MeshError> {
    let path = folder.join("mesh.lock");
    let failed = |error| MeshError::File { path: path.clone(), error };
    let file = fs::File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(MeshError::InUse(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_only_by_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Record::read(folder.path()).expect("nothing"), None);
        let record = Record {
            control: Some(Control { address: ([127, 0, 0, 1], 9).into(), token: "secret".to_owned() }),
            servers: vec![Doors { number: 1, main: 8080, admin: 9090 }],
            lines: vec![Line { from: 1, to: 2, port: 7 }],
        };
        record.write(folder.path()).expect("a file");
        let mode = fs::metadata(path(folder.path())).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Record::read(folder.path()).expect("a file").expect("a record");
        assert_eq!((again.line(1, 2), again.line(2, 1)), (Some(7), None));
        assert_eq!(again, record);
        fs::write(path(folder.path()), "{").expect("a file");
        assert!(matches!(Record::read(folder.path()), Err(MeshError::Record { .. })));
    }

    #[test]
    fn a_folder_has_one_keeper() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = lock(folder.path()).expect("a lock");
        assert!(matches!(lock(folder.path()), Err(MeshError::InUse(_))));
        drop(held);
        lock(folder.path()).expect("a lock");
    }
}
