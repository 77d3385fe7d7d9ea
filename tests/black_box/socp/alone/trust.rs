//! Who is let in over SOCP, and who is not: keys that an operator named, keys of the first contact, strangers, and
//! servers that are banned.

use actix_web::http::Method;
use serde_json::json;

use super::{ALONE, line, linked, open, places};
use crate::{
    app::App,
    neighbourhood::place::Place,
    socp::hostile::stranger::{ANNA, BEN, Stranger, direct, name},
};

/// Checks that two servers have exchanged nothing: neither members nor letters.
async fn nothing_passes([first, second]: [&App; 2]) {
    let mut anna = Stranger::user(first, ANNA).await;
    let mut ben = Stranger::user(second, BEN).await;
    anna.says(&direct(ANNA, name(BEN), "is anybody there?")).await;
    ben.says(&direct(BEN, name(ANNA), "hello?")).await;
    for user in [&mut anna, &mut ben] {
        assert_eq!(user.error().await, "USER_NOT_FOUND");
        assert_eq!(user.list().await.0.len(), 1);
    }
}

/// Who dials another one, and is not known there.
fn strict(place: &Place) -> App {
    place.open(&[&ALONE[1..], &[("NEIGHBOURHOOD__ADMIT", "known")]].concat())
}

#[actix_web::test]
async fn a_server_that_nobody_named_is_refused_where_only_known_ones_are_admitted() {
    let [a, b] = places::<2>();
    let second = strict(&b);
    let first = open(&a, &line(&b));
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["last_error"]["code"], "unknown_peer", "{peer}");
    assert!(peer["last_error"]["hint"].as_str().is_some_and(|hint| hint.contains("add us")), "{peer}");
    assert!(second.neighbours().await.is_empty());
    nothing_passes([&first, &second]).await;
    // Its operator adds us, and that is all.
    let body = json!({"url": a.url(), "key": a.key(), "dialect": "socp"});
    let answer = second.api_with(Method::POST, "/api/v1/peers", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    linked(&first, 1).await;
    linked(&second, 1).await;
}

#[actix_web::test]
async fn a_server_with_another_key_than_the_one_in_the_line_is_refused_by_the_dialler() {
    let [a, b, c] = places::<3>();
    let second = open(&b, "");
    let first = open(&a, &format!("{} key={} dialect=socp", b.url(), c.key()));
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["last_error"]["code"], "wrong_key", "{peer}");
    assert_eq!((&peer["key"], &peer["presented_key"]), (&c.key().into(), &b.key().into()));
    nothing_passes([&first, &second]).await;
    // An operator who knows better pins what was shown.
    let path = format!("/api/v1/peers/{}/pin", peer["id"].as_str().expect("an id"));
    let answer = first.api(Method::POST, &path).await;
    assert_eq!((answer.status, &answer.json()["key"]), (200, &b.key().into()));
    linked(&first, 1).await;
    second.until_state(&a.address(), "up").await;
}

#[actix_web::test]
async fn a_server_with_new_keys_is_refused_and_the_old_ones_are_still_good() {
    let [a, b, c] = places::<3>();
    let real = open(&b, "");
    let first = open(&a, &format!("{} dialect=socp", b.url()));
    let peer = first.until_state(&b.address(), "up").await;
    assert_eq!((&peer["trust"], &peer["key"]), (&"tofu".into(), &b.key().into()));
    let folder = real.stop();
    first.until_peer(&b.address(), |peer| peer["state"] != "up").await;
    // Somebody else comes to its address.
    let strange = tempfile::tempdir().expect("a folder");
    c.furnish(&strange);
    let impostor = b.open_again(strange, &ALONE);
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["key"], b.key());
    nothing_passes([&first, &impostor]).await;
    drop(impostor.kill());
    // It comes back as it was.
    let _real = b.open_again(folder, &ALONE);
    let id = peer["id"].as_str().expect("an id").to_owned();
    assert_eq!(first.api(Method::POST, &format!("/api/v1/peers/{id}/retry")).await.status, 202);
    let peer = first.until_state(&b.address(), "up").await;
    assert_eq!((&peer["key"], &peer["presented_key"]), (&b.key().into(), &serde_json::Value::Null));
}

#[actix_web::test]
async fn a_banned_server_is_neither_let_in_nor_dialled() {
    let [a, b] = places::<2>();
    let second = open(&b, "");
    let first = open(&a, &line(&b));
    linked(&first, 1).await;
    let mut anna = Stranger::user(&first, ANNA).await;
    let _ben = Stranger::user(&second, BEN).await;
    anna.sees(name(BEN), true).await;
    // By the one that dials, and by the one that is dialled; by key and by address.
    for (judge, neighbour, place, target) in [
        (&first, &second, &b, b.key().to_owned()),
        (&first, &second, &b, b.address()),
        (&second, &first, &a, a.key().to_owned()),
    ] {
        let id = judge.ban(&json!({"server": target, "reason": "spreads spam"})).await;
        let peer = judge.until_state(&place.address(), "banned").await;
        assert_eq!(peer["last_error"]["code"], "banned", "{peer}");
        assert!(peer["next_retry"].is_null(), "it is not dialled: {peer}");
        neighbour.until("/api/v1/peers", |answer| answer.json()["items"][0]["state"] != "up").await;
        anna.sees(name(BEN), false).await;
        judge.unban(&id).await;
        let peer = first.until_peer(&b.address(), |_| true).await;
        first.retry(&peer).await;
        linked(&first, 1).await;
        second.until_state(&a.address(), "up").await;
        anna.sees(name(BEN), true).await;
    }
}
