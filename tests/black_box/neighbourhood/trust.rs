//! Who is let in, and who is not: keys that an operator named, keys of the first contact, and strangers.

use actix_web::http::Method;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use super::place::{Place, places};
use crate::{app::App, client::Client};

/// Checks that two servers have exchanged nothing: neither members nor letters.
async fn nothing_passes(apps: [(&App, &Place); 2]) {
    let [(first, a), (second, b)] = apps;
    let mut anna = Client::join(first, 0).await;
    let mut ben = Client::join(second, 1).await;
    let keys = [anna.pem(), ben.pem()];
    anna.say("is anybody there?").await;
    ben.whisper(&[a, b], "hello?").await;
    anna.hear("is anybody there?").await;
    ben.hear("hello?").await;
    anna.sees(&[(a, &[&keys[0]])]).await;
    ben.sees(&[(b, &[&keys[1]])]).await;
    for (app, _) in apps {
        assert_eq!(app.metric("kith_letters_total").await, 1.0, "the letter of its own client");
        assert_eq!(app.metric("kith_peers{state=\"up\"}").await, 0.0);
    }
}

#[actix_web::test]
async fn a_server_that_nobody_named_is_refused_where_only_known_ones_are_admitted() {
    let [a, b] = places::<2>();
    let second = b.open(&[("NEIGHBOURHOOD__ADMIT", "known")]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &b.url())]);
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["last_error"]["code"], "unknown_peer", "{peer}");
    assert!(peer["last_error"]["hint"].as_str().is_some_and(|hint| hint.contains("add us")), "{peer}");
    let mut watch = first.watch().await;
    first.retry(&peer).await;
    assert_eq!(watch.about_link("link_refused").await["code"], "unknown_peer");
    assert!(second.neighbours().await.is_empty());
    second.until_metric("kith_connections", |count| count == 0.0).await;
    nothing_passes([(&first, &a), (&second, &b)]).await;
    // Its operator adds us, and that is all.
    let body = json!({"url": a.url(), "key": a.key()});
    let answer = second.api_with(Method::POST, "/api/v1/peers", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    first.until_up(1).await;
    second.until_up(1).await;
    // Removed again, it stays out.
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let answer = second.api(Method::DELETE, &format!("/api/v1/peers/{id}")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let peer = first.until_state(&b.address(), "refused").await;
    first.retry(&peer).await;
    first.until_peer(&b.address(), |peer| peer["last_error"]["code"] == "removed_peer").await;
    assert!(second.neighbours().await.is_empty());
}

#[actix_web::test]
async fn a_server_with_another_key_than_the_one_in_the_line_is_refused_by_the_dialler() {
    let [a, b, c] = places::<3>();
    let second = b.open(&[]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &format!("{} key={}", b.url(), c.key()))]);
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["last_error"]["code"], "wrong_key", "{peer}");
    assert_eq!((&peer["key"], &peer["presented_key"]), (&c.key().into(), &b.key().into()));
    assert!(first.log().contains("another key"), "{}", first.log());
    assert!(first.log().contains(b.key()), "{}", first.log());
    let steps = first.steps(&peer).await;
    assert_eq!(steps.first().map(String::as_str), Some("dial"), "{steps:?}");
    assert_eq!(steps.last().map(String::as_str), Some("closed"), "{steps:?}");
    let mut watch = first.watch().await;
    first.retry(&peer).await;
    assert_eq!(watch.about_link("link_refused").await["code"], "wrong_key");
    // The other one was told why, and has no new neighbour.
    assert!(second.neighbours().await.is_empty());
    second.until_metric("kith_refusals_total{code=\"wrong_key\"}", |count| count >= 1.0).await;
    nothing_passes([(&first, &a), (&second, &b)]).await;
    // An operator who knows better pins what was shown.
    let path = format!("/api/v1/peers/{}/pin", peer["id"].as_str().expect("an id"));
    let answer = first.api(Method::POST, &path).await;
    assert_eq!((answer.status, &answer.json()["key"]), (200, &b.key().into()));
    first.until_up(1).await;
    second.until_up(1).await;
}

#[actix_web::test]
async fn a_server_with_new_keys_is_refused_and_the_old_ones_are_still_good() {
    let [a, b, c] = places::<3>();
    let real = b.open(&[]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &b.url())]);
    let peer = first.until_state(&b.address(), "up").await;
    assert_eq!((&peer["trust"], &peer["key"]), (&"tofu".into(), &b.key().into()));
    let mut watch = first.watch().await;
    let folder = real.stop();
    watch.about_link("link_down").await;
    // Somebody else comes to its address, and dials as well.
    let strange = tempfile::tempdir().expect("a folder");
    c.furnish(&strange);
    let impostor = b.open_again(strange, &[("NEIGHBOURHOOD__PEERS", &a.url())]);
    assert_eq!(watch.about_link("link_refused").await["code"], "wrong_key");
    let peer = first.until_state(&b.address(), "refused").await;
    assert_eq!(peer["last_error"]["code"], "wrong_key", "{peer}");
    assert_eq!((&peer["key"], &peer["presented_key"]), (&b.key().into(), &c.key().into()));
    assert!(first.log().contains("another key") && first.log().contains(c.key()), "{}", first.log());
    let seen = impostor.until_state(&a.address(), "refused").await;
    assert_eq!(seen["last_error"]["code"], "wrong_key", "{seen}");
    nothing_passes([(&first, &a), (&impostor, &b)]).await;
    drop(impostor.kill());
    // It comes back as it was.
    let _real = b.open_again(folder, &[]);
    let peer = first.until_state(&b.address(), "up").await;
    assert_eq!((&peer["key"], &peer["presented_key"]), (&b.key().into(), &serde_json::Value::Null));
}

#[actix_web::test]
async fn a_server_that_is_known_under_two_names_is_remembered_once() {
    let [a, b] = places::<2>();
    let first = a.open(&[]);
    let settings = [("NEIGHBOURHOOD__PEERS", a.url()), ("SERVER__PUBLIC_ADDRESS", "b.example:1".to_owned())];
    let _second = b.open(&settings.each_ref().map(|(key, value)| (*key, value.as_str())));
    // It comes by itself, and then it is added under a name that does not look like it.
    first.until_up(1).await;
    let url = b.url();
    let answer = first.api_with(Method::POST, "/api/v1/peers", &json!({"url": url})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let is_one = |peers: &[serde_json::Value]| peers.len() == 1 && peers[0]["url"] == *url;
    first.until("/api/v1/peers", |answer| is_one(answer.json()["items"].as_array().expect("items"))).await;
    let folder = first.stop();
    let options = SqliteConnectOptions::new().filename(folder.path().join("data/kith.db"));
    let mut database = options.connect().await.expect("its database");
    let rows: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT source, url FROM peers").fetch_all(&mut database).await.expect("rows");
    assert_eq!(rows, [("api".to_owned(), Some(url.clone()))], "nothing is left of the other one");
    database.close().await.expect("an end");
    let first = a.open_again(folder, &[]);
    let peers = first.neighbours().await;
    assert!(is_one(&peers), "{peers:?}");
}
