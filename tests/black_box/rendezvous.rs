//! The rendezvous, met by its first clients as they are, and by streams of all kinds.

use std::fs;

use serde_json::Value;

use crate::{app::App, peers::run};

/// Room for many registrations from one address.
const OPEN: [(&str, &str); 2] =
    [("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"), ("LIMITS__HELLO_TIMEOUT_S", "3")];

/// The door of the rendezvous, as scripts learn it.
pub(crate) fn door(app: &App) -> String {
    let ready = fs::read_to_string(app.folder().join("ready.json")).expect("the ready file");
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    ready["rendezvous"].as_str().expect("a door").to_owned()
}

/// Runs one group of checks against a server with these settings.
fn checks(settings: &[(&str, &str)], group: &str) {
    let listen = [("RENDEZVOUS__LISTEN", "127.0.0.1:0")];
    let app = App::with(&[&OPEN, &listen[..], settings].concat());
    run("rendezvous_suite.py", &["--door", &door(&app), "--only", group]);
    let log = app.log();
    assert!(!log.contains("panicked"), "{log}");
}

macro_rules! groups {
    ($($name:ident: $group:literal, $settings:expr;)*) => {
        $(#[test]
        fn $name() {
            checks($settings, $group);
        })*
    };
}

groups! {
    the_first_clients_mesh: "mesh", &[];
    with_a_nul_a_departure_is_survived: "departure", &[("RENDEZVOUS__NUL", "true")];
    without_a_nul_a_departure_is_not: "stale", &[];
    streams_mean_the_same_however_they_come: "stream", &[];
    a_full_house_refuses_newcomers: "reject", &[("RENDEZVOUS__MAX_CLIENTS", "10")];
    a_full_house_ends_if_it_is_told_to: "teardown",
        &[("RENDEZVOUS__MAX_CLIENTS", "3"), ("RENDEZVOUS__ON_FULL", "teardown")];
    nodes_are_told_more: "node", &[];
    addresses_of_the_new_kind_have_their_place: "v6", &[("RENDEZVOUS__LISTEN", "[::1]:0")];
}
