//! What the protocol forbids, as far as the wire shows it with our own keys.
//!
//! The long list of abuses is walked by the independent peers; here stand the rules of the door.

use serde_json::json;

use crate::{app::App, client::Client};

#[actix_web::test]
async fn who_never_says_hello_is_let_go() {
    let app = App::with(&[("LIMITS__HELLO_TIMEOUT_S", "1")]);
    let mut silent = Client::dial(&app, 0).await;
    assert_eq!(silent.goodbye().await, Some((1008, "no_hello".to_owned())));
    let mut babbling = Client::dial(&app, 0).await;
    babbling.send("not a hello").await;
    babbling.send(r#"{"type":"client_list_request"}"#).await;
    assert_eq!(babbling.goodbye().await, Some((1008, "no_hello".to_owned())));
}

#[actix_web::test]
async fn silence_is_asked_about_and_then_believed() {
    let app = App::with(&[("LIMITS__PING_INTERVAL_S", "1"), ("LIMITS__SILENCE_TIMEOUT_S", "2")]);
    // The library answers pings while we read, so this one stays.
    let mut alive = Client::join(&app, 0).await;
    let mut dead = crate::raw::Raw::open(&app.listen);
    let hello = Client::dial(&app, 1).await.hello_frame();
    dead.send(crate::raw::FINAL | crate::raw::TEXT, hello.as_bytes());
    let (mut pings, mut goodbye) = (0, None);
    let watch = std::thread::spawn(move || {
        while let Some(frame) = dead.next() {
            match frame.opcode {
                crate::raw::PING => pings += 1,
                crate::raw::CLOSE => goodbye = Some(frame.payload),
                _ => {}
            }
        }
        (pings, goodbye)
    });
    alive.list(|keys| keys.len() == 2).await;
    alive.list(|keys| keys.len() == 1).await;
    let (pings, goodbye) = watch.join().expect("the watch");
    assert!(pings >= 1, "it was asked");
    assert_eq!(goodbye.as_deref(), Some(&b"\x03\xf0silent"[..]));
}

#[actix_web::test]
async fn a_bad_signature_ends_the_connection_and_reaches_nobody() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut eve = Client::join(&app, 1).await;
    let sender = eve.fingerprint();
    let frame = eve.signed(&json!({"type": "public_chat", "sender": sender, "message": "forged"}));
    eve.send(&frame.replace("forged", "forgery")).await;
    assert_eq!(eve.goodbye().await, Some((1008, "bad_signature".to_owned())));
    anna.list_without(&eve.pem()).await;
    anna.say("still here").await;
    assert!(!anna.hear("public_chat").await.contains("forgery"));
}

#[actix_web::test]
async fn a_flood_is_read_more_slowly_but_nothing_is_lost() {
    let app = App::with(&[("LIMITS__FRAMES_PER_SECOND", "50"), ("LIMITS__FRAMES_BURST", "50")]);
    let mut anna = Client::join(&app, 0).await;
    let started = std::time::Instant::now();
    for number in 0..150 {
        anna.say(&format!("number {number}.")).await;
    }
    for number in 0..150 {
        anna.hear(&format!("number {number}.")).await;
    }
    // A burst of 50 at once, 100 more at 50 a second, less what one read may hold beyond that.
    assert!(started.elapsed().as_millis() > 500, "the flood took only {:?}", started.elapsed());
}

#[actix_web::test]
async fn a_letter_with_too_many_recipients_costs_nobody_anything() {
    let app = App::with(&[("LIMITS__RECIPIENTS_PER_LETTER", "3")]);
    let mut anna = Client::join(&app, 0).await;
    let chat = |count: usize| {
        json!({"type": "chat", "destination_servers": vec![&app.listen; count], "iv": "AA==",
               "symm_keys": vec!["AA=="; count], "chat": format!("sealed for {count}")})
    };
    for count in [4, 3] {
        let frame = anna.signed(&chat(count));
        anna.send(&frame).await;
    }
    assert!(anna.hear("sealed for").await.contains("sealed for 3"));
}
