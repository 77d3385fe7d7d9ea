//! The admin door: who may ask what, and what the answers look like.

use actix_web::http::Method;
use serde_json::Value;

use crate::{
    api::ask,
    app::{App, kith},
    client::Client,
};

const PROTECTED: [&str; 6] =
    ["/metrics", "/api/v1/server", "/api/v1/clients", "/api/v1/members", "/api/v1/files", "/api/v1/events"];

fn is_problem(answer: &crate::api::Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.kind, "application/problem+json", "{answer:?}");
    assert_eq!(answer.json()["status"], status, "{answer:?}");
    assert!(answer.json()["title"].is_string() && answer.json()["type"].is_string(), "{answer:?}");
}

#[actix_web::test]
async fn only_the_token_opens_it_but_health_is_for_everybody() {
    let app = App::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.ask_openly(Method::GET, path).await.status, 200, "{path}");
    }
    let nearly = &app.token[..app.token.len() - 1];
    for path in PROTECTED {
        let url = format!("http://{}{path}", app.admin);
        for token in [None, Some(""), Some(nearly), Some("Bearer")] {
            is_problem(&ask(Method::GET, &url, token).await, 401);
        }
    }
    // The main door knows nothing of all this.
    let main = format!("http://{}/api/v1/clients", app.listen);
    assert_eq!(ask(Method::GET, &main, Some(&app.token)).await.status, 404);
}

#[actix_web::test]
async fn what_is_wrong_is_said_in_one_form() {
    let app = App::start();
    is_problem(&app.api(Method::GET, "/api/v1/nothing").await, 404);
    is_problem(&app.api(Method::PUT, "/api/v1/clients").await, 405);
    is_problem(&app.api(Method::GET, "/api/v1/clients/99").await, 404);
    is_problem(&app.api(Method::GET, "/api/v1/clients/anna").await, 404);
    is_problem(&app.api(Method::DELETE, "/api/v1/files/nothing").await, 404);
    for query in ["limit=0", "limit=many", "dialect=klingon", "cursor=%00", "unknown=1"] {
        is_problem(&app.api(Method::GET, &format!("/api/v1/clients?{query}")).await, 400);
    }
    is_problem(&app.api(Method::POST, "/api/v1/debug/clients/99/fault").await, 404);
    let app = App::with(&[("DEBUG__FAULTS", "false")]);
    let mut anna = Client::join(&app, 0).await;
    let id = app.clients().await[0]["id"].as_str().expect("an id").to_owned();
    is_problem(&app.api(Method::POST, &format!("/api/v1/debug/clients/{id}/fault")).await, 404);
    anna.say("still here").await;
    anna.hear("still here").await;
}

#[actix_web::test]
async fn clients_come_in_pages_and_each_can_be_looked_at() {
    let app = App::start();
    let mut everybody = Vec::new();
    for person in [0, 1, 2, 0, 1] {
        everybody.push(Client::join(&app, person).await);
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut path = "/api/v1/clients?limit=2&dialect=olaf".to_owned();
    loop {
        let page = app.get(&path).await;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        seen.extend(items.iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/clients?limit=2&dialect=olaf&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    for (view, client) in seen.iter().zip(&everybody) {
        assert_eq!(view["member"]["olaf_fingerprint"], client.fingerprint());
        assert_eq!((&view["dialect"], &view["address"]), (&"olaf".into(), &"127.0.0.1".into()));
        let path = format!("/api/v1/clients/{}", view["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await["id"], view["id"]);
    }
    let members =
        app.until("/api/v1/members", |answer| answer.json()["items"].as_array().map(Vec::len) == Some(3));
    assert!(members.await.json()["items"][0]["online"].as_bool().expect("online or not"));
}

#[actix_web::test]
async fn limits_in_force_are_shown_and_settings_change_them() {
    let app = App::with(&[("LIMITS__CONNECTIONS_PER_ADDRESS", "77"), ("SERVER__NAME", "attic")]);
    let server = app.get("/api/v1/server").await;
    assert_eq!(server["limits"]["connections_per_address"], 77, "{server}");
    assert_eq!(server["limits"]["hello_timeout_s"], 10);
    assert!(server.to_string().contains("attic"), "{server}");
}

#[actix_web::test]
async fn metrics_count_what_happened() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    for number in 0..3 {
        anna.say(&format!("number {number}")).await;
        ben.hear(&format!("number {number}")).await;
        anna.hear(&format!("number {number}")).await;
    }
    anna.send("nonsense").await;
    anna.say("after it").await;
    anna.hear("after it").await;
    assert_eq!(app.metric("kith_clients").await, 2.0);
    assert_eq!(app.metric("kith_letters_total").await, 4.0);
    assert_eq!(app.metric("kith_deliveries_total").await, 8.0);
    assert_eq!(app.metric("kith_signatures_good_total").await, 6.0);
    assert_eq!(app.metric("kith_violations_total{code=\"malformed\"}").await, 1.0);
    assert_eq!(app.metric("kith_violations_total{code=\"bad_signature\"}").await, 0.0);
}

#[actix_web::test]
async fn the_description_names_every_route_and_its_page_needs_no_other_host() {
    let app = App::start();
    let description = app.ask_openly(Method::GET, "/openapi.json").await.json();
    let paths = description["paths"].as_object().expect("paths");
    for path in ["/healthz", "/readyz", "/api/v1/clients/{id}", "/api/v1/drain", "/api/v1/files/{id}"]
        .iter()
        .chain(&PROTECTED)
    {
        assert!(paths.contains_key(*path), "{path} is not described");
    }
    let page = app.ask_openly(Method::GET, "/docs/").await;
    assert_eq!(page.status, 200);
    for foreign in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
        assert!(!page.text.contains(foreign), "the page loads something from elsewhere");
    }
}

#[actix_web::test]
async fn readiness_ends_when_a_drain_begins() {
    let mut app = App::with(&[("LIMITS__DRAIN_S", "2")]);
    let _anna = Client::join(&app, 0).await;
    let _ben = Client::join(&app, 1).await;
    app.signal("TERM");
    let answer = app.until("/readyz", |answer| answer.status != 200).await;
    is_problem(&answer, 503);
    assert_eq!(app.ask_openly(Method::GET, "/healthz").await.status, 200, "it lives, but takes nobody");
    assert_eq!(app.wait().code(), Some(0));
}

#[actix_web::test]
async fn the_terminal_shows_the_same() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let short = app.clients().await[0]["member"]["short"].as_str().expect("short").to_owned();
    let data = app.folder().join("data");
    let (url, data) = (format!("http://{}", app.admin), data.display().to_string());
    let run = |arguments: Vec<String>| {
        let (url, data) = (url.clone(), data.clone());
        async move {
            let work = move || {
                let output = kith().args(["admin", "--url", &url, "--data", &data]).args(arguments).output();
                let output = output.expect("the program");
                (output.status.code(), String::from_utf8(output.stdout).expect("text"))
            };
            actix_web::rt::task::spawn_blocking(work).await.expect("an answer")
        }
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (code, table) = run(words(&["clients"])).await;
    assert!(code == Some(0) && table.contains(&short), "{table}");
    let (code, json) = run(words(&["--json", "clients"])).await;
    let list: Value = serde_json::from_str(&json).expect("JSON");
    assert!(code == Some(0) && list[0]["member"]["short"] == short, "{json}");
    let id = list[0]["id"].as_str().expect("an id");
    assert_eq!(run(words(&["kick", id])).await.0, Some(0));
    assert_eq!(anna.goodbye().await, Some((1008, "kicked".to_owned())));
    assert_ne!(run(words(&["kick", id])).await.0, Some(0), "it is gone already");
}
