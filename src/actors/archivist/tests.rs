//! What waits for the disk, and what becomes of it.

use super::*;
use crate::domain::{
    dialect::Dialect,
    limits::Limits,
    rooms::{Deed, KeptRoom, Line, LineId, RoomName, Speaker, Stamp},
};

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
    assert!(!archivist.settle(
        Batch { members: vec![seen("earlier", 10)], rooms: Vec::new(), wraps: Vec::new() },
        Err(failed)
    ));
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

fn line(number: u64, text: &str) -> Record {
    let by = Speaker { member: KeyId([1; 32]), name: "alice".into(), dialect: Some(Dialect::Tpacket) };
    Record::Line(Arc::new(Line {
        id: LineId { stamp: Stamp(number), home: KeyId([9; 32]) },
        room: lobby(),
        by: Some(by),
        deed: Deed::Said(text.into()),
        was_letter: false,
    }))
}

fn lobby() -> RoomName {
    RoomName::new("lobby").expect("a name")
}

fn room() -> Record {
    Record::Room(KeptRoom { name: lobby(), closed: None, opener: None })
}

#[actix_web::test]
async fn what_happened_in_rooms_is_on_disk_when_somebody_has_waited_for_it() {
    let (_folder, archivist) = archivist().await;
    let store = archivist.store.clone();
    let actor = archivist.start();
    actor.do_send(Chronicle([room()].into_iter().chain((0..2000).map(|at| line(at, "x"))).collect()));
    assert_eq!(actor.send(Settled).await, Ok(true), "several batches");
    let kept = store.rooms(&Limits { room_lines: 5000, ..Limits::default() }).await.expect("rooms");
    assert_eq!((kept.rooms.len(), kept.lines.len()), (1, 2000));
    assert_eq!(actor.send(Settled).await, Ok(true), "nothing is left to wait for");
}

#[actix_web::test]
async fn whoever_waits_for_a_store_that_fails_is_told_and_nothing_is_lost() {
    let (folder, mut archivist) = archivist().await;
    archivist.store.close().await;
    archivist.rooms.take_in(vec![room(), line(1, "first")]);
    let settled = archivist.rooms.hear();
    let (batch, result) = archivist.write_batch().await;
    assert!(result.is_err() && !archivist.settle(batch, result));
    assert_eq!(settled.await, Ok(false));
    // The store is back.
    archivist.store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    archivist.rooms.take_in(vec![line(2, "second")]);
    let settled = archivist.rooms.hear();
    let (batch, result) = archivist.write_batch().await;
    assert!(archivist.settle(batch, result));
    assert_eq!(settled.await, Ok(true));
    let kept = archivist.store.rooms(&Limits::default()).await.expect("rooms");
    assert_eq!(kept.lines.len(), 2);
}

#[actix_web::test]
async fn a_store_that_stays_away_costs_bounded_memory_and_what_is_given_up_is_counted() {
    let (_folder, mut archivist) = archivist().await;
    let text = "t".repeat(1 << 20);
    let given_up: u64 = (0..40).map(|number| archivist.rooms.take_in(vec![line(number, &text)])).sum();
    assert!((8..=12).contains(&given_up), "{given_up}");
    let muted = Record::Muted(KeyId([1; 32]), true);
    assert_eq!(archivist.rooms.take_in(vec![muted]), 0, "a decision still finds room");
    let actor = archivist.start();
    actor.send(Chronicle(vec![line(99, &text)])).await.expect("an actor");
    while actor.send(Flush).await.expect("an actor") != Flushed::Whole {
        actix_rt::task::yield_now().await;
    }
}
