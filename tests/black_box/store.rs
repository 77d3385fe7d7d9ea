//! What is remembered, and what happens while nothing can be.

use std::{fs, process::Stdio};

use actix_web::http::Method;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    app::{App, kith},
    client::Client,
};

/// The database of a server, beside the server itself.
pub(crate) async fn database(app: &App) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(app.database());
    SqliteConnection::connect_with(&options).await.expect("the database")
}

#[actix_web::test]
async fn members_are_known_again_after_a_restart() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let (pem, fingerprint) = (anna.pem(), anna.fingerprint());
    let server = app.get("/api/v1/server").await;
    anna.socket.close(None).await.expect("a close");
    // The drain writes down what is still in memory.
    let app = App::in_folder(app.stop(), &[]);
    let members = app.get("/api/v1/members").await;
    let member = &members["items"][0];
    assert_eq!(members["items"].as_array().map(Vec::len), Some(1));
    assert!(member.to_string().contains(&fingerprint), "{member}");
    assert_eq!((&member["dialect"], &member["online"]), (&"olaf".into(), &Value::Bool(false)));
    let first = member["first_seen"].clone();

    let mut database = database(&app).await;
    let row: (String,) =
        sqlx::query_as("SELECT public_key FROM members").fetch_one(&mut database).await.expect("a row");
    assert_eq!(row.0, pem, "the key as first received");
    let _anna = Client::join(&app, 0).await;
    let again =
        app.until("/api/v1/members", |answer| answer.json()["items"][0]["online"] == true).await.json();
    assert_eq!(again["items"][0]["first_seen"], first);
    let server_again = app.get("/api/v1/server").await;
    assert_eq!(server["id"], server_again["id"], "the same server: {server_again}");
    assert!(server["id"].is_string());
}

#[actix_web::test]
async fn a_locked_database_stops_no_message_and_shows() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut database = database(&app).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.expect("a lock");
    let mut ben = Client::join(&app, 1).await;
    anna.say("does the house stand?").await;
    ben.hear("does the house stand?").await;
    let answer = app.until("/readyz", |answer| answer.status == 503).await;
    assert_eq!(answer.kind, "application/problem+json");
    assert_eq!(app.metric("kith_store_healthy").await, 0.0);
    anna.say("it stands").await;
    ben.hear("it stands").await;

    sqlx::query("ROLLBACK").execute(&mut database).await.expect("an end");
    app.until("/readyz", |answer| answer.status == 200).await;
    app.until("/api/v1/members", |answer| answer.json()["items"].as_array().map(Vec::len) == Some(2)).await;
    assert_eq!(app.metric("kith_store_healthy").await, 1.0);
}

#[actix_web::test]
async fn a_database_from_the_future_is_left_alone() {
    let app = App::start();
    let folder = app.stop();
    let path = folder.path().join("data/kith.db");
    let options = SqliteConnectOptions::new().filename(&path);
    let mut database = SqliteConnection::connect_with(&options).await.expect("the database");
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                  VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sqlx::query(insert).execute(&mut database).await.expect("a newer schema");
    database.close().await.expect("a close");
    let before = fs::read(&path).expect("the file");
    let output = kith()
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdout(Stdio::null())
        .output()
        .expect("the program");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("9999") && error.contains("newer"), "{error}");
    assert_eq!(fs::read(&path).expect("the file"), before, "not a byte was changed");
}

#[actix_web::test]
async fn nothing_that_was_said_is_ever_written_down() {
    let app = App::with(&[("LOG__LEVEL", "trace")]);
    let mut anna = Client::join(&app, 0).await;
    let secret = "the-word-that-nobody-may-keep";
    anna.say(secret).await;
    anna.hear(secret).await;
    assert_eq!(app.api(Method::GET, "/api/v1/clients").await.status, 200);
    let token = app.token.clone();
    assert!(!app.log().contains(secret), "the log knows it");
    assert_eq!(app.log().matches(&token).count(), 1, "the token is in the log once, where it is announced");
    let folder = app.stop();
    for entry in fs::read_dir(folder.path().join("data")).expect("a folder").flatten() {
        let bytes = fs::read(entry.path()).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} knows it", entry.path().display());
    }
}
