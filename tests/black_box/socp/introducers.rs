//! Kith joins servers that other people wrote: each listens, an operator names it with its accent, and both
//! sides' members talk.

use std::{
    io::{BufRead, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use actix_web::http::Method;
use serde_json::{Value, json};

use super::LENIENT;
use crate::{app::App, peers::python};

/// A program that listens, ended with the test.
pub(super) struct Introducer(pub(super) Child);

impl Drop for Introducer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

/// What a script says once it can be dialled.
pub(super) fn door(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let door = line.strip_prefix("listening ").unwrap_or_else(|| panic!("it says {line}"));
    serde_json::from_str(door).expect("its door")
}

/// A key on one line, as peers are named with.
fn on_one_line(key: &str) -> String {
    key.lines().filter(|line| !line.starts_with("-----")).collect()
}

async fn introduces(accent: &str) {
    let app = App::with(&LENIENT);
    let (url, port) = (format!("ws://{}", app.listen), free_port().to_string());
    let arguments = ["--url", &url, "--listen", &port, "--accent", accent, "--patience", "20"];
    let child = Command::new(python())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("tests/peers/socp_mesh.py")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter");
    let mut introducer = Introducer(child);
    let mut out = BufReader::new(introducer.0.stdout.take().expect("its output"));
    let door = door(&mut out);
    // The one path that is no root.
    let path = if accent == "g29" { "/chat" } else { "" };
    let mut peer = json!({
        "url": format!("{}{path}", door["url"].as_str().expect("a URL")),
        "dialect": "socp",
        // One more speaks between servers as another one does.
        "accent": if accent == "g99" { "g56" } else { accent },
    });
    // One server never shows its key, so there is none to pin.
    if accent != "g2" {
        peer["key"] = json!(on_one_line(door["key"].as_str().expect("a key")));
    }
    let answer = app.api_with(Method::POST, "/api/v1/peers", &peer).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let mut report = String::new();
    out.read_to_string(&mut report).expect("its report");
    let status = introducer.0.wait().expect("its end");
    let peers = app.get("/api/v1/peers").await;
    assert!(status.success(), "{accent}:\n{report}\n{peers:#?}\n{}", app.log());
}

macro_rules! introducers {
    ($($name:ident: $accent:literal,)*) => {
        $(#[actix_web::test]
        async fn $name() {
            introduces($accent).await;
        })*
    };
}

introducers! {
    we_join_a_server_that_takes_the_text_literally: "text",
    we_join_a_server_that_shows_no_key: "g2",
    we_join_a_server_that_meets_others_at_a_door_of_their_own: "g99",
    we_join_a_server_that_wants_pem_without_padding: "g56",
    we_join_a_server_that_wants_a_prefix: "g45",
    we_join_a_server_that_hides_its_key_elsewhere: "g17",
    we_join_a_server_that_tells_nobody_who_is_there: "g29",
    we_join_a_server_that_wants_padding: "g40",
    we_join_a_server_that_checks_nothing: "samlovat",
    we_link_with_a_server_that_closes_after_its_welcome: "admiral",
    we_link_with_a_server_that_hashes_twice: "pezhy",
}
