//! Bans reach rooms: whoever is banned here and speaks at a neighbour is neither seen nor heard, and is again afterwards.

use kith::dialect::tpacket::packet::command;
use serde_json::json;

use super::{
    bridge::{ON, called, words},
    place::{all_up, three},
};
use crate::{
    app::App,
    client::Client,
    rooms::{Guest, logged, until},
};

/// Waits until a server has a line with these words in its history, whoever reads it there.
async fn keeps(app: &App, words: &str) {
    app.until("/api/v1/rooms/public/history", |answer| answer.text.contains(words)).await;
}

/// What somebody new reads and whom she sees, up to a line that everybody may read.
async fn reads(app: &App, nick: &str, last: &str) -> (Vec<String>, Vec<String>) {
    let mut guest = Guest::enter(app, nick, "public").await;
    let heard = guest.until(command::LOGGED_MSG, last).await;
    let seen = heard.iter().filter(|(known, ..)| *known == command::NEW_USER);
    let seen = seen.map(|(_, _, words)| words.clone()).collect();
    (logged(&heard).into_iter().map(str::to_owned).collect(), seen)
}

#[actix_web::test]
async fn whoever_is_banned_by_name_is_neither_seen_nor_heard_in_rooms_until_that_is_lifted() {
    let (_places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let mut carl = Guest::enter(&apps[0], "carl", "public").await;
    let mut mallory = Guest::enter(&apps[1], "Mallory", "public").await;
    let mut dora = Guest::enter(&apps[2], "dora", "public").await;
    let mut ola = Client::join(&apps[0], 0).await;
    for app in &apps {
        until(app, "public", 3, 0).await;
    }
    mallory.talk("before").await;
    carl.until(command::NEW_MSG, "before").await;
    words(&mut ola, "before").await;

    let id = apps[0].ban(&json!({"name": "mallory"})).await;
    carl.until(command::DEL_USER, "Mallory").await;
    mallory.talk("spam").await;
    dora.until(command::NEW_MSG, "spam").await;
    keeps(&apps[0], "spam").await;
    assert_eq!(carl.hears_before_saying("is it quiet?").await, []);
    assert_eq!(words(&mut ola, "is it quiet?").await, ["carl (tpacket): is it quiet?"]);
    let (lines, seen) = reads(&apps[0], "eve", "carl: is it quiet?").await;
    assert_eq!((lines, seen.contains(&"Mallory".to_owned())), (vec!["carl: is it quiet?".to_owned()], false));
    // Who comes in anew is looked at again.
    mallory.go("attic").await;
    until(&apps[1], "attic", 1, 0).await;
    mallory.go("public").await;
    mallory.until(command::LOGGED_MSG, "carl: is it quiet?").await;
    let heard = carl.hears_before_saying("still?").await;
    assert!(heard.iter().all(|(_, _, words)| words == "eve"), "{heard:?}");
    apps[0].unban(&id).await;
    carl.until(command::NEW_USER, "Mallory").await;
    mallory.talk("and now?").await;
    carl.until(command::NEW_MSG, "and now?").await;
    let (lines, seen) = reads(&apps[0], "fay", "Mallory: and now?").await;
    assert!(lines.contains(&"Mallory: spam".to_owned()), "it is kept: {lines:?}");
    assert!(seen.contains(&"Mallory".to_owned()), "{seen:?}");
}

#[actix_web::test]
async fn a_ban_of_a_key_or_a_server_hides_what_was_said_there() {
    let (places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let mut carl = Guest::enter(&apps[0], "carl", "public").await;
    let mut dora = Guest::enter(&apps[2], "dora", "public").await;
    let mut ola = Client::join(&apps[1], 0).await;
    let her = called(&ola);
    let key = kith::crypto::keys::PublicKey::read(&ola.pem()).expect("a key").id();
    ola.say("ola says this").await;
    carl.until(command::NEW_USER, &her).await;
    carl.until(command::NEW_MSG, "ola says this").await;
    dora.talk("dora says this").await;
    carl.until(command::NEW_MSG, "dora says this").await;

    let id = apps[0].ban(&json!({"key": key.hex()})).await;
    carl.until(command::DEL_USER, &her).await;
    ola.say("ola goes on").await;
    dora.until(command::NEW_MSG, "ola goes on").await;
    keeps(&apps[0], "ola goes on").await;
    assert_eq!(carl.hears_before_saying("one").await, []);
    let (lines, seen) = reads(&apps[0], "eve", "carl: one").await;
    assert_eq!(lines, ["dora: dora says this", "carl: one"]);
    assert!(!seen.contains(&her), "{seen:?}");
    apps[0].unban(&id).await;
    carl.until(command::NEW_USER, &her).await;

    for body in [json!({"server": places[2].key()}), json!({"server": places[2].address()})] {
        let id = apps[0].ban(&body).await;
        apps[0].until_state(&places[2].address(), "banned").await;
        let (lines, _) = reads(&apps[0], "fay", "carl: one").await;
        assert!(!lines.contains(&"dora: dora says this".to_owned()), "{body}: {lines:?}");
        assert!(lines.iter().any(|line| line.ends_with("ola says this")), "{body}: {lines:?}");
        apps[0].unban(&id).await;
        let (lines, _) = reads(&apps[0], "gus", "carl: one").await;
        assert!(lines.contains(&"dora: dora says this".to_owned()), "{body}: {lines:?}");
    }
}
