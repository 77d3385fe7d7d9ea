//! Facts about this server itself.

use super::Store;
use super::error::StoreError;

impl Store {
    /// The value of a fact, if it was ever set.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub async fn fact(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM facts WHERE key = ?").bind(key);
        Ok(value.fetch_optional(&self.readers).await?)
    }

    /// Sets a fact, whatever it was before.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn set_fact(&self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO facts (key, value) VALUES (?, ?)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
