//! RFC 6455 as others read it: the Autobahn test suite against the real program, through its path `/echo`,
//! which has the pump, the inlet and the connections of every dialect below it.
//!
//! `./test` installs the suite, which needs Python 2.7. Where there is none, the test says so and counts as
//! passed; with `KITH_TEST_AUTOBAHN=required` it fails. The report for people stays in `target/autobahn`.

#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/app.rs"]
mod app;
mod suite;
mod verdict;

use std::{env, io::Write as _};

use app::App;
use suite::Suite;

/// Cases of the suite without those of compression, which Kith does not offer.
const CASES: usize = 301;

/// Limits that would otherwise be what is judged: the suite says much in a short time, and never who it is.
const SETTINGS: [(&str, &str); 6] = [
    ("DEBUG__ECHO", "true"),
    ("LIMITS__HELLO_TIMEOUT_S", "600"),
    ("LIMITS__FRAMES_PER_SECOND", "1000000"),
    ("LIMITS__FRAMES_BURST", "1000000"),
    ("LIMITS__BYTES_PER_SECOND", "2000000000"),
    ("LIMITS__BYTES_BURST", "2000000000"),
];

/// Says something although the test passes.
fn say(text: &str) {
    // Unlike `eprintln`, this is not caught by the test harness. There is nobody to tell if it fails.
    let _ = writeln!(std::io::stderr(), "conformance: {text}");
}

#[test]
fn the_autobahn_suite_finds_no_fault() {
    let suite = match Suite::installed() {
        Ok(suite) => suite,
        Err(why) => {
            let required = env::var("KITH_TEST_AUTOBAHN").is_ok_and(|wish| wish == "required");
            assert!(!required, "the Autobahn suite cannot run: {why}");
            return say(&format!("SKIPPED, because the Autobahn suite cannot run: {why}"));
        }
    };
    let app = App::with(&SETTINGS);
    let index = suite.run(&format!("ws://{}/echo", app.listen));
    match verdict::judge(&index, suite::AGENT, CASES) {
        Ok(summary) => say(&summary),
        Err(complaints) => {
            panic!("{complaints}\nsee {}; it logged:\n{}", suite.report().display(), app.log())
        }
    }
}
