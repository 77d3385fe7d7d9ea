//! People with browsers talk with each other and with people at terminals, in public and in private.

use std::{fs, path::Path};

use fantoccini::key::Key;

use crate::{app::App, client::Client, middle::Middle, person::Person, stage::Stage};

/// The page of a server.
pub(crate) fn page(app: &App) -> String {
    format!("http://{}/", app.listen)
}

/// Every file below a folder that has some text in it.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if fs::read(&path).expect("a file").windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[actix_web::test]
async fn two_browsers_and_a_terminal_talk_in_public() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let anna = stage.visitor(&page(&app)).await;
    let ben = stage.visitor(&page(&app)).await;
    let mut carl = Person::sit_down(&app, folder.path(), "carl");
    for (one, other) in [(&anna, &ben), (&ben, &anna)] {
        let script =
            "return [...document.querySelectorAll('#members li')].map(member => member.dataset.fingerprint)";
        let found = |members: &Vec<String>| {
            members.contains(&other.fingerprint)
                && members.iter().any(|member| member.starts_with(&carl.short))
        };
        one.until("both others are listed", script, &[], found).await;
    }
    anna.says("good evening from a browser").await;
    ben.reads_of(&anna.fingerprint, "good evening from a browser").await;
    let line = carl.reads("good evening from a browser");
    assert_eq!(line, format!("{}: good evening from a browser", &anna.fingerprint[..12]));
    let own = anna.reads_of(&anna.fingerprint, "good evening from a browser").await;
    assert!(own.own, "{own:?}");

    carl.types("good evening from a terminal");
    for visitor in [&anna, &ben] {
        let line = visitor.reads("good evening from a terminal").await;
        assert!(line.author.starts_with(&carl.short) && !line.own, "{line:?}");
    }
    let broken = char::from(Key::Shift).to_string()
        + &char::from(Key::Enter).to_string()
        + &char::from(Key::Null).to_string();
    ben.says(&format!("two{broken}lines")).await;
    anna.reads_of(&ben.fingerprint, "two\nlines").await;
    ben.types("#say", "by the button").await;
    ben.clicks("#send").await;
    anna.reads_of(&ben.fingerprint, "by the button").await;
    assert_eq!(
        anna.texts().await,
        ["good evening from a browser", "good evening from a terminal", "two\nlines", "by the button"]
    );

    // Nobody is told what nobody has said.
    ben.types("#say", &format!("   {}", char::from(Key::Enter))).await;
    ben.says("the end").await;
    anna.reads("the end").await;
    assert_eq!(anna.lines().await.len(), 5);
    anna.leaves().await;
    ben.leaves().await;
}

#[actix_web::test]
async fn what_is_said_in_private_is_read_by_two_and_written_nowhere() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::with(&[("LOG__LEVEL", "trace")]);
    let folder = tempfile::tempdir().expect("a folder");
    let middle = Middle::before(&app);
    let anna = stage.visitor(&middle.page).await;
    let ben = stage.visitor(&middle.page).await;
    let mut carl = Person::sit_down(&app, folder.path(), "carl");
    let mut eve = Client::join(&app, 0).await;

    anna.turns_to(&ben.fingerprint).await;
    anna.says("the key is under the mat").await;
    ben.waits_for_unread("private:").await;
    assert_eq!(ben.texts().await, Vec::<String>::new(), "the public conversation is open");
    ben.goes_to("private:").await;
    ben.reads_of(&anna.fingerprint, "the key is under the mat").await;
    ben.says("I have found the key").await;
    anna.reads_of(&ben.fingerprint, "I have found the key").await;

    // With somebody at a terminal, in both directions.
    carl.types(&format!("/tell {} what about the key", &anna.fingerprint[..12]));
    let carls = anna.fingerprint_of(&carl.short).await;
    anna.waits_for_unread(&format!("private:{carls}")).await;
    anna.turns_to(&carls).await;
    anna.reads_of(&carls, "what about the key").await;
    anna.says("never mind the key").await;
    assert!(carl.reads("never mind the key").starts_with(&format!("{} (private)", &anna.fingerprint[..12])));
    assert_eq!(anna.texts().await, ["what about the key", "never mind the key"]);

    anna.goes_to("public").await;
    anna.says("something else").await;
    let everything = eve.hear("something else").await;
    assert!(!everything.contains("key is under"), "{everything}");
    let seen = carl.seen();
    assert!(!seen.contains("under the mat") && !seen.contains("found the key"), "{seen}");
    for secret in ["under the mat", "found the key", "about the key", "never mind the key"] {
        assert_eq!(files_with(app.folder(), secret), Vec::<String>::new(), "{secret}");
        assert!(!middle.all().iter().any(|frame| frame.contains(secret)), "{secret}");
    }
    assert!(
        middle.all().iter().any(|frame| frame.contains("something else")),
        "it is heard what is said openly"
    );
    anna.leaves().await;
    ben.leaves().await;
}
