//! The neighbourhood as people like to read it: peers, everybody's clients, and the whole graph.

use serde_json::Value;

use super::show::{card, moment, plain, table, text};
use crate::cli::{
    mesh::picture::{Lines, Seen, matrix, milliseconds, ring},
    paint::Paint,
};

/// The most members of one server that are named.
const NAMED: usize = 6;

/// A table of neighbours.
pub(in crate::cli) fn peers(items: &[Value]) -> String {
    let head =
        ["ID", "NAME", "STATE", "TRUST", "SPEAKS", "MEMBERS", "ROUND TRIP", "SINCE", "WHERE", "TROUBLE"];
    let rows = items.iter().map(|item| {
        let place = if item["url"].is_null() { &item["address"] } else { &item["url"] };
        vec![
            text(&item["id"]),
            text(&item["name"]),
            text(&item["state"]),
            text(&item["trust"]),
            text(&item["dialect"]),
            text(&item["members"]),
            span(&item["round_trip_ms"]),
            moment(&item["since"]),
            text(place),
            trouble(item),
        ]
    });
    table(&head, rows, "there are no neighbours; `kith peers add URL` adds one")
}

/// Why a link is not up.
fn trouble(peer: &Value) -> String {
    if peer["state"] == "up" { "-".to_owned() } else { text(&peer["last_error"]["message"]) }
}

/// One neighbour: everything that is known of it, and how the last attempt went, step by step.
pub(in crate::cli) fn peer(value: &Value) -> String {
    let mut value = value.clone();
    let transcript = value.as_object_mut().and_then(|facts| facts.shift_remove("transcript"));
    let mut parts = vec![card(&value)];
    if let Some(Value::Array(steps)) = transcript
        && !steps.is_empty()
    {
        let rows =
            steps.iter().map(|step| vec![moment(&step["at"]), text(&step["step"]), text(&step["detail"])]);
        parts.push(table(&["LAST ATTEMPT", "STEP", "DETAIL"], rows, ""));
    }
    parts.join("\n\n")
}

/// Every server with its members, as far as they are known.
pub(in crate::cli) fn neighbourhood(value: &Value) -> String {
    let servers = value["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = servers.iter().map(|server| {
        let name = text(&server["name"]);
        let name = if server["own"] == true { format!("{name} (this one)") } else { name };
        vec![
            name,
            text(&server["address"]),
            text(&server["state"]),
            age(&server["age_ms"]),
            text(&server["members"]),
            clients(server),
        ]
    });
    table(&["SERVER", "ADDRESS", "STATE", "CONFIRMED", "MEMBERS", "WHO"], rows, "there is no server")
}

fn clients(server: &Value) -> String {
    let clients = server["clients"].as_array().map(Vec::as_slice).unwrap_or_default();
    let called =
        |client: &Value| text(if client["name"].is_null() { &client["short"] } else { &client["name"] });
    let mut names: Vec<String> = clients.iter().take(NAMED).map(called).collect();
    match clients.len() {
        0 => return "-".to_owned(),
        count if count > NAMED => names.push(format!("and {} more", count - NAMED)),
        _ => {}
    }
    names.join(" ")
}

/// The whole graph as seen from here, and who says so.
pub(in crate::cli) fn mesh(value: &Value, paint: Paint) -> String {
    let list = |field: &str| value[field].as_array().map(Vec::as_slice).unwrap_or_default().to_vec();
    let (nodes, links) = (list("nodes"), list("links"));
    let names: Vec<String> = nodes.iter().map(name).collect();
    let place = |address: &Value| nodes.iter().position(|node| node["address"] == *address);
    let mut lines = Lines::new();
    for link in &links {
        let (Some(from), Some(to)) = (place(&link["from"]), place(&link["to"])) else { continue };
        let state = link["state"].as_str().map(plain).unwrap_or_default();
        let seen = Seen { state, round_trip_ms: link["round_trip_ms"].as_f64(), ..Seen::default() };
        // What a server says about its own links counts more than what others say about them.
        if link["reported_by"] == link["from"] || !lines.contains_key(&(from, to)) {
            lines.insert((from, to), seen);
        }
    }
    let rows = nodes.iter().zip(&names).map(|(node, name)| {
        let linked = if node["linked"] == true || node["own"] == true { "yes" } else { "no" };
        vec![name.clone(), text(&node["address"]), text(&node["members"]), linked.to_owned()]
    });
    let mut parts = vec![table(&["SERVER", "ADDRESS", "MEMBERS", "LINKED"], rows, "there is no server")];
    parts.extend(ring(&names, &lines, paint));
    if !lines.is_empty() {
        parts.push(matrix(&names, &lines, paint));
    }
    parts.join("\n\n")
}

fn name(node: &Value) -> String {
    let name = if node["name"].is_null() { text(&node["address"]) } else { text(&node["name"]) };
    if node["own"] == true { format!("{name}*") } else { name }
}

fn span(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), milliseconds)
}

/// How long ago, in the unit that fits.
fn age(value: &Value) -> String {
    match value.as_u64() {
        None => "-".to_owned(),
        Some(age) if age < 1000 => "now".to_owned(),
        Some(age) if age < 120_000 => format!("{} s ago", age / 1000),
        Some(age) if age < 7_200_000 => format!("{} min ago", age / 60_000),
        Some(age) => format!("{} h ago", age / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn peers_are_shown_with_their_trouble() {
        let items = [
            json!({"id": "9f2c41aa03be", "name": "north", "url": "ws://127.0.0.1:9001", "state": "up",
                "trust": "pinned", "dialect": "kith", "members": 3, "round_trip_ms": 0.214,
                "since": "2026-02-28T12:00:01.234Z", "last_error": {"message": "long ago"}}),
            json!({"id": "0123456789ab", "name": null, "url": null, "address": "south:80", "state": "refused",
                "last_error": {"message": "another key\u{1b}[2J"}}),
        ];
        let text = peers(&items);
        let words: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            words[1..],
            [
                "9f2c41aa03be north up pinned kith 3 0.21 ms 2026-02-28 12:00:01Z ws://127.0.0.1:9001 -",
                "0123456789ab - refused - - - - - south:80 another key [2J",
            ]
        );
    }

    #[test]
    fn the_last_attempt_is_told_step_by_step() {
        let value = json!({"id": "a", "last_error": null, "transcript": [
            {"at": "2026-02-28T12:00:01.234Z", "step": "dialled", "detail": "ws://127.0.0.1:9001/peer"}]});
        let text = peer(&value);
        assert!(text.contains("last_error  -") && text.contains("ws://127.0.0.1:9001/peer"), "{text}");
        assert!(!text.contains("transcript"), "{text}");
    }

    #[test]
    fn everybody_is_listed_with_their_home() {
        let client = |short: &str| json!({"short": short});
        let many: Vec<Value> = (0..9).map(|number| client(&format!("c{number}"))).collect();
        let text = neighbourhood(&json!({"servers": [
            {"name": "here", "address": "a:1", "own": true, "state": "up", "age_ms": 5, "members": 9, "clients": many},
            {"name": "there", "address": "c:1", "own": false, "state": "up", "age_ms": 5, "members": 1,
             "clients": [{"name": "al\u{7}ice", "short": "0123"}]},
            {"name": null, "address": "b:1", "own": false, "state": "down", "age_ms": 90_000, "members": 0, "clients": []},
        ]}));
        for words in ["here (this one)", "c5 and 3 more", "90 s ago", "al ice"] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }

    #[test]
    fn the_graph_prefers_what_a_server_says_itself() {
        let node = |name: &str, own| json!({"name": name, "address": format!("{name}:1"), "members": 1, "own": own, "linked": true});
        let link = |from: &str, to: &str, state: &str, by: &str| json!({"from": from, "to": to, "state": state, "reported_by": by, "round_trip_ms": 3.0});
        let value = json!({"nodes": [node("a", true), node("b", false)], "links": [
            link("a:1", "b:1", "suspect", "a:1"), link("a:1", "b:1", "up", "b:1"),
            link("b:1", "a:1", "up", "a:1"), link("b:1", "nobody:1", "up", "b:1")]});
        let text = mesh(&value, Paint::NONE);
        assert!(text.contains("a*") && text.contains("? suspect") && text.contains("● 3.0 ms"), "{text}");
    }
}
