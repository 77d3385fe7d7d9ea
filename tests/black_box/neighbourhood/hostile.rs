//! Neighbours that prove their key and then lie, repeat, stammer or rave. The server believes what a home
//! may say about its own members and nothing else, ends what is beyond repair, and serves on.

use kith::dialect::kith::wire;
use tokio_tungstenite::tungstenite::Message;

use super::stranger::{Stranger, somebody};
use crate::{
    app::App,
    client::{Client, Goodbye},
};

/// Where a stranger says that its members are.
const LAIR: &str = "lair.example:1";

/// A close of a peer that broke the protocol.
fn policy(code: &str) -> Goodbye {
    Some((1008, code.to_owned()))
}

/// Whether it is still a good house for its clients and for other servers.
async fn still_serves(app: &App) {
    let mut client = Client::join(app, 3).await;
    client.say("are we well?").await;
    client.hear("are we well?").await;
    let mut guest = Stranger::linked(app, 1, "guest.example:1").await;
    guest.lists(1, &[somebody("a well behaved guest")]).await;
    client.looks(|homes| homes.get("guest.example:1").is_some_and(|keys| keys.len() == 1)).await;
}

#[actix_web::test]
async fn a_broken_seal_ends_the_link() {
    let app = App::start();
    // Changed, repeated, left out, in the clear, as text.
    for way in 0..5 {
        let mut stranger = Stranger::linked(&app, 0, LAIR).await;
        let mut frame = stranger.seals(wire::want_list()).to_vec();
        let code = match way {
            0 => {
                frame[0] ^= 1;
                "bad_signature"
            }
            1 => {
                stranger.sends(Message::binary(frame.clone())).await;
                "bad_signature"
            }
            2 => {
                frame = stranger.seals(wire::want_list()).to_vec();
                "bad_signature"
            }
            3 => {
                frame = vec![wire::kind::WANT_LIST];
                "bad_signature"
            }
            _ => {
                stranger.sends(Message::text("{\"type\":\"client_update\",\"clients\":[]}")).await;
                "malformed"
            }
        };
        stranger.sends(Message::binary(frame)).await;
        assert_eq!(stranger.goodbye().await, policy(code), "{way}");
        app.until_peer(LAIR, |peer| peer["state"] != "up").await;
    }
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_server_lists_no_more_members_than_it_may() {
    let app = App::with(&[("LIMITS__PEER_MEMBERS", "10")]);
    let mut anna = Client::join(&app, 0).await;
    let mut members: Vec<_> = (0..11).map(|number| somebody(&format!("member {number}"))).collect();
    members.sort_by_key(|member| member.key);
    let (extra, ten) = members.split_last().expect("members");
    for by_change in [true, false] {
        let mut stranger = Stranger::linked(&app, 0, LAIR).await;
        stranger.lists(1, ten).await;
        anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| keys.len() == 10)).await;
        if by_change {
            stranger.says(wire::change(2, extra, true)).await;
        } else {
            stranger.lists(2, &members).await;
        }
        assert_eq!(stranger.goodbye().await, policy("too_many_members"));
        anna.looks(|homes| !homes.contains_key(LAIR)).await;
        let peer = app.until_peer(LAIR, |peer| peer["state"] != "up").await;
        assert_eq!(peer["last_error"]["code"], "too_many_members", "{peer}");
    }
    still_serves(&app).await;
}
