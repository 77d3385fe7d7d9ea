//! Kith servers that are linked by SOCP alone are put through what those on the Kith link are put through in
//! `neighbourhood`: they find, lose and prove each other, and their members talk and move. (`meshes` has the talk itself
//! and the files, `offline` the letters that follow somebody; silence takes three quarters of a minute by the protocol, so
//! that is played in `tests/simulation/socp.rs`.)

mod cuts;
mod members;
mod trust;

use serde_json::{Value, json};

use super::hostile::stranger::{Stranger, content, name, signed, text_of};
use crate::{
    app::{App, in_time},
    neighbourhood::place::{Place, places},
};

/// Servers that let others in once they have proven a key, and find nobody who is away.
const ALONE: [(&str, &str); 5] = [
    ("NEIGHBOURHOOD__ADMIT", "anyone"),
    ("NEIGHBOURHOOD__LEGACY", "false"),
    ("OFFLINE__KEEP", "false"),
    ("LIMITS__FRAMES_PER_SECOND", "10000"),
    ("LIMITS__FRAMES_BURST", "10000"),
];

/// How one server names another one.
fn line(other: &Place) -> String {
    format!("{} key={} dialect=socp", other.url(), other.key())
}

/// The lines of all places but one.
fn lines(places: &[Place], own: usize) -> String {
    let others = places.iter().enumerate().filter(|(at, _)| *at != own);
    others.map(|(_, place)| line(place)).collect::<Vec<_>>().join(",")
}

/// Starts the server of a place with these neighbours.
fn open(place: &Place, peers: &str) -> App {
    place.open(&[&ALONE[..], &[("NEIGHBOURHOOD__PEERS", peers)]].concat())
}

/// Three servers, each of which has the others in its settings, and all of whose links are up.
async fn three() -> ([Place; 3], [App; 3]) {
    let places = places::<3>();
    let apps = std::array::from_fn(|own| open(&places[own], &lines(&places, own)));
    for app in &apps {
        linked(app, 2).await;
    }
    (places, apps)
}

/// Waits until so many links are up, and all of them are SOCP's.
async fn linked(app: &App, links: usize) {
    app.until_up(links).await;
    for peer in app.neighbours().await {
        assert_eq!((&peer["dialect"], &peer["state"]), (&json!("socp"), &json!("up")), "{peer}");
    }
}

/// What somebody says to everybody.
fn public(author: usize, text: &str) -> Value {
    signed(author, "MSG_PUBLIC_CHANNEL", name(author), "public", &content(author, text))
}

/// The letters that come until one says this, that one included.
async fn hears_until(user: &mut Stranger, last: &str) -> Vec<String> {
    in_time(last, async {
        let mut texts = Vec::new();
        loop {
            let frame = user.next().await.expect("an open connection");
            texts.extend(text_of(&frame));
            if texts.last().is_some_and(|text| text == last) {
                return texts;
            }
        }
    })
    .await
}
