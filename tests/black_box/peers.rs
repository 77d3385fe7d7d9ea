//! Programs that share nothing with ours: the Python clients and servers in `tests/peers`, one per accent
//! that is spoken in the world, against a real server.

use std::{env, path::PathBuf, process::Command};

use crate::app::App;

/// The interpreter with the packages that the peers need. `./test` makes it.
pub(crate) fn python() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path =
        env::var_os("KITH_TEST_PYTHON").map_or_else(|| root.join("target/peers/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} is not there; run ./test once, it installs what is needed", path.display());
    path
}

pub(crate) fn run(script: &str, arguments: &[&str]) {
    run_trusting(script, arguments, None);
}

/// The same for a script that believes in a certificate of ours.
fn run_trusting(script: &str, arguments: &[&str], certificate: Option<&str>) {
    let output = Command::new(python())
        .envs(certificate.map(|path| ("SSL_CERT_FILE", path)))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg(format!("tests/peers/{script}"))
        .args(arguments)
        .output()
        .expect("the interpreter");
    let text = String::from_utf8_lossy(&output.stdout);
    let failures: Vec<&str> = text.lines().filter(|line| !line.starts_with("ok ")).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}:\n{}\n{errors}", failures.join("\n"));
}

#[test]
fn the_peers_understand_each_other_without_us() {
    run("olaf_selftest.py", &[]);
}

#[test]
fn every_accent_is_understood_and_every_abuse_refused() {
    let app = App::with(&[
        ("LIMITS__HELLO_TIMEOUT_S", "2"),
        ("LIMITS__UPLOAD_BYTES", "65536"),
        ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"),
        ("LIMITS__UPLOADS_PER_ADDRESS_PER_MINUTE", "1000"),
    ]);
    let (url, http) = (format!("ws://{}", app.listen), format!("http://{}", app.listen));
    let arguments = ["--url", &url, "--http", &http, "--hello-timeout", "2", "--max-upload", "65536"];
    run("olaf_suite.py", &arguments);
}

/// Runs the neighbours against a server that knows nobody.
fn run_neighbours(settings: &[(&str, &str)], scheme: &str, more: &[&str], certificate: Option<&str>) {
    let strict = [
        ("NEIGHBOURHOOD__ADMIT", "known"),
        ("NEIGHBOURHOOD__LEGACY", "false"),
        ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"),
    ];
    // The later one of two counts.
    let app = App::with(&[&strict, settings].concat());
    let port = app.listen.rsplit_once(':').expect("a port").1;
    // Certificates name hosts, and a token may begin with a dash.
    let host = if certificate.is_some() { "localhost" } else { "127.0.0.1" };
    let (url, token) = (format!("{scheme}://{host}:{port}"), format!("--token={}", app.token));
    let arguments = [&["--url", &url, "--admin", &app.admin, &token], more].concat();
    run_trusting("olaf_neighbours.py", &arguments, certificate);
}

#[test]
fn servers_of_every_accent_are_neighbours_and_no_abuse_makes_one() {
    run_neighbours(&[], "ws", &[], None);
}

#[test]
fn servers_that_prove_nothing_are_neighbours_where_that_is_allowed() {
    let settings = [("NEIGHBOURHOOD__LEGACY", "true"), ("NEIGHBOURHOOD__UNSIGNED", "true")];
    run_neighbours(&settings, "ws", &["--legacy"], None);
}

#[test]
fn servers_that_speak_under_tls_only_are_neighbours() {
    let files = tempfile::tempdir().expect("a folder");
    crate::certificate::certify(files.path());
    let path = |name: &str| files.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let settings = [
        // The one that does so answers nothing where it was dialled.
        ("NEIGHBOURHOOD__LEGACY", "true"),
        ("NEIGHBOURHOOD__CA_CERTIFICATES", &certificate),
        ("LISTEN__TLS_CERTIFICATE", &certificate),
        ("LISTEN__TLS_KEY", &key),
    ];
    let more = ["--legacy", "--certificate", &certificate, "--key", &key];
    run_neighbours(&settings, "wss", &more, Some(&certificate));
}
