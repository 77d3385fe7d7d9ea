//! What waits for the disk, and what becomes of it.

use super::*;
use crate::domain::dialect::Dialect;

fn seen(spelling: &str, at: i64) -> Seen {
    Seen::now(KeyId([7; 32]), Dialect::Olaf, spelling.to_owned(), at)
}

async fn archivist() -> (tempfile::TempDir, Archivist) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    (folder, Archivist::new(store, Tally::default()))
}

#[actix_web::test]
async fn what_was_received_first_stays_while_it_waits() {
    let (_folder, archivist) = archivist().await;
    let store = archivist.store.clone();
    let actor = archivist.start();
    for (spelling, at) in [("first", 10), ("second", 30), ("third", 20)] {
        actor.send(Remember(seen(spelling, at))).await.expect("an actor");
    }
    while actor.send(Flush).await.expect("an actor") != Flushed::Whole {
        actix_rt::task::yield_now().await;
    }
    let member = store.member(KeyId([7; 32])).await.expect("a store").expect("a member");
    assert_eq!((member.public_key.as_str(), member.first_seen, member.last_seen), ("first", 10, 30));
}

#[actix_web::test]
async fn a_batch_that_failed_is_older_than_what_waits() {
    let (_folder, mut archivist) = archivist().await;
    archivist.keep(seen("later", 30), |_, _| {});
    let failed = StoreError::Row { table: "members" };
    assert!(!archivist.settle(Batch { members: vec![seen("earlier", 10)], rooms: Vec::new() }, Err(failed)));
    let waiting = &archivist.waiting[&KeyId([7; 32])];
    assert_eq!((waiting.public_key.as_str(), waiting.first, waiting.last), ("earlier", 10, 30));
    assert_eq!(archivist.tally.store_healthy.get(), 0);
}

#[actix_web::test]
async fn nothing_to_write_says_nothing_about_the_store() {
    let (_folder, mut archivist) = archivist().await;
    archivist.trouble = Some("it is locked".into());
    let actor = archivist.start();
    assert_eq!(actor.send(Flush).await, Ok(Flushed::Whole));
    assert!(actor.send(Trouble).await.expect("an actor").is_some());
}
