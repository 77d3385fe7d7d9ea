//! Rooms through real sockets: what guests hear, what comes back after a restart, and what operators do.

use actix_web::http::Method;
use futures_util::{SinkExt as _, StreamExt as _};
use kith::dialect::tpacket::packet::{MAGIC, Packet, command};
use kith::domain::letter::Frame;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    app::{App, PATIENCE, in_time, kith},
    peers::run,
};

/// What a guest hears: the command, the number of who did it, and the words.
pub(crate) type Heard = (u32, i32, String);

/// Somebody with a nick, who speaks tPacket as its first client does.
pub(crate) struct Guest {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u32,
}

impl Guest {
    /// Comes in under a nick.
    pub(crate) async fn join(app: &App, nick: &str) -> Self {
        let url = format!("ws://{}/", app.listen);
        let (socket, _) = timeout(PATIENCE, connect_async(url)).await.expect("in time").expect("a socket");
        let mut guest = Self { socket, asked: 0x1000 };
        guest.say(command::NOP, MAGIC).await;
        guest.say(command::SET_USER_NICK, nick.as_bytes()).await;
        assert_eq!(guest.next().await.0, command::RESP_OK, "{nick}");
        guest
    }

    /// Comes in, and goes to a room. What is in the answer is heard next.
    pub(crate) async fn enter(app: &App, nick: &str, room: &str) -> Self {
        let mut guest = Self::join(app, nick).await;
        guest.go(room).await;
        guest
    }

    pub(crate) async fn go(&mut self, room: &str) {
        self.say(command::SET_ROOM, room.as_bytes()).await;
    }

    pub(crate) async fn talk(&mut self, text: &str) {
        self.say(command::NEW_MSG, text.as_bytes()).await;
    }

    async fn say(&mut self, command: u32, data: &[u8]) {
        let packet = Packet { uid: self.asked, command, p1: 0, p2: 0, data };
        self.asked += 1;
        let Frame::Binary(bytes) = packet.print() else { panic!("a packet is binary") };
        self.socket.send(Message::Binary(bytes)).await.expect("a socket that takes frames");
    }

    /// The next packet.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a packet in time") {
                Some(Ok(Message::Binary(bytes))) => {
                    let packet = Packet::read(&bytes).expect("a packet");
                    let words = String::from_utf8(packet.data.to_vec()).expect("text");
                    return (packet.command, packet.p1, words);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("an unexpected end: {other:?}"),
            }
        }
    }

    /// Everything up to a packet with this command and these words, and that one.
    pub(crate) async fn until(&mut self, command: u32, words: &str) -> Vec<Heard> {
        in_time(words, async {
            let mut heard = Vec::new();
            loop {
                let next = self.next().await;
                let is_last = next.0 == command && next.2 == words;
                heard.push(next);
                if is_last {
                    return heard;
                }
            }
        })
        .await
    }

    /// What it hears between now and something that it says itself.
    pub(crate) async fn hears_before_saying(&mut self, text: &str) -> Vec<Heard> {
        self.talk(text).await;
        let mut heard = self.until(command::NEW_MSG, text).await;
        heard.pop();
        heard
    }
}

/// The words of what was said before.
pub(crate) fn logged(heard: &[Heard]) -> Vec<&str> {
    let lines = heard.iter().filter(|(known, ..)| *known == command::LOGGED_MSG);
    lines.map(|(_, _, words)| words.as_str()).collect()
}

/// Waits until a room of a server has so many guests and lines.
pub(crate) async fn until(app: &App, room: &str, guests: usize, lines: usize) {
    app.until(&format!("/api/v1/rooms/{room}"), |answer| {
        answer.status == 200 && answer.json()["guests"] == guests && answer.json()["lines"] == lines
    })
    .await;
}

async fn post(app: &App, path: &str) {
    let answer = app.api(Method::POST, path).await;
    assert_eq!(answer.status, 204, "{path}: {answer:?}");
}

/// The guests of a room by name, as the API shows them.
async fn roster(app: &App, room: &str) -> Vec<Value> {
    app.get(&format!("/api/v1/rooms/{room}")).await["roster"].as_array().expect("a roster").clone()
}

#[actix_web::test]
async fn what_was_said_comes_back_after_a_restart_and_after_a_crash() {
    let app = App::start();
    let mut anna = Guest::enter(&app, "anna", "lobby").await;
    for text in ["one", "two", "three"] {
        anna.talk(text).await;
    }
    anna.until(command::NEW_MSG, "three").await;
    let topic = app.api_with(Method::PUT, "/api/v1/rooms/lobby/topic", &json!({"topic": "tea"})).await;
    assert_eq!(topic.status, 204, "{topic:?}");
    post(&app, "/api/v1/rooms/attic/close").await;
    // In order: the drain writes down what is still in memory.
    anna.talk("last words").await;
    anna.until(command::NEW_MSG, "last words").await;
    let app = App::in_folder(app.stop(), &[]);
    let mut ben = Guest::enter(&app, "ben", "lobby").await;
    let heard = ben.until(command::LOGGED_MSG, "anna: last words").await;
    let said = ["anna: one", "anna: two", "anna: three", "anna: last words"];
    assert_eq!(logged(&heard)[1..], said, "{heard:?}");
    assert!(logged(&heard)[0].contains("tea"), "{heard:?}");
    // What an operator was told is done is there after a crash.
    let history = app.get("/api/v1/rooms/lobby/history").await;
    let line = history["items"].as_array().expect("lines").iter().find(|line| line["text"] == "one");
    let id = line.expect("the line")["id"].as_str().expect("an id");
    let gone = app.api(Method::DELETE, &format!("/api/v1/rooms/lobby/history/{id}")).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let app = App::in_folder(app.kill(), &[]);
    let mut cleo = Guest::enter(&app, "cleo", "lobby").await;
    let heard = cleo.until(command::LOGGED_MSG, "anna: last words").await;
    assert_eq!(logged(&heard)[1..], said[1..]);
    cleo.go("attic").await;
    let (refused, why, _) = cleo.next().await;
    assert_eq!((refused, why), (command::RESP_ERROR, -4), "it is still closed");
}

#[actix_web::test]
async fn operators_moderate_while_people_talk() {
    let app = App::start();
    let mut watch = app.watch().await;
    let mut anna = Guest::enter(&app, "anna", "lobby").await;
    anna.until(command::NEW_USER, "anna").await;
    let mut ben = Guest::enter(&app, "ben", "lobby").await;
    ben.until(command::NEW_USER, "anna").await;
    anna.until(command::NEW_USER, "ben").await;
    let guests = roster(&app, "lobby").await;
    let (number, member) = (&guests[1]["number"], guests[1]["member"].as_str().expect("a member"));
    assert_eq!((&guests[0]["name"], &guests[1]["name"]), (&json!("anna"), &json!("ben")));

    let mute = app.api(Method::PUT, &format!("/api/v1/mutes/{member}")).await;
    assert_eq!(mute.status, 204, "{mute:?}");
    ben.talk("unheard").await;
    assert_eq!(ben.until(command::RESP_ERROR, "").await.len(), 1);
    assert_eq!(anna.hears_before_saying("is anybody there?").await, []);
    ben.say(command::SET_USER_NICK, b"benjamin").await;
    let heard = ben.until(command::RESP_ERROR, "").await;
    assert!(!heard.iter().any(|packet| packet.0 == command::RESP_OK), "nor under another nick: {heard:?}");
    let speak = app.api(Method::DELETE, &format!("/api/v1/mutes/{member}")).await;
    assert_eq!(speak.status, 204, "{speak:?}");
    ben.talk("I am").await;
    anna.until(command::NEW_MSG, "I am").await;

    let kick = app.api_with(Method::POST, "/api/v1/rooms/lobby/kick", &json!({"number": number})).await;
    assert_eq!(kick.status, 204, "{kick:?}");
    anna.until(command::DEL_USER, "ben").await;
    ben.until(command::DEL_USER, "ben").await;
    ben.talk("from outside").await;
    assert_eq!(ben.next().await.0, command::RESP_ERROR);
    ben.go("lobby").await;
    ben.until(command::LOGGED_MSG, "ben: I am").await;

    post(&app, "/api/v1/rooms/lobby/close").await;
    anna.talk("from outside").await;
    anna.until(command::RESP_ERROR, "").await;
    assert!(roster(&app, "lobby").await.is_empty());
    post(&app, "/api/v1/rooms/lobby/reopen").await;
    anna.go("lobby").await;
    anna.until(command::NEW_USER, "anna").await;
    for name in ["room_opened", "muted", "unmuted", "expelled", "room_closed", "room_opened"] {
        watch.about_link(name).await;
    }
}

#[actix_web::test]
async fn in_a_strict_house_a_room_that_was_refused_is_not_the_one_for_good() {
    let app = App::with(&[("TPACKET__STRICT_SEED", "true")]);
    post(&app, "/api/v1/rooms/attic/close").await;
    let mut anna = Guest::join(&app, "anna").await;
    anna.go("attic").await;
    let refused = anna.next().await;
    assert_eq!((refused.0, refused.1), (command::RESP_ERROR, -4), "it is closed");
    // Both at once: the second one must not slip through before the first one is answered.
    anna.go("lobby").await;
    anna.go("cellar").await;
    anna.until(command::NEW_USER, "anna").await;
    let refused = anna.next().await;
    assert_eq!((refused.0, refused.1), (command::RESP_ERROR, -1), "lobby it is");
}

#[actix_web::test]
async fn another_spelling_of_ones_own_nick_is_told_once_and_the_same_one_not_at_all() {
    let app = App::start();
    let mut anna = Guest::enter(&app, "anna", "lobby").await;
    anna.until(command::NEW_USER, "anna").await;
    let mut ben = Guest::enter(&app, "ben", "lobby").await;
    ben.until(command::NEW_USER, "anna").await;
    anna.until(command::NEW_USER, "ben").await;
    anna.say(command::SET_USER_NICK, b"anna").await;
    assert_eq!(anna.next().await.0, command::RESP_OK);
    assert_eq!(ben.hears_before_saying("nothing has happened").await, []);
    anna.say(command::SET_USER_NICK, b"Anna").await;
    let renamed = ben.until(command::NEW_USER, "Anna").await;
    let [went, came] = &renamed[..] else { panic!("{renamed:?}") };
    assert_eq!((went.0, &*went.2, went.1), (command::DEL_USER, "anna", came.1), "the same number");
    assert_eq!(ben.hears_before_saying("once").await, []);
}

#[actix_web::test]
async fn a_disk_that_takes_nothing_stops_no_words_and_an_operator_is_told() {
    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
    let app = App::start();
    let mut anna = Guest::enter(&app, "anna", "lobby").await;
    let options = SqliteConnectOptions::new().filename(app.database());
    let mut database = SqliteConnection::connect_with(&options).await.expect("the database");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.expect("a lock");
    anna.talk("does the house stand?").await;
    anna.until(command::NEW_MSG, "does the house stand?").await;
    let close = app.api(Method::POST, "/api/v1/rooms/attic/close").await;
    assert_eq!((close.status, &close.json()["type"]), (503, &json!("/problems/store")), "{close:?}");
    sqlx::query("ROLLBACK").execute(&mut database).await.expect("an end");
    // What waited is written when the store is back.
    app.until("/readyz", |answer| answer.status == 200).await;
    post(&app, "/api/v1/rooms/attic/close").await;
    let app = App::in_folder(app.kill(), &[]);
    let mut ben = Guest::enter(&app, "ben", "lobby").await;
    ben.until(command::LOGGED_MSG, "anna: does the house stand?").await;
    assert_eq!(app.get("/api/v1/rooms/attic").await["closed"], true);
}

#[actix_web::test]
async fn the_terminal_moderates_too() {
    let app = App::start();
    let mut anna = Guest::enter(&app, "anna", "a room").await;
    anna.talk("hello").await;
    anna.until(command::NEW_MSG, "hello").await;
    let (url, data) = (format!("http://{}", app.admin), app.folder().join("data").display().to_string());
    let run = async |arguments: &[&str]| {
        let mut command = kith();
        command.args(["admin", "--url", &url, "--data", &data]).args(arguments);
        let work = move || command.output().expect("the program");
        let output = actix_web::rt::task::spawn_blocking(work).await.expect("an answer");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        (output.status.code(), text)
    };
    for (arguments, words) in [
        (&["rooms"][..], "a room"),
        (&["rooms", "a room"], "anna"),
        (&["room", "history", "a room"], "hello"),
        (&["room", "topic", "a room", "tea"], "a room is about: tea"),
        (&["room", "mutes"], "MEMBER"),
        (&["room", "kick", "a room", "4096"], "guest 4096 is out"),
        (&["room", "close", "a room"], "a room is closed"),
        (&["room", "reopen", "a room"], "a room is open"),
        (&["room", "topic", "cellar", "wine"], "cellar is about: wine"),
        (&["room", "forget", "cellar"], "cellar is forgotten here"),
        (&["rooms"], "a room"),
    ] {
        let (code, text) = run(arguments).await;
        assert!(code == Some(0) && text.contains(words), "{arguments:?}: {text}");
    }
    assert_eq!(run(&["room", "forget", "cellar"]).await.0, Some(1), "it is gone already");
    let (code, text) = run(&["rooms", "attic"]).await;
    assert!(code == Some(1) && text.contains("no such room"), "{text}");
    let (_, text) = run(&["--json", "room", "history", "a room"]).await;
    let lines: Value = serde_json::from_str(&text).expect("JSON");
    let id = lines[1]["id"].as_str().expect("an id");
    assert_eq!(run(&["room", "withdraw", "a room", id]).await.0, Some(0));
    assert_eq!(run(&["room", "withdraw", "a room", id]).await.0, Some(1), "it is gone already");
}

#[test]
fn clients_whose_protocol_has_no_rooms_use_them_and_others_never_hear_of_it() {
    let app = App::with(&[("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "1000")]);
    let (url, http) = (format!("ws://{}", app.listen), format!("http://{}/", app.listen));
    run("rooms_suite.py", &["--url", &url, "--http", &http]);
}

#[actix_web::test]
async fn nobody_uses_up_the_rooms_and_an_operator_empties_one() {
    let app =
        App::with(&[("LIMITS__ROOMS_OPENED_PER_MEMBER", "2"), ("LIMITS__ROOMS_OPENED_PER_ADDRESS", "3")]);
    let mut mallory = Guest::join(&app, "mallory").await;
    let opens = async |guest: &mut Guest, room: &str| {
        guest.go(room).await;
        loop {
            match guest.next().await {
                (command::RESP_OK, ..) => break,
                (command::RESP_ERROR, ..) => return false,
                _ => {}
            }
        }
        guest.talk("mine").await;
        guest.until(command::NEW_MSG, "mine").await;
        true
    };
    for (room, may) in [("a", true), ("b", true), ("c", false)] {
        assert_eq!(opens(&mut mallory, room).await, may, "{room}");
    }
    // Another nick costs nothing, another address does.
    let mut again = Guest::join(&app, "again").await;
    for (room, may) in [("c", true), ("d", false), ("a", true)] {
        assert_eq!(opens(&mut again, room).await, may, "{room}");
    }
    let mut watch = app.watch().await;
    let gone = app.api(Method::DELETE, "/api/v1/rooms/a").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(watch.about_link("room_forgotten").await["room"], "a");
    again.talk("from outside").await;
    again.until(command::RESP_ERROR, "").await;
    assert_eq!(app.api(Method::DELETE, "/api/v1/rooms/a").await.status, 404);
    // That makes place, and is so after a crash.
    assert!(opens(&mut mallory, "d").await);
    let app = App::in_folder(app.kill(), &[]);
    let rooms = app.get("/api/v1/rooms").await;
    assert!(rooms["items"].as_array().expect("rooms").iter().all(|room| room["name"] != "a"), "{rooms}");
}
