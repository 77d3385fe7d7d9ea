//! Succession as its first programs speak it, host and server, with their faults; and what operators see of it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use actix_web::{http::Method, rt::task::spawn_blocking};
use serde_json::{Value, json};

use crate::{
    app::{App, PATIENCE, in_time, kith},
    neighbourhood::place::Place,
    peers::{python, run},
    socp::introducers::free_port,
};

mod bridge;
mod crowd;
mod guest;
mod meeting;
mod numbers;
mod readiness;
mod unread;

/// A door for hosts and nodes.
fn door() -> String {
    format!("127.0.0.1:{}", free_port())
}

#[test]
fn hosts_of_the_first_form_are_ranked_and_never_lead_whatever_they_do() {
    let door = door();
    let app = App::with(&[
        ("SUCCESSION__LISTEN", &door),
        ("SUCCESSION__REPORT_MS", "500"),
        ("SUCCESSION__SUSPECT_MS", "1500"),
        ("SUCCESSION__DISCONNECTED_MS", "3000"),
    ]);
    let token = format!("--token={}", app.token);
    run("succession_suite.py", &["--address", &door, "--admin", &app.admin, &token]);
    let log = app.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// A server as the first program has it, ended with the test.
struct Original {
    child: Child,
    door: String,
    notes: Receiver<Value>,
}

impl Original {
    /// With one fault for each visit, of which the last one stays; or as it should be.
    fn start(faults: &[&str]) -> Self {
        let arguments: &[&str] = if faults.is_empty() { &[] } else { &["--fault"] };
        Self::with(&[arguments, faults].concat())
    }

    fn with(arguments: &[&str]) -> Self {
        let mut command = Command::new(python());
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("tests/peers/succession_server.py");
        let child = command.args(arguments).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the interpreter");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut door = String::new();
        output.read_line(&mut door).expect("its address");
        let (noted, notes) = channel();
        // Ends with the output of the child. A line that its end has cut is no note.
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| serde_json::from_str(&line).ok()).try_for_each(|note| noted.send(note))
        });
        Self { child, door: door.trim().to_owned(), notes }
    }

    /// The next thing that it noticed.
    fn next(&self) -> Value {
        self.notes.recv_timeout(PATIENCE).expect("a note in time")
    }

    /// Everything else that it noticed.
    fn end(mut self) -> Vec<Value> {
        let _ = self.child.kill();
        self.notes.iter().collect()
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node of a home of two, whose other node is found there.
fn node(other: &str) -> App {
    App::with(&[
        ("SUCCESSION__LISTEN", &door()),
        ("HOME__MEMBERS", &format!("{other} door=ws://127.0.0.1:9 name=other")),
        ("SUCCESSION__REPORT_MS", "100"),
        ("SUCCESSION__RETRY_MS", "250"),
    ])
}

async fn original_server(faults: &[&str], kind: &str) {
    let original = Original::start(faults);
    let app = node(&original.door);
    let counted = app.until("/api/v1/hosts", |answer| answer.json()["failures"][kind].as_u64() >= Some(5));
    let view = counted.await.json();
    assert_eq!(view["leader"], Value::Null, "{view}");
    assert!(["standby", "candidate"].contains(&view["role"].as_str().expect("a role")), "{view}");
    let others: u64 = view["failures"]
        .as_object()
        .expect("kinds")
        .iter()
        .filter(|(other, _)| *other != kind)
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    assert_eq!(others, 0, "{view}");
    let other = view["hosts"].as_array().and_then(|hosts| hosts.last()).expect("the other node");
    let facts = ["name", "kind", "state"].map(|field| other[field].as_str().expect("a text"));
    assert_eq!(facts, ["other", "node", "disconnected"]);
    assert_eq!(app.metric("kith_succession_epoch").await, 0.0, "nobody was elected");
    let noticed = original.end();
    assert!(noticed.len() >= 5, "{noticed:?}");
    for visit in noticed {
        assert_eq!(visit["visit"].as_array().map(Vec::len), Some(9), "{visit}");
        assert!(visit["below"].as_u64() > Some(0), "what a node adds stands below: {visit}");
    }
}

macro_rules! servers {
    ($($name:ident: $fault:expr, $kind:literal;)*) => {
        $(#[actix_web::test]
        async fn $name() {
            original_server(&$fault, $kind).await;
        })*
    };
}

// None of them has the key of the home, so none is followed, and none is sent what ends it.
servers! {
    a_server_of_the_first_form_is_no_leader: [], "unproven";
    one_that_moves_and_spells_otherwise_is_none: ["migrating"], "unproven";
    one_without_a_fallback_is_none: ["empty-fallback"], "unproven";
    one_that_tells_us_to_lead_makes_us_nothing: ["leads-you"], "unproven";
    one_that_stops_in_the_middle_is_none: ["half"], "unproven";
    one_that_resets_is_counted_so: ["reset"], "reset";
    one_that_closes_without_an_answer_is_counted_so: ["silent"], "empty";
    one_whose_answer_is_empty_is_counted_so: ["empty"], "empty";
    one_that_never_answers_is_counted_so: ["mute"], "timed-out";
}

#[actix_web::test]
async fn a_place_where_nobody_listens_is_counted_so() {
    let app = node(&door());
    let answer =
        app.until("/api/v1/hosts", |answer| answer.json()["failures"]["refused"].as_u64() >= Some(5));
    assert_eq!(answer.await.json()["leader"], Value::Null);
}

/// What `kith` prints, and how it ends.
async fn prints(app: &App, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (url, data) = (format!("http://{}", app.admin), app.folder().join("data"));
    let mut command = kith();
    command.args(arguments).args(["--url", &url]).arg("--data").arg(data);
    let output = spawn_blocking(move || command.output()).await.expect("a thread").expect("the program");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[actix_web::test]
async fn a_node_that_stands_by_shows_the_home_and_says_who_could_hand_over() {
    let app = node(&door());
    let mut events = app.watch().await;
    let role = in_time("it asks whether it may lead", async {
        loop {
            let (name, data) = events.next().await;
            if name == "role" && data["role"] == "candidate" {
                return data;
            }
        }
    });
    let role = role.await;
    assert_eq!((&role["code"], &role["epoch"]), (&json!("leader-silent"), &json!(0)));
    let (code, table, _) = prints(&app, &["hosts"]).await;
    assert_eq!(code, Some(0));
    assert!(table.starts_with("nobody is known to lead; this node is "), "{table}");
    assert!(table.contains("Free bandwidth (MB)") && table.contains("disconnected"), "{table}");
    assert!(!table.contains('\u{1b}'), "no colours in a pipe: {table}");
    let (code, _, trouble) = prints(&app, &["admin", "handover"]).await;
    assert_eq!(code, Some(1));
    assert!(trouble.contains("this node does not lead"), "{trouble}");
    let refused = app.api_with(Method::POST, "/api/v1/succession/handover", &json!({"to": "other"})).await;
    assert_eq!((refused.status, &refused.json()["type"]), (404, &json!("/problems/unknown_node")));
    let now = app.metric("kith_succession_role{role=\"leader\"}").await;
    assert_eq!(now, 0.0);
    for path in ["/api/v1/hosts", "/api/v1/events", "/metrics"] {
        assert_eq!(app.ask_openly(Method::GET, path).await.status, 401, "{path}");
    }
    assert_eq!(app.api(Method::GET, "/readyz").await.status, 503);
    // Whoever looks after it may read here, too, what the home can do.
    let description = app.ask_openly(Method::GET, "/openapi.json").await;
    assert_eq!(description.status, 200, "{description:?}");
    assert!(description.json()["paths"]["/api/v1/succession/handover"].is_object());
    let page = app.ask_openly(Method::GET, "/docs/").await;
    assert!(page.status == 200 && page.kind.starts_with("text/html"), "{page:?}");
}

#[actix_web::test]
async fn a_server_without_succession_says_so() {
    let app = App::start();
    let answer = app.api(Method::GET, "/api/v1/hosts").await;
    assert_eq!((answer.status, &answer.json()["type"]), (404, &json!("/problems/no_succession")));
    let (code, _, trouble) = prints(&app, &["hosts", "--watch"]).await;
    assert_eq!(code, Some(1));
    assert!(trouble.contains("succession.listen"), "{trouble}");
    assert!(!app.api(Method::GET, "/metrics").await.text.contains("kith_succession"));
}

/// Two nodes of one home. The first form cannot name a port, so they have the same one, on two addresses.
struct Pair {
    apps: [App; 2],
    doors: [String; 2],
    _admin: [Place; 2],
    _main: [Place; 2],
}

impl Pair {
    fn start() -> Self {
        let port = free_port();
        let doors = [format!("127.0.0.1:{port}"), format!("127.0.0.2:{port}")];
        let (admin, main) = ([0; 2].map(Place::new), [0; 2].map(Place::new));
        let start = |own: usize| {
            let other = 1 - own;
            main[own].open(&[
                ("SUCCESSION__LISTEN", &doors[own]),
                ("LISTEN__ADMIN", &admin[own].address()),
                ("SERVER__NAME", ["one", "two"][own]),
                ("HOME__MEMBERS", &format!("{} door={}", doors[other], main[other].url())),
                ("SUCCESSION__REPORT_MS", "100"),
                ("SUCCESSION__PULSE_MS", "200"),
                ("SUCCESSION__RETRY_MS", "250"),
                ("SUCCESSION__LEASE_MS", "2000"),
                ("SUCCESSION__TAKEOVER_MS", "3000"),
                ("SUCCESSION__STAGGER_MS", "100"),
            ])
        };
        Self { apps: [start(0), start(1)], doors, _admin: admin, _main: main }
    }

    /// Which one leads and knows that the other one follows.
    async fn leader(&self) -> usize {
        in_time("one of two leads", async {
            loop {
                for (at, app) in self.apps.iter().enumerate() {
                    let Some(view) = hosts_if_there(app).await else { continue };
                    if view["role"] == "leader"
                        && view["successors"].as_array().is_some_and(|next| next.len() == 1)
                    {
                        return at;
                    }
                }
            }
        })
        .await
    }
}

/// The table, or nothing: a node that changes its role changes who stands behind its doors.
async fn hosts_if_there(app: &App) -> Option<Value> {
    let url = format!("http://{}/api/v1/hosts", app.admin);
    let mut answer = awc::Client::default().get(url).bearer_auth(&app.token).send().await.ok()?;
    answer.json().await.ok()
}

/// What a host of the first form is told that begins at this door, one value an answer.
async fn host(door: &str) -> Vec<Value> {
    let mut command = Command::new(python());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("tests/peers/succession_host.py");
    command.args(["--address", door, "--pace", "0.1", "--reports", "4", "--name", "guest"]);
    let output = spawn_blocking(move || command.output()).await.expect("a thread").expect("the interpreter");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[actix_web::test]
async fn a_host_is_sent_to_whoever_leads_and_moves_when_that_changes() {
    let pair = Pair::start();
    let first = pair.leader().await;
    let next = 1 - first;
    let told = host(&pair.doors[next]).await;
    let address = |at: usize| pair.doors[at].split_once(':').expect("a port").0;
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[0]["New-Server"], address(first), "a node that stands by sends it away: {told:?}");
    assert_eq!((&told[3]["at"], &told[3]["State"]), (&json!(pair.doors[first]), &json!("OK")), "{told:?}");
    assert_eq!(told[3]["Fallback-Server"], address(next), "the next node, not one of the hosts");
    let view = pair.apps[first].get("/api/v1/hosts").await;
    let row = view["hosts"].as_array().and_then(|rows| rows.iter().find(|row| row["name"] == "guest"));
    assert_eq!(row.expect("its row")["kind"], "host");

    // A node is named by its own name, or by that in the settings.
    let name = ["one", "two"][next];
    let wish = json!({"to": name});
    let begun = pair.apps[first].api_with(Method::POST, "/api/v1/succession/handover", &wish).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    assert_eq!(begun.json()["name"], wish["to"]);
    in_time("hosts are sent to the new leader", async {
        loop {
            let told = host(&pair.doors[first]).await;
            assert!(told.iter().all(|answer| answer["Switch-To-Server"] != "true"), "{told:?}");
            let last = told.last().expect("an answer");
            if told[0]["New-Server"] == address(next)
                && last["at"] == pair.doors[next]
                && last["State"] == "OK"
            {
                return;
            }
        }
    })
    .await;
    let view = pair.apps[next].get("/api/v1/hosts").await;
    assert_eq!((&view["role"], &view["why"]), (&json!("leader"), &json!("handed-over")));
}
