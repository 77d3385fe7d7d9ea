//! Letters that wait: in order, all changes of a batch or none, and shown without a word of them.

use kith::domain::dialect::Dialect;
use kith::domain::letter::Frame;
use kith::domain::member::Named;
use kith::domain::offline::{Heard, Kept};
use kith::domain::replay::Trace;
use kith::store::{Offline, OfflineChange, OfflineRecord, Seen};

use crate::{House, key, seen};

fn kept(number: u64, recipient: Option<u16>) -> Kept {
    let text = format!("letter {number}");
    let is_text = number.is_multiple_of(2);
    Kept {
        number,
        recipient: recipient.map(key),
        author: key(100),
        at_ms: i64::try_from(number).unwrap() * 10,
        trace: Trace([u8::try_from(number).unwrap(); 16]),
        dialect: if recipient.is_some() { Dialect::Socp } else { Dialect::Olaf },
        original: if is_text { Frame::Text(text.into()) } else { Frame::Binary(text.into_bytes().into()) },
    }
}

pub(crate) fn keep(number: u64, recipient: Option<u16>) -> OfflineChange {
    OfflineChange::Keep(kept(number, recipient))
}

#[tokio::test]
async fn what_waits_is_there_after_reopening_in_order_and_as_it_was() {
    let house = House::new();
    let store = house.open().await;
    assert_eq!(store.offline().await.unwrap(), Offline::default());
    store
        .change_offline(&[keep(3, None), keep(1, Some(7)), keep(2, Some(8)), keep(4, Some(7))])
        .await
        .unwrap();
    let away = Heard::Through { number: 2, left_ms: 5 };
    let marks = [OfflineChange::Mark(key(1), Heard::All), OfflineChange::Mark(key(2), away)];
    store.change_offline(&marks).await.unwrap();
    store.close().await;

    let store = house.open().await;
    let held = store.offline().await.unwrap();
    assert_eq!(held.letters, [kept(1, Some(7)), kept(2, Some(8)), kept(3, None), kept(4, Some(7))]);
    assert_eq!(held.marks, [(key(1), Heard::All), (key(2), away)]);
    let changes = [
        keep(5, Some(7)),
        OfflineChange::Forget(vec![1, 5, 99]),
        OfflineChange::Unmark(key(1)),
        OfflineChange::Mark(key(2), Heard::All),
    ];
    store.change_offline(&changes).await.unwrap();
    let held = store.offline().await.unwrap();
    assert_eq!(held.letters, [kept(2, Some(8)), kept(3, None), kept(4, Some(7))]);
    assert_eq!(held.marks, [(key(2), Heard::All)]);
    store.forget_offline().await.unwrap();
    assert_eq!(store.offline().await.unwrap(), Offline::default());
}

#[tokio::test]
async fn a_batch_is_written_as_a_whole_or_not_at_all() {
    let house = House::new();
    let store = house.open().await;
    store.change_offline(&[keep(1, Some(7))]).await.unwrap();
    let broken = [OfflineChange::Forget(vec![1]), keep(2, Some(7)), keep(2, Some(8))];
    assert!(store.change_offline(&broken).await.is_err(), "a number is given once");
    assert_eq!(store.offline().await.unwrap().letters, [kept(1, Some(7))]);
}

#[tokio::test]
async fn members_are_shown_with_how_much_waits_for_each() {
    let house = House::new();
    let store = house.open().await;
    let name = Named { name: "ben".into(), key: None, proven: false, sealing_key: None, display_name: None };
    let ben = Seen { dialect: Dialect::Socp, ..seen(7, 1) }.under(Some(name));
    store.remember_members(&[ben, seen(1, 1)]).await.unwrap();
    let letters = [keep(1, Some(7)), keep(2, None), keep(3, None), keep(4, Some(7))];
    store.change_offline(&letters).await.unwrap();
    let away = |number| Heard::Through { number, left_ms: 0 };
    let marks = [(1, away(2)), (2, Heard::All), (3, away(3)), (9, away(0))];
    let marks = marks.map(|(member, heard)| OfflineChange::Mark(key(member), heard));
    store.change_offline(&marks).await.unwrap();

    let record = |member, name: Option<&str>, letters, bytes, oldest| OfflineRecord {
        member: key(member),
        name: name.map(str::to_owned),
        letters,
        bytes,
        oldest,
    };
    let expected = [record(1, None, 1, 8, 30), record(7, Some("ben"), 2, 16, 10), record(9, None, 2, 16, 20)];
    assert_eq!(store.offline_members(None, 10).await.unwrap().items, expected);
    let page = store.offline_members(None, 2).await.unwrap();
    assert_eq!(page.items, expected[..2]);
    let next = page.next.expect("there is more");
    assert_eq!(next.id(), key(7).hex());
    let rest = store.offline_members(Some(key(7)), 2).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&expected[2..], None));
}
