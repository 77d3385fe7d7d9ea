//! Nodes whose log nobody takes: a pipe that is full must not hold up anything that the home depends on.

use std::time::{Duration, Instant};

use actix_web::http::Method;
use serde_json::json;

use crate::{
    app::{App, UNREAD, in_time},
    client::Client,
    neighbourhood::home::{Home, app, serving},
};

/// Has it log until there is no room for more.
async fn fill(app: &App) {
    in_time("the log is full", async {
        while app.metric("kith_log_lost_lines_total").await == 0.0 {
            for _ in 0..50 {
                app.api(Method::GET, "/healthz").await;
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn nodes_whose_log_nobody_reads_keep_their_lease_and_give_their_place_away_in_order() {
    let home = Home::of(2, Some(0));
    let apps = home.start_all_with(&[("LOG__LEVEL", "trace"), UNREAD]);
    let first = serving(&apps).await;
    let next = 1 - first;
    for app in apps.iter().flatten() {
        fill(app).await;
    }
    let leads = app(&apps, first).get("/api/v1/hosts").await;
    assert_eq!(leads["role"], "leader");
    // For longer than two leases.
    let end = Instant::now() + Duration::from_millis(4500);
    while Instant::now() < end {
        let view = app(&apps, first).get("/api/v1/hosts").await;
        assert_eq!((&view["role"], &view["epoch"]), (&leads["role"], &leads["epoch"]), "{view}");
    }
    let mut anna = Client::join(app(&apps, first), 0).await;
    anna.say("it serves").await;
    // Both change their roles with a log that is full, and one of them starts anew.
    let wish = json!({"to": format!("node-{next}")});
    let begun = app(&apps, first).api_with(Method::POST, "/api/v1/succession/handover", &wish).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    in_time("the other one serves", async { while serving(&apps).await != next {} }).await;
    let mut anna = Client::join(app(&apps, next), 0).await;
    anna.say("and so does the other one").await;
}
