//! OLAF members who were away: what was said to them in private meanwhile, once, in order, and nothing else.

use actix_web::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kith::crypto::sha256;
use serde_json::json;

use crate::{
    app::{App, kith},
    client::Client,
};

const ANNA: usize = 0;
const BEN: usize = 1;
const CARL: usize = 2;

impl Client {
    /// Says something in private to the members of this home; only its length could be read.
    async fn seals(&mut self, app: &App, text: &str) -> String {
        let sealed = STANDARD.encode(sha256(text.as_bytes()).repeat(4));
        self.whispers_sealed(app, &sealed).await
    }

    async fn whispers_sealed(&mut self, app: &App, chat: &str) -> String {
        let frame = self.signed(&json!({
            "type": "chat", "destination_servers": [app.listen], "iv": "AAAAAAAAAAAAAAAAAAAAAA==",
            "symm_keys": ["QUJD"], "chat": chat,
        }));
        self.send(&frame).await;
        // The author hears it, too: then it is dealt with.
        self.hear(&sig(&frame)).await;
        frame
    }

    async fn leaves(mut self, app: &App, rest: usize) {
        self.socket.close(None).await.expect("a close");
        app.until_metric("kith_clients", |count| count == rest as f64).await;
    }

    /// The letters that come before this text is heard.
    async fn letters_before(&mut self, marker: &str) -> Vec<String> {
        let mut letters = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) if frame.contains(marker) => return letters,
                Ok(frame) if frame.contains("\"client_list\"") => {}
                Ok(frame) => letters.push(frame),
                Err(goodbye) => panic!("closed with {goodbye:?} before {marker} was heard"),
            }
        }
    }
}

/// The signature of a frame, which tells it from all others.
fn sig(frame: &str) -> String {
    let frame: serde_json::Value = serde_json::from_str(frame).expect("JSON");
    frame["signature"].as_str().expect("a signature").to_owned()
}

async fn comes(app: &App, person: usize) -> Client {
    let mut client = Client::dial(app, person).await;
    client.hello().await;
    client
}

/// What somebody hears who comes now, up to a public word of somebody else.
async fn hears_on_return(app: &App, person: usize, other: &mut Client, word: &str) -> (Client, Vec<String>) {
    let before = app.clients().await.len();
    let mut client = comes(app, person).await;
    app.until_metric("kith_clients", |count| count > before as f64).await;
    other.say(word).await;
    let letters = client.letters_before(word).await;
    (client, letters)
}

#[actix_web::test]
async fn whoever_was_away_hears_what_was_said_in_private_once_and_in_order() {
    let app = App::start();
    let mut anna = Client::join(&app, ANNA).await;
    Client::join(&app, BEN).await.leaves(&app, 1).await;
    let said = [anna.seals(&app, "one").await, anna.seals(&app, "two").await];
    anna.say("this is for everybody").await;
    anna.whispers_sealed(&app, &STANDARD.encode("this can be read by whoever has the database")).await;
    let (ben, heard) = hears_on_return(&app, BEN, &mut anna, "welcome back").await;
    assert_eq!(heard, said, "both, in order, and neither what is public nor what can be read");
    // A second connection of his, and a second visit.
    let (again, heard) = hears_on_return(&app, BEN, &mut anna, "you are there twice").await;
    assert_eq!(heard, [] as [&str; 0]);
    again.leaves(&app, 2).await;
    let live = anna.seals(&app, "you are here").await;
    ben.leaves(&app, 1).await;
    let (ben, heard) = hears_on_return(&app, BEN, &mut anna, "back so soon").await;
    assert!(heard.is_empty(), "{heard:?}, and {live} he has heard");
    // Whoever comes for the first time has missed nothing.
    ben.leaves(&app, 1).await;
    anna.seals(&app, "three").await;
    let (_carl, heard) = hears_on_return(&app, CARL, &mut anna, "who are you?").await;
    assert_eq!(heard, [] as [&str; 0]);
    assert_eq!(app.metric("kith_offline_delivered_total").await, 2.0);
}

#[actix_web::test]
async fn a_restart_takes_nothing_away_and_brings_nothing_twice() {
    let app = App::start();
    let mut anna = Client::join(&app, ANNA).await;
    let carl = Client::join(&app, CARL).await;
    Client::join(&app, BEN).await.leaves(&app, 2).await;
    let said = anna.seals(&app, "before the fall").await;
    let waits = |answer: &crate::api::Answer| answer.json()["items"][0]["letters"] == 1;
    app.until("/api/v1/offline", waits).await;
    // Carl is here when it falls, and has heard all of it.
    let app = App::in_folder(app.kill(), &[]);
    drop(carl);
    let mut anna = Client::join(&app, ANNA).await;
    let (_carl, heard) = hears_on_return(&app, CARL, &mut anna, "you were here").await;
    assert_eq!(heard, [] as [&str; 0]);
    let (ben, heard) = hears_on_return(&app, BEN, &mut anna, "you were not").await;
    assert_eq!(heard, [said]);
    drop(ben);
    let app = App::in_folder(app.stop(), &[]);
    let mut anna = Client::join(&app, ANNA).await;
    let (_ben, heard) = hears_on_return(&app, BEN, &mut anna, "and again").await;
    assert_eq!(heard, [] as [&str; 0]);
}

#[actix_web::test]
async fn what_waits_is_shown_without_a_word_of_it_and_can_be_forgotten() {
    let app = App::start();
    let mut anna = Client::join(&app, ANNA).await;
    let ben = Client::join(&app, BEN).await;
    ben.leaves(&app, 1).await;
    let frame = anna.seals(&app, "one").await;
    let answer = app.until("/api/v1/offline", |answer| answer.json()["items"][0]["letters"] == 1).await;
    let list = answer.json();
    let item = &list["items"][0];
    assert_eq!((&list["keeps"], &item["bytes"]), (&json!(true), &json!(frame.len())));
    assert!(!answer.text.contains(&sig(&frame)) && item["oldest"].is_string(), "{list}");
    let id = item["id"].as_str().expect("an id");
    let data = app.folder().join("data").display().to_string();
    let url = format!("http://{}", app.admin);
    let admin = |words: &[&str]| {
        let output = kith().args(["admin", "--url", &url, "--data", &data]).args(words).output();
        let output = output.expect("the program");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (_, table) = admin(&["offline"]);
    assert!(table.contains(id) && table.contains("LETTERS"), "{table}");
    assert!(admin(&["offline", "--discard", id]).0);
    assert!(!admin(&["offline", "--discard", id]).0, "nothing is left");
    assert_eq!(app.api(Method::DELETE, "/api/v1/offline/nobody").await.status, 404);
    let (_ben, heard) = hears_on_return(&app, BEN, &mut anna, "welcome back").await;
    assert_eq!(heard, [] as [&str; 0]);
}

#[actix_web::test]
async fn switched_off_nothing_is_kept_and_what_was_kept_is_deleted() {
    let off = [("OFFLINE__KEEP", "false")];
    let app = App::start();
    let mut anna = Client::join(&app, ANNA).await;
    Client::join(&app, BEN).await.leaves(&app, 1).await;
    anna.seals(&app, "one").await;
    app.until("/api/v1/offline", |answer| answer.json()["items"][0]["letters"] == 1).await;
    let app = App::in_folder(app.stop(), &off);
    let list = app.get("/api/v1/offline").await;
    assert_eq!((&list["keeps"], &list["items"]), (&json!(false), &json!([])));
    let mut anna = Client::join(&app, ANNA).await;
    let (ben, heard) = hears_on_return(&app, BEN, &mut anna, "nothing waits").await;
    assert_eq!(heard, [] as [&str; 0]);
    ben.leaves(&app, 1).await;
    anna.seals(&app, "two").await;
    let (_ben, heard) = hears_on_return(&app, BEN, &mut anna, "nothing waits again").await;
    assert_eq!(heard, [] as [&str; 0]);
    assert_eq!(app.metric("kith_offline_kept_total").await, 0.0);
}
