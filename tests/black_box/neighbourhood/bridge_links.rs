//! The public room of houses whose bridges hear each other over links of one dialect alone.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::LazyLock};

use kith::identity::BridgeKeys;

use super::{
    bridge::{ON, words},
    place::{Place, all_up, places},
};
use crate::{
    app::App,
    client::Client,
    voices::{Guest, User},
};

/// Somebody at one home, in one dialect.
enum Person {
    Olaf(Client),
    Socp(User),
    Tpacket(Guest),
}

impl Person {
    async fn says(&mut self, text: &str) {
        match self {
            Self::Olaf(client) => drop(client.say(text).await),
            Self::Socp(user) => user.say(text).await,
            Self::Tpacket(guest) => guest.say(text).await,
        }
    }

    /// All words up to some, in whichever form.
    async fn hears(&mut self, last: &str) -> Vec<String> {
        match self {
            Self::Olaf(client) => words(client, last).await,
            Self::Socp(user) => {
                let mut heard = Vec::new();
                loop {
                    let frame = user.hear("_PUBLIC_CHANNEL").await;
                    heard.push(spoken(&frame));
                    if heard.last().is_some_and(|words| words.contains(last)) {
                        return heard;
                    }
                }
            }
            Self::Tpacket(guest) => {
                let mut heard = Vec::new();
                loop {
                    let (_, text) = guest.hears_one().await;
                    heard.push(text);
                    if heard.last().is_some_and(|words| words.contains(last)) {
                        return heard;
                    }
                }
            }
        }
    }
}

/// The words of a public message, of a bridge or of a member.
fn spoken(frame: &str) -> String {
    let mut frame: serde_json::Value = serde_json::from_str(frame).expect("JSON");
    let coded = frame["payload"]["ciphertext"].take();
    let bytes = kith::dialect::socp::binary::decode(coded.as_str().expect("a text")).expect("base64url");
    String::from_utf8(bytes).expect("words")
}

/// The keys of three bridges. They take long to make, so all tests share theirs.
static BRIDGES: LazyLock<Vec<BridgeKeys>> = LazyLock::new(|| {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(BridgeKeys::generate)).collect();
        threads.into_iter().map(|keys| keys.join().expect("a thread").expect("keys")).collect()
    })
});

/// Starts the server of a place whose bridge has its keys already, as an earlier program left them.
fn open(place: &Place, number: usize, settings: &[(&str, &str)]) -> App {
    let folder = tempfile::tempdir().expect("a folder");
    place.furnish(&folder);
    let BridgeKeys { olaf, socp } = &BRIDGES[number];
    for (name, key) in [("bridge-olaf-2048.pem", olaf), ("bridge-socp-4096.pem", socp)] {
        let path = folder.path().join("data/keys").join(name);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a file");
        file.write_all(key.to_pem().as_bytes()).expect("a key");
    }
    place.open_again(folder, settings)
}

/// Two servers with bridges that are linked in a dialect that knows no rooms, and a third one that is linked with
/// both as Kith servers are. Everybody reads everything, once.
async fn reads_everything_once(dialect: &str) {
    let places = places::<3>();
    let apps: [App; 3] = std::array::from_fn(|own| {
        let line = |at: usize| match own + at {
            1 => format!("{} dialect={dialect}", places[at].url()),
            _ => format!("{} key={}", places[at].url(), places[at].key()),
        };
        let lines: Vec<String> = (0..3).filter(|at| *at != own).map(line).collect();
        open(&places[own], own, &[&ON[..], &[("NEIGHBOURHOOD__PEERS", &lines.join(","))]].concat())
    });
    all_up(&apps, 2).await;
    let mut people = Vec::new();
    for (at, app) in apps.iter().enumerate() {
        let user = format!("3e81ec8a-f6c3-49bd-94d0-ca2f9d0b0c4{at}");
        people.push(Person::Olaf(Client::join(app, at).await));
        people.push(Person::Socp(User::join(app, &user).await));
        people.push(Person::Tpacket(Guest::enter(app, &format!("guest-{at}"), "public").await));
    }
    for (own, app) in apps.iter().enumerate() {
        for (at, other) in apps.iter().enumerate().filter(|(at, _)| *at != own) {
            // Whoever is not known yet at a neighbour is not heard there.
            let most = if own + at == 1 { 1 } else { 3 };
            app.until_peer(&other.listen, |peer| peer["members"] == most).await;
        }
    }
    let mut heard = vec![Vec::new(); people.len()];
    for author in 0..people.len() {
        let text = format!("words of {author}.");
        people[author].says(&text).await;
        for (reader, person) in people.iter_mut().enumerate().filter(|(reader, _)| *reader != author) {
            heard[reader].extend(person.hears(&text).await);
        }
    }
    for (reader, heard) in heard.iter().enumerate() {
        for author in (0..people.len()).filter(|author| *author != reader) {
            let text = format!("words of {author}.");
            let times = heard.iter().filter(|words| words.contains(&text)).count();
            assert_eq!(times, 1, "{reader} of {author}: {heard:#?}");
        }
    }
}

#[actix_web::test]
async fn bridges_at_both_ends_of_an_olaf_link_tell_everything_once() {
    reads_everything_once("olaf").await;
}

#[actix_web::test]
async fn bridges_at_both_ends_of_a_socp_link_tell_everything_once() {
    reads_everything_once("socp").await;
}
