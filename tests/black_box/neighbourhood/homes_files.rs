//! Homes whose uploaded files follow them: a link that was given out goes on working, whoever serves.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use serde_json::{Value, json};

use super::home::{Home, all_follow, all_hold, app, hand_over, serving};
use crate::{
    api::ask,
    app::{App, PATIENCE, in_time},
};

/// Bytes of which no two runs of 64 KiB are alike, so that a piece in the wrong place shows.
fn large(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) % 251).unwrap_or_default()).collect()
}

/// Leaves a file at a node, and tells the path of its link.
async fn leave(app: &App, bytes: Vec<u8>) -> String {
    let url = format!("http://{}/api/upload", app.listen);
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let mut answer = client.post(url).send_body(bytes).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let body: Value = answer.json().await.expect("JSON");
    let url = body["file_url"].as_str().expect("a link");
    format!("/files/{}", url.split_once("/files/").expect("a path").1)
}

/// What is behind a link at this node, whoever it sends us to.
async fn behind(app: &App, path: &str) -> Result<Vec<u8>, u16> {
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let answer = client.get(format!("http://{}{path}", app.listen)).send().await;
    let mut answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
    match answer.status().as_u16() {
        200 => Ok(answer.body().limit(64 << 20).await.expect("a body").to_vec()),
        other => Err(other),
    }
}

/// Where a file lies in the folder of a node.
fn lies(app: &App, path: &str) -> PathBuf {
    app.folder().join("data").join(path.trim_start_matches('/'))
}

/// Waits until the file lies at each node that runs, or at none.
async fn all_have(apps: &[Option<App>], path: &str, wish: bool) {
    let deadline = Instant::now() + PATIENCE;
    for app in apps.iter().flatten() {
        while lies(app, path).exists() != wish {
            assert!(Instant::now() < deadline, "{path} is not so: {wish}\n{}", app.log());
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[actix_web::test]
async fn a_link_outlives_hand_overs_and_the_death_of_the_node_that_gave_it() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let small = leave(app(&apps, first), b"small".to_vec()).await;
    let bytes = large(9 << 20);
    let big = leave(app(&apps, first), bytes.clone()).await;
    // Whoever stands by says where it is fetched.
    let other = (first + 1) % 3;
    app(&apps, other).until_served_at(&home.nodes[first].main.url()).await;
    assert_eq!(behind(app(&apps, other), &small).await, Ok(b"small".to_vec()));

    // At once: what is still on its way is waited for.
    hand_over(&apps, other).await;
    assert_eq!(behind(app(&apps, other), &big).await.as_ref(), Ok(&bytes), "no byte is missing");
    assert_eq!(behind(app(&apps, other), &small).await, Ok(b"small".to_vec()));
    app(&apps, first).until_served_at(&home.nodes[other].main.url()).await;
    assert_eq!(behind(app(&apps, first), &big).await.as_ref(), Ok(&bytes), "the old link leads there");

    // The next one leaves nothing behind but what the others have.
    let late = leave(app(&apps, other), b"late".to_vec()).await;
    all_have(&apps, &late, true).await;
    all_have(&apps, &big, true).await;
    let folder = apps[other].take().expect("a node").kill();
    let last = serving(&apps).await;
    for (path, expected) in [(&small, &b"small"[..]), (&late, b"late"), (&big, &bytes)] {
        assert_eq!(behind(app(&apps, last), path).await.as_deref(), Ok(expected));
    }
    // It comes back as one that stands by, and its links lead on.
    apps[other] = Some(home.start(other, folder, &[]));
    app(&apps, other).until_served_at(&home.nodes[last].main.url()).await;
    assert_eq!(behind(app(&apps, other), &late).await, Ok(b"late".to_vec()));
}

#[actix_web::test]
async fn what_is_deleted_or_over_goes_everywhere() {
    let home = Home::of(3, None);
    let apps = home.start_all_with(&[("LIMITS__UPLOAD_KEEP_S", "3600")]);
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let leader = app(&apps, first);
    let (gone, stays) = (leave(leader, b"gone".to_vec()).await, leave(leader, b"stays".to_vec()).await);
    all_have(&apps, &gone, true).await;
    all_have(&apps, &stays, true).await;
    let id = gone.trim_start_matches("/files/");
    assert_eq!(leader.api(Method::DELETE, &format!("/api/v1/files/{id}")).await.status, 204);
    all_have(&apps, &gone, false).await;
    let answer = ask(Method::GET, &format!("http://{}{stays}", leader.listen), None).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "stays"));
    // Downloads are rows, too.
    all_hold(&apps, "SELECT CAST(downloads AS TEXT) FROM files", "1").await;
    all_have(&apps, &stays, true).await;
}

#[actix_web::test]
async fn what_expires_is_swept_by_whoever_serves_and_follows() {
    let home = Home::of(3, None);
    // Long enough that everybody has it before, even on a busy machine.
    let keep = [("LIMITS__UPLOAD_KEEP_S", "6")];
    let mut apps = home.start_all_with(&keep);
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let brief = leave(app(&apps, first), b"brief".to_vec()).await;
    all_have(&apps, &brief, true).await;
    in_time("its time is over", async {
        while behind(app(&apps, first), &brief).await != Err(404) {
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    // Whoever begins to serve sweeps, and the others are told.
    let folder = apps[first].take().expect("a node").kill();
    let second = serving(&apps).await;
    apps[first] = Some(home.start(first, folder, &keep));
    all_have(&apps, &brief, false).await;
    assert_eq!(app(&apps, second).get("/api/v1/files").await["items"], json!([]));
}

#[actix_web::test]
async fn a_crash_in_the_middle_loses_what_nobody_had_until_the_dead_one_comes_back() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    // The others take nothing for as long as their folders take nothing.
    let blocked: Vec<PathBuf> =
        (0..3).filter(|at| *at != first).map(|at| app(&apps, at).folder().join("data/files")).collect();
    for folder in &blocked {
        std::fs::remove_dir(folder).expect("an empty folder");
        std::fs::write(folder, "in the way").expect("a file");
    }
    let bytes = large(3 << 20);
    let path = leave(app(&apps, first), bytes.clone()).await;
    // Rows follow all the same, and everybody can see what is lacking.
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM files", "1").await;
    let other = (0..3).find(|at| *at != first).expect("another one");
    let hosts = app(&apps, other)
        .until("/api/v1/hosts", |hosts| hosts.json()["files"]["failures"].as_u64() > Some(0))
        .await
        .json();
    assert_eq!(hosts["files"]["lacking"], 1, "{hosts}");
    assert!(hosts["files"]["trouble"].is_string(), "{hosts}");
    let size = (json!(1), json!(bytes.len()));
    let lacks = |hosts: &Value, at: usize| {
        let mut rows = hosts["hosts"].as_array().expect("hosts").iter();
        let row = rows.find(|row| row["name"] == format!("node-{at}")).expect("a node");
        (row["files_lacking"].clone(), row["files_lacking_bytes"].clone())
    };
    assert_eq!(lacks(&hosts, other), size, "what it lacks itself: {hosts}");
    assert_eq!(lacks(&hosts, first).0, Value::Null, "what others lack is known to whoever leads: {hosts}");
    let seen = app(&apps, first).until("/api/v1/hosts", |hosts| lacks(&hosts.json(), other) == size).await;
    assert_eq!(lacks(&seen.json(), first), (json!(0), json!(0)), "{seen:?}");
    assert!(app(&apps, other).metric("kith_succession_files_lacking_bytes").await > 3e6);

    let folder = apps[first].take().expect("a node").kill();
    for folder in &blocked {
        std::fs::remove_file(folder).expect("out of the way");
    }
    let second = serving(&apps).await;
    assert_eq!(
        behind(app(&apps, second), &path).await,
        Err(404),
        "its row is there, and nobody has its bytes"
    );
    // They are found again where they were.
    apps[first] = Some(home.start(first, folder, &[]));
    in_time("the file is back", async {
        while behind(app(&apps, second), &path).await.as_ref() != Ok(&bytes) {
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[actix_web::test]
async fn whoever_dies_in_the_middle_of_a_file_leaves_all_of_it_or_nothing() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let [away, other] = [(first + 1) % 3, (first + 2) % 3];
    // One of those that stand by misses it all, and comes back.
    let folder = apps[away].take().expect("a node").kill();
    let early = leave(app(&apps, first), large(1 << 20)).await;
    all_have(&apps, &early, true).await;
    apps[away] = Some(home.start(away, folder, &[]));
    all_have(&apps, &early, true).await;
    all_follow(&apps, first).await;

    let bytes = large(40 << 20);
    let path = leave(app(&apps, first), bytes.clone()).await;
    let half = app(&apps, other).folder().join("data/files").join(path.replace("/files/", ".fetch-"));
    let has_begun = || half.exists() || lies(app(&apps, other), &path).exists();
    in_time("it is on its way", async {
        while !has_begun() {
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let folder = apps[first].take().expect("a node").kill();
    let second = serving(&apps).await;
    let found = behind(app(&apps, second), &path).await;
    assert!(found == Err(404) || found.as_ref() == Ok(&bytes), "neither whole nor nothing");
    assert_eq!(behind(app(&apps, second), &early).await, Ok(large(1 << 20)));
    // The dead one comes back, as one that stands by, and whatever it alone had is there again.
    apps[first] = Some(home.start(first, folder, &[]));
    let is_known = app(&apps, second).get("/api/v1/files").await["items"].as_array().map(Vec::len) == Some(2);
    assert!(is_known, "the row was there before the file was on its way");
    all_have(&apps, &path, true).await;
    assert_eq!(behind(app(&apps, second), &path).await.as_ref(), Ok(&bytes));
}
