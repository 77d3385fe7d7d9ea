//! Users whose connection ends while we are signing what they asked for.

use actix_web::http::Method;
use serde_json::{Value, json};
use tokio_tungstenite::MaybeTlsStream;

use super::{
    house,
    stranger::{ANNA, Stranger, name, still_serves},
};
use crate::app::in_time;

/// Asks for keys. Each answer repeats another number, so each is signed anew.
async fn asks(anna: &mut Stranger, questions: usize) {
    for number in 0..questions {
        let payload = json!({"user_id": name(ANNA), "req_id": number.to_string()});
        let question =
            json!({"type": "PUB_KEY_REQUEST", "from": name(ANNA), "to": "", "ts": 1, "payload": payload});
        anna.says(&question).await;
    }
}

#[actix_web::test]
async fn whoever_is_shown_the_door_meanwhile_hears_whole_frames_in_order_and_the_reason() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    asks(&mut anna, 200).await;
    let first = anna.hears("PUB_KEY").await;
    assert_eq!(first["payload"]["req_id"], "0");
    let id = app.clients().await[0]["id"].as_str().expect("a number").to_owned();
    assert_eq!(app.api(Method::DELETE, &format!("/api/v1/clients/{id}")).await.status, 204);
    let (mut frames, end) = in_time("the end of a connection", async {
        let mut frames: Vec<Value> = Vec::new();
        loop {
            match anna.next().await {
                Ok(frame) => frames.push(frame),
                Err(end) => return (frames, end),
            }
        }
    })
    .await;
    assert_eq!(end, Some((1008, "kicked".to_owned())));
    assert_eq!(frames.pop().expect("last words")["type"], "CTRL_CLOSE");
    // That she has come may be told between two answers.
    frames.retain(|frame| frame["type"] != "USER_ADVERTISE");
    for (number, frame) in frames.iter().enumerate() {
        assert_eq!(frame["payload"]["req_id"], (number + 1).to_string(), "{frame}");
        assert_eq!(frame["sig"].as_str().map(str::len), Some(683), "{frame}");
    }
    app.until_metric("kith_members", |count| count == 0.0).await;
}

#[actix_web::test]
async fn whoever_is_gone_meanwhile_leaves_nothing_behind() {
    let app = house();
    for _ in 0..5 {
        let mut anna = Stranger::user(&app, ANNA).await;
        asks(&mut anna, 20).await;
        let MaybeTlsStream::Plain(stream) = anna.socket.get_mut() else { panic!("no TLS here") };
        // Zero linger turns the close into a reset.
        stream.set_zero_linger().expect("an option");
        drop(anna);
        // Her name is free again: she holds one connection at most.
        app.until_metric("kith_members", |count| count == 0.0).await;
    }
    still_serves(&app).await;
}
