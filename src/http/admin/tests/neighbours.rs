//! Neighbours, asked for and changed as a client does it. Nobody answers at the addresses used here.

use super::*;

/// Only an administrator of the machine could listen there.
const NOBODY: &str = "ws://127.0.0.1:1";
const KEY: &str = "abababababababababababababababababababababababababababababababab";

async fn send(bench: &Bench, path: &str, kind: Option<&str>, body: &str) -> Answer {
    let metrics = Data::new(Metrics::new(&bench.site));
    let app = init_service(app(Data::from(Arc::clone(&bench.site)), metrics)).await;
    let mut request = TestRequest::post().uri(path).set_payload(body.to_owned());
    request = request.insert_header(("Authorization", format!("Bearer {}", bench.token)));
    if let Some(kind) = kind {
        request = request.insert_header(("Content-Type", kind.to_owned()));
    }
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, read_body(response).await.to_vec())
}

async fn post(bench: &Bench, path: &str, body: Value) -> Answer {
    send(bench, path, Some("application/json"), &body.to_string()).await
}

fn json((.., body): &Answer) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

/// Adds a neighbour and returns its path.
async fn added(bench: &Bench, body: Value) -> String {
    let answer = post(bench, "/api/v1/peers", body).await;
    assert_eq!(answer.0, 201, "{}", String::from_utf8_lossy(&answer.2));
    let path = answer.1.get("location").expect("a place").to_str().expect("text").to_owned();
    assert_eq!(path, format!("/api/v1/peers/{}", json(&answer)["id"].as_str().expect("an id")));
    path
}

#[actix_web::test]
async fn a_neighbour_is_added_shown_and_removed() {
    let bench = bench(|_| {}).await;
    let path = added(&bench, json!({"url": "WS://127.0.0.1:1/olaf", "name": "north", "key": KEY})).await;
    let (_, peer) = get(&bench, &path).await;
    for (field, value) in [
        ("name", json!("north")),
        ("url", json!("ws://127.0.0.1:1/olaf")),
        ("address", json!("127.0.0.1:1")),
        ("source", json!("api")),
        ("trust", Value::Null),
        ("dialect", Value::Null),
        ("accent", Value::Null),
        ("direction", Value::Null),
        ("round_trip_ms", Value::Null),
        ("members", json!(0)),
        ("queue_bytes", json!(0)),
        ("frames_in", json!(0)),
        ("key", json!(KEY)),
        ("presented_key", Value::Null),
    ] {
        assert_eq!(peer[field], value, "{field}: {peer}");
    }
    assert!(peer["since"].as_str().expect("a moment").ends_with('Z'));
    assert!(peer["transcript"].is_array());
    let (_, list) = get(&bench, "/api/v1/peers").await;
    assert_eq!(list["items"][0]["id"], peer["id"]);
    assert!(list["items"][0].get("transcript").is_none() && list["next"].is_null());
    let (_, server) = get(&bench, "/api/v1/server").await;
    assert_eq!((&server["counts"]["peers"], &server["counts"]["linked"]), (&json!(1), &json!(0)));
    assert_eq!(send(&bench, &format!("{path}/retry"), None, "").await.0, 202);
    assert_eq!(ask(&bench, Method::DELETE, &path).await.0, 204);
    for (method, rest) in
        [(Method::DELETE, ""), (Method::GET, ""), (Method::POST, "/retry"), (Method::POST, "/pin")]
    {
        assert_eq!(problem(&ask(&bench, method, &format!("{path}{rest}")).await).status, 404);
    }
    assert_eq!(added(&bench, json!({"url": "ws://127.0.0.1:1/olaf"})).await, path, "it may come back");
}

#[actix_web::test]
async fn what_is_no_neighbour_is_refused_in_words() {
    let bench = bench(|settings| settings.limits.peers = 16).await;
    let path = added(&bench, json!({"url": NOBODY})).await;
    let id = path.rsplit('/').next().expect("an id");
    let own = format!("ws://{}", bench.site.about.address);
    let own_key = bench.site.about.server_key_id.clone();
    for (status, word, body) in [
        (400, "ws://", json!({"url": "http://127.0.0.1:2"})),
        (400, "host", json!({"url": "ws://"})),
        (400, "url", json!({"name": "north"})),
        (400, "fingerprint", json!({"url": "ws://127.0.0.1:2", "key": "abc"})),
        (400, "latin", json!({"url": "ws://127.0.0.1:2", "dialect": "latin"})),
        (400, "name", json!({"url": "ws://127.0.0.1:2", "name": "two words"})),
        (400, "public key", json!({"url": "ws://127.0.0.1:2", "dialect": "olaf", "key": KEY})),
        (400, "colour", json!({"url": "ws://127.0.0.1:2", "colour": "red"})),
        (400, "string", json!({"url": 7})),
        (400, "this very server", json!({"url": own})),
        (400, "this very server", json!({"url": "ws://127.0.0.1:2", "key": own_key})),
        (409, id, json!({"url": "ws://localhost:1"})),
    ] {
        let answer = post(&bench, "/api/v1/peers", body.clone()).await;
        let problem = problem(&answer);
        assert_eq!(problem.status, status, "{body}: {problem}");
        assert!(problem.detail.as_deref().is_some_and(|detail| detail.contains(word)), "{body}: {problem}");
    }
    for port in 2..=16 {
        added(&bench, json!({"url": format!("ws://127.0.0.1:{port}")})).await;
    }
    let full = problem(&post(&bench, "/api/v1/peers", json!({"url": "ws://127.0.0.1:17"})).await);
    assert_eq!((full.status, full.kind.as_str()), (409, "/problems/too_many_peers"));
    assert!(full.detail.expect("words").contains("16"));
}

#[actix_web::test]
async fn a_body_that_is_none_is_a_problem() {
    let bench = bench(|_| {}).await;
    let pin = format!("{}/pin", added(&bench, json!({"url": NOBODY})).await);
    let kind = Some("application/json");
    for (path, kind, body, status) in [
        ("/api/v1/peers", kind, "{".to_owned(), 400),
        ("/api/v1/peers", kind, String::new(), 400),
        ("/api/v1/peers", kind, "[]".to_owned(), 400),
        ("/api/v1/peers", None, "{}".to_owned(), 415),
        ("/api/v1/peers", Some("text/plain"), "{}".to_owned(), 415),
        ("/api/v1/peers", kind, format!("{{\"url\":\"{}\"}}", "x".repeat(BODY)), 413),
        (&pin, kind, "{".to_owned(), 400),
        (&pin, kind, "{\"kye\":\"\"}".to_owned(), 400),
        (&pin, Some("text/plain"), format!("{{\"key\":\"{KEY}\"}}"), 415),
        (&pin, kind, "x".repeat(BODY + 1), 413),
    ] {
        let answer = send(&bench, path, kind, &body).await;
        assert_eq!(problem(&answer).status, status, "{path} {kind:?}: {}", problem(&answer));
    }
}

#[actix_web::test]
async fn a_key_is_pinned_as_given_or_as_shown() {
    let bench = bench(|_| {}).await;
    let path = added(&bench, json!({"url": NOBODY})).await;
    let pin = format!("{path}/pin");
    let nothing = problem(&send(&bench, &pin, None, "").await);
    assert_eq!((nothing.status, nothing.kind.as_str()), (409, "/problems/no_key"));
    assert_eq!(problem(&post(&bench, &pin, json!({"key": "abc"})).await).status, 400);
    let pinned = post(&bench, &pin, json!({"key": KEY})).await;
    assert_eq!((pinned.0, &json(&pinned)["key"]), (200, &json!(KEY)));
    let again = send(&bench, &pin, None, "").await;
    assert_eq!((again.0, &json(&again)["key"]), (200, &json!(KEY)), "what is known stays");
    // For OLAF it must be the key itself, and that is kept.
    let whole = bench.site.about.olaf_key.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let olaf = json!({"url": "ws://127.0.0.1:2", "dialect": "olaf", "key": whole});
    let pin = format!("{}/pin", added(&bench, olaf).await);
    assert_eq!(problem(&post(&bench, &pin, json!({"key": KEY})).await).status, 400);
    assert_eq!(send(&bench, &pin, None, "").await.0, 200);
    let known = bench.site.store.peers().await.expect("neighbours");
    assert!(known.iter().any(|known| known.key.as_deref() == Some(&whole)), "{known:?}");
}

#[actix_web::test]
async fn neighbours_come_in_pages_and_everywhere_in_the_same_order() {
    let bench = bench(|_| {}).await;
    let mut expected = Vec::new();
    for port in 1..=5 {
        let path = added(&bench, json!({"url": format!("ws://127.0.0.1:{port}")})).await;
        expected.push(path.rsplit('/').next().expect("an id").to_owned());
    }
    let (mut ids, mut path) = (Vec::new(), "/api/v1/peers?limit=2".to_owned());
    loop {
        let (_, page) = get(&bench, &path).await;
        ids.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/peers?limit=2&cursor={next}");
    }
    assert_eq!(ids, expected);
    let key = join(&bench, 1).await;
    join(&bench, 2).await;
    let (_, all) = get(&bench, "/api/v1/neighbourhood?limit=1").await;
    let servers = all["servers"].as_array().expect("servers");
    let ids: Vec<_> = servers.iter().map(|server| server["id"].as_str().expect("an id")).collect();
    assert_eq!((ids[0], &ids[1..]), ("self", &expected.iter().map(String::as_str).collect::<Vec<_>>()[..]));
    assert_eq!((&servers[0]["members"], &servers[0]["age_ms"]), (&json!(2), &json!(0)));
    let client = &servers[0]["clients"][0];
    assert_eq!((&client["fingerprint"], &client["dialect"]), (&json!(key.hex()), &json!("olaf")));
    assert_eq!(servers[0]["clients"].as_array().expect("clients").len(), 1);
    assert_eq!((&servers[1]["as_of"], &servers[1]["clients"]), (&Value::Null, &json!([])));
    let (_, mesh) = get(&bench, "/api/v1/mesh").await;
    assert_eq!(mesh["self"], bench.site.about.server_key_id);
    assert_eq!((&mesh["nodes"][0]["own"], &mesh["nodes"][0]["members"]), (&json!(true), &json!(2)));
    let ends = |link: &Value| (link["from"].clone(), link["to"].clone(), link["own"].clone());
    let links: Vec<_> = mesh["links"].as_array().expect("links").iter().map(ends).collect();
    let us = json!(bench.site.about.address);
    let expected = (1..=5).map(|port| (us.clone(), json!(format!("127.0.0.1:{port}")), json!(true)));
    assert_eq!(links, expected.collect::<Vec<_>>());
}

#[actix_web::test]
async fn metrics_show_each_neighbour_whatever_it_calls_itself() {
    let bench = bench(|_| {}).await;
    let path = added(&bench, json!({"url": NOBODY, "name": "no\"rth\\", "dialect": "kith"})).await;
    let id = path.rsplit('/').next().expect("an id");
    let (.., body) = ask(&bench, Method::GET, "/metrics").await;
    let text = String::from_utf8(body).expect("text");
    for line in [
        format!(r#"kith_peer_info{{peer="{id}",name="no\"rth\\",address="127.0.0.1:1",dialect="kith"}} 1"#),
        format!(r#"kith_peer_linked{{peer="{id}"}} 0"#),
        format!(r#"kith_peer_queue_bytes{{peer="{id}"}} 0"#),
        format!(r#"kith_peer_frames_total{{peer="{id}",way="in"}} 0"#),
        format!(r#"kith_peer_bytes_total{{peer="{id}",way="out"}} 0"#),
        r#"kith_peers{state="up"} 0"#.to_owned(),
        "# TYPE kith_peer_frames counter".to_owned(),
        "# TYPE kith_peer_round_trip_seconds gauge".to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    assert_eq!(ask(&bench, Method::DELETE, &path).await.0, 204);
    let (.., body) = ask(&bench, Method::GET, "/metrics").await;
    assert!(!String::from_utf8(body).expect("text").contains(id), "whoever is gone is not shown");
}
