//! Servers that are banned, members of neighbours who are, and lists of bans that cross a Kith link.

use actix_web::http::Method;
use kith::{
    dialect::kith::bans::{Signed, frame, text, write},
    domain::bans::{Draft, Target},
};
use serde_json::json;

use super::{
    place::{Place, places},
    stranger::Stranger,
};
use crate::{app::App, client::Client};

/// Two servers that are linked because the first one dials the second.
async fn two([a, b]: &[Place; 2]) -> (App, App) {
    let second = b.open(&[]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &format!("{} key={}", b.url(), b.key()))]);
    first.until_up(1).await;
    second.until_up(1).await;
    (first, second)
}

#[actix_web::test]
async fn a_banned_server_is_neither_let_in_nor_dialled() {
    let places = places::<2>();
    let (first, second) = two(&places).await;
    let [a, b] = &places;
    let mut anna = Client::join(&first, 0).await;
    let ben = Client::join(&second, 1).await;
    let (own, other) = (anna.pem(), ben.pem());
    anna.sees(&[(a, &[&own]), (b, &[&other])]).await;
    // By the one that dials, and by the one that is dialled; by key and by address.
    for (judge, neighbour, place, body) in [
        (&first, &second, b, json!({"server": b.key(), "reason": "spreads spam"})),
        (&first, &second, b, json!({"server": b.address(), "reason": "spreads spam"})),
        (&second, &first, a, json!({"server": a.key(), "reason": "spreads spam"})),
    ] {
        let id = judge.ban(&body).await;
        let peer = judge.until_state(&place.address(), "banned").await;
        assert_eq!(peer["last_error"]["code"], "banned", "{peer}");
        assert!(
            peer["last_error"]["message"].as_str().is_some_and(|text| text.contains("spreads spam")),
            "{peer}"
        );
        assert!(peer["next_retry"].is_null(), "it is not dialled: {peer}");
        neighbour.until("/api/v1/peers", |answer| answer.json()["items"][0]["state"] != "up").await;
        anna.sees(&[(a, &[&own])]).await;
        if judge.listen == second.listen {
            first.until_peer(&b.address(), |peer| peer["last_error"]["code"] == "banned").await;
        }
        judge.unban(&id).await;
        if judge.listen == second.listen {
            let peer = first.until_peer(&b.address(), |_| true).await;
            first.retry(&peer).await;
        }
        first.until_up(1).await;
        second.until_up(1).await;
        anna.sees(&[(a, &[&own]), (b, &[&other])]).await;
    }
}

#[actix_web::test]
async fn a_banned_member_of_a_neighbour_is_neither_listed_nor_heard() {
    let places = places::<2>();
    let (first, second) = two(&places).await;
    let [a, b] = &places;
    let mut anna = Client::join(&first, 0).await;
    let mut ben = Client::join(&second, 1).await;
    let (own, other) = (anna.pem(), ben.pem());
    anna.sees(&[(a, &[&own]), (b, &[&other])]).await;
    let id = first.ban(&json!({"key": second.first_fingerprint().await})).await;
    anna.sees(&[(a, &[&own]), (b, &[])]).await;
    let said = ben.say("does anybody hear me?").await;
    ben.hear(&said).await;
    first.until_metric("kith_refusals_total{code=\"banned\"}", |count| count == 1.0).await;
    let last = anna.say("no").await;
    assert!(anna.hears_until(&last).await.is_empty());
    let peer = first.until_state(&b.address(), "up").await;
    assert_eq!(peer["violations"], 0, "the neighbour knows nothing of the ban: {peer}");
    // She is heard at his home: the ban is ours alone.
    ben.hear(&last).await;
    first.unban(&id).await;
    anna.sees(&[(a, &[&own]), (b, &[&other])]).await;
    let said = ben.say("and now?").await;
    anna.hear(&said).await;
}

#[actix_web::test]
async fn a_list_counts_where_it_is_subscribed_to_and_goes_no_further() {
    let [a, b, c] = places::<3>();
    let second = b.open(&[("BANS__PUBLISH", "true")]);
    let line = format!("{} key={}", b.url(), b.key());
    let settings =
        [("NEIGHBOURHOOD__PEERS", line.as_str()), ("BANS__SUBSCRIBE", b.key()), ("BANS__PUBLISH", "true")];
    let first = a.open(&settings);
    let line = format!("{} key={}", a.url(), a.key());
    let third = c.open(&[("NEIGHBOURHOOD__PEERS", line.as_str()), ("BANS__SUBSCRIBE", a.key())]);
    first.until_up(2).await;
    third.until_up(1).await;
    let mut anna = Client::join(&first, 0).await;
    let mut ben = Client::join(&third, 0).await;
    let key = first.first_fingerprint().await;
    let own = first.ban(&json!({"name": "mallory"})).await;
    third.until("/api/v1/bans", |answer| answer.json()["items"][0]["value"] == "mallory").await;
    let id = second.ban(&json!({"key": key, "reason": "spam"})).await;
    assert_eq!(anna.goodbye().await, Some((1008, "banned".to_owned())));
    let listed = first.get("/api/v1/bans?origin=list").await["items"][0].clone();
    assert_eq!((&listed["value"], &listed["reason"]), (&key.into(), &"spam".into()));
    assert_eq!((&listed["list"], &listed["list_name"]), (&b.key().into(), &"server-1".into()));
    let path = format!("/api/v1/bans/{}", listed["id"].as_str().expect("an id"));
    let answer = first.api(Method::DELETE, &path).await;
    assert_eq!((answer.status, &answer.json()["type"]), (409, &"/problems/listed".into()));
    // The next thing that the first one says itself comes behind anything that it would hand on.
    first.unban(&own).await;
    third.until("/api/v1/bans", |answer| answer.json()["items"] == json!([])).await;
    let said = ben.say("I am no neighbour of the second").await;
    ben.hear(&said).await;
    // It is kept over a restart, and forgotten by whoever does not subscribe any more.
    drop(third);
    let first = a.open_again(first.stop(), &settings);
    assert_eq!(first.get("/api/v1/bans").await["items"][0]["value"], listed["value"]);
    first.until_state(&b.address(), "up").await;
    second.unban(&id).await;
    first.until("/api/v1/bans", |answer| answer.json()["items"] == json!([])).await;
    Client::join(&first, 0).await;
    second.ban(&json!({"name": "eve"})).await;
    first.until("/api/v1/bans", |answer| answer.json()["items"][0]["value"] == "eve").await;
    let first = a.open_again(first.stop(), &settings[..1]);
    assert!(first.bans().await.is_empty());
}

#[actix_web::test]
async fn who_does_not_publish_any_more_says_so() {
    let [a, b] = places::<2>();
    let second = b.open(&[("BANS__PUBLISH", "true")]);
    second.ban(&json!({"name": "mallory"})).await;
    let line = format!("{} key={} name=north", b.url(), b.key());
    let address = b.address();
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", line.as_str()), ("BANS__SUBSCRIBE", &address)]);
    first.until("/api/v1/bans", |answer| answer.json()["items"][0]["value"] == "mallory").await;
    let second = b.open_again(second.stop(), &[]);
    first.until("/api/v1/bans", |answer| answer.json()["items"] == json!([])).await;
    assert_eq!(second.bans().await.len(), 1, "its own are still in force");
}

#[actix_web::test]
async fn the_list_of_a_neighbour_that_is_removed_counts_no_more() {
    let [a, b] = places::<2>();
    let second = b.open(&[("BANS__PUBLISH", "true")]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &b.url()), ("BANS__SUBSCRIBE", b.key())]);
    second.ban(&json!({"name": "mallory"})).await;
    first.until("/api/v1/bans", |answer| answer.json()["items"][0]["value"] == "mallory").await;
    let peer = first.until_state(&b.address(), "up").await;
    let path = format!("/api/v1/peers/{}", peer["id"].as_str().expect("an id"));
    assert_eq!(first.api(Method::DELETE, &path).await.status, 204);
    first.until("/api/v1/bans", |answer| answer.json()["items"] == json!([])).await;
}

fn draft(name: &str) -> Draft {
    let target = Target::read("name", name).expect("a name");
    Draft { target, until: None, reason: String::new(), made: 1 }
}

/// A list with that number and one name, signed by the hand of the stranger.
fn list(stranger: &Stranger, issue: u64, name: &str) -> Signed {
    let (list, _) = write(issue, [draft(name)].iter());
    let signature = stranger.signs(&text(&list));
    Signed { list, signature }
}

#[actix_web::test]
async fn a_list_that_is_forged_old_or_broken_changes_nothing() {
    const LAIR: &str = "lair.example:1";
    let app = App::start();
    let id = Stranger::linked(&app, 0, LAIR).await.id();
    // A stranger to whom nobody has subscribed is not listened to.
    let app = App::in_folder(app.stop(), &[("BANS__SUBSCRIBE", &id)]);
    let mut other = Stranger::linked(&app, 1, "other.example:1").await;
    let its = list(&other, 9, "nobody");
    other.says(frame(&its)).await;
    other.is_understood().await;
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    let good = list(&stranger, 5, "mallory");
    stranger.says(frame(&good)).await;
    let in_force = |name: &'static str| {
        let path = "/api/v1/bans";
        let app = &app;
        async move {
            app.until(path, |answer| {
                let answer = answer.json();
                answer["items"][0]["value"] == name
                    && answer["items"].as_array().is_some_and(|all| all.len() == 1)
            })
            .await
        }
    };
    in_force("mallory").await;
    // The same once more is nothing new, and no fault.
    stranger.says(frame(&good)).await;
    let old = list(&stranger, 4, "old");
    stranger.says(frame(&old)).await;
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 1.0).await;
    let signature = list(&stranger, 6, "another").signature;
    let forged = Signed { signature, ..list(&stranger, 6, "forged") };
    stranger.says(frame(&forged)).await;
    app.until_metric("kith_violations_total{code=\"bad_signature\"}", |count| count == 1.0).await;
    stranger.hand = 1;
    let borrowed = list(&stranger, 6, "signed by another hand");
    stranger.hand = 0;
    stranger.says(frame(&borrowed)).await;
    app.until_metric("kith_violations_total{code=\"bad_signature\"}", |count| count == 2.0).await;
    let broken = Signed { list: b"no list".to_vec(), signature: stranger.signs(&text(b"no list")) };
    stranger.says(frame(&broken)).await;
    app.until_metric("kith_violations_total{code=\"malformed\"}", |count| count == 1.0).await;
    in_force("mallory").await;
    let newer = list(&stranger, 6, "eve");
    stranger.says(frame(&newer)).await;
    in_force("eve").await;
    let peer = app.until_state(LAIR, "up").await;
    assert_eq!(peer["violations"], 4, "{peer}");
}
