//! A connection that dies in any way is gone from the map, and everybody hears of it.

use actix_web::http::Method;
use futures_util::SinkExt as _;
use serde_json::json;

use crate::{
    api::Watch,
    app::App,
    client::Client,
    raw::{FINAL, Raw, TEXT},
};

/// Anna watches, Ben is about to go.
struct Scene {
    app: App,
    anna: Client,
    ben: Client,
    ben_id: String,
    watch: Watch,
}

async fn scene(settings: &[(&str, &str)]) -> Scene {
    let app = App::with(settings);
    let mut anna = Client::join(&app, 0).await;
    let mut watch = app.watch().await;
    let ben = Client::join(&app, 1).await;
    anna.list_with(&ben.pem()).await;
    let (name, joined) = watch.next().await;
    assert_eq!(name, "joined");
    let ben_id = joined["client"].as_str().expect("a client").to_owned();
    assert_eq!(app.clients().await.len(), 2);
    Scene { app, anna, ben, ben_id, watch }
}

impl Scene {
    /// Everybody knows that Ben is gone, and why.
    async fn ben_is_gone(&mut self, event: &str, ending: &str) {
        let pem = self.ben.pem();
        self.anna.list_without(&pem).await;
        let data = self.watch.about(event, &self.ben_id).await;
        assert_eq!(data["ending"], ending, "{data}");
        let clients = self.app.clients().await;
        assert_eq!(clients.len(), 1, "{clients:?}");
        let gone = self.app.api(Method::GET, &format!("/api/v1/clients/{}", self.ben_id)).await;
        assert_eq!(gone.status, 404);
        // The house goes on.
        self.anna.say("where is Ben?").await;
        self.anna.hear("where is Ben?").await;
    }
}

#[actix_web::test]
async fn by_a_close() {
    let mut scene = scene(&[]).await;
    scene.ben.socket.close(None).await.expect("a close");
    scene.ben_is_gone("left", "left").await;
}

#[actix_web::test]
async fn by_a_lost_line() {
    let mut scene = scene(&[]).await;
    let tokio_tungstenite::MaybeTlsStream::Plain(stream) = scene.ben.socket.get_mut() else {
        panic!("no TLS here");
    };
    // Zero linger turns the close into a reset.
    stream.set_zero_linger().expect("an option");
    scene.ben.socket = Client::dial(&scene.app, 1).await.socket;
    scene.ben_is_gone("left", "left").await;
}

#[actix_web::test]
async fn what_was_said_before_a_line_was_lost_is_heard() {
    const SAID: usize = 40;
    let mut scene = scene(&[]).await;
    for number in 0..SAID {
        let sender = scene.ben.fingerprint();
        let data = json!({"type": "public_chat", "sender": sender, "message": format!("word {number}")});
        let frame = scene.ben.signed(&data);
        scene.ben.socket.feed(frame.into()).await.expect("fed");
    }
    // All at once, so that everything is with the server's system when the reset comes.
    scene.ben.socket.flush().await.expect("sent");
    let tokio_tungstenite::MaybeTlsStream::Plain(stream) = scene.ben.socket.get_mut() else {
        panic!("no TLS here");
    };
    stream.set_zero_linger().expect("an option");
    scene.ben.socket = Client::dial(&scene.app, 1).await.socket;
    for number in 0..SAID {
        scene.anna.hear(&format!("word {number}")).await;
    }
    scene.ben_is_gone("left", "left").await;
}

#[actix_web::test]
async fn by_a_stall() {
    let mut scene = scene(&[
        ("LIMITS__WRITE_TIMEOUT_S", "1"),
        ("LIMITS__BYTES_PER_SECOND", "1000000000"),
        ("LIMITS__BYTES_BURST", "1000000000"),
    ])
    .await;
    let big = "x".repeat(500_000);
    let pem = scene.ben.pem();
    // Ben does not read. His kernel takes some megabytes, then the server waits for him in vain.
    loop {
        scene.anna.say(&big).await;
        let list = loop {
            let frame = scene.anna.next().await.expect("anna stays");
            if frame.contains("client_list") || frame.contains(&big) {
                break frame;
            }
        };
        if list.contains("client_list") {
            assert!(!list.contains(&pem.replace('\n', "\\n")));
            break;
        }
    }
    let data = scene.watch.about("left", &scene.ben_id).await;
    assert!(data["ending"] == "stalled" || data["ending"] == "slow", "{data}");
    assert_eq!(scene.app.clients().await.len(), 1);
}

#[actix_web::test]
async fn by_a_failing_handler() {
    let mut scene = scene(&[("DEBUG__FAULTS", "true")]).await;
    let path = format!("/api/v1/debug/clients/{}/fault", scene.ben_id);
    assert_eq!(scene.app.api(Method::POST, &path).await.status, 204);
    assert_eq!(scene.ben.goodbye().await, None, "nobody is left to say goodbye");
    scene.ben_is_gone("left", "failed").await;
}

#[actix_web::test]
async fn by_a_kick() {
    let mut scene = scene(&[]).await;
    let path = format!("/api/v1/clients/{}", scene.ben_id);
    assert_eq!(scene.app.api(Method::DELETE, &path).await.status, 204);
    assert_eq!(scene.ben.goodbye().await, Some((1008, "kicked".to_owned())));
    scene.ben_is_gone("kicked", "kicked").await;
    assert_eq!(scene.app.api(Method::DELETE, &path).await.status, 404);
}

#[actix_web::test]
async fn by_a_drain() {
    let mut scene = scene(&[("LIMITS__DRAIN_S", "1")]).await;
    assert_eq!(scene.app.api(Method::POST, "/api/v1/drain").await.status, 202);
    for client in [&mut scene.anna, &mut scene.ben] {
        assert_eq!(client.goodbye().await, Some((1012, "draining".to_owned())));
    }
    let data = scene.watch.about("left", &scene.ben_id).await;
    assert_eq!(data["ending"], "draining");
    assert_eq!(scene.app.wait().code(), Some(0));
}

#[actix_web::test]
async fn by_breaking_the_protocol() {
    let mut scene = scene(&[]).await;
    scene.ben.send(&"x".repeat((1 << 20) + 1)).await;
    assert_eq!(scene.ben.goodbye().await, Some((1009, "too_large".to_owned())));
    scene.ben_is_gone("left", "too_large").await;
}

#[actix_web::test]
async fn who_never_came_in_is_refused_and_not_left() {
    let app = App::with(&[("LIMITS__HELLO_TIMEOUT_S", "1")]);
    let mut watch = app.watch().await;
    let mut raw = Raw::open(&app.listen);
    raw.send(FINAL | TEXT, b"{}");
    assert_eq!(raw.close_code(), 1008);
    let (name, data) = watch.next().await;
    assert_eq!((name.as_str(), &data["ending"]), ("refused", &"no_hello".into()));
    assert_eq!(data["address"], "127.0.0.1");
}

#[actix_web::test]
async fn a_house_that_lost_its_map_ends_at_once() {
    let mut scene = scene(&[("DEBUG__FAULTS", "true")]).await;
    // The answer may or may not be on its way before the process is gone.
    let url = format!("http://{}/api/v1/debug/registry/fault", scene.app.admin);
    let client = awc::Client::default();
    let _ = client.post(url).bearer_auth(&scene.app.token).send().await;
    assert_eq!(scene.app.wait().code(), Some(70));
    assert_eq!(scene.ben.goodbye().await, None);
}
