//! How a page comes to its home: after a restart, under TLS, and where a browser lets it do nothing.

use crate::{
    app::App, certificate::certify, neighbourhood::place::Place, person::Person, stage::Stage, talk::page,
    visitor::Visitor,
};

/// What a browser says of a server that is away.
const AWAY: [&str; 2] = ["ERR_CONNECTION_REFUSED", "WebSocket connection to"];

#[actix_web::test]
async fn a_page_finds_its_server_again_and_keeps_what_was_typed() {
    let Some(stage) = Stage::enter().await else { return };
    let place = Place::new(0);
    let app = place.open(&[]);
    let door = page(&app);
    let anna = stage.visitor(&door).await;
    anna.enters("garden").await;
    anna.says("before").await;
    anna.reads("before").await;
    anna.types("#say", "half a sen").await;
    let data = app.stop();
    let gone = |state: &String| ["connecting", "moving", "offline"].contains(&state.as_str());
    let status: String = anna.until("it is noticed", "return document.body.dataset.state", &[], gone).await;
    assert_ne!(status, "online");
    anna.types("#say", "tence").await;
    let app = place.open_again(data, &[]);
    anna.is("online").await;
    assert_eq!(anna.value("#say").await, "half a sentence");
    anna.says("").await;
    anna.reads_of(&anna.fingerprint, "half a sentence").await;
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--dialect", "tpacket", "--nick", "carl", "--room", "garden"];
    let mut carl = Person::speaking(&words, &format!("ws://{}", app.listen), folder.path(), "carl");
    carl.types("hello");
    anna.reads("hello").await;
    assert_eq!(anna.texts().await, ["before", "half a sentence", "hello"], "no line twice, and none lost");
    anna.leaves_after(&AWAY).await;
}

#[actix_web::test]
async fn where_a_browser_has_no_cryptography_the_page_says_so_and_does_nothing() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let browser = stage.browser_with(&["--host-resolver-rules=MAP kith.test 127.0.0.1"]).await;
    let port = app.listen.rsplit_once(':').expect("a port").1;
    let anna = Visitor::before(browser).opens(&format!("http://kith.test:{port}/")).await;
    anna.is("insecure").await;
    let seen: String = anna.asks("return document.body.innerText", &[]).await;
    assert!(seen.contains("https"), "what to do about it: {seen}");
    let usable: bool = anna
        .asks(
            "const say = document.querySelector('#say');
        return say !== null && say.checkVisibility() && !say.disabled",
            &[],
        )
        .await;
    assert!(!usable, "{seen}");
    assert!(app.clients().await.is_empty());
    anna.leaves().await;
}

#[actix_web::test]
async fn under_tls_the_page_talks_from_any_name() {
    let Some(stage) = Stage::enter().await else { return };
    let files = tempfile::tempdir().expect("a folder");
    certify(files.path());
    let path = |name: &str| files.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let app = App::with(&[("LISTEN__TLS_CERTIFICATE", &certificate), ("LISTEN__TLS_KEY", &key)]);
    let flags = ["--host-resolver-rules=MAP kith.test 127.0.0.1", "--ignore-certificate-errors"];
    let browser = stage.browser_with(&flags).await;
    let port = app.listen.rsplit_once(':').expect("a port").1;
    let anna =
        Visitor::before(browser).opens(&format!("https://kith.test:{port}/")).await.comes_online().await;
    anna.comes_to(&format!("wss://kith.test:{port}")).await;
    anna.says("nobody listens").await;
    anna.reads("nobody listens").await;
    anna.leaves().await;
}
