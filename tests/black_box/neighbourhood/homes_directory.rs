//! Homes whose directory follows them: who listens where is known to the node that takes over, too.

use std::net::TcpListener;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::home::{Home, all_follow, all_hold, app, serving};
use crate::{app::App, person::Person};

const MEMBER: &str = "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f";

/// Address and member of each entry, once it is these that are listed.
async fn lists(app: &App, wanted: &[(&str, &str)]) -> Value {
    let pairs = |list: &Value| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let pair = |item: &Value| json!([item["address"], item["member"]]);
        items.iter().map(pair).collect::<Vec<_>>()
    };
    let wanted: Vec<Value> = wanted.iter().map(|(address, member)| json!([address, member])).collect();
    app.until("/api/v1/directory", |answer| pairs(&answer.json()) == wanted).await.json()
}

async fn register(app: &App, address: &str) {
    let body = json!({"member": MEMBER, "address": address});
    let answer = app.api_with(Method::POST, "/api/v1/directory", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
}

#[actix_web::test]
async fn who_listens_where_is_known_to_the_node_that_takes_over() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a listener"));
    let doors = listeners.each_ref().map(|door| door.local_addr().expect("an address").to_string());
    let [one, two, hers] = doors.each_ref().map(String::as_str);
    let leader = app(&apps, first);
    for address in [one, "127.0.0.1:1", two] {
        register(leader, address).await;
    }
    // What was taken out does not come back with the next node.
    let path = format!("/api/v1/directory/{MEMBER}/127.0.0.1:1");
    assert_eq!(leader.api(Method::DELETE, &path).await.status, 204);
    let kept = lists(leader, &[(one, MEMBER), (two, MEMBER)]).await;
    // Somebody who registers herself does so again wherever she goes.
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::at(&home.nodes[first].main.url(), folder.path(), "anna");
    anna.types(&format!("/introduce {hers}"));
    anna.reads(&format!("* introduced as listening at {hers}"));
    let list = leader
        .until("/api/v1/directory", |answer| answer.json()["items"].as_array().map(Vec::len) == Some(3))
        .await
        .json();
    let me = list["items"][2]["member"].as_str().expect("a member").to_owned();
    assert!(me.starts_with(&anna.short), "{list}");
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM introductions", "2").await;

    let folder_of_first = apps[first].take().expect("a node").kill();
    let second = serving(&apps).await;
    let next = app(&apps, second);
    anna.reads(&format!("* connected to {}", home.nodes[second].main.url()));
    let after = lists(next, &[(one, MEMBER), (two, MEMBER), (hers, &me)]).await;
    for (before, after) in [0, 1].map(|at| (&kept["items"][at], &after["items"][at])) {
        assert_eq!(before, after, "in their places, as they were");
    }
    // What the next node is told goes to whoever was there before.
    apps[first] = Some(home.start(first, folder_of_first, &[]));
    let path = format!("/api/v1/directory/{MEMBER}/{one}");
    assert_eq!(app(&apps, second).api(Method::DELETE, &path).await.status, 204);
    all_hold(&apps, "SELECT group_concat(address) FROM introductions", two).await;
    anna.leaves(0);
}
