//! `kith chat` in one room over every dialect: the same room, pages of its history, a restart, and a server that has none.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use tokio_tungstenite::tungstenite::{Message, accept};

use crate::{app::App, person::Person};

/// Somebody who speaks a dialect, at a door, with more words on the command line.
fn person(dialect: &str, door: &str, folder: &Path, name: &str, more: &[&str]) -> Person {
    let nick = if dialect == "tpacket" { &["--nick", name][..] } else { &[] };
    let words = [&["--dialect", dialect], nick, more].concat();
    Person::speaking(&words, &format!("ws://{door}"), folder, name)
}

const DEN: [&str; 2] = ["--room", "den"];

#[test]
fn people_of_three_dialects_talk_in_one_room_and_nobody_else_hears() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut eve = person("olaf", &app.listen, folder.path(), "eve", &[]);
    let mut anna = person("olaf", &app.listen, folder.path(), "anna", &DEN);
    anna.reads("* nobody else is in room den");
    let mut ben = person("socp", &app.listen, folder.path(), "ben", &[]);
    ben.types("/join den");
    ben.reads("* in room den");
    let line = ben.reads("* in room den with ");
    assert_eq!(line, format!("* in room den with ~{} (olaf)", anna.short));
    anna.reads("* joined room den: ~");
    let mut carl = person("tpacket", &app.listen, folder.path(), "carl", &DEN);
    anna.reads("* joined room den: ~carl (tpacket)");
    ben.reads("* joined room den: ~carl (tpacket)");
    anna.types("anna says this");
    ben.reads(&format!("~{} (olaf) (in den): anna says this", anna.short));
    carl.reads("anna says this");
    ben.types("ben says this");
    assert!(anna.reads("ben says this").contains(" (socp) (in den): "), "with his dialect");
    carl.reads("ben says this");
    carl.types("carl says this");
    for other in [&mut anna, &mut ben] {
        assert_eq!(other.reads("carl says this"), "~carl (tpacket) (in den): carl says this");
    }
    anna.types("/who");
    assert!(anna.reads("* in your room: ").contains("~carl (tpacket)"));
    anna.types("/rooms");
    anna.reads("- den (3)");
    // What goes to everybody is another thing.
    anna.types("/all to everybody");
    assert_eq!(eve.reads("to everybody"), format!("{}: to everybody", anna.short));
    anna.types("/leave");
    anna.reads("* left room den");
    ben.reads("* left room den: ~");
    anna.types("to everybody again");
    eve.reads("to everybody again");
    ben.types("/tell nobody hello");
    ben.reads("! ");
    ben.types("in the den");
    carl.reads("in the den");
    anna.leaves(0);
    ben.leaves(1);
    carl.leaves(0);
    let said = eve.leaves(0).join("\n");
    assert!(!said.contains("says this") && !said.contains("in the den"), "{said}");
}

#[test]
fn a_history_is_read_page_by_page_in_every_dialect() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person("olaf", &app.listen, folder.path(), "anna", &DEN);
    anna.reads("* nobody else is in room den");
    for number in 0..230 {
        anna.types(&format!("number {number}."));
    }
    let mut last = person("tpacket", &app.listen, folder.path(), "last", &DEN);
    last.reads("number 229.");
    let mut ben = person("socp", &app.listen, folder.path(), "ben", &DEN);
    let mut cleo = person("olaf", &app.listen, folder.path(), "cleo", &DEN);
    for reader in [&mut ben, &mut cleo, &mut last] {
        reader.types("/older");
        reader.reads("! /older: there is nothing older");
        let mut pages = Vec::new();
        for (command, count, more) in [("/history", 100, true), ("/older", 100, true), ("/older", 30, false)]
        {
            reader.types(command);
            let head = reader.reads("* lines said in room den: ");
            let older = if more { "; there are older ones" } else { "" };
            assert_eq!(head, format!("* lines said in room den: {count}{older}"));
            let lines: Vec<_> = (0..count).map(|_| reader.reads("number ")).collect();
            pages.push(lines);
        }
        let shown = pages.into_iter().rev().flatten();
        for (number, line) in shown.enumerate() {
            assert!(line.starts_with("< 20") && line.ends_with(&format!(": number {number}.")), "{line}");
        }
        reader.types("/older");
        reader.reads("! /older: there is nothing older");
    }
}

#[test]
fn after_a_restart_the_room_is_entered_again_and_what_was_missed_is_shown_once() {
    let app = App::start();
    let listen = app.listen.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person("olaf", &listen, folder.path(), "anna", &DEN);
    let mut ben = person("socp", &listen, folder.path(), "ben", &DEN);
    anna.reads("* joined room den: ~");
    ben.types("before the night");
    anna.reads("before the night");
    let data = app.stop();
    for sleeper in [&mut anna, &mut ben] {
        sleeper.reads("! lost the connection");
        sleeper.signal("STOP");
    }
    let _app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    let mut carl = person("tpacket", &listen, folder.path(), "carl", &DEN);
    // More than one frame holds.
    let long = "word ".repeat(200);
    for number in 0..150 {
        carl.types(&format!("{long} missed {number}."));
    }
    carl.types("/history");
    carl.reads("missed 149.");
    anna.signal("CONT");
    ben.signal("CONT");
    anna.reads("* in room den");
    anna.reads("missed 149.");
    ben.reads("missed 149.");
    anna.types("after the night");
    assert!(ben.reads("after the night").ends_with(" (in den): after the night"));
    for reader in [anna, ben] {
        let said = reader.leaves(0);
        let of = |text: &str| said.iter().filter(|line| line.contains(text)).count();
        assert!(of("before the night") <= 1, "{}", said.join("\n"));
        let at = |text: &str| said.iter().position(|line| line.contains(text));
        assert!(at("missed 0.") < at("missed 149."), "in order");
        for number in 0..150 {
            assert_eq!(of(&format!("missed {number}.")), 1, "{}", said.join("\n"));
        }
    }
}

/// A server that speaks OLAF and SOCP, as far as a client must hear something, and knows nothing of rooms.
struct Old {
    door: String,
    heard: Receiver<String>,
}

impl Old {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let door = listener.local_addr().expect("an address").to_string();
        let (sender, heard) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || serve(stream, &sender));
            }
        });
        Self { door, heard }
    }
}

/// One visitor, of the web or of the chat.
fn serve(mut stream: TcpStream, heard: &Sender<String>) -> Option<()> {
    let mut head = [0; 4096];
    let length = stream.peek(&mut head).ok()?;
    if !String::from_utf8_lossy(&head[..length]).to_lowercase().contains("upgrade: websocket") {
        heard.send("a visitor of the web".to_owned()).ok()?;
        let document = r#"{"dialects":[{"name":"olaf"},{"name":"socp"}]}"#;
        let length = document.len();
        return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{document}").ok();
    }
    let mut socket = accept(stream).ok()?;
    while let Ok(message) = socket.read() {
        let Message::Text(text) = message else { continue };
        let answer = match &*text {
            text if text.contains("client_list_request") => r#"{"type":"client_list","servers":[]}"#,
            text if text.contains("USER_LIST_REQ") => {
                r#"{"type":"USER_LIST","from":"s","to":"*","payload":{"users":[]}}"#
            }
            _ => "",
        };
        heard.send(text.to_string()).ok()?;
        if !answer.is_empty() {
            socket.send(Message::text(answer)).ok()?;
        }
    }
    None
}

#[test]
fn a_server_without_rooms_never_sees_a_frame_of_them_and_the_member_is_told() {
    let old = Old::start();
    let folder = tempfile::tempdir().expect("a folder");
    for dialect in ["olaf", "socp"] {
        let mut anna = person(dialect, &old.door, folder.path(), "anna", &[]);
        anna.types("to everybody");
        for line in ["/rooms", "/history", "/leave", "/join den"] {
            anna.types(line);
            anna.reads(&format!("! {line}: this server has no rooms"));
        }
        // It was meant for the den.
        anna.types("a secret");
        anna.reads("! not sent to everyone: you are in no room any more");
        anna.types("to everybody again");
        anna.leaves(1);
        let mut ben = person(dialect, &old.door, folder.path(), "ben", &DEN);
        ben.reads("! you are not let into room den: this server has no rooms");
        ben.types("a secret");
        ben.leaves(1);
    }
    let heard: Vec<String> = old.heard.try_iter().collect();
    assert!(heard.iter().any(|text| text == "a visitor of the web"), "{heard:?}");
    assert!(!heard.iter().any(|text| text.contains("kith\"") || text.contains("a secret")), "{heard:?}");
    let words = heard.iter().filter(|text| text.contains("public_chat") || text.contains("MSG_PUBLIC"));
    assert_eq!(words.count(), 4, "{heard:?}");
}
