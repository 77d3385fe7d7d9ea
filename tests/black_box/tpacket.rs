//! tPacket as a Python client speaks it that shares nothing with ours, byte by byte.

use std::fs;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    api::ask,
    app::App,
    client::Client,
    peers::run,
    raw::{Raw, handshake},
};

/// Room for hundreds of nicks from one address, and for histories that wrap soon.
const OPEN: [(&str, &str); 6] = [
    ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"),
    ("LIMITS__FRAMES_PER_SECOND", "100000"),
    ("LIMITS__FRAMES_BURST", "100000"),
    ("LIMITS__BYTES_PER_SECOND", "1000000000"),
    ("LIMITS__BYTES_BURST", "1000000000"),
    ("LIMITS__ROOM_LINES", "40"),
];

/// Runs groups of checks, or all of those that need no other settings.
fn checks(settings: &[(&str, &str)], only: &[&str]) {
    let app = App::with(&[&OPEN, settings].concat());
    let url = format!("ws://{}", app.listen);
    let only = only.iter().flat_map(|group| ["--only", group]);
    let arguments: Vec<&str> = ["--url", &url].into_iter().chain(only).collect();
    run("tpacket_suite.py", &arguments);
}

macro_rules! groups {
    ($($name:ident: $($group:literal)+, $settings:expr;)*) => {
        $(#[test]
        fn $name() {
            checks($settings, &[$($group),+]);
        })*
    };
}

groups! {
    nothing_is_followed_before_its_level_of_trust: "trust" "faults", &[];
    nicks_are_what_people_take_them_for: "nicks", &[];
    rooms_tell_everything_once_and_in_order: "rooms", &[];
    any_bytes_are_answered_or_refused: "bytes" "sizes" "lengths", &[];
    frames_and_handshakes_may_be_torn: "torn" "handshakes" "pings", &[];
    clients_that_know_more_are_told_more: "version" "html", &[];
    their_own_version_has_the_directory: "directory", &[("LIMITS__WRITE_TIMEOUT_S", "2")];
    the_recorded_session_is_played_again_byte_for_byte: "replay", &[];
    the_strict_seed_refuses_changes_and_does_nothing_else: "strict", &[("TPACKET__STRICT_SEED", "true")];
    whoever_comes_too_often_or_never_gets_in_is_told_so: "busy",
        &[("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "4"), ("LIMITS__HELLO_TIMEOUT_S", "1")];
    a_house_without_room_for_rooms_says_so: "tiny", &[("LIMITS__ROOMS", "2")];
}

// One for each weakness of the first server, each with a server of its own.
groups! {
    weakness_1_signs_of_characters: "weakness_1", &[];
    weakness_2_leaving_before_a_room: "weakness_2", &[];
    weakness_3_words_without_a_room_and_long_ones: "weakness_3", &[];
    weakness_4_nicks_that_are_alike: "weakness_4", &[];
    weakness_5_sizes_that_lie: "weakness_5", &[];
    weakness_6_pongs_and_closes: "weakness_6", &[];
    weakness_7_frames_of_102_bytes_and_more: "weakness_7", &[];
    weakness_8_torn_entries_of_the_history: "weakness_8", &[];
    weakness_9_commands_that_nobody_checked: "weakness_9", &[];
    weakness_10_those_who_do_not_read_and_the_257th: "weakness_10", &[("LIMITS__QUEUE_BYTES", "1048576")];
    weakness_11_lengths_of_64_bits: "weakness_11", &[];
}

/// The address of the door, as scripts learn it.
fn door(app: &App) -> String {
    let ready = fs::read_to_string(app.folder().join("ready.json")).expect("the ready file");
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    ready["tpacket"].as_str().expect("a door").to_owned()
}

#[actix_web::test]
async fn it_has_a_door_of_its_own_and_that_is_shown() {
    let app = App::with(&[&OPEN[..], &[("LISTEN__TPACKET", "127.0.0.1:0")]].concat());
    let door = door(&app);
    run("tpacket_suite.py", &["--url", &format!("ws://{door}"), "--only", "trust", "--only", "on_paths"]);
    let info = ask(Method::GET, &format!("http://{}/", app.listen), None).await.json();
    let tpacket = json!({"name": "tpacket", "paths": ["/", "/tpacket"], "address": door});
    assert_eq!(info["dialects"][2], tpacket);
    let log = app.log();
    assert!(log.contains("tPacket alone") && log.contains(&format!("ws://{door}")), "{log}");
    // Whoever speaks something else there speaks text.
    let mut anna = Client::dial_url(&format!("ws://{door}/"), 0).await;
    anna.hello().await;
    assert_eq!(anna.goodbye().await, Some((1003, "not_binary".to_owned())));
    let answer = Raw::dial(&door).request(&handshake("/olaf", &door, ""));
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn two_homes_have_one_room() {
    let app = App::with(&[&OPEN[..], &[("NEIGHBOURHOOD__ADMIT", "anyone")]].concat());
    let peer = format!("ws://{}", app.listen);
    let other = App::with(&[&OPEN[..], &[("NEIGHBOURHOOD__PEERS", &peer)]].concat());
    run("tpacket_across.py", &["--url", &peer, "--other", &format!("ws://{}", other.listen)]);
}
