//! What the house remembers across restarts: facts about itself, members it has met, files
//! it keeps, neighbours it knows, bans, rooms and their histories, and where operators have said that members listen.
//!
//! One SQLite file, one connection that writes and a few that read. SQLite has one writer at a time
//! anyway; with a single connection our own writes queue in order and in memory, and never meet each
//! other as a lock. Thanks to the write-ahead log the readers see the last committed state and never
//! wait for the writer. Of what members say, only lines of rooms come here, which have a history, and sealed letters that
//! wait for somebody who is away. Nothing here asks for the time.

mod bans;
mod changes;
mod channel;
mod error;
mod facts;
mod files;
mod introductions;
mod members;
mod offline;
mod peers;
mod record;
mod rooms;
mod schema;
pub mod shelf;
mod users;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};

pub use changes::{Batch, Cell, Change, Copy, Mark, Replacement, Shape, Since, Whole};
pub use error::StoreError;
pub use offline::{Offline, OfflineChange, OfflineRecord};
pub use record::{BadCursor, Cursor, FileRecord, MemberRecord, Page, PeerRecord, Seen};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long a write waits for a lock of another process, and a request for a connection.
    pub busy_timeout: Duration,
    /// Connections that only read.
    pub readers: u32,
    /// The most pages (of 4 KiB) that the file may have; `None` leaves that to the disk.
    pub max_pages: Option<u32>,
    /// Whether references between tables are looked after.
    pub references: bool,
    /// Whether what is committed survives a power cut, and not only the end of the program. `cargo bench --bench disk`
    /// measures what that costs.
    pub power_cuts: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            max_pages: None,
            references: true,
            power_cuts: true,
        }
    }
}

/// The open store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    /// The tables that a successor carries on. No schema changes while it is open.
    shapes: Arc<[Shape]>,
}

impl Store {
    /// Opens the database file, makes it if there is none, and brings it to the present schema.
    ///
    /// # Errors
    ///
    /// A file with a newer schema is refused untouched; see [`StoreError`] for the rest.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &StoreOptions::default()).await
    }

    /// The same, with other options.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn open_with(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        schema::refuse_the_future(path).await?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| StoreError::Folder { path: folder.to_owned(), error })?;
        }
        make_private(path).map_err(|error| StoreError::Folder { path: path.to_owned(), error })?;
        let both = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(options.busy_timeout)
            .foreign_keys(options.references)
            // Whoever is told that something is kept was told so after a commit, and a copy says what it has. With
            // less, a power cut would cost the last moments of both, though never the file.
            .synchronous(match options.power_cuts {
                true => SqliteSynchronous::Full,
                false => SqliteSynchronous::Normal,
            });
        let mut writing = both.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        if let Some(pages) = options.max_pages {
            writing = writing.pragma("max_page_count", pages.to_string());
        }
        let writer = pool(1, options).connect_with(writing).await?;
        schema::MIGRATIONS.run(&writer).await?;
        // A reader opened as read-only could not join a log that it has to make first; one that may
        // write, but is told not to, can.
        let reading = both.create_if_missing(false).pragma("query_only", "ON");
        let readers = pool(options.readers.max(1), options).connect_with(reading).await?;
        let shapes = changes::shapes(&readers).await?.into();
        Ok(Self { writer, readers, shapes })
    }

    /// Writes one small row for good, so that a full disk or a stuck lock shows.
    ///
    /// A write that is rolled back would prove nothing: it never leaves the memory of the process.
    ///
    /// # Errors
    ///
    /// Fails with whatever the next real write would fail with.
    pub async fn probe(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE probe SET count = count + 1 WHERE id = 1").execute(&self.writer).await?;
        Ok(())
    }

    /// The schema version of the file, which is the newest this program knows.
    #[must_use]
    pub fn schema_version() -> i64 {
        schema::newest_known()
    }

    /// Closes the store once what is running has ended, and folds the log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that may write. It takes the lock at once, because one that has to turn
    /// from reading to writing half-way cannot wait and fails.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Makes the file, readable only by its owner: it holds the names of uploads, and who has a name may
/// read the file. The log files beside it take over its mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Connections stay open for the life of the store: opening one costs more than keeping it, and
/// settings such as `max_page_count` belong to the connection.
fn pool(connections: u32, options: &StoreOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(options.busy_timeout)
        // When a write fails for want of room, SQLite itself ends the transaction. The later
        // `ROLLBACK` of sqlx then fails, and sqlx believes for ever that one is open: the connection
        // could never begin another. Such a connection is thrown away; the pool makes a new one. The
        // ping comes after a rollback that is still under way.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn what_is_committed_waits_for_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        for (power_cuts, expected) in [(true, 2), (false, 1)] {
            let options = StoreOptions { power_cuts, ..StoreOptions::default() };
            let store = Store::open_with(&folder.path().join("kith.db"), &options).await.expect("a store");
            let level: i64 =
                sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.writer).await.expect("a number");
            assert_eq!(level, expected);
            store.close().await;
        }
    }
}
