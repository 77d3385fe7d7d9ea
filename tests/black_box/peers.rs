//! Programs that share nothing with ours: the Python clients in `tests/peers`, one per accent that is
//! spoken in the world, against a real server.

use std::{env, path::PathBuf, process::Command};

use crate::app::App;

/// The interpreter with the packages that the peers need. `./test` makes it.
fn python() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path =
        env::var_os("KITH_TEST_PYTHON").map_or_else(|| root.join("target/peers/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} is not there; run ./test once, it installs what is needed", path.display());
    path
}

fn run(script: &str, arguments: &[&str]) {
    let output = Command::new(python())
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
