//! The bridge belongs to the home: whichever node serves, and after every start, it is the same member.

use serde_json::Value;

use crate::{
    app::{App, in_time},
    neighbourhood::{
        home::{Home, all_follow, app, hand_over, serving},
        place::Place,
    },
    voices::{Guest, User},
};

const ON: (&str, &str) = ("BRIDGE__PUBLIC", "true");
const ANNA: &str = "3e81ec8a-f6c3-49bd-94d0-ca2f9d0b0c43";

/// Under which name a SOCP user hears what a guest says.
async fn name_of_bridge(app: &App) -> String {
    let mut anna = User::join(app, ANNA).await;
    let mut carl = Guest::enter(app, "carl", "public").await;
    carl.say("hello").await;
    let frame = anna.hear("carl (tpacket): hello").await;
    let frame: Value = serde_json::from_str(&frame).expect("JSON");
    frame["from"].as_str().expect("a name").to_owned()
}

/// Before the bridge has said anything here, nobody else gets its name.
async fn is_kept(app: &App, name: &str) {
    let refused = User::refused(app, name).await;
    assert!(refused.contains("this name belongs to another key"), "{refused}");
}

#[actix_web::test]
async fn the_bridge_keeps_its_socp_name_over_a_restart() {
    let place = Place::new(0);
    let app = place.open(&[ON]);
    let name = name_of_bridge(&app).await;
    let app = place.open_again(app.stop(), &[ON]);
    is_kept(&app, &name).await;
    assert_eq!(name_of_bridge(&app).await, name);
}

#[actix_web::test]
async fn the_bridge_is_the_same_after_a_hand_over_and_after_a_takeover() {
    // Nothing but the keys of the home is in both folders.
    let home = Home::of(2, Some(1));
    let mut apps = home.start_all_with(&[ON]);
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let name = name_of_bridge(app(&apps, first)).await;
    // Until the one that serves is not the one that goes on alone.
    for to in if first == 0 { vec![1, 0] } else { vec![0] } {
        hand_over(&apps, to).await;
        is_kept(app(&apps, to), &name).await;
        assert_eq!(name_of_bridge(app(&apps, to)).await, name, "after a hand-over");
        all_follow(&apps, to).await;
    }
    apps[0].take().expect("a node that runs").kill();
    in_time("the fallback takes over", async { while serving(&apps).await != 1 {} }).await;
    is_kept(app(&apps, 1), &name).await;
    assert_eq!(name_of_bridge(app(&apps, 1)).await, name, "after a takeover");
}
