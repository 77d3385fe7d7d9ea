//! Several of our servers as one network of SOCP members: over the Kith link, over SOCP alone, and over both.

use std::net::TcpListener;

use crate::{app::App, peers::run};

/// Everybody whose users come over a WebSocket.
const ACCENTS: [&str; 12] =
    ["text", "g2", "g56", "g45", "g17", "g29", "g40", "samlovat", "admiral", "pezhy", "g99", "ari"];

/// Free addresses, each kept by a socket until its server takes it.
fn addresses<const N: usize>() -> [String; N] {
    let sockets: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    sockets.map(|socket| socket.local_addr().expect("an address").to_string())
}

/// A server with its settings.
pub(super) type Furnished = (App, Vec<(&'static str, String)>);

/// Servers that name each other, in one way or the other, let others in or not, and are linked. They expect that
/// whoever is away is not found.
async fn network<const N: usize>(admit: &str, words: impl Fn(usize, usize) -> &'static str) -> [App; N] {
    furnished(admit, "false", words).await.map(|(app, _)| app)
}

/// The same with their settings, and whether they keep letters.
pub(super) async fn furnished<const N: usize>(
    admit: &str,
    keep: &str,
    words: impl Fn(usize, usize) -> &'static str,
) -> [Furnished; N] {
    let addresses = addresses::<N>();
    let start = |at: usize| {
        let others = (0..N).filter(|other| *other != at);
        let lines = others.map(|other| format!("ws://{}{}", addresses[other], words(at, other)));
        let peers = lines.collect::<Vec<_>>().join(",");
        let settings = vec![
            ("LISTEN__MAIN", addresses[at].clone()),
            ("NEIGHBOURHOOD__ADMIT", admit.to_owned()),
            ("NEIGHBOURHOOD__LEGACY", "false".to_owned()),
            ("NEIGHBOURHOOD__PEERS", peers),
            ("OFFLINE__KEEP", keep.to_owned()),
            ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000".to_owned()),
        ];
        let borrowed: Vec<(&str, &str)> =
            settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        (App::with(&borrowed), settings)
    };
    let apps: [Furnished; N] = std::array::from_fn(start);
    for (app, _) in &apps {
        let is_linked = |answer: &crate::api::Answer| {
            let peers = answer.json();
            let peers = peers["items"].as_array().cloned().unwrap_or_default();
            peers.iter().filter(|peer| peer["state"] == "up").count() == N - 1
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
    let apps = network("known", |_, _| "").await;
    for accent in ACCENTS {
        talk(&apps, accent);
    }
}

#[actix_web::test]
async fn members_of_three_servers_talk_over_socp_alone() {
    let apps = network("known", |_, _| " dialect=socp").await;
    for accent in ACCENTS {
        talk(&apps, accent);
    }
}

#[actix_web::test]
async fn members_of_three_servers_talk_over_both() {
    // The first two are linked by our own protocol, the third one by SOCP.
    let apps = network("known", |one, other| if one + other == 1 { "" } else { " dialect=socp" }).await;
    talk(&apps, "text");
}

#[actix_web::test]
async fn who_joins_one_of_us_is_told_of_the_others_and_links_with_them() {
    for words in ["", " dialect=socp"] {
        let apps = network::<2>("anyone", |_, _| words).await;
        run("socp_second.py", &["--url", &format!("ws://{}", apps[0].listen), "--others", "1"]);
    }
}
