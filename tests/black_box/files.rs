//! Uploaded files: what the independent peers do not look at, because it takes a second life.

use actix_web::http::Method;
use serde_json::Value;

use crate::{api::ask, app::App};

async fn upload(app: &App, bytes: &'static [u8]) -> (u16, Value) {
    let url = format!("http://{}/api/upload", app.listen);
    let mut answer = awc::Client::default().post(url).send_body(bytes).await.expect("an answer");
    let body = answer.body().await.expect("a body");
    (answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn url(answer: &Value) -> &str {
    answer["file_url"].as_str().expect("a link")
}

#[actix_web::test]
async fn files_outlive_a_restart_but_not_their_time() {
    let app = App::with(&[("LISTEN__WORKERS", "1")]);
    let (status, kept) = upload(&app, b"to be kept").await;
    assert_eq!(status, 200, "{kept}");
    let path = url(&kept).split_once("/files/").expect("a path").1.to_owned();
    let app = App::in_folder(app.stop(), &[("LIMITS__UPLOAD_KEEP_S", "1")]);
    let link = |app: &App| format!("http://{}/files/{path}", app.listen);
    assert_eq!(ask(Method::GET, &link(&app), None).await.text, "to be kept");

    let (_, brief) = upload(&app, b"gone in a second").await;
    app.until("/api/v1/files", |answer| answer.json()["items"].as_array().map(Vec::len) == Some(2)).await;
    let deadline = std::time::Instant::now() + crate::app::PATIENCE;
    while ask(Method::GET, url(&brief), None).await.status != 404 {
        assert!(std::time::Instant::now() < deadline, "it is still there");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // A restart sweeps, whatever the running server had time for.
    let app = App::in_folder(app.stop(), &[]);
    let files = app.get("/api/v1/files").await;
    assert_eq!(files["items"].as_array().map(Vec::len), Some(1), "{files}");
    let folder = std::fs::read_dir(app.folder().join("data/files")).expect("a folder");
    assert_eq!(folder.count(), 1, "the bytes are gone, too");
    let id = files["items"][0]["id"].as_str().expect("an id");
    assert_eq!(app.api(Method::DELETE, &format!("/api/v1/files/{id}")).await.status, 204);
    assert_eq!(ask(Method::GET, &link(&app), None).await.status, 404);
}

#[actix_web::test]
async fn all_files_together_stay_within_the_quota() {
    let app = App::with(&[("LIMITS__UPLOAD_BYTES", "100"), ("LIMITS__UPLOAD_TOTAL_BYTES", "150")]);
    assert_eq!(upload(&app, &[1; 100]).await.0, 200);
    let (status, problem) = upload(&app, &[2; 100]).await;
    assert!(status == 507 || status == 413, "{status} {problem}");
    assert_eq!(upload(&app, &[3; 50]).await.0, 200, "what fits still comes in");
}

#[actix_web::test]
async fn the_information_document_says_how_to_talk() {
    let app = App::start();
    let about = ask(Method::GET, &format!("http://{}/", app.listen), None).await.json();
    assert!(about.to_string().contains(&app.listen), "{about}");
    assert!(about.to_string().contains("olaf"), "{about}");
}
