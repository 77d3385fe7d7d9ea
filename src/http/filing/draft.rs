//! A file that is not whole yet.

use std::path::PathBuf;

use tokio::{
    fs::{File, OpenOptions, rename},
    io::AsyncWriteExt as _,
};
use uuid::Uuid;

use super::{Filing, FilingError};
use crate::{
    actors::{clock::unix_ms, stillness::UnderWay},
    crypto::Digester,
    store::{FileRecord, shelf::EXTENSION},
};

/// Characters of a name that are kept.
const NAME: usize = 120;

/// A file on its way in. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    filing: Filing,
    id: String,
    name: String,
    /// Where the bytes are at the moment; `None` once they are to stay.
    path: Option<PathBuf>,
    file: File,
    bytes: u64,
    digest: Digester,
}

impl Draft {
    pub(super) async fn begin(filing: Filing, name: &str) -> Result<Self, FilingError> {
        let name = plain_name(name);
        let id = format!("{}{}", Uuid::new_v4().simple(), extension(&name));
        let path = filing.0.shelf.upload(&id);
        filing.open_drafts().insert(id.clone());
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await;
        match opened {
            Ok(file) => {
                Ok(Self { filing, id, name, path: Some(path), file, bytes: 0, digest: Digester::default() })
            }
            Err(error) => {
                filing.open_drafts().remove(&id);
                Err(error.into())
            }
        }
    }

    /// Writes what arrived.
    ///
    /// # Errors
    /// The file or all files together would become too large, or the disk refuses.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), FilingError> {
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let most = self.filing.0.limits.upload_bytes;
        if self.bytes.saturating_add(length) > most {
            return Err(FilingError::TooLarge(most));
        }
        self.filing.reserve(length)?;
        self.bytes += length;
        self.digest.add(chunk);
        Ok(self.file.write_all(chunk).await?)
    }

    /// The file is whole: gives it its place and its row.
    ///
    /// Runs to its end even if nobody waits for it any more, so that a row never stands alone. That it is
    /// `under_way` ends with it, so whoever gives the house away waits for the row.
    ///
    /// # Errors
    /// The disk or the store refuses.
    pub async fn keep(self, content_type: &str, under_way: UnderWay) -> Result<FileRecord, FilingError> {
        let content_type = content_type.to_owned();
        let work = async move {
            let kept = self.settle(content_type).await;
            drop(under_way);
            kept
        };
        tokio::spawn(work).await.map_err(|error| FilingError::Disk(error.into()))?
    }

    async fn settle(mut self, content_type: String) -> Result<FileRecord, FilingError> {
        self.file.flush().await?;
        // A row that survives a power cut while its bytes do not would serve garbage under a good
        // name. The folder is not synced: a name that is lost is a row without file, which is swept.
        self.file.sync_data().await?;
        let place = self.filing.0.shelf.file(&self.id);
        if let Some(draft) = &self.path {
            rename(draft, &place).await?;
        }
        self.path = Some(place);
        let now = unix_ms();
        let record = FileRecord {
            id: self.id.clone(),
            name: self.name.clone(),
            content_type,
            bytes: self.bytes,
            uploaded_at: now,
            expires_at: now + i64::from(self.filing.0.limits.upload_keep_s) * 1000,
            downloads: 0,
            digest: Some(std::mem::take(&mut self.digest).finish()),
        };
        self.filing.0.store.add_file(&record).await?;
        self.path = None;
        Ok(record)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // Unlinking is short, and there is nobody left who could wait for it.
            let _ = std::fs::remove_file(path);
            self.filing.release(self.bytes);
        }
        self.filing.open_drafts().remove(&self.id);
    }
}

/// The last part of a path, without what could fool a terminal or a person, and not too long.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let harmless = |letter: &char| !letter.is_control() && !is_invisible(*letter);
    let name: String = last.chars().filter(harmless).take(NAME).collect();
    let name = name.trim();
    if name.trim_matches('.').is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// Marks that turn or hide text: with them `exe.jpg` can be made to look the other way round.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The extension of a name with its dot, if it is one that fits into a URL as it is.
fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, last))
            if (1..=EXTENSION).contains(&last.len())
                && last.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            format!(".{}", last.to_ascii_lowercase())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{extension, plain_name};

    #[test]
    fn names_become_harmless_and_stay_readable() {
        for (name, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\a b.txt", "a b.txt"),
            ("käse 🧀.md", "käse 🧀.md"),
            ("a\r\nb\0\u{202e}gpj.exe", "abgpj.exe"),
            ("", "file"),
            ("..", "file"),
            ("/", "file"),
        ] {
            assert_eq!(plain_name(name), expected, "{name:?}");
        }
        assert_eq!(plain_name(&"é".repeat(5000)).chars().count(), 120);
    }

    #[test]
    fn only_short_plain_extensions_are_kept() {
        for (name, expected) in [
            ("a.PNG", ".png"),
            ("a.tar.gz", ".gz"),
            ("a", ""),
            ("a.", ""),
            ("a.toolongext", ""),
            ("a.ü", ""),
            ("a.b c", ""),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
    }
}
