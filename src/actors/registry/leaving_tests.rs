//! Neighbours that move, and a home that does.

use std::time::{Duration, Instant};

use super::{waiting::letter, *};
use crate::{
    actors::registry::{AreHeldBack, AwaitNobody, Awaited, GoOn, HoldBack, Paused},
    dialect::{Ear, event::Pause, kith::wire::kind, press},
};

const THERE: HomeId = HomeId(2);

/// A neighbour on the Kith link.
struct Neighbour {
    taker: Taker,
    end: Addr<Taker>,
    lane: LaneEnd,
    registry: Addr<Registry>,
}

impl Neighbour {
    /// One with this key, to which the second person has come.
    async fn linked(registry: &Addr<Registry>, key: KeyId) -> Self {
        Self::linked_behind(registry, key, 0).await
    }

    /// The same, while so many bytes wait for its socket.
    async fn linked_behind(registry: &Addr<Registry>, key: KeyId, unsent: usize) -> Self {
        let (taker, lane) = (Taker::default(), LaneEnd::default());
        lane.unsent(unsent);
        let end = taker.clone().start();
        let link = Link {
            home: THERE,
            address: "there:1".into(),
            names: Vec::new(),
            key: Some(key),
            ear: Ear::Kith,
            lane: lane.lane(1 << 20, end.clone().recipient()),
            meter: Arc::new(Meter::default()),
        };
        registry.send(link).await.expect("the registry");
        tell(registry, THERE, Change::Came(resident(2))).await;
        Self { taker, end, lane, registry: registry.clone() }
    }

    async fn says(&self, pause: Pause) {
        self.registry.send(Paused { home: THERE, pause }).await.expect("the registry");
    }

    /// What it has heard of moves, and the marks of letters.
    async fn heard(&self) -> Vec<String> {
        self.end.send(Heard).await.expect("it is there");
        let known = |frame: &Frame| {
            let numbered = (0..9).flat_map(|number| [Pause::Hold(number), Pause::Held(number)]);
            let mut words = numbered.chain([Pause::GoOn]);
            let word = words.find(|word| press::pause(*word, Ear::Kith).as_ref() == Some(frame));
            let mark = (1..9).find(|mark| press::letter(&letter(*mark), Ear::Kith).as_ref() == Some(frame));
            let end = Ending::Silent.code();
            let end = (frame.text() == Some(end)).then(|| end.to_owned());
            let mark = mark.map(|mark| format!("mark-{mark}"));
            word.map(|word| format!("{word:?}")).or(mark).or(end)
        };
        self.taker.0.lock().expect("nobody fails").iter().filter_map(known).collect()
    }

    /// Waits until it has heard who is here.
    async fn until_told(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let is_list =
            |frame: &Frame| matches!(frame, Frame::Binary(bytes) if bytes.first() == Some(&kind::PART));
        while !self.taker.0.lock().expect("nobody fails").iter().any(is_list) {
            assert!(Instant::now() < deadline, "no list comes");
            actix_rt::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until that is what it has heard.
    async fn hears(&self, wanted: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let heard = self.heard().await;
            if heard == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{heard:?} is not {wanted:?}");
            actix_rt::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn awaited(registry: &Addr<Registry>) -> Awaited {
    registry.send(AreHeldBack).await.expect("the registry")
}

async fn writes(registry: &Addr<Registry>, mark: u8) {
    registry.send(Route(letter(mark))).await.expect("the registry");
}

/// The first person, who writes, and everything that she is told.
pub(super) async fn author(registry: &Addr<Registry>) -> (Taker, Addr<Taker>) {
    let taker = Taker::default();
    let end = taker.clone().start();
    join_with(registry, 1, LaneEnd::default().lane(1 << 20, end.clone().recipient()), 1).await;
    (taker, end)
}

/// Waits until the first person was told this.
pub(super) async fn is_told(taker: &Taker, frame: &Frame) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !taker.0.lock().expect("nobody fails").contains(frame) {
        assert!(Instant::now() < deadline, "{frame:?} does not come");
        actix_rt::time::sleep(Duration::from_millis(5)).await;
    }
}

#[actix_web::test]
async fn of_two_homes_that_ask_each_other_at_once_the_one_with_the_smaller_key_goes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let there = Neighbour::linked(&registry, KeyId([0xff; 32])).await;
    registry.send(HoldBack).await.expect("the registry");
    there.says(Pause::Hold(8)).await;
    there.hears(&["Hold(1)"]).await;
    assert_eq!(awaited(&registry).await, Awaited::Words, "the other one has heard that, and lets us go");
    there.says(Pause::GoOn).await;
    there.says(Pause::Held(1)).await;
    assert_eq!(awaited(&registry).await, Awaited::Nobody);
    there.says(Pause::Hold(8)).await;
    assert_eq!(awaited(&registry).await, Awaited::Nobody, "it is too late to wait for anybody");
    registry.send(GoOn).await.expect("the registry");
    there.hears(&["Hold(1)", "GoOn", "Held(8)"]).await;
}

#[actix_web::test]
async fn whoever_had_to_let_us_go_first_goes_when_we_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    for gives_up in [false, true] {
        let registry = registry(&folder).await;
        let there = Neighbour::linked(&registry, KeyId([0xff; 32])).await;
        for hold in ["Hold(1)", "Hold(2)"] {
            let before = there.heard().await;
            registry.send(HoldBack).await.expect("the registry");
            let heard: Vec<_> = before.iter().map(String::as_str).chain([hold]).collect();
            there.hears(&heard).await;
            there.says(Pause::Hold(8)).await;
            if gives_up {
                there.says(Pause::GoOn).await;
            }
            registry.send(AwaitNobody).await.expect("the registry");
            registry.send(GoOn).await.expect("the registry");
            let answer: &[&str] = if gives_up { &["GoOn"] } else { &["GoOn", "Held(8)"] };
            there.hears(&[&heard, answer].concat()).await;
            there.says(Pause::GoOn).await;
        }
    }
}

#[actix_web::test]
async fn a_home_that_lets_another_one_go_first_loses_nothing_and_asks_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    registry.send(HoldBack).await.expect("the registry");
    there.says(Pause::Hold(8)).await;
    there.hears(&["Hold(1)", "GoOn", "Held(8)"]).await;
    writes(&registry, 1).await;
    assert_eq!(awaited(&registry).await, Awaited::Moves);
    registry.send(Unlink(THERE)).await.expect("the registry");
    writes(&registry, 2).await;
    assert_eq!(awaited(&registry).await, Awaited::Moves);
    there.hears(&["Hold(1)", "GoOn", "Held(8)"]).await;
    // Behind what waited for it, the next node is asked.
    let next = Neighbour::linked(&registry, KeyId([0; 32])).await;
    next.hears(&["mark-1", "mark-2", "Hold(2)"]).await;
    writes(&registry, 3).await;
    assert_eq!(awaited(&registry).await, Awaited::Words, "what our members write goes out meanwhile");
    next.says(Pause::Held(2)).await;
    assert_eq!(awaited(&registry).await, Awaited::Nobody);
    next.hears(&["mark-1", "mark-2", "Hold(2)", "mark-3"]).await;
}

#[actix_web::test]
async fn an_answer_to_an_earlier_wish_is_none_to_this_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    registry.send(HoldBack).await.expect("the registry");
    registry.send(GoOn).await.expect("the registry");
    registry.send(HoldBack).await.expect("the registry");
    there.hears(&["Hold(1)", "GoOn", "Hold(2)"]).await;
    there.says(Pause::Held(1)).await;
    assert_eq!(awaited(&registry).await, Awaited::Words);
    there.says(Pause::Held(2)).await;
    assert_eq!(awaited(&registry).await, Awaited::Nobody);
}

#[actix_web::test]
async fn a_neighbour_that_moves_again_before_it_knows_our_members_is_waited_for_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    there.says(Pause::Hold(1)).await;
    writes(&registry, 1).await;
    registry.send(Unlink(THERE)).await.expect("the registry");
    // There is room for letters, and none for lists.
    let next = Neighbour::linked_behind(&registry, KeyId([0; 32]), 3 << 18).await;
    next.says(Pause::Hold(2)).await;
    next.lane.unsent(0);
    next.hears(&["Held(2)"]).await;
    next.until_told().await;
    assert_eq!(next.heard().await, ["Held(2)"], "the list does not end the wait any more");
    next.says(Pause::GoOn).await;
    next.hears(&["Held(2)", "mark-1"]).await;
}

#[actix_web::test]
async fn a_neighbour_that_is_silent_for_too_long_hears_what_was_held_back_on_its_next_link_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = Arc::new(Limits { peer_move_s: 1, ..Limits::default() });
    let registry = start(Parts { limits, ..parts(&folder, false).await });
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    there.says(Pause::Hold(1)).await;
    writes(&registry, 1).await;
    there.hears(&["Held(1)", "silent"]).await;
    registry.send(Unlink(THERE)).await.expect("the registry");
    there.hears(&["Held(1)", "silent"]).await;
    let next = Neighbour::linked(&registry, KeyId([0; 32])).await;
    next.hears(&["mark-1"]).await;
}

#[actix_web::test]
async fn a_neighbour_that_moves_before_is_waited_for_whatever_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let there = Neighbour::linked(&registry, KeyId([0xff; 32])).await;
    there.says(Pause::Hold(8)).await;
    registry.send(HoldBack).await.expect("the registry");
    assert_eq!(awaited(&registry).await, Awaited::Moves);
    there.hears(&["Held(8)"]).await;
    there.says(Pause::GoOn).await;
    there.hears(&["Held(8)", "Hold(1)"]).await;
}

#[actix_web::test]
async fn what_a_neighbour_is_too_late_for_waits_for_the_next_node_and_its_author_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry_with(&folder, true).await;
    let (taker, _end) = author(&registry).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    there.says(Pause::Hold(8)).await;
    writes(&registry, 1).await;
    registry.send(HoldBack).await.expect("the registry");
    registry.send(AwaitNobody).await.expect("the registry");
    let kept = press::kept(&letter(1), Ear::Socp(socp::Accent::default())).expect("words");
    is_told(&taker, &kept).await;
    // It may have stopped reading, so it gets nothing of that; what is written later stands behind it.
    writes(&registry, 2).await;
    there.hears(&["Held(8)"]).await;
    registry.send(GoOn).await.expect("the registry");
    there.hears(&["Held(8)", "GoOn"]).await;
    there.says(Pause::GoOn).await;
    there.hears(&["Held(8)", "GoOn", "mark-1", "mark-2"]).await;
}

#[actix_web::test]
async fn a_neighbour_without_room_is_not_cut_off_and_hears_everything_as_soon_as_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
    let (full, empty) = (1 << 20, 0);
    there.lane.unsent(full);
    registry.send(HoldBack).await.expect("the registry");
    assert_eq!(awaited(&registry).await, Awaited::Words);
    there.hears(&[]).await;
    there.lane.unsent(empty);
    there.hears(&["Hold(1)"]).await;
    there.lane.unsent(full);
    registry.send(GoOn).await.expect("the registry");
    there.says(Pause::Hold(8)).await;
    writes(&registry, 1).await;
    there.says(Pause::GoOn).await;
    writes(&registry, 2).await;
    there.hears(&["Hold(1)"]).await;
    there.lane.unsent(empty);
    there.hears(&["Hold(1)", "GoOn", "mark-1", "mark-2"]).await;
}

#[actix_web::test]
async fn what_is_too_much_to_be_held_back_is_kept_behind_it_or_its_author_is_told() {
    for keeps in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = parts(&folder, keeps).await;
        let room = u32::try_from(letter(1).original.len()).expect("a length");
        let limits = Limits { peer_queue_bytes: room, ..Limits::default() };
        let registry = start(Parts { limits: Arc::new(limits), ..parts });
        let (taker, _end) = author(&registry).await;
        let there = Neighbour::linked(&registry, KeyId([0; 32])).await;
        there.says(Pause::Hold(8)).await;
        writes(&registry, 1).await;
        writes(&registry, 2).await;
        let ear = Ear::Socp(socp::Accent::default());
        let answer = if keeps { press::kept } else { press::not_found };
        is_told(&taker, &answer(&letter(2), ear).expect("words")).await;
        there.says(Pause::GoOn).await;
        let all: &[&str] = if keeps { &["Held(8)", "mark-1", "mark-2"] } else { &["Held(8)", "mark-1"] };
        there.hears(all).await;
    }
}
