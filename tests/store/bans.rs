//! Bans are there after reopening, the lists of neighbours are replaced as a whole, and no id comes twice.

use kith::domain::bans::{BanId, Draft, Origin, Target};
use kith::store::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::{House, key};

fn draft(kind: &str, value: &str) -> Draft {
    let target = Target::read(kind, value).unwrap();
    Draft { target, until: Some(5), reason: "nörgelt".to_owned(), made: 3 }
}

/// One of each kind.
fn one_of_each() -> Vec<Draft> {
    vec![
        draft("key", &key(7).hex()),
        draft("name", "Straße"),
        draft("address", "10.0.0.0/8"),
        draft("address", "2001:db8::1/128"),
        draft("server", &key(8).hex()),
        Draft { until: None, reason: String::new(), ..draft("server", "north.example:80") },
    ]
}

#[tokio::test]
async fn bans_of_every_kind_are_there_after_reopening() {
    let house = House::new();
    let store = house.open().await;
    let mut kept = Vec::new();
    for said in one_of_each() {
        kept.push(store.add_ban(said).await.unwrap());
    }
    kept.extend(store.replace_ban_list(key(1), 12, one_of_each()).await.unwrap());
    store.close().await;
    let store = house.open().await;
    assert_eq!(store.bans().await.unwrap(), kept);
    assert_eq!(kept.iter().filter(|ban| ban.by == Origin::List(key(1))).count(), 6);
    assert_eq!(store.ban_lists().await.unwrap(), [(key(1), 12)]);
}

#[tokio::test]
async fn a_ban_is_made_once_and_its_id_is_never_given_again() {
    let house = House::new();
    let store = house.open().await;
    let first = store.add_ban(draft("name", "anna")).await.unwrap();
    assert!(matches!(store.add_ban(draft("name", "ANNA")).await, Err(StoreError::Database(_))));
    let second = store.add_ban(draft("name", "ben")).await.unwrap();
    store.forget_bans(&[first.id, second.id, BanId(77)]).await.unwrap();
    let third = store.add_ban(draft("name", "anna")).await.unwrap();
    assert!(third.id > second.id && second.id > first.id);
    assert_eq!(store.bans().await.unwrap(), [third]);
}

#[tokio::test]
async fn a_list_is_replaced_as_a_whole_or_not_at_all() {
    let house = House::new();
    let store = house.open().await;
    let own = store.add_ban(draft("name", "anna")).await.unwrap();
    let other = store.replace_ban_list(key(2), 1, vec![draft("name", "anna")]).await.unwrap();
    store.replace_ban_list(key(1), 1, one_of_each()).await.unwrap();
    let list = store.replace_ban_list(key(1), 2, vec![draft("name", "cleo")]).await.unwrap();
    let all = [std::slice::from_ref(&own), &other, &list].concat();
    assert_eq!(store.bans().await.unwrap(), all);
    let twice = vec![draft("name", "dora"), draft("name", "DORA")];
    assert!(store.replace_ban_list(key(1), 3, twice).await.is_err());
    assert_eq!(store.bans().await.unwrap(), all);
    let mut lists = store.ban_lists().await.unwrap();
    lists.sort();
    assert_eq!(lists, [(key(1), 2), (key(2), 1)]);
    store.forget_ban_list(key(1)).await.unwrap();
    assert_eq!(store.bans().await.unwrap(), [&[own], &other[..]].concat());
}

/// Otherwise whoever it is about would come in.
#[tokio::test]
async fn a_row_that_cannot_be_understood_is_not_passed_over() {
    let house = House::new();
    let store = house.open().await;
    store.add_ban(draft("key", &key(7).hex())).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap();
    sqlx::query("UPDATE bans SET value = 'no fingerprint'").execute(&mut other).await.unwrap();
    let error = store.bans().await.unwrap_err();
    assert!(matches!(error, StoreError::Row { table: "bans" }), "{error:?}");
    other.close().await.unwrap();
}
