//! The ready file: how scripts learn that the doors are open, and where.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{Doors, StartupError};
use crate::domain::dialect::Dialect;

/// Tells scripts that the doors are open. Gone when the process ends in order.
pub(super) struct ReadyFile(PathBuf);

impl ReadyFile {
    pub(super) fn write(path: PathBuf, doors: &Doors, data: &Path) -> Result<Self, StartupError> {
        let token = crate::identity::read_token(data)?.unwrap_or_default();
        let own = |dialect| doors.of_dialect(dialect).map(|door| door.to_string());
        let text = serde_json::json!({
            "listen": doors.main.to_string(),
            "socp": own(Dialect::Socp),
            "tpacket": own(Dialect::Tpacket),
            "rendezvous": doors.rendezvous.map(|door| door.to_string()),
            "admin": doors.admin.to_string(),
            "token": *token,
            "pid": std::process::id(),
        });
        let draft = path.with_extension("new");
        let write = || {
            let _ = fs::remove_file(&draft);
            // It holds the token.
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            writeln!(file, "{text}")?;
            fs::rename(&draft, &path)
        };
        write().map_err(|error| StartupError::File { path: path.clone(), error })?;
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
