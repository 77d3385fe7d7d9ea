//! Servers that learn of others from their neighbours, if their operator wants that.

use actix_web::http::Method;
use serde_json::Value;

use super::place::{Place, places};
use crate::{app::App, client::Client};

const LEARNS: (&str, &str) = ("NEIGHBOURHOOD__INTRODUCE", "true");

/// The peer line of a place, with its key.
fn line(place: &Place) -> String {
    format!("{} key={}", place.url(), place.key())
}

/// The doors of its neighbours, in order.
async fn doors(app: &App) -> Vec<String> {
    let peers = app.neighbours().await;
    let mut doors: Vec<String> =
        peers.iter().map(|peer| peer["address"].as_str().expect("an address").to_owned()).collect();
    doors.sort();
    doors
}

/// Waits until a server has heard from one neighbour that it is linked with another one. What it makes of
/// that is settled by then.
async fn hears_of(app: &App, from: &Place, to: &Place) {
    let (from, to) = (from.address(), to.address());
    let is_meant =
        |link: &Value| link["from"] == from.as_str() && link["to"] == to.as_str() && link["state"] == "up";
    app.until("/api/v1/mesh", |answer| {
        answer.json()["links"].as_array().expect("links").iter().any(is_meant)
    })
    .await;
}

#[actix_web::test]
async fn whom_a_neighbour_knows_is_linked_where_that_is_wanted() {
    let [a, b, c, d] = places::<4>();
    let third = c.open(&[]);
    let second = b.open(&[("NEIGHBOURHOOD__PEERS", &line(&c))]);
    second.until_up(1).await;
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &line(&b)), LEARNS]);
    let peer = first.until_state(&c.address(), "up").await;
    assert_eq!((&peer["source"], &peer["trust"]), (&"introduced".into(), &"tofu".into()), "{peer}");
    assert_eq!((&peer["key"], &peer["url"]), (&c.key().into(), &c.url().into()), "{peer}");
    first.until_up(2).await;
    third.until_up(2).await;
    // They talk without the one in between.
    let folder = second.stop();
    let mut anna = Client::join(&first, 0).await;
    let mut carl = Client::join(&third, 2).await;
    anna.sees(&[(&a, &[&anna.pem()]), (&c, &[&carl.pem()])]).await;
    let said = anna.say("we have never been told of each other").await;
    carl.hear("never been told").await;
    assert!(anna.hears_until(&said).await.is_empty());
    // Removed, it stays out, although it is introduced again together with somebody new.
    let path = format!("/api/v1/peers/{}", peer["id"].as_str().expect("an id"));
    assert_eq!(first.api(Method::DELETE, &path).await.status, 204);
    let second = b.open_again(folder, &[("NEIGHBOURHOOD__PEERS", &line(&c))]);
    second.until_state(&c.address(), "up").await;
    hears_of(&first, &b, &c).await;
    let fourth = d.open(&[("NEIGHBOURHOOD__PEERS", &line(&b))]);
    first.until_state(&d.address(), "up").await;
    let wanted = |places: [&Place; 2]| {
        let mut doors = places.map(Place::address);
        doors.sort();
        doors
    };
    assert_eq!(doors(&first).await, wanted([&b, &d]));
    assert_ne!(third.until_peer(&a.address(), |_| true).await["state"], "up");
    // So it is after a restart.
    let first = a.open_again(first.stop(), &[("NEIGHBOURHOOD__PEERS", &line(&b)), LEARNS]);
    first.until_up(2).await;
    hears_of(&first, &b, &c).await;
    assert_eq!(doors(&first).await, wanted([&b, &d]));
    drop(fourth);
}

#[actix_web::test]
async fn nobody_is_linked_on_the_word_of_a_neighbour_unless_that_is_wanted() {
    let [a, b, c] = places::<3>();
    let third = c.open(&[]);
    let second = b.open(&[("NEIGHBOURHOOD__PEERS", &line(&c))]);
    second.until_up(1).await;
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &line(&b))]);
    hears_of(&first, &b, &c).await;
    assert_eq!(doors(&first).await, [b.address()]);
    assert_eq!(doors(&third).await, [b.address()]);
}
