//! The chat page as it is served: who is shown it, at which doors, and what a browser is told of it.

use std::io::Read as _;

use actix_web::http::Method;
use serde_json::Value;

use crate::{
    api::ask,
    app::App,
    neighbourhood::home::{Home, app, serving},
    raw::{Raw, handshake},
};

/// What Chromium asks for when it goes somewhere.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// An answer: its head in small letters, and its body.
struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.get(9..12).expect("a status")
    }

    fn header(&self, name: &str) -> &str {
        let start = format!("\r\n{name}: ");
        self.head.split_once(&start).map_or("", |(_, rest)| rest.split("\r\n").next().unwrap_or_default())
    }
}

/// Asks a door, with some headers of one's own.
fn get(door: &str, path: &str, headers: &str) -> Answer {
    request(door, "GET", path, headers)
}

fn request(door: &str, method: &str, path: &str, headers: &str) -> Answer {
    let mut raw = Raw::dial(door);
    let head = raw.request(&format!("{method} {path} HTTP/1.1\r\nHost: {door}\r\n{headers}\r\n"));
    let mut body = String::new();
    raw.stream.read_to_string(&mut body).expect("a body in text");
    Answer { head: head.to_ascii_lowercase(), body }
}

/// The page behind a door.
fn page(door: &str) -> Answer {
    get(door, "/", &format!("Accept: {BROWSER}\r\n"))
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8" && answer.body.starts_with("<!doctype html>")
}

/// How a WebSocket request of a page of this origin is answered.
fn socket(door: &str, origin: &str) -> String {
    let head = Raw::dial(door).request(&handshake("/", door, &format!("Origin: {origin}\r\n")));
    head.get(9..12).expect("a status").to_owned()
}

#[test]
fn browsers_see_the_page_and_programs_the_document() {
    let app = App::start();
    let shown = page(&app.listen);
    assert!(shown.status() == "200" && is_page(&shown), "{}", shown.head);
    let document = get(&app.listen, "/", "");
    assert!(document.status() == "200" && !is_page(&document), "{}", document.head);
    let read: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!(read["software"]["name"], "kith");
    for accept in ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0"] {
        let again = get(&app.listen, "/", &format!("Accept: {accept}\r\n"));
        assert_eq!((again.status(), again.body == document.body), ("200", true), "{accept}");
    }
    assert_eq!((shown.header("vary"), document.header("vary")), ("accept, upgrade", "accept, upgrade"));
}

#[test]
fn a_browser_loads_all_that_the_page_names_and_keeps_it() {
    let app = App::start();
    let shown = page(&app.listen);
    let named: Vec<&str> =
        shown.body.split("=\"web/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.contains(&"app.js") && named.contains(&"style.css"), "{named:?}");
    for name in named {
        let path = format!("/web/{name}");
        let file = get(&app.listen, &path, "");
        assert_eq!(file.status(), "200", "{name}");
        assert_eq!(
            (file.header("cache-control"), file.header("x-content-type-options")),
            ("no-cache", "nosniff")
        );
        let tag = file.header("etag").to_owned();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        let again = get(&app.listen, &path, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((again.status(), again.body.as_str(), again.header("etag")), ("304", "", tag.as_str()));
        assert_eq!(get(&app.listen, &path, "If-None-Match: \"other\"\r\n").status(), "200");
        let head = request(&app.listen, "HEAD", &path, "");
        assert_eq!((head.status(), head.body.as_str(), head.header("etag")), ("200", "", tag.as_str()));
    }
    let tag = shown.header("etag");
    let again = get(&app.listen, "/", &format!("Accept: {BROWSER}\r\nIf-None-Match: {tag}\r\n"));
    assert_eq!(again.status(), "304");
    for path in ["/web/no.js", "/web/", "/web/index.html", "/web/../Cargo.toml", "/web/%2e%2e/page.rs"] {
        assert_eq!(get(&app.listen, path, "").status(), "404", "{path}");
    }
    assert_eq!(request(&app.listen, "POST", "/web/app.js", "Content-Length: 0\r\n").status(), "405");
}

#[test]
fn the_page_runs_nothing_but_its_own_and_stands_in_no_frame() {
    let app = App::start();
    let shown = page(&app.listen);
    let policy = shown.header("content-security-policy");
    let rules = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "connect-src 'self'",
    ];
    assert_eq!(policy.split("; ").collect::<Vec<_>>(), rules);
    assert_eq!(
        (shown.header("referrer-policy"), shown.header("x-content-type-options")),
        ("no-referrer", "nosniff")
    );
    for inline in ["<style", "style=", "onclick=", "javascript:"] {
        assert!(!shown.body.contains(inline), "{inline}");
    }
}

#[test]
fn where_the_page_is_off_or_another_dialect_is_spoken_there_is_none() {
    for setting in [("WEB__CHAT", "false"), ("LISTEN__DIALECT", "socp")] {
        let app = App::with(&[setting]);
        let shown = page(&app.listen);
        assert!(shown.status() == "200" && !is_page(&shown), "{setting:?}");
        assert_eq!(get(&app.listen, "/web/app.js", "").status(), "404", "{setting:?}");
        assert_eq!(shown.body, get(&app.listen, "/", "").body, "the document: {setting:?}");
        let read: Value = serde_json::from_str(&shown.body).expect("JSON");
        assert_eq!(read["software"]["name"], "kith", "{setting:?}");
    }
    let app = App::with(&[("LISTEN__DIALECT", "olaf")]);
    assert!(is_page(&page(&app.listen)));
}

#[actix_web::test]
async fn where_the_page_is_off_no_node_has_one() {
    let home = Home::of(2, Some(0));
    let apps = home.start_all_with(&[("WEB__CHAT", "false")]);
    let first = serving(&apps).await;
    let (leader, standby) = (app(&apps, first), app(&apps, 1 - first));
    for (node, serves, missing) in [(leader, true, "404"), (standby, false, "503")] {
        let shown = page(&node.listen);
        assert!(shown.status() == "200" && !is_page(&shown), "{}", shown.head);
        let read: Value = serde_json::from_str(&shown.body).expect("JSON");
        assert_eq!(read["home"]["serving"], serves);
        for path in ["/web/app.js", "/web/style.css", "/web/index.html"] {
            assert_eq!(get(&node.listen, path, "").status(), missing, "{path}");
        }
    }
}

/// What a door answers without a body is what it answers with one, but for the body.
fn heads_are_those_of_answers(door: &str, paths: &[&str]) {
    let without = |head: &str| {
        let lines = head.lines().filter(|line| !line.starts_with("date: "));
        lines.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    for path in paths {
        for accept in ["Accept: */*\r\n", "Accept: text/html\r\n"] {
            let (whole, head) = (get(door, path, accept), request(door, "HEAD", path, accept));
            assert_eq!(whole.status(), "200", "{path} {accept}");
            assert_eq!(without(&head.head), without(&whole.head), "{path} {accept}");
            assert_eq!(head.body, "", "{path} {accept}");
        }
    }
}

#[actix_web::test]
async fn whoever_asks_for_heads_gets_those_of_answers_from_every_node() {
    let home = Home::of(2, Some(0));
    let apps = home.start_all_with(&[("RENDEZVOUS__PUBLIC", "true")]);
    let first = serving(&apps).await;
    let (leader, standby) = (app(&apps, first), app(&apps, 1 - first));
    standby.until_served_at(&home.nodes[first].main.url()).await;
    heads_are_those_of_answers(&leader.listen, &["/", "/web/app.js", "/api/v1/directory"]);
    heads_are_those_of_answers(&standby.listen, &["/", "/web/app.js"]);
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(
            request(&standby.listen, method, "/", "Content-Length: 0\r\n").status(),
            "503",
            "{method}"
        );
    }
}

#[actix_web::test]
async fn every_node_of_a_home_shows_the_page_and_admits_those_of_the_others() {
    let home = Home::of(2, Some(0));
    let apps = home.start_all();
    let first = serving(&apps).await;
    let (leader, standby) = (app(&apps, first), app(&apps, 1 - first));
    let shown = page(&standby.listen);
    assert!(shown.status() == "200" && is_page(&shown), "{}", shown.head);
    assert_eq!(shown.header("etag"), page(&leader.listen).header("etag"), "the same page at both doors");
    for node in &home.nodes {
        let (socket, web) = (node.main.url(), format!("http://{}", node.main.address()));
        let policy = shown.header("content-security-policy");
        assert!([socket, web].iter().all(|door| policy.contains(&format!(" {door}"))), "{policy}");
    }
    assert_eq!(get(&standby.listen, "/web/app.js", "").status(), "200");
    assert_eq!(get(&standby.listen, "/web/no.js", "").status(), "404");
    // What a node that stands by says to programs is as ever.
    let document = ask(Method::GET, &format!("http://{}/", standby.listen), None).await.json();
    assert_eq!(document["home"]["serving"], false);
    assert_eq!(get(&standby.listen, "/elsewhere", "").status(), "503");

    let (own, other) = (format!("http://{}", leader.listen), format!("http://{}", standby.listen));
    for (origin, status) in [
        (own.as_str(), "101"),
        (other.as_str(), "101"),
        ("http://evil.example", "403"),
        ("null", "403"),
        (&format!("{other}.evil.example"), "403"),
        (&other.replace("http://", "https://"), "403"),
    ] {
        assert_eq!(socket(&leader.listen, origin), status, "{origin}");
        let asks = format!("Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n");
        let upload = request(&leader.listen, "OPTIONS", "/api/upload", &asks);
        let admitted = upload.header("access-control-allow-origin") == origin;
        assert_eq!(admitted, status == "101", "{origin}: {}", upload.head);
    }
}
