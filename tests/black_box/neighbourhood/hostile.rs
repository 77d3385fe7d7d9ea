//! Neighbours that prove their key and then lie, repeat, stammer or rave. The server believes what a home
//! may say about its own members and nothing else, ends what is beyond repair, and serves on.

use kith::{
    dialect::{event::Output, kith::wire},
    domain::{letter::Frame, news::Digest},
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    place::places,
    stranger::{Stranger, goodbye, knock, letter, somebody},
};
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
async fn a_member_who_is_listed_by_somebody_else_stays_where_she_is() {
    let [a, b] = places::<2>();
    let (first, second) = (a.open(&[]), b.open(&[("NEIGHBOURHOOD__PEERS", &a.url())]));
    first.until_up(1).await;
    let mut anna = Client::join(&first, 0).await;
    let ben = Client::join(&second, 1).await;
    let (own, other) = (anna.pem(), ben.pem());
    anna.sees(&[(&a, &[&own]), (&b, &[&other])]).await;
    let mut stranger = Stranger::linked(&first, 0, LAIR).await;
    let claimed = [somebody(&own), somebody(&other), somebody("its own")];
    stranger.lists(7, &claimed).await;
    let homes = anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| !keys.is_empty())).await;
    let elsewhere = [(a.address(), &own), (b.address(), &other), (LAIR.to_owned(), &"its own".to_owned())];
    for (home, key) in elsewhere {
        assert_eq!(homes[&home], std::slice::from_ref(key), "{homes:?}");
    }
    // And nobody is taken away by one who never had her.
    for (at, member) in claimed.iter().enumerate() {
        stranger.says(wire::change(8 + u64::try_from(at).expect("a number"), member, false)).await;
    }
    let homes = anna.looks(|homes| homes.get(LAIR).is_some_and(Vec::is_empty)).await;
    assert_eq!((&homes[&a.address()], &homes[&b.address()]), (&vec![own], &vec![other]));
}

#[actix_web::test]
async fn nobody_speaks_for_the_members_of_others() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    let own = somebody("its own");
    stranger.lists(1, std::slice::from_ref(&own)).await;
    let before = app.metric("kith_violations_total{code=\"wrong_sender\"}").await;
    for (trace, victim) in [(1, &somebody(&anna.pem())), (2, &somebody("nobody at all"))] {
        stranger.says(letter(victim, trace, "{\"type\":\"forged\"}")).await;
    }
    // The same trace counts for the one who may speak: a forged letter takes no place.
    stranger.says(letter(&own, 1, "{\"type\":\"real\"}")).await;
    for client in [&mut anna, &mut ben] {
        assert!(client.hears_until("{\"type\":\"real\"}").await.is_empty());
    }
    assert_eq!(app.metric("kith_violations_total{code=\"wrong_sender\"}").await, before + 2.0);
    // Nor for a member that it had.
    stranger.says(wire::change(2, &own, false)).await;
    stranger.says(letter(&own, 3, "{\"type\":\"late\"}")).await;
    stranger.is_understood().await;
    let last = anna.say("silence").await;
    assert!(ben.hears_until(&last).await.is_empty());
    still_serves(&app).await;
}

#[actix_web::test]
async fn a_letter_that_is_said_again_is_heard_once() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    let own = somebody("its own");
    stranger.lists(1, std::slice::from_ref(&own)).await;
    for _ in 0..5 {
        for (trace, text) in [(1, "{\"type\":\"one\"}"), (2, "{\"type\":\"two\"}")] {
            stranger.says(letter(&own, trace, text)).await;
        }
    }
    stranger.says(letter(&own, 3, "{\"type\":\"three\"}")).await;
    assert_eq!(anna.hears_until("{\"type\":\"three\"}").await, ["{\"type\":\"one\"}", "{\"type\":\"two\"}"]);
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 8.0).await;
}

#[actix_web::test]
async fn whoever_skips_a_number_is_asked_for_the_list() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    let [one, two, three] = ["one", "two", "three"].map(somebody);
    let wanted = |wish: &Output| matches!(wish, Output::WantList).then_some(());
    stranger.lists(5, std::slice::from_ref(&one)).await;
    stranger.says(wire::change(6, &two, true)).await;
    let is = |keys: &'static [&str]| {
        move |homes: &super::place::Homes| homes.get(LAIR).is_some_and(|found| found == keys)
    };
    anna.looks(is(&["one", "two"])).await;
    // A change is missing, came before, or comes from nowhere.
    for sequence in [9, 3, u64::MAX] {
        stranger.says(wire::change(sequence, &three, true)).await;
        stranger.hears(wanted).await;
        // What it knew it keeps until the list has come.
        anna.looks(is(&["one", "two"])).await;
        let mut members = [one.clone(), two.clone()];
        members.sort_by_key(|member| member.key);
        stranger.lists(6, &members).await;
    }
    // Another digest, another number, a part that does not follow.
    stranger.says(wire::standing(6, Digest(7))).await;
    stranger.hears(wanted).await;
    stranger.lists(u64::MAX, std::slice::from_ref(&three)).await;
    anna.looks(is(&["three"])).await;
    stranger.says(wire::change(0, &one, true)).await;
    stranger.says(wire::standing(u64::MAX, Digest::default())).await;
    stranger.hears(wanted).await;
    stranger.says(wire::part(Some(one.key), &[two], true, 4)).await;
    stranger.hears(wanted).await;
    still_serves(&app).await;
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
    for kind in [0, 6, 15, 20, 33, 50, 65, 255] {
        stranger.says_raw(kind, b"something of a later version").await;
    }
    // A letter in a dialect that nobody speaks yet, members who speak it, and fields behind the known ones.
    let own = somebody("its own");
    let Frame::Binary(part) = wire::part(None, std::slice::from_ref(&own), true, 1) else {
        panic!("parts are binary")
    };
    stranger.says(Frame::Binary([&part[..], b"and a new field"].concat().into())).await;
    let Frame::Binary(said) = letter(&own, 1, "{\"type\":\"x\"}") else { panic!("letters are binary") };
    let strange = said.windows(4).position(|word| word == b"olaf").expect("the dialect");
    let mut unheard = said.to_vec();
    unheard[strange..strange + 4].copy_from_slice(b"klin");
    stranger.says(Frame::Binary(unheard.into())).await;
    stranger.says(Frame::Binary([&said[..], b"and a new field"].concat().into())).await;
    assert!(anna.hears_until("{\"type\":\"x\"}").await.is_empty());
    anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| keys == &["its own"])).await;
    stranger.is_understood().await;
    assert_eq!(app.metric("kith_violations_total").await, 0.0);
}

#[actix_web::test]
async fn a_frame_beyond_the_limit_ends_the_link() {
    let limits = [("LIMITS__PEER_MESSAGE_BYTES", "65536"), ("LIMITS__MESSAGE_BYTES", "8192")];
    let app = App::with(&limits);
    let mut stranger = Stranger::linked(&app, 0, LAIR).await;
    // More than a client may say; the seal takes 16 bytes.
    stranger.says_raw(99, &vec![7; 65_536 - 1 - 16]).await;
    stranger.is_understood().await;
    stranger.says_raw(99, &vec![7; 65_536 - 16]).await;
    assert_eq!(stranger.goodbye().await, Some((1009, "too_large".to_owned())));
    // Before it has proven itself, a server may say no more than a client.
    let mut socket = knock(&app.listen).await;
    futures_util::SinkExt::send(&mut socket, Message::binary(vec![wire::kind::HELLO; 8193]))
        .await
        .expect("a frame");
    assert_eq!(goodbye(&mut socket).await, Some((1009, "too_large".to_owned())));
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
