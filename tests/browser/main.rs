//! The page in a real browser: Chromium without a screen, driven from outside, against the real program.
//!
//! Scenes are what people do: they open the page, type and read. Whatever the browser complains about (an error, or
//! something that the policy of the page forbids) fails the scene. `./test` installs Chromium; where there is none, each
//! scene says so and counts as passed, and with `KITH_TEST_BROWSER=required` it fails.

#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/api.rs"]
mod api;
#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/app.rs"]
mod app;
#[path = "../black_box/certificate.rs"]
mod certificate;
mod chromium;
#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/client.rs"]
mod client;
mod harness;
mod homes;
mod hostile;
mod identity;
mod looks;
mod middle;
mod neighbourhood;
#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/person.rs"]
mod person;
mod places;
#[allow(dead_code, reason = "the tests of protocols as values use the rest")]
#[path = "../wire/recordings.rs"]
mod recordings;
mod rooms;
mod shots;
mod stage;
mod talk;
mod vectors;
mod visitor;
mod ways;
