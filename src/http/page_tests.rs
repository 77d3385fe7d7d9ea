//! Who is shown the page, and what a browser is told of it.

use actix_web::{
    App,
    dev::ServiceResponse,
    http::StatusCode,
    test::{TestRequest, call_service, init_service, read_body},
};

use super::*;
use crate::http::{
    files,
    testing::{Bench, bench},
};

fn wants(accept: &[&str]) -> bool {
    let mut request = TestRequest::get();
    for line in accept {
        request = request.append_header((header::ACCEPT, *line));
    }
    wants_page(&request.to_http_request())
}

#[test]
fn browsers_that_go_somewhere_get_the_page_and_programs_never() {
    let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    for accept in [
        &[chromium][..],
        &["text/html"],
        &["TEXT/HTML; charset=utf-8"],
        &["application/json;q=0.5, text/html"],
        &["*/*;q=0.1", "text/html;q=0.2"],
        &["*/*, text/html"],
    ] {
        assert!(wants(accept), "{accept:?}");
    }
    for accept in [
        &[][..],
        &["*/*"],
        &["application/json"],
        &["application/json, text/html"],
        &["text/html;q=0.5, application/json"],
        &["text/html;q=0.5, */*"],
        &["text/html;q=0"],
        &["text/html;q=0, */*"],
        &["text/plain"],
        &["text/*"],
        &["no type at all"],
    ] {
        assert!(!wants(accept), "{accept:?}");
    }
}

async fn ask(bench: &Bench, door: Option<Dialect>, request: TestRequest) -> ServiceResponse {
    let site = Data::from(std::sync::Arc::clone(&bench.site));
    let page = Page::offered(&bench.site.settings, door, &bench.site.nodes);
    let app = App::new().app_data(site).configure(files::configure);
    let app = init_service(app.configure(|app| Page::configure(page.as_ref(), app))).await;
    call_service(&app, request.to_request()).await
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header((header::ACCEPT, "text/html"))
}

fn header_of<'a>(response: &'a ServiceResponse, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a text"))
}

#[actix_web::test]
async fn a_page_is_kept_and_asked_for_again() {
    let bench = bench(|_| {}).await;
    let page = ask(&bench, None, get("/")).await;
    assert_eq!(header_of(&page, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header_of(&page, "cache-control"), "no-cache");
    assert_eq!(header_of(&page, "vary"), "Accept, Upgrade");
    let tag = header_of(&page, "etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let again = ask(&bench, None, get("/").insert_header((header::IF_NONE_MATCH, known))).await;
        assert_eq!((again.status(), header_of(&again, "etag")), (StatusCode::NOT_MODIFIED, tag.as_str()));
        assert!(read_body(again).await.is_empty());
    }
    let other = ask(&bench, None, get("/").insert_header((header::IF_NONE_MATCH, "\"x\""))).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[actix_web::test]
async fn every_file_is_served_with_its_type_and_nothing_else() {
    let bench = bench(|_| {}).await;
    for file in FILES.iter().filter(|file| file.name != INDEX) {
        let response = ask(&bench, None, get(&format!("/web/{}", file.name))).await;
        assert_eq!(response.status(), StatusCode::OK, "{}", file.name);
        assert_ne!(header_of(&response, "content-type"), "application/octet-stream", "{}", file.name);
        assert_eq!(header_of(&response, "x-content-type-options"), "nosniff");
        assert_eq!(&read_body(response).await[..], file.content);
    }
    for path in ["/web/", "/web/index.html", "/web/no.js", "/web/..%2fCargo.toml", "/web/a/b.js"] {
        assert_eq!(ask(&bench, None, get(path)).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let post = ask(&bench, None, TestRequest::post().uri("/web/app.js")).await;
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[actix_web::test]
async fn a_door_of_another_dialect_and_a_page_that_is_off_show_the_document() {
    let is_page = |response: &ServiceResponse| header_of(response, "content-type").starts_with("text/html");
    let house = bench(|_| {}).await;
    for (door, expected) in [(None, true), (Some(Dialect::Olaf), true), (Some(Dialect::Socp), false)] {
        assert_eq!(is_page(&ask(&house, door, get("/")).await), expected, "{door:?}");
    }
    let off = bench(|settings| settings.web.chat = false).await;
    assert!(!is_page(&ask(&off, None, get("/")).await));
    assert_eq!(ask(&off, None, get("/web/app.js")).await.status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_page_talks_to_the_doors_of_its_home_and_to_nobody_else() {
    let doors =
        ["ws://10.0.0.1:8080/x", "wss://Chat.example:443", "no door", "ws://", "ws://a; script-src *"];
    let policy = policy(&doors.map(str::to_owned));
    let (_, connect) = policy.split_once("connect-src ").expect("whom it may talk to");
    let expected = "'self' ws://10.0.0.1:8080 http://10.0.0.1:8080 wss://chat.example https://chat.example";
    assert_eq!(connect, expected);
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
}
