//! The whole admin app, asked as a client asks it.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use actix::{Actor, Context, Handler};
use actix_web::{
    dev::Service,
    http::Method,
    test::{TestRequest, call_service, init_service, read_body},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    actors::{
        clock::unix_ms,
        event::Kind,
        lane::{Deliver, LaneEnd},
        registry::Join,
    },
    dialect::{Ear, event::Hand, olaf::accent},
    domain::{
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        member::{Member, Newcomer},
        refusal::{Ending, Refusal},
        replay::Trace,
    },
    http::testing::{Bench, bench},
    store::Seen,
};

mod neighbours;
mod rooms;

type Answer = (u16, actix_web::http::header::HeaderMap, Vec<u8>);

async fn ask_with(bench: &Bench, method: Method, path: &str, token: Option<&str>) -> Answer {
    let metrics = Data::new(Metrics::new(&bench.site));
    let app = init_service(app(Data::from(Arc::clone(&bench.site)), metrics)).await;
    let mut request = TestRequest::default().method(method).uri(path);
    if let Some(token) = token {
        request = request.insert_header(("Authorization", format!("Bearer {token}")));
    }
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, read_body(response).await.to_vec())
}

async fn ask(bench: &Bench, method: Method, path: &str) -> Answer {
    ask_with(bench, method, path, Some(&bench.token)).await
}

async fn get(bench: &Bench, path: &str) -> (u16, Value) {
    let (status, _, body) = ask(bench, Method::GET, path).await;
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn problem((status, headers, body): &Answer) -> Problem {
    assert_eq!(headers.get("content-type").expect("a type"), "application/problem+json");
    let problem: Problem = serde_json::from_slice(body).expect("a problem");
    assert_eq!(problem.status, *status);
    problem
}

/// The other end of a lane, which listens to nothing.
struct Deaf;

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Deaf {
    type Result = ();

    fn handle(&mut self, _: Deliver, _: &mut Self::Context) {}
}

/// Lets somebody in; numbers count up from one.
async fn join(bench: &Bench, number: u8) -> KeyId {
    let key = KeyId([number; 32]);
    let join = Join {
        connection: ConnectionId(u64::from(number)),
        newcomer: Newcomer {
            named: None,
            key,
            dialect: Dialect::Olaf,
            public_key: "a key".into(),
            spelled: key,
            trace: Trace([number; 16]),
        },
        ear: Ear::Olaf(accent::Ear::default()),
        lane: LaneEnd::default().lane(1000, Deaf.start().recipient()),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    bench.site.house.registry.send(join).await.expect("the registry").expect("a place");
    key
}

fn operations(description: &Value) -> Vec<(Method, String, bool)> {
    let paths = description["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("methods").iter().map(move |(method, operation)| {
            let method = method.to_uppercase().parse().expect("a method");
            (method, path.clone(), operation["security"].is_array())
        })
    });
    all.collect()
}

#[actix_web::test]
async fn every_described_route_is_there_and_all_but_health_ask_for_the_token() {
    let bench = bench(|_| {}).await;
    let (status, _, body) = ask_with(&bench, Method::GET, "/openapi.json", None).await;
    assert_eq!(status, 200);
    let description: Value = serde_json::from_slice(&body).expect("json");
    let operations = operations(&description);
    assert_eq!(operations.len(), 45, "{operations:?}");
    for (method, path, guarded) in operations {
        let path = ["{id}", "{name}", "{member}"].iter().fold(path, |path, part| path.replace(part, "7"));
        assert_eq!(guarded, path != "/healthz" && path != "/readyz", "{path}");
        for token in [None, Some("wrong"), Some("")] {
            let answer = ask_with(&bench, method.clone(), &path, token).await;
            assert_eq!(answer.0 == 401, guarded, "{method} {path}");
            if guarded {
                assert_eq!(problem(&answer).kind, "/problems/unauthorized");
                assert!(answer.1.contains_key("www-authenticate"));
            }
        }
        // One never ends, and the other ends this very process.
        if !path.ends_with("/events") && !path.ends_with("/registry/fault") {
            let (status, ..) = ask(&bench, method.clone(), &path).await;
            let takes_body =
                ["/peers", "/bans", "/directory", "/topic", "/kick"].iter().any(|end| path.ends_with(end));
            let unsaid = status == 415 && takes_body;
            // This server is no node of a larger home.
            let alone = status == 404 && ["/hosts", "/handover"].iter().any(|end| path.ends_with(end));
            assert!(
                status < 300 || unsaid || alone || (status == 404 && path.contains('7')),
                "{method} {path}: {status}"
            );
        }
    }
    assert_eq!(description["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[actix_web::test]
async fn a_path_in_disguise_asks_for_the_token_too() {
    let bench = bench(|_| {}).await;
    for path in
        ["/%61pi/v1/server", "/api/v1/%73erver", "/%6detrics", "//metrics", "/metrics/", "/API/v1/server"]
    {
        let (status, ..) = ask_with(&bench, Method::GET, path, None).await;
        assert!(status == 401 || status == 404, "{path}: {status}");
    }
}

#[actix_web::test]
async fn the_page_of_the_description_needs_no_outside_host() {
    let bench = bench(|_| {}).await;
    let (status, headers, _) = ask_with(&bench, Method::GET, "/docs", None).await;
    assert_eq!((status, headers.get("location").expect("a place").as_bytes()), (307, &b"/docs/"[..]));
    for file in ["", "swagger-initializer.js", "index.css"] {
        let (status, headers, body) = ask_with(&bench, Method::GET, &format!("/docs/{file}"), None).await;
        assert_eq!(status, 200, "{file}");
        assert_eq!(headers.get("content-security-policy").expect("a policy"), docs::POLICY);
        let text = String::from_utf8(body).expect("text");
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    }
    let (.., script) = ask_with(&bench, Method::GET, "/docs/swagger-initializer.js", None).await;
    let script = String::from_utf8(script).expect("text");
    assert!(script.contains("/openapi.json") && script.contains("\"validatorUrl\": \"none\""), "{script}");
}

#[actix_web::test]
async fn what_is_asked_wrongly_is_answered_with_a_problem() {
    let bench = bench(|settings| settings.debug.faults = false).await;
    for (method, path, status) in [
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/api/v1/nowhere", 404),
        (Method::POST, "/healthz", 405),
        (Method::DELETE, "/api/v1/server", 405),
        (Method::GET, "/api/v1/drain", 405),
        (Method::PUT, "/api/v1/clients/1", 405),
        (Method::POST, "/openapi.json", 405),
        (Method::POST, "/api/v1/debug/clients/1/fault", 404),
        (Method::GET, "/api/v1/clients?limit=0", 400),
        (Method::GET, "/api/v1/clients?limit=-1", 400),
        (Method::GET, "/api/v1/clients?limit=x", 400),
        (Method::GET, "/api/v1/clients?limt=5", 400),
        (Method::GET, "/api/v1/clients?dialect=latin", 400),
        (Method::GET, "/api/v1/clients?cursor=5", 400),
        (Method::GET, "/api/v1/members?cursor=bWVtYmVyczo1LnBlcnNvbg", 400),
        (Method::GET, "/api/v1/files?cursor=%00", 400),
        (Method::GET, "/api/v1/peers?limit=0", 400),
        (Method::GET, "/api/v1/peers?cursor=bWVtYmVyczo1", 400),
        (Method::GET, "/api/v1/neighbourhood?limit=-1", 400),
        (Method::GET, "/api/v1/mesh/self", 404),
        (Method::PUT, "/api/v1/peers", 405),
        (Method::GET, "/api/v1/peers/9f2c41aa03be", 404),
        (Method::DELETE, "/api/v1/peers/9f2c41aa03be", 404),
        (Method::POST, "/api/v1/peers/9f2c41aa03be/retry", 404),
        (Method::POST, "/api/v1/peers/9f2c41aa03be/pin", 404),
        (Method::POST, "/api/v1/peers/north/retry", 404),
        (Method::POST, "/api/v1/debug/peers/9f2c41aa03be/fault", 404),
        (Method::GET, "/api/v1/clients/99", 404),
        (Method::GET, "/api/v1/clients/-1", 404),
        (Method::DELETE, "/api/v1/clients/x", 404),
        (Method::DELETE, "/api/v1/files/..%2f..%2fadmin.token", 404),
    ] {
        let answer = ask(&bench, method.clone(), path).await;
        assert_eq!(problem(&answer).status, status, "{method} {path}");
        assert_eq!(answer.1.get("cache-control").expect("said"), "no-store");
        assert_eq!(answer.1.get("x-content-type-options").expect("said"), "nosniff");
        assert_eq!(answer.1.contains_key("allow"), status == 405);
    }
}

#[actix_web::test]
async fn clients_come_in_pages_and_go_when_kicked() {
    let bench = bench(|_| {}).await;
    for number in 1..=5 {
        join(&bench, number).await;
    }
    let (mut ids, mut path) = (Vec::new(), "/api/v1/clients?limit=2&dialect=olaf".to_owned());
    loop {
        let (status, page) = get(&bench, &path).await;
        assert_eq!(status, 200);
        ids.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/clients?limit=2&dialect=olaf&cursor={next}");
    }
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    let (_, client) = get(&bench, "/api/v1/clients/3").await;
    assert_eq!(client["member"]["fingerprint"], KeyId([3; 32]).hex());
    assert_eq!((&client["accent"], &client["dialect"]), (&json!("plain"), &json!("olaf")));
    assert_eq!(
        (&client["address"], &client["member"]["short"]),
        (&json!("127.0.0.1"), &json!("030303030303"))
    );
    assert_eq!(ask(&bench, Method::DELETE, "/api/v1/clients/3").await.0, 204);
    assert_eq!(ask(&bench, Method::POST, "/api/v1/debug/clients/3/fault").await.0, 204);
    let (_, server) = get(&bench, "/api/v1/server").await;
    assert_eq!((&server["counts"]["clients"], &server["counts"]["members"]), (&json!(5), &json!(5)));
}

#[actix_web::test]
async fn members_are_remembered_and_shown_as_here_or_away() {
    let bench = bench(|_| {}).await;
    let here = join(&bench, 1).await;
    let seen = |key_id, at| Seen::now(key_id, Dialect::Olaf, "key".into(), at);
    let rows = [seen(here, unix_ms()), seen(KeyId([9; 32]), 0)];
    bench.site.store.remember_members(&rows).await.expect("remembered");
    let (_, first) = get(&bench, "/api/v1/members?limit=1").await;
    assert_eq!((&first["items"][0]["online"], &first["items"][0]["dialect"]), (&json!(true), &json!("olaf")));
    let next = first["next"].as_str().expect("another page");
    let (_, second) = get(&bench, &format!("/api/v1/members?limit=1&cursor={next}")).await;
    assert_eq!(second["items"][0]["online"], false);
    assert_eq!(second["items"][0]["first_seen"], "1970-01-01T00:00:00.000Z");
    assert_eq!(second["next"], Value::Null);
    assert_eq!(get(&bench, &format!("/api/v1/files?cursor={next}")).await.0, 400);
}

#[actix_web::test]
async fn the_server_shows_every_limit_under_its_name() {
    let bench = bench(|settings| settings.limits.hello_timeout_s = 77).await;
    let (_, server) = get(&bench, "/api/v1/server").await;
    assert_eq!(server["limits"]["hello_timeout_s"], 77);
    assert_eq!(server["limits"].as_object().expect("limits").len(), 65);
    assert_eq!((&server["store"]["healthy"], &server["draining"]), (&json!(true), &json!(false)));
}

#[actix_web::test]
async fn files_are_listed_and_deleted() {
    let bench = bench(|_| {}).await;
    let mut draft = bench.site.filing.draft("a.txt").await.expect("a draft");
    draft.write(b"bytes").await.expect("room");
    let id = draft.keep("text/plain", bench.site.house.stillness.look()).await.expect("a file").id;
    let (_, page) = get(&bench, "/api/v1/files").await;
    assert_eq!((&page["items"][0]["name"], &page["items"][0]["bytes"]), (&json!("a.txt"), &json!(5)));
    let path = format!("/api/v1/files/{id}");
    assert_eq!(ask(&bench, Method::DELETE, &path).await.0, 204);
    assert_eq!(problem(&ask(&bench, Method::DELETE, &path).await).status, 404);
    assert_eq!(bench.site.filing.used_bytes(), 0);
}

#[actix_web::test]
async fn metrics_show_counters_under_their_names() {
    let bench = bench(|_| {}).await;
    let _place = bench.site.house.gate.enter(IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("a place");
    bench.site.house.tally.letters.inc();
    for hand in [Hand::Herald, Hand::Herald, Hand::Herald, Hand::Server] {
        bench.site.house.notary.sign(hand, b"to all".to_vec()).await.expect("a signature");
    }
    let (_, headers, body) = ask(&bench, Method::GET, "/metrics").await;
    let text = String::from_utf8(body).expect("text");
    for line in [
        "kith_letters_total 1",
        "kith_connections 1",
        r#"kith_signatures_made_total{kept="no"} 2"#,
        r#"kith_signatures_made_total{kept="yes"} 2"#,
        "process_start_time_seconds ",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(headers.get("content-type").expect("a type").to_str().expect("text").contains("version=1.0.0"));
}

#[actix_web::test]
async fn a_drain_is_asked_for_and_shows_in_readiness_alone() {
    let mut bench = bench(|_| {}).await;
    assert_eq!(ask_with(&bench, Method::GET, "/readyz", None).await.0, 200);
    assert_eq!(ask(&bench, Method::POST, "/api/v1/drain").await.0, 202);
    assert_eq!(bench.stop.try_recv(), Ok(()));
    bench.site.house.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = ask_with(&bench, Method::GET, "/readyz", None).await;
    assert_eq!((problem(&answer).status, problem(&answer).kind), (503, "/problems/draining".to_owned()));
    assert_eq!(ask_with(&bench, Method::GET, "/healthz", None).await.0, 200);
}

#[actix_web::test]
async fn a_store_that_takes_no_writes_shows_in_readiness() {
    let bench = bench(|_| {}).await;
    bench.site.store.close().await;
    let seen = Seen::now(KeyId([1; 32]), Dialect::Olaf, String::new(), 0);
    bench.site.archivist.send(crate::actors::archivist::Remember(seen)).await.expect("remembered");
    let flushed = bench.site.archivist.send(crate::actors::archivist::Flush).await;
    assert_eq!(flushed.ok(), Some(crate::actors::archivist::Flushed::Failed));
    let answer = ask_with(&bench, Method::GET, "/readyz", None).await;
    assert_eq!((problem(&answer).status, problem(&answer).kind), (503, "/problems/store".to_owned()));
    assert_eq!(get(&bench, "/api/v1/server").await.1["store"]["healthy"], false);
}

#[actix_web::test]
async fn events_are_streamed_until_the_house_closes() {
    let bench = bench(|_| {}).await;
    let metrics = Data::new(Metrics::new(&bench.site));
    let app = init_service(app(Data::from(Arc::clone(&bench.site)), metrics)).await;
    let request = TestRequest::get().uri("/api/v1/events");
    let request = request.insert_header(("Authorization", format!("bearer {}", bench.token)));
    let response = app.call(request.to_request()).await.expect("an answer");
    assert_eq!(response.headers().get("content-type").expect("a type"), "text/event-stream");
    let ending = Ending::Refused(Refusal::TooManyHellos);
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    bench.site.house.bulletin.publish(Kind::Refused { address, ending, server: None });
    bench.site.house.bulletin.publish(Kind::Left {
        client: ConnectionId(5),
        member: Arc::new(Member {
            key: KeyId([2; 32]),
            name: Some("anna".into()),
            number: 1,
            dialect: Dialect::Socp,
            public_key: "".into(),
            spelled: KeyId([3; 32]),
            sealing_key: None,
            display_name: None,
            fingerprint: None,
        }),
        ending: Ending::Kicked,
    });
    bench.site.house.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    let read = actix_rt::time::timeout(Duration::from_secs(5), read_body(response)).await;
    let text = String::from_utf8(read.expect("an end").to_vec()).expect("text");
    for part in [
        ": watching\n",
        "event: refused\nid: 1\n",
        "too_many_hellos",
        "event: kicked\nid: 2\n",
        "\"client\":\"5\"",
        "\"member\":{\"name\":\"anna\",\"fingerprint\":null,",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
