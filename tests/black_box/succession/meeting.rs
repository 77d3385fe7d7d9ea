//! The door of the rendezvous belongs to whoever serves. Where it cannot be bound, the home is served without it.

use std::net::TcpListener;

use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    app::in_time,
    neighbourhood::home::{Home, app, serving},
};

#[actix_web::test]
async fn a_node_serves_without_the_door_of_the_rendezvous_until_it_can_be_bound() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let door = taken.local_addr().expect("an address").to_string();
    let home = Home::of(2, None);
    let apps = home.start_all_with(&[("RENDEZVOUS__LISTEN", &door)]);
    let leads = app(&apps, serving(&apps).await);
    let shown = leads.get("/api/v1/server").await["rendezvous"].take();
    assert_eq!((&shown["listen"], &shown["open"]), (&json!(door), &json!(false)));
    assert!(shown["trouble"].as_str().is_some_and(|why| why.contains("cannot listen")), "{shown}");
    assert_eq!(leads.metric("kith_rendezvous_shut").await, 1.0);
    assert!(leads.log().contains("serves without the door of the rendezvous"), "{}", leads.log());

    drop(taken);
    leads.until("/api/v1/server", |answer| answer.json()["rendezvous"]["open"] == true).await;
    assert_eq!(leads.metric("kith_rendezvous_shut").await, 0.0);
    in_time("somebody is let in", TcpStream::connect(&door)).await.expect("a socket");
}
