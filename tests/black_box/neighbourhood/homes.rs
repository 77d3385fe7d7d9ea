//! Homes of several nodes: one serves, the others keep a copy, and one of them takes over.

use std::{io::Read as _, process::Stdio};

use actix_web::http::Method;

use super::home::{Home, all_follow, all_hold, app, hand_over, serving};
use crate::{
    app::{in_time, kith},
    client::Client,
    voices::Guest,
};

#[actix_web::test]
async fn one_of_three_serves_and_the_others_say_where() {
    let home = Home::of(3, None);
    let apps = home.start_all();
    let first = serving(&apps).await;
    let door = home.nodes[first].main.url();
    for at in 0..3 {
        let node = app(&apps, at);
        node.until_served_at(&door).await;
        let home = node.says().await["home"].clone();
        assert_eq!(home["serving"], at == first, "{home}");
        assert_eq!(home["doors"].as_array().map(Vec::len), Some(3), "{home}");
        if at != first {
            let url = format!("ws://{}/", node.listen);
            let refused = tokio_tungstenite::connect_async(url).await.expect_err("no socket");
            let tokio_tungstenite::tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
            assert_eq!(answer.status().as_u16(), 503);
            assert!(answer.headers().contains_key("retry-after"), "{answer:?}");
            let clients = node.api(Method::GET, "/api/v1/clients").await;
            assert_eq!(clients.status, 503, "{clients:?}");
            assert!(clients.text.contains(&door), "{clients:?}");
        }
    }
    let mut client = Client::join(app(&apps, first), 0).await;
    client.say("here").await;
}

#[actix_web::test]
async fn a_home_outlives_the_node_that_serves_it_and_takes_it_back() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    let before = app(&apps, first).get("/api/v1/server").await;
    let mut guest = Guest::enter(app(&apps, first), "anna", "garden").await;
    guest.say("I was here").await;
    guest.hears_until("I was here").await;
    // What is on the disk of the one is on those of the others a moment later.
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM room_lines", "1").await;
    let folder = apps[first].take().expect("a node").kill();
    drop(guest);

    let second = serving(&apps).await;
    assert_ne!(first, second);
    let after = app(&apps, second).get("/api/v1/server").await;
    assert_eq!((&before["id"], &before["key_id"]), (&after["id"], &after["key_id"]), "the same home");
    let guest = Guest::enter(app(&apps, second), "ben", "garden").await;
    assert_eq!(guest.history, ["anna: I was here"]);

    // It comes back, follows, and takes nothing away from the one that serves.
    apps[first] = Some(home.start(first, folder, &[]));
    app(&apps, first).until_served_at(&home.nodes[second].main.url()).await;
    assert_eq!(serving(&apps).await, second);
    all_follow(&apps, second).await;
    // Who has taken over can give away in order what it took.
    hand_over(&apps, first).await;
    let third = (0..3).find(|at| ![first, second].contains(at)).expect("another one");
    all_follow(&apps, first).await;
    drop(apps[first].take().expect("a node").kill());
    let next = serving(&apps).await;
    assert!([second, third].contains(&next));
    let guest = Guest::enter(app(&apps, next), "carl", "garden").await;
    assert_eq!(guest.history, ["anna: I was here"]);
}

#[actix_web::test]
async fn a_node_that_ends_in_order_hands_over_all_that_it_accepted() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let mut guest = Guest::enter(app(&apps, first), "anna", "garden").await;
    let mut watcher = Client::join(app(&apps, first), 0).await;
    for number in 0..40 {
        guest.say(&format!("line {number}")).await;
    }
    guest.hears_until("line 39").await;
    app(&apps, first).signal("TERM");
    let goodbye = watcher.goodbye().await.expect("a close frame");
    let mut old = apps[first].take().expect("a node");
    let status = old.wait();
    assert!(status.success(), "{status}: {}", old.log());
    let second = serving(&apps).await;
    assert_eq!(goodbye, (1012, format!("moved {}", home.nodes[second].main.url())), "{}", old.log());
    let newcomer = Guest::enter(app(&apps, second), "ben", "garden").await;
    let all: Vec<_> = (0..40).map(|number| format!("anna: line {number}")).collect();
    assert_eq!(newcomer.history, all);
}

#[actix_web::test]
async fn of_two_nodes_the_fallback_alone_takes_over() {
    let home = Home::of(2, Some(1));
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    if first == 1 {
        // The other one has to serve first.
        all_follow(&apps, 1).await;
        hand_over(&apps, 0).await;
    }
    all_follow(&apps, 0).await;
    let folder = apps[0].take().expect("a node").kill();
    assert_eq!(serving(&apps).await, 1);
    // The fallback serves, and goes on without the other one.
    apps[0] = Some(home.start(0, folder, &[]));
    app(&apps, 0).until_served_at(&home.nodes[1].main.url()).await;
    drop(apps[1].take().expect("a node").kill());
    // The other one waits for it.
    let alone = app(&apps, 0);
    in_time("the leader is missed", async {
        while !alone.says().await["home"]["leader"].is_null() {
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(alone.ask_openly_if_there("/readyz").await, Some(503));
}

#[actix_web::test]
async fn a_node_that_could_not_serve_does_not_stand_by() {
    let home = Home::of(2, None);
    let folder = tempfile::tempdir().expect("a folder");
    let wrong =
        "ws://127.0.0.1:9 key=0000000000000000000000000000000000000000000000000000000000000000 dialect=olaf";
    let mut command = kith();
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.path()).env("KITH__SUCCESSION__LISTEN", home.nodes[0].succession.address());
    command.env("KITH__NEIGHBOURHOOD__PEERS", wrong);
    command
        .env("KITH__HOME__MEMBERS", format!("{} door=ws://127.0.0.1:9", home.nodes[1].succession.address()));
    let mut node = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program");
    let status = in_time("it ends", async {
        loop {
            if let Some(status) = node.try_wait().expect("a child") {
                return status;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let status = status.await;
    let mut words = String::new();
    node.stderr.take().expect("its words").read_to_string(&mut words).expect("text");
    assert_eq!(status.code(), Some(1), "{words}");
    assert!(words.contains("neighbourhood.peers"), "{words}");
}

#[actix_web::test]
async fn nodes_that_are_asked_to_end_all_at_once_end() {
    let home = Home::of(3, None);
    let apps = home.start_all();
    all_follow(&apps, serving(&apps).await).await;
    for app in apps.iter().flatten() {
        app.signal("TERM");
    }
    for mut app in apps.into_iter().flatten() {
        let status = app.wait();
        assert!(status.success(), "{status}: {}", app.log());
    }
}
