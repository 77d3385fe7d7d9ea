//! What every verb promises when nothing is wrong.

use kith::domain::{dialect::Dialect, member::Named};
use kith::store::{Cursor, MemberRecord, Seen};

use crate::{House, file, key, seen};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let house = House::new();
    let store = house.open().await;
    store.set_fact("server.id", "one").await.unwrap();
    store.set_fact("server.id", "two").await.unwrap();
    store.remember_members(&[seen(1, 5)]).await.unwrap();
    store.add_file(&file("a", 5)).await.unwrap();
    store.close().await;

    let store = house.open().await;
    assert_eq!(store.fact("server.id").await.unwrap().as_deref(), Some("two"));
    assert_eq!(store.fact("nothing").await.unwrap(), None);
    assert_eq!(store.count_members().await.unwrap(), 1);
    assert_eq!(store.file("a").await.unwrap(), Some(file("a", 5)));
    store.probe().await.unwrap();
}

/// Without `close`, as after a kill: the log is there and is read.
#[tokio::test]
async fn a_store_that_was_never_closed_loses_nothing() {
    let house = House::new();
    let store = house.open().await;
    store.set_fact("a", "b").await.unwrap();
    let copy = House::new();
    std::fs::create_dir(copy.path().parent().unwrap()).unwrap();
    for ending in ["", "-wal"] {
        let name = |house: &House| format!("{}{ending}", house.path().display());
        std::fs::copy(name(&house), name(&copy)).unwrap();
    }
    assert_eq!(copy.open().await.fact("a").await.unwrap().as_deref(), Some("b"));
}

#[tokio::test]
async fn the_first_key_stays_and_the_last_meeting_only_moves_forward() {
    let house = House::new();
    let store = house.open().await;
    store.remember_members(&[]).await.unwrap();
    store.remember_members(&[seen(1, 50), seen(2, 60)]).await.unwrap();
    let mut again = seen(1, 90);
    again.public_key = "another spelling".to_owned();
    store.remember_members(&[again, seen(1, 70), seen(2, 10)]).await.unwrap();
    let expected = MemberRecord {
        key_id: key(1),
        name: None,
        name_key: None,
        dialect: "olaf".to_owned(),
        public_key: "key 1".to_owned(),
        first_seen: 50,
        last_seen: 90,
    };
    assert_eq!(store.member(key(1)).await.unwrap(), Some(expected));
    assert_eq!(store.member(key(2)).await.unwrap().map(|member| member.last_seen), Some(60));
    assert_eq!(store.member(key(3)).await.unwrap(), None);
}

#[tokio::test]
async fn members_with_names_are_found_by_their_dialect_and_shown_with_the_key_of_the_name() {
    let house = House::new();
    let store = house.open().await;
    let named =
        |key| Some(Named { name: "alice".into(), key, proven: false, sealing_key: None, display_name: None });
    let alice = |at, key| Seen { dialect: Dialect::Socp, ..seen(7, at) }.under(named(key));
    store.remember_members(&[seen(1, 10), alice(20, None)]).await.unwrap();
    let only = async |dialect| store.members(Some(dialect), None, 10).await.unwrap().items;
    let socp = only(Dialect::Socp).await;
    assert_eq!((socp.len(), socp[0].name.as_deref(), socp[0].name_key), (1, Some("alice"), None));
    // The first key that comes stays.
    store.remember_members(&[alice(30, Some(key(8))), alice(40, Some(key(9)))]).await.unwrap();
    assert_eq!(only(Dialect::Socp).await[0].name_key, Some(key(8)));
    assert_eq!(store.member(key(7)).await.unwrap().and_then(|member| member.name_key), Some(key(8)));
    let olaf = only(Dialect::Olaf).await;
    assert_eq!((olaf.len(), &olaf[0].name), (1, &None));
}

#[tokio::test]
async fn pages_of_members_neither_repeat_nor_skip() {
    let house = House::new();
    let store = house.open().await;
    // Many share a moment, so that the key has to break the tie.
    let all: Vec<_> = (0..25).map(|number| seen(number, i64::from(number / 10))).collect();
    store.remember_members(&all).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = store.members(None, after.as_ref(), 4).await.unwrap();
        assert!(!page.items.is_empty() && page.items.len() <= 4);
        found.extend(page.items.iter().map(|member| member.key_id));
        // The cursor goes through its text form, as it does in a URL.
        let Some(next) = page.next else { break };
        after = Some(next.to_string().parse().unwrap());
    }
    let newest_first: Vec<_> = (0..25).rev().map(key).collect();
    assert_eq!(found, newest_first);
    assert_eq!(store.members(None, None, 25).await.unwrap().next, None);
    let forged = "5.no key".parse().unwrap();
    assert_eq!(store.members(None, Some(&forged), 100).await.unwrap().items.len(), 25);
}

#[tokio::test]
async fn files_are_counted_listed_and_forgotten() {
    let house = House::new();
    let store = house.open().await;
    assert_eq!(store.files_total_bytes().await.unwrap(), 0);
    for (id, at) in [("a", 1), ("b", 2), ("c", 2)] {
        store.add_file(&file(id, at)).await.unwrap();
    }
    assert!(store.add_file(&file("a", 9)).await.is_err(), "an id is given once");
    assert_eq!(store.files_total_bytes().await.unwrap(), 3000);
    assert!(store.count_download("b").await.unwrap());
    assert!(!store.count_download("z").await.unwrap());
    assert_eq!(store.file("b").await.unwrap().map(|file| file.downloads), Some(1));

    let first = store.files(None, 2).await.unwrap();
    assert_eq!(first.items.iter().map(|file| file.id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    let second = store.files(first.next.as_ref(), 2).await.unwrap();
    assert_eq!((second.items, second.next), (vec![file("a", 1)], None));

    assert_eq!(store.expired_files(100).await.unwrap(), []);
    assert_eq!(store.expired_files(101).await.unwrap(), [file("a", 1)]);
    assert!(store.delete_file("a").await.unwrap());
    assert!(!store.delete_file("a").await.unwrap());
    assert_eq!(store.files_total_bytes().await.unwrap(), 2000);
}

#[tokio::test]
async fn readers_see_whole_batches_while_somebody_writes() {
    let house = House::new();
    let store = house.open().await;
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for batch in 0..50 {
                let members: Vec<_> = (0..10).map(|at| seen(batch * 10 + at, 1)).collect();
                store.remember_members(&members).await.unwrap();
            }
        })
    };
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (store, mut last) = (store.clone(), 0);
            tokio::spawn(async move {
                while last < 500 {
                    let count = store.count_members().await.unwrap();
                    assert!(count >= last && count.is_multiple_of(10), "{count} after {last}");
                    last = count;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    writer.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
}
