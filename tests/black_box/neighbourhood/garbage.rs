//! Neighbours that prove their key and then stammer or rave. What is beyond repair ends the link and nothing
//! else; what is merely unknown is left alone.

use futures_util::SinkExt as _;
use kith::{
    dialect::{event::Output, kith::wire},
    domain::{
        letter::Frame,
        news::{Digest, News},
    },
};
use tokio_tungstenite::tungstenite::Message;

use super::stranger::{
    LAIR, Stranger, goodbye as ending, knock, letter, somebody, still_serves, wrapped, written,
};
use crate::{
    app::App,
    client::{Client, Goodbye},
};

/// A close of a peer that broke the protocol.
fn policy(code: &str) -> Goodbye {
    Some((1008, code.to_owned()))
}

fn bytes(message: &Frame) -> &[u8] {
    match message {
        Frame::Binary(bytes) => bytes,
        Frame::Text(text) => panic!("no server says text: {text}"),
    }
}

/// The same message in a version that has one more field.
fn with_more(message: &Frame) -> Frame {
    Frame::Binary([bytes(message), b"and a new field"].concat().into())
}

/// The same in a dialect of the future.
fn in_another_dialect(message: &Frame) -> Frame {
    let mut bytes = bytes(message).to_vec();
    let at = bytes.windows(4).position(|word| word == b"olaf").expect("a dialect");
    bytes[at..at + 4].copy_from_slice(b"klin");
    Frame::Binary(bytes.into())
}

#[actix_web::test]
async fn garbage_ends_the_link_and_nothing_else() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let garbage: [(u8, &[u8]); 8] = [
        (wire::kind::LETTER, &[0xff; 40]),
        (wire::kind::LETTER, &[]),
        (wire::kind::PART, &[7]),
        (wire::kind::PART, &[0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        (wire::kind::CHANGES, &[1, 1, 9]),
        (wire::kind::STANDING, &[0xff; 5]),
        (wire::kind::PING, &[0x80]),
        (wire::kind::LINKS, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
    ];
    for (kind, body) in garbage {
        let mut stranger = Stranger::linked(&app, 0, LAIR).await;
        stranger.lists(1, &[somebody("here today")]).await;
        anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| keys.len() == 1)).await;
        stranger.says_raw(kind, body).await;
        assert_eq!(stranger.goodbye().await, policy("malformed"), "{kind} {body:?}");
        anna.looks(|homes| !homes.contains_key(LAIR)).await;
    }
    still_serves(&app).await;
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
async fn what_is_not_understood_is_left_alone() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    for kind in [0, 6, 15, 20, 33, 50, 66, 255] {
        stranger.says_raw(kind, b"something of a later version").await;
    }
    // Members and a letter in a dialect that nobody speaks yet, and fields behind the known ones.
    let (own, newer) = (somebody("its own"), somebody("of a later version"));
    stranger.says(with_more(&wire::part(None, std::slice::from_ref(&own), true, 1))).await;
    stranger.says(in_another_dialect(&wire::change(2, &newer, true))).await;
    stranger.says(in_another_dialect(&letter(&own, 1, "x"))).await;
    stranger.says(with_more(&letter(&own, 1, "x"))).await;
    assert!(anna.hears_until(&written(1, "x")).await.is_empty());
    anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| keys == &[own.public_key.to_string()])).await;
    // Nobody misses those whom it does not show.
    let mut digest = Digest::default();
    [&own, &newer].iter().for_each(|member| digest.toggle(member.spelled));
    stranger.says(wire::standing(2, digest)).await;
    stranger.says(wire::want_list()).await;
    let is_asked = stranger.hears(|wish| match wish {
        Output::WantList => Some(true),
        Output::Tell(News::Part { .. }) => Some(false),
        _ => None,
    });
    assert!(!is_asked.await);
    assert_eq!(app.metric("kith_violations_total{code=\"malformed\"}").await, 0.0);
    // Nor is one bad letter a reason to lose the good ones.
    for original in ["hello", "{\"type\":\"client_list\",\"servers\":[]}"] {
        stranger.says(wrapped(&own, 2, original.to_owned())).await;
    }
    stranger.says(letter(&own, 3, "y")).await;
    assert!(anna.hears_until(&written(3, "y")).await.is_empty());
    assert_eq!(app.metric("kith_violations_total{code=\"malformed\"}").await, 2.0);
}

#[actix_web::test]
async fn a_frame_beyond_the_limit_ends_the_link() {
    let limits = [("LIMITS__PEER_MESSAGE_BYTES", "65536"), ("LIMITS__MESSAGE_BYTES", "8192")];
    let app = App::with(&limits);
    let too_large = Some((1009, "too_large".to_owned()));
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    // More than a client may say; the seal takes 16 bytes.
    stranger.says_raw(99, &vec![7; 65_536 - 1 - 16]).await;
    stranger.is_understood().await;
    stranger.says_raw(99, &vec![7; 65_536 - 16]).await;
    assert_eq!(stranger.goodbye().await, too_large);
    // Before it has proven itself, a server has room for the longest hello and no more, whatever clients may say.
    for (length, goodbye) in [(16 << 10, policy("out_of_order")), ((16 << 10) + 1, too_large)] {
        let mut socket = knock(&app.listen).await;
        socket.send(Message::binary(vec![wire::kind::PROOF; length])).await.expect("a frame");
        assert_eq!(ending(&mut socket).await, goodbye, "{length}");
    }
    still_serves(&app).await;
}
