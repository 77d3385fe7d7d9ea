//! Uploads and downloads through the routes of the main door.

use std::sync::Arc;

use actix_web::{
    App,
    dev::ServiceResponse,
    test::{TestRequest, call_service, init_service, read_body, read_body_json},
};
use serde_json::Value;

use super::{
    super::testing::{Bench, bench},
    *,
};

async fn ask(bench: &Bench, request: TestRequest) -> ServiceResponse {
    let site = Data::from(Arc::clone(&bench.site));
    let app = init_service(App::new().app_data(site).configure(configure)).await;
    call_service(&app, request.to_request()).await
}

async fn problem(response: ServiceResponse) -> Problem {
    let kind = response.headers().get("content-type").expect("a type").clone();
    assert_eq!(kind, "application/problem+json");
    read_body_json(response).await
}

fn form(fields: &[(&str, Option<&str>, &str)]) -> TestRequest {
    let mut body = String::new();
    for (name, file, content) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body += &format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n");
    }
    body += "--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    TestRequest::post().uri("/api/upload").insert_header(("content-type", kind)).set_payload(body)
}

async fn left(bench: &Bench, request: TestRequest) -> String {
    let response = ask(bench, request).await;
    assert_eq!(response.status(), 200);
    let body: Value = read_body_json(response).await;
    let url = body["file_url"].as_str().expect("a url").to_owned();
    assert_eq!(
        (&body["body"]["file_url"], &body["response"]["body"]["file_url"]),
        (&body["file_url"], &body["file_url"])
    );
    url.strip_prefix("http://127.0.0.1:8080").expect("an absolute url").to_owned()
}

async fn bytes(bench: &Bench, path: &str) -> Vec<u8> {
    let response = ask(bench, TestRequest::get().uri(path)).await;
    assert_eq!(response.status(), 200);
    read_body(response).await.to_vec()
}

#[actix_web::test]
async fn a_file_comes_back_as_it_was_left_whichever_way_it_was_packed() {
    let bench = bench(|_| {}).await;
    let raw = |path: &str| TestRequest::post().uri(path).set_payload("bytes");
    for request in [
        form(&[("file", Some("a.txt"), "bytes")]),
        form(&[("file", None, "bytes")]),
        form(&[("text", None, "no"), ("other", Some("a.txt"), "bytes"), ("third", Some("b"), "no")]),
        form(&[("other", Some("b.txt"), "no"), ("file", Some("a.txt"), "bytes"), ("file", Some("c"), "no")]),
        raw("/api/upload"),
        raw("/").insert_header(("x-filename", "a.txt")),
    ] {
        let path = left(&bench, request).await;
        assert_eq!(bytes(&bench, &path).await, b"bytes");
    }
    assert_eq!(bench.site.filing.used_bytes(), 6 * 5, "what was not wanted gave its quota back");
}

#[actix_web::test]
async fn nothing_is_taken_while_the_place_is_given_away() {
    let bench = bench(|_| {}).await;
    let raw = || TestRequest::post().uri("/api/upload").set_payload("bytes");
    let path = left(&bench, raw()).await;
    let stillness = bench.site.house.stillness.clone();
    stillness.begin();
    let refused = ask(&bench, raw()).await;
    assert_eq!(refused.headers().get("retry-after").map(|wait| wait.as_bytes()), Some(&b"1"[..]));
    assert_eq!(problem(refused).await.kind, "/problems/handing_over");
    // Files are handed out, and nothing is written for that.
    let rows = || bench.site.store.files(None, 10);
    let before = rows().await.expect("rows");
    assert_eq!(bytes(&bench, &path).await, b"bytes");
    assert_eq!(rows().await.expect("rows"), before);
    assert_eq!((bench.site.filing.used_bytes(), stillness.is_busy()), (5, false));
    stillness.end();
    left(&bench, raw()).await;
}

#[actix_web::test]
async fn a_download_cannot_become_a_page_of_ours() {
    let bench = bench(|_| {}).await;
    let request = TestRequest::post().uri("/").insert_header(("content-type", "text/html"));
    let request = request.insert_header(("x-filename", "kä\"se.html")).set_payload("<script>");
    let path = left(&bench, request).await;
    for request in [TestRequest::get(), TestRequest::default().method(Method::HEAD)] {
        let response = ask(&bench, request.uri(&path)).await;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        assert_eq!(header("content-type"), "application/octet-stream");
        let expected = "attachment; filename=\"k__se.html\"; filename*=UTF-8''k%C3%A4%22se.html";
        assert_eq!(header("content-disposition"), expected);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
        assert!(header("cache-control").starts_with("private, max-age=60"), "{}", header("cache-control"));
    }
    let id = path.trim_start_matches("/files/");
    let record = bench.site.store.file(id).await.expect("a row").expect("a file");
    assert_eq!(record.downloads, 1, "a look at the head is no download");
}

#[actix_web::test]
async fn what_is_empty_or_too_large_is_refused_and_leaves_nothing() {
    let bench = bench(|settings| {
        settings.limits.upload_bytes = 100;
        settings.limits.upload_total_bytes = 150;
    })
    .await;
    let raw = |size: usize| TestRequest::post().uri("/api/upload").set_payload(vec![1; size]);
    for (request, status) in [
        (raw(0), 400),
        (form(&[("note", None, "no file")]), 400),
        (form(&[]), 400),
        (raw(101), 413),
        (form(&[("file", Some("a"), &"x".repeat(101))]), 413),
        (raw(100_000), 413),
        (raw(100), 200),
        (raw(51), 507),
    ] {
        let response = ask(&bench, request).await;
        assert_eq!(response.status().as_u16(), status);
        if status != 200 {
            assert_eq!(problem(response).await.status, status);
        }
    }
    assert_eq!(bench.site.filing.used_bytes(), 100);
    let folder = std::fs::read_dir(bench.folder.path().join("files")).expect("the folder");
    assert_eq!(folder.count(), 1);
}

#[actix_web::test]
async fn too_many_uploads_have_to_wait_and_a_closing_house_takes_none() {
    let bench = bench(|settings| settings.limits.uploads_per_address_per_minute = 2).await;
    let raw = || TestRequest::post().uri("/api/upload").set_payload("x");
    for _ in 0..2 {
        assert_eq!(ask(&bench, raw()).await.status(), 200);
    }
    let response = ask(&bench, raw()).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers().get("retry-after").expect("a hint"), "30");
    bench.site.house.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(problem(ask(&bench, raw()).await).await.kind, "/problems/draining");
}

#[actix_web::test]
async fn only_listed_pages_may_use_a_browser_for_uploads() {
    let bench = bench(|settings| settings.listen.allowed_origins = vec!["https://app.example".into()]).await;
    let request = |method: Method, origin: &str| {
        TestRequest::default()
            .method(method)
            .uri("/api/upload")
            .insert_header(("origin", origin))
            .set_payload("x")
    };
    for (method, good, bad) in [(Method::POST, 200, 403), (Method::OPTIONS, 204, 403)] {
        let response = ask(&bench, request(method.clone(), "https://app.example")).await;
        assert_eq!(response.status().as_u16(), good);
        let allowed = response.headers().get("access-control-allow-origin").expect("allowed");
        assert_eq!(allowed, "https://app.example");
        let response = ask(&bench, request(method, "https://evil.example")).await;
        assert_eq!(response.status().as_u16(), bad);
        assert!(response.headers().get("access-control-allow-origin").is_none());
    }
}

#[actix_web::test]
async fn wrong_paths_and_methods_are_problems() {
    let bench = bench(|_| {}).await;
    for (request, status) in [
        (TestRequest::get().uri("/nowhere"), 404),
        (TestRequest::get().uri("/files/..%2fkith.db"), 404),
        (TestRequest::get().uri(&format!("/files/{}", "0".repeat(32))), 404),
        (TestRequest::get().uri("/api/upload"), 405),
        (TestRequest::put().uri("/"), 405),
        (TestRequest::delete().uri("/files/x"), 405),
    ] {
        assert_eq!(problem(ask(&bench, request).await).await.status, status);
    }
}

#[actix_web::test]
async fn the_front_page_says_what_a_client_needs() {
    let bench = bench(|_| {}).await;
    let response = ask(&bench, TestRequest::get().uri("/")).await;
    assert_eq!(response.headers().get("access-control-allow-origin").expect("open"), "*");
    let info: Value = read_body_json(response).await;
    let spoken = ["olaf", "socp", "tpacket"]
        .map(|name| serde_json::json!({"name": name, "paths": ["/", format!("/{name}")]}));
    assert_eq!(info["dialects"], serde_json::json!(spoken));
    assert_eq!(info["server"]["olaf_public_key"], bench.site.about.olaf_key);
    assert_eq!(info["limits"]["message_bytes"], 1_048_576);
    assert_eq!(info["upload"]["path"], "/api/upload");
}
