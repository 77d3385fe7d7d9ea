//! SOCP users who are away: letters wait for them at the author's home, wherever they come next.

use kith::{crypto::sha256, dialect::socp::binary};
use serde_json::{Value, json};

use super::{
    hostile::stranger::{ANNA, BEN, Stranger, content, name, signed, with},
    meshes::{Furnished, furnished},
};
use crate::app::App;

/// A letter that only its recipient could read.
fn sealed(from: usize, to: usize, text: &str) -> Value {
    let ciphertext = binary::encode(&sha256(text.as_bytes()).repeat(16), false);
    let payload = with(content(from, text), "/ciphertext", ciphertext);
    signed(from, "MSG_DIRECT", name(from), name(to), &payload)
}

/// One who was here once.
async fn visited(app: &App, user: usize) {
    drop(Stranger::user(app, user).await);
    app.until_metric("kith_clients", |count| count < 2.0).await;
}

/// Writes to Ben, and waits until it is said that the letter is kept.
async fn keeps(anna: &mut Stranger, text: &str) -> Value {
    let letter = sealed(ANNA, BEN, text);
    anna.says(&letter).await;
    let ack = anna.hears("ACK").await;
    let expected = json!({
        "msg_ref": "MSG_DIRECT", "status": "kept", "ts": letter["ts"], "user_id": name(BEN),
    });
    assert_eq!(ack["payload"], expected);
    assert!(ack["sig"].is_string(), "{ack}");
    letter
}

/// That these letters come, each as it was written, and then one that is said now.
async fn hears_all(ben: &mut Stranger, letters: &[Value], live: Option<(&mut Stranger, &str)>) {
    let mut letters = letters.to_vec();
    if let Some((anna, text)) = live {
        let letter = sealed(ANNA, BEN, text);
        anna.says(&letter).await;
        letters.push(letter);
    }
    for letter in &letters {
        let heard = ben.hears("USER_DELIVER").await;
        for field in ["ciphertext", "content_sig", "sender_pub"] {
            assert_eq!(heard["payload"][field], letter["payload"][field], "{heard}");
        }
        assert_eq!(heard["payload"]["sender"], letter["from"]);
        assert_eq!(heard["ts"], letter["ts"], "as it was signed");
    }
}

#[actix_web::test]
async fn letters_wait_for_a_user_and_come_once_in_order() {
    let app = App::start();
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let letters = [keeps(&mut anna, "one").await, keeps(&mut anna, "two").await];
    // Played back, it is no second letter.
    anna.says(&letters[0]).await;
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 1.0).await;
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, Some((&mut anna, "three"))).await;
    drop(ben);
    app.until_metric("kith_clients", |count| count == 1.0).await;
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &[], Some((&mut anna, "four"))).await;
    assert_eq!(app.metric("kith_offline_delivered_total").await, 2.0);
}

#[actix_web::test]
async fn what_was_said_to_be_kept_survives_a_kill() {
    let app = App::start();
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let letters = [keeps(&mut anna, "one").await, keeps(&mut anna, "two").await];
    drop(anna);
    let app = App::in_folder(app.kill(), &[]);
    // What waits cannot be written a second time.
    let mut anna = Stranger::user(&app, ANNA).await;
    anna.says(&letters[0]).await;
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 1.0).await;
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, None).await;
    drop((anna, ben));
    let app = App::in_folder(app.stop(), &[]);
    let mut anna = Stranger::user(&app, ANNA).await;
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &[], Some((&mut anna, "three"))).await;
}

#[actix_web::test]
async fn what_cannot_or_may_not_be_kept_is_refused_as_before() {
    let app = App::with(&[("LIMITS__OFFLINE_LETTERS_PER_MEMBER", "8")]);
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let readable = signed(ANNA, "MSG_DIRECT", name(ANNA), name(BEN), &content(ANNA, "bWVldCBtZSBhdCBub29u"));
    let nobody = with(sealed(ANNA, BEN, "lost"), "/to", "somebody-else");
    let part = json!({"file_id": "f", "index": 0, "ciphertext": "AAAA"});
    let part = signed(ANNA, "FILE_CHUNK", name(ANNA), name(BEN), &part);
    for frame in [readable, nobody, part] {
        anna.says(&frame).await;
        assert_eq!(anna.error().await, "USER_NOT_FOUND", "{frame}");
    }
    // One author has a quarter of the box.
    let letters = [keeps(&mut anna, "one").await, keeps(&mut anna, "two").await];
    anna.says(&sealed(ANNA, BEN, "three")).await;
    assert_eq!(anna.error().await, "USER_NOT_FOUND");
    assert_eq!(app.metric("kith_offline_refused_total").await, 1.0);
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, Some((&mut anna, "four"))).await;
}

#[actix_web::test]
async fn switched_off_a_user_who_is_away_is_not_found() {
    let app = App::with(&[("OFFLINE__KEEP", "false")]);
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    anna.says(&sealed(ANNA, BEN, "one")).await;
    assert_eq!(anna.error().await, "USER_NOT_FOUND");
}

#[actix_web::test]
async fn a_letter_that_waited_for_too_long_is_handed_to_nobody() {
    let app = App::with(&[("LIMITS__OFFLINE_KEEP_S", "1")]);
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    keeps(&mut anna, "one").await;
    app.until_metric("kith_offline_expired_total", |count| count == 1.0).await;
    app.until("/api/v1/offline", |answer| answer.json()["items"] == json!([])).await;
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &[], Some((&mut anna, "two"))).await;
}

#[actix_web::test]
async fn a_locked_database_keeps_no_letter_and_says_so() {
    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
    let app = App::start();
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let options = SqliteConnectOptions::new().filename(app.database());
    let mut database = SqliteConnection::connect_with(&options).await.expect("the database");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.expect("a lock");
    anna.says(&sealed(ANNA, BEN, "one")).await;
    assert_eq!(anna.error().await, "USER_NOT_FOUND");
    sqlx::query("ROLLBACK").execute(&mut database).await.expect("an end");
    let letters = [keeps(&mut anna, "two").await];
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, Some((&mut anna, "three"))).await;
}

/// A letter comes again only if the process is killed before it is written down that it is gone: rather twice
/// than never.
#[actix_web::test]
async fn a_kill_right_after_a_letter_was_handed_over_brings_it_again() {
    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
    let app = App::start();
    visited(&app, BEN).await;
    let mut anna = Stranger::user(&app, ANNA).await;
    let letters = [keeps(&mut anna, "one").await];
    let options = SqliteConnectOptions::new().filename(app.database());
    let mut database = SqliteConnection::connect_with(&options).await.expect("the database");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.expect("a lock");
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, None).await;
    let folder = app.kill();
    drop(database);
    let app = App::in_folder(folder, &[]);
    let mut ben = Stranger::user(&app, BEN).await;
    hears_all(&mut ben, &letters, None).await;
}

/// Ben was at the second server. Anna writes at the first one and leaves; that one falls and comes back;
/// then Ben comes to the third.
async fn moves(words: impl Fn(usize, usize) -> &'static str) {
    let mut apps = furnished::<3>("known", "true", words).await.map(Some);
    let app = |at: usize, apps: &[Option<Furnished>; 3]| {
        apps[at].as_ref().map(|(app, _)| app.listen.clone()).expect("a server")
    };
    let second = app(1, &apps);
    let mut ben = Stranger::enters(&second, BEN).await;
    let mut anna = Stranger::enters(&app(0, &apps), ANNA).await;
    anna.sees(name(BEN), true).await;
    ben.sees(name(ANNA), true).await;
    drop(ben);
    anna.sees(name(BEN), false).await;
    let letters = [keeps(&mut anna, "one").await, keeps(&mut anna, "two").await];
    drop(anna);
    let (first, settings) = apps[0].take().expect("a server");
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let first = App::in_folder(first.stop(), &settings);
    let mut ben = Stranger::enters(&app(2, &apps), BEN).await;
    hears_all(&mut ben, &letters, None).await;
    first.until_metric("kith_offline_delivered_total", |count| count == 2.0).await;
    first.until("/api/v1/offline", |answer| answer.json()["items"] == json!([])).await;
    // Nobody is taken to be there because a letter of hers came.
    ben.sees(name(ANNA), false).await;
    let mut anna = Stranger::enters(&second, ANNA).await;
    anna.sees(name(BEN), true).await;
    let live = sealed(ANNA, BEN, "three");
    anna.says(&live).await;
    hears_all(&mut ben, &[live], None).await;
}

#[actix_web::test]
async fn letters_follow_a_user_to_another_server_over_the_kith_link() {
    moves(|_, _| "").await;
}

#[actix_web::test]
async fn letters_follow_a_user_to_another_server_over_socp() {
    moves(|_, _| " dialect=socp").await;
}
