//! A file that came in whole, written into a folder of the member's choice.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use uuid::Uuid;

use super::{download::Fetched, error::TransferError, name};

/// Writes a file under as much of the name as is harmless, and never over another one.
///
/// # Errors
/// It cannot be written. Nothing of it is left then.
pub async fn save(folder: PathBuf, wish: String, bytes: Arc<[u8]>) -> Result<Fetched, TransferError> {
    let place = folder.display().to_string();
    let written = tokio::task::spawn_blocking(move || write(&folder, &wish, &bytes)).await;
    written.unwrap_or_else(|_| {
        Err(TransferError::File { path: place, error: std::io::ErrorKind::Interrupted.into() })
    })
}

fn write(folder: &Path, wish: &str, bytes: &[u8]) -> Result<Fetched, TransferError> {
    let failed = |path: &Path, error| TransferError::File { path: path.display().to_string(), error };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    // Whoever looks into the folder meanwhile sees no half of a file under its name.
    let temporary = folder.join(format!(".{}.part", Uuid::new_v4()));
    let fill = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // The name is ours from here on, so that moving there replaces nothing but our own empty file.
        let (_, path) = name::make(folder, &name::harmless(wish))?;
        match fs::rename(&temporary, &path) {
            Ok(()) => Ok(path),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    };
    match fill() {
        Ok(path) => Ok(Fetched { path, bytes: bytes.len() as u64 }),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(failed(&temporary, error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stays_in_its_folder_and_replaces_nothing() {
        let outside = tempfile::tempdir().expect("a folder");
        let folder = outside.path().join("deep/er");
        let saved = |wish: &str, bytes: &[u8]| write(&folder, wish, bytes).expect("written").path;
        assert_eq!(saved("../../notes.txt", b"one"), folder.join("notes.txt"));
        assert_eq!(saved("/etc/notes.txt", b"two"), folder.join("notes (2).txt"));
        assert_eq!(saved("..", b""), folder.join("download"));
        assert_eq!(fs::read(folder.join("notes.txt")).expect("bytes"), b"one");
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 3, "nothing else is left");
        assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1);
        fs::write(outside.path().join("file"), b"").expect("a file");
        assert!(write(&outside.path().join("file"), "x", b"").is_err());
    }
}
