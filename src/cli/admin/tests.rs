//! The command against a real admin door.

use std::{net::TcpListener, sync::Arc};

use serde_json::json;

use super::{
    stream::{Event, Reader},
    *,
};
use crate::http::{admin, testing::bench};

#[test]
fn events_are_put_together_from_any_chunks() {
    let text = "retry: 3000\n: watching\n\nevent: left\r\nid: 7\r\ndata: {\"client\":\"5\"}\r\n\r\n: still here\n\nevent: x\n\n";
    let expected = [
        Event { name: "left".into(), id: Some(7), data: json!({"client": "5"}) },
        Event { name: "x".into(), ..Event::default() },
    ];
    for size in [1, 3, 7, 1000] {
        let mut reader = Reader::default();
        let events: Vec<Event> = text.as_bytes().chunks(size).flat_map(|chunk| reader.read(chunk)).collect();
        assert_eq!(events, expected, "{size}");
    }
}

#[test]
fn only_the_address_of_a_door_is_taken() {
    for url in ["", "localhost:9090", "https://x", "http://", "http://a/b", "http://u@h", "http://h?x"] {
        assert!(matches!(Api::new(url, "t"), Err(Trouble::BadUrl(_))), "{url}");
    }
    assert!(Api::new("http://127.0.0.1:9090/", "t").is_ok());
}

#[actix_web::test]
async fn a_command_gets_its_answer_or_a_clear_refusal() {
    let bench = bench(|_| {}).await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = admin::serve(listener, Arc::clone(&bench.site)).expect("a server");
    let handle = server.handle();
    actix_rt::spawn(server);

    let api = Api::new(&url, &bench.token).expect("an address");
    for number in 0..3 {
        let mut draft = bench.site.filing.draft(&format!("{number}.txt")).await.expect("a draft");
        draft.write(b"x").await.expect("room");
        draft.keep("text/plain", bench.site.house.stillness.look()).await.expect("a file");
    }
    let files = answer(&api, &AdminCommand::Files, true).await.expect("files");
    assert_eq!(api::read(&files).expect("json").as_array().map(Vec::len), Some(3));
    let table = answer(&api, &AdminCommand::Files, false).await.expect("files");
    assert!(table.contains("2.txt") && table.lines().count() == 4, "{table}");
    let card = answer(&api, &AdminCommand::Server, false).await.expect("a server");
    assert!(card.contains("limits.hello_timeout_s"), "{card}");

    let gone = answer(&api, &AdminCommand::Kick { id: "../server".into() }, false).await;
    let gone = gone.expect_err("nobody").to_string();
    assert!(gone.contains("no such client"), "{gone}");
    let bad = AdminCommand::Clients { dialect: Some("latin&x".into()) };
    assert!(
        matches!(answer(&api, &bad, false).await, Err(Trouble::Refused(problem)) if problem.status == 400)
    );
    let stranger = Api::new(&url, "wrong").expect("an address");
    let refused = answer(&stranger, &AdminCommand::Server, false).await;
    assert!(matches!(&refused, Err(Trouble::WrongToken(_))), "{refused:?}");

    handle.stop(false).await;
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let api = Api::new(&format!("http://{}", closed.expect("an address")), "").expect("an address");
    let nobody = answer(&api, &AdminCommand::Server, false).await.expect_err("nobody");
    assert!(nobody.to_string().contains("is the server running"), "{nobody}");
    assert_eq!((nobody.exit_code(), Trouble::NoToken(String::new()).exit_code()), (1, 2));
}
