//! Whose name it is: of the key that came with it first, which must sign once it has signed.

use serde_json::{Value, json};

use super::{
    house,
    stranger::{
        ANNA, BEN, LAIR, Stranger, advertise, deliver, fingerprint, hello, name, pubkey, signed,
        still_serves, unsigned,
    },
};
use crate::{app::App, client::Goodbye};

/// How a hello is answered that is not taken.
async fn knocks(app: &App, frame: &Value) -> (Option<String>, Goodbye) {
    let mut user = Stranger::dial(&app.listen, ANNA).await;
    user.says(frame).await;
    user.last_words().await
}

fn refused(code: &str, reason: &str) -> (Option<String>, Goodbye) {
    (Some(code.to_owned()), Some((1008, reason.to_owned())))
}

/// A hello under the name of Anna, with the key of Ben.
fn impostor() -> Value {
    signed(BEN, "USER_HELLO", name(ANNA), "", &json!({"client": "test", "pubkey": pubkey(BEN)}))
}

#[actix_web::test]
async fn a_name_keeps_its_first_key_also_after_a_restart() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    assert_eq!(knocks(&app, &impostor()).await, refused("BAD_KEY", "wrong_key"), "while she is here");
    assert_eq!(knocks(&app, &unsigned(impostor())).await, refused("BAD_KEY", "wrong_key"));
    let (code, _) = knocks(&app, &hello(ANNA)).await;
    assert_eq!(code.as_deref(), Some("NAME_IN_USE"), "her own key, once more");
    assert_eq!(anna.list().await.0, [name(ANNA)], "she has noticed nothing");
    anna.socket.close(None).await.expect("a close");
    assert_eq!(knocks(&app, &impostor()).await, refused("BAD_KEY", "wrong_key"), "when she is gone");
    app.until_metric("kith_refusals_total{code=\"wrong_key\"}", |count| count == 3.0).await;
    app.until_metric("kith_refusals_total{code=\"name_in_use\"}", |count| count == 1.0).await;
    let again = App::in_folder(app.stop(), &[]);
    assert_eq!(knocks(&again, &impostor()).await, refused("BAD_KEY", "wrong_key"), "after a restart");
    assert_eq!(knocks(&again, &unsigned(hello(ANNA))).await, refused("INVALID_SIG", "unproven"));
    Stranger::user(&again, ANNA).await;
}

#[actix_web::test]
async fn a_hello_must_be_signed_once_its_key_has_signed_and_by_that_key() {
    let app = house();
    let mut anna = Stranger::dial(&app.listen, ANNA).await;
    anna.says(&unsigned(hello(ANNA))).await;
    anna.hears("ACK").await;
    anna.socket.close(None).await.expect("a close");
    app.until_metric("kith_members", |count| count == 0.0).await;
    // Not yet: her key has never signed.
    let proof = hello(ANNA);
    let mut anna = Stranger::dial(&app.listen, ANNA).await;
    anna.says(&proof).await;
    anna.hears("ACK").await;
    anna.socket.close(None).await.expect("a close");
    app.until_metric("kith_members", |count| count == 0.0).await;
    assert_eq!(knocks(&app, &unsigned(hello(ANNA))).await, refused("INVALID_SIG", "unproven"));
    assert_eq!(knocks(&app, &proof).await, refused("INVALID_SIG", "replayed"), "nor by an old proof");
    let forged = signed(BEN, "USER_HELLO", name(ANNA), "", &json!({"pubkey": pubkey(ANNA)}));
    assert_eq!(knocks(&app, &forged).await, refused("INVALID_SIG", "bad_signature"));
    for (name, count) in [
        ("kith_refusals_total{code=\"unproven\"}", 1.0),
        ("kith_refusals_total{code=\"replayed\"}", 1.0),
        ("kith_violations_total{code=\"bad_signature\"}", 1.0),
    ] {
        app.until_metric(name, |found| found == count).await;
    }
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_neighbour_does_not_take_a_name_away() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let ben = Stranger::user(&app, BEN).await;
    let mut watch = app.watch().await;
    let mut server = Stranger::server(&app, LAIR).await;
    drop(ben);
    anna.sees(name(BEN), false).await;
    let left = watch.about_link("left").await;
    assert_eq!(left["member"]["name"], name(BEN), "{left}");
    assert_eq!(left["member"]["fingerprint"], fingerprint(BEN), "as the list of clients shows him");
    // Under his name with its own key, and a letter in his name.
    server.says(&advertise(LAIR, name(BEN), &pubkey(LAIR))).await;
    let event = watch.about_link("name_refused").await;
    assert!(event["address"].as_str().is_some_and(|address| address.contains("lair-2")), "{event}");
    assert_eq!(event["member"]["name"], name(BEN), "{event}");
    assert_eq!(event["member"]["fingerprint"], fingerprint(LAIR), "{event}");
    let mut letter = deliver(LAIR, name(BEN), name(ANNA), "forged");
    let payload = &mut letter["payload"];
    payload["sender_pub"] = json!(pubkey(LAIR));
    let letter = signed(LAIR, "SERVER_DELIVER", name(LAIR), "us", &letter["payload"]);
    server.says(&letter).await;
    assert!(anna.settles(&mut server).await.is_empty(), "nobody hears it");
    assert!(!anna.list().await.0.contains(&name(BEN).to_owned()), "he is not there");
    app.until_peer("lair-2.example:1", |peer| peer["violations"].as_u64().is_some_and(|count| count >= 2))
        .await;
    // He comes back as if nothing had been.
    Stranger::user(&app, BEN).await;
}
