//! A node whose numbers do not go with those of the others counts for nobody, and operators read why.

use serde_json::{Value, json};

use super::prints;
use crate::{
    app::App,
    neighbourhood::home::{Home, app, serving},
};

/// A lease that lasts longer than the others keep their promise.
const LONG: [(&str, &str); 2] = [("SUCCESSION__LEASE_MS", "4000"), ("SUCCESSION__TAKEOVER_MS", "5400")];

/// What a node's table says of another one, as soon as it is this.
async fn shows(app: &App, name: &str, state: &str, differs: Value) {
    let is_so = |view: &Value| {
        let mut rows = view["hosts"].as_array().expect("hosts").iter();
        // Whoever has answered and not yet reported has no name.
        let row = rows.find(|row| row["name"] == name);
        row.is_some_and(|row| row["state"] == state && row["differs"] == differs)
    };
    app.until("/api/v1/hosts", |answer| is_so(&answer.json())).await;
}

#[actix_web::test]
async fn a_node_with_other_numbers_leads_nobody_until_they_are_mended() {
    let home = Home::of(3, None);
    let start =
        |at: usize, more: &[(&str, &str)]| Some(home.start(at, tempfile::tempdir().expect("a folder"), more));
    let mut apps = vec![start(0, &LONG), start(1, &[]), start(2, &[])];
    let leader = serving(&apps).await;
    assert_ne!(leader, 0);
    for at in [1, 2] {
        shows(app(&apps, at), "node-0", "disconnected", json!("other-numbers")).await;
        shows(app(&apps, 0), &format!("node-{at}"), "disconnected", json!("other-numbers")).await;
    }
    let (_, table, _) = prints(app(&apps, leader), &["hosts"]).await;
    assert!(table.contains("node-0 has other numbers (succession.lease_ms"), "{table}");
    for app in apps.iter().flatten() {
        let log = app.log();
        assert!(log.contains("with which two could serve at once"), "{log}");
    }
    let folder = apps[0].take().expect("a node that runs").stop();
    apps[0] = Some(home.start(0, folder, &[]));
    for (at, other) in [(1, 0), (2, 0), (0, leader)] {
        shows(app(&apps, at), &format!("node-{other}"), "connected", Value::Null).await;
    }
    assert_eq!(serving(&apps).await, leader, "nobody was disturbed");
}
