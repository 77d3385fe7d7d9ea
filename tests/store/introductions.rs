//! What operators have registered is there after reopening, in its order, for as long as it counts, and follows a home.

use kith::domain::directory::published::Introduction;
use kith::store::{Copy, Mark};

use crate::{House, key};

pub(crate) fn kept(port: u16, seq: u64, until_ms: i64) -> Introduction {
    let at = format!("192.0.2.1:{port}").parse().unwrap();
    Introduction { at, member: key(port), seq, until_ms }
}

#[tokio::test]
async fn they_are_there_after_reopening_while_they_count() {
    let house = House::new();
    let store = house.open().await;
    let [late, early, short] = [kept(1, 9, 500), kept(2, 3, 400), kept(3, 4, 150)];
    for one in [&late, &early, &short] {
        store.keep_introduction(one, 100).await.unwrap();
    }
    store.close().await;
    let store = house.open().await;
    assert_eq!(store.introductions(149).await.unwrap(), [early, short, late]);
    assert_eq!(store.introductions(150).await.unwrap(), [early, late], "its time is over");
    let longer = Introduction { until_ms: 900, ..late };
    store.keep_introduction(&longer, 200).await.unwrap();
    assert_eq!(store.introductions(0).await.unwrap(), [early, longer], "and it is forgotten");
    assert!(!store.forget_introduction(late.member, early.at).await.unwrap(), "it is another member's");
    assert!(store.forget_introduction(early.member, early.at).await.unwrap());
    assert!(!store.forget_introduction(early.member, early.at).await.unwrap());
    assert_eq!(store.introductions(0).await.unwrap(), [longer]);
}

#[tokio::test]
async fn they_follow_a_home() {
    let (home, other) = (House::new(), House::new());
    let leader = home.open().await;
    let [gone, stays] = [kept(1, 1, 500), kept(2, 2, 500)];
    leader.keep_introduction(&gone, 0).await.unwrap();
    leader.begin_changes(1).await.unwrap();
    let copy = Copy::open(&other.path()).await.unwrap();
    let (mut whole, mut replacement) = (leader.whole().await.unwrap(), copy.replace().await.unwrap());
    while let Some(batch) = whole.next().await.unwrap() {
        replacement.add(&batch).await.unwrap();
    }
    replacement.finish(Mark { epoch: 1, seq: whole.through() }).await.unwrap();
    leader.keep_introduction(&stays, 0).await.unwrap();
    leader.forget_introduction(gone.member, gone.at).await.unwrap();
    crate::changes::follow(&leader, &copy, 1).await;
    copy.close().await;
    assert_eq!(other.open().await.introductions(0).await.unwrap(), [stays]);
}
