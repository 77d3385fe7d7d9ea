//! One room on three servers: everybody sees everybody, hears everything once, and finds the same history.

use actix_web::http::Method;
use kith::dialect::tpacket::packet::command;
use serde_json::json;

use super::{
    bridge::ON,
    place::{all_up, lines, three},
};
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
    // The topic goes to all, and a line that its own home withdraws is gone everywhere.
    let topic = apps[0].api_with(Method::PUT, "/api/v1/rooms/lobby/topic", &json!({"topic": "tea"})).await;
    assert_eq!(topic.status, 204, "{topic:?}");
    for app in &apps {
        app.until("/api/v1/rooms/lobby", |answer| answer.json()["topic"] == "tea").await;
    }
    let history = apps[0].get("/api/v1/rooms/lobby/history").await;
    let line = history["items"].as_array().expect("lines").iter().find(|line| line["text"] == "from 0");
    let path =
        format!("/api/v1/rooms/lobby/history/{}", line.expect("a line")["id"].as_str().expect("an id"));
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

/// The id of the line with this text, as a server shows it.
async fn line_id(app: &App, room: &str, text: &str) -> String {
    let history = app.get(&format!("/api/v1/rooms/{room}/history")).await;
    let line = history["items"].as_array().expect("lines").iter().find(|line| line["text"] == text);
    line.expect("the line")["id"].as_str().expect("an id").to_owned()
}

#[actix_web::test]
async fn an_operator_hides_a_line_of_another_server_at_her_own() {
    let (places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let [first, second, third] = apps;
    let mut anna = Guest::enter(&first, "anna", "lobby").await;
    let mut ben = Guest::enter(&second, "ben", "lobby").await;
    until(&first, "lobby", 2, 0).await;
    ben.talk("rude").await;
    anna.until(command::NEW_MSG, "rude").await;
    ben.talk("polite").await;
    anna.until(command::NEW_MSG, "polite").await;
    let path = format!("/api/v1/rooms/lobby/history/{}", line_id(&first, "lobby", "rude").await);
    let hidden = first.api(Method::DELETE, &path).await;
    assert_eq!((hidden.status, &hidden.json()), (200, &json!({"reach": "here"})), "{hidden:?}");
    assert_eq!(first.api(Method::DELETE, &path).await.status, 404, "it is gone already");
    let mut cleo = Guest::enter(&first, "cleo", "lobby").await;
    assert_eq!(logged(&cleo.until(command::LOGGED_MSG, "ben: polite").await), ["ben: polite"]);
    let mut dora = Guest::enter(&third, "dora", "lobby").await;
    let heard = dora.until(command::LOGGED_MSG, "ben: polite").await;
    assert_eq!(logged(&heard), ["ben: rude", "ben: polite"], "others go on showing it");
    // It is hidden after a crash, too, and does not come back when the other server tells what was missed.
    let folder = first.kill();
    ben.talk("meanwhile").await;
    ben.until(command::NEW_MSG, "meanwhile").await;
    let lines = lines(&places, 0);
    let first = places[0].open_again(folder, &[("NEIGHBOURHOOD__PEERS", lines.as_str())]);
    first.until("/api/v1/rooms/lobby/history", |answer| answer.text.contains("meanwhile")).await;
    let mut anna = Guest::enter(&first, "anna", "lobby").await;
    let heard = anna.until(command::LOGGED_MSG, "ben: meanwhile").await;
    assert_eq!(logged(&heard), ["ben: polite", "ben: meanwhile"]);
}
