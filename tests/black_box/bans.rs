//! Whoever is banned has to go at once and does not come back, until the ban is lifted or over.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    app::{App, in_time, kith},
    client::{Client, Goodbye, connect_from},
    raw::{Raw, handshake},
};

/// Where banned clients of these tests live.
const THERE: [u8; 4] = [127, 0, 0, 2];

impl App {
    /// Bans somebody, and returns the id of the ban.
    pub(crate) async fn ban(&self, body: &Value) -> String {
        let answer = self.api_with(Method::POST, "/api/v1/bans", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Lifts a ban.
    pub(crate) async fn unban(&self, id: &str) {
        let answer = self.api(Method::DELETE, &format!("/api/v1/bans/{id}")).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// The bans in force.
    pub(crate) async fn bans(&self) -> Vec<Value> {
        self.get("/api/v1/bans").await["items"].as_array().expect("items").clone()
    }

    /// The fingerprint of the member that came first.
    pub(crate) async fn first_fingerprint(&self) -> String {
        self.clients().await[0]["member"]["fingerprint"].as_str().expect("a fingerprint").to_owned()
    }
}

fn banned() -> Goodbye {
    Some((1008, "banned".to_owned()))
}

/// How a hello ends that is not taken.
async fn knocks(app: &App, person: usize) -> Goodbye {
    let mut client = Client::dial(app, person).await;
    client.hello().await;
    client.goodbye().await
}

#[actix_web::test]
async fn a_banned_key_has_to_go_at_once_and_comes_again_when_that_is_lifted() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut same = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    let pem = anna.pem();
    let mut watch = app.watch().await;
    let id = app.ban(&json!({"key": app.first_fingerprint().await, "reason": "spam"})).await;
    let event = watch.about_link("banned").await;
    assert_eq!(event["ban"], id.as_str(), "{event}");
    assert_eq!((anna.goodbye().await, same.goodbye().await), (banned(), banned()));
    assert_eq!(watch.about_link("left").await["ending"], "banned");
    ben.list_without(&pem).await;
    assert_eq!(knocks(&app, 0).await, banned());
    assert_eq!(watch.about_link("refused").await["ending"], "banned");
    app.until_metric("kith_refusals_total{code=\"banned\"}", |count| count >= 3.0).await;
    let said = ben.say("I am still here").await;
    ben.hear(&said).await;
    app.unban(&id).await;
    assert_eq!(watch.about_link("unbanned").await["ban"], id.as_str());
    Client::join(&app, 0).await;
    ben.list_with(&pem).await;
}

#[actix_web::test]
async fn a_banned_address_gets_nothing_but_the_reason_and_others_notice_nothing() {
    let app = App::start();
    let mut there = Client::dial_from(&app, 0, THERE).await;
    there.hello().await;
    let pem = there.pem();
    there.list_with(&pem).await;
    let mut silent = Client::dial_from(&app, 1, THERE).await;
    let mut here = Client::join(&app, 2).await;
    let id = app.ban(&json!({"address": "127.0.0.2/31"})).await;
    assert_eq!(there.goodbye().await, banned());
    assert_eq!(silent.goodbye().await, banned(), "who has not said hello has to go as well");
    here.list_without(&pem).await;
    for request in
        [handshake("/", &app.listen, ""), format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", app.listen)]
    {
        let stream = connect_from(&app, THERE).await.into_std().expect("a stream");
        stream.set_nonblocking(false).expect("an option");
        let answer = Raw { stream }.request(&request);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.to_lowercase().contains("application/problem+json"), "{answer}");
    }
    let said = here.say("quiet here").await;
    here.hear(&said).await;
    app.unban(&id).await;
    let mut there = Client::dial_from(&app, 0, THERE).await;
    there.hello().await;
    there.list_with(&pem).await;
}

#[actix_web::test]
async fn a_ban_with_an_end_is_over_by_itself() {
    let app = App::start();
    let anna = Client::join(&app, 0).await;
    let mut watch = app.watch().await;
    let id = app.ban(&json!({"key": app.first_fingerprint().await, "seconds": 1})).await;
    drop(anna);
    assert_eq!(knocks(&app, 0).await, banned());
    in_time("the end of a ban", async {
        loop {
            let mut client = Client::dial(&app, 0).await;
            client.hello().await;
            match client.next().await {
                Ok(_) => break,
                Err(end) => assert_eq!(end, banned()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(watch.about_link("unbanned").await["ban"], id.as_str());
    assert!(app.bans().await.is_empty());
}

#[actix_web::test]
async fn what_was_answered_is_in_force_after_a_crash() {
    let app = App::start();
    let anna = Client::join(&app, 0).await;
    let key = app.first_fingerprint().await;
    drop(anna);
    app.ban(&json!({"key": key, "reason": "spam"})).await;
    let lifted = app.ban(&json!({"name": "Mallory"})).await;
    app.unban(&lifted).await;
    let before = app.bans().await;
    let app = App::in_folder(app.kill(), &[]);
    assert_eq!(app.bans().await, before);
    assert_eq!((&before[0]["value"], &before[0]["reason"]), (&key.into(), &"spam".into()));
    assert_eq!(knocks(&app, 0).await, banned());
    Client::join(&app, 1).await;
}

#[actix_web::test]
async fn the_api_takes_what_means_somebody_and_says_what_is_wrong() {
    let app = App::with(&[("LIMITS__BANS", "3")]);
    let own = app.get("/api/v1/server").await;
    for wrong in [
        json!({}),
        json!({"name": "anna", "address": "10.0.0.1"}),
        json!({"key": "anna"}),
        json!({"address": "10.0.0.1/64"}),
        json!({"server": own["address"]}),
        json!({"server": own["key_id"]}),
        json!({"name": "anna", "seconds": 0}),
        json!({"name": "anna", "seconds": 5, "until": "2100-01-01T00:00:00Z"}),
        json!({"name": "anna", "until": "1999-01-01T00:00:00Z"}),
        json!({"name": "anna", "until": "tomorrow"}),
        json!({"name": "anna", "reason": "x".repeat(257)}),
        json!({"name": "anna", "why": "spam"}),
    ] {
        let answer = app.api_with(Method::POST, "/api/v1/bans", &wrong).await;
        assert_eq!(
            (answer.status, answer.kind.as_str()),
            (400, "application/problem+json"),
            "{wrong} {answer:?}"
        );
    }
    let first = app.ban(&json!({"name": "ANNA", "until": "2100-01-01T00:00:00Z"})).await;
    let answer = app.api_with(Method::POST, "/api/v1/bans", &json!({"name": "anna"})).await;
    assert_eq!((answer.status, &answer.json()["type"]), (409, &"/problems/already_banned".into()));
    app.ban(&json!({"address": "2001:db8::1"})).await;
    app.ban(&json!({"server": "ws://north.example:81/"})).await;
    let answer = app.api_with(Method::POST, "/api/v1/bans", &json!({"name": "ben"})).await;
    assert_eq!((answer.status, &answer.json()["type"]), (409, &"/problems/too_many_bans".into()));
    let page = app.get("/api/v1/bans?limit=2").await;
    let next = page["next"].as_str().expect("a cursor");
    let rest = app.get(&format!("/api/v1/bans?cursor={next}")).await;
    let values = |page: &Value| -> Vec<Value> {
        page["items"].as_array().expect("items").iter().map(|ban| ban["value"].clone()).collect()
    };
    assert_eq!(
        (values(&page), values(&rest)),
        (vec!["anna".into(), "2001:db8::/64".into()], vec!["north.example:81".into()])
    );
    assert_eq!(values(&app.get("/api/v1/bans?kind=server&origin=operator").await), ["north.example:81"]);
    assert!(values(&app.get("/api/v1/bans?origin=list").await).is_empty());
    for wrong in ["kind=planet", "origin=rumour", "cursor=x", "limit=0"] {
        assert_eq!(app.api(Method::GET, &format!("/api/v1/bans?{wrong}")).await.status, 400, "{wrong}");
    }
    app.unban(&first).await;
    for unknown in [first.as_str(), "99", "anna"] {
        assert_eq!(
            app.api(Method::DELETE, &format!("/api/v1/bans/{unknown}")).await.status,
            404,
            "{unknown}"
        );
    }
}

#[actix_web::test]
async fn the_terminal_bans_and_lifts() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let key = app.first_fingerprint().await;
    let admin = |arguments: &[&str]| {
        let (url, data) = (format!("http://{}", app.admin), app.folder().join("data"));
        let command = ["admin", "--url", &url, "--data", data.to_str().expect("a path")];
        let output = kith().args(command).args(arguments).output().expect("the program");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    };
    let (is_done, text) = admin(&["ban", "key", &key, "--for", "2h", "--reason", "spam"]);
    assert!(is_done && text.contains("is banned until"), "{text}");
    assert_eq!(anna.goodbye().await, banned());
    let (is_done, table) = admin(&["bans"]);
    assert!(is_done && table.contains(&key) && table.contains("spam"), "{table}");
    let (is_done, text) = admin(&["ban", "address", "not an address"]);
    assert!(!is_done && text.contains("network"), "{text}");
    let id = app.bans().await[0]["id"].as_str().expect("an id").to_owned();
    let (is_done, text) = admin(&["unban", &id]);
    assert!(is_done && text.contains("lifted"), "{text}");
    let (is_done, text) = admin(&["unban", &id]);
    assert!(!is_done && text.contains("no such ban"), "{text}");
    Client::join(&app, 0).await;
}
