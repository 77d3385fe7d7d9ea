//! One room on three servers: everybody sees everybody, hears everything once, and finds the same history.

use actix_web::http::Method;
use kith::dialect::tpacket::packet::command;
use serde_json::json;

use super::place::{all_up, lines, three};
use crate::{
    app::App,
    rooms::{Guest, logged, until},
};

async fn texts(app: &App) -> Vec<String> {
    let history = app.get("/api/v1/rooms/lobby/history?limit=500").await;
    let lines = history["items"].as_array().expect("lines").iter();
    lines.map(|line| format!("{} {}", line["id"], line["text"])).collect()
}

#[actix_web::test]
async fn three_servers_have_one_room() {
    let (_places, apps) = three(&[]);
    all_up(&apps, 2).await;
    let mut guests = Vec::new();
    for (app, nick) in apps.iter().zip(["anna", "ben", "cleo"]) {
        guests.push(Guest::enter(app, nick, "lobby").await);
    }
    for app in &apps {
        until(app, "lobby", 3, 0).await;
    }
    for (at, guest) in guests.iter_mut().enumerate() {
        guest.talk(&format!("from {at}")).await;
    }
    for guest in &mut guests {
        let mut heard = Vec::new();
        while heard.len() < 3 {
            let (known, _, words) = guest.next().await;
            if known == command::NEW_MSG {
                heard.push(words);
            }
        }
        heard.sort();
        assert_eq!(heard, ["from 0", "from 1", "from 2"], "everything once");
    }
    for app in &apps {
        until(app, "lobby", 3, 3).await;
    }
    assert_eq!(texts(&apps[0]).await, texts(&apps[1]).await);
    assert_eq!(texts(&apps[1]).await, texts(&apps[2]).await);
    // A nick that somebody has elsewhere is taken, and lists of other dialects name nobody of them.
    let answer = apps[1].get("/api/v1/neighbourhood").await;
    let named = |name: &str| answer.to_string().contains(&format!("\"name\":\"{name}\""));
    assert!(named("anna") && named("cleo"), "{answer}");
    // The topic goes to all, a withdrawn line is gone everywhere, and only its own home can do that.
    let topic = apps[0].api_with(Method::PUT, "/api/v1/rooms/lobby/topic", &json!({"topic": "tea"})).await;
    assert_eq!(topic.status, 204, "{topic:?}");
    for app in &apps {
        app.until("/api/v1/rooms/lobby", |answer| answer.json()["topic"] == "tea").await;
    }
    let history = apps[0].get("/api/v1/rooms/lobby/history").await;
    let line = history["items"].as_array().expect("lines").iter().find(|line| line["text"] == "from 0");
    let path =
        format!("/api/v1/rooms/lobby/history/{}", line.expect("a line")["id"].as_str().expect("an id"));
    assert_eq!(apps[1].api(Method::DELETE, &path).await.status, 409);
    assert_eq!(apps[0].api(Method::DELETE, &path).await.status, 204);
    for app in &apps {
        app.until("/api/v1/rooms/lobby/history", |answer| !answer.text.contains("from 0")).await;
    }
    drop(guests.pop());
    guests[0].until(command::DEL_USER, "cleo").await;
    guests[1].until(command::DEL_USER, "cleo").await;
}

#[actix_web::test]
async fn a_server_that_was_away_hears_what_it_missed_and_takes_its_guests_with_it() {
    let (places, apps) = three(&[]);
    all_up(&apps, 2).await;
    let [first, second, third] = apps;
    let mut anna = Guest::enter(&first, "anna", "lobby").await;
    let mut ben = Guest::enter(&third, "ben", "lobby").await;
    until(&first, "lobby", 2, 0).await;
    ben.talk("before").await;
    anna.until(command::NEW_MSG, "before").await;
    // An order is answered when it is on disk, and with it all that came before.
    let settled = third.api(Method::PUT, &format!("/api/v1/mutes/{}", "0".repeat(64))).await;
    assert_eq!(settled.status, 204, "{settled:?}");
    let folder = third.kill();
    anna.until(command::DEL_USER, "ben").await;
    anna.talk("meanwhile").await;
    anna.until(command::NEW_MSG, "meanwhile").await;
    let lines = lines(&places, 2);
    let third = places[2].open_again(folder, &[("NEIGHBOURHOOD__PEERS", lines.as_str())]);
    third.until_up(2).await;
    third.until("/api/v1/rooms/lobby/history", |answer| answer.text.contains("meanwhile")).await;
    let mut cleo = Guest::enter(&third, "cleo", "lobby").await;
    let heard = cleo.until(command::LOGGED_MSG, "anna: meanwhile").await;
    assert_eq!(logged(&heard), ["ben: before", "anna: meanwhile"]);
    assert!(heard.iter().any(|(known, _, words)| *known == command::NEW_USER && words == "anna"));
    anna.until(command::NEW_USER, "cleo").await;
    second.until("/api/v1/rooms/lobby", |answer| answer.json()["guests"] == 2).await;
}
