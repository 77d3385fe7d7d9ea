//! Members of servers that are linked by SOCP alone: heard in order and once, listed once wherever they are, and gone
//! with their server.

use std::thread;

use actix_web::http::Method;

use super::{ALONE, hears_until, line, lines, linked, open, places, public, three};
use crate::{
    app::App,
    socp::hostile::stranger::{ANNA, BEN, LAIR, Stranger, direct, name},
};

/// Letters that each of two says.
const LETTERS: usize = 50;

#[actix_web::test]
async fn two_servers_that_start_at_once_are_neighbours_and_lose_nothing() {
    let places = places::<2>();
    for _ in 0..2 {
        let apps = thread::scope(|scope| {
            let start = |own: usize| {
                let (place, peers) = (&places[own], lines(&places, own));
                scope.spawn(move || open(place, &peers))
            };
            [start(0), start(1)].map(|thread| thread.join().expect("a server"))
        });
        for app in &apps {
            linked(app, 1).await;
        }
        let mut anna = Stranger::user(&apps[0], ANNA).await;
        let mut ben = Stranger::user(&apps[1], BEN).await;
        anna.sees(name(BEN), true).await;
        ben.sees(name(ANNA), true).await;
        let mut said = [Vec::new(), Vec::new()];
        for number in 0..LETTERS {
            let texts = [format!("to ben, number {number}"), format!("to anna, number {number}")];
            if number % 5 == 0 {
                anna.says(&public(ANNA, &texts[0])).await;
                ben.says(&public(BEN, &texts[1])).await;
            } else {
                anna.says(&direct(ANNA, name(BEN), &texts[0])).await;
                ben.says(&direct(BEN, name(ANNA), &texts[1])).await;
            }
            for (said, text) in said.iter_mut().zip(texts) {
                said.push(text);
            }
        }
        assert_eq!(hears_until(&mut ben, &said[0][LETTERS - 1]).await, said[0], "in order, once");
        assert_eq!(hears_until(&mut anna, &said[1][LETTERS - 1]).await, said[1], "in order, once");
    }
}

#[actix_web::test]
async fn one_line_on_one_side_is_enough() {
    let [a, b] = places::<2>();
    let second = open(&b, "");
    let first = open(&a, &format!("{} dialect=socp", b.url()));
    for (app, other, direction, source) in [(&first, &b, "out", "settings"), (&second, &a, "in", "inbound")] {
        linked(app, 1).await;
        let peer = app.until_peer(&other.address(), |_| true).await;
        assert_eq!((&peer["direction"], &peer["source"]), (&direction.into(), &source.into()));
        assert_eq!((&peer["trust"], &peer["key"]), (&"tofu".into(), &other.key().into()));
    }
    let mut anna = Stranger::user(&first, ANNA).await;
    let mut ben = Stranger::user(&second, BEN).await;
    anna.sees(name(BEN), true).await;
    ben.sees(name(ANNA), true).await;
    anna.says(&public(ANNA, "there")).await;
    assert_eq!(hears_until(&mut ben, "there").await, ["there"]);
    ben.says(&direct(BEN, name(ANNA), "and back")).await;
    assert_eq!(hears_until(&mut anna, "and back").await, ["and back"]);
}

#[actix_web::test]
async fn a_letter_goes_one_hop_and_no_further() {
    let [a, b, c] = places::<3>();
    let middle = open(&b, "");
    // What the middle tells them of each other is not enough to let each other in.
    let known = [&ALONE[1..], &[("NEIGHBOURHOOD__ADMIT", "known")]].concat();
    let to_the_middle = line(&b);
    let settings = [&known[..], &[("NEIGHBOURHOOD__PEERS", to_the_middle.as_str())]].concat();
    let (first, third) = (a.open(&settings), c.open(&settings));
    for (app, place) in [(&first, &b), (&third, &b), (&middle, &a), (&middle, &c)] {
        app.until_state(&place.address(), "up").await;
    }
    let mut anna = Stranger::user(&first, ANNA).await;
    let mut ben = Stranger::user(&middle, BEN).await;
    let mut cleo = Stranger::user(&third, LAIR).await;
    for other in [ANNA, LAIR] {
        ben.sees(name(other), true).await;
    }
    for user in [&mut anna, &mut cleo] {
        user.sees(name(BEN), true).await;
    }
    assert!(!anna.list().await.0.contains(&name(LAIR).to_owned()));
    anna.says(&direct(ANNA, name(LAIR), "through the middle?")).await;
    assert_eq!(anna.error().await, "USER_NOT_FOUND");
    anna.says(&public(ANNA, "as far as the middle")).await;
    assert_eq!(hears_until(&mut ben, "as far as the middle").await.len(), 1);
    // What the middle says itself comes behind anything that it would hand on.
    ben.says(&public(BEN, "what did you hear?")).await;
    assert_eq!(hears_until(&mut cleo, "what did you hear?").await.len(), 1);
    assert_eq!(hears_until(&mut anna, "what did you hear?").await.len(), 1);
}

#[actix_web::test]
async fn a_server_that_ends_takes_its_members_along_and_brings_them_back() {
    let (places, [first, second, third]) = three().await;
    let mut apps = [first, second, third];
    let mut anna = Stranger::user(&apps[0], ANNA).await;
    let mut cleo = Stranger::user(&apps[2], LAIR).await;
    for ending in ["TERM", "KILL"] {
        let _ben = Stranger::user(&apps[1], BEN).await;
        for user in [&mut anna, &mut cleo] {
            user.sees(name(BEN), true).await;
        }
        let [first, second, third] = apps;
        let folder = if ending == "TERM" { second.stop() } else { second.kill() };
        for user in [&mut anna, &mut cleo] {
            user.sees(name(BEN), false).await;
        }
        first.until_peer(&places[1].address(), |peer| peer["state"] != "up" && peer["members"] == 0).await;
        anna.says(&direct(ANNA, name(BEN), &format!("are you there? {ending}"))).await;
        assert_eq!(anna.error().await, "USER_NOT_FOUND");
        // The others do not mind.
        let text = format!("without ben: {ending}");
        anna.says(&public(ANNA, &text)).await;
        assert_eq!(hears_until(&mut cleo, &text).await, [text.as_str()]);
        // It comes back, and nobody does anything.
        let peers = lines(&places, 1);
        let settings = [&ALONE[..], &[("NEIGHBOURHOOD__PEERS", peers.as_str())]].concat();
        apps = [first, places[1].open_again(folder, &settings), third];
        for app in &apps {
            linked(app, 2).await;
        }
        let mut ben = Stranger::user(&apps[1], BEN).await;
        for user in [&mut anna, &mut cleo] {
            user.sees(name(BEN), true).await;
        }
        let text = format!("here I am again: {ending}");
        ben.says(&public(BEN, &text)).await;
        for user in [&mut anna, &mut cleo] {
            assert_eq!(hears_until(user, &text).await, [text.as_str()]);
        }
    }
}

/// Waits until a server believes that so many members are at each place.
async fn counts(app: &App, homes: &[(&crate::neighbourhood::place::Place, usize)]) {
    for (place, members) in homes {
        app.until_peer(&place.address(), |peer| peer["members"] == *members).await;
    }
}

#[actix_web::test]
async fn a_member_who_moves_is_listed_once_all_the_way() {
    let ([a, b, _], apps) = three().await;
    let mut watcher = Stranger::user(&apps[2], LAIR).await;
    let mut old = Stranger::user(&apps[0], ANNA).await;
    watcher.sees(name(ANNA), true).await;
    // She is at the new home before she has left the old one.
    let mut new = Stranger::user(&apps[1], ANNA).await;
    counts(&apps[2], &[(&a, 1), (&b, 1)]).await;
    let (users, _) = watcher.list().await;
    assert_eq!(users.iter().filter(|user| *user == name(ANNA)).count(), 1, "{users:?}");
    // What she says at either home is heard, once; what is for her goes where she was first.
    old.says(&public(ANNA, "with one foot here")).await;
    assert_eq!(hears_until(&mut watcher, "with one foot here").await.len(), 1);
    new.says(&public(ANNA, "and one there")).await;
    assert_eq!(hears_until(&mut watcher, "and one there").await.len(), 1);
    watcher.says(&direct(LAIR, name(ANNA), "which door?")).await;
    hears_until(&mut old, "which door?").await;
    drop(old);
    counts(&apps[2], &[(&a, 0), (&b, 1)]).await;
    watcher.sees(name(ANNA), true).await;
    watcher.says(&direct(LAIR, name(ANNA), "the new one")).await;
    hears_until(&mut new, "the new one").await;
    // And back, this time with a gap.
    drop(new);
    watcher.sees(name(ANNA), false).await;
    let mut back = Stranger::user(&apps[0], ANNA).await;
    watcher.sees(name(ANNA), true).await;
    counts(&apps[2], &[(&a, 1), (&b, 0)]).await;
    watcher.says(&direct(LAIR, name(ANNA), "welcome back")).await;
    assert_eq!(hears_until(&mut back, "welcome back").await, ["welcome back"]);
}

#[actix_web::test]
async fn a_member_on_two_homes_stays_when_one_of_them_goes() {
    let ([a, b, _], [first, second, third]) = three().await;
    let mut watcher = Stranger::user(&third, LAIR).await;
    let (one, other) = (Stranger::user(&first, ANNA).await, Stranger::user(&second, ANNA).await);
    counts(&third, &[(&a, 1), (&b, 1)]).await;
    watcher.sees(name(ANNA), true).await;
    drop(first.kill());
    third.until_peer(&a.address(), |peer| peer["state"] != "up").await;
    watcher.sees(name(ANNA), true).await;
    drop((one, other));
    watcher.sees(name(ANNA), false).await;
}

#[actix_web::test]
async fn who_is_shown_the_door_at_one_server_is_gone_at_all_of_them() {
    let (_places, apps) = three().await;
    let mut ben = Stranger::user(&apps[1], BEN).await;
    let anna = Stranger::user(&apps[0], ANNA).await;
    ben.sees(name(ANNA), true).await;
    let id = apps[0].clients().await[0]["id"].as_str().expect("an id").to_owned();
    let answer = apps[0].api(Method::DELETE, &format!("/api/v1/clients/{id}")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    ben.sees(name(ANNA), false).await;
    drop(anna);
    // Banned by name at her own server she does not come back, and nobody else sees her.
    let ban = apps[0].ban(&serde_json::json!({"name": name(ANNA)})).await;
    let mut anna = Stranger::user(&apps[1], ANNA).await;
    ben.sees(name(ANNA), true).await;
    // Where she is banned she is neither listed nor heard, whoever her home is.
    let mut cleo = Stranger::user(&apps[0], LAIR).await;
    cleo.sees(name(BEN), true).await;
    assert!(!cleo.list().await.0.contains(&name(ANNA).to_owned()));
    anna.says(&public(ANNA, "who hears me?")).await;
    assert_eq!(hears_until(&mut ben, "who hears me?").await.len(), 1);
    ben.says(&public(BEN, "I do")).await;
    assert_eq!(hears_until(&mut cleo, "I do").await, ["I do"]);
    apps[0].unban(&ban).await;
    cleo.sees(name(ANNA), true).await;
}
