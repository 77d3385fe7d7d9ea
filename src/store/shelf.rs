//! The folder in which the bytes of uploaded files lie, each under the id that its row names.
//!
//! What is not whole has another name until it is: one for files that somebody uploads, one for files that come
//! from another node of the home. **Invariant:** only what [`is_id`] admits ever becomes a part of a path.

use std::{
    collections::HashSet,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::fs;

/// The folder below the data folder.
const FOLDER: &str = "files";
/// Letters and digits that an extension may have.
pub const EXTENSION: usize = 8;
/// What files are called that somebody uploads; no id begins like this.
const UPLOAD: &str = ".upload-";
/// What files are called that come from another node.
const FETCH: &str = ".fetch-";

/// The folder. Copies are the same one.
#[derive(Clone, Debug)]
pub struct Shelf(Arc<Path>);

impl Shelf {
    /// The folder of a data folder, whether it is there or not.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.join(FOLDER).into())
    }

    /// Makes the folder if need be.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn make(&self) -> io::Result<()> {
        if !self.0.is_dir() {
            fs::create_dir_all(&self.0).await?;
            // The names of files are what keeps them secret.
            fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700)).await?;
        }
        Ok(())
    }

    /// Where a whole file lies.
    #[must_use]
    pub fn file(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// Where it lies while it is uploaded.
    #[must_use]
    pub fn upload(&self, id: &str) -> PathBuf {
        self.0.join(format!("{UPLOAD}{id}"))
    }

    /// Where it lies while it comes from another node.
    #[must_use]
    pub fn fetch(&self, id: &str) -> PathBuf {
        self.0.join(format!("{FETCH}{id}"))
    }

    /// Everything in the folder that is called as we call things. Other files are left alone.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn names(&self) -> io::Result<HashSet<String>> {
        let mut names = HashSet::new();
        let mut folder = fs::read_dir(&self.0).await?;
        while let Some(entry) = folder.next_entry().await? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_id(id_of(&name)) {
                names.insert(name);
            }
        }
        Ok(names)
    }

    /// Whether a whole file of this length lies here.
    pub async fn holds(&self, id: &str, bytes: u64) -> bool {
        fs::metadata(self.file(id)).await.is_ok_and(|found| found.is_file() && found.len() == bytes)
    }

    /// Opens a whole file; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn open(&self, id: &str) -> io::Result<Option<fs::File>> {
        if !is_id(id) {
            return Ok(None);
        }
        match fs::File::open(self.file(id)).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a name out of the folder, if it is there.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub async fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes away whatever there is of a file that comes from another node, and the file itself.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub async fn clear(&self, id: &str) -> io::Result<()> {
        self.remove(&format!("{FETCH}{id}")).await?;
        self.remove(id).await
    }

    /// How many bytes the disk of the folder can still take.
    ///
    /// # Errors
    /// The system does not tell.
    pub async fn free(&self) -> io::Result<u64> {
        let folder = Arc::clone(&self.0);
        // A disk that hangs must hold up nobody else.
        let disk = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&*folder)).await??;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// Whether this could be an id of ours.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let (name, extension) = text.split_once('.').unwrap_or((text, "x"));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() == 32
        && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        && (1..=EXTENSION).contains(&extension.len())
        && extension.bytes().all(plain)
}

/// The id in a name of the folder, whole or on its way.
#[must_use]
pub fn id_of(name: &str) -> &str {
    name.strip_prefix(UPLOAD).or_else(|| name.strip_prefix(FETCH)).unwrap_or(name)
}

/// Whether a name is that of a file which comes from another node.
#[must_use]
pub fn is_fetched(name: &str) -> bool {
    name.starts_with(FETCH)
}
