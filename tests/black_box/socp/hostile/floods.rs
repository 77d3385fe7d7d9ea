//! Who says too much, too long, or only nonsense.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    house, house_with,
    stranger::{
        ANNA, BEN, LAIR, Stranger, address, content, deliver, direct, name, signed, still_serves, unsigned,
        with,
    },
};
use crate::app::in_time;

/// How long a letter may take while somebody floods the house, with a slow build on a slow machine.
const PATIENT: Duration = Duration::from_secs(5);

#[actix_web::test]
async fn frames_that_are_too_large_end_their_connection_alone() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let huge = |kind: &str, from: usize| {
        let payload = json!({"ciphertext": "x".repeat(40 << 20)});
        json!({"type": kind, "from": name(from), "to": "public", "ts": 1, "payload": payload}).to_string()
    };
    for (stranger, owner) in [(&mut anna, ANNA), (&mut server, LAIR)] {
        let frame = huge("MSG_PUBLIC_CHANNEL", owner);
        // It may be cut off while it still talks.
        let said = in_time("a frame that is too large", async {
            let message = tokio_tungstenite::tungstenite::Message::text(frame);
            futures_util::SinkExt::send(&mut stranger.socket, message).await
        })
        .await;
        let (_, end) = stranger.last_words().await;
        assert!(said.is_err() || end.is_none_or(|(code, _)| code == 1009), "{owner}");
    }
    app.until_metric("kith_violations_total{code=\"too_large\"}", |count| count == 2.0).await;
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_server_is_told_once_about_each_type_that_is_unknown() {
    let app = house();
    let mut server = Stranger::server(&app, LAIR).await;
    let unknown = |kind: &str| unsigned(signed(LAIR, kind, name(LAIR), "us", &json!({})));
    let frames: Vec<_> = (0..40).map(|kind| unknown(&format!("STRANGE_{kind}"))).collect();
    for _ in 0..50 {
        for frame in &frames {
            server.says(frame).await;
        }
    }
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    app.until_peer(&address(LAIR), |peer| peer["violations"] == 2000).await;
    // The next heartbeat of the house would come much later.
    let ended = tokio::time::timeout(Duration::from_millis(500), async {
        while let Ok(frame) = server.next().await {
            if frame["type"] == "ERROR" {
                assert_eq!(frame["payload"]["code"], "UNKNOWN_TYPE");
                *seen.entry(frame["payload"]["detail"].to_string()).or_default() += 1;
            }
        }
    })
    .await;
    assert!(ended.is_err(), "the link stays");
    assert_eq!(seen.len(), frames.len());
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    still_serves(&app).await;
}

#[actix_web::test]
async fn errors_are_never_answered() {
    let app = house();
    let mut server = Stranger::server(&app, LAIR).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let before = app.until_state(&address(LAIR), "up").await["frames_out"].as_u64().expect("a count");
    let error = |from: usize| {
        let payload = json!({"code": "UNKNOWN_TYPE", "detail": "whatever you said"});
        signed(from, "ERROR", name(from), "us", &payload)
    };
    let (signed_error, own) = (error(LAIR), error(ANNA));
    for number in 0..2000 {
        let bare = unsigned(signed_error.clone());
        server.says(if number % 2 == 0 { &signed_error } else { &bare }).await;
    }
    for _ in 0..50 {
        anna.says(&own).await;
    }
    anna.settles(&mut server).await;
    // Errors that answer each of our frames make no storm: what we say does not depend on them.
    let peer = app.until_peer(&address(LAIR), |peer| peer["frames_in"].as_u64() > Some(2000)).await;
    let said = peer["frames_out"].as_u64().expect("a count") - before;
    assert!(said < 10, "{said} frames in answer to errors");
    let (_, heard) = anna.list().await;
    assert!(heard.iter().all(|frame| frame["type"] != "ERROR"), "{heard:?}");
    still_serves(&app).await;
}

/// How long so many bad signatures take at least, however fast the machine is: those that fit into the burst are free,
/// each of the others counts as twenty frames beside its own, and what the last one costs is paid later.
fn least(signatures: u32, burst: u32, per_second: u32) -> Duration {
    let frames = (signatures - 1) * 21;
    Duration::from_secs_f64(f64::from(frames - burst) / f64::from(per_second))
}

#[actix_web::test]
async fn bad_signatures_cost_their_user_its_pace_and_are_counted() {
    let app = house();
    let mut mallory = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let honest = direct(ANNA, name(BEN), "honest");
    let start = Instant::now();
    for number in 0..100 {
        // Each is another one, so that nothing is remembered of it.
        mallory.says(&with(honest.clone(), "/payload/ciphertext", format!("forged {number}"))).await;
    }
    for _ in 0..14 {
        assert_eq!(mallory.error().await, "INVALID_SIG");
    }
    let took = start.elapsed();
    assert!(took > least(14, 200, 50), "14 bad signatures were checked in {took:?}");
    app.until_metric("kith_violations_total{code=\"bad_signature\"}", |count| count >= 14.0).await;
    // Ben is not slower for it: in this time not even one more of those is checked.
    let start = Instant::now();
    for number in 0..20 {
        ben.says(&direct(BEN, name(BEN), &format!("letter {number}"))).await;
        ben.hears("USER_DELIVER").await;
    }
    assert!(start.elapsed() < PATIENT, "20 letters took {:?}", start.elapsed());
    drop(mallory);
    still_serves(&app).await;
}

#[actix_web::test]
async fn bad_signatures_cost_their_server_its_pace_and_are_shown() {
    let few = [("LIMITS__PEER_FRAMES_PER_SECOND", "100"), ("LIMITS__PEER_FRAMES_BURST", "210")];
    let app = house_with(&few);
    let mut server = Stranger::server(&app, LAIR).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let honest = deliver(LAIR, "her", name(BEN), "honest");
    let start = Instant::now();
    for number in 0..40 {
        server.says(&with(honest.clone(), "/payload/ciphertext", format!("forged {number}"))).await;
    }
    assert_eq!(server.error().await, "INVALID_SIG");
    app.until_peer(&address(LAIR), |peer| peer["violations"].as_u64() >= Some(30)).await;
    let took = start.elapsed();
    assert!(took > least(30, 210, 100), "30 bad signatures were checked in {took:?}");
    server.says(&deliver(LAIR, "her", name(BEN), "after all")).await;
    assert_eq!(ben.hears("USER_DELIVER").await["payload"]["ciphertext"], "after all");
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_flood_slows_down_nobody_but_its_author() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    let mut server = Stranger::server(&app, LAIR).await;
    let mut noisy = Stranger::dial(&app.listen, BEN).await;
    let spam =
        unsigned(signed(LAIR, "USER_ADVERTISE", name(LAIR), "*", &json!({"user_id": "x"}))).to_string();
    let public = unsigned(signed(BEN, "NOISE", name(BEN), "public", &content(BEN, "x"))).to_string();
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut until = stop.subscribe();
    let flood_of_a_server = async {
        while !*stopped.borrow_and_update() {
            let text = tokio_tungstenite::tungstenite::Message::text(spam.clone());
            let sent = futures_util::SinkExt::send(&mut server.socket, text);
            if tokio::time::timeout(Duration::from_millis(200), sent).await.is_ok_and(|sent| sent.is_err()) {
                break;
            }
        }
    };
    let flood_of_a_user = async {
        while !*until.borrow_and_update() {
            let text = tokio_tungstenite::tungstenite::Message::text(public.clone());
            let sent = futures_util::SinkExt::send(&mut noisy.socket, text);
            if tokio::time::timeout(Duration::from_millis(200), sent).await.is_ok_and(|sent| sent.is_err()) {
                break;
            }
        }
    };
    let talk = async {
        let mut slowest = Duration::ZERO;
        for number in 0..20 {
            let start = Instant::now();
            anna.says(&direct(ANNA, name(BEN), &format!("letter {number}"))).await;
            ben.hears("USER_DELIVER").await;
            slowest = slowest.max(start.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.send(true).expect("somebody who listens");
        slowest
    };
    let ((), (), slowest) =
        in_time("a talk beside a flood", async { tokio::join!(flood_of_a_server, flood_of_a_user, talk) })
            .await;
    assert!(slowest < PATIENT, "a letter took {slowest:?}");
    let peer = app.until_peer(&address(LAIR), |peer| peer["violations"].as_u64() > Some(10)).await;
    assert!(peer["frames_in"].as_u64() > Some(10), "{peer}");
    drop((server, noisy));
    still_serves(&app).await;
}
