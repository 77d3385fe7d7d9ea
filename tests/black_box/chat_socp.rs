//! `kith chat --dialect socp` as people use it: two of them, a server, pipes instead of hands.

use std::{fs, path::Path};

use crate::{app::App, chat::Person};

/// Somebody who speaks SOCP.
fn person(app: &App, folder: &Path, name: &str) -> Person {
    Person::speaking(&["--dialect", "socp"], &format!("ws://{}", app.listen), folder, name)
}

#[test]
fn two_people_talk_and_know_who_speaks() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app, folder.path(), "anna");
    anna.reads("* nobody else is here");
    let mut ben = person(&app, folder.path(), "ben");
    ben.reads(&format!("* here: {}", anna.short));
    anna.reads(&format!("* joined: {}", ben.short));
    anna.types("good evening, gr\u{fc}\u{df}e");
    let line = ben.reads("good evening");
    assert_eq!(line, format!("{}: good evening, gr\u{fc}\u{df}e", anna.short));
    ben.types("/all to everybody");
    assert_eq!(anna.reads("to everybody"), format!("{}: to everybody", ben.short));
    let long = "word ".repeat(300);
    anna.types(&format!("/tell {} {long}", ben.short));
    assert_eq!(ben.reads("word word"), format!("{} (private): {}", anna.short, long.trim()));
    ben.types("/nick 0000 nobody");
    ben.reads("! nobody here has a user id that begins with 0000");
    ben.types(&format!("/nick {} anna", anna.short));
    ben.types("/tell anna I found it");
    assert_eq!(anna.reads("I found it"), format!("{} (private): I found it", ben.short));
    ben.types("/list");
    let mut listed = [ben.reads("- "), ben.reads("- ")];
    assert!(listed.is_sorted(), "{listed:?}");
    listed.sort_by_key(|line| line.contains(" anna "));
    let [own, annas] = listed;
    assert!(own.starts_with(&format!("- {}", ben.short)) && own.contains("(you)"), "{own}");
    assert!(annas.starts_with(&format!("- {}", anna.short)), "{annas}");
    anna.types("/tell nobody hello");
    anna.reads("! nobody is known as nobody");
    ben.types("/quit");
    anna.reads(&format!("* left: {}", ben.short));
    let said = anna.leaves(1).join("\n");
    assert!(!said.contains('?'), "nothing is unverified:\n{said}");
    ben.leaves(0);
}

#[test]
fn files_go_through_the_chat_and_stay_in_their_folder() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..70_000_u32).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    let path = folder.path().join("holiday.jpg");
    fs::write(&path, &bytes).expect("a file");
    let hidden = folder.path().join("..\\..\\.evil");
    fs::write(&hidden, b"mischief").expect("a file");
    let mut anna = person(&app, folder.path(), "anna");
    let mut ben = person(&app, folder.path(), "ben");
    anna.reads(&format!("* joined: {}", ben.short));
    let downloads = folder.path().join("ben-downloads");
    anna.types(&format!("/file {} {}", ben.short, path.display()));
    let line = ben.reads("* file of ");
    let place = downloads.join("holiday.jpg");
    assert_eq!(line, format!("* file of {} (private): {} (70000 bytes)", anna.short, place.display()));
    assert_eq!(fs::read(&place).expect("the file"), bytes);
    anna.reads("* sent ");
    anna.types(&format!("/file public {}", path.display()));
    ben.reads("* file of ");
    assert_eq!(fs::read(downloads.join("holiday (2).jpg")).expect("the file"), bytes);
    assert_eq!(fs::read(&place).expect("the first one"), bytes);
    anna.types(&format!("/file public {}", hidden.display()));
    let line = ben.reads("* file of ");
    assert!(line.contains("ben-downloads/evil (8 bytes)"), "{line}");
    anna.types("/file public /nowhere/at/all");
    anna.reads("! /nowhere/at/all was not sent");
    let names = fs::read_dir(&downloads).expect("a folder").flatten().map(|entry| entry.file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["evil", "holiday (2).jpg", "holiday.jpg"]);
    ben.leaves(0);
}

#[test]
fn a_key_is_kept_and_a_server_that_speaks_nothing_else_is_understood_by_itself() {
    let app = App::with(&[("LISTEN__DIALECT", "socp")]);
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("ws://{}", app.listen);
    let first = Person::at(&url, folder.path(), "anna");
    let short = first.short.clone();
    let said = first.leaves(0).join("\n");
    assert!(said.contains("making your key of 4096 bits"), "{said}");
    let again = Person::at(&url, folder.path(), "anna");
    assert_eq!(again.short, short);
    let said = again.leaves(0).join("\n");
    assert!(!said.contains("making your key"), "{said}");
    assert!(folder.path().join("anna.socp.json").exists() && !folder.path().join("anna.json").exists());
}
