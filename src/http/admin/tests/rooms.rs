//! Rooms, as operators see and moderate them.

use actix_web::http::header::CONTENT_TYPE;

use super::*;
use crate::{
    actors::{
        archivist::{Flush, Settled},
        registry::{Room, RoomOrder},
    },
    dialect::tpacket::{self, Version},
    domain::{
        limits::Limits,
        rooms::{LineId, Order, RoomName, Stamp, Ticket, Wish},
    },
};

async fn send(bench: &Bench, method: Method, path: &str, body: &Value) -> Answer {
    let metrics = Data::new(Metrics::new(&bench.site));
    let app = init_service(app(Data::from(Arc::clone(&bench.site)), metrics)).await;
    let request = TestRequest::default()
        .method(method)
        .uri(path)
        .insert_header(("Authorization", format!("Bearer {}", bench.token)))
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.to_string());
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, read_body(response).await.to_vec())
}

/// Lets somebody in under a nick.
async fn enter(bench: &Bench, number: u8, nick: &str) -> Result<KeyId, Refusal> {
    let join = Join {
        connection: ConnectionId(u64::from(number)),
        newcomer: tpacket::newcomer(nick, Trace([number; 16])),
        ear: Ear::Tpacket(Version::Seed),
        lane: LaneEnd::default().lane(1 << 20, Deaf.start().recipient()),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let joined = bench.site.house.registry.send(join).await.expect("the registry");
    joined.map(|member| member.key)
}

async fn wish(bench: &Bench, number: u8, wish: Wish) {
    // As its connection does.
    bench.site.house.inbox.add(wish.cost());
    let room = Room { connection: ConnectionId(u64::from(number)), ticket: Ticket(1), wish };
    bench.site.house.registry.send(room).await.expect("the registry");
}

async fn say(bench: &Bench, number: u8, text: &str) {
    wish(bench, number, Wish::Say(None, text.into())).await;
}

fn name(name: &str) -> RoomName {
    RoomName::new(name).expect("a name")
}

/// Alice and Bob in the lobby, who have said something.
async fn lobby() -> (Bench, KeyId, KeyId) {
    let bench = bench(|_| {}).await;
    let alice = enter(&bench, 1, "alice").await.expect("a free nick");
    let bob = enter(&bench, 2, "bob").await.expect("a free nick");
    for number in [1, 2] {
        wish(&bench, number, Wish::Move(name("lobby"))).await;
    }
    for (number, text) in [(1, "one"), (2, "two"), (1, "three")] {
        say(&bench, number, text).await;
    }
    (bench, alice, bob)
}

async fn history(bench: &Bench, query: &str) -> (Vec<String>, Value) {
    let (status, page) = get(bench, &format!("/api/v1/rooms/lobby/history{query}")).await;
    assert_eq!(status, 200, "{page}");
    let texts = page["items"].as_array().expect("items").iter();
    (texts.map(|item| item["text"].as_str().expect("a text").to_owned()).collect(), page)
}

#[actix_web::test]
async fn rooms_are_shown_with_their_guests_and_their_history() {
    let (bench, alice, bob) = lobby().await;
    wish(&bench, 2, Wish::Enter(name("a/b c"))).await;
    let (_, rooms) = get(&bench, "/api/v1/rooms?limit=1").await;
    assert_eq!((&rooms["items"][0]["name"], &rooms["items"][0]["guests"]), (&json!("a/b c"), &json!(1)));
    let next = rooms["next"].as_str().expect("another page");
    let (_, rooms) = get(&bench, &format!("/api/v1/rooms?limit=1&cursor={next}")).await;
    assert_eq!((&rooms["items"][0]["name"], &rooms["next"]), (&json!("lobby"), &Value::Null));
    assert_eq!((&rooms["items"][0]["lines"], &rooms["items"][0]["guests_here"]), (&json!(3), &json!(2)));
    assert_eq!(get(&bench, "/api/v1/rooms/a%2Fb%20c").await.1["name"], "a/b c");
    let (_, room) = get(&bench, "/api/v1/rooms/lobby").await;
    let roster: Vec<_> = room["roster"].as_array().expect("a roster").iter().collect();
    let who = |guest: &Value| (guest["number"].clone(), guest["name"].clone(), guest["member"].clone());
    assert_eq!(who(roster[0]), (json!(0x1000), json!("alice"), json!(alice.hex())));
    assert_eq!(who(roster[1]), (json!(0x1001), json!("bob"), json!(bob.hex())));
    assert_eq!((&roster[0]["dialect"], &roster[0]["here"]), (&json!("tpacket"), &json!(true)));
    assert_eq!((&roster[0]["home"], &roster[0]["muted"]), (&json!(bench.site.about.address), &json!(false)));

    let (texts, first) = history(&bench, "?limit=2").await;
    assert_eq!(texts, ["three", "two"]);
    assert_eq!((&first["items"][0]["kind"], &first["items"][0]["own"]), (&json!("said"), &json!(true)));
    assert_eq!(first["items"][0]["by"]["name"], "alice");
    let next = first["next"].as_str().expect("another page");
    let (texts, last) = history(&bench, &format!("?limit=2&cursor={next}")).await;
    assert_eq!((texts, &last["next"]), (vec!["one".to_owned()], &Value::Null));
    // Their members are shown among all others, though lists of other dialects never name them.
    let (_, clients) = get(&bench, "/api/v1/clients?dialect=tpacket").await;
    assert_eq!(
        (&clients["items"][0]["member"]["name"], &clients["items"][0]["accent"]),
        (&json!("alice"), &json!("seed"))
    );
    let (_, _, text) = ask(&bench, Method::GET, "/metrics").await;
    let text = String::from_utf8(text).expect("text");
    for line in ["kith_rooms 2", "kith_room_guests 3", "kith_lines_total 3"] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
}

#[actix_web::test]
async fn a_nick_is_one_member_s_and_can_be_changed() {
    let (bench, alice, bob) = lobby().await;
    assert_eq!(enter(&bench, 3, "ALICE").await, Err(Refusal::NameInUse));
    let mut events = bench.site.house.bulletin.watch();
    wish(&bench, 2, Wish::Rename("Alice".into())).await;
    wish(&bench, 2, Wish::Rename("Carol".into())).await;
    let event = events.try_recv().expect("an event");
    let Kind::Renamed { before, member, .. } = event.kind else { panic!("{event:?}") };
    assert!(before.key == bob && member.key == tpacket::id_of("carol") && member.key != alice);
    let (_, room) = get(&bench, "/api/v1/rooms/lobby").await;
    assert_eq!((&room["roster"][1]["name"], &room["roster"][1]["number"]), (&json!("Carol"), &json!(0x1001)));
    assert_eq!(get(&bench, "/api/v1/clients/2").await.1["member"]["name"], "Carol");
    assert_eq!(enter(&bench, 4, "bob").await, Ok(bob), "her old nick is free");
}

#[actix_web::test]
async fn a_room_is_moderated_and_what_is_answered_is_on_disk() {
    let (bench, alice, _) = lobby().await;
    let room = "/api/v1/rooms/lobby";
    let kept = async || bench.site.store.rooms(&Limits::default()).await.expect("rooms");
    assert_eq!(send(&bench, Method::PUT, &format!("{room}/topic"), &json!({"topic": "tea"})).await.0, 204);
    assert_eq!(get(&bench, room).await.1["topic"], "tea");
    assert_eq!(kept().await.lines.len(), 4, "the topic, and all that came before it");
    assert_eq!(send(&bench, Method::PUT, &format!("{room}/topic"), &json!({"topic": null})).await.0, 204);
    assert_eq!(get(&bench, room).await.1["topic"], Value::Null);

    let (_, page) = history(&bench, "?limit=500").await;
    let one = page["items"].as_array().expect("items").iter().find(|item| item["text"] == "one");
    let id = one.expect("a line")["id"].as_str().expect("an id").to_owned();
    let line = format!("{room}/history/{id}");
    assert_eq!(ask(&bench, Method::DELETE, &format!("/api/v1/rooms/attic/history/{id}")).await.0, 404);
    assert_eq!(ask(&bench, Method::DELETE, &line).await.0, 204);
    assert_eq!(ask(&bench, Method::DELETE, &line).await.0, 404, "it is gone");
    assert!(!history(&bench, "?limit=500").await.0.contains(&"one".to_owned()));
    assert!(!kept().await.lines.iter().any(|line| line.id.to_string() == id));

    let mute = format!("/api/v1/mutes/{alice}");
    for _ in 0..2 {
        assert_eq!(ask(&bench, Method::PUT, &mute).await.0, 204);
    }
    assert_eq!(kept().await.muted, [alice]);
    assert_eq!(get(&bench, "/api/v1/mutes").await.1["items"], json!([{"member": alice.hex()}]));
    assert_eq!(get(&bench, room).await.1["roster"][0]["muted"], true);
    say(&bench, 1, "unheard").await;
    assert!(!history(&bench, "").await.0.contains(&"unheard".to_owned()));
    assert_eq!(ask(&bench, Method::DELETE, &mute).await.0, 204);
    assert_eq!(ask(&bench, Method::DELETE, &mute).await.0, 404);
    say(&bench, 1, "heard").await;
    assert!(history(&bench, "").await.0.contains(&"heard".to_owned()));

    assert_eq!(send(&bench, Method::POST, &format!("{room}/kick"), &json!({"number": 0x1001})).await.0, 204);
    assert_eq!(send(&bench, Method::POST, &format!("{room}/kick"), &json!({"number": 0x1001})).await.0, 404);
    assert_eq!(get(&bench, room).await.1["guests"], 1);
    for _ in 0..2 {
        assert_eq!(ask(&bench, Method::POST, &format!("{room}/close")).await.0, 204);
    }
    assert!(kept().await.rooms[0].closed.is_some());
    wish(&bench, 2, Wish::Move(name("lobby"))).await;
    let (_, closed) = get(&bench, room).await;
    assert_eq!((&closed["closed"], &closed["guests"]), (&json!(true), &json!(0)));
    assert_eq!(ask(&bench, Method::POST, &format!("{room}/reopen")).await.0, 204);
    wish(&bench, 2, Wish::Move(name("lobby"))).await;
    assert_eq!(get(&bench, room).await.1["guests"], 1);
}

#[actix_web::test]
async fn what_cannot_be_done_to_a_room_is_said() {
    let (bench, ..) = lobby().await;
    let foreign = LineId { stamp: Stamp::at(unix_ms()), home: KeyId([3; 32]) };
    let foreign = format!("/api/v1/rooms/lobby/history/{foreign}");
    let long = json!({"topic": "t".repeat(3000)});
    let none = json!({});
    for (method, path, body, status) in [
        (Method::GET, "/api/v1/rooms/attic", &none, 404),
        (Method::GET, "/api/v1/rooms/%07", &none, 404),
        (Method::GET, "/api/v1/rooms/attic/history", &none, 404),
        (Method::GET, "/api/v1/rooms/lobby/history?cursor=5", &none, 400),
        (Method::GET, "/api/v1/rooms?limit=0", &none, 400),
        (Method::DELETE, "/api/v1/rooms/lobby/history/5", &none, 404),
        (Method::DELETE, &foreign, &none, 404),
        (Method::DELETE, "/api/v1/rooms/attic", &none, 404),
        (Method::POST, "/api/v1/rooms/attic/reopen", &none, 404),
        (Method::POST, "/api/v1/rooms/%0a/close", &none, 404),
        (Method::POST, "/api/v1/rooms/lobby/kick", &none, 400),
        (Method::PUT, "/api/v1/rooms/lobby/topic", &json!({"topics": "x"}), 400),
        (Method::PUT, "/api/v1/mutes/alice", &none, 404),
        (Method::DELETE, "/api/v1/mutes/alice", &none, 404),
    ] {
        let answer = send(&bench, method.clone(), path, body).await;
        assert_eq!(problem(&answer).status, status, "{method} {path}: {}", problem(&answer));
    }
    let strict = super::bench(|settings| settings.limits.room_line_bytes = 2000).await;
    let answer = send(&strict, Method::PUT, "/api/v1/rooms/lobby/topic", &long).await;
    assert!(problem(&answer).detail.expect("words").contains("room_line_bytes"));
}

#[actix_web::test]
async fn an_order_that_cannot_be_written_is_in_force_and_told_as_such() {
    let (bench, ..) = lobby().await;
    assert_eq!(bench.site.archivist.send(Settled).await, Ok(true));
    bench.site.store.close().await;
    let answer = ask(&bench, Method::POST, "/api/v1/rooms/lobby/close").await;
    assert_eq!((problem(&answer).status, problem(&answer).kind), (503, "/problems/store".to_owned()));
    assert_eq!(get(&bench, "/api/v1/rooms/lobby").await.1["closed"], true);
    assert!(bench.site.archivist.send(Flush).await.is_ok(), "and the archivist lives");
}

#[actix_web::test]
async fn what_happens_to_rooms_is_announced() {
    let (bench, alice, _) = lobby().await;
    let mut events = bench.site.house.bulletin.watch();
    wish(&bench, 1, Wish::Move(name("attic"))).await;
    let orders = [
        Order::Topic(name("attic"), "tea".into()),
        Order::Kick(name("attic"), 0x1000),
        Order::Close(name("attic")),
        Order::Close(name("attic")),
        Order::Reopen(name("attic")),
        Order::Mute(alice, true),
        Order::Mute(alice, true),
        Order::Mute(alice, false),
    ];
    for order in orders {
        let done = bench.site.house.registry.send(RoomOrder(order)).await.expect("the registry");
        assert_eq!(done, Ok(()));
    }
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(event.kind.name());
    }
    let expected = ["room_opened", "topic_set", "expelled", "room_closed", "room_opened", "muted", "unmuted"];
    assert_eq!(told, expected);
}
