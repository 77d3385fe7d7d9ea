//! The API of the neighbourhood on real servers: added, removed, pinned, tried again, made anew.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    api::{Answer, ask_with},
    app::App,
    client::Client,
};

const WRONG: &str = "abababababababababababababababababababababababababababababababab";

async fn post(app: &App, path: &str, body: &Value) -> Answer {
    ask_with(Method::POST, &format!("http://{}{path}", app.admin), Some(&app.token), Some(body)).await
}

/// Adds a neighbour with some facts and returns its path.
async fn add(app: &App, other: &App, facts: Value) -> String {
    let mut body = json!({"url": format!("ws://{}", other.listen)});
    let fields = body.as_object_mut().expect("an object");
    fields.extend(facts.as_object().expect("facts").clone());
    let answer = post(app, "/api/v1/peers", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("/api/v1/peers/{}", answer.json()["id"].as_str().expect("an id"))
}

/// The path under which a server knows the only other one.
async fn path_of_only(app: &App) -> String {
    let list = app.until("/api/v1/peers", |answer| answer.json()["items"][0]["id"].is_string()).await.json();
    assert_eq!(list["items"].as_array().expect("items").len(), 1, "{list}");
    format!("/api/v1/peers/{}", list["items"][0]["id"].as_str().expect("an id"))
}

/// Waits until a neighbour is in that state, and returns it.
async fn until(app: &App, path: &str, state: &str) -> Value {
    app.until(path, |answer| answer.status == 200 && answer.json()["state"] == state).await.json()
}

async fn own_key(app: &App) -> Value {
    app.get("/api/v1/server").await["key_id"].clone()
}

/// Two servers, of which the first one dialled the second one, and how each knows the other.
async fn linked() -> ((App, String), (App, String)) {
    let (north, south) = (App::with(&[("SERVER__NAME", "north")]), App::with(&[("SERVER__NAME", "south")]));
    let at_north = add(&north, &south, json!({})).await;
    until(&north, &at_north, "up").await;
    let at_south = path_of_only(&south).await;
    until(&south, &at_south, "up").await;
    ((north, at_north), (south, at_south))
}

#[actix_web::test]
async fn a_server_that_is_added_is_linked_from_both_sides() {
    let ((north, at_north), (south, at_south)) = linked().await;
    let wish = |answer: &Answer| answer.json()["round_trip_ms"].is_number();
    let (there, here) =
        (north.until(&at_north, wish).await.json(), south.until(&at_south, wish).await.json());
    for (peer, name, app, source, direction) in
        [(&there, "south", &south, "api", "out"), (&here, "north", &north, "inbound", "in")]
    {
        assert_eq!(
            (&peer["name"], &peer["trust"], &peer["dialect"]),
            (&json!(name), &json!("tofu"), &json!("kith"))
        );
        assert_eq!((&peer["source"], &peer["direction"]), (&json!(source), &json!(direction)));
        assert_eq!((&peer["key"], &peer["address"]), (&own_key(app).await, &json!(app.listen)));
        assert_eq!((&peer["last_error"], &peer["presented_key"]), (&Value::Null, &Value::Null));
        for counter in ["frames_in", "frames_out", "bytes_in", "bytes_out"] {
            assert!(peer[counter].as_u64().expect("a number") > 0, "{counter}: {peer}");
        }
        assert!(!peer["transcript"].as_array().expect("steps").is_empty(), "{peer}");
    }
    let first = &there["transcript"][0];
    assert_eq!(
        (&first["step"], &first["detail"]),
        (&json!("dial"), &json!(format!("ws://{}/peer", south.listen)))
    );
    let id = there["id"].as_str().expect("an id");
    assert_eq!(north.metric("kith_peers{state=\"up\"}").await, 1.0);
    assert_eq!(north.metric(&format!("kith_peer_linked{{peer=\"{id}\"}}")).await, 1.0);
    assert!(north.metric(&format!("kith_peer_frames_total{{peer=\"{id}\",way=\"in\"}}")).await > 0.0);
    assert!(north.metric(&format!("kith_peer_round_trip_seconds{{peer=\"{id}\"}}")).await > 0.0);
    let server = north.get("/api/v1/server").await;
    assert_eq!((&server["counts"]["peers"], &server["counts"]["linked"]), (&json!(1), &json!(1)));
    let again = post(&north, "/api/v1/peers", &json!({"url": format!("ws://{}/", south.listen)})).await;
    assert!(again.status == 409 && again.json()["detail"].to_string().contains(id), "{again:?}");
}

#[actix_web::test]
async fn everybody_is_shown_at_their_home_and_every_link_from_both_ends() {
    let (middle, left, right) = (App::start(), App::start(), App::start());
    let anna = Client::join(&left, 0).await;
    for other in [&left, &right] {
        let path = add(&middle, other, json!({})).await;
        until(&middle, &path, "up").await;
    }
    let at_left = path_of_only(&left).await;
    let told = |answer: &Answer| answer.json()["servers"][1]["members"] == 1;
    let all = middle.until("/api/v1/neighbourhood", told).await.json();
    let servers = all["servers"].as_array().expect("servers");
    assert_eq!((servers.len(), &servers[0]["id"], &servers[0]["own"]), (3, &json!("self"), &json!(true)));
    let home = servers.iter().find(|server| server["address"] == *left.listen).expect("anna's home");
    assert_eq!(home["clients"][0]["olaf_fingerprint"], anna.fingerprint());
    assert_eq!((&home["clients"][0]["dialect"], &home["state"]), (&json!("olaf"), &json!("up")));
    assert!(home["age_ms"].as_u64().expect("an age") < 60_000 && home["as_of"].is_string());
    // Left and right are not linked with each other: each learns of the other from the middle.
    let whole = |answer: &Answer| answer.json()["links"].as_array().map(Vec::len) == Some(3);
    let mesh = left.until("/api/v1/mesh", whole).await.json();
    assert_eq!(mesh["self"], own_key(&left).await);
    let mut nodes: Vec<_> =
        mesh["nodes"].as_array().expect("nodes").iter().map(|node| node["key"].clone()).collect();
    let mut keys = vec![own_key(&left).await, own_key(&middle).await, own_key(&right).await];
    nodes.sort_by_key(Value::to_string);
    keys.sort_by_key(Value::to_string);
    assert_eq!(nodes, keys, "{mesh}");
    let link = |from: &App, to: &App| {
        let links = mesh["links"].as_array().expect("links").iter();
        let mut links = links.filter(|link| link["from"] == *from.listen && link["to"] == *to.listen);
        links
            .next()
            .unwrap_or_else(|| panic!("no link from {} to {}: {mesh}", from.listen, to.listen))
            .clone()
    };
    assert_eq!(link(&left, &middle)["own"], true);
    let reported = link(&middle, &right);
    let home = mesh["nodes"].as_array().expect("nodes").iter().find(|node| node["own"] == true);
    assert_eq!(home.map(|node| (&node["members"], &node["linked"])), Some((&json!(1), &json!(true))));
    assert_eq!((&reported["own"], &reported["reported_by"]), (&json!(false), &json!(middle.listen)));
    assert_eq!((&reported["state"], &link(&middle, &left)["state"]), (&json!("up"), &json!("up")));
    // Whoever loses sight of the middle neither shows its clients nor believes what it said.
    drop(middle);
    let alone = |answer: &Answer| answer.json()["links"].as_array().map(Vec::len) == Some(1);
    left.until("/api/v1/mesh", alone).await;
    let server = left.get("/api/v1/neighbourhood").await["servers"][1].clone();
    assert_eq!((&server["members"], &server["clients"]), (&json!(0), &json!([])));
    assert!(server["age_ms"].is_u64(), "{server}");
    let gone = until(&left, &at_left, "down").await;
    assert_eq!((&gone["last_error"]["code"], &gone["trust"]), (&json!("left"), &json!("tofu")));
    assert!(gone["direction"].is_null() && gone["next_retry"].is_null(), "nobody can dial it: {gone}");
}

#[actix_web::test]
async fn whoever_is_removed_stays_out_until_added_again() {
    let ((north, at_north), (south, at_south)) = linked().await;
    let mut watch = south.watch().await;
    let mut event = async |name: &str| loop {
        let (found, data) = watch.next().await;
        if found == name {
            break data;
        }
    };
    assert_eq!(south.api(Method::DELETE, &at_south).await.status, 204);
    let removed = event("peer_removed").await;
    assert_eq!((&removed["name"], &removed["address"]), (&json!("north"), &json!(north.listen)));
    assert!(at_south.ends_with(removed["peer"].as_str().expect("an id")));
    assert_eq!(south.api(Method::GET, &at_south).await.status, 404);
    let refused = until(&north, &at_north, "refused").await;
    assert_eq!(refused["last_error"]["code"], "removed_peer", "{refused}");
    assert!(
        refused["attempts"].as_u64().expect("a number") > 0 || refused["next_retry"].is_string(),
        "{refused}"
    );
    assert_eq!(south.get("/api/v1/peers").await["items"], json!([]), "it does not come back by dialling");
    let back = add(&south, &north, json!({})).await;
    let added = event("peer_added").await;
    assert!(back.ends_with(added["peer"].as_str().expect("an id")));
    let up = event("link_up").await;
    assert_eq!((&up["peer"], &up["state"], &up["name"]), (&added["peer"], &json!("up"), &json!("north")));
    until(&south, &back, "up").await;
    until(&north, &at_north, "up").await;
    // It came by itself at first, was removed, and was added with its URL: only the last of that counts.
    let address = south.listen.clone();
    let south = App::in_folder(south.stop(), &[("LISTEN__MAIN", &address)]);
    assert_eq!(until(&south, &back, "up").await["source"], "api");
    assert_eq!(path_of_only(&south).await, back);
    let mut watch = south.watch().await;
    drop(north);
    let down = loop {
        let (name, data) = watch.next().await;
        if name == "link_down" {
            break data;
        }
    };
    assert_eq!((&down["peer"], &down["code"].is_string()), (&added["peer"], &true), "{down}");
}

#[actix_web::test]
async fn a_wrong_key_is_refused_and_shown_until_it_is_pinned() {
    let (north, south) = (App::start(), App::start());
    let mut watch = north.watch().await;
    let at_north = add(&north, &south, json!({"key": WRONG})).await;
    let refused = until(&north, &at_north, "refused").await;
    assert_eq!((&refused["key"], &refused["presented_key"]), (&json!(WRONG), &own_key(&south).await));
    assert_eq!((&refused["last_error"]["code"], &refused["trust"]), (&json!("wrong_key"), &Value::Null));
    assert!(refused["last_error"]["hint"].as_str().expect("a hint").contains("pin"), "{refused}");
    let later = north.until(&at_north, |answer| answer.json()["attempts"].as_u64() >= Some(3)).await.json();
    assert_eq!(later["presented_key"], own_key(&south).await);
    let pin = format!("{at_north}/pin");
    assert_eq!(post(&north, &pin, &json!({"key": "abc"})).await.status, 400);
    let pinned = north.api(Method::POST, &pin).await;
    assert_eq!((pinned.status, &pinned.json()["key"]), (200, &own_key(&south).await));
    let up = until(&north, &at_north, "up").await;
    assert_eq!((&up["trust"], &up["presented_key"]), (&json!("pinned"), &Value::Null));
    // However often it was tried, it was told once.
    for (expected, code) in
        [("peer_added", Value::Null), ("link_refused", json!("wrong_key")), ("link_up", Value::Null)]
    {
        let (name, data) = watch.next().await;
        assert_eq!((name.as_str(), &data["code"]), (expected, &code), "{data}");
        assert!(
            at_north.ends_with(data["peer"].as_str().expect("an id")) && data["address"] == *south.listen
        );
    }
    // Held to another key, it is turned away at once, although it was linked.
    assert_eq!(post(&north, &pin, &json!({"key": WRONG})).await.status, 200);
    let refused = until(&north, &at_north, "refused").await;
    assert_eq!(refused["last_error"]["code"], "wrong_key", "{refused}");
    let there = south.until(&path_of_only(&south).await, |answer| answer.json()["state"] != "up").await;
    assert_eq!(there.json()["members"], 0);
}

#[actix_web::test]
async fn an_impostor_is_told_about_and_leaves_no_key_behind_to_be_pinned() {
    let ((north, at_north), (south, _)) = linked().await;
    let mut watch = north.watch().await;
    let impostor = App::with(&[("SERVER__PUBLIC_ADDRESS", &south.listen)]);
    let there = add(&impostor, &north, json!({})).await;
    assert_eq!(until(&impostor, &there, "refused").await["last_error"]["code"], "wrong_key");
    let refused = loop {
        let (name, data) = watch.next().await;
        if name == "link_refused" {
            break data;
        }
    };
    assert_eq!((&refused["code"], &refused["address"]), (&json!("wrong_key"), &json!(south.listen)));
    let peer = until(&north, &at_north, "up").await;
    assert_eq!((&peer["key"], &peer["presented_key"]), (&own_key(&south).await, &Value::Null));
    assert_eq!(north.get("/api/v1/peers").await["items"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn a_link_that_fails_is_made_anew_and_one_that_waits_is_tried_at_once() {
    let ((north, at_north), (south, at_south)) = linked().await;
    let since = until(&north, &at_north, "up").await["since"].clone();
    let fault = format!("/api/v1/debug/peers/{}/fault", at_north.rsplit('/').next().expect("an id"));
    assert_eq!(north.api(Method::POST, &fault).await.status, 204);
    let anew = |answer: &Answer| answer.json()["state"] == "up" && answer.json()["since"] != since;
    north.until(&at_north, anew).await;
    until(&south, &at_south, "up").await;
    // The longer somebody is away, the rarer it is dialled.
    let (listen, folder) = (south.listen.clone(), south.stop());
    let patient = |answer: &Answer| answer.json()["attempts"].as_u64() >= Some(4);
    let waiting = north.until(&at_north, patient).await.json();
    assert!(waiting["next_retry"].is_string() && waiting["state"] != "up", "{waiting}");
    let _south = App::in_folder(folder, &[("LISTEN__MAIN", &listen)]);
    let tried = north.api(Method::POST, &format!("{at_north}/retry")).await;
    assert_eq!((tried.status, &tried.json()["id"]), (202, &waiting["id"]));
    until(&north, &at_north, "up").await;
}

#[actix_web::test]
async fn neighbours_survive_a_restart_with_what_was_decided_about_them() {
    let (north, south, west) = (App::start(), App::start(), App::start());
    let (to_south, to_west) = (add(&north, &south, json!({})).await, add(&north, &west, json!({})).await);
    until(&north, &to_south, "up").await;
    until(&north, &to_west, "up").await;
    assert_eq!(north.api(Method::POST, &format!("{to_south}/pin")).await.status, 200);
    until(&north, &to_south, "up").await;
    assert_eq!(north.api(Method::DELETE, &to_west).await.status, 204);
    let address = north.listen.clone();
    let north = App::in_folder(north.stop(), &[("LISTEN__MAIN", &address)]);
    let up = until(&north, &to_south, "up").await;
    assert_eq!(
        (&up["source"], &up["trust"], &up["key"]),
        (&json!("api"), &json!("pinned"), &own_key(&south).await)
    );
    assert_eq!(north.api(Method::GET, &to_west).await.status, 404);
    let at_west = path_of_only(&west).await;
    let gone = west.until(&at_west, |answer| answer.json()["state"] != "up").await.json();
    assert!(gone["url"].is_null(), "{gone}");
}

#[actix_web::test]
async fn a_pin_counts_for_a_neighbour_of_the_settings_too() {
    let south = App::start();
    let line = format!("ws://{}", south.listen);
    let north = App::with(&[("NEIGHBOURHOOD__PEERS", &line)]);
    let path = path_of_only(&north).await;
    assert_eq!(until(&north, &path, "up").await["trust"], "tofu");
    let pinned = north.api(Method::POST, &format!("{path}/pin")).await;
    assert_eq!((pinned.status, &pinned.json()["trust"]), (200, &json!("pinned")));
    let north = App::in_folder(north.stop(), &[("NEIGHBOURHOOD__PEERS", &line)]);
    let up = until(&north, &path, "up").await;
    assert_eq!((&up["source"], &up["trust"]), (&json!("settings"), &json!("pinned")));
}
