//! Succession in the other direction: a server of ours as a host of an original one, and what its own hosts are told
//! when it stops.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use actix_web::rt::{task::spawn_blocking, time::sleep};
use serde_json::json;

use super::{Original, door, host};
use crate::app::{App, PATIENCE, in_time};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A server that reports there, and its own door of succession.
fn guest(server: &str) -> (App, String) {
    let door = door();
    let app = App::with(&[
        ("SERVER__NAME", "attic"),
        ("LOG__LEVEL", "info"),
        ("SUCCESSION__LISTEN", &door),
        ("SUCCESSION__REPORT_TO", server),
        ("SUCCESSION__REPORT_MS", "100"),
        ("SUCCESSION__RETRY_MS", "600"),
    ]);
    (app, door)
}

/// The nine lines of the next report.
fn report(server: &Original) -> Vec<String> {
    let note = server.next();
    let lines = note["visit"].as_array().unwrap_or_else(|| panic!("what it got has ended it: {note}"));
    assert_eq!((lines.len(), &note["below"]), (9, &json!(0)), "the first form and nothing else: {note}");
    lines.iter().map(|line| line.as_str().expect("a text").to_owned()).collect()
}

fn is_id(line: &str) -> bool {
    uuid::Uuid::parse_str(line).is_ok()
}

#[actix_web::test]
async fn our_server_reports_as_a_host_bears_every_fault_and_goes_where_it_is_sent() {
    let faults = ["none", "silent", "none", "empty", "none", "reset", "none", "half", "none", "migrating"];
    let first = Original::with(&[&["--send-to", "127.0.0.2", "--fault"], &faults[..]].concat());
    let port = first.door.rsplit_once(':').expect("a port").1;
    let second = Original::with(&["--host", "127.0.0.2", "--port", port]);
    let (app, _) = guest(&first.door);

    let (known, visits, _second) = spawn_blocking(move || {
        let stranger = report(&first);
        assert_eq!(stranger[..3], ["No-Id", "No-Ip", "attic"]);
        let visits: Vec<_> = faults[1..].iter().map(|_| report(&first)).collect();
        let known = report(&second);
        assert_eq!(first.end(), [json!(null); 0], "whoever is sent away does not come back, nor ends it");
        let again = report(&second);
        assert_eq!(again[..3], known[..3], "it goes on there");
        // It must not be gone before the failures are counted.
        (known, visits, second)
    })
    .await
    .expect("a thread");
    let own = &visits[0][0];
    assert!(is_id(own), "it comes back with the id that it was given: {own}");
    for visit in &visits {
        assert_eq!(visit[..3], [own, "127.0.0.1", "attic"], "whatever it was answered in between");
        let figures: Vec<u64> =
            visit[3..8].iter().map(|figure| figure.parse().expect("a whole number")).collect();
        let [cpu, used, _, _, total] = figures[..] else { panic!("{visit:?}") };
        assert!(cpu <= 100 && 0 < used && used <= total, "figures of this machine: {visit:?}");
    }
    assert!(is_id(&known[0]) && known[0] != *own, "who sends it away gives another id: {known:?}");

    let view = app.get("/api/v1/hosts").await;
    assert_eq!(view["role"], "leader", "what it reports to decides nothing here: {view}");
    let counted = ["empty", "reset", "malformed"].map(|kind| view["failures"][kind].as_u64());
    assert_eq!(counted, [Some(2), Some(1), Some(1)], "{view}");
    let log = app.log();
    assert!(log.contains("reports to another server") && !log.contains("panicked"), "{log}");
}

#[actix_web::test]
async fn our_server_that_is_told_to_lead_has_its_door_open_for_hosts() {
    let original = Original::start(&["leads-you"]);
    let (app, door) = guest(&original.door);
    in_time("it says so", async {
        while !app.log().contains("is told to lead") {
            sleep(PAUSE).await;
        }
    })
    .await;
    let told = host(&door).await;
    assert_eq!((&told[0]["New-Server"], &told[3]["State"]), (&json!("None"), &json!("OK")), "{told:?}");
    assert!(original.end().iter().all(|note| note["crashed"].is_null()));
}

/// What a host of the first form is told at this door.
fn ask(door: &str, id: &str) -> String {
    let mut stream = TcpStream::connect(door).expect("a door");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(stream, "{id}\nNo-Ip\nana\n1\n10\n20\n30\n4000\n2026-11-20 23:15:02.341826933 UTC").expect("sent");
    stream.shutdown(Shutdown::Write).expect("half-closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn value<'a>(answer: &'a str, key: &str) -> &'a str {
    let mut values = answer.lines().filter_map(|line| line.split_once(": "));
    values.find(|(known, _)| *known == key).unwrap_or_else(|| panic!("{key} in {answer}")).1
}

#[actix_web::test]
async fn whoever_finds_the_table_full_is_answered_and_comes_back_with_its_id() {
    let door = door();
    let app = App::with(&[("SUCCESSION__LISTEN", &door), ("SUCCESSION__HOSTS", "15")]);
    let mut last = String::new();
    for _ in 0..20 {
        let answer = ask(&door, "No-Id");
        assert_eq!(
            (value(&answer, "State"), value(&answer, "Ip")),
            ("Unauthorized", "127.0.0.1"),
            "{answer}"
        );
        last = value(&answer, "Id").to_owned();
    }
    let again = ask(&door, &last);
    assert_eq!((value(&again, "State"), value(&again, "Id")), ("Unauthorized", &*last), "{again}");
    let view = app.get("/api/v1/hosts").await;
    assert_eq!(view["hosts"].as_array().map(Vec::len), Some(15), "{view}");
}

#[actix_web::test]
async fn one_host_and_no_other_is_told_to_lead_when_the_last_node_stops() {
    let door = door();
    let mut app = App::with(&[("SUCCESSION__LISTEN", &door), ("LOG__LEVEL", "info")]);
    let hosts = [(); 2].map(|()| value(&ask(&door, "No-Id"), "Id").to_owned());
    for host in &hosts {
        assert_eq!(value(&ask(&door, host), "Switch-To-Server"), "false", "while it serves");
    }
    app.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    let told = loop {
        let told = hosts.each_ref().map(|host| ask(&door, host));
        if told.iter().any(|answer| value(answer, "Switch-To-Server") == "true") {
            // Both were asked one after the other, so the first one may have been too early.
            break hosts.each_ref().map(|host| ask(&door, host));
        }
        assert!(Instant::now() < deadline, "{told:?}");
        sleep(PAUSE).await;
    };
    let mut facts =
        told.each_ref().map(|answer| (value(answer, "Switch-To-Server"), value(answer, "New-Server")));
    facts.sort_unstable();
    assert_eq!(facts, [("false", "127.0.0.1"), ("true", "None")], "{told:?}");
    assert!(app.wait().success());
    assert!(app.log().contains("sent to the best"), "{}", app.log());
}
