//! Neighbours that prove their key and then lie or repeat themselves. The server believes what a home may say
//! about its own members and nothing else, and serves on.

use std::sync::Arc;

use kith::{
    dialect::{event::Output, kith::wire},
    domain::{member::Member, news::Digest},
};

use super::{
    place::{Homes, places},
    stranger::{LAIR, Stranger, letter, somebody, still_serves, wrapped, written},
};
use crate::{app::App, client::Client};

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
    let its_own = claimed[2].public_key.to_string();
    stranger.lists(7, &claimed).await;
    let homes = anna.looks(|homes| homes.get(LAIR).is_some_and(|keys| !keys.is_empty())).await;
    let elsewhere = [(a.address(), &own), (b.address(), &other), (LAIR.to_owned(), &its_own)];
    for (home, key) in elsewhere {
        assert_eq!(homes[&home], std::slice::from_ref(key), "{homes:?}");
    }
    // Whoever lists her does not speak for her: where two homes do, only her own signature counts.
    for member in &claimed[..2] {
        stranger.says(letter(member, 1, "forged")).await;
    }
    first.until_metric("kith_violations_total{code=\"wrong_sender\"}", |count| count == 2.0).await;
    let said = anna.say("I have said nothing else").await;
    assert!(anna.hears_until(&said).await.is_empty());
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
    for (trace, victim) in [(1, &somebody(&anna.pem())), (2, &somebody("nobody at all"))] {
        stranger.says(letter(victim, trace, "forged")).await;
    }
    // The same trace counts for the one who may speak: a forged letter takes no place.
    stranger.says(letter(&own, 1, "real")).await;
    for client in [&mut anna, &mut ben] {
        assert!(client.hears_until(&written(1, "real")).await.is_empty());
    }
    assert_eq!(app.metric("kith_violations_total{code=\"wrong_sender\"}").await, 2.0);
    // Nor for a member that it had.
    stranger.says(wire::change(2, &own, false)).await;
    stranger.says(letter(&own, 3, "late")).await;
    stranger.is_understood().await;
    assert_eq!(app.metric("kith_violations_total{code=\"wrong_sender\"}").await, 3.0);
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
        for (serial, text) in [(1, "one"), (2, "two")] {
            stranger.says(letter(&own, serial, text)).await;
        }
    }
    // What makes a letter the same is its signature, whatever the neighbour says about it.
    stranger.says(wrapped(&own, 7, written(1, "one"))).await;
    stranger.says(letter(&own, 3, "three")).await;
    assert_eq!(anna.hears_until(&written(3, "three")).await, [written(1, "one"), written(2, "two")]);
    app.until_metric("kith_refusals_total{code=\"replayed\"}", |count| count == 9.0).await;
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
    let is = |members: &[&Arc<Member>]| {
        let mut keys: Vec<String> = members.iter().map(|member| member.public_key.to_string()).collect();
        keys.sort();
        move |homes: &Homes| homes.get(LAIR) == Some(&keys)
    };
    anna.looks(is(&[&one, &two])).await;
    // A change is missing, came before, or comes from nowhere.
    for sequence in [9, 3, u64::MAX] {
        stranger.says(wire::change(sequence, &three, true)).await;
        stranger.hears(wanted).await;
        // What it knew it keeps until the list has come.
        anna.looks(is(&[&one, &two])).await;
        let mut members = [one.clone(), two.clone()];
        members.sort_by_key(|member| member.key);
        stranger.lists(6, &members).await;
    }
    // Another digest, another number, a part that does not follow.
    stranger.says(wire::standing(6, Digest(7))).await;
    stranger.hears(wanted).await;
    stranger.lists(u64::MAX, std::slice::from_ref(&three)).await;
    anna.looks(is(&[&three])).await;
    stranger.says(wire::change(0, &one, true)).await;
    stranger.says(wire::standing(u64::MAX, Digest::default())).await;
    stranger.hears(wanted).await;
    stranger.says(wire::part(Some(one.key), &[two], true, 4)).await;
    stranger.hears(wanted).await;
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
        assert_eq!(stranger.goodbye().await, Some((1008, "too_many_members".to_owned())));
        anna.looks(|homes| !homes.contains_key(LAIR)).await;
        let peer = app.until_peer(LAIR, |peer| peer["state"] != "up").await;
        assert_eq!(peer["last_error"]["code"], "too_many_members", "{peer}");
    }
    still_serves(&app).await;
}
