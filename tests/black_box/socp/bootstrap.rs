//! Kith joins a mesh through the servers that a file names, and its API shows who is there.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use actix_web::http::Method;
use futures_util::{SinkExt as _, StreamExt as _};
use kith::{
    crypto::{
        keys::{PrivateKey, PublicKey},
        signature::{Salt, sign},
    },
    dialect::socp::{self, key::Spelling},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{LENIENT, introducers::free_port};
use crate::{
    app::{App, kith},
    peers::python,
};

/// A Python server that can be named before ours is there.
struct Introducer {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
    key: PublicKey,
}

impl Drop for Introducer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Introducer {
    fn start(accent: &str) -> Self {
        let mut child = Command::new(python())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tests/peers/socp_introducer.py", "--accent", accent])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let door = told(&mut out, "listening");
        let url = door["url"].as_str().expect("a URL");
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
        let key = read(&door["key"]);
        Self { child, out, port, key }
    }

    /// Has a user on either side talk to the other.
    fn talk_with(&mut self, app: &App) -> Value {
        let mut input = self.child.stdin.as_ref().expect("its input");
        writeln!(input, "ws://{}", app.listen).expect("a line");
        told(&mut self.out, "talked")
    }
}

/// The next line of a script, which begins with this word.
fn told(out: &mut BufReader<ChildStdout>, word: &str) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let value = line.strip_prefix(word).unwrap_or_else(|| panic!("no {word} but {line:?}"));
    serde_json::from_str(value).expect("JSON")
}

fn read(key: &Value) -> PublicKey {
    socp::key::read(key.as_str().expect("a key")).expect("a key").0
}

/// A file of introducers, with keys as PEM in lines of their own.
fn file(entries: &[(u16, &PublicKey)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mesh.yaml");
    let mut text = "bootstrap_servers:\n".to_owned();
    for (port, key) in entries {
        let pem = key.canonical_pem().trim().replace('\n', "\n      ");
        text += &format!("  - host: 127.0.0.1\n    port: {port}\n    pubkey: |\n      {pem}\n");
    }
    fs::write(&path, text).expect("a file");
    (folder, path)
}

fn with_file(path: &Path) -> App {
    let path = path.display().to_string();
    App::with(&[&LENIENT[..], &[("SOCP__BOOTSTRAP", &path)]].concat())
}

pub(super) fn admin(app: &App, arguments: &[&str]) -> String {
    let data = app.folder().join("data").display().to_string();
    let url = format!("http://{}", app.admin);
    let output = kith().args(["admin", "--url", &url, "--data", &data]).args(arguments).output();
    let output = output.expect("the program");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[actix_web::test]
async fn the_next_introducer_is_asked_when_one_is_down_and_everybody_is_shown() {
    let mut north = Introducer::start("text");
    let stranger = PrivateKey::generate(4096).expect("a key");
    let (_folder, path) = file(&[(free_port(), stranger.public()), (north.port, &north.key)]);
    let app = with_file(&path);
    let talked = north.talk_with(&app);

    let peers = app.get("/api/v1/peers").await;
    let peers = peers["items"].as_array().expect("neighbours");
    let of = |state: &str| peers.iter().find(|peer| peer["state"] == state);
    let up = of("up").expect("a link");
    for (field, expected) in [
        ("dialect", json!("socp")),
        ("trust", json!("pinned")),
        ("source", json!("settings")),
        ("key", json!(north.key.id().hex())),
        ("accent", json!("text")),
        ("direction", json!("out")),
        ("members", json!(1)),
        ("last_error", Value::Null),
    ] {
        assert_eq!(up[field], expected, "{field} of {up}");
    }
    let table = admin(&app, &["peers"]);
    let line = table.lines().find(|line| line.contains(&north.port.to_string())).expect("a line");
    for word in ["up", "pinned", "socp"] {
        assert!(line.split_whitespace().any(|found| found == word), "{word} in {table}");
    }
    assert!(peers.iter().any(|peer| peer["state"] != "up" && !peer["last_error"].is_null()), "{peers:#?}");

    everybody_is_shown_by_name_and_key(&app, &talked).await;
}

async fn everybody_is_shown_by_name_and_key(app: &App, talked: &Value) {
    let shown = |user: &Value| {
        let key = read(&user["key"]).id();
        (user["name"].clone(), json!(key.hex()), json!(key.short()))
    };
    let who = |view: &Value| (view["name"].clone(), view["fingerprint"].clone(), view["short"].clone());
    let (kim, pat) = (shown(&talked["here"]), shown(&talked["there"]));

    let clients = app.get("/api/v1/clients?dialect=socp").await;
    assert_eq!(who(&clients["items"][0]["member"]), kim);
    assert_eq!((&clients["items"][0]["dialect"], &clients["items"][1]), (&json!("socp"), &Value::Null));
    assert_eq!(app.get("/api/v1/clients?dialect=olaf").await["items"], json!([]));

    let servers = app.get("/api/v1/neighbourhood").await["servers"].clone();
    let servers = servers.as_array().expect("servers");
    let listed = |user: &(Value, Value, Value), own: bool| {
        let there = servers.iter().filter(|server| server["own"] == own);
        there.flat_map(|server| server["clients"].as_array().expect("clients")).any(|view| who(view) == *user)
    };
    assert!(listed(&kim, true) && listed(&pat, false), "{servers:#?}");

    // What is written down comes a little later.
    let both =
        |answer: &crate::api::Answer| answer.json()["items"].as_array().is_some_and(|all| all.len() == 2);
    let members = app.until("/api/v1/members?dialect=socp", both).await.json();
    let members = members["items"].as_array().expect("members");
    for user in [&kim, &pat] {
        assert!(members.iter().any(|view| who(&view["member"]) == *user), "{user:?} in {members:#?}");
    }
    assert_eq!(app.get("/api/v1/members?dialect=olaf").await["items"], json!([]));
    assert_eq!(app.api(Method::GET, "/api/v1/members?dialect=latin").await.status, 400);

    let (kim, pat) = (kim.0.as_str().expect("a name"), pat.0.as_str().expect("a name"));
    for (arguments, names) in [
        (&["clients", "--dialect", "socp"][..], &[kim][..]),
        (&["members", "--dialect", "socp"], &[kim, pat]),
        (&["neighbourhood"], &[kim, pat]),
    ] {
        let table = admin(app, arguments);
        assert!(names.iter().all(|name| table.contains(name)), "{names:?} in {table}");
    }
}

/// What becomes of a server of this accent that the file gives another key than its own.
async fn misnamed(accent: &str, code: &str) -> (Introducer, Value, String) {
    let north = Introducer::start(accent);
    let other = PrivateKey::generate(4096).expect("a key");
    let (_folder, path) = file(&[(north.port, other.public())]);
    let app = with_file(&path);
    let answer = app.until("/api/v1/peers", |answer| answer.text.contains(code)).await.json();
    let peer = answer["items"][0].clone();
    assert_eq!((&peer["last_error"]["code"], &peer["state"]), (&json!(code), &json!("refused")), "{peer}");
    assert_eq!(peer["key"], other.public().id().hex());
    (north, peer, admin(&app, &["peers"]))
}

#[actix_web::test]
async fn an_introducer_that_shows_another_key_than_the_file_is_refused() {
    let (north, peer, table) = misnamed("g17", "wrong_key").await;
    assert_eq!(peer["presented_key"], north.key.id().hex());
    assert!(table.contains("it shows another key"), "{table}");
}

#[actix_web::test]
async fn an_introducer_that_shows_no_key_and_signs_with_another_is_refused() {
    let (_north, _, table) = misnamed("text", "bad_signature").await;
    assert!(table.contains("its signature does not fit its key"), "{table}");
}

#[test]
fn a_file_that_cannot_be_followed_is_named_with_its_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mesh.yaml");
    let entry = "bootstrap_servers: [{host: 127.0.0.1, port: 9101, pubkey: PUBKEY}]";
    let weak = PrivateKey::generate(2048).expect("a key");
    let weak = socp::key::write(weak.public(), Spelling::default());
    let key = PrivateKey::generate(4096).expect("a key");
    let key = socp::key::write(key.public(), Spelling::default());
    for (text, words) in [
        ("bootstrap_servers: []".to_owned(), "at least one entry"),
        (entry.replace("PUBKEY", "AAAA"), "entry 1: pubkey is no RSA key of 4096 bits"),
        (entry.replace("PUBKEY", &weak), "entry 1: pubkey is no RSA key of 4096 bits"),
        (entry.replace("PUBKEY", &format!("{key}, accent: g99x")), "entry 1: \"g99x\" is no accent"),
        (entry.replace("PUBKEY", &key).replace("127.0.0.1", "'a b'"), "entry 1: the URL"),
    ] {
        fs::write(&path, &text).expect("a file");
        let data = folder.path().join("data");
        for arguments in [&["config", "check"][..], &["serve"]] {
            let output = kith()
                .args(arguments)
                .arg("--data")
                .arg(&data)
                .env("KITH__SOCP__BOOTSTRAP", &path)
                .output()
                .expect("the program");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{text}: {said}");
            assert!(said.contains(words) && said.contains("mesh.yaml"), "{text}: {said}");
        }
    }
}

/// A server that answers a JOIN with this payload, signed like this.
async fn welcomer(listener: TcpListener, payload: Value, sign: impl Fn(&str) -> Vec<u8>) {
    let Ok((stream, _)) = listener.accept().await else { return };
    let mut socket = accept_async(stream).await.expect("a WebSocket");
    let _join = socket.next().await;
    let id = "6f5a7e8c-cf08-402e-a299-f4b1e5774a87";
    let sig = socp::sign::encode(&sign(&payload.to_string()), false);
    let welcome =
        json!({"type": "SERVER_WELCOME", "from": id, "to": "*", "ts": 1, "payload": payload, "sig": sig});
    socket.send(Message::text(welcome.to_string())).await.expect("a frame");
    while let Some(Ok(_)) = socket.next().await {}
}

/// A server that names it as an introducer with this key.
async fn joining(listener: &TcpListener, key: &str) -> App {
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let app = App::with(&LENIENT);
    let peer = json!({"url": url, "dialect": "socp", "key": key});
    assert_eq!(app.api_with(Method::POST, "/api/v1/peers", &peer).await.status, 201);
    app
}

#[actix_web::test]
async fn a_server_whose_signature_nobody_can_verify_is_named_with_the_reason() {
    let key = PrivateKey::generate(4096).expect("a key");
    let key = socp::key::write(key.public(), Spelling::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let app = joining(&listener, &key).await;
    let payload = json!({"assigned_id": "", "clients": [], "pubkey": key});
    let server = actix_web::rt::spawn(welcomer(listener, payload, |_| vec![7; 512]));
    let answer = app.until("/api/v1/peers", |answer| answer.text.contains("bad_signature")).await.json();
    let trouble = &answer["items"][0]["last_error"];
    let message = "its signature does not fit its key: none of 2 known ways of signing fits its key";
    assert_eq!(trouble["message"], message);
    assert_eq!(trouble["hint"], "is this its key? Is this its accent?");
    let table = admin(&app, &["peers"]);
    assert!(table.contains("its signature does not fit its key"), "{table}");
    server.abort();
}

#[actix_web::test]
async fn the_servers_that_a_welcome_names_become_neighbours_held_to_their_keys() {
    let (key, other) =
        (PrivateKey::generate(4096).expect("a key"), PrivateKey::generate(4096).expect("a key"));
    let text = |key: &PrivateKey| socp::key::write(key.public(), Spelling::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let app = joining(&listener, &text(&key)).await;
    let port = free_port();
    let named = json!({"server_id": "e8a8557d-b3d6-45be-8537-da8f10fb3761", "host": "127.0.0.1", "port": port,
                       "pubkey": text(&other)});
    let payload = json!({"assigned_id": "", "clients": [], "pubkey": text(&key), "servers": [named]});
    let sign = move |text: &str| sign(&key, text.as_bytes(), Salt::Digest).expect("a signature");
    let server = actix_web::rt::spawn(welcomer(listener, payload, sign));
    let answer = app.until("/api/v1/peers", |answer| answer.text.contains("introduced")).await.json();
    let peers = answer["items"].as_array().expect("neighbours");
    let new = peers.iter().find(|peer| peer["source"] == "introduced").expect("a neighbour");
    assert_eq!(new["url"], format!("ws://127.0.0.1:{port}"));
    assert_eq!((&new["key"], &new["dialect"]), (&json!(other.public().id().hex()), &json!("socp")));
    server.abort();
}
