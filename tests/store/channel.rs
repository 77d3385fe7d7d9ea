//! Keys of the public channel, as servers have wrapped them.

use std::sync::Arc;

use kith::domain::{channel::KeptWraps, letter::Frame};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::House;

#[tokio::test]
async fn wrapped_keys_are_kept_for_each_server_and_replaced_as_a_whole() {
    let house = House::new();
    let store = house.open().await;
    let kept = |server: &str, version, frames: &[&str]| KeptWraps {
        server: server.into(),
        version,
        frames: frames.iter().map(|text| Frame::from((*text).to_owned())).collect(),
        wraps: frames.iter().map(|text| (Arc::from("anna"), Arc::from(*text))).collect(),
    };
    store.write_wraps(&[kept("b", 1, &["b 1"]), kept("c", 7, &["c"])], 10).await.unwrap();
    store.write_wraps(&[kept("a", u64::MAX, &["a"])], 20).await.unwrap();
    store.write_wraps(&[kept("b", 2, &["b 2", "b \"3\""]), kept("c", 0, &[])], 30).await.unwrap();
    store.close().await;
    let store = house.open().await;
    assert_eq!(store.wraps().await.unwrap(), ["a", "b 2", "b \"3\""], "who spoke last comes last");
    let mut stranger = SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap();
    let rows: Vec<(String, i64, String, Option<String>)> = sqlx::query_as(
        "SELECT creator_id, version, member_id, wrapped_key FROM groups JOIN group_members USING (group_id)
         WHERE group_id LIKE 'public@%' ORDER BY creator_id",
    )
    .fetch_all(&mut stranger)
    .await
    .unwrap();
    let row = |server: &str, version, wrapped: &str| {
        (server.to_owned(), version, "anna".to_owned(), Some(wrapped.to_owned()))
    };
    assert_eq!(rows, [row("a", i64::MAX, "a"), row("b", 2, "b \"3\"")]);
}
