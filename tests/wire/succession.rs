//! Succession as its first program speaks it: what hosts and servers really say is read, what ended that program is
//! refused, and our own words are the same to the byte.

use std::sync::Arc;

use kith::{
    dialect::succession::{
        End, HostReport, Request, end_of_request, host_request, read_answer, read_request, tell,
    },
    domain::succession::{
        NodeId,
        legacy::{HostAnswer, Told},
        report::Figures,
    },
};
use serde_json::{Value, json};

const REQUESTS: &str = include_str!("../vectors/succession/requests.jsonl");
const ANSWERS: &str = include_str!("../vectors/succession/answers.jsonl");

fn vectors(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn report_view(report: &HostReport) -> Value {
    let Figures { name, cpu_percent, ram_used_mb, ram_total_mb, bandwidth_mb, disk_free_gb } =
        &report.figures;
    json!({"id": report.id.map(|id| id.to_string()), "address": report.address, "name": name, "cpu": cpu_percent,
        "ram": ram_used_mb, "bandwidth": bandwidth_mb, "disk": disk_free_gb, "total": ram_total_mb,
        "clock": report.clock})
}

fn answer_view(answer: &HostAnswer) -> Value {
    json!({"known": answer.is_known, "lead": answer.lead, "new_server": answer.new_server,
        "fallback": answer.fallback, "id": answer.id.to_string(), "ip": answer.address})
}

#[test]
fn every_request_is_read_or_refused_and_ours_are_the_same() {
    let all = vectors(REQUESTS);
    assert_eq!(all.len(), 23);
    for vector in all {
        let (name, said) = (&vector["name"], text(&vector["text"]));
        let report = match read_request(said.as_bytes(), None) {
            Ok(Request::Host(report)) => report,
            Ok(node) => panic!("{name}: {node:?}"),
            Err(fault) => {
                assert_eq!(format!("{fault:?}"), vector["fault"], "{name}");
                continue;
            }
        };
        assert_eq!(report_view(&report), vector["reads"], "{name}");
        assert_eq!(end_of_request(said.as_bytes(), true), End::Whole, "{name}");
        let ours = host_request(report.id, report.address.as_deref(), &report.figures, &report.clock);
        assert_eq!(ours == said, vector["written"] == true, "{name}: {ours:?}");
    }
}

#[test]
fn every_answer_is_read_or_refused_and_ours_are_the_same() {
    let all = vectors(ANSWERS);
    assert_eq!(all.len(), 18);
    for vector in all {
        let (name, said) = (&vector["name"], text(&vector["text"]));
        let answer = match read_answer(said.as_bytes()) {
            Ok(answer) => answer,
            Err(fault) => {
                assert_eq!(format!("{fault:?}"), vector["fault"], "{name}");
                continue;
            }
        };
        assert_eq!(answer_view(&answer), vector["reads"], "{name}");
        let shared = |text: Option<String>| text.map(Arc::from);
        let ours = tell(&Told {
            is_known: answer.is_known,
            lead: answer.lead,
            new_server: shared(answer.new_server),
            fallback: shared(answer.fallback),
            id: answer.id,
            address: answer.address.unwrap_or_default().into(),
        });
        assert_eq!(ours == said, vector["written"] == true, "{name}: {ours:?}");
    }
}

#[test]
fn a_request_that_is_cut_anywhere_is_refused_or_lacks_only_the_end_of_its_clock() {
    let first = &vectors(REQUESTS)[1];
    let said = text(&first["text"]);
    let clock = text(&first["reads"]["clock"]);
    let begins = said.len() - clock.len();
    for end in 0..said.len() {
        let cut = said.get(..end).expect("ASCII");
        match read_request(cut.as_bytes(), None) {
            Ok(Request::Host(report)) => {
                assert!(end > begins && clock.starts_with(&report.clock), "{cut:?}");
                assert_eq!(report.id, NodeId::parse(text(&first["reads"]["id"])));
            }
            Ok(node) => panic!("{node:?}"),
            Err(_) => assert!(end <= begins, "{cut:?}"),
        }
        assert_eq!(end_of_request(cut.as_bytes(), false), End::Open, "{cut:?}");
    }
}
