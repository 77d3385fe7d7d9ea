//! Bringing a database file to the present schema, and refusing one from the future.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::StoreError;

/// The steps from an empty file to the present schema, carried inside the program.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The newest schema this program knows.
pub(super) fn newest_known() -> i64 {
    MIGRATIONS.iter().map(|step| step.version).max().unwrap_or(0)
}

/// Refuses a file with a newer schema, through a connection that cannot write.
pub(super) async fn refuse_the_future(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = options.connect().await?;
    let versioned: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut connection)
            .await?;
    let found: Option<i64> = if versioned {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?
    } else {
        None
    };
    connection.close().await?;
    let (found, known) = (found.unwrap_or(0), newest_known());
    if found > known {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, newest_known};

    /// The files are put in when this module is compiled, and a new file alone does not cause that.
    #[test]
    fn every_migration_file_is_inside_the_program() {
        let folder = std::fs::read_dir("migrations/sqlite").unwrap();
        assert_eq!(folder.count(), MIGRATIONS.iter().count(), "touch src/store/schema.rs and build again");
        assert!(newest_known() > 0);
    }
}
