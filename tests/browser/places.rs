//! What a home has besides letters: rooms with their histories, the directory of introductions, and files.

use std::fs;

use crate::{app::App, middle::Middle, person::Person, stage::Stage, talk::page};

#[actix_web::test]
async fn whoever_enters_a_room_reads_what_was_said_there_before() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--dialect", "tpacket", "--nick", "carl", "--room", "garden"];
    let mut carl = Person::speaking(&words, &format!("ws://{}", app.listen), folder.path(), "carl");
    carl.types("the roses are out");
    carl.types("come and see");
    let anna = stage.visitor(&page(&app)).await;
    anna.enters("garden").await;
    anna.reads("come and see").await;
    assert_eq!(anna.texts().await, ["the roses are out", "come and see"]);
    assert!(anna.lines().await.iter().all(|line| line.name.contains("carl") && !line.own));
    anna.says("on my way").await;
    carl.reads("on my way");
    assert!(anna.reads_of(&anna.fingerprint, "on my way").await.own);

    let ben = stage.visitor(&page(&app)).await;
    ben.enters("garden").await;
    ben.reads_of(&anna.fingerprint, "on my way").await;
    assert_eq!(ben.texts().await, ["the roses are out", "come and see", "on my way"]);
    // What is said there is announced to whoever looks elsewhere, and to nobody who has left.
    anna.goes_to("public").await;
    ben.says("where is everybody").await;
    anna.waits_for_unread("room:garden").await;
    anna.goes_to("room:garden").await;
    anna.reads_of(&ben.fingerprint, "where is everybody").await;
    assert_eq!(anna.texts().await.len(), 4, "no line twice");
    anna.clicks("#leave").await;
    anna.is_in("public").await;
    assert_eq!(anna.texts().await, Vec::<String>::new(), "what was said in the room was said in the room");
    let listed = "return document.querySelector(\"[data-conversation='room:garden']\") !== null";
    anna.until("the room is gone", listed, &[], |found: &bool| !found).await;
    carl.reads(&format!("* left: ~{}", &anna.fingerprint[..12]));
    anna.leaves().await;
    ben.leaves().await;
}

#[actix_web::test]
async fn whoever_is_introduced_is_seen_by_others_until_she_withdraws() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = stage.visitor(&page(&app)).await;
    let ben = stage.visitor(&page(&app)).await;
    for visitor in [&anna, &ben] {
        visitor.clicks("#introductions-panel summary").await;
    }
    let listed =
        "return [...document.querySelectorAll('#introductions li')].map(entry => entry.dataset.address)";
    anna.types("#introduce", "127.0.0.1:50123").await;
    anna.clicks("#introduce-go").await;
    for visitor in [&anna, &ben] {
        let found = |all: &Vec<String>| all == &["127.0.0.1:50123"];
        visitor.until("anna is introduced", listed, &[], found).await;
    }
    anna.clicks("#introduce-withdraw").await;
    for visitor in [&anna, &ben] {
        visitor.until("anna has withdrawn", listed, &[], |all: &Vec<String>| all.is_empty()).await;
    }
    ben.types("#introduce", "no address").await;
    ben.clicks("#introduce-go").await;
    ben.says("still here").await;
    anna.reads("still here").await;
    anna.leaves().await;
    ben.leaves().await;
}

#[actix_web::test]
async fn a_file_becomes_a_link_that_leads_to_its_bytes() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let middle = Middle::before(&app);
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    let path = folder.path().join("hollyhocks <1>.png");
    fs::write(&path, &bytes).expect("a file");
    let anna = stage.visitor(&page(&app)).await;
    let ben = stage.visitor(&middle.page).await;
    ben.turns_to(&anna.fingerprint).await;
    anna.turns_to(&ben.fingerprint).await;
    anna.types("#attach", path.to_str().expect("a path")).await;
    let script = "return document.querySelector('#log li[data-author] a')?.href ?? ''";
    let link: String = ben.until("a link", script, &[], |link: &String| !link.is_empty()).await;
    assert!(
        !middle.all().iter().any(|frame| frame.contains("/files/")),
        "who is told in private is told in private"
    );
    let mut answer = awc::Client::default().get(&link).send().await.expect("an answer");
    let found = answer.body().limit(1 << 20).await.expect("the bytes");
    assert_eq!((answer.status().as_u16(), found.to_vec() == bytes), (200, true), "{link}");
    let disposition = format!("{:?}", answer.headers().get("content-disposition"));
    assert!(disposition.contains("attachment") && disposition.contains("hollyhocks"), "{disposition}");
    anna.leaves().await;
    ben.leaves().await;
}
