//! Members who are banned by the key behind their name, or by the name.

use serde_json::{Value, json};

use super::{
    house,
    stranger::{ANNA, BEN, LAIR, Stranger, advertise, deliver, hello, name, pubkey, with},
};
use crate::{app::App, client::Goodbye};

fn banned() -> (Option<String>, Goodbye) {
    (Some("BANNED".to_owned()), Some((1008, "banned".to_owned())))
}

async fn knocks(app: &App, user: usize, frame: &Value) -> (Option<String>, Goodbye) {
    let mut user = Stranger::dial(&app.listen, user).await;
    user.says(frame).await;
    user.last_words().await
}

#[actix_web::test]
async fn a_banned_key_finds_no_way_round_by_another_name() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let key = app.first_fingerprint().await;
    let mut ben = Stranger::user(&app, BEN).await;
    let id = app.ban(&json!({"key": key})).await;
    assert_eq!(anna.last_words().await, banned());
    ben.sees(name(ANNA), false).await;
    assert_eq!(knocks(&app, ANNA, &hello(ANNA)).await, banned());
    assert_eq!(knocks(&app, ANNA, &with(hello(ANNA), "/from", "somebody-else")).await, banned());
    app.unban(&id).await;
    Stranger::user(&app, ANNA).await;
}

#[actix_web::test]
async fn a_banned_name_is_banned_in_every_spelling_and_for_every_key() {
    let app = house();
    let mut guest = Stranger::dial(&app.listen, ANNA).await;
    guest.says(&with(hello(ANNA), "/from", "Guest-Anna")).await;
    guest.hears("ACK").await;
    let id = app.ban(&json!({"name": "gUEST-aNNA"})).await;
    assert_eq!(guest.last_words().await, banned());
    for (user, spelling) in [(ANNA, "Guest-Anna"), (BEN, "GUEST-ANNA"), (BEN, "guest-anna")] {
        let frame = with(hello(user), "/from", spelling);
        assert_eq!(knocks(&app, user, &frame).await, banned(), "{spelling}");
    }
    Stranger::user(&app, ANNA).await;
    app.unban(&id).await;
    let mut guest = Stranger::dial(&app.listen, BEN).await;
    guest.says(&with(hello(BEN), "/from", "GUEST-ANNA")).await;
    guest.hears("ACK").await;
}

#[actix_web::test]
async fn a_banned_member_of_a_neighbour_is_neither_listed_nor_heard() {
    let app = house();
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut server = Stranger::server(&app, LAIR).await;
    server.says(&advertise(LAIR, name(BEN), &pubkey(BEN))).await;
    anna.sees(name(BEN), true).await;
    let id = app.ban(&json!({"name": name(BEN)})).await;
    anna.sees(name(BEN), false).await;
    server.says(&deliver(LAIR, name(BEN), name(ANNA), "not heard")).await;
    assert!(anna.settles(&mut server).await.is_empty());
    app.until_metric("kith_refusals_total{code=\"banned\"}", |count| count >= 1.0).await;
    app.unban(&id).await;
    anna.sees(name(BEN), true).await;
    server.says(&deliver(LAIR, name(BEN), name(ANNA), "heard")).await;
    assert_eq!(anna.settles(&mut server).await, ["heard"]);
}
