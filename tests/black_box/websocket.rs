//! RFC 6455 at the edges: what the codec leaves to us, seen on the wire.

use std::{io::Write as _, time::Instant};

use crate::{
    app::App,
    raw::{CLOSE, CONTINUATION, FINAL, Frame, PING, PONG, Raw, TEXT, handshake, header},
};

#[test]
fn pings_are_answered_between_fragments() {
    let app = App::start();
    let mut raw = Raw::open(&app.listen);
    for payload in [&b""[..], b"1234", &[7; 125]] {
        raw.send(TEXT, b"{\"half\":");
        raw.send(FINAL | PING, payload);
        assert_eq!(raw.next(), Some(Frame { opcode: PONG, payload: payload.to_vec() }));
        raw.send(FINAL | CONTINUATION, b"1}");
    }
    raw.send(FINAL | CLOSE, &1000_u16.to_be_bytes());
    assert_eq!(raw.close_code(), 1000);
}

#[test]
fn a_close_is_answered_and_the_socket_dropped_at_once() {
    let app = App::start();
    for code in [1000_u16, 1001, 3000, 4999] {
        let mut raw = Raw::open(&app.listen);
        let asked = Instant::now();
        raw.send(FINAL | CLOSE, &code.to_be_bytes());
        assert_eq!(raw.close_code(), code);
        // A server that waits for us to drop the connection first would take its whole patience.
        assert!(asked.elapsed().as_secs() < 2, "the socket stayed open for {:?}", asked.elapsed());
    }
    let mut raw = Raw::open(&app.listen);
    raw.send(FINAL | CLOSE, b"");
    assert_eq!(raw.close_code(), 1005);
}

#[test]
fn every_kind_of_broken_frame_has_its_close_code() {
    let app = App::start();
    let code_after = |send: &dyn Fn(&mut Raw)| {
        let mut raw = Raw::open(&app.listen);
        send(&mut raw);
        raw.close_code()
    };
    assert_eq!(code_after(&|raw| raw.send(FINAL | TEXT, &[0xff, 0xfe])), 1007, "text that is not UTF-8");
    assert_eq!(
        code_after(&|raw| {
            raw.send(TEXT, &[0xc3]);
            raw.send(FINAL | CONTINUATION, b"(");
        }),
        1007,
        "the same, torn apart"
    );
    let huge = header(FINAL | TEXT, 100 << 20);
    assert_eq!(code_after(&|raw| raw.stream.write_all(&huge).expect("a head")), 1009, "100 MB announced");
    assert_eq!(
        code_after(&|raw| {
            raw.send(TEXT, &vec![b' '; 600 << 10]);
            raw.send(CONTINUATION, &vec![b' '; 600 << 10]);
        }),
        1009,
        "too much in pieces"
    );
    assert_eq!(code_after(&|raw| raw.send(FINAL | CONTINUATION, b"x")), 1002, "an end without a beginning");
    assert_eq!(code_after(&|raw| raw.send(FINAL | 0x40 | TEXT, b"{}")), 1002, "a reserved bit");
    assert_eq!(code_after(&|raw| raw.send(FINAL | 3, b"{}")), 1002, "a reserved opcode");
    assert_eq!(code_after(&|raw| raw.send(PING, b"")), 1002, "a torn ping");
    let unmasked = [FINAL | TEXT, 2, b'{', b'}'];
    assert_eq!(code_after(&|raw| raw.stream.write_all(&unmasked).expect("a frame")), 1002, "no mask");
}

#[test]
fn a_bad_handshake_gets_an_answer_that_says_why() {
    let app = App::start();
    let host = app.listen.as_str();
    let good = handshake("/", host, "");
    let answer = |request: &str| Raw::dial(host).request(request);
    let status = |request: &str| answer(request).split(' ').nth(1).expect("a status").to_owned();
    assert_eq!(status(&good), "101");
    assert_eq!(status(&handshake("/some/path", host, "")), "101");
    assert_eq!(status(&handshake("/olaf", host, "")), "101");
    let old = answer(&good.replace("Version: 13", "Version: 8"));
    assert!(old.starts_with("HTTP/1.1 426"), "{old}");
    assert!(old.to_lowercase().contains("sec-websocket-version: 13"), "{old}");
    assert_eq!(status(&good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "")), "400");
    assert_eq!(status(&good.replace("HTTP/1.1", "HTTP/1.0")), "400");
    assert_eq!(status(&handshake("/", host, "Content-Length: 5\r\n")), "400");
    assert_eq!(status(&handshake("/", host, "Origin: https://evil.example\r\n")), "403");
    assert_eq!(status(&handshake("/", host, &format!("Origin: http://{host}\r\n"))), "101");
    assert_eq!(status(&handshake("/?accent=klingon", host, "")), "400");
    assert_eq!(status(&handshake("/?accent=numbered-list", host, "")), "101");
}

#[test]
fn pages_of_allowed_origins_may_connect() {
    let app = App::with(&[("LISTEN__ALLOWED_ORIGINS", "https://chat.example,https://other.example")]);
    let status = |origin: &str| {
        let request = handshake("/", &app.listen, &format!("Origin: {origin}\r\n"));
        Raw::dial(&app.listen).request(&request).split(' ').nth(1).expect("a status").to_owned()
    };
    assert_eq!(status("https://chat.example"), "101");
    assert_eq!(status("https://chat.example.evil"), "403");
    assert_eq!(status("null"), "403");
}
