//! Programs that cannot be let in, whatever one wants: they hear why, and their names and the reasons are shown in words.

use std::{
    io::BufReader,
    process::{Command, Stdio},
};

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    LENIENT,
    bootstrap::admin,
    introducers::{Introducer, door},
};
use crate::{
    api::Watch,
    app::{App, in_time},
    peers::{python, run},
};

const REFUSED: &str = "socp_refused.py";

/// The next server that was refused: its first words, and why.
async fn next_refused(watch: &mut Watch) -> (String, String) {
    in_time("a refusal", async {
        loop {
            let (name, data) = watch.next().await;
            if name == "refused" {
                let text = |field: &str| data[field].as_str().unwrap_or_default().to_owned();
                return (text("hello"), text("reason"));
            }
        }
    })
    .await
}

#[actix_web::test]
async fn who_joins_in_a_form_that_nobody_can_follow_is_told_so_and_named() {
    let app = App::with(&LENIENT);
    let url = format!("ws://{}", app.listen);
    let mut watch = app.watch().await;
    run(REFUSED, &["--url", &url, "--accent", "g42"]);
    for (hello, reason) in [
        ("SERVER_HELLO_JOIN from ", "it said something that cannot be read as its protocol: "),
        ("SERVER_HELLO_JOIN from ", "its signature does not fit its key: none of "),
    ] {
        let (found, why) = next_refused(&mut watch).await;
        assert!(found.starts_with(hello) && why.starts_with(reason), "{found}, {why}");
    }
    run(REFUSED, &["--url", &url, "--accent", "ari"]);
    let (hello, reason) = next_refused(&mut watch).await;
    assert!(hello.starts_with("SERVER_HELLO from SrvA") && reason.contains("SERVER_HELLO_JOIN"), "{reason}");
}

/// What the API and the terminal show of a program of this accent that we dial.
async fn dialled(accent: &str, code: &str) -> (Value, String) {
    let app = App::with(&[&LENIENT[..], &[("LIMITS__HELLO_TIMEOUT_S", "1")]].concat());
    let child = Command::new(python())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([&format!("tests/peers/{REFUSED}"), "--listen", "0", "--accent", accent])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter");
    let mut program = Introducer(child);
    let mut out = BufReader::new(program.0.stdout.take().expect("its output"));
    let door = door(&mut out);
    let peer = json!({"url": door["url"], "key": door["key"], "dialect": "socp"});
    assert_eq!(app.api_with(Method::POST, "/api/v1/peers", &peer).await.status, 201);
    let answer = app.until("/api/v1/peers", |answer| answer.text.contains(code)).await.json();
    (answer["items"][0].clone(), admin(&app, &["peers"]))
}

#[actix_web::test]
async fn an_introducer_in_a_form_that_nobody_can_follow_is_named_with_the_reason() {
    let (peer, table) = dialled("g42", "malformed").await;
    let message = peer["last_error"]["message"].as_str().expect("words");
    let expected = "it said something that cannot be read as its protocol: SERVER_WELCOME from ";
    assert!(
        message.starts_with(expected) && message.ends_with("its ts is no number of milliseconds"),
        "{peer}"
    );
    assert!(table.contains("its ts is no number of milliseconds"), "{table}");
    let (peer, table) = dialled("ari", "no_hello").await;
    let message = peer["last_error"]["message"].as_str().expect("words");
    assert!(message.ends_with("it answered: UNKNOWN_TYPE SERVER_HELLO_JOIN"), "{peer}");
    assert!(table.contains("it answered: UNKNOWN_TYPE"), "{table}");
}
