//! A home of several nodes for tests: where its nodes live, and how far it is.

use std::time::{Duration, Instant};

use actix_web::http::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::place::Place;
use crate::app::{App, PATIENCE, in_time};

/// The numbers of succession, a tenth of what they are by default, so that tests take seconds; of those that a machine
/// can miss whose disk or processors stand still for a second, a fifth.
const QUICK: [(&str, &str); 9] = [
    ("SUCCESSION__REPORT_MS", "100"),
    ("SUCCESSION__PULSE_MS", "200"),
    ("SUCCESSION__RETRY_MS", "250"),
    ("SUCCESSION__SUSPECT_MS", "600"),
    ("SUCCESSION__LEASE_MS", "2000"),
    ("SUCCESSION__TAKEOVER_MS", "2700"),
    ("SUCCESSION__STAGGER_MS", "50"),
    ("SUCCESSION__BY_RANKING", "false"),
    ("LIMITS__DRAIN_S", "1"),
];

/// One node: its three doors, which stay its own while it is away.
pub(crate) struct Node {
    pub(crate) main: Place,
    pub(crate) admin: Place,
    pub(crate) succession: Place,
}

/// A home. All its nodes have the same keys.
pub(crate) struct Home {
    pub(crate) nodes: Vec<Node>,
    pub(crate) fallback: Option<usize>,
}

impl Home {
    pub(crate) fn of(count: usize, fallback: Option<usize>) -> Self {
        Self::keyed(0, count, fallback)
    }

    /// The same with the keys of this number.
    pub(crate) fn keyed(keys: usize, count: usize, fallback: Option<usize>) -> Self {
        let place = || Place::new(keys);
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

    pub(crate) fn start(&self, at: usize, folder: TempDir, more: &[(&str, &str)]) -> App {
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

    pub(crate) fn start_all(&self) -> Vec<Option<App>> {
        self.start_all_with(&[])
    }

    /// All nodes, with these settings in common.
    pub(crate) fn start_all_with(&self, settings: &[(&str, &str)]) -> Vec<Option<App>> {
        let start = |at| Some(self.start(at, tempfile::tempdir().expect("a folder"), settings));
        (0..self.nodes.len()).map(start).collect()
    }
}

/// Which node serves, once exactly one does.
pub(crate) async fn serving(apps: &[Option<App>]) -> usize {
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
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

impl App {
    /// The status of an answer of the admin door, or nothing if nobody answers: nodes start anew.
    pub(crate) async fn ask_openly_if_there(&self, path: &str) -> Option<u16> {
        let client = awc::Client::default();
        client
            .get(format!("http://{}{path}", self.admin))
            .send()
            .await
            .ok()
            .map(|answer| answer.status().as_u16())
    }

    /// What a node says at its main door.
    pub(crate) async fn says(&self) -> Value {
        let answer = crate::api::ask(Method::GET, &format!("http://{}/", self.listen), None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Waits until it says that the home is served behind this door.
    pub(crate) async fn until_served_at(&self, door: &str) {
        in_time("a node knows who serves", async {
            while self.says().await["home"]["leader"] != door {
                actix_web::rt::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// Waits until a question to the database of each node that runs has this answer.
pub(crate) async fn all_hold(apps: &[Option<App>], question: &'static str, answer: &str) {
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
                actix_web::rt::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// Has this node serve, in order. A hand-over that comes to nothing, because a machine is slow, is ordered again.
pub(crate) async fn hand_over(apps: &[Option<App>], to: usize) {
    let (next, wish) = (app(apps, to), json!({"to": format!("node-{to}")}));
    let deadline = Instant::now() + PATIENCE;
    let others = || apps.iter().enumerate().filter(|(at, _)| *at != to).filter_map(|(_, app)| app.as_ref());
    let mut answers = Vec::new();
    while next.ask_openly_if_there("/readyz").await != Some(200) {
        let logs = || others().chain([next]).map(App::log).collect::<Vec<_>>().join("\n");
        assert!(Instant::now() < deadline, "it does not serve: {answers:?}\n{}", logs());
        answers.clear();
        for app in others() {
            let url = format!("http://{}/api/v1/succession/handover", app.admin);
            // It may have begun already, and even be over: then nobody answers, or one that does not serve.
            match awc::Client::default().post(&url).bearer_auth(&app.token).send_json(&wish).await {
                Ok(mut answer) => answers.push((answer.status().as_u16(), answer.body().await.ok())),
                Err(_) => answers.push((0, None)),
            }
        }
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until each node that runs has a copy of what this one serves.
pub(crate) async fn all_follow(apps: &[Option<App>], leader: usize) {
    let id = app(apps, leader).get("/api/v1/server").await["id"].as_str().expect("an id").to_owned();
    all_hold(apps, "SELECT value FROM facts WHERE key = 'server.id'", &id).await;
}

pub(crate) fn app(apps: &[Option<App>], at: usize) -> &App {
    apps[at].as_ref().expect("a node that runs")
}
