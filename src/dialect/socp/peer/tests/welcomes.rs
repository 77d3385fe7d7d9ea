//! What a WELCOME is believed, and what ours says.

use super::{
    links::{card, spelled_by_g40},
    *,
};

pub(super) fn welcome(assigned: &str) -> Value {
    let other = json!({"server_id": "other", "host": "10.0.0.3", "port": 80, "pubkey": STRANGER.pubkey()});
    let itself = json!({"server_id": "them", "host": "10.0.0.2", "port": 80, "pubkey": THEM.pubkey()});
    let anna = json!({"user_id": "anna", "host": "10.0.0.2", "port": 80, "pubkey": ANNA.pubkey()});
    json!({"assigned_id": assigned, "clients": [anna], "servers": [itself, other], "pubkey": THEM.pubkey()})
}

#[test]
fn a_welcome_counts_as_far_as_it_was_signed() {
    let signed = json!({"assigned_id": "new-id", "clients": [{}], "servers": [{}]});
    let frame = THEM.says("SERVER_WELCOME", "them", "us", 1, &signed);
    let server = json!({"server_id": "other", "host": "10.0.0.3", "port": 80, "pubkey": STRANGER.pubkey()});
    let forged = frame.replace("\"servers\":[{}]", &format!("\"servers\":[{server}]"));
    assert_ne!(forged, frame);
    let mut house = House::dialling(pinned());
    house.said();
    house.hear(&forged);
    assert!(house.greeted[0].proven, "some sign the outermost fields only");
    let is_told = |output: &Output| matches!(output, Output::Introduce(servers) if !servers.is_empty());
    assert!(!house.seen().iter().any(is_told), "and whoever is named inside of them is named by nobody");
}

#[test]
fn a_welcome_of_somebody_else_is_none() {
    let mut house = House::dialling(pinned());
    house.hear(&STRANGER.says("SERVER_WELCOME", "them", "us", 1, &welcome("us")));
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
    let mut house = House::dialling(Standing::default());
    house.hear(&unsigned(&THEM.says("SERVER_WELCOME", "them", "us", 1, &welcome("us"))));
    assert_eq!(house.ending(), Some(Ending::Refused(Refusal::Unproven)));
    // Nothing else counts before the answer.
    let mut house = House::dialling(pinned());
    house.seen();
    house.hear(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    house.step(Input::Woken);
    assert!(house.seen().is_empty());
}

#[test]
fn a_welcome_stays_small_however_many_there_are() {
    let servers: Vec<_> =
        (0..100).map(|number| card(STRANGER, &format!("{number}"), "10.0.0.3:80")).collect();
    let standing = Standing { servers, ..Standing::default() };
    let payload = json!({"host": "10.0.0.2", "port": 80, "pubkey": spelled_by_g40(THEM)});
    for payload in [payload, introduction(THEM)] {
        let mut house = House::answering(standing.clone());
        house.members = (0..100).map(|_| BEN.member()).collect();
        house.hear(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &payload));
        let welcome = house.said().remove(0).to_string();
        assert!(welcome.len() < 64 << 10, "{} bytes", welcome.len());
    }
}

#[test]
fn we_join_and_take_the_id_the_servers_and_the_users_that_we_are_told() {
    let mut house = House::dialling(pinned());
    let [hello] = &house.said()[..] else { panic!() };
    assert_eq!((&hello["type"], &hello["to"]), (&json!("SERVER_HELLO_JOIN"), &json!("10.0.0.2:80")));
    assert_eq!((&hello["from"], &hello["payload"]["port"]), (&json!("us"), &json!(80)));
    house.hear(&THEM.says("ERROR", "them", "us", 1, &json!({"code": "TIMEOUT", "detail": "busy"})));
    assert!(house.seen().is_empty() && house.greeted.is_empty());
    house.hear(&THEM.says("SERVER_WELCOME", "them", "us", 1, &welcome("new-id")));
    assert!(house.greeted[0].proven);
    let seen_before = house.said();
    let [announcement] = &seen_before[..] else { panic!("{seen_before:?}") };
    assert_eq!((&announcement["type"], &announcement["from"]), (&json!("SERVER_ANNOUNCE"), &json!("new-id")));
    let seen = house.seen();
    let introduced = seen.iter().find_map(|output| match output {
        Output::Introduce(servers) => Some(servers),
        _ => None,
    });
    let [other] = &introduced.expect("servers")[..] else { panic!("{introduced:?}") };
    assert_eq!((other.id.as_str(), other.address.as_str()), ("other", "10.0.0.3:80"));
    assert_eq!(other.key, Some(STRANGER.key().id()));
    assert_eq!(came(&seen[seen.len() - 1..]), Some(id_of("anna")));
}
