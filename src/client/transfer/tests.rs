//! Transfers over a real socket, against a server that shows what it was sent.

use std::{cell::RefCell, path::Path, rc::Rc, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Fetched, Progress, TransferError, download, upload};
use crate::client::{door::Door, trust::trust};

fn silent() -> Progress {
    Rc::new(|_, _| {})
}

/// A server for one request, which ends with these bytes (or with its head), and its answer.
async fn answering(end: &'static str, answer: String) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a guest");
        let mut request = Vec::new();
        while !request.ends_with(end.as_bytes()) {
            if socket.read_buf(&mut request).await.expect("a request") == 0 {
                break;
            }
        }
        socket.write_all(answer.as_bytes()).await.expect("an answer");
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, served)
}

fn response(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[actix::test]
async fn a_file_is_posted_whole_and_its_progress_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("no\"te.txt");
    let content = "word ".repeat(20_000);
    std::fs::write(&path, &content).expect("a file");
    let answer = response("200 OK", r#"{"file_url":"http://x/f.txt"}"#);
    let (address, served) = answering("--\r\n", answer).await;
    let steps = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&steps);
    let progress: Progress = Rc::new(move |done, of| heard.borrow_mut().push((done, of)));
    let door = Door::read(&address).expect("a door");
    let url = upload(&door, &trust(None).expect("TLS"), &path, progress).await.expect("an upload");
    assert_eq!(url, "http://x/f.txt");
    let request = served.await.expect("a request");
    assert!(request.starts_with("POST /api/upload HTTP/1.1\r\n"), "{}", &request[..100]);
    assert!(request.contains("name=\"file\"; filename=\"no_te.txt\"\r\n"), "{}", &request[..600]);
    assert!(request.contains(&format!("\r\n\r\n{content}\r\n--")));
    let steps = steps.borrow();
    assert!(steps.len() > 2 && steps.last() == Some(&(100_000, Some(100_000))), "{steps:?}");
}

#[actix::test]
async fn a_refusal_has_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "a").expect("a file");
    let tls = trust(None).expect("TLS");
    for (status, words) in [
        ("413 Payload Too Large", "the file is too large"),
        ("404 Not Found", "the server has no such address (404)"),
        ("500 Internal Server Error", "the server answered 500 Internal Server Error"),
        ("200 OK", "the server's answer names no file"),
    ] {
        let (address, served) = answering("--\r\n", response(status, "{}")).await;
        let door = Door::read(&address).expect("a door");
        let error = upload(&door, &tls, &path, silent()).await.expect_err("no upload");
        assert_eq!(error.to_string(), words);
        served.await.expect("a request");
    }
    let door = Door::read("127.0.0.1:1").expect("a door");
    let error = upload(&door, &tls, folder.path(), silent()).await.expect_err("a folder");
    assert!(matches!(error, TransferError::NotAFile(_)), "{error}");
}

async fn fetch(answer: String, folder: &Path, most: u64) -> Result<Fetched, TransferError> {
    let (address, served) = answering("\r\n\r\n", answer).await;
    let tls = trust(None).expect("TLS");
    let fetched =
        download(&format!("http://{address}/files/cat.txt?x=1"), &tls, folder, most, silent()).await;
    served.await.expect("a request");
    fetched
}

#[actix::test]
async fn a_download_stays_in_its_folder_and_overwrites_nothing() {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("downloads");
    let first = fetch(response("200 OK", "meow"), &folder, 100).await.expect("a file");
    assert_eq!(first, Fetched { path: folder.join("cat.txt"), bytes: 4 });
    let evil = "200 OK\r\ncontent-disposition: attachment; filename=\"../cat.txt\"";
    let second = fetch(response(evil, "hiss"), &folder, 100).await.expect("a file");
    assert_eq!(second.path, folder.join("cat (2).txt"));
    assert_eq!(std::fs::read_to_string(&first.path).expect("the first"), "meow");
    assert_eq!(std::fs::read_to_string(&second.path).expect("the second"), "hiss");

    let announced = fetch(response("200 OK", "too much"), &folder, 7).await;
    assert!(matches!(announced, Err(TransferError::TooLarge)), "{announced:?}");
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 100, "x".repeat(100));
    let secret = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
    let unannounced = fetch(secret, &folder, 99).await;
    assert!(matches!(unannounced, Err(TransferError::TooLarge)), "{unannounced:?}");
    let endless = fetch("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nx".into(), &folder, 99).await;
    assert!(matches!(endless, Err(TransferError::NoLength)), "{endless:?}");
    let moved = fetch(response("302 Found\r\nlocation: http://elsewhere/", ""), &folder, 99).await;
    assert!(matches!(&moved, Err(TransferError::Moved(to)) if to == "http://elsewhere/"), "{moved:?}");
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2, "no half file stays");
}

#[actix::test]
async fn a_node_that_stands_by_sends_to_the_one_that_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let (there, served) = answering("\r\n\r\n", response("200 OK", "meow")).await;
    let sent = |to: &str| response(&format!("307 Temporary Redirect\r\nlocation: http://{there}{to}"), "");
    let fetched = fetch(sent("/files/cat.txt?x=1"), folder.path(), 9).await.expect("a file");
    assert_eq!(std::fs::read_to_string(fetched.path).expect("the file"), "meow");
    served.await.expect("a request");
    // Nobody is led to anything but what was asked for.
    let elsewhere = fetch(sent("/admin"), folder.path(), 9).await;
    assert!(matches!(elsewhere, Err(TransferError::Moved(_))), "{elsewhere:?}");
}

#[actix::test]
async fn only_web_addresses_are_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let tls: Arc<_> = trust(None).expect("TLS");
    for url in ["file:///etc/passwd", "ftp://x/y", "cat.txt", "http://", "javascript:1"] {
        let error = download(url, &tls, folder.path(), 9, silent()).await.expect_err("no address");
        assert!(matches!(error, TransferError::NoAddress(_)), "{url}: {error}");
    }
}
