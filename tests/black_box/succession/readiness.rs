//! A node that could not lead says so when it is asked, and whoever wanted it to lead is told why not.

use std::fs;

use actix_web::http::Method;
use serde_json::json;

use crate::{
    app::in_time,
    neighbourhood::home::{Home, all_follow, app, serving},
};

const PATH: &str = "/api/v1/succession/handover";

#[actix_web::test]
async fn a_node_whose_disk_takes_no_writes_declines_and_the_next_best_is_asked() {
    let home = Home::of(3, None);
    let apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let others: Vec<usize> = (0..3).filter(|at| *at != first).collect();
    let probe = |at: usize| app(&apps, at).folder().join("data/probe");
    // Something is in the way of whatever is written there.
    for at in &others {
        fs::create_dir(probe(*at)).expect("a folder");
    }
    let leads = app(&apps, first);
    let before = leads.get("/api/v1/hosts").await;
    for wish in [json!({"to": format!("node-{}", others[0])}), json!({})] {
        let answer = in_time("an answer of a node that follows", async {
            loop {
                let answer = leads.api_with(Method::POST, PATH, &wish).await;
                // A copy may have to begin first, and a node to be heard.
                if answer.text.contains("no-disk") {
                    return answer;
                }
                assert_eq!(answer.status, 409, "{answer:?}");
            }
        })
        .await;
        assert_eq!((answer.status, &answer.json()["type"]), (409, &json!("/problems/declined")));
    }
    let after = leads.get("/api/v1/hosts").await;
    assert_eq!((&after["role"], &after["epoch"]), (&json!("leader"), &before["epoch"]));
    // One of them could now. Whoever names nobody gets that one, whichever is the best.
    fs::remove_dir(probe(others[1])).expect("a folder");
    let begun = leads.api_with(Method::POST, PATH, &json!({})).await;
    assert_eq!((begun.status, &begun.json()["name"]), (202, &json!(format!("node-{}", others[1]))));
    in_time("that one serves", async { while serving(&apps).await != others[1] {} }).await;
}
