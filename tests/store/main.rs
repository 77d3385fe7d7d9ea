//! The contract of the store, played against a real file: what was written is there after reopening,
//! and whatever goes wrong is told apart and loses nothing.

mod bans;
mod changes;
mod channel;
mod contract;
mod introductions;
mod offline;
mod peers;
mod rooms;
mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use kith::domain::dialect::Dialect;
use kith::domain::id::KeyId;
use kith::store::{FileRecord, Seen, Store, StoreOptions};
use tempfile::TempDir;

/// A folder of one test, with a database in it.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("kith.db")
    }

    async fn open(&self) -> Store {
        self.open_with(None).await
    }

    async fn open_with(&self, max_pages: Option<u32>) -> Store {
        let options = StoreOptions {
            busy_timeout: Duration::from_millis(200),
            readers: 4,
            max_pages,
            ..StoreOptions::default()
        };
        Store::open_with(&self.path(), &options).await.unwrap()
    }
}

fn key(number: u16) -> KeyId {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    KeyId(digest)
}

fn seen(number: u16, at: i64) -> Seen {
    Seen::now(key(number), Dialect::Olaf, format!("key {number}"), at)
}

fn file(id: &str, at: i64) -> FileRecord {
    FileRecord {
        id: id.to_owned(),
        name: format!("{id}.png"),
        content_type: "image/png".to_owned(),
        bytes: 1000,
        uploaded_at: at,
        expires_at: at + 100,
        downloads: 0,
        digest: None,
    }
}
