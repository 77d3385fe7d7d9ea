//! `kith chat` as people use it: two of them and a server.

use std::fs;

use crate::{app::App, person::Person};

#[test]
fn three_people_talk_and_only_two_know_what_was_whispered() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut ben = Person::sit_down(&app, folder.path(), "ben");
    let mut eve = Person::sit_down(&app, folder.path(), "eve");
    anna.reads(&format!("* joined: {}", eve.short));
    ben.reads(&format!("* joined: {}", eve.short));
    anna.types("good evening");
    for other in [&mut ben, &mut eve] {
        other.reads(&format!("{}: good evening", anna.short));
    }
    anna.types(&format!("/tell {} the key is under the mat", ben.short));
    assert!(ben.reads("under the mat").starts_with(&format!("{} (private)", anna.short)));
    ben.types(&format!("/nick {} anna", anna.short));
    ben.types("/tell anna I found it");
    anna.reads("I found it");
    anna.types("/tell nobody hello");
    anna.reads("! ");
    anna.types("/dance");
    anna.reads("/dance");
    // A stranger's terminal is nobody's to write on.
    anna.types("/all bell\u{7} and \u{1b}[31mred");
    let line = ben.reads("bell");
    assert!(line.ends_with("red") && !line.contains(['\u{7}', '\u{1b}']), "{line:?}");
    ben.types("/quit");
    anna.reads(&format!("* left: {}", ben.short));
    anna.leaves(1);
    ben.leaves(0);
    let eve = eve.leaves(0).join("\n");
    assert!(eve.contains("good evening") && !eve.contains("under the mat"), "{eve}");
}

#[test]
fn a_file_goes_to_one_person_and_arrives_whole() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    let path = folder.path().join("holiday.jpg");
    fs::write(&path, &bytes).expect("a file");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut ben = Person::sit_down(&app, folder.path(), "ben");
    anna.reads(&format!("* joined: {}", ben.short));
    anna.types(&format!("/file {} {}", ben.short, path.display()));
    let line = ben.reads("http://");
    let link = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a link");
    ben.types(&format!("/get {link}"));
    ben.reads("downloads");
    let downloads = folder.path().join("ben-downloads");
    let file = fs::read_dir(&downloads).expect("a folder").flatten().next().expect("a file");
    assert_eq!(fs::read(file.path()).expect("its bytes"), bytes);
    anna.types("/file public /nowhere/at/all");
    anna.reads("! ");
}

#[test]
fn a_lost_server_is_said_and_found_again() {
    let app = App::start();
    let listen = app.listen.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let data = app.stop();
    anna.reads("! ");
    anna.reads("* trying again");
    // The same door opens again.
    let _app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    anna.reads("* connected to");
}

#[test]
fn one_line_from_a_script_is_delivered() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut script = Person::sit_down(&app, folder.path(), "script");
    script.types("backup done");
    script.leaves(0);
    anna.reads("backup done");
}
