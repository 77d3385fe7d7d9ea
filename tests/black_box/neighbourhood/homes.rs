//! Homes of several nodes: one serves, the others keep a copy, and one of them takes over.

use actix_web::http::Method;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::place::Place;
use crate::{
    app::{App, in_time},
    client::Client,
    voices::Guest,
};

/// The numbers of succession, a tenth of what they are by default, so that tests take seconds.
const QUICK: [(&str, &str); 8] = [
    ("SUCCESSION__REPORT_MS", "100"),
    ("SUCCESSION__PULSE_MS", "200"),
    ("SUCCESSION__RETRY_MS", "250"),
    ("SUCCESSION__SUSPECT_MS", "400"),
    ("SUCCESSION__LEASE_MS", "1000"),
    ("SUCCESSION__TAKEOVER_MS", "1500"),
    ("SUCCESSION__BY_RANKING", "false"),
    ("LIMITS__DRAIN_S", "1"),
];

/// One node: its three doors, which stay its own while it is away.
struct Node {
    main: Place,
    admin: Place,
    succession: Place,
}

/// A home. All its nodes have the same keys.
struct Home {
    nodes: Vec<Node>,
    fallback: Option<usize>,
}

impl Home {
    fn of(count: usize, fallback: Option<usize>) -> Self {
        let place = || Place::new(0);
        let node = |_| Node { main: place(), admin: place(), succession: place() };
        Self { nodes: (0..count).map(node).collect(), fallback }
    }

    /// What a node has to know of the others.
    fn members(&self, own: usize) -> String {
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at != own);
        let line = |(at, node): (usize, &Node)| {
            let fallback = if self.fallback == Some(at) { " fallback" } else { "" };
            format!("{} door={} name=node-{at}{fallback}", node.succession.address(), node.main.url())
        };
        others.map(line).collect::<Vec<_>>().join(",")
    }

    fn start(&self, at: usize, folder: TempDir, more: &[(&str, &str)]) -> App {
        let (node, members) = (&self.nodes[at], self.members(at));
        let (admin, succession) = (node.admin.address(), node.succession.address());
        let is_fallback = (self.fallback == Some(at)).to_string();
        let name = format!("node-{at}");
        let own = [
            ("LISTEN__ADMIN", admin.as_str()),
            ("SUCCESSION__LISTEN", &succession),
            ("HOME__MEMBERS", &members),
            ("HOME__FALLBACK", &is_fallback),
            ("LOG__LEVEL", "info"),
        ];
        node.main.furnish(&folder);
        node.main.open_again(folder, &[&own[..], &QUICK, &[("SERVER__NAME", &name)], more].concat())
    }

    fn start_all(&self) -> Vec<Option<App>> {
        let start = |at| Some(self.start(at, tempfile::tempdir().expect("a folder"), &[]));
        (0..self.nodes.len()).map(start).collect()
    }
}

/// Which node serves, once exactly one does.
async fn serving(apps: &[Option<App>]) -> usize {
    in_time("one node serves", async {
        loop {
            let mut ready = Vec::new();
            for (at, app) in apps.iter().enumerate() {
                if let Some(app) = app
                    && app.ask_openly_if_there("/readyz").await == Some(200)
                {
                    ready.push(at);
                }
            }
            assert!(ready.len() <= 1, "{ready:?} serve at once");
            if let [only] = ready[..] {
                return only;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}

impl App {
    /// The status of an answer of the admin door, or nothing if nobody answers: nodes start anew.
    async fn ask_openly_if_there(&self, path: &str) -> Option<u16> {
        let client = awc::Client::default();
        client
            .get(format!("http://{}{path}", self.admin))
            .send()
            .await
            .ok()
            .map(|answer| answer.status().as_u16())
    }

    /// What a node says at its main door.
    async fn says(&self) -> Value {
        let answer = crate::api::ask(Method::GET, &format!("http://{}/", self.listen), None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Waits until it says that the home is served behind this door.
    async fn until_served_at(&self, door: &str) {
        in_time("a node knows who serves", async {
            while self.says().await["home"]["leader"] != door {
                actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// Waits until a question to the database of each node that runs has this answer.
async fn all_hold(apps: &[Option<App>], question: &'static str, answer: &str) {
    for app in apps.iter().flatten() {
        in_time(question, async {
            loop {
                let file = SqliteConnectOptions::new().filename(app.database()).read_only(true);
                let mut database = file.connect().await.expect("a database");
                let found: Option<String> =
                    sqlx::query_scalar(question).fetch_optional(&mut database).await.expect("an answer");
                database.close().await.expect("the end");
                if found.as_deref() == Some(answer) {
                    return;
                }
                actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// Waits until each node that runs has a copy of what this one serves.
async fn all_follow(apps: &[Option<App>], leader: usize) {
    let id = app(apps, leader).get("/api/v1/server").await["id"].as_str().expect("an id").to_owned();
    all_hold(apps, "SELECT value FROM facts WHERE key = 'server.id'", &id).await;
}

fn app(apps: &[Option<App>], at: usize) -> &App {
    apps[at].as_ref().expect("a node that runs")
}

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
    let third = (0..3).find(|at| ![first, second].contains(at)).expect("another one");
    drop(apps[second].take().expect("a node").kill());
    let next = serving(&apps).await;
    assert!([first, third].contains(&next));
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
        // The other one first has to serve; in order, so that it gets the place.
        drop(apps[1].take().map(App::stop));
        assert_eq!(serving(&apps).await, 0);
        apps[1] = Some(home.start(1, tempfile::tempdir().expect("a folder"), &[]));
        all_follow(&apps, 0).await;
    }
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
