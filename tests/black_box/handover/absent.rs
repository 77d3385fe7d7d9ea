//! Letters for members who are away: kept before and during the hand-over, handed over by the next node, once.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::SinkExt as _;
use kith::{client::voice::Say, crypto::sha256};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{
    Scene,
    talker::{Talker, once_and_in_order},
};
use crate::{app::App, client::Client};

const ANNA: usize = 0;
const BEN: usize = 1;
const CARL: usize = 2;
/// Between two letters of one author.
const PAUSE: Duration = Duration::from_millis(3);

#[actix_web::test]
async fn what_is_said_to_be_kept_is_handed_over_once_by_the_next_node() {
    let scene = Scene::of(2, &[]).await;
    let door = scene.door();
    let (anna, ben) = (Talker::socp(&door, ANNA), Talker::socp(&door, BEN));
    anna.meets(&door, &[&ben]).await;
    let id = ben.id.clone();
    ben.leaves().await;
    anna.misses(&id).await;
    let to = id.clone();
    let letter = move |number: usize| Say::Private(vec![to.clone()], format!("anna {number}"));
    let writer = anna.writes(letter.clone());
    anna.is_told_of_kept(20).await;
    let next = scene.other();
    scene.hands_over(next).await;
    let written = writer.await.expect("a writer");
    scene.is_served_by(next).await;
    let (kept, door) = (anna.kept(), scene.home.nodes[next].main.url());
    anna.meets(&door, &[]).await;
    let last = format!("anna {}", written + 1);
    anna.says(letter(written + 1)).await.expect("a letter that is sent");
    anna.is_told_of_kept(kept + 1).await;
    let mut visits = Vec::new();
    for _ in 0..2 {
        let ben = Talker::socp_called(&door, BEN, id.as_str());
        ben.meets(&door, &[&anna]).await;
        anna.meets(&door, &[&ben]).await;
        let live = format!("that was visit {}", visits.len());
        anna.says(Say::Public(live.clone())).await.expect("a letter that is sent");
        ben.hears(&live).await;
        ben.saw_nothing_wrong();
        visits.push(ben.heard_of(&anna, true));
        ben.leaves().await;
        anna.misses(&id).await;
    }
    once_and_in_order(&visits[0]);
    let before: Vec<String> = (0..kept).map(|number| format!("anna {number}")).collect();
    assert_eq!(visits[0][..kept], before, "all that were kept, and none left out");
    assert_eq!(visits[0].last(), Some(&last));
    assert_eq!(visits[1], [] as [String; 0], "each once");
}

/// A sealed letter for the members of the home that is served here.
fn sealed(anna: &mut Client, app: &App, number: usize) -> String {
    let chat = STANDARD.encode(sha256(&number.to_be_bytes()).repeat(4));
    anna.signed(&json!({
        "type": "chat", "destination_servers": [app.listen], "iv": "AAAAAAAAAAAAAAAAAAAAAA==",
        "symm_keys": ["QUJD"], "chat": chat,
    }))
}

fn is_sealed(frame: &str) -> bool {
    frame.contains(r#"\"chat\""#)
}

fn signature(frame: &str) -> String {
    let frame: Value = serde_json::from_str(frame).expect("JSON");
    frame["signature"].as_str().expect("a signature").to_owned()
}

/// What somebody hears who comes now, up to a word of somebody else.
async fn hears_on_return(app: &App, anna: &mut Client, word: &str) -> Vec<String> {
    let before = app.clients().await.len();
    let mut ben = Client::dial(app, BEN).await;
    ben.hello().await;
    app.until_metric("kith_clients", |count| count > before as f64).await;
    anna.say(word).await;
    let mut letters = Vec::new();
    loop {
        match ben.next().await {
            Ok(frame) if frame.contains(word) => break,
            Ok(frame) if frame.contains("\"client_list\"") => {}
            Ok(frame) => letters.push(signature(&frame)),
            Err(goodbye) => panic!("closed with {goodbye:?} before {word} was heard"),
        }
    }
    ben.socket.close(None).await.expect("a close");
    app.until_metric("kith_clients", |count| count == before as f64).await;
    letters
}

#[actix_web::test]
async fn whoever_was_away_hears_each_sealed_letter_once_and_whoever_was_there_none_again() {
    let scene = Scene::of(2, &[]).await;
    let leader = scene.leader();
    let mut anna = Client::join(leader, ANNA).await;
    let mut carl = Client::join(leader, CARL).await;
    Client::join(leader, BEN).await.socket.close(None).await.expect("a close");
    leader.until_metric("kith_clients", |count| count == 2.0).await;
    let mut sent = Vec::new();
    for number in 0..10 {
        sent.push(sealed(&mut anna, leader, number));
        anna.send(&sent[number]).await;
    }
    carl.hear(&signature(&sent[9])).await;
    let next = scene.other();
    scene.hands_over(next).await;
    let mut heard: Vec<String> = Vec::new();
    let goodbye = loop {
        match timeout(PAUSE, anna.next()).await {
            // Whatever was read comes back to its author.
            Ok(Ok(frame)) => heard.extend(is_sealed(&frame).then(|| signature(&frame))),
            Ok(Err(goodbye)) => break goodbye,
            Err(_) => {
                sent.push(sealed(&mut anna, leader, sent.len()));
                // Whether it is closed by now shows when it is read.
                let _ = anna.socket.send(Message::text(sent[sent.len() - 1].clone())).await;
            }
        }
    };
    let next = scene.is_served_by(next).await;
    assert_eq!(goodbye, Some((1012, format!("moved ws://{}", next.listen))));
    let written: Vec<String> = sent.iter().map(|frame| signature(frame)).collect();
    assert_eq!(heard, written[..heard.len()], "what came back is what was read, in order");
    let mut anna = Client::join(next, ANNA).await;
    assert_eq!(hears_on_return(next, &mut anna, "welcome back").await, heard);
    assert_eq!(hears_on_return(next, &mut anna, "and again").await, [] as [String; 0]);
    // Carl was there all the time.
    let mut carl = Client::dial(next, CARL).await;
    carl.hello().await;
    next.until_metric("kith_clients", |count| count == 2.0).await;
    anna.say("and you?").await;
    loop {
        let frame = carl.next().await.expect("an open connection");
        assert!(!is_sealed(&frame), "{frame}");
        if frame.contains("and you?") {
            return;
        }
    }
}
