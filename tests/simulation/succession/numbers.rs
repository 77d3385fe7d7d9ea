//! Scenes: nodes of one home whose numbers are not the same, for ever or while an operator changes them.

use std::time::Duration;

use kith::domain::succession::{
    election::{Difference, Output, Role},
    message::Objection,
    numbers::Numbers,
};

use super::{
    scenarios::{another, fine, heard, home, leads, order, seconds, still},
    world::World,
};

/// Leases that last longer than others keep their promise.
fn long() -> Numbers {
    Numbers { lease: seconds(20), takeover: seconds(30), ..still() }
}

/// A node is started again, with these numbers.
fn changes(world: &mut World, at: usize, numbers: &Numbers) {
    world.machines[at].numbers = Some(numbers.clone());
    world.crash(at);
    fine(world.run(Duration::from_millis(200)));
    world.start(at);
}

fn told(world: &World, at: usize, why: Objection) -> usize {
    let is =
        |output: &Output| matches!(output, Output::Differs(Difference { why: known, .. }) if *known == why);
    world.heard.iter().filter(|(_, node, output)| *node == at && is(output)).count()
}

#[test]
fn who_would_serve_longer_than_the_others_keep_their_promise_leads_nobody() {
    let mut refused = 0;
    for seed in 0..40 {
        let mut world = World::new(3, None, still(), seed);
        world.machines[0].numbers = Some(long());
        world.start_all();
        let leader = leads(&mut world, seconds(12));
        fine(world.run(seconds(20)));
        // Whoever leads is cut off. The others must not begin before it has stopped.
        world.net.isolate(leader, 3);
        fine(world.run(seconds(40)));
        world.net.heal();
        fine(world.run(seconds(40)));
        let leads = |output: &Output| matches!(output, Output::Became(Role::Leader(_), _));
        assert!(!world.heard.iter().any(|(_, at, output)| *at == 0 && leads(output)), "seed {seed}");
        assert!(!world.serving().is_empty(), "the other two are enough");
        let next = another(0, 3);
        let shown = world.node(next).view(world.local(next)).differing;
        let is_shown = shown.iter().map(|(_, why)| *why).eq([Objection::OtherNumbers]);
        refused += usize::from(is_shown && told(&world, 0, Objection::OtherNumbers) > 0);
    }
    assert_eq!(refused, 40, "each time it is told why, and so is whoever looks at the others");
}

#[test]
fn half_of_a_home_does_not_take_other_numbers_for_silence() {
    let mut world = World::new(2, Some(0), still(), 7);
    world.machines[1].numbers = Some(long());
    world.start_all();
    fine(world.run(seconds(60)));
    assert!(world.serving().is_empty(), "the fallback is answered by one that counts for nothing");
    assert!(told(&world, 0, Objection::OtherNumbers) == 1 && told(&world, 1, Objection::OtherNumbers) == 1);
    world.crash(1);
    fine(world.run(seconds(10)));
    let shown = world.node(0).view(world.local(0)).differing;
    assert!(shown.is_empty(), "nobody knows the numbers of one that does not run: {shown:?}");
    world.machines[1].numbers = Some(still());
    world.start(1);
    leads(&mut world, seconds(12));
    let view = world.node(0).view(world.local(0));
    assert!(view.differing.is_empty(), "{view:?}");
}

#[test]
fn a_promise_of_the_time_before_the_numbers_changed_is_kept_to_its_end() {
    for gap in [0, 1_000, 4_000, 8_000] {
        let mut world = World::new(3, None, long(), 7);
        world.start_all();
        let leader = leads(&mut world, seconds(12));
        fine(world.run(seconds(40)));
        let standbys = [another(leader, 3), 3 - leader - another(leader, 3)];
        world.net.isolate(leader, 3);
        for at in standbys {
            changes(&mut world, at, &still());
            fine(world.run(Duration::from_millis(gap)));
        }
        let next = fine(world.until(seconds(60), |world| standbys.iter().any(|at| world.serves(*at))));
        assert!(next > seconds(8), "{next:?} after {gap}: the old lease was longer than the new promise");
        fine(world.run(seconds(20)));
    }
}

#[test]
fn numbers_grow_and_shrink_node_by_node_if_takeover_is_never_the_smaller_one() {
    let wide = Numbers { takeover: seconds(30), ..still() };
    for [first, steps @ ..] in [[still(), wide.clone(), long()], [long(), wide, still()]] {
        let mut world = World::new(3, None, first, 7);
        world.start_all();
        let mut leader = leads(&mut world, seconds(12));
        for numbers in &steps {
            for at in (0..3).filter(|at| *at != leader).collect::<Vec<_>>() {
                changes(&mut world, at, numbers);
                fine(world.run(seconds(5)));
            }
            let next = another(leader, 3);
            order(&mut world, leader, Some(next));
            fine(world.until(seconds(5), |world| world.serving() == [next]));
            changes(&mut world, leader, numbers);
            fine(world.run(seconds(5)));
            leader = next;
        }
        assert_eq!(world.serving(), [leader]);
        let leads = |output: &Output| matches!(output, Output::Became(Role::Leader(_), _));
        assert_eq!(heard(&world, leads), 1 + steps.len(), "elected once, and handed over from then on");
        assert_eq!(heard(&world, |output| matches!(output, Output::Differs(_))), 0);
    }
}

#[test]
fn a_home_whose_numbers_change_all_at_once_node_by_node_stands_still_and_goes_on() {
    let (mut world, leader) = home(3, None);
    let standbys = [another(leader, 3), 3 - leader - another(leader, 3)];
    changes(&mut world, standbys[0], &long());
    fine(world.run(seconds(30)));
    assert_eq!(world.serving(), [leader], "the old numbers have the majority");
    assert!(told(&world, leader, Objection::OtherNumbers) >= 1);
    changes(&mut world, standbys[1], &long());
    fine(world.until(seconds(60), |world| standbys.iter().any(|at| world.serves(*at))));
    changes(&mut world, leader, &long());
    fine(world.run(seconds(60)));
    let next = leads(&mut world, seconds(1));
    let view = world.node(next).view(world.local(next));
    assert!(view.differing.is_empty() && view.hosts.iter().all(|row| row.rank.is_some()), "{view:?}");
}
