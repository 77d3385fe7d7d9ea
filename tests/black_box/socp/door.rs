//! The door for SOCP alone, and the paths that its programs ask for.

use std::fs;

use actix_web::http::Method;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::LENIENT;
use crate::{
    api::ask,
    app::{App, in_time, kith},
    client::Client,
    peers::run,
    raw::{Raw, handshake},
};

/// The address of the door, as scripts learn it.
fn door(app: &App) -> String {
    let ready = fs::read_to_string(app.folder().join("ready.json")).expect("the ready file");
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    ready["socp"].as_str().expect("a door").to_owned()
}

fn open(settings: &[(&str, &str)]) -> (App, String) {
    let app = App::with(&[&[("LISTEN__SOCP", "127.0.0.1:0")], settings].concat());
    let door = door(&app);
    (app, door)
}

#[test]
fn programs_work_at_a_door_of_their_own_whatever_path_they_ask_for() {
    let (_app, door) = open(&LENIENT);
    // The one of these asks for /chat, the other for nothing.
    run("socp_suite.py", &["--url", &format!("ws://{door}"), "--only", "text", "--only", "g29"]);
}

#[actix_web::test]
async fn whoever_speaks_something_else_there_is_told_so() {
    let (app, door) = open(&[]);
    for path in ["/", "/chat"] {
        let mut anna = Client::dial_url(&format!("ws://{door}{path}"), 0).await;
        anna.hello().await;
        assert_eq!(anna.goodbye().await, Some((1008, "wrong_dialect".to_owned())), "{path}");
    }
    // A path that pins another dialect, and a link of ours.
    let link = handshake("/peer", &door, "Sec-WebSocket-Protocol: kith.peer.v1\r\n");
    for request in [handshake("/olaf", &door, ""), link] {
        let answer = Raw::dial(&door).request(&request);
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    // At the main door she is welcome, and so is any path.
    let mut anna = Client::dial_url(&format!("ws://{}/chat", app.listen), 0).await;
    anna.hello().await;
    anna.list_with(&anna.pem()).await;
}

#[actix_web::test]
async fn a_door_that_is_pinned_by_its_path_tells_so_as_well() {
    let app = App::start();
    let mut anna = Client::dial_url(&format!("ws://{}/socp", app.listen), 0).await;
    anna.hello().await;
    assert_eq!(anna.goodbye().await, Some((1008, "wrong_dialect".to_owned())));
    let (mut socket, _) = connect_async(format!("ws://{}/olaf", app.listen)).await.expect("a socket");
    let hello = json!({"type": "USER_HELLO", "from": "alice", "to": "*", "ts": 1, "payload": {}, "sig": ""});
    socket.send(Message::text(hello.to_string())).await.expect("a frame");
    let last = in_time("the end", socket.next()).await.expect("a frame").expect("no error");
    assert!(matches!(&last, Message::Close(Some(close)) if close.reason == "wrong_dialect"), "{last:?}");
}

#[actix_web::test]
async fn the_door_is_shown_wherever_doors_are() {
    let (app, door) = open(&[]);
    let info = ask(Method::GET, &format!("http://{}/", app.listen), None).await.json();
    let socp = json!({"name": "socp", "paths": ["/", "/socp"], "address": door});
    assert_eq!(info["dialects"][1], socp);
    assert_eq!(app.get("/api/v1/server").await["dialects"][1], socp);
    // Files are left at either door.
    assert_eq!(ask(Method::GET, &format!("http://{door}/"), None).await.json(), info);
    let log = app.log();
    assert!(log.contains("SOCP alone") && log.contains(&format!("ws://{door}")), "{log}");
}

#[actix_web::test]
async fn a_drain_closes_that_door_too() {
    let (mut app, door) = open(&[("LIMITS__DRAIN_S", "600")]);
    let mut silent = Client::dial_url(&format!("ws://{door}/"), 0).await;
    app.signal("TERM");
    assert_eq!(silent.goodbye().await, Some((1012, "draining".to_owned())));
    assert_eq!(app.wait().code(), Some(0), "{}", app.log());
    assert!(std::net::TcpStream::connect(&door).is_err(), "nobody is there");
}

#[test]
fn two_doors_cannot_have_one_address() {
    let variables = [("KITH__LISTEN__MAIN", "127.0.0.1:4711"), ("KITH__LISTEN__SOCP", "127.0.0.1:4711")];
    let output = kith().args(["config", "check"]).envs(variables).output().expect("the program");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("listen.socp"), "{text}");
}
