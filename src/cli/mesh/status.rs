//! `kith mesh status`: what the one who looks after the mesh knows, put together with what each server
//! says about its own links.

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{
    control,
    error::MeshError,
    order::{Answer, LinkReport, Order, Report, ServerReport},
    picture::{Lines, Seen, matrix, ring},
    plan,
};
use crate::cli::{
    admin::{
        access::token_in,
        api::{Api, Trouble, read},
        show,
    },
    paint::{Colour, Paint},
};

/// How long a server may take to say how it is. One that hangs must not hide the others.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often the links are looked at while somebody waits for them.
const TICK: Duration = Duration::from_millis(100);
/// The most troubles that are told in words.
const TROUBLES: usize = 12;

/// How the mesh is.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    servers: Vec<ServerStatus>,
    links: Vec<LinkStatus>,
}

/// How a server is.
#[derive(Debug, Serialize)]
struct ServerStatus {
    number: u8,
    name: String,
    address: String,
    admin: String,
    data: String,
    pid: Option<u32>,
    running: bool,
    /// Those who are present on it; null if it does not say.
    members: Option<u64>,
}

/// How one server sees its link to another.
#[derive(Debug, Serialize)]
pub(super) struct LinkStatus {
    pub(super) from: u8,
    pub(super) to: u8,
    /// `unknown` if a running server does not say.
    state: String,
    round_trip_ms: Option<f64>,
    cut: bool,
    delay_ms: u64,
    /// Why it is not up, in the words of the one who sees it.
    problem: Option<String>,
    /// Under which id it knows the other.
    #[serde(skip)]
    pub(super) peer: Option<String>,
}

/// What a server says about itself.
#[derive(Debug, Default)]
struct Word {
    members: Option<u64>,
    peers: Vec<Value>,
}

/// Looks at everything once.
pub(super) async fn look(folder: &Path) -> Result<Status, MeshError> {
    let Answer::Report(report) = control::ask(folder, Order::Report).await? else {
        return Err(MeshError::Refused("the one who looks after the mesh says nothing".to_owned()));
    };
    let words = join_all(report.servers.iter().map(|server| word(folder, server))).await;
    let words: BTreeMap<u8, Word> = report.servers.iter().map(|server| server.number).zip(words).collect();
    Ok(Status::new(folder, &report, &words))
}

/// The admin API of a server.
pub(super) fn api(folder: &Path, server: &ServerReport) -> Result<Api, Trouble> {
    Api::new(&format!("http://{}", server.admin), &token_in(&plan::data(folder, server.number))?)
}

/// What a server says, as far as it says anything.
async fn word(folder: &Path, server: &ServerReport) -> Word {
    let (true, Ok(api)) = (server.running, api(folder, server)) else { return Word::default() };
    let asking = async {
        let (about, peers) = tokio::join!(api.get("/api/v1/server"), api.all("/api/v1/peers?"));
        let about = about.and_then(|text| read(&text));
        let members = about.ok().and_then(|about| about["counts"]["members"].as_u64());
        Word { members, peers: peers.unwrap_or_default() }
    };
    timeout(PATIENCE, asking).await.unwrap_or_default()
}

impl Status {
    fn new(folder: &Path, report: &Report, words: &BTreeMap<u8, Word>) -> Self {
        let find = |number: u8| report.servers.iter().find(|server| server.number == number);
        let servers = report.servers.iter().map(|server| ServerStatus {
            number: server.number,
            name: server.name.clone(),
            address: server.main.to_string(),
            admin: format!("http://{}", server.admin),
            data: plan::data(folder, server.number).display().to_string(),
            pid: server.pid,
            running: server.running,
            members: words.get(&server.number).and_then(|word| word.members),
        });
        let links = report.links.iter().filter_map(|link| {
            let (from, to) = (find(link.from)?, find(link.to)?);
            Some(LinkStatus::new(link, from, to, words.get(&link.from)?))
        });
        Self { servers: servers.collect(), links: links.collect() }
    }

    /// Links between running servers that should be up and are not.
    fn missing(&self) -> impl Iterator<Item = &LinkStatus> {
        let runs = |number| self.servers.iter().any(|server| server.number == number && server.running);
        self.links
            .iter()
            .filter(move |link| !link.cut && link.state != "up" && runs(link.from) && runs(link.to))
    }

    /// Under which id one server knows another.
    pub(super) fn peer(&self, from: u8, to: u8) -> Option<&str> {
        let link = self.links.iter().find(|link| (link.from, link.to) == (from, to))?;
        link.peer.as_deref()
    }

    /// As scripts like it.
    pub(super) fn json(&self) -> Result<String, MeshError> {
        serde_json::to_string(self).map_err(|error| MeshError::Refused(error.to_string()))
    }

    /// As people like it.
    pub(super) fn draw(&self, paint: Paint) -> String {
        let rows = self.servers.iter().map(|server| {
            let state = match (server.running, server.pid) {
                (true, _) => "running",
                (false, Some(_)) => "starting",
                (false, None) => "away",
            };
            vec![
                server.name.clone(),
                state.to_owned(),
                server.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                server.members.map_or_else(|| "-".to_owned(), |members| members.to_string()),
                format!("ws://{}", server.address),
                server.admin.clone(),
            ]
        });
        let head = ["SERVER", "STATE", "PROCESS", "MEMBERS", "CLIENTS", "ADMIN API"];
        let mut parts = vec![show::table(&head, rows, "there is no server")];
        let names: Vec<String> = self.servers.iter().map(|server| server.name.clone()).collect();
        let lines = self.lines();
        parts.extend(ring(&names, &lines, paint));
        if !lines.is_empty() {
            parts.push(matrix(&names, &lines, paint));
        }
        parts.extend(self.troubles(paint));
        parts.join("\n\n")
    }

    fn lines(&self) -> Lines {
        let place = |number: u8| self.servers.iter().position(|server| server.number == number);
        let lines = self.links.iter().filter_map(|link| {
            let seen = Seen {
                state: link.state.clone(),
                round_trip_ms: link.round_trip_ms,
                cut: link.cut,
                delay_ms: link.delay_ms,
            };
            Some(((place(link.from)?, place(link.to)?), seen))
        });
        lines.collect()
    }

    /// Why links are missing, as far as somebody said it.
    fn troubles(&self, paint: Paint) -> Option<String> {
        let told = self.missing().filter_map(|link| Some((link, link.problem.as_deref()?)));
        let mut lines: Vec<String> = told
            .map(|(link, problem)| {
                let pair = format!("{} to {}:", plan::name(link.from), plan::name(link.to));
                format!("{} {}", paint.on(Colour::Yellow, &pair), show::plain(problem))
            })
            .collect();
        let count = lines.len();
        if count > TROUBLES {
            lines.truncate(TROUBLES);
            lines.push(format!("and {} more", count - TROUBLES));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl LinkStatus {
    fn new(link: &LinkReport, from: &ServerReport, to: &ServerReport, word: &Word) -> Self {
        let LinkReport { cut, delay_ms, .. } = *link;
        let mut seen = Self {
            from: from.number,
            to: to.number,
            state: "down".to_owned(),
            round_trip_ms: None,
            cut,
            delay_ms,
            problem: None,
            peer: None,
        };
        let peer = peer(&word.peers, to);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        seen.peer = peer.and_then(|peer| text(&peer["id"]));
        // A server that is away has no links, whatever the other end still believes.
        if !(from.running && to.running) {
            return seen;
        }
        seen.state = peer.and_then(|peer| text(&peer["state"])).unwrap_or_else(|| "unknown".to_owned());
        if let Some(peer) = peer {
            seen.round_trip_ms = peer["round_trip_ms"].as_f64();
            seen.problem = text(&peer["last_error"]["message"]);
        }
        seen
    }
}

/// The entry of a server in the list of another: the one with its key, or at least with its address.
fn peer<'a>(peers: &'a [Value], server: &ServerReport) -> Option<&'a Value> {
    let address = server.main.to_string();
    let by = |field: &str, value: &str| peers.iter().find(|peer| peer[field] == *value);
    by("key", &server.key).or_else(|| by("address", &address))
}

/// Looks until all links that should be up are up, but not longer than this. Says whether they are.
pub(super) async fn wait(folder: &Path, patience: Duration) -> Result<(Status, bool), MeshError> {
    let deadline = Instant::now() + patience;
    loop {
        let status = look(folder).await?;
        let all_up = status.missing().next().is_none();
        if all_up || Instant::now() >= deadline {
            return Ok((status, all_up));
        }
        sleep(TICK).await;
    }
}

/// Who is missing, in one line.
pub(super) fn missing(status: &Status) -> String {
    let pairs = status.missing().map(|link| format!("{} to {} ({})", link.from, link.to, link.state));
    let pairs: Vec<String> = pairs.collect();
    format!("not every link is up in time: {}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Report {
        let server = |number: u8, running: bool| ServerReport {
            number,
            name: plan::name(number),
            main: ([127, 0, 0, 1], 8000 + u16::from(number)).into(),
            admin: ([127, 0, 0, 1], 9000 + u16::from(number)).into(),
            key: format!("key{number}"),
            pid: running.then_some(u32::from(number)),
            running,
        };
        let link = |from, to, cut| LinkReport { from, to, cut, delay_ms: 0 };
        Report {
            servers: vec![server(1, true), server(2, true), server(3, false)],
            links: vec![link(1, 2, false), link(2, 1, false), link(1, 3, true), link(3, 1, true)],
        }
    }

    fn words() -> BTreeMap<u8, Word> {
        let one = json!([
            {"id": "aa", "key": "key2", "state": "up", "round_trip_ms": 0.5},
            {"id": "bb", "key": null, "address": "127.0.0.1:8003", "state": "up", "round_trip_ms": 1}
        ]);
        let two = json!([{"id": "cc", "key": "key1", "state": "dialling",
            "last_error": {"message": "connection\u{7} refused"}}]);
        let word =
            |peers: Value| Word { members: Some(2), peers: peers.as_array().cloned().unwrap_or_default() };
        [(1, word(one)), (2, word(two)), (3, Word::default())].into()
    }

    #[test]
    fn what_is_known_is_put_together() {
        let status = Status::new(Path::new("mesh"), &report(), &words());
        let json: Value = serde_json::from_str(&status.json().expect("JSON")).expect("JSON");
        let link = |state: &str, from, to, span: Value, cut, problem: Value| {
            json!({"from": from, "to": to, "state": state, "round_trip_ms": span, "cut": cut,
                "delay_ms": 0, "problem": problem})
        };
        let expected = json!([
            link("up", 1, 2, json!(0.5), false, Value::Null),
            link("dialling", 2, 1, Value::Null, false, json!("connection\u{7} refused")),
            link("down", 1, 3, Value::Null, true, Value::Null),
            link("down", 3, 1, Value::Null, true, Value::Null),
        ]);
        assert_eq!(json["links"], expected);
        assert_eq!(
            json["servers"][2],
            json!({"number": 3, "name": "server-3", "address": "127.0.0.1:8003",
                "admin": "http://127.0.0.1:9003", "data": "mesh/3", "pid": null, "running": false,
                "members": null})
        );
        assert_eq!((status.peer(1, 3), status.peer(3, 1)), (Some("bb"), None));
        assert_eq!(missing(&status), "not every link is up in time: 2 to 1 (dialling)");
        let text = status.draw(Paint::NONE);
        assert!(text.contains("server-2 to server-1: connection  refused"), "{text}");
    }

    #[test]
    fn a_server_that_says_nothing_is_unknown() {
        let status = Status::new(Path::new("mesh"), &report(), &[(1, Word::default())].into());
        assert_eq!(status.links[0].state, "unknown");
        assert!(missing(&status).contains("1 to 2 (unknown)"));
    }
}
