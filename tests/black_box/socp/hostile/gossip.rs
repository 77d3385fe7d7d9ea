//! Servers that tell of users who are not theirs, or what is no longer true.

use serde_json::{Value, json};

use super::{
    house,
    stranger::{
        ANNA, BEN, LAIR, OTHER, Stranger, address, advertise, hello, join, name, pubkey, remove, signed,
        still_serves, unsigned, with,
    },
};
use crate::app::App;

/// How often a server did what it must not.
async fn violations(app: &App, server: usize, count: u64) {
    app.until_peer(&address(server), |peer| peer["violations"] == count).await;
}

#[actix_web::test]
async fn unauthenticated_gossip_changes_nothing() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    server.says(&advertise(LAIR, "real", "")).await;
    anna.sees("real", true).await;
    let mut bad = 0;
    for (frame, code) in [
        (unsigned(advertise(LAIR, "fake", "")), Some("INVALID_SIG")),
        (unsigned(remove(LAIR, "real")), Some("INVALID_SIG")),
        // Signed with another key, and changed after it was signed.
        (with(advertise(OTHER, "fake", ""), "/from", name(LAIR)), None),
        (with(advertise(LAIR, "other", ""), "/payload/user_id", "fake"), None),
        (with(remove(LAIR, "nobody"), "/payload/user_id", "real"), None),
    ] {
        bad += 1;
        server.says(&frame).await;
        if let Some(code) = code {
            assert_eq!(server.error().await, code, "{frame}");
        }
        violations(&app, LAIR, bad).await;
    }
    anna.settles(&mut server).await;
    let (users, _) = anna.list().await;
    assert!(users.contains(&"real".to_owned()) && !users.contains(&"fake".to_owned()), "{users:?}");
    let counted = app.metric("kith_violations_total{code=\"bad_signature\"}").await;
    assert!(counted >= 4.0, "{counted}");
    still_serves(&app).await;
}

#[actix_web::test]
async fn nobody_is_removed_by_a_server_that_does_not_have_them() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let _ben = Stranger::user(&app, BEN).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let mut other = Stranger::server(&app, OTHER).await;
    other.says(&advertise(OTHER, "theirs", "")).await;
    anna.sees("theirs", true).await;
    for user in ["theirs", name(ANNA), name(BEN)] {
        server.says(&remove(LAIR, user)).await;
        // In the name of the server that has them, too.
        let payload = json!({"user_id": user, "server_id": name(OTHER)});
        for from in [name(LAIR), name(OTHER)] {
            server.says(&signed(LAIR, "USER_REMOVE", from, "*", &payload)).await;
        }
    }
    anna.settles(&mut server).await;
    let (users, _) = anna.list().await;
    for user in ["theirs", name(ANNA), name(BEN)] {
        assert!(users.contains(&user.to_owned()), "{user} is gone: {users:?}");
    }
    let counted = app.metric("kith_violations_total{code=\"wrong_sender\"}").await;
    assert!((counted - 3.0).abs() < 0.1, "a server that names another one is counted: {counted}");
    // Nor is anybody stolen by being listed twice.
    for user in ["theirs", name(BEN)] {
        server.says(&advertise(LAIR, user, "")).await;
    }
    anna.settles(&mut server).await;
    server.says(&remove(LAIR, name(BEN))).await;
    server.says(&remove(LAIR, "theirs")).await;
    anna.settles(&mut server).await;
    let (users, _) = anna.list().await;
    assert!(users.contains(&"theirs".to_owned()) && users.contains(&name(BEN).to_owned()), "{users:?}");
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_replayed_arrival_does_not_undo_a_removal() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let (came, went) = (advertise(LAIR, "guest", ""), remove(LAIR, "guest"));
    server.says(&came).await;
    anna.sees("guest", true).await;
    server.says(&went).await;
    anna.sees("guest", false).await;
    server.says(&came).await;
    anna.settles(&mut server).await;
    assert!(!anna.list().await.0.contains(&"guest".to_owned()), "an old arrival counts");
    server.says(&advertise(LAIR, "guest", "")).await;
    anna.sees("guest", true).await;
    server.says(&went).await;
    anna.settles(&mut server).await;
    assert!(anna.list().await.0.contains(&"guest".to_owned()), "an old removal counts");
    app.until_metric("kith_violations_total{code=\"stale_counter\"}", |count| count == 2.0).await;
    violations(&app, LAIR, 2).await;
}

#[actix_web::test]
async fn a_server_is_its_key() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    server.says(&advertise(LAIR, "real", "")).await;
    anna.sees("real", true).await;
    let forged: [Value; 3] = [
        // Its key and the hand of somebody else, no signature at all, and another key under its name.
        with(join(LAIR), "/sig", join(OTHER)["sig"].clone()),
        unsigned(join(LAIR)),
        signed(OTHER, "SERVER_HELLO_JOIN", name(LAIR), "", &join(OTHER)["payload"]),
    ];
    for (frame, ends) in forged.iter().zip(["bad_signature", "unproven", "wrong_key"]) {
        let mut impostor = Stranger::dial(&app.listen, OTHER).await;
        impostor.says(frame).await;
        let (_, end) = impostor.last_words().await;
        assert_eq!(end, Some((1008, ends.to_owned())), "{frame}");
    }
    assert!(anna.list().await.0.contains(&"real".to_owned()), "the real one is still linked");
    still_serves(&app).await;
}

#[actix_web::test]
async fn servers_hear_the_keys_that_they_ask_for() {
    let app = house();
    let _anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let asks = |kind: &str, from: usize, payload: &Value| signed(from, kind, name(LAIR), "us", payload);
    server.says(&asks("PUB_KEY_REQUEST", LAIR, &json!({"recipient_uuid": name(ANNA)}))).await;
    assert_eq!(server.hears("PUB_KEY").await["payload"]["recipient_pub"], pubkey(ANNA));
    server.says(&asks("DB_GET_USER", LAIR, &json!({"user_id": name(ANNA), "req_id": "a"}))).await;
    let known = server.hears("DB_USER").await;
    assert_eq!(
        (&known["payload"]["pubkey"], &known["payload"]["req_id"]),
        (&json!(pubkey(ANNA)), &json!("a"))
    );
    server.says(&asks("DB_GET_USER", LAIR, &json!({"user_id": name(BEN)}))).await;
    assert_eq!(server.hears("DB_USER").await["payload"]["found"], false);
    server.says(&asks("DB_GET_USER", OTHER, &json!({"user_id": name(ANNA)}))).await;
    assert_eq!(server.error().await, "INVALID_SIG");
    app.until_peer(&address(LAIR), |peer| peer["violations"] == 1).await;
    server.says(&signed(LAIR, "HEARTBEAT", name(OTHER), "us", &json!({}))).await;
    app.until_peer(&address(LAIR), |peer| peer["violations"] == 2).await;
    still_serves(&app).await;
}

#[actix_web::test]
async fn users_never_say_what_servers_say() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let there = |user: &str| json!({"user_id": user, "server_id": name(ANNA), "meta": {}});
    let letter =
        json!({"user_id": name(BEN), "sender": name(BEN), "ciphertext": "forged", "content_sig": "..."});
    let frames = [
        ("USER_ADVERTISE", there("ghost")),
        ("USER_REMOVE", there(name(BEN))),
        ("SERVER_DELIVER", letter.clone()),
        ("USER_DELIVER", letter.clone()),
        ("PEER_DELIVER", letter),
        ("SERVER_ANNOUNCE", json!({"host": "a", "port": 1})),
        ("SERVER_HELLO_JOIN", join(LAIR)["payload"].clone()),
        ("PUBLIC_CHANNEL_UPDATED", json!({"version": 9, "wraps": []})),
        ("PUBLIC_CHANNEL_KEY_SHARE", json!({"shares": []})),
        ("DB_GET_USER", there(name(BEN))),
        ("OVERRIDE_PUBLIC_KEY", there(name(BEN))),
        ("DUMP_USERS", json!({})),
    ];
    for (kind, payload) in &frames {
        for from in [name(ANNA), name(LAIR)] {
            anna.says(&signed(ANNA, kind, from, "*", payload)).await;
            let code = anna.error().await;
            let expected = if from == name(ANNA) { "UNKNOWN_TYPE" } else { "INVALID_SIG" };
            // What nobody knows is unknown whoever says it.
            assert!(code == expected || code == "UNKNOWN_TYPE", "{kind} from {from}: {code}");
        }
    }
    assert_eq!(ben.list().await.0, [name(ANNA), name(BEN)], "nobody came or went");
    anna.says(&hello(ANNA)).await;
    assert_eq!(anna.error().await, "NAME_IN_USE");
    still_serves(&app).await;
}
