//! Disks that do not take what a node wants to write, for as long as a test wants.

use std::time::Duration;

use actix_web::{http::Method, rt::time::sleep};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::Scene;
use crate::app::{App, in_time};

async fn database(app: &App) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(app.database());
    SqliteConnection::connect_with(&options).await.expect("the database")
}

/// The database of a node, locked: a copy goes no further. It ends with this.
pub(super) struct Lock(SqliteConnection);

impl Lock {
    pub(super) async fn of(app: &App) -> Self {
        let mut database = database(app).await;
        in_time("a lock", async {
            while sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.is_err() {}
        })
        .await;
        Self(database)
    }

    /// It ends, and this is waited for.
    pub(super) async fn ends(mut self) {
        sqlx::query("ROLLBACK").execute(&mut self.0).await.expect("an end");
    }
}

/// A database that refuses every line of a room, at once.
pub(super) struct Refusal(SqliteConnection);

/// From now on no line is written.
pub(super) async fn refuses_lines(app: &App) -> Refusal {
    let mut database = database(app).await;
    let trigger = "CREATE TRIGGER refusal BEFORE INSERT ON room_lines
                   BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    sqlx::query(trigger).execute(&mut database).await.expect("a trigger");
    Refusal(database)
}

impl Refusal {
    pub(super) async fn ends(mut self) {
        sqlx::query("DROP TRIGGER refusal").execute(&mut self.0).await.expect("an end");
    }
}

impl Scene {
    /// Waits until the node that serves reads nothing more.
    pub(super) async fn holds_still(&self) {
        in_time("the house holds still", async {
            // An order that changes nothing, whether it is taken or not.
            while self.leader().api(Method::DELETE, "/api/v1/bans/0").await.status != 503 {
                sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    /// Something new that every copy has to take.
    pub(super) async fn has_news(&self, name: &str) {
        drop(crate::voices::Guest::enter(self.leader(), name, "hall").await);
    }
}
