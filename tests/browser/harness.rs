//! The tools of this kind of test, tried on pages of our own: what a scene relies on has to be able to fail.

use std::{fs, path::PathBuf};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{stage::Stage, visitor::Visitor};

/// Serves one page to whoever asks, and says where.
async fn serve(policy: &'static str, page: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    actix_web::rt::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html";
            let answer = format!(
                "{head}\r\nContent-Security-Policy: {policy}\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            );
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[actix_web::test]
async fn what_a_browser_complains_about_is_found() {
    let Some(stage) = Stage::enter().await else { return };
    let browser = stage.browser().await;
    for (policy, page, complaint) in [
        ("img-src data:", "<link rel=icon href=data:,><script>console.error('oh')</script>", "console-api: "),
        (
            "img-src data:",
            "<link rel=icon href=data:,><script>throw new Error('no')</script>",
            "javascript: ",
        ),
        ("script-src 'self'", "<link rel=icon href=data:,><script>alert(1)</script>", "security: "),
    ] {
        let url = serve(policy, page).await;
        browser.driven.goto(&url).await.expect("a page");
        let found = browser.complaints(&[]).await;
        assert!(found.len() == 1 && found[0].starts_with(complaint), "{page}: {found:?}");
    }
    let url = serve("", "<link rel=icon href=data:,><script>console.error('as expected')</script>").await;
    browser.driven.goto(&url).await.expect("a page");
    browser.ends(&["as expected"]).await;
}

#[actix_web::test]
async fn nothing_is_left_of_a_browser_that_panics_in_the_middle() {
    let Some(stage) = Stage::enter().await else { return };
    let visitor = Visitor::before(stage.browser().await);
    let folder = visitor.browser.folder().to_owned();
    let mark = folder.to_str().expect("a path").to_owned();
    assert!(running_with(&mark) > 0);
    let panicking = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _visitor = visitor;
        std::panic::resume_unwind(Box::new("in the middle"));
    }));
    assert!(panicking.is_err());
    assert!(!folder.exists());
    let deadline = std::time::Instant::now() + crate::app::PATIENCE;
    while running_with(&mark) > 0 {
        assert!(std::time::Instant::now() < deadline, "{} still run", running_with(&mark));
        actix_web::rt::time::sleep(crate::chromium::LOOK).await;
    }
}

/// How many processes have this on their command line.
fn running_with(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("a list of processes").flatten();
    let line = |process: PathBuf| fs::read(process.join("cmdline")).unwrap_or_default();
    let lines = processes.map(|process| String::from_utf8_lossy(&line(process.path())).into_owned());
    lines.filter(|line| line.contains(mark)).count()
}
