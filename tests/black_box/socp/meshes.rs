//! Several of our servers as one network of SOCP members: over the Kith link, over SOCP alone, and over both.

use std::net::TcpListener;

use crate::{app::App, peers::run};

/// Free addresses, each kept by a socket until its server takes it.
fn addresses<const N: usize>() -> [String; N] {
    let sockets: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    sockets.map(|socket| socket.local_addr().expect("an address").to_string())
}

/// Three servers that name each other, in one way or the other, and are linked.
async fn network(words: impl Fn(usize, usize) -> &'static str) -> [App; 3] {
    let addresses = addresses::<3>();
    let start = |at: usize| {
        let others = (0..3).filter(|other| *other != at);
        let lines = others.map(|other| format!("ws://{}{}", addresses[other], words(at, other)));
        let peers = lines.collect::<Vec<_>>().join(",");
        App::with(&[
            ("LISTEN__MAIN", &addresses[at]),
            ("NEIGHBOURHOOD__ADMIT", "known"),
            ("NEIGHBOURHOOD__LEGACY", "false"),
            ("NEIGHBOURHOOD__PEERS", &peers),
        ])
    };
    let apps = std::array::from_fn(start);
    for app in &apps {
        let is_linked = |answer: &crate::api::Answer| {
            let peers = answer.json();
            let peers = peers["items"].as_array().cloned().unwrap_or_default();
            peers.iter().filter(|peer| peer["state"] == "up").count() == 2
        };
        app.until("/api/v1/peers", is_linked).await;
    }
    apps
}

fn talk(apps: &[App; 3], accent: &str) {
    let urls: Vec<String> = apps.iter().map(|app| format!("ws://{}", app.listen)).collect();
    let mut arguments = vec!["--accent", accent];
    for url in &urls {
        arguments.extend(["--url", url.as_str()]);
    }
    run("socp_across.py", &arguments);
}

#[actix_web::test]
async fn members_of_three_servers_talk_over_the_kith_link() {
    let apps = network(|_, _| "").await;
    for accent in ["text", "g17", "g45"] {
        talk(&apps, accent);
    }
}

#[actix_web::test]
async fn members_of_three_servers_talk_over_socp_alone() {
    let apps = network(|_, _| " dialect=socp").await;
    for accent in ["text", "g17", "g45"] {
        talk(&apps, accent);
    }
}

#[actix_web::test]
async fn members_of_three_servers_talk_over_both() {
    // The first two are linked by our own protocol, the third one by SOCP.
    let apps = network(|one, other| if one + other == 1 { "" } else { " dialect=socp" }).await;
    talk(&apps, "text");
}
