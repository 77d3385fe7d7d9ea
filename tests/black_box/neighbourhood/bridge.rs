//! One room and several dialects: everybody reads everybody, once, and nothing that was sealed.

use actix_web::http::Method;
use kith::domain::id::KeyId;

use super::place::{Place, all_up, lines, places, three};
use crate::{
    app::App,
    client::Client,
    voices::{Guest, User},
};

pub(super) const ON: [(&str, &str); 1] = [("BRIDGE__PUBLIC", "true")];
const BEN: &str = "3e81ec8a-f6c3-49bd-94d0-ca2f9d0b0c43";

/// How an OLAF member is called where there are names.
pub(super) fn called(member: &Client) -> String {
    let key = kith::crypto::keys::PublicKey::read(&member.pem()).expect("a key").id();
    format!("{} (olaf)", KeyId::short(&key))
}

/// What an OLAF member hears up to a text, lists left out, as the words of each letter.
pub(super) async fn words(member: &mut Client, last: &str) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        let frame = member.hear("public_chat").await;
        let frame: serde_json::Value = serde_json::from_str(&frame).expect("JSON");
        let data: serde_json::Value =
            serde_json::from_str(frame["data"].as_str().expect("data")).expect("JSON");
        let said = data["message"].as_str().expect("words").to_owned();
        let is_last = said.contains(last);
        words.push(said);
        if is_last {
            return words;
        }
    }
}

/// The words among what a SOCP user hears from bridges.
fn again(frames: &[String]) -> Vec<String> {
    let frames = frames.iter().filter(|frame| frame.contains("MSG_PUBLIC_CHANNEL"));
    let payload =
        |frame: &String| serde_json::from_str::<serde_json::Value>(frame).expect("JSON")["payload"].take();
    frames.filter_map(|frame| payload(frame)["text"].as_str().map(str::to_owned)).collect()
}

#[actix_web::test]
async fn three_servers_one_room_three_dialects_and_everybody_reads_everybody() {
    let (places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let mut carl = Guest::enter(&apps[2], "carl", "public").await;
    let mut anna = Client::join(&apps[0], 0).await;
    let mut ben = User::join(&apps[1], BEN).await;
    let (her, his) = (called(&anna), format!("{BEN} (socp)"));

    carl.say("carl says this").await;
    assert_eq!(words(&mut anna, "carl says").await, ["carl (tpacket): carl says this"]);
    ben.hear("carl (tpacket): carl says this").await;
    anna.say("anna says this").await;
    ben.hear(&format!("{her}: anna says this")).await;
    ben.say("ben says this").await;
    let said = carl.hears_until("ben says this").await;
    let wanted = [("carl", "carl says this"), (&her, "anna says this"), (&his, "ben says this")];
    assert_eq!(said, wanted.map(|(by, text)| (by.to_owned(), text.to_owned())));
    carl.sees(&["carl", &her, &his]).await;
    // Lines of two homes come to a third one in any order, so one waits for the other.
    let heard = words(&mut anna, "ben says this").await;
    assert_eq!(heard, ["anna says this", &format!("{his}: ben says this")]);
    // Everybody once, and nobody's own words come back in another's name.
    carl.say("the end").await;
    let again_to_ben = again(&ben.hears_until("carl (tpacket): the end").await);
    assert_eq!(again_to_ben, ["carl (tpacket): the end"]);
    assert_eq!(words(&mut anna, "the end").await, ["carl (tpacket): the end"]);

    // Each says so itself who speaks for it, and how much it has said.
    let bridge = apps[0].get("/api/v1/server").await["bridge"].take();
    assert_eq!((&bridge["public"], &bridge["members"][0]["dialect"]), (&true.into(), &"olaf".into()));
    apps[0]
        .until_metric("kith_bridged_lines_total{dialect=\"olaf\",way=\"out\"}", |lines| lines == 3.0)
        .await;

    // Who goes is gone from the room, too.
    drop(anna);
    carl.sees(&["carl", &his]).await;

    let mut histories = Vec::new();
    let folders = apps.map(App::stop);
    drop((ben, carl));
    for (own, folder) in folders.into_iter().enumerate() {
        let lines = lines(&places, own);
        let app = places[own].open_again(folder, &[&ON[..], &[("NEIGHBOURHOOD__PEERS", &lines)]].concat());
        histories.push(Guest::enter(&app, "dora", "public").await.history);
    }
    let wanted = [
        "carl: carl says this".to_owned(),
        format!("{her}: anna says this"),
        format!("{his}: ben says this"),
        "carl: the end".to_owned(),
    ];
    for history in histories {
        assert_eq!(history, wanted);
    }
}

/// Enters the room by a frame of its own.
async fn enter(member: &mut Client) {
    member.send(r#"{"kith":"enter","ticket":1,"room":"public"}"#).await;
    member.hear("\"entered\"").await;
}

async fn say_in_public(member: &mut Client, text: &str) {
    let frame = serde_json::json!({"kith": "say", "ticket": 2, "room": "public", "text": text});
    member.send(&frame.to_string()).await;
}

/// All frames with one of these words, up to the last one.
async fn frames_with(member: &mut Client, words: &[&str]) -> Vec<String> {
    let mut frames = Vec::new();
    loop {
        let frame = member.hear("").await;
        let is_last = words.last().is_some_and(|last| frame.contains(last));
        if words.iter().any(|word| frame.contains(word)) {
            frames.push(frame);
        }
        if is_last {
            return frames;
        }
    }
}

#[actix_web::test]
async fn whoever_says_something_in_the_room_itself_is_read_by_all_dialects_her_own_included() {
    let (_places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let mut carl = Guest::enter(&apps[2], "carl", "public").await;
    let mut anna = Client::join(&apps[0], 0).await;
    let mut dora = Client::join(&apps[1], 1).await;
    let mut emil = Client::join(&apps[0], 2).await;
    let mut ben = User::join(&apps[1], BEN).await;
    let her = called(&anna);
    enter(&mut anna).await;

    say_in_public(&mut anna, "from the room").await;
    let again = format!("{her}: from the room");
    assert_eq!(words(&mut dora, "from the room").await, [again.as_str()], "of her own dialect, elsewhere");
    assert_eq!(words(&mut emil, "from the room").await, [again.as_str()], "and here");
    ben.hear(&again).await;
    assert_eq!(carl.hears_until("from the room").await, [(her, "from the room".to_owned())]);

    // Whoever is in the room reads everything once, too: a line as a line, and a letter of her dialect as a letter.
    carl.say("a line of another").await;
    words(&mut emil, "a line of another").await;
    dora.say("a letter of her own").await;
    dora.say("the end").await;
    let heard = frames_with(&mut anna, &["from the room", "a line of another", "a letter", "the end"]).await;
    let kinds = heard.iter().map(|frame| frame.contains("\"kith\":\"event\""));
    assert_eq!(kinds.collect::<Vec<_>>(), [true, true, false, false], "{heard:#?}");
}

#[actix_web::test]
async fn a_neighbour_that_knows_no_rooms_hears_everything_once_and_is_heard_everywhere() {
    let (places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let old = Place::new(3);
    let legacy: Vec<String> = places.iter().map(|place| format!("{} dialect=olaf", place.url())).collect();
    let old = old.open(&[("NEIGHBOURHOOD__PEERS", &legacy.join(","))]);
    old.until_up(3).await;
    let mut dora = Client::join(&old, 1).await;
    let mut guests = Vec::new();
    for (app, nick) in apps.iter().zip(["carl", "emil", "fred"]) {
        guests.push(Guest::enter(app, nick, "public").await);
    }
    for app in &apps {
        // Her home has told all of them that she is there.
        app.until_peer(&old.listen, |peer| peer["members"] == 1).await;
    }
    // One behind the other: who says something at two homes at once is heard in any order.
    for (guest, (nick, text)) in guests.iter_mut().zip([("carl", "one"), ("emil", "two"), ("fred", "three")])
    {
        guest.say(text).await;
        assert_eq!(
            words(&mut dora, text).await,
            [format!("{nick} (tpacket): {text}")],
            "nothing comes twice"
        );
    }

    // She is heard by another way than they are, so what they said has to be there first.
    for guest in &mut guests {
        guest.hears_until("three").await;
    }
    dora.say("hello from the old").await;
    for guest in &mut guests {
        let said = guest.hears_until("hello from the old").await;
        assert_eq!(said.last(), Some(&(called(&dora), "hello from the old".to_owned())));
    }
    // Not again by way of the other two.
    guests[0].say("the end").await;
    for guest in &mut guests {
        let said = guest.hears_until("the end").await;
        assert_eq!(said, [("carl".to_owned(), "the end".to_owned())]);
    }
}

#[actix_web::test]
async fn nothing_that_was_sealed_crosses_and_nothing_at_all_where_the_bridge_is_off() {
    let [place] = places::<1>();
    let app = place.open(&ON);
    let mut carl = Guest::enter(&app, "carl", "public").await;
    let mut ben = User::join(&app, BEN).await;
    let sealed: Vec<u8> = (0..512_u32).map(|at| u8::try_from(at * 37 % 251).expect("a byte")).collect();
    ben.say_bytes(&sealed).await;
    ben.say_bytes(&sealed[..40]).await;
    ben.say("in words").await;
    assert_eq!(carl.hears_until("in words").await, [(format!("{BEN} (socp)"), "in words".to_owned())]);
    drop((carl, ben));

    let app = place.open_again(app.stop(), &[]);
    let mut carl = Guest::enter(&app, "carl", "public").await;
    let mut emil = Guest::enter(&app, "emil", "public").await;
    let mut ben = User::join(&app, BEN).await;
    let mut anna = Client::join(&app, 0).await;
    let mut dora = Client::join(&app, 1).await;
    ben.say("ben alone").await;
    anna.say("anna alone").await;
    assert_eq!(words(&mut dora, "anna alone").await, ["anna alone"]);
    emil.say("emil alone").await;
    assert_eq!(carl.hears_until("emil alone").await.len(), 1);
    anna.say("anna again").await;
    assert_eq!(words(&mut dora, "anna again").await, ["anna again"]);
    carl.sees(&["carl", "emil"]).await;
    assert_eq!(
        app.get("/api/v1/server").await["bridge"],
        serde_json::json!({"public": false, "members": []})
    );
}

#[actix_web::test]
async fn programs_of_others_read_each_other_and_the_members_of_a_server_of_others() {
    let (_places, apps) = three(&[ON[0], ("NEIGHBOURHOOD__ADMIT", "anyone")]);
    all_up(&apps, 2).await;
    let urls = apps.each_ref().map(|app| format!("ws://{}", app.listen));
    let arguments: Vec<&str> = urls.iter().flat_map(|url| ["--url", url.as_str()]).collect();
    crate::peers::run("bridge_suite.py", &arguments);
}

#[actix_web::test]
async fn a_closed_public_room_is_said_again_to_nobody_of_that_server() {
    let (_places, apps) = three(&ON);
    all_up(&apps, 2).await;
    let mut anna = Client::join(&apps[0], 0).await;
    let mut carl = Guest::enter(&apps[1], "carl", "public").await;
    let mut ben = User::join(&apps[2], BEN).await;
    let order = |what: &str| format!("/api/v1/rooms/public/{what}");
    assert_eq!(apps[0].api(Method::POST, &order("close")).await.status, 204);
    carl.say("behind closed doors").await;
    ben.hear("carl (tpacket): behind closed doors").await;
    apps[0].until(&order("history"), |answer| answer.text.contains("behind closed doors")).await;
    // What she says is a public letter, and no line.
    anna.say("anna alone").await;
    assert_eq!(words(&mut anna, "anna alone").await, ["anna alone"]);
    assert_eq!(apps[0].api(Method::POST, &order("reopen")).await.status, 204);
    anna.say("open again").await;
    assert_eq!(words(&mut anna, "open again").await, ["open again"]);
    ben.hear(&format!("{}: open again", called(&anna))).await;
    carl.say("and heard").await;
    assert_eq!(words(&mut anna, "and heard").await, ["carl (tpacket): and heard"]);
    let history = apps[1].get(&order("history")).await.to_string();
    assert!(!history.contains("anna alone") && history.contains("open again"), "{history}");
}
