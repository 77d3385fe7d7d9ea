//! What the store says when something is wrong, and that it comes through unharmed.

use std::time::{Duration, Instant};

use kith::store::{Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::{House, seen};

async fn stranger(house: &House) -> SqliteConnection {
    SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap()
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_the_file_left_as_it_was() {
    let house = House::new();
    house.open().await.close().await;
    let mut future = stranger(&house).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'future', TRUE, x'00', 0)",
    )
    .execute(&mut future)
    .await
    .unwrap();
    future.close().await.unwrap();

    let before = std::fs::read(house.path()).unwrap();
    let error = Store::open(&house.path()).await.unwrap_err();
    let StoreError::NewerSchema { found, known, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*found, *known), (9000, Store::schema_version()));
    assert!(error.to_string().contains("kith.db has schema 9000"), "{error}");
    assert!(std::fs::read(house.path()).unwrap() == before, "the file was changed");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let house = House::new();
    std::fs::create_dir(house.path().parent().unwrap()).unwrap();
    std::fs::write(house.path(), "this is a letter, not a database\n".repeat(200)).unwrap();
    let error = Store::open(&house.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_lock_of_another_process_is_told_after_the_timeout_and_reading_goes_on() {
    let house = House::new();
    let store = house.open().await;
    store.set_fact("a", "b").await.unwrap();
    let mut other = stranger(&house).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    let begun = Instant::now();
    let error = store.remember_members(&[seen(1, 1)]).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(150), "it did not wait");
    assert!(begun.elapsed() < Duration::from_secs(5), "it waited for ever");
    let error = store.probe().await.unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
    assert_eq!(store.fact("a").await.unwrap().as_deref(), Some("b"));

    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.remember_members(&[seen(1, 1)]).await.unwrap();
    store.probe().await.unwrap();
}

#[tokio::test]
async fn a_full_database_is_told_and_reading_goes_on() {
    let house = House::new();
    let store = house.open_with(Some(50)).await;
    store.set_fact("a", "b").await.unwrap();
    let (mut kept, mut refused) = (0, None);
    for number in 0..1000 {
        let mut member = seen(number, 1);
        member.public_key = "k".repeat(2000);
        match store.remember_members(&[member]).await {
            Ok(()) => kept += 1,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(matches!(refused, Some(StoreError::Full(_))), "{refused:?}");
    assert!(kept > 0);
    assert_eq!(store.count_members().await.unwrap(), kept);
    assert_eq!(store.fact("a").await.unwrap().as_deref(), Some("b"));
    store.close().await;

    // With room again, everything is as it was and writing goes on.
    let store = house.open().await;
    assert_eq!(store.count_members().await.unwrap(), kept);
    store.remember_members(&[seen(2000, 1)]).await.unwrap();
}

#[tokio::test]
async fn a_batch_is_kept_whole_or_not_at_all() {
    let house = House::new();
    let store = house.open_with(Some(80)).await;
    let batch: Vec<_> = (0..1000)
        .map(|number| {
            let mut member = seen(number, 1);
            member.public_key = "k".repeat(2000);
            member
        })
        .collect();
    let error = store.remember_members(&batch).await.unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(store.count_members().await.unwrap(), 0);
    store.remember_members(&batch[..2]).await.unwrap();
    assert_eq!(store.count_members().await.unwrap(), 2);
}
