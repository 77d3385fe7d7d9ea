//! SOCP as other people's programs speak it: Python clients and servers that share nothing with ours.

mod alone;
mod bootstrap;
mod channel;
mod door;
pub(crate) mod hostile;
pub(crate) mod introducers;
mod meshes;
mod offline;
mod refused;

use crate::{app::App, peers::run};

/// A server that lets programs in that prove as little as some of them do. They expect that whoever is away is
/// not found.
const LENIENT: [(&str, &str); 5] = [
    ("OFFLINE__KEEP", "false"),
    ("NEIGHBOURHOOD__ADMIT", "anyone"),
    ("NEIGHBOURHOOD__LEGACY", "true"),
    ("NEIGHBOURHOOD__UNSIGNED", "true"),
    ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"),
];

#[test]
fn the_peers_understand_each_other_without_us() {
    run("socp_selftest.py", &[]);
}

#[test]
fn clients_of_every_accent_are_served_and_every_abuse_is_told_so() {
    let app = App::with(&LENIENT);
    run("socp_suite.py", &["--url", &format!("ws://{}", app.listen)]);
}

/// One server each: they share a key, and a key is one neighbour.
fn joins(accent: &str) {
    let app = App::with(&LENIENT);
    run("socp_mesh.py", &["--url", &format!("ws://{}", app.listen), "--accent", accent]);
}

macro_rules! joiners {
    ($($name:ident: $accent:literal,)*) => {
        $(#[test]
        fn $name() {
            joins($accent);
        })*
    };
}

joiners! {
    a_server_that_takes_the_text_literally_joins: "text",
    a_server_that_shows_no_key_joins: "g2",
    a_server_that_drops_its_link_is_dialled_back: "g56",
    a_server_with_a_prefix_joins: "g45",
    a_server_that_speaks_of_uris_joins: "g17",
    a_server_that_tells_nobody_who_is_there_joins: "g29",
    a_server_that_pads_joins: "g40",
    a_server_that_hashes_twice_joins: "pezhy",
    a_server_with_a_door_of_its_own_for_servers_joins: "g99",
    a_server_that_signs_no_hello_and_only_listens_where_it_dialled_joins: "admiral",
}
