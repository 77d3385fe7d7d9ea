//! `kith chat --dialect socp` as people use it: two of them, a server, pipes instead of hands.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{SinkExt as _, StreamExt as _};
use kith::crypto::{
    keys::PrivateKey,
    sha256,
    signature::{Salt, sign},
};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    app::{App, in_time},
    person::Person,
};

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
    // Not every line could be obeyed.
    ben.leaves(1);
}

#[test]
fn a_letter_for_somebody_who_is_away_waits_and_its_author_is_told() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app, folder.path(), "anna");
    let ben = person(&app, folder.path(), "ben");
    anna.reads(&format!("* joined: {}", ben.short));
    anna.types(&format!("/nick {} ben", ben.short));
    ben.leaves(0);
    anna.reads("* left: ben");
    anna.types("/tell ben come for tea");
    anna.reads("* ben is away; the letter waits at the server");
    anna.types("/file ben /nowhere");
    anna.reads("! ben is not here");
    let mut ben = person(&app, folder.path(), "ben");
    assert_eq!(ben.reads("come for tea"), format!("{} (private): come for tea", anna.short));
    let said = ben.leaves(0);
    assert_eq!(said.iter().filter(|line| line.contains("come for tea")).count(), 1);
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

#[actix_web::test]
async fn a_lost_server_is_said_and_found_again() {
    let app = App::start();
    let listen = app.listen.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app, folder.path(), "anna");
    let mut ben = person(&app, folder.path(), "ben");
    anna.reads("* joined: ");
    let data = app.stop();
    anna.reads("! lost the connection: the server shuts down or restarts");
    anna.reads("* trying again");
    let app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    anna.reads("* connected to");
    ben.reads("* connected to");
    // Whoever of both is back first: he sees her before he writes to her.
    in_time("both are back", async { while app.clients().await.len() < 2 {} }).await;
    anna.types("is anybody here?");
    ben.reads("is anybody here?");
    ben.types(&format!("/tell {} here again", anna.short));
    let line = anna.reads("here again");
    assert_eq!(line, format!("{} (private): here again", ben.short));
}

#[test]
fn a_changed_key_is_said_loudly_and_used_only_if_the_member_says_so() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app, folder.path(), "anna");
    let ben = person(&app, folder.path(), "ben");
    anna.reads(&format!("* joined: {}", ben.short));
    anna.leaves(0);
    let short = ben.short.clone();
    ben.leaves(0);
    // Somebody else takes the name of Ben.
    person(&app, folder.path(), "eve").leaves(0);
    let keyring = |name: &str| folder.path().join(format!("{name}.socp.json"));
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(keyring(name)).expect("a keyring")).expect("JSON")
    };
    let mut eve = read("eve");
    eve["user"] = read("ben")["user"].clone();
    fs::write(keyring("eve"), eve.to_string()).expect("a keyring");
    let mut refused = person(&app, folder.path(), "eve");
    refused.reads("! the end: the server knows our name with another key");
    refused.leaves(1);
    // A server that never saw Ben cannot know.
    let other = App::start();
    let mut anna = person(&other, folder.path(), "anna");
    anna.reads("* nobody else is here");
    let mut eve = person(&other, folder.path(), "eve");
    anna.reads(&format!("! THE KEY OF {short} HAS CHANGED"));
    eve.types("it is me");
    anna.reads("? unverified (it is signed with another key than the known one");
    anna.types(&format!("/tell {short} are you?"));
    anna.reads("! not sent");
    anna.types(&format!("/trust {short}"));
    anna.types(&format!("/tell {short} now I see"));
    eve.reads("now I see");
    eve.types("it is really me");
    assert_eq!(anna.reads("really me"), format!("{short}: it is really me"));
}

/// A user who writes frames by hand.
struct Stranger {
    key: PrivateKey,
    name: &'static str,
}

impl Stranger {
    /// A signed frame; the keys of the payload must stand in order.
    fn frame(&self, kind: &str, to: &str, payload: &Value) -> Message {
        let signature = sign(&self.key, payload.to_string().as_bytes(), Salt::Max).expect("a signature");
        let frame = json!({"type": kind, "from": self.name, "to": to, "ts": 1_795_216_307_176_u64,
            "payload": payload, "sig": URL_SAFE_NO_PAD.encode(signature)});
        Message::text(frame.to_string())
    }

    /// Says hello, sends a file of that name to everybody, and says something without a signature.
    async fn sends(&self, app: &App, file_name: &str, content: &[u8]) {
        let (mut socket, _) = connect_async(format!("ws://{}/", app.listen)).await.expect("a socket");
        let key = URL_SAFE_NO_PAD.encode(self.key.public().spki());
        let digest: String = sha256(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let text = URL_SAFE_NO_PAD.encode(content);
        for (kind, payload) in [
            ("USER_HELLO", json!({"client": "by hand", "enc_pubkey": key, "pubkey": key})),
            (
                "FILE_START",
                json!({"file_id": "1", "mode": "public", "name": file_name, "sha256": digest, "size": content.len()}),
            ),
            ("FILE_CHUNK", json!({"ciphertext": text, "file_id": "1", "index": 0})),
            ("FILE_END", json!({"file_id": "1"})),
            ("MSG_PUBLIC_CHANNEL", json!({"text": "\u{1b}[2Jtrust me"})),
        ] {
            socket.send(self.frame(kind, "public", &payload)).await.expect("sent");
        }
        socket.close(None).await.expect("a goodbye");
        while let Some(Ok(_)) = socket.next().await {}
    }
}

#[test]
fn a_stranger_writes_nowhere_else_and_is_not_believed() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = person(&app, folder.path(), "anna");
    anna.reads("* nobody else is here");
    fs::write(folder.path().join("keep.txt"), b"mine").expect("a file");
    let key = PrivateKey::generate(4096).expect("a key");
    let eve = Stranger { key, name: "eve" };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(eve.sends(&app, "../keep.txt", b"theirs"));
    let line = anna.reads("* file of ");
    let place = folder.path().join("anna-downloads/keep.txt");
    assert_eq!(line, format!("* file of ~eve: {} (6 bytes)", place.display()));
    assert_eq!(fs::read(place).expect("the file"), b"theirs");
    assert_eq!(fs::read(folder.path().join("keep.txt")).expect("a file"), b"mine");
    let said = anna.leaves(0).join("\n");
    let line = "? unverified (it is not signed; claims to be eve): \u{fffd}[2Jtrust me";
    assert!(said.contains(line), "{said}");
}
