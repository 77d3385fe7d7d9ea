//! Letters that are forged, changed, or played back.

use serde_json::{Value, json};

use super::{
    house,
    stranger::{
        ANNA, BEN, LAIR, OTHER, Stranger, advertise, content, deliver, direct, name, pubkey, signed,
        still_serves, unsigned, with,
    },
};

#[actix_web::test]
async fn a_letter_of_a_user_counts_once_and_only_in_its_own_name() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let forged: Vec<Value> = ["MSG_DIRECT", "MSG_PUBLIC_CHANNEL", "FILE_START"]
        .into_iter()
        .flat_map(|kind| {
            let mut payload = content(ANNA, "forged");
            payload["file_id"] = json!("1");
            payload["name"] = json!("a file");
            payload["size"] = json!(1);
            let says = |from: &str| signed(ANNA, kind, from, name(BEN), &payload);
            let named = [says(name(BEN)), says("server"), says("")];
            let bare = named.clone().map(unsigned);
            let other_hand = signed(OTHER, kind, name(ANNA), name(BEN), &payload);
            let changed = with(says(name(ANNA)), "/payload/ciphertext", "changed");
            named.into_iter().chain(bare).chain([other_hand, changed])
        })
        .collect();
    for frame in &forged {
        anna.says(frame).await;
        assert_eq!(anna.error().await, "INVALID_SIG", "{frame}");
    }
    let letter = direct(ANNA, name(BEN), "real");
    anna.says(&letter).await;
    anna.says(&letter).await;
    // With another time and another signature of the same payload it is the same letter.
    anna.says(&direct(ANNA, name(BEN), "real")).await;
    anna.says(&direct(ANNA, "somebody-else", "lost")).await;
    assert_eq!(anna.error().await, "USER_NOT_FOUND");
    anna.says(&direct(ANNA, name(BEN), "last")).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "last") {
        let frame = ben.hears("USER_DELIVER").await;
        assert_eq!(frame["payload"]["sender"], name(ANNA));
        heard.push(frame["payload"]["ciphertext"].as_str().expect("a text").to_owned());
    }
    assert_eq!(heard, ["real", "last"]);
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 2.0).await;
    app.until_metric("kith_violations_total{code=\"wrong_sender\"}", |count| count == 18.0).await;
    app.until_metric("kith_violations_total{code=\"bad_signature\"}", |count| count == 6.0).await;
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_delivery_counts_once_and_only_from_the_server_that_answers_for_its_author() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let mut other = Stranger::server(&app, OTHER).await;
    server.says(&advertise(LAIR, "guest", "")).await;
    other.says(&advertise(OTHER, "theirs", "")).await;
    for user in ["guest", "theirs"] {
        anna.sees(user, true).await;
    }
    let brings = |author: &str, text: &str| deliver(LAIR, author, name(ANNA), text);
    let real = brings("guest", "real");
    for frame in [
        unsigned(brings("guest", "forged")),
        with(brings("guest", "forged"), "/payload/ciphertext", "changed"),
        with(deliver(OTHER, "guest", name(ANNA), "forged"), "/from", name(LAIR)),
        unsigned(with(brings("guest", "forged"), "/from", name(OTHER))),
        unsigned(with(brings("guest", "forged"), "/from", "")),
        // Users of another server, of this one, and the very one it is for.
        brings("theirs", "forged"),
        brings(name(BEN), "forged").clone(),
        brings(name(ANNA), "forged"),
        // In nobody's name there is no signature of ours to be had.
        unsigned(with(
            signed(LAIR, "MSG_PUBLIC_CHANNEL", "x", "public", &content(LAIR, "forged")),
            "/from",
            "",
        )),
    ] {
        server.says(&frame).await;
    }
    for _ in 0..3 {
        server.says(&real).await;
        server.says(&brings("guest", "real")).await;
    }
    let nobody = deliver(LAIR, "guest", "nobody-at-all", "lost");
    server.says(&nobody).await;
    let heard = anna.settles(&mut server).await;
    assert_eq!(heard.iter().filter(|text| *text == "real").count(), 1, "{heard:?}");
    // Ben has never been here: whoever brings his letter says that he is there.
    let forged: Vec<_> = heard.iter().filter(|text| *text != "real").collect();
    assert!(forged.len() <= 1, "{heard:?}");
    let codes = [server.error().await, server.error().await];
    assert!(codes.contains(&"INVALID_SIG".to_owned()), "{codes:?}");
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 5.0).await;
    app.until_peer("lair-2.example:1", |peer| peer["violations"].as_u64().is_some_and(|count| count >= 11))
        .await;
    still_serves(&app).await;
}

#[actix_web::test]
async fn nothing_is_delivered_before_a_server_has_said_who_it_is() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::dial(&app.listen, LAIR).await;
    for frame in [
        deliver(LAIR, "guest", name(ANNA), "forged"),
        unsigned(deliver(LAIR, "guest", name(ANNA), "forged")),
        advertise(LAIR, "guest", &pubkey(LAIR)),
        signed(LAIR, "MSG_PUBLIC_CHANNEL", "guest", "public", &json!({"ciphertext": "forged"})),
        direct(BEN, name(ANNA), "forged"),
    ] {
        server.says(&frame).await;
        assert_eq!(server.error().await, "UNKNOWN_TYPE", "{frame}");
    }
    let (users, heard) = anna.list().await;
    assert_eq!(users, [name(ANNA)]);
    assert!(heard.iter().all(|frame| frame["type"] == "USER_ADVERTISE"), "{heard:?}");
    app.until_metric("kith_violations_total{code=\"out_of_order\"}", |count| count == 5.0).await;
    still_serves(&app).await;
}
