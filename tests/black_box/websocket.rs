//! RFC 6455 at the edges: what the codec leaves to us, seen on the wire.

use std::{
    io::Write as _,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    app::{App, PATIENCE},
    client::Client,
    raw::{BINARY, CLOSE, CONTINUATION, FINAL, Frame, PING, PONG, Raw, TEXT, handshake, header},
};

/// A server at whose path `/echo` every message comes back, and that reads the largest ones at once.
fn echoing() -> App {
    App::with(&[("DEBUG__ECHO", "true"), ("LIMITS__BYTES_BURST", "67108864")])
}

/// Says something in pieces, with a ping between them.
fn say_torn_by_pings(raw: &mut Raw, text: &[u8]) {
    let pings = [&b""[..], b"1234", b"12345678", &[7; 125]];
    let (mut opcode, mut rest) = (TEXT, text);
    for ping in pings {
        let (piece, later) = rest.split_at(text.len() / (pings.len() + 1));
        raw.send(opcode, piece);
        raw.send(FINAL | PING, ping);
        assert_eq!(raw.next(), Some(Frame { opcode: PONG, payload: ping.to_vec() }));
        (opcode, rest) = (CONTINUATION, later);
    }
    raw.send(FINAL | opcode, rest);
}

#[tokio::test]
async fn pings_are_answered_between_fragments() {
    let app = echoing();
    let mut echo = Raw::open_at(&app.listen, "/echo");
    // Some pieces end within a character.
    let text = "größer als κόσμε 𝄞".as_bytes();
    say_torn_by_pings(&mut echo, text);
    assert_eq!(echo.next(), Some(Frame { opcode: TEXT, payload: text.to_vec() }));

    let mut anna = Client::dial(&app, 0).await;
    let mut member = Raw::open(&app.listen);
    say_torn_by_pings(&mut member, anna.hello_frame().as_bytes());
    let list = member.next().expect("a list");
    assert!(String::from_utf8_lossy(&list.payload).contains("client_list"), "{list:?}");
    let data = json!({"type": "public_chat", "sender": anna.fingerprint(), "message": "κόσμε"});
    let letter = anna.signed(&data);
    say_torn_by_pings(&mut member, letter.as_bytes());
    assert_eq!(member.next(), Some(Frame { opcode: TEXT, payload: letter.into_bytes() }));
    for mut raw in [echo, member] {
        raw.send(FINAL | CLOSE, &1000_u16.to_be_bytes());
        assert_eq!(raw.close_code(), 1000);
    }
}

#[test]
fn an_echo_sends_back_what_it_gets_where_it_is_switched_on() {
    let app = echoing();
    let mut raw = Raw::open_at(&app.listen, "/echo");
    for (opcode, payload) in [
        (TEXT, Vec::new()),
        (TEXT, br#"{"type":"signed_data"}"#.to_vec()),
        (BINARY, vec![0xff; 70_000]),
        (BINARY, vec![1; 16 << 20]),
    ] {
        raw.send(FINAL | opcode, &payload);
        assert!(raw.next() == Some(Frame { opcode, payload }), "a message comes back as something else");
    }
    raw.stream.write_all(&header(FINAL | BINARY, (16 << 20) + 1)).expect("a head");
    assert_eq!(raw.close_code(), 1009);

    let app = App::start();
    let mut raw = Raw::open_at(&app.listen, "/echo");
    raw.send(FINAL | TEXT, b"hello");
    raw.send(FINAL | PING, b"");
    assert_eq!(raw.next().map(|frame| frame.opcode), Some(PONG), "where it is off, the path means nothing");
}

#[test]
fn a_close_is_answered_in_kind() {
    let app = App::start();
    for code in [1000_u16, 1001, 3000, 4999] {
        let mut raw = Raw::open(&app.listen);
        raw.send(FINAL | CLOSE, &code.to_be_bytes());
        assert_eq!(raw.close_code(), code);
    }
    let mut raw = Raw::open(&app.listen);
    raw.send(FINAL | CLOSE, b"");
    assert_eq!(raw.close_code(), 1005);
    for wrong in [&[3][..], &999_u16.to_be_bytes(), &1005_u16.to_be_bytes(), b"\x03\xe8\xff"] {
        let mut raw = Raw::open(&app.listen);
        raw.send(FINAL | CLOSE, wrong);
        assert_eq!(raw.close_code(), 1002, "{wrong:?}");
    }
}

/// The end of the stream comes right behind the server's goodbye and not when its patience with us is over,
/// although we keep our own end open. What tells them apart is that a patient server goes on listening.
fn ends_before_we_do(mut raw: Raw, goodbye: u16) {
    let asked = Instant::now();
    assert_eq!(raw.close_code(), goodbye);
    let closed_in = asked.elapsed();
    // What comes after the answer to its goodbye is heard by nobody.
    raw.send(FINAL | CLOSE, &goodbye.to_be_bytes());
    while raw.stream.write_all(b"still here").is_ok() {
        assert!(asked.elapsed() < PATIENCE, "a closed connection is listened to for ever");
        sleep(Duration::from_millis(5));
    }
    let listened = asked.elapsed() - closed_in;
    assert!(closed_in < listened, "the end came after {closed_in:?}, and all was over {listened:?} later");
}

#[test]
fn the_end_of_the_stream_follows_a_close_whoever_began() {
    let app = App::start();
    let mut raw = Raw::open(&app.listen);
    raw.send(FINAL | CLOSE, &1000_u16.to_be_bytes());
    ends_before_we_do(raw, 1000);
    let mut raw = Raw::open(&app.listen);
    raw.send(FINAL | CONTINUATION, b"an end without a beginning");
    ends_before_we_do(raw, 1002);
}

#[test]
fn text_is_refused_as_soon_as_it_cannot_become_utf8() {
    let app = App::start();
    let mut raw = Raw::open(&app.listen);
    // In a piece that is not the last one.
    raw.send(TEXT, "κόσμ".as_bytes());
    raw.send(CONTINUATION, b"\xf4\x90");
    assert_eq!(raw.close_code(), 1007);
    let mut raw = Raw::open(&app.listen);
    // In a frame that is not all here.
    raw.stream.write_all(&header(FINAL | TEXT, 1000)).expect("a head");
    let begun = "κόσμε \u{10ffff}".bytes().chain(*b"\xed\xa0");
    let masked: Vec<u8> =
        begun.zip([1, 2, 3, 4].into_iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    for byte in masked {
        raw.stream.write_all(&[byte]).expect("a byte");
    }
    assert_eq!(raw.close_code(), 1007);
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
