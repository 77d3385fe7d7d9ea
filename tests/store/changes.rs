//! A database that follows another one: it has the same rows, whatever happened in between.

use kith::domain::offline::Heard;
use kith::store::{Batch, Cell, Change, Copy, Mark, OfflineChange, Shape, Since, Store, StoreError};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::{House, introductions, key, offline::keep, seen};

/// Everything that is carried on.
async fn rows(store: &Store) -> Vec<Change> {
    let (mut whole, mut rows) = (store.whole().await.unwrap(), Vec::new());
    while let Some(batch) = whole.next().await.unwrap() {
        rows.extend(batch.changes);
    }
    rows
}

/// The rows of a copy, which is closed for that.
async fn copied(house: &House) -> Vec<Change> {
    let store = house.open().await;
    let rows = rows(&store).await;
    store.close().await;
    rows
}

/// Tells the copy everything that it does not know yet, and returns in how many batches.
pub(crate) async fn follow(leader: &Store, copy: &Copy, epoch: u64) -> usize {
    for batches in 0.. {
        let mark = copy.mark().await.unwrap();
        let known = mark.filter(|mark| mark.epoch == epoch).expect("a copy of this reign");
        match leader.changes_since(known.seq).await.unwrap() {
            Since::Changes(batch) if batch.changes.is_empty() => return batches,
            Since::Changes(batch) => copy.apply(epoch, &batch).await.unwrap(),
            Since::TooLongAgo => panic!("the log is too short"),
        }
    }
    unreachable!("a log has an end")
}

async fn copy_everything(leader: &Store, copy: &Copy, epoch: u64) {
    let (mut whole, mut replacement) = (leader.whole().await.unwrap(), copy.replace().await.unwrap());
    while let Some(batch) = whole.next().await.unwrap() {
        replacement.add(&batch).await.unwrap();
    }
    replacement.finish(Mark { epoch, seq: whole.through() }).await.unwrap();
}

/// Something happens, another thing with each number: rows come, change, go, and come again.
async fn happen(store: &Store, number: u16) {
    let at = i64::from(number);
    store.remember_members(&[seen(number % 23, at)]).await.unwrap();
    store.set_fact(&format!("fact {}", number % 5), &number.to_string()).await.unwrap();
    let letter = u64::from(number);
    let mut changes = vec![keep(letter, number.is_multiple_of(3).then_some(number % 7))];
    if number % 4 == 3 {
        changes.push(OfflineChange::Forget(vec![letter - 1, letter - 3]));
    }
    let heard = Heard::Through { number: letter, left_ms: at };
    changes.push(match number % 6 {
        0 => OfflineChange::Unmark(key(number % 11)),
        1 => OfflineChange::Mark(key(number % 11), Heard::All),
        _ => OfflineChange::Mark(key(number % 11), heard),
    });
    store.change_offline(&changes).await.unwrap();
}

#[tokio::test]
async fn a_copy_has_the_same_rows_whenever_it_asks() {
    let (home, other) = (House::new(), House::new());
    let leader = home.open().await;
    for number in 1..40 {
        happen(&leader, number).await;
    }
    leader.begin_changes(1).await.unwrap();
    let copy = Copy::open(&other.path()).await.unwrap();
    assert_eq!(copy.mark().await.unwrap(), None);
    copy_everything(&leader, &copy, 3).await;
    for number in 40..200 {
        happen(&leader, number).await;
        // Sometimes it keeps up, sometimes much has happened twice before it asks.
        if number.is_multiple_of(17) {
            follow(&leader, &copy, 3).await;
        }
    }
    follow(&leader, &copy, 3).await;
    let through = leader.last_change().await.unwrap();
    assert_eq!(copy.mark().await.unwrap(), Some(Mark { epoch: 3, seq: through }));
    copy.close().await;
    let rows = rows(&leader).await;
    assert!(rows.len() > 100, "{rows:?}");
    assert_eq!(copied(&other).await, rows);
}

#[tokio::test]
async fn whatever_only_the_copy_has_goes_with_a_whole_copy_and_not_before() {
    let (home, other) = (House::new(), House::new());
    let leader = home.open().await;
    happen(&leader, 1).await;
    leader.begin_changes(1).await.unwrap();
    // It served once, and nobody has heard what it heard last.
    let lost = other.open().await;
    happen(&lost, 20).await;
    lost.begin_changes(2).await.unwrap();
    let had = rows(&lost).await;
    lost.close().await;

    let copy = Copy::open(&other.path()).await.unwrap();
    let mut replacement = copy.replace().await.unwrap();
    let first = leader.whole().await.unwrap().next().await.unwrap().expect("rows");
    replacement.add(&first).await.unwrap();
    // The link breaks.
    drop(replacement);
    copy.close().await;
    assert_eq!(copied(&other).await, had);

    let copy = Copy::open(&other.path()).await.unwrap();
    let served = copy.mark().await.unwrap().expect("it knows how far it went when it served");
    assert_eq!((served.epoch, served.seq > 0), (2, false), "nothing happened after it began to");
    copy_everything(&leader, &copy, 4).await;
    copy.close().await;
    assert_eq!(copied(&other).await, rows(&leader).await);
}

#[tokio::test]
async fn a_long_log_goes_in_batches_and_a_row_stands_in_it_once() {
    let (home, other) = (House::new(), House::new());
    let leader = home.open().await;
    leader.begin_changes(1).await.unwrap();
    let copy = Copy::open(&other.path()).await.unwrap();
    copy_everything(&leader, &copy, 1).await;
    for round in 0..3 {
        let members: Vec<_> = (0..1200).map(|number| seen(number, round)).collect();
        leader.remember_members(&members).await.unwrap();
    }
    assert_eq!(follow(&leader, &copy, 1).await, 3, "1,200 rows in batches of 500");
    copy.close().await;
    assert_eq!(copied(&other).await, rows(&leader).await);
}

#[tokio::test]
async fn a_log_that_was_begun_anew_says_so() {
    let home = House::new();
    let leader = home.open().await;
    leader.begin_changes(1).await.unwrap();
    happen(&leader, 1).await;
    let seq = leader.last_change().await.unwrap();
    assert!(matches!(leader.changes_since(seq - 1).await.unwrap(), Since::Changes(_)));
    leader.begin_changes(1).await.unwrap();
    assert_eq!(leader.changes_since(seq - 1).await.unwrap(), Since::TooLongAgo);
    // Nobody follows: nothing is noted.
    leader.end_changes().await.unwrap();
    happen(&leader, 2).await;
    assert_eq!(leader.last_change().await.unwrap(), seq);
}

#[tokio::test]
async fn nothing_of_a_batch_from_another_version_is_applied() {
    let house = House::new();
    let copy = Copy::open(&house.path()).await.unwrap();
    let shape = |table: &str, columns: &[&str], key| Shape {
        table: table.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        key,
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let fact = |key: &str| Change { shape: 0, cells: vec![text(key), text("value")] };
    let facts = shape("facts", &["key", "value"], 1);
    for strange in [
        shape("inventions", &["key"], 1),
        shape("facts", &["key", "value", "colour"], 1),
        shape("facts", &["value", "key"], 1),
        shape("facts (key) VALUES (1); DROP TABLE facts; --", &["key"], 1),
    ] {
        let batch = Batch { shapes: vec![facts.clone(), strange], changes: vec![fact("a")], through: 1 };
        let refused = copy.apply(1, &batch).await;
        assert!(matches!(refused, Err(StoreError::Shape { .. })), "{refused:?}");
    }
    let long = Change { shape: 0, cells: vec![text("a"), text("b"), text("c")] };
    let batch = Batch { shapes: vec![facts], changes: vec![fact("a"), long], through: 1 };
    assert!(copy.apply(1, &batch).await.is_err());
    assert_eq!(copy.mark().await.unwrap(), None);
    copy.close().await;
    assert_eq!(copied(&house).await, []);
}

#[tokio::test]
async fn whoever_copied_much_and_serves_now_counts_on_from_there() {
    let (home, other) = (House::new(), House::new());
    let leader = home.open().await;
    leader.begin_changes(1).await.unwrap();
    for number in 0..50 {
        happen(&leader, number).await;
    }
    let copy = Copy::open(&other.path()).await.unwrap();
    copy_everything(&leader, &copy, 1).await;
    let copied = copy.mark().await.unwrap().expect("a mark");
    copy.close().await;
    let next = other.open().await;
    next.begin_changes(2).await.unwrap();
    assert_eq!(next.last_change().await.unwrap(), copied.seq);
    happen(&next, 60).await;
    assert!(next.last_change().await.unwrap() > copied.seq);
    let Since::Changes(news) = next.changes_since(copied.seq).await.unwrap() else {
        panic!("nothing was cut")
    };
    assert!(!news.changes.is_empty());
}

#[tokio::test]
async fn what_a_server_wrote_alone_counts_more_than_nothing() {
    let house = House::new();
    let store = house.open().await;
    for _ in 0..2 {
        store.stand_alone().await.unwrap();
    }
    store.close().await;
    let copy = Copy::open(&house.path()).await.unwrap();
    assert_eq!(copy.mark().await.unwrap(), Some(Mark { epoch: 0, seq: 2 }));
}

/// Whoever makes a table says whether a successor carries it on.
#[tokio::test]
async fn each_table_is_carried_on_or_left_out_on_purpose() {
    /// The probe and the log belong to one node.
    const LEFT: [&str; 5] = ["_sqlx_migrations", "changes", "changes_cut", "probe", "written"];
    let house = House::new();
    let store = house.open().await;
    store.begin_changes(1).await.unwrap();
    store.set_fact("colour", "red").await.unwrap();
    let batch = match store.changes_since(0).await.unwrap() {
        Since::Changes(batch) => batch,
        Since::TooLongAgo => panic!("nothing was cut"),
    };
    store.close().await;
    let mut database = SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let mut named: Vec<_> = batch.shapes.iter().map(|shape| shape.table.as_str()).chain(LEFT).collect();
    named.sort_unstable();
    assert_eq!(named, tables);
}

/// A page of the largest rows, read as a whole, would fill the memory.
#[tokio::test]
async fn large_rows_go_in_small_batches() {
    let home = House::new();
    let leader = home.open().await;
    for number in 0..40 {
        leader.set_fact(&format!("fact {number}"), &"x".repeat(100_000)).await.unwrap();
    }
    leader.begin_changes(1).await.unwrap();
    let (mut whole, mut batches, mut rows) = (leader.whole().await.unwrap(), 0, 0);
    while let Some(batch) = whole.next().await.unwrap() {
        assert!(batch.changes.len() <= 3, "{} rows of 100 kB", batch.changes.len());
        (batches, rows) = (batches + 1, rows + batch.changes.len());
    }
    assert_eq!((batches, rows), (14, 40));
}

#[tokio::test]
async fn a_batch_has_so_many_rows_at_most_whichever_tables_they_are_of() {
    let home = House::new();
    let leader = home.open().await;
    for number in 0..300_u16 {
        leader.set_fact(&format!("fact {number}"), "x").await.unwrap();
        leader.keep_introduction(&introductions::kept(number + 1, number.into(), i64::MAX), 0).await.unwrap();
    }
    leader.begin_changes(1).await.unwrap();
    let (mut whole, mut sizes) = (leader.whole().await.unwrap(), Vec::new());
    while let Some(batch) = whole.next().await.unwrap() {
        sizes.push(batch.changes.len());
    }
    assert_eq!(sizes.first(), Some(&500));
    assert!(sizes.iter().all(|size| *size <= 500) && sizes.iter().sum::<usize>() >= 600, "{sizes:?}");
}
