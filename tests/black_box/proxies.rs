//! Behind a reverse proxy: who is counted, and whose word is taken for it.

use crate::{
    app::App,
    raw::{Raw, handshake},
};

fn open(app: &App, forwarded: &str) -> (Raw, String) {
    let mut raw = Raw::dial(&app.listen);
    let extra = format!("X-Forwarded-For: {forwarded}\r\n");
    let answer = raw.request(&handshake("/", &app.listen, &extra));
    let status = answer.split(' ').nth(1).unwrap_or("none").to_owned();
    (raw, status)
}

#[test]
fn clients_behind_a_trusted_proxy_are_counted_one_by_one() {
    let app = App::with(&[
        ("LIMITS__CONNECTIONS_PER_ADDRESS", "2"),
        ("LISTEN__TRUSTED_PROXIES", "127.0.0.1,10.9.9.9"),
    ]);
    let anna: Vec<_> = (0..2).map(|_| open(&app, "198.51.100.1")).collect();
    assert!(anna.iter().all(|(_, status)| status == "101"));
    assert_eq!(open(&app, "198.51.100.1").1, "429");
    assert_eq!(open(&app, "198.51.100.2").1, "101", "somebody else still comes in");
    // A client may write what it likes in front; the proxy's own word stands last.
    assert_eq!(open(&app, "203.0.113.9, 198.51.100.1").1, "429");
    assert_eq!(open(&app, "198.51.100.1, 10.9.9.9").1, "429", "a second proxy is looked through");
    // Some proxies add a line of their own behind the client's.
    let two_lines = "203.0.113.9\r\nX-Forwarded-For: 198.51.100.1";
    assert_eq!(open(&app, two_lines).1, "429", "the last line counts");
    drop(anna);
}

#[test]
fn the_word_of_anybody_else_counts_for_nothing() {
    let app = App::with(&[("LIMITS__CONNECTIONS_PER_ADDRESS", "2")]);
    let kept = [open(&app, "198.51.100.1"), open(&app, "198.51.100.2")];
    assert!(kept.iter().all(|(_, status)| status == "101"));
    let mut third = Raw::dial(&app.listen);
    assert!(third.ends_within(crate::app::PATIENCE), "the third socket of one address is dropped");
}
