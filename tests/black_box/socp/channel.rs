//! What servers say about the key of the public channel, which Kith hands on and never opens.

use futures_util::StreamExt as _;
use kith::dialect::socp::canonical::canonical;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::hostile::{
    house,
    stranger::{ANNA, BEN, LAIR, Stranger, advertise, name, pubkey, signature, signed, still_serves},
};
use crate::app::{App, in_time};

/// The very text of the next frame that holds this.
async fn hears_text(member: &mut Stranger, part: &str) -> String {
    in_time(part, async {
        loop {
            match member.socket.next().await {
                Some(Ok(Message::Text(text))) if text.contains(part) => return text.to_string(),
                Some(Ok(_)) => {}
                other => panic!("waiting for {part}, an unexpected end: {other:?}"),
            }
        }
    })
    .await
}

#[actix_web::test]
async fn keys_of_the_channel_reach_members_as_they_were_sent_and_once() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let wraps = json!({"version": 3, "wraps": [{"member_id": name(ANNA), "wrapped_key": "d3JhcA"}]});
    let shares = json!({
        "shares": [{"member": name(ANNA), "wrapped_public_channel_key": "c2hhcmU"}],
        "creator_pub": pubkey(LAIR),
        "content_sig": "c2ln",
    });
    for (kind, payload) in [("PUBLIC_CHANNEL_UPDATED", wraps), ("PUBLIC_CHANNEL_KEY_SHARE", shares)] {
        let frame = signed(LAIR, kind, name(LAIR), "*", &payload);
        // White space that nobody would print again in the same way.
        let text = serde_json::to_string_pretty(&frame).expect("JSON");
        server.says_text(text.clone()).await;
        server.says_text(text.clone()).await;
        for member in [&mut anna, &mut ben] {
            assert_eq!(hears_text(member, kind).await, text, "{kind}");
        }
        // What came later has arrived, so what has not come will not.
        server.says(&advertise(LAIR, kind, "")).await;
        for member in [&mut anna, &mut ben] {
            let next = hears_text(member, kind).await;
            assert!(next.contains("USER_ADVERTISE"), "{kind} came twice: {next}");
        }
    }
    still_serves(&app).await;
}

/// A share that its maker has signed.
fn share(maker: usize, member: usize, wrapped: &str) -> Value {
    let shares = json!([{"member": name(member), "wrapped_public_channel_key": wrapped}]);
    let text = format!("{}{}", canonical(&shares.to_string()).expect("JSON"), pubkey(maker));
    let content_sig = signature(maker, text.as_bytes());
    json!({"shares": shares, "creator_pub": pubkey(maker), "content_sig": content_sig})
}

#[actix_web::test]
async fn whoever_comes_later_hears_the_keys_that_are_for_it_as_they_were_sent() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    assert_eq!(server.hears("PUBLIC_CHANNEL_ADD").await["payload"]["if_version"], 0);
    let wraps = |version: u64, member: usize| {
        let wrap = json!({"member_id": name(member), "wrapped_key": format!("wrap {version}")});
        let payload = json!({"version": version, "wraps": [wrap]});
        let frame = signed(LAIR, "PUBLIC_CHANNEL_UPDATED", name(LAIR), "*", &payload);
        // White space that nobody would print again in the same way.
        serde_json::to_string_pretty(&frame).expect("JSON")
    };
    let share = signed(LAIR, "PUBLIC_CHANNEL_KEY_SHARE", name(LAIR), "*", &share(LAIR, BEN, "for ben"));
    let said = [wraps(1, BEN), wraps(2, BEN), share.to_string()];
    for text in &said {
        server.says_text(text.clone()).await;
        assert_eq!(&hears_text(&mut anna, "PUBLIC_CHANNEL_").await, text, "who is here hears all of it");
    }
    anna.settles(&mut server).await;
    let mut ben = Stranger::user(&app, BEN).await;
    for text in &said[1..] {
        assert_eq!(&hears_text(&mut ben, "PUBLIC_CHANNEL_").await, text, "the old key is of no use");
    }
    // The server hears that he is in the channel of its second key.
    let added = server.hears("PUBLIC_CHANNEL_ADD").await;
    assert_eq!(added["payload"], json!({"add": [name(BEN)], "if_version": 2}));
    // What is for him is for nobody else, and waits for him in a new house, too.
    drop((anna, ben, server));
    let app = App::in_folder(app.stop(), &[("NEIGHBOURHOOD__ADMIT", "anyone")]);
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    for text in &said[1..] {
        assert_eq!(&hears_text(&mut ben, "PUBLIC_CHANNEL_").await, text);
    }
    let (_, before) = anna.list().await;
    let is_of_channel = |frame: &Value| frame["type"].as_str().is_some_and(|kind| kind.contains("CHANNEL"));
    assert!(!before.iter().any(is_of_channel), "{before:?}");
    still_serves(&app).await;
}
