//! The life of a server: start, ready, restart, drain, end.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Output};

use crate::{
    app::{App, kith},
    client::Client,
};

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, String) {
    let output = kith().args(arguments).envs(variables.iter().copied()).output().expect("the program");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, text)
}

#[test]
fn the_first_start_makes_secrets_that_only_the_owner_reads() {
    let app = App::start();
    let mode = |name: &str| {
        let metadata = fs::metadata(app.folder().join(name)).expect("a file");
        metadata.permissions().mode() & 0o777
    };
    for secret in [
        "ready.json",
        "data/kith.db",
        "data/admin.token",
        "data/keys/olaf-2048.pem",
        "data/keys/server-4096.pem",
    ] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
    assert_eq!(app.log().matches(&app.token).count(), 1, "the token is shown once");
    let folder = app.stop();
    assert!(!folder.path().join("ready.json").exists(), "nobody takes a server that is gone for ready");
    let again = App::in_folder(folder, &[]);
    assert_eq!(again.log().matches(&again.token).count(), 0, "and never again");
}

#[actix_web::test]
async fn a_drain_tells_everybody_and_ends_well() {
    let mut app = App::with(&[("LIMITS__DRAIN_S", "1")]);
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    app.signal("TERM");
    assert_eq!(anna.goodbye().await, Some((1012, "draining".to_owned())));
    assert_eq!(ben.goodbye().await, Some((1012, "draining".to_owned())));
    assert_eq!(app.wait().code(), Some(0), "{}", app.log());
}

#[actix_web::test]
async fn a_drain_does_not_wait_for_who_never_said_hello() {
    let mut app = App::with(&[("LIMITS__DRAIN_S", "600")]);
    let mut silent = Client::dial(&app, 0).await;
    app.signal("TERM");
    assert_eq!(silent.goodbye().await, Some((1012, "draining".to_owned())));
    assert_eq!(app.wait().code(), Some(0), "{}", app.log());
}

#[test]
fn two_servers_do_not_share_a_data_folder() {
    let app = App::start();
    let data = app.folder().join("data");
    let data = data.to_str().expect("a path");
    let doors = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let (output, text) = run(&[&["serve", "--data", data][..], &doors].concat(), &[]);
    assert!(!output.status.success() && text.contains("another server"), "{text}");
}

#[actix_web::test]
async fn a_second_signal_ends_at_once() {
    let mut app = App::with(&[("LIMITS__DRAIN_S", "600")]);
    let mut anna = Client::join(&app, 0).await;
    let _ben = Client::join(&app, 1).await;
    app.signal("INT");
    assert_eq!(anna.goodbye().await, Some((1012, "draining".to_owned())));
    assert!(app.is_running(), "it waits for the others");
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(1));
}

#[test]
fn a_wrong_setting_is_named_with_the_one_that_was_meant() {
    let (output, text) = run(&["serve"], &[("KITH__LIMITS__CONECTIONS", "5")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("limits.conections") && text.contains("limits.connections"), "{text}");
    let no_tls = [("KITH__LISTEN__TLS_CERTIFICATE", "/nowhere"), ("KITH__LISTEN__TLS_KEY", "/nowhere")];
    for (variables, named) in [(&[("KITH__LOG__LEVEL", "a=b=c")][..], "log.level"), (&no_tls, "/nowhere")] {
        let (output, text) = run(&["config", "check"], variables);
        assert!(!output.status.success() && text.contains(named), "{text}");
    }
    let (output, text) = run(&["config", "check"], &[("KITH__LIMITS__CONNECTIONS", "many")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("limits.connections"), "{text}");
}

#[test]
fn config_print_says_where_each_value_comes_from() {
    let (output, text) =
        run(&["config", "print", "--listen", "127.0.0.1:7777"], &[("KITH__SERVER__NAME", "attic")]);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("attic") && text.contains("KITH__SERVER__NAME"), "{text}");
    assert!(text.contains("127.0.0.1:7777"), "{text}");
}

#[test]
fn keys_are_shown_once_there_are_any() {
    let app = App::start();
    let data = app.folder().join("data");
    let data = data.to_str().expect("a path");
    let (output, text) = run(&["keys", "show", "--data", data], &[]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("-----BEGIN PUBLIC KEY-----").count(), 2, "{text}");
    assert!(!text.contains("PRIVATE"), "{text}");
    let (output, text) = run(&["keys", "show", "--json", "--data", data], &[]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&text);
    assert_eq!((json["olaf"]["bits"].as_u64(), json["server"]["bits"].as_u64()), (Some(2048), Some(4096)));
    let der = json["server"]["der"].as_str().expect("the key as SOCP spells it");
    let (key, _) = kith::dialect::socp::key::read(der).expect("a key");
    assert_eq!(json["server"]["id"], key.id().hex());
    let (output, text) = run(&["keys", "show", "--data", "/nowhere/at/all"], &[]);
    assert!(!output.status.success() && text.contains("no keys"), "{text}");
}

#[test]
fn a_health_check_tells_a_living_server_from_a_dead_one() {
    let app = App::start();
    let (output, text) = run(&["healthcheck", "--admin-listen", &app.admin], &[]);
    assert!(output.status.success() && text.is_empty(), "{text}");
    let admin = app.admin.clone();
    drop(app.stop());
    let (output, text) = run(&["healthcheck", "--admin-listen", &admin], &[]);
    assert!(!output.status.success() && text.contains(&admin), "{text}");
}

#[test]
fn two_servers_do_not_share_a_door() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path");
    let (output, text) = run(&["serve", "--data", data, "--listen", &app.listen], &[]);
    assert!(!output.status.success());
    assert!(text.contains("cannot listen on") && text.contains(&app.listen), "{text}");
}
