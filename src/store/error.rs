//! What can go wrong with the store, told apart by what an operator has to do about it.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

/// Why the store could not do what it was asked. Nothing of a refused write is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database, or too many writes wait. Trying again later may help.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    /// There is no room for a write. Reading goes on.
    #[error("the disk or the database is full")]
    Full(#[source] sqlx::Error),
    /// The file or its folder may not be written. Reading goes on.
    #[error("the database may not be written")]
    ReadOnly(#[source] sqlx::Error),
    /// The file is no database, or its contents are broken: a backup is needed.
    #[error("the database is damaged")]
    Damaged(#[source] sqlx::Error),
    /// A newer program has been here. Going on could lose what it wrote, so nothing is touched.
    #[error(
        "the database {} has schema {found}, but this program knows only up to {known}; \
         run the newer program, or restore a backup made before it",
        path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The schema version in the file.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the database could not be brought to the present schema")]
    Migration(#[source] Box<MigrateError>),
    /// The folder of the database could not be made.
    #[error("the folder {} cannot be made", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// A row that no version of this program writes.
    #[error("a row of the table {table} cannot be understood")]
    Row {
        /// The table.
        table: &'static str,
    },
    /// Another node of the home has a table or a column that this program does not know.
    #[error("the table {table} is another one where it is copied from; run the same version on all nodes")]
    Shape {
        /// The table.
        table: String,
    },
    /// Anything else that the database says.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether it is about what was to be written, and not about where: the same will not be taken later either.
    #[must_use]
    pub const fn is_about_rows(&self) -> bool {
        matches!(self, Self::Row { .. } | Self::Shape { .. } | Self::Database(_))
    }
}

/// The primary result codes of SQLite, <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const NOTADB: i32 = 26;
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy(error);
        }
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        // The extended codes carry the primary one in their lowest byte.
        match code.map(|code| code & 0xff) {
            Some(code::BUSY | code::LOCKED) => Self::Busy(error),
            Some(code::FULL) => Self::Full(error),
            Some(code::READONLY) => Self::ReadOnly(error),
            Some(code::CORRUPT | code::NOTADB) => Self::Damaged(error),
            _ => Self::Database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            // A full disk or a lock is what it is, also while the schema is brought up to date.
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Migration(Box::new(other)),
        }
    }
}
