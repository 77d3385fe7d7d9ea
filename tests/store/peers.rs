//! Neighbours are kept as they were given, removed ones included, also in a file of an older program.

use kith::domain::id::PeerId;
use kith::domain::peer::{LinkDialect, Source};
use kith::store::{PeerRecord, StoreError};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::{House, key};

fn bare(number: u8, at: i64) -> PeerRecord {
    PeerRecord {
        id: PeerId([number; 6]),
        url: None,
        doors: Vec::new(),
        address: None,
        name: None,
        key: None,
        seen_key: None,
        dialect: None,
        accent: None,
        source: Source::Inbound,
        removed: false,
        added_at: at,
        linked_at: None,
    }
}

fn full(number: u8, at: i64) -> PeerRecord {
    let text = |text: &str| Some(text.to_owned());
    PeerRecord {
        url: text("ws://10.0.0.2:8080"),
        doors: vec!["ws://10.0.0.3:8080".to_owned(), "wss://next".to_owned()],
        address: text("10.0.0.2:8080"),
        name: text("nörth"),
        key: text("MIIB+/8="),
        seen_key: Some(key(7)),
        dialect: Some(LinkDialect::Olaf),
        accent: text("kat"),
        source: Source::Api,
        removed: true,
        linked_at: Some(at + 5),
        ..bare(number, at)
    }
}

#[tokio::test]
async fn neighbours_are_there_after_reopening_those_known_longest_first() {
    let house = House::new();
    let store = house.open().await;
    assert_eq!(store.peers().await.unwrap(), []);
    for peer in [bare(1, 50), full(9, 20), bare(3, 20)] {
        store.save_peer(&peer).await.unwrap();
    }
    store.close().await;
    let store = house.open().await;
    assert_eq!(store.peers().await.unwrap(), [bare(3, 20), full(9, 20), bare(1, 50)]);
}

#[tokio::test]
async fn saving_again_replaces_everything_and_forgetting_leaves_nothing() {
    let house = House::new();
    let store = house.open().await;
    for peer in [bare(1, 10), full(1, 30), full(2, 40), bare(2, 40)] {
        store.save_peer(&peer).await.unwrap();
    }
    assert_eq!(store.peers().await.unwrap(), [full(1, 30), bare(2, 40)]);
    assert!(store.forget_peer(PeerId([1; 6])).await.unwrap());
    assert!(!store.forget_peer(PeerId([1; 6])).await.unwrap());
    assert_eq!(store.peers().await.unwrap(), [bare(2, 40)]);
}

#[tokio::test]
async fn every_source_and_dialect_can_be_kept() {
    let house = House::new();
    let store = house.open().await;
    for source in Source::ALL {
        for dialect in LinkDialect::ALL {
            let peer = PeerRecord { source, dialect: Some(dialect), ..bare(1, 1) };
            store.save_peer(&peer).await.unwrap();
            assert_eq!(store.peers().await.unwrap(), [peer]);
        }
    }
}

/// Otherwise a neighbour would come back without its pin, and be trusted like a new one.
#[tokio::test]
async fn a_row_that_cannot_be_understood_is_not_passed_over() {
    let house = House::new();
    let store = house.open().await;
    store.save_peer(&full(1, 1)).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap();
    for strange in
        ["SET source = 'rumour'", "SET source = 'api', dialect = 'latin'", "SET id = 'not hex here'"]
    {
        let query = format!("UPDATE peers {strange}");
        sqlx::query(sqlx::AssertSqlSafe(query)).execute(&mut other).await.unwrap();
        let error = store.peers().await.unwrap_err();
        assert!(matches!(error, StoreError::Row { table: "peers" }), "{strange}: {error:?}");
    }
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date_and_keeps_its_rows() {
    let house = House::new();
    let first = TempDir::new().unwrap();
    let step = "0001_house.sql";
    std::fs::copy(format!("migrations/sqlite/{step}"), first.path().join(step)).unwrap();
    std::fs::create_dir(house.path().parent().unwrap()).unwrap();
    let options = SqliteConnectOptions::new().filename(house.path()).create_if_missing(true);
    let mut old = options.connect().await.unwrap();
    Migrator::new(first.path()).await.unwrap().run(&mut old).await.unwrap();
    sqlx::query("INSERT INTO facts VALUES ('server.id', 'one')").execute(&mut old).await.unwrap();
    sqlx::query("INSERT INTO members VALUES (?, 'olaf', 'key 1', 5, 9)")
        .bind(key(1).0.as_slice())
        .execute(&mut old)
        .await
        .unwrap();
    sqlx::query("INSERT INTO files VALUES ('a', 'a.png', 'image/png', 3, 5, 105, 1)")
        .execute(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();

    let store = house.open().await;
    assert_eq!(store.fact("server.id").await.unwrap().as_deref(), Some("one"));
    assert_eq!(store.member(key(1)).await.unwrap().map(|member| member.last_seen), Some(9));
    assert_eq!(store.file("a").await.unwrap().map(|file| file.downloads), Some(1));
    store.save_peer(&full(1, 1)).await.unwrap();
    assert_eq!(store.peers().await.unwrap(), [full(1, 1)]);
}
