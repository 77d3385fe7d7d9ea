//! The uploaded files: what they are called and how long they stay. Their bytes lie elsewhere.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::Store;
use super::error::StoreError;
use super::record::{Cursor, FileRecord, Page};

impl Store {
    /// Adds a file. An id that is taken is refused.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn add_file(&self, file: &FileRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO files (id, name, content_type, bytes, uploaded_at, expires_at, downloads, digest)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&file.id)
        .bind(&file.name)
        .bind(&file.content_type)
        .bind(clamp(file.bytes))
        .bind(file.uploaded_at)
        .bind(file.expires_at)
        .bind(clamp(file.downloads))
        .bind(file.digest.as_ref().map(<[u8; 32]>::as_slice))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The file with that id, expired or not.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn file(&self, id: &str) -> Result<Option<FileRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM files WHERE id = ?").bind(id);
        row.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// Files, those uploaded last first.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn files(&self, after: Option<&Cursor>, limit: u32) -> Result<Page<FileRecord>, StoreError> {
        let further = i64::from(limit) + 1;
        let rows = match after {
            None => {
                sqlx::query("SELECT * FROM files ORDER BY uploaded_at DESC, id DESC LIMIT ?")
                    .bind(further)
                    .fetch_all(&self.readers)
                    .await?
            }
            Some(cursor) => {
                sqlx::query(
                    "SELECT * FROM files WHERE (uploaded_at, id) < (?, ?)
                     ORDER BY uploaded_at DESC, id DESC LIMIT ?",
                )
                .bind(cursor.at)
                .bind(&cursor.id)
                .bind(further)
                .fetch_all(&self.readers)
                .await?
            }
        };
        let files = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page::cut(files, limit, |file| Cursor { at: file.uploaded_at, id: file.id.clone() }))
    }

    /// Forgets a file; says whether there was one.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn delete_file(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM files WHERE id = ?").bind(id).execute(&self.writer).await?;
        Ok(done.rows_affected() > 0)
    }

    /// The files whose time is over, those longest over first.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn expired_files(&self, now: i64) -> Result<Vec<FileRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM files WHERE expires_at <= ? ORDER BY expires_at, id")
            .bind(now)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The size of all files together.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn files_total_bytes(&self) -> Result<u64, StoreError> {
        let total: i64 =
            sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM files").fetch_one(&self.readers).await?;
        Ok(total.unsigned_abs())
    }

    /// Has those who follow look at the row of a file again.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn touch_file(&self, id: &str) -> Result<(), StoreError> {
        let touch = sqlx::query("UPDATE files SET bytes = bytes WHERE id = ?").bind(id);
        touch.execute(&self.writer).await?;
        Ok(())
    }

    /// Counts one download; says whether there is such a file.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn count_download(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE files SET downloads = downloads + 1 WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// SQLite counts only up to the largest signed number, which no file on earth reaches.
fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(row: &SqliteRow) -> Result<FileRecord, StoreError> {
    let digest: Option<Vec<u8>> = row.try_get("digest")?;
    let digest = digest.map(<[u8; 32]>::try_from).transpose();
    Ok(FileRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        content_type: row.try_get("content_type")?,
        bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        uploaded_at: row.try_get("uploaded_at")?,
        expires_at: row.try_get("expires_at")?,
        downloads: row.try_get::<i64, _>("downloads")?.unsigned_abs(),
        digest: digest.map_err(|_| StoreError::Row { table: "files" })?,
    })
}
