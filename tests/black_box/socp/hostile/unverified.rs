//! Somebody comes under the name of a neighbour that is known, with a signature that fits no key: the neighbour's
//! operator can see that and why, and nothing is said about the link.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    house,
    stranger::{LAIR, OTHER, Stranger, address, join, pubkey, unsigned, with},
};
use crate::app::App;

/// A house with a neighbour that is named with its key and never answers.
async fn with_neighbour() -> App {
    let app = house();
    let peer = json!({"url": format!("ws://{}", address(LAIR)), "dialect": "socp", "key": pubkey(LAIR)});
    assert_eq!(app.api_with(Method::POST, "/api/v1/peers", &peer).await.status, 201);
    app
}

async fn knocks(app: &App, frame: &Value) -> Option<String> {
    let mut server = Stranger::dial(&app.listen, LAIR).await;
    server.says(frame).await;
    server.last_words().await.0
}

#[actix_web::test]
async fn a_signature_that_nobody_can_verify_is_shown_at_the_neighbour_whose_name_was_used() {
    let app = with_neighbour().await;
    let forged = with(join(LAIR), "/sig", join(OTHER)["sig"].clone());
    for (frame, code, shown, message) in [
        (forged, "INVALID_SIG", "bad_signature", "its signature does not fit its key: none of "),
        (with(join(LAIR), "/payload/pubkey", "AAAA"), "BAD_KEY", "bad_key", ""),
        (with(join(LAIR), "/payload/pubkey", pubkey(OTHER)), "BAD_KEY", "wrong_key", "it shows another key"),
        (unsigned(join(LAIR)), "INVALID_SIG", "unproven", "it cannot prove who it is"),
    ] {
        assert_eq!(knocks(&app, &frame).await.as_deref(), Some(code), "{shown}");
        if message.is_empty() {
            // A key that cannot be read names nobody.
            continue;
        }
        let peer = app.until_peer(&address(LAIR), |peer| peer["refused_claim"]["code"] == shown).await;
        let claim = &peer["refused_claim"];
        assert!(claim["message"].as_str().is_some_and(|words| words.starts_with(message)), "{peer}");
        assert!(claim["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{peer}");
        assert_ne!(peer["state"], "up");
    }
}
