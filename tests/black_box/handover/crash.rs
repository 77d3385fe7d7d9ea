//! A leader that is killed: what it said to be kept more than a moment before is with the next one.

use std::time::Duration;

use kith::client::voice::Say;

use super::{Scene, talker::Talker};
use crate::neighbourhood::home::serving;

/// By when a copy has what the leader has written. It is some hundredths of a second; a busy machine takes longer.
const A_MOMENT: Duration = Duration::from_secs(1);

#[actix_web::test]
async fn letters_that_were_kept_a_second_before_a_crash_are_handed_over() {
    let mut scene = Scene::of(3, &[]).await;
    let door = scene.door();
    let (anna, ben) = (Talker::socp(&door, 0), Talker::socp(&door, 1));
    anna.meets(&door, &[&ben]).await;
    let id = ben.id.clone();
    ben.leaves().await;
    anna.misses(&id).await;
    let to = id.clone();
    let writer = anna.writes(move |number| Say::Private(vec![to.clone()], format!("anna {number}")));
    anna.is_told_of_kept(20).await;
    // This span is what is asked about. The author goes on meanwhile.
    let kept = anna.kept();
    actix_web::rt::time::sleep(A_MOMENT).await;
    drop(scene.apps[scene.first].take().expect("a node").kill());
    writer.await.expect("a writer");
    let next = serving(&scene.apps).await;
    let door = scene.home.nodes[next].main.url();
    let ben = Talker::socp_called(&door, 1, id.as_str());
    ben.hears_so_many(kept).await;
    let heard = ben.heard_all_of(&anna);
    let expected: Vec<String> = (0..heard.len()).map(|number| format!("anna {number}")).collect();
    assert_eq!(heard, expected, "in order, once, and without a gap");
}
