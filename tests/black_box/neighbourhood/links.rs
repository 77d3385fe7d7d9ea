//! Three linked servers: everybody hears of everybody, and of everything once.

use super::place::{all_up, lines, places, three};
use crate::client::Client;

/// A silence that no test waits for: what is noticed, the socket has told.
const UNHURRIED: [(&str, &str); 2] = [("LIMITS__PEER_HEARTBEAT_S", "60"), ("LIMITS__PEER_SILENCE_S", "180")];

#[actix_web::test]
async fn three_servers_are_one_neighbourhood() {
    let (places, apps) = three(&[]);
    all_up(&apps, 2).await;
    for (own, app) in apps.iter().enumerate() {
        for peer in app.neighbours().await {
            let address = peer["address"].as_str().expect("an address");
            let other = places.iter().position(|place| place.address() == address).expect("a place");
            assert_ne!(other, own);
            assert_eq!(peer["key"], places[other].key());
            assert_eq!(peer["name"], format!("server-{other}"));
            assert_eq!((&peer["trust"], &peer["dialect"]), (&"pinned".into(), &"kith".into()));
        }
    }
    let mut anna = Client::join(&apps[0], 0).await;
    let mut ben = Client::join(&apps[1], 1).await;
    let mut cleo = Client::join(&apps[2], 2).await;
    let [a, b, c] = &places;
    let keys = [anna.pem(), ben.pem(), cleo.pem()];
    for client in [&mut anna, &mut ben, &mut cleo] {
        client.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
    }

    // To all, once each, in order, and the very bytes.
    let mut said = Vec::new();
    for number in 0..50 {
        said.push(anna.say(&format!("number {number}")).await);
    }
    let last = anna.say("that is all").await;
    for client in [&mut anna, &mut ben, &mut cleo] {
        assert_eq!(client.hears_until(&last).await, said);
    }

    // To one home: its members hear it, and nobody else.
    let mut dora = Client::join(&apps[1], 3).await;
    let dora_pem = dora.pem();
    anna.looks(|homes| homes[&b.address()].contains(&dora_pem)).await;
    let letter = anna.whisper(&[b], "for your eyes").await;
    let last = anna.say("and in public").await;
    for client in [&mut ben, &mut dora] {
        assert_eq!(client.hears_until(&last).await, std::slice::from_ref(&letter));
    }
    for client in [&mut anna, &mut cleo] {
        assert!(client.hears_until(&last).await.is_empty());
    }
    // To two homes, one of them named twice and one of them our own.
    let letter = cleo.whisper(&[a, c, a], "for two houses").await;
    let last = cleo.say("and in public again").await;
    for client in [&mut anna, &mut cleo] {
        assert_eq!(client.hears_until(&last).await, std::slice::from_ref(&letter));
    }
    assert!(ben.hears_until(&last).await.is_empty());

    // Whoever leaves is gone everywhere.
    ben.socket.close(None).await.expect("a close");
    for client in [&mut anna, &mut cleo, &mut dora] {
        client.sees(&[(a, &[&keys[0]]), (b, &[&dora_pem]), (c, &[&keys[2]])]).await;
    }
    // The second letter to homes was not for the second one.
    for (app, letters) in apps.iter().zip([55.0, 54.0, 54.0]) {
        assert_eq!(app.metric("kith_letters_total").await, letters, "each letter came once");
    }
}

#[actix_web::test]
async fn a_server_that_ends_takes_its_members_along_and_brings_them_back() {
    let (places, [first, second, third]) = three(&UNHURRIED);
    let mut apps = [first, second, third];
    all_up(&apps, 2).await;
    let [a, b, c] = &places;
    let mut anna = Client::join(&apps[0], 0).await;
    let mut cleo = Client::join(&apps[2], 2).await;
    for ending in ["TERM", "KILL"] {
        let ben = Client::join(&apps[1], 1).await;
        let keys = [anna.pem(), ben.pem(), cleo.pem()];
        for client in [&mut anna, &mut cleo] {
            client.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
        }
        let [first, second, third] = apps;
        let folder = if ending == "TERM" { second.stop() } else { second.kill() };
        // Nobody is listed whose server is not linked, and the server is not listed either.
        for client in [&mut anna, &mut cleo] {
            client.sees(&[(a, &[&keys[0]]), (c, &[&keys[2]])]).await;
        }
        first.until_peer(&b.address(), |peer| peer["state"] != "up" && peer["members"] == 0).await;
        // The others do not mind.
        let letter = anna.whisper(&[b, c], "is somebody there?").await;
        cleo.hear(&letter).await;
        assert_eq!(first.metric("kith_unreachable_total").await, if ending == "TERM" { 1.0 } else { 2.0 });
        // It comes back, and nobody does anything.
        let lines = lines(&places, 1);
        let second =
            b.open_again(folder, &[&[("NEIGHBOURHOOD__PEERS", lines.as_str())], &UNHURRIED[..]].concat());
        apps = [first, second, third];
        all_up(&apps, 2).await;
        let mut ben = Client::join(&apps[1], 1).await;
        for client in [&mut anna, &mut ben, &mut cleo] {
            client.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
        }
        let said = ben.say("here I am again").await;
        for client in [&mut anna, &mut cleo] {
            client.hear(&said).await;
        }
    }
}

#[actix_web::test]
async fn one_line_on_one_side_is_enough() {
    let [a, b] = places::<2>();
    let second = b.open(&[]);
    let first = a.open(&[("NEIGHBOURHOOD__PEERS", &b.url())]);
    for (app, other, direction, source) in [(&first, &b, "out", "settings"), (&second, &a, "in", "inbound")] {
        let peer = app.until_state(&other.address(), "up").await;
        assert_eq!((&peer["direction"], &peer["source"]), (&direction.into(), &source.into()));
        assert_eq!((&peer["trust"], &peer["key"]), (&"tofu".into(), &other.key().into()));
    }
    let (mut anna, mut ben) = (Client::join(&first, 0).await, Client::join(&second, 1).await);
    let keys = [anna.pem(), ben.pem()];
    for client in [&mut anna, &mut ben] {
        client.sees(&[(&a, &[&keys[0]]), (&b, &[&keys[1]])]).await;
    }
    let said = anna.say("there").await;
    ben.hear(&said).await;
    let answer = ben.whisper(&[&a], "and back").await;
    anna.hear(&answer).await;
}

#[actix_web::test]
async fn a_letter_goes_one_hop_and_no_further() {
    let [a, b, c] = places::<3>();
    let middle = b.open(&[]);
    let to_the_middle = [("NEIGHBOURHOOD__PEERS", b.url())];
    let to_the_middle = to_the_middle.each_ref().map(|(key, value)| (*key, value.as_str()));
    let (first, third) = (a.open(&to_the_middle), c.open(&to_the_middle));
    middle.until_up(2).await;
    first.until_up(1).await;
    third.until_up(1).await;
    let mut anna = Client::join(&first, 0).await;
    let mut ben = Client::join(&middle, 1).await;
    let mut cleo = Client::join(&third, 2).await;
    let keys = [anna.pem(), ben.pem(), cleo.pem()];
    // Each sees whom a letter reaches.
    ben.sees(&[(&a, &[&keys[0]]), (&b, &[&keys[1]]), (&c, &[&keys[2]])]).await;
    anna.sees(&[(&a, &[&keys[0]]), (&b, &[&keys[1]])]).await;
    cleo.sees(&[(&b, &[&keys[1]]), (&c, &[&keys[2]])]).await;
    let said = anna.say("as far as the middle").await;
    let letter = anna.whisper(&[&b, &c], "and this").await;
    assert_eq!(ben.hears_until(&letter).await, std::slice::from_ref(&said));
    // What the middle says itself comes behind anything that it would hand on.
    let last = ben.say("what did you hear?").await;
    assert!(cleo.hears_until(&last).await.is_empty());
    assert_eq!(anna.hears_until(&last).await, [said]);
    assert_eq!(third.metric("kith_letters_total").await, 1.0);
}
