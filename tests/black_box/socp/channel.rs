//! What servers say about the key of the public channel, which Kith hands on and never holds.

use futures_util::StreamExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::hostile::{
    house,
    stranger::{ANNA, BEN, LAIR, Stranger, advertise, name, pubkey, signed, still_serves},
};
use crate::app::in_time;

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
