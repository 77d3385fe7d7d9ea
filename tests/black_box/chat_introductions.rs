//! `kith chat` in the directory of clients that mesh by themselves: listed, found, listed again after a restart, listed no more.

use std::{net::TcpListener, path::Path, time::Instant};

use crate::{
    app::{App, PATIENCE},
    person::Person,
};

fn person(dialect: &str, app: &App, folder: &Path, name: &str) -> Person {
    let nick = if dialect == "tpacket" { &["--nick", name][..] } else { &[] };
    Person::speaking(&[&["--dialect", dialect], nick].concat(), &format!("ws://{}", app.listen), folder, name)
}

/// Reads the directory until this line is in it. It is there only once the server has dialled what it names.
fn finds(reader: &mut Person, line: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !directory(reader).iter().any(|entry| entry == line) {
        assert!(Instant::now() < deadline, "{line} is not in {:?}", directory(reader));
    }
}

/// What is in the directory.
fn directory(reader: &mut Person) -> Vec<String> {
    reader.types("/introductions");
    let head = reader.reads("* introduced here: ");
    let count: usize = head.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number");
    (0..count).map(|_| reader.reads("- ")).collect()
}

fn lasts(dialect: &str) {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [one, two] = [&first, &second].map(|door| door.local_addr().expect("an address").to_string());
    let mut anna = person(dialect, &app, folder.path(), "anna");
    let mut ben = person(dialect, &app, folder.path(), "ben");
    anna.types("/introduce off");
    anna.reads("! /introduce off: you are not introduced to anybody");
    anna.types("/introduce 198.51.100.9:5");
    anna.reads("! /introduce 198.51.100.9:5: that is not an address of yours");
    anna.types(&format!("/introduce {one}"));
    anna.reads(&format!("* introduced as listening at {one}"));
    let me = anna.short.clone();
    finds(&mut ben, &format!("- {one} {me}"));
    ben.types(&format!("/introduce {one}"));
    ben.reads(&format!("! /introduce {one}: somebody else has registered that address"));
    // Another one takes its place.
    anna.types(&format!("/introduce {two}"));
    anna.reads(&format!("* introduced as listening at {two}"));
    finds(&mut ben, &format!("- {two} {me}"));
    assert_eq!(directory(&mut ben), [format!("- {two} {me}")]);
    let listen = app.listen.clone();
    let data = app.kill();
    anna.reads("! lost the connection");
    ben.reads("! lost the connection");
    let _app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    ben.reads("* connected to");
    finds(&mut ben, &format!("- {two} {me}"));
    anna.types("/introduce off");
    anna.reads(&format!("* introduced no more as listening at {two}"));
    assert_eq!(directory(&mut ben), [""; 0]);
    anna.leaves(1);
}

#[test]
fn people_of_olaf_are_introduced() {
    lasts("olaf");
}

#[test]
fn people_of_socp_are_introduced() {
    lasts("socp");
}

#[test]
fn people_of_tpacket_are_introduced() {
    lasts("tpacket");
}
