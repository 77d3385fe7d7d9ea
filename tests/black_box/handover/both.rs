//! Two homes that are neighbours, and move at the same moment.

use tokio::join;

use super::{
    Scene,
    olaf::mixed,
    talker::{Talker, once_and_in_order},
};
use crate::neighbourhood::home::{Home, Node};

/// Two homes of two nodes each, linked by the Kith link.
async fn linked() -> [Scene; 2] {
    let [west, east] = [0, 1].map(|keys| Home::keyed(keys, 2, None));
    let line = |node: &Node| format!("{} key={}", node.main.url(), node.main.key());
    // It is not known yet which node will serve, but this home is dialled by the other one.
    let to_east = line(&east.nodes[0]);
    // One waits for the other, for two thirds of a lease. On a machine whose disk stands still for seconds that should
    // be long.
    let [lease, takeover] = [("SUCCESSION__LEASE_MS", "24000"), ("SUCCESSION__TAKEOVER_MS", "30000")];
    let west = Scene::in_home(west, &[("NEIGHBOURHOOD__PEERS", &to_east), lease, takeover]).await;
    let to_west = line(&west.home.nodes[west.first]);
    let east = Scene::in_home(east, &[("NEIGHBOURHOOD__PEERS", &to_west), lease, takeover]).await;
    west.leader().until_up(1).await;
    east.leader().until_up(1).await;
    [west, east]
}

/// What a hearer had to hear of an author who knows that so many public letters, each second one, were accepted.
fn heard_all(author: &Talker, name: &str, hearer: &Talker, accepted: usize) {
    // Private ones wait for a moment at another place than public ones, so each kind has an order of its own. What was
    // said in public reaches those who are there: a hearer who is on the way to her next node may miss some.
    once_and_in_order(&hearer.heard_of(author, false));
    let letters: Vec<String> = hearer.heard_of(author, true);
    once_and_in_order(&letters);
    let last = 2 * accepted.saturating_sub(1);
    for number in (1..=last).step_by(2) {
        let letter = format!("{name} {number}");
        assert!(letters.contains(&letter), "{letter} of {last} is missing: {letters:?}");
    }
}

#[actix_web::test]
async fn homes_that_are_linked_move_at_the_same_moment_and_lose_no_private_letter() {
    let [west, east] = linked().await;
    let doors = [west.door(), east.door()];
    let (anna, ben) = (Talker::olaf(&doors[0], 0), Talker::olaf(&doors[1], 1));
    anna.meets(&doors[0], &[&ben]).await;
    ben.meets(&doors[1], &[&anna]).await;
    let (to_anna, to_ben) = (vec![anna.id.clone()], vec![ben.id.clone()]);
    let writers = [anna.writes(mixed("anna", to_ben.clone())), ben.writes(mixed("ben", to_anna.clone()))];
    anna.hears_so_many(60).await;
    ben.hears_so_many(60).await;
    // Each is asked once, so a move that comes to nothing is not made up for.
    join!(west.hands_over(west.other()), east.hands_over(east.other()));
    let mut from = Vec::new();
    for writer in writers {
        from.push(writer.await.expect("a writer"));
    }
    join!(west.is_served_by(west.other()), east.is_served_by(east.other()));
    let accepted = [anna.echoes(), ben.echoes()];
    let doors = [&west, &east].map(|scene| scene.home.nodes[scene.other()].main.url());
    anna.meets(&doors[0], &[&ben]).await;
    ben.meets(&doors[1], &[&anna]).await;
    for (author, from, letter) in
        [(&anna, from[0], mixed("anna", to_ben)), (&ben, from[1], mixed("ben", to_anna))]
    {
        for number in from + 1..=from + 20 {
            author.says_when_it_can(|| letter(number)).await;
        }
    }
    anna.hears(&format!("ben {}", from[1] + 20)).await;
    ben.hears(&format!("anna {}", from[0] + 20)).await;
    heard_all(&anna, "anna", &ben, accepted[0]);
    heard_all(&ben, "ben", &anna, accepted[1]);
    anna.saw_nothing_wrong();
    ben.saw_nothing_wrong();
}
