//! `kith chat --dialect tpacket` as people use it: on our own server, and on one as the first one was.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{
    app::{App, PATIENCE, kith},
    peers::python,
    person::Person,
};

/// Somebody who speaks tPacket.
fn person(door: &str, folder: &Path, nick: &str, more: &[&str]) -> Person {
    let words = [&["--dialect", "tpacket", "--nick", nick], more].concat();
    Person::speaking(&words, &format!("ws://{door}"), folder, nick)
}

#[test]
fn people_talk_in_rooms_and_change_them_and_their_nicks() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app.listen, folder.path(), "anna", &[]);
    assert_eq!(anna.short, "anna");
    anna.reads("* in room public");
    anna.reads("* nobody else is here");
    let mut ben = person(&app.listen, folder.path(), "ben", &[]);
    ben.reads("* here: anna");
    anna.reads("* joined: ben");
    anna.types("good evening, gr\u{fc}\u{df}e \u{1b}[2J");
    assert_eq!(ben.reads("good evening"), "anna: good evening, gr\u{fc}\u{df}e \u{fffd}[2J");
    let long = "word ".repeat(300);
    ben.types(&long);
    assert_eq!(anna.reads("word word"), format!("ben: {}", long.trim()));
    ben.types("/nick rob");
    ben.reads("* you are called rob now");
    anna.reads("* ben is called rob now");
    anna.types("/join den");
    anna.reads("* in room den");
    anna.reads("* nobody else is here");
    ben.reads("* left: anna");
    ben.types("/join den");
    anna.reads("* joined: rob");
    anna.types("/rooms");
    assert_eq!([anna.reads("- "), anna.reads("- ")], ["- den (2)", "- public (0)"]);
    anna.types("/who");
    assert_eq!(
        [anna.reads("- "), anna.reads("- ")].map(|line| line.trim().to_owned()),
        ["- anna (you)", "- rob -"]
    );
    anna.types("/history public");
    anna.reads("! /history public: one must be in that room for it");
    anna.types("tea?");
    assert_eq!(ben.reads("tea?"), "anna: tea?");
    anna.types("/history");
    anna.reads("* lines said in room den: 1");
    let line = anna.reads("tea?");
    assert!(line.starts_with("< 20") && line.ends_with("Z anna: tea?"), "{line}");
    anna.types("/tell rob psst");
    anna.reads("! not sent to rob: there are no private messages here");
    anna.types("/file public x");
    anna.reads("! files are not sent here");
    anna.types("/leave");
    anna.reads("* left room den");
    ben.reads("* left: anna");
    anna.types("anybody?");
    anna.reads("! not sent to everyone: you are in no room");
    ben.leaves(0);
    anna.leaves(1);
    assert!(!folder.path().join("anna.tpacket.json").exists(), "nobody needs a key");
}

#[test]
fn a_nick_in_use_is_said_and_another_one_chosen() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app.listen, folder.path(), "anna", &["--room", "den"]);
    anna.reads("* nobody else is here");
    let mut twin = person(&app.listen, folder.path(), "ANNA", &["--room", "den"]);
    twin.reads("! you are not called ANNA: somebody else is called so; choose another nick with /nick NICK");
    twin.types("hello?");
    twin.reads("! not sent to everyone: you have no nick yet");
    twin.types("/nick carol");
    twin.reads("* you are called carol now");
    twin.reads("* here: anna");
    anna.reads("* joined: carol");
    twin.types("/nick an\u{7}na");
    twin.reads("! /nick an\u{fffd}na: a nick has 1 to 48 bytes");
    twin.types("/nick Anna");
    twin.reads("! you are not called Anna: somebody else is called so");
    twin.types("still carol");
    assert_eq!(anna.reads("still carol"), "carol: still carol");
    twin.leaves(1);
}

#[test]
fn nick_and_room_are_taken_again_and_no_line_is_shown_twice() {
    let app = App::start();
    let listen = app.listen.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&listen, folder.path(), "anna", &["--room", "den"]);
    anna.reads("* nobody else is here");
    let mut ben = person(&listen, folder.path(), "ben", &["--room", "den"]);
    anna.reads("* joined: ben");
    ben.types("before the night");
    anna.reads("before the night");
    let data = app.stop();
    anna.reads("! lost the connection: the server shuts down or restarts");
    let _app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    anna.reads("* in room den");
    ben.reads("* in room den");
    ben.types("after the night");
    anna.reads("after the night");
    let mut late = person(&listen, folder.path(), "late", &["--room", "den"]);
    assert!(late.reads("before the night").starts_with("< "), "the house remembers");
    let said = anna.leaves(0);
    let of = |text: &str| said.iter().filter(|line| line.contains(text)).count();
    assert_eq!((of("before the night"), of("after the night")), (1, 1), "{}", said.join("\n"));
}

#[test]
fn a_pipe_asks_and_hears_the_answer_before_it_ends() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut pipe = person(&app.listen, folder.path(), "pipe", &["--room", "den"]);
    for line in ["backup done", "/history", "/rooms"] {
        pipe.types(line);
    }
    let said = pipe.leaves(0).join("\n");
    assert!(said.contains("Z pipe: backup done\n- den (1)"), "{said}");
}

#[test]
fn other_dialects_say_that_they_have_no_nicks() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::at(&format!("ws://{}", app.listen), folder.path(), "anna");
    anna.types("/nick anna");
    anna.reads("! that command needs more: /nick WHO NAME");
    anna.leaves(1);
    let url = format!("ws://{}", app.listen);
    let output =
        kith().args(["chat", &url, "--dialect", "olaf", "--nick", "x"]).output().expect("the program");
    assert!(String::from_utf8_lossy(&output.stderr).contains("in OLAF there are no nicks"), "{output:?}");
    assert_eq!(output.status.code(), Some(2));
}

/// A server as the first one was.
struct Original {
    child: Child,
    lines: Receiver<String>,
    door: String,
}

impl Original {
    fn start(port: &str) -> Self {
        let mut child = Command::new(python())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tests/peers/tpacket_original.py", "--port", port])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter");
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("its words"));
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let door = lines.recv_timeout(PATIENCE).expect("a door");
        Self { child, lines, door }
    }

    fn notices(&self, what: &str) {
        loop {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no {what:?}: {error}"));
            assert!(!line.starts_with("crashed"), "{line}");
            if line == what {
                return;
            }
        }
    }

    /// It has borne everything.
    fn lives(&mut self) {
        let status = self.child.try_wait().expect("a status");
        assert!(status.is_none(), "{status:?}: {:?}", self.lines.try_iter().collect::<Vec<_>>());
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_first_server_is_understood_and_borne() {
    let mut original = Original::start("0");
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&original.door, folder.path(), "anna", &["--room", "den"]);
    anna.reads("* in room den");
    anna.reads("* nobody else is here");
    original.notices("magic 1");
    let mut ben = person(&original.door, folder.path(), "ben", &["--room", "den"]);
    ben.reads("* here: anna");
    anna.reads("* joined: ben");
    // Too long for its buffers, and the rest of a length that it announces wrongly.
    let long = "x".repeat(360);
    anna.types(&long);
    let pieces = [ben.reads("xxx"), ben.reads("xxx"), ben.reads("x")];
    let text: String = pieces.iter().filter_map(|line| line.strip_prefix("anna: ")).collect();
    assert_eq!(text, long);
    for (line, words) in [
        ("/rooms", "! /rooms: this server has no list of rooms"),
        ("/history", "! /history: this server shows what was said only to those who enter a room"),
        ("/leave", "! /leave: on this server one cannot be without a room"),
        ("/nick rob", "! you are not called rob: on this server a nick stays"),
    ] {
        ben.types(line);
        ben.reads(words);
    }
    let mut late = person(&original.door, folder.path(), "late", &["--room", "den"]);
    late.reads("* here: anna, ben");
    let pieces = [late.reads("< anna: x"), late.reads("< anna: x"), late.reads("< anna: x")];
    assert_eq!(pieces.concat().matches('x').count(), 360);
    late.types("all is there");
    assert_eq!(anna.reads("all is there"), "late: all is there");
    late.types("/join attic");
    late.reads("! you are not let into room attic: the server refuses it");
    late.reads("* in room attic");
    late.reads("* nobody else is here");
    // Half of a nick is taken for the whole; the connection stays, so nothing breaks.
    let mut ann = person(&original.door, folder.path(), "ann", &["--room", "den"]);
    ann.reads("! you are not called ann: somebody else is called so");
    ann.types("/nick eve");
    ann.reads("* here: anna, ben");
    ben.leaves(1);
    anna.reads("* left: ben");
    late.leaves(1);
    original.lives();
}

#[test]
fn a_first_server_is_asked_whether_it_lives_in_the_only_way_that_it_answers() {
    let mut original = Original::start("0");
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&original.door, folder.path(), "anna", &["--room", "den"]);
    original.notices("ping 8");
    let mut ben = person(&original.door, folder.path(), "ben", &["--room", "den"]);
    anna.reads("* joined: ben");
    ben.types("still in step");
    assert_eq!(anna.reads("still in step"), "ben: still in step");
    anna.leaves(0);
    original.lives();
}

#[test]
fn a_first_server_that_comes_back_repeats_nothing_that_was_shown() {
    let mut original = Original::start("0");
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&original.door, folder.path(), "anna", &["--room", "den"]);
    anna.reads("* nobody else is here");
    let mut ben = person(&original.door, folder.path(), "ben", &["--room", "den"]);
    anna.reads("* joined: ben");
    ben.types("only once");
    anna.reads("only once");
    let port = original.door.rsplit_once(':').expect("a port").1.to_owned();
    drop(original);
    anna.reads("! lost the connection");
    original = Original::start(&port);
    anna.reads("* in room den");
    ben.reads("* in room den");
    original.notices("nick anna");
    ben.types("and again");
    assert_eq!(anna.reads("and again"), "ben: and again");
    ben.leaves(0);
    anna.leaves(0);
    original.lives();
}
