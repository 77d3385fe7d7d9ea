//! Scenes: what succession promises, each promise by name.

use std::time::Duration;

use kith::domain::succession::{
    NodeId,
    election::{Attempt, Handing, Input, NotHanded, Output},
    numbers::Numbers,
};

use super::{
    scenarios::{another, fine, heard, home, home_of, home_with, leads, lost_role, order, seconds, still},
    world::World,
};

#[test]
fn a_candidate_that_never_gets_ready_leaves_the_old_leader_serving() {
    let (mut world, leader) = home(3, None);
    let candidate = another(leader, 3);
    world.machines[candidate].can_lead = false;
    order(&mut world, leader, Some(candidate));
    fine(world.run(seconds(20)));
    assert_eq!(world.serving(), [leader]);
    assert_eq!(heard(&world, |output| matches!(output, Output::Handing(_, Handing::Cancelled))), 1);
    assert_eq!(lost_role(&world), 0);
}

#[test]
fn whoever_says_nothing_is_passed_over_if_nobody_was_named() {
    let (mut world, leader) = home(3, None);
    let best = world.node(leader).view(world.local(leader)).successors[0];
    let best = world.index(best);
    // Its reports come through, so it counts as alive.
    world.net.unasked.insert((leader, best));
    order(&mut world, leader, None);
    let third = 3 - leader - best;
    fine(world.until(seconds(7), |world| world.serving() == [third]));
    assert_eq!(heard(&world, |output| matches!(output, Output::Handing(_, Handing::Ordered))), 2);
    assert_eq!(heard(&world, |output| matches!(output, Output::Handing(_, Handing::Cancelled))), 0);
}

#[test]
fn what_is_said_late_of_one_hand_over_is_not_taken_for_the_next() {
    let (mut world, leader) = home(3, None);
    let candidate = another(leader, 3);
    let quick = world.net.disk.clone();
    let begins = |world: &mut World| {
        // It takes its time until the other's copy is whole.
        world.net.disk = 1000..1001;
        order(world, leader, Some(candidate));
        fine(world.run(Duration::from_millis(500)));
        assert!(world.is_quiesced(leader));
        world.net.disk = quick.clone();
    };
    let cancelled = |world: &World| heard(world, |out| matches!(out, Output::Handing(_, Handing::Cancelled)));
    begins(&mut world);
    fine(world.tell(leader, Input::Stuck(Attempt(1))));
    assert_eq!((world.is_quiesced(leader), cancelled(&world)), (false, 1));
    begins(&mut world);
    for late in [Input::Stuck(Attempt(1)), Input::CaughtUp(Attempt(1))] {
        fine(world.tell(leader, late));
        assert_eq!((world.is_quiesced(leader), cancelled(&world)), (true, 1));
    }
    // Nothing was committed by that, or the world would have told of letters that were not written.
    fine(world.until(seconds(5), |world| world.serving() == [candidate]));
}

#[test]
fn a_candidate_that_dies_at_any_moment_leaves_the_home_with_a_leader() {
    for step in 0..60 {
        let (mut world, leader) = home(3, None);
        let candidate = another(leader, 3);
        order(&mut world, leader, Some(candidate));
        fine(world.run(Duration::from_millis(step * 4)));
        let had_let_go = world.serving() != [leader];
        world.crash(candidate);
        if had_let_go {
            leads(&mut world, seconds(12));
        } else {
            fine(world.run(seconds(12)));
            let handed = heard(&world, |output| matches!(output, Output::Handing(_, Handing::Done)));
            assert!(handed == 1 || world.serving() == [leader], "after {step} steps");
            leads(&mut world, seconds(12));
        }
        let written = world.accepted();
        fine(world.run(seconds(3)));
        assert!(world.accepted() > written, "nobody accepts anything after {step} steps");
    }
}

#[test]
fn a_killed_leader_is_replaced_in_time_and_never_before_its_lease_is_over() {
    for (size, seed) in (3..=7).flat_map(|size| (0..10).map(move |seed| (size, seed))) {
        let (mut world, leader) = home_of(seed, size, None, still());
        world.crash(leader);
        let took = fine(world.until(seconds(12), |world| !world.serving().is_empty()));
        assert!(took > seconds(9), "{took:?} with {size}");
    }
}

#[test]
fn who_waits_for_a_leader_reads_when_the_next_one_serves_in_the_settings() {
    for takeover in [11_500, 12_000, 15_000, 30_000] {
        let takeover = Duration::from_millis(takeover);
        let numbers = Numbers { takeover, lease: seconds(8), ..still() };
        let (mut world, leader) = home_with(5, None, numbers);
        world.crash(leader);
        let took = fine(world.until(takeover, |world| !world.serving().is_empty()));
        assert!(took > takeover * 8 / 10, "{took:?} of {takeover:?}");
    }
}

#[test]
fn a_leader_is_asked_once_and_three_times_more_before_anybody_stands() {
    let (mut world, leader) = home(3, None);
    world.net.isolate(leader, 3);
    let one = another(leader, 3);
    let (followed, mut unanswered) = (world.role(one), 0);
    while world.role(one) == followed {
        unanswered = world.node(one).view(world.local(one)).attempts;
        fine(world.run(Duration::from_millis(10)));
    }
    assert!(unanswered >= 4, "{unanswered}");
}

#[test]
fn who_has_the_best_copy_leads_next_even_if_others_are_enough_without_it() {
    for seed in 0..20 {
        let (mut world, leader) = home_of(seed, 5, None, still());
        let best = (leader + 1 + usize::try_from(seed).expect("small") % 4) % 5;
        for (at, machine) in world.machines.iter_mut().enumerate() {
            machine.copies = at == best;
        }
        fine(world.run(seconds(5)));
        world.crash(leader);
        assert_eq!(leads(&mut world, seconds(12)), best, "seed {seed}");
    }
}

#[test]
fn of_several_that_are_gone_none_costs_the_others_its_turn() {
    for seed in 0..10 {
        let (mut world, leader) = home_of(seed, 7, None, still());
        let view = world.node(leader).view(world.local(leader));
        world.crash(leader);
        for next in &view.successors[..2] {
            let next = world.index(*next);
            world.net.isolate(next, 7);
        }
        leads_beside(&mut world, &view.successors[..2]);
    }
}

/// Somebody else serves in time.
fn leads_beside(world: &mut World, gone: &[NodeId]) {
    let others = |world: &World| world.serving().iter().any(|at| !gone.contains(&world.machines[*at].id));
    fine(world.until(seconds(12), others));
}

#[test]
fn of_two_parts_only_the_larger_one_goes_on() {
    let (mut world, leader) = home(3, None);
    world.net.isolate(leader, 3);
    fine(world.run(seconds(9)));
    assert!(world.serving().is_empty(), "it has stopped, though nobody told it");
    let next = leads(&mut world, seconds(3));
    assert_ne!(next, leader);
    fine(world.run(seconds(60)));
    world.net.heal();
    fine(world.run(seconds(30)));
    assert_eq!(world.serving(), [next]);
}

#[test]
fn of_two_nodes_the_fallback_leads_on_and_takes_over_and_the_other_waits() {
    for (fallback, lost) in [(0, 1), (1, 0)] {
        for leader in [0, 1] {
            let (mut world, first) = home(2, Some(fallback));
            if first != leader {
                order(&mut world, first, Some(leader));
                fine(world.run(seconds(10)));
            }
            assert_eq!(world.serving(), [leader], "{:?}", world.heard);
            // Cut off from each other: the fallback alone serves, whoever led before.
            world.net.isolate(0, 2);
            fine(world.run(seconds(12)));
            assert_eq!(world.serving(), [fallback], "{leader} led, {fallback} breaks ties");
            fine(world.run(seconds(60)));
            assert_eq!(world.serving(), [fallback]);
            world.net.heal();
            fine(world.run(seconds(20)));
            assert_eq!(world.serving(), [fallback]);
            // Without the fallback nobody does.
            world.crash(fallback);
            fine(world.run(seconds(60)));
            assert!(world.serving().is_empty(), "{lost} alone is not enough");
        }
    }
}

#[test]
fn who_was_cut_off_disturbs_nobody_when_it_is_back() {
    let (mut world, leader) = home(5, None);
    let away = another(leader, 5);
    world.net.isolate(away, 5);
    fine(world.run(seconds(120)));
    world.net.heal();
    fine(world.run(seconds(60)));
    assert_eq!((world.serving(), lost_role(&world)), (vec![leader], 0));
}

#[test]
fn a_leader_that_can_dial_nobody_leads_by_the_reports_that_it_answers() {
    let (mut world, leader) = home(3, None);
    world.net.dials_nobody(leader, 3);
    fine(world.run(seconds(60)));
    assert_eq!((world.serving(), lost_role(&world)), (vec![leader], 0));
}

#[test]
fn a_copy_that_lags_is_not_chosen() {
    let (mut world, leader) = home_with(3, None, Numbers { lag: 20, ..still() });
    let behind = another(leader, 3);
    world.machines[behind].copies = false;
    fine(world.run(seconds(20)));
    order(&mut world, leader, Some(behind));
    assert_eq!(heard(&world, |output| *output == Output::NotHanded(NotHanded::Lags)), 1);
    let view = world.node(leader).view(world.local(leader));
    assert_eq!(view.successors.last(), Some(&world.machines[behind].id), "it stands last");
    world.crash(leader);
    let next = leads(&mut world, seconds(12));
    assert_ne!(next, behind, "it has no vote of the other one");
}
