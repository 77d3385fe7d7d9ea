//! What somebody says who means harm: a server that forges, repeats and garbles, and members who write markup.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kith::crypto::{keys::PublicKey, sealing};
use serde_json::{Value, json};

use crate::{
    app::{App, in_time},
    client::Client,
    middle::Middle,
    person::Person,
    stage::Stage,
    talk::page,
    visitor::Visitor,
};

/// What a private letter is made of, whoever it says that wrote it.
fn sealed(author: &str, reader: &str, key: &PublicKey, text: &str) -> Value {
    let inside = json!({"message": text, "participants": [author, reader]}).to_string();
    let sealed = sealing::seal(inside.as_bytes(), [key]).expect("a sealed text");
    json!({
        "type": "chat",
        "destination_servers": ["127.0.0.1"],
        "iv": STANDARD.encode(&sealed.vector),
        "symm_keys": sealed.keys.iter().map(|key| STANDARD.encode(key)).collect::<Vec<_>>(),
        "chat": STANDARD.encode(&sealed.text),
    })
}

/// A frame with something in it exchanged.
fn exchanged(frame: &str, part: &str, value: Value) -> String {
    let mut frame: Value = serde_json::from_str(frame).expect("a frame");
    frame[part] = value;
    frame.to_string()
}

/// Waits until a frame of somebody with this text passes, and returns it.
async fn passing(middle: &Middle, text: &str) -> String {
    in_time(text, async {
        loop {
            if let Some(frame) = middle.all().into_iter().find(|frame| frame.contains(text)) {
                return frame;
            }
            actix_web::rt::time::sleep(crate::chromium::LOOK).await;
        }
    })
    .await
}

#[actix_web::test]
async fn nothing_counts_as_said_that_its_author_has_not_signed() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let middle = Middle::before(&app);
    let anna = stage.visitor(&middle.page).await;
    let (mut ben, mut eve) = (Client::join(&app, 0).await, Client::join(&app, 1).await);
    let mut stranger = Client::dial(&app, 2).await;
    let own_key = PublicKey::read(&pem_of(&middle)).expect("a key");
    let own = kith::crypto::fingerprint::OFFICIAL.of(&own_key, "");
    let bens = ben.fingerprint();
    ben.say("the first true word").await;
    let true_frame = passing(&middle, "the first true word").await;
    anna.reads("the first true word").await;

    let public = |sender: &str, text: &str| json!({"type": "public_chat", "sender": sender, "message": text});
    let by_eve = eve.signed(&public(&bens, "false: eve as ben"));
    let lies = [
        by_eve,
        // The words of another one under a true signature.
        exchanged(&true_frame, "data", json!(public(&bens, "false: other words").to_string())),
        exchanged(&true_frame, "counter", json!(9_000_000)),
        // The same, again.
        true_frame.clone(),
        // Nobody has signed it.
        public(&bens, "false: bare").to_string(),
        json!({"type": "signed_data", "data": public(&bens, "false: unsigned").to_string(), "counter": 77}).to_string(),
        json!({"type": "signed_data", "data": public(&bens, "false: empty").to_string(), "counter": 78, "signature": ""})
            .to_string(),
        // By somebody who is not here, and in her own name.
        {
            let sender = stranger.fingerprint();
            stranger.signed(&public(&sender, "false: a stranger"))
        },
        // Sealed for the reader, in the name of ben, by eve.
        eve.signed(&sealed(&bens, &own, &own_key, "false: sealed by eve")),
        // In the reader's own name.
        eve.signed(&public(&own, "false: eve as the reader")),
    ];
    for lie in &lies {
        middle.lies(lie);
    }
    for garbage in garbage() {
        middle.lies(&garbage);
    }
    // A true one behind them all, on the same way: the page lives, and has read everything before.
    middle.lies(&ben.signed(&public(&bens, "the second true word")));
    anna.reads("the second true word").await;
    // An older letter than the last one, which nobody has seen before: the server has held it back.
    let older = ben.signed(&public(&bens, "false: held back"));
    middle.lies(&ben.signed(&sealed(&bens, &own, &own_key, "a true whisper")));
    anna.waits_for_unread("private:").await;
    middle.lies(&older);
    middle.lies(&ben.signed(&public(&bens, "the third true word")));
    anna.reads("the third true word").await;
    assert_eq!(anna.texts().await, ["the first true word", "the second true word", "the third true word"]);
    let private = "return document.querySelectorAll('[data-conversation^=\"private:\"]').length";
    assert_eq!(anna.asks::<usize>(private, &[]).await, 1);
    anna.goes_to("private:").await;
    assert_eq!(anna.texts().await, ["a true whisper"]);
    anna.says("I am still here").await;
    middle.sees("\\\"chat\\\"").await;
    anna.leaves().await;
}

/// The key with which the page says hello.
fn pem_of(middle: &Middle) -> String {
    let hello = middle.sent().into_iter().find(|frame| frame.contains("public_key")).expect("a hello");
    let frame: Value = serde_json::from_str(&hello).expect("a frame");
    let data: Value = serde_json::from_str(frame["data"].as_str().expect("a string")).expect("a hello");
    data["public_key"].as_str().expect("a key").to_owned()
}

/// What fits nothing.
fn garbage() -> Vec<String> {
    let deep = "[".repeat(50_000);
    let kith = |rest: &str| format!(r#"{{"kith":{rest}}}"#);
    let texts = [
        "",
        "null",
        "[]",
        "7",
        "\"text\"",
        "{",
        "{}",
        "\u{0}",
        &deep,
        r#"{"type":"signed_data"}"#,
        r#"{"type":"signed_data","data":7,"counter":"x","signature":[]}"#,
        r#"{"type":"signed_data","data":"null","counter":1,"signature":"AAAA"}"#,
        r#"{"type":"signed_data","data":"{\"type\":\"chat\",\"symm_keys\":[1,null,{}],\"iv\":{},\"chat\":[]}","counter":1,"signature":"AAAA"}"#,
        r#"{"type":"client_list","servers":7}"#,
        r#"{"type":"client_list","servers":[null,{"address":{},"clients":[7,null,"no key","__proto__"]}]}"#,
        r#"{"type":"__proto__","__proto__":{"polluted":true}}"#,
    ];
    let rooms = [
        "null",
        "7",
        r#""event""#,
        r#""event","room":"nowhere","event":"said","line":{"text":"false: in no room"}"#,
        r#""event","event":"came""#,
        r#""entered","ticket":4294967295,"room":"false room","guests":7,"history":[null]"#,
        r#""doors","doors":[7,null,"javascript:alert(1)","ws://[","http://x"]"#,
        r#""refused","ticket":null,"code":{}"#,
        r#""directory","members":[null]"#,
    ];
    texts.into_iter().map(str::to_owned).chain(rooms.into_iter().map(kith)).collect()
}

/// Elements that nobody but the page itself may have made, and whether anything of a text was run.
async fn is_unharmed(visitor: &Visitor) {
    let script = "return [document.querySelectorAll('b, img, iframe, script:not([src]), style, [onerror], [onclick]').length,
        typeof window.hacked, ({}).polluted ?? 'clean']";
    let found: Value = visitor.asks(script, &[]).await;
    assert_eq!(found, json!([0, "undefined", "clean"]));
}

#[actix_web::test]
async fn markup_in_texts_and_names_stays_text() {
    let Some(stage) = Stage::enter().await else { return };
    let markup = "<img src=x onerror=\"window.hacked=1\"><b>bold</b><script>window.hacked=2</script>";
    let app = App::with(&[("SERVER__NAME", "<b>home</b>")]);
    let anna = stage.visitor(&page(&app)).await;
    let mut ben = Client::join(&app, 0).await;
    ben.say(markup).await;
    anna.reads(markup).await;
    anna.says(markup).await;
    ben.hear("window.hacked=2").await;
    // Links are links, and nothing else is one.
    let links =
        "see https://example.org/a?b=<b>&c javascript:alert(1) data:text/html,x and http://127.0.0.1:1/x.";
    ben.say(links).await;
    anna.reads(links).await;
    let script =
        "return [...document.querySelectorAll('#log a')].map(link => [link.protocol, link.rel, link.target])";
    let anchors: Vec<[String; 3]> = anna.asks(script, &[]).await;
    assert_eq!(anchors.len(), 2, "{anchors:?}");
    for [protocol, rel, target] in anchors {
        assert!(["http:", "https:"].contains(&protocol.as_str()), "{protocol}");
        assert_eq!(
            (rel.contains("noopener"), rel.contains("noreferrer"), target.as_str()),
            (true, true, "_blank")
        );
    }
    // Names: of a room, of what it is about, and of a guest of another dialect.
    let room = "<b>r</b>";
    anna.enters(room).await;
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--dialect", "tpacket", "--nick", "<b>ben</b>", "--room", room];
    let mut other = Person::speaking(&words, &format!("ws://{}", app.listen), folder.path(), "other");
    other.types(markup);
    let line = anna.reads(markup).await;
    assert!(line.name.contains("<b>ben</b>"), "{line:?}");
    is_unharmed(&anna).await;
    anna.leaves().await;
}

#[actix_web::test]
async fn a_flood_of_lines_and_members_fills_neither_memory_nor_screen() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let middle = Middle::before(&app);
    let anna = stage.visitor(&middle.page).await;
    let mut ben = Client::join(&app, 0).await;
    anna.until(
        "ben is here",
        "return document.querySelectorAll('#members li').length",
        &[],
        |all: &usize| *all > 0,
    )
    .await;
    let sender = ben.fingerprint();
    for number in 0..2_400 {
        let text = format!("flood {number}");
        middle.lies(&ben.signed(&json!({"type": "public_chat", "sender": sender, "message": text})));
        if number % 200 == 199 {
            anna.reads(&text).await;
        }
    }
    let shown = anna.lines().await.len();
    assert!((1..=600).contains(&shown), "{shown} lines are shown");
    // Keys that nobody has: a list is only a claim.
    let pem = ben.pem();
    let strangers = (0..2_000).map(|number| another_key(&pem, number));
    let clients: Vec<String> = strangers.chain([pem.clone()]).collect();
    let list = json!({"type": "client_list", "servers": [{"address": "127.0.0.1:1", "clients": clients}]});
    middle.lies(&list.to_string());
    let count = "return [document.querySelectorAll('#members li').length, document.querySelector('#side').textContent]";
    let full = |(shown, text): &(usize, String)| *shown > 100 && text.contains("more");
    let (shown, _) = anna.until("the list is full", count, &[], full).await;
    assert!(shown <= 400, "{shown} members are shown");
    // The server, which knows better, says so with its next list.
    let mut carl = Client::join(&app, 1).await;
    anna.until("only they are here", count, &[], |(shown, _): &(usize, String)| *shown <= 3).await;
    carl.say("is anybody there").await;
    anna.reads("is anybody there").await;
    anna.leaves().await;
}

/// The text of a key of the right form, which nobody has.
fn another_key(pem: &str, number: u32) -> String {
    let mut der = STANDARD.decode(pem.lines().nth(1).expect("a line")).expect("base64");
    // In the middle of the modulus.
    der[100..104].copy_from_slice(&number.to_be_bytes());
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(der))
}
