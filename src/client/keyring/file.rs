//! Private files: read only if they are private, and written whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::KeyringError;
use crate::crypto::keys::KeyError;

/// Reads a private file; nothing if there is none.
pub(super) fn read(path: &Path, most: Option<u64>) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let failed = |error| KeyringError::File { path: path.to_owned(), error };
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyringError::Exposed { path: path.to_owned(), mode });
    }
    if most.is_some_and(|most| metadata.len() > most) {
        return Err(unreadable(path, &"it is too large"));
    }
    fs::read_to_string(path).map(|text| Some(Zeroizing::new(text))).map_err(failed)
}

/// Writes a private file beside another, whole and safe on the disk, and says where.
pub(super) fn write_beside(path: &Path, text: &[u8]) -> Result<PathBuf, KeyringError> {
    let mut random = [0; 6];
    SystemRandom::new().fill(&mut random).map_err(|_| KeyError::NotMade)?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let temporary = path.with_extension(format!("{random}.new"));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        KeyringError::File { path: temporary.clone(), error }
    })?;
    Ok(temporary)
}

pub(super) fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> KeyringError {
    KeyringError::Unreadable { path: path.to_owned(), why: why.to_string() }
}
