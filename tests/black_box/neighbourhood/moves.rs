//! Members who are in two houses: one person is one line of the list, wherever she is looked for.

use super::place::{Homes, all_up, three};
use crate::client::Client;

/// How often somebody is listed.
fn lines(homes: &Homes, key: &str) -> usize {
    homes.values().flatten().filter(|found| *found == key).count()
}

#[actix_web::test]
async fn a_member_who_moves_is_listed_once_all_the_way() {
    let (places, apps) = three(&[]);
    all_up(&apps, 2).await;
    let [a, b, c] = &places;
    let mut watchers =
        [Client::join(&apps[0], 1).await, Client::join(&apps[1], 2).await, Client::join(&apps[2], 3).await];
    let keys = watchers.each_ref().map(Client::pem);
    let old = Client::join(&apps[0], 0).await;
    let mover = old.pem();
    for watcher in &mut watchers {
        watcher.sees(&[(a, &[&keys[0], &mover]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
    }
    // She is at the new home before she has left the old one.
    let mut new = Client::join(&apps[1], 0).await;
    apps[0].until_peer(&b.address(), |peer| peer["members"] == 2).await;
    apps[2].until_peer(&b.address(), |peer| peer["members"] == 2).await;
    // Whoever hosts her lists her here, everybody else where she was first.
    for (watcher, home) in watchers.iter_mut().zip([a, b, a]) {
        let homes = watcher.looks(|homes| homes[&home.address()].contains(&mover)).await;
        assert_eq!(lines(&homes, &mover), 1, "{homes:?}");
    }
    // What she says at either home is heard everywhere, once.
    let said = new.say("with one foot in each").await;
    let last = new.say("and both feet here soon").await;
    for client in watchers.iter_mut().chain([&mut new]) {
        assert_eq!(client.hears_until(&last).await, std::slice::from_ref(&said));
    }
    drop(old);
    for watcher in &mut watchers {
        watcher.sees(&[(a, &[&keys[0]]), (b, &[&keys[1], &mover]), (c, &[&keys[2]])]).await;
    }
    // And back, this time with a gap.
    new.socket.close(None).await.expect("a close");
    for watcher in &mut watchers {
        watcher.sees(&[(a, &[&keys[0]]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
    }
    let _back = Client::join(&apps[0], 0).await;
    for watcher in &mut watchers {
        watcher.sees(&[(a, &[&keys[0], &mover]), (b, &[&keys[1]]), (c, &[&keys[2]])]).await;
    }
}

#[actix_web::test]
async fn a_member_on_two_homes_stays_when_one_of_them_goes() {
    let (places, [first, second, third]) = three(&[]);
    let apps = [first, second, third];
    all_up(&apps, 2).await;
    let [_, b, c] = &places;
    let mut watcher = Client::join(&apps[2], 1).await;
    let (one, other) = (Client::join(&apps[0], 0).await, Client::join(&apps[1], 0).await);
    let (own, both) = (watcher.pem(), one.pem());
    for place in &places[..2] {
        apps[2].until_peer(&place.address(), |peer| peer["members"] == 1).await;
    }
    let homes = watcher.looks(|homes| homes.values().flatten().count() == 2).await;
    assert_eq!(lines(&homes, &both), 1, "{homes:?}");
    let [first, _second, _third] = apps;
    drop(first.kill());
    watcher.sees(&[(b, &[&both]), (c, &[&own])]).await;
    drop((one, other));
    watcher.sees(&[(b, &[]), (c, &[&own])]).await;
}
