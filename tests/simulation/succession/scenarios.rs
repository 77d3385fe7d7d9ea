//! Scenes: each bug that is known of the first program, by name.

use std::time::Duration;

use kith::{
    dialect::succession::{End, Fault, end_of_request, read_answer, read_request},
    domain::{
        Moment,
        succession::{
            Epoch, NodeId,
            election::{Cause, Election, Handing, Input, NotHanded, Output, Role},
            hosts::{Kind, Liveness},
            legacy::Call,
            numbers::Numbers,
        },
    },
};

use super::{
    machine::{Clock, figures},
    world::World,
};
use crate::broken::Broken;

pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many nodes that have started, and whoever leads them.
pub(super) fn home(size: usize, fallback: Option<usize>) -> (World, usize) {
    home_with(size, fallback, still())
}

/// Numbers with which nobody leads because it is better.
pub(super) fn still() -> Numbers {
    Numbers { by_ranking: false, ..Numbers::default() }
}

pub(super) fn home_with(size: usize, fallback: Option<usize>, numbers: Numbers) -> (World, usize) {
    home_of(7, size, fallback, numbers)
}

pub(super) fn home_of(seed: u64, size: usize, fallback: Option<usize>, numbers: Numbers) -> (World, usize) {
    let mut world = World::new(size, fallback, numbers, seed);
    world.start_all();
    let leader = leads(&mut world, seconds(10));
    fine(world.run(seconds(5)));
    (world, leader)
}

pub(super) fn fine<T>(outcome: Result<T, Broken>) -> T {
    outcome.unwrap_or_else(|Broken(what)| panic!("{what}"))
}

/// Waits for somebody who serves.
pub(super) fn leads(world: &mut World, bound: Duration) -> usize {
    fine(world.until(bound, |world| !world.serving().is_empty()));
    world.serving()[0]
}

pub(super) fn order(world: &mut World, leader: usize, to: Option<usize>) {
    let to = to.map(|to| world.machines[to].id);
    fine(world.tell(leader, Input::HandOver(to)));
}

pub(super) fn heard(world: &World, what: impl Fn(&Output) -> bool) -> usize {
    world.heard.iter().filter(|(_, _, output)| what(output)).count()
}

pub(super) fn lost_role(world: &World) -> usize {
    heard(world, |output| matches!(output, Output::Became(_, Cause::LostMajority | Cause::HigherEpoch)))
}

pub(super) fn another(leader: usize, size: usize) -> usize {
    (leader + 1) % size
}

// The bugs that the document tells of.

#[test]
fn the_leader_never_hands_over_to_itself_whoever_is_first() {
    let (mut world, leader) = home_with(3, None, Numbers { tenure: seconds(5), ..Numbers::default() });
    order(&mut world, leader, Some(leader));
    assert_eq!(heard(&world, |output| *output == Output::NotHanded(NotHanded::Ourselves)), 1);
    // First it is first itself, then another one is, and that one gets its turn.
    world.machines[leader].figures = figures(0);
    fine(world.run(seconds(60)));
    assert_eq!(world.serving(), [leader]);
    world.machines[leader].figures = figures(90);
    fine(world.run(seconds(60)));
    assert_ne!(world.serving(), [leader]);
    assert_eq!(heard(&world, |output| matches!(output, Output::Handing(_, Handing::Done))), 1);
}

#[test]
fn a_server_that_goes_down_in_the_middle_of_a_connection_ends_nobody() {
    // Resets, closed connections and halves of answers are counted kinds of one thing: no answer.
    for bytes in [&b""[..], b"State: OK", b"State: OK\nSwitch-To-Server: false\n", b"\xff\xfe"] {
        assert!(read_answer(bytes).is_err(), "{bytes:?}");
    }
    let (mut world, leader) = home(3, None);
    for _ in 0..20 {
        world.crash(leader);
        fine(world.run(Duration::from_millis(37)));
        world.start(leader);
        fine(world.run(Duration::from_millis(900)));
    }
    leads(&mut world, seconds(12));
}

#[test]
fn a_host_that_falls_silent_is_chosen_for_nothing_long_before_it_is_disconnected() {
    let (mut world, leader) = home(3, None);
    let silent = another(leader, 3);
    world.crash(silent);
    fine(world.run(Duration::from_millis(3_500)));
    let view = world.node(leader).view(world.local(leader));
    let row = view.hosts.iter().find(|row| row.id == world.machines[silent].id).expect("a row");
    assert_eq!((row.state, row.rank), (Liveness::Suspect, None));
    assert!(!view.successors.contains(&row.id));
    order(&mut world, leader, Some(silent));
    assert_eq!(heard(&world, |output| *output == Output::NotHanded(NotHanded::NotAlive)), 1);
    fine(world.run(seconds(17)));
    let state = |world: &World| {
        let rows = world.node(leader).view(world.local(leader)).hosts;
        rows.iter().find(|row| row.id == world.machines[silent].id).map(|row| row.state)
    };
    assert_eq!(state(&world), Some(Liveness::Disconnected));
    fine(world.run(seconds(600)));
    assert_eq!(state(&world), None, "forgotten");
}

#[test]
fn a_node_that_comes_back_knows_that_it_is_not_the_first() {
    let (mut world, leader) = home(3, None);
    let epochs = heard(&world, |output| matches!(output, Output::Became(Role::Leader(_), _)));
    let back = another(leader, 3);
    world.net.isolate(back, 3);
    world.crash(back);
    fine(world.run(seconds(5)));
    world.start(back);
    fine(world.run(seconds(60)));
    world.net.heal();
    fine(world.run(seconds(30)));
    assert_eq!(world.serving(), [leader]);
    assert_eq!(heard(&world, |output| matches!(output, Output::Became(Role::Leader(_), _))), epochs);
}

// The bugs that it does not tell of.

#[test]
fn two_that_start_in_the_same_instant_have_one_leader() {
    for seed in 0..200 {
        let mut world = World::new(2, Some(0), Numbers::default(), seed);
        world.start_all();
        leads(&mut world, seconds(12));
        fine(world.run(seconds(10)));
    }
}

fn call(address: &str, id: Option<NodeId>) -> Call {
    Call { id, address: address.into(), figures: figures(1) }
}

#[test]
fn of_two_hosts_behind_one_address_one_at_most_is_told_to_lead() {
    let numbers = Numbers::default();
    let mut world = World::new(1, None, numbers, 7);
    world.start_all();
    leads(&mut world, seconds(5));
    let mut node = world.take(0);
    let now = Moment::from_secs(10);
    let ids = [NodeId(100), NodeId(101), NodeId(102)];
    for id in ids {
        let told = node.call(&call("10.0.0.9", None), id, now);
        assert!(!told.is_known && told.id == id && !told.lead, "without an id nobody leads: {told:?}");
    }
    let heir = node.bequeath(now).expect("somebody is left");
    let told = ids.map(|id| node.call(&call("10.0.0.9", Some(id)), NodeId(999), now));
    assert_eq!(told.iter().filter(|told| told.lead).map(|told| told.id).collect::<Vec<_>>(), [heir]);
    let stranger = node.call(&call("10.0.0.9", None), NodeId(103), now);
    assert!(!stranger.lead && stranger.new_server.as_deref() == Some("10.0.0.9"), "{stranger:?}");
    assert_eq!(node.bequeath(now + seconds(1)), Some(heir), "never another one");
}

#[test]
fn whoever_finds_the_table_full_is_told_to_come_back_and_has_a_place_beside_a_crowd() {
    let numbers = Numbers { hosts: 15, ..Numbers::default() };
    let mut world = World::new(1, None, numbers, 7);
    world.start_all();
    leads(&mut world, seconds(5));
    let mut node = world.take(0);
    let now = Moment::from_secs(10);
    let rows = |node: &Election| node.view(now).hosts.len();
    for id in (100..200).map(NodeId) {
        let told = node.call(&call("10.0.0.66", None), id, now);
        assert_eq!((told.id, told.is_known, told.lead), (id, false, false));
    }
    assert_eq!(rows(&node), 15);
    let again = node.call(&call("10.0.0.66", Some(NodeId(199))), NodeId(200), now);
    assert_eq!((again.id, again.is_known), (NodeId(199), false), "it keeps its id and comes back");
    let other = node.call(&call("10.0.0.9", Some(NodeId(300))), NodeId(301), now);
    assert_eq!((other.id, other.is_known, rows(&node)), (NodeId(300), true, 15));
}

#[test]
fn the_old_leader_does_not_return_because_the_new_one_is_slow() {
    let (mut world, leader) = home(3, None);
    world.net.disk = 1_000..1_200;
    world.net.slowness = 200..400;
    order(&mut world, leader, None);
    fine(world.run(seconds(25)));
    let now = leads(&mut world, seconds(5));
    assert_ne!(now, leader);
    let again = |(_, node, output): &(Moment, usize, Output)| {
        *node == leader && matches!(output, Output::Became(Role::Leader(epoch), _) if *epoch > Epoch(1))
    };
    assert!(!world.heard.iter().any(again), "{:?}", world.heard);
}

#[test]
fn whoever_was_not_chosen_reads_where_to_go_in_either_spelling() {
    for key in ["Switch-To-Server", "SwitchToServer"] {
        let id = "451ecb5e-5b0c-4b3c-9d3a-2f6f3c1f7a01";
        let text =
            format!("State: Unauthorized\n{key}: false\nNew-Server: 10.0.0.9\nFallback-Server: \nId: {id}");
        let told = read_answer(text.as_bytes()).expect("an answer");
        assert_eq!((told.new_server.as_deref(), told.fallback, told.lead), (Some("10.0.0.9"), None, false));
    }
}

#[test]
fn a_hand_over_with_many_nodes_loses_none_of_them() {
    for size in 3..=7 {
        let (mut world, leader) = home(size, None);
        order(&mut world, leader, Some(another(leader, size)));
        fine(world.run(seconds(5)));
        assert_eq!(world.serving(), [another(leader, size)], "of {size}: {:?}", world.heard);
        fine(world.run(seconds(5)));
        let new = world.machines[another(leader, size)].id;
        let lost: Vec<_> =
            (0..size).filter(|at| world.node(*at).view(world.local(*at)).leader != Some(new)).collect();
        assert!(lost.is_empty(), "{lost:?} of {size} follow nobody");
    }
}

#[test]
fn the_fallback_is_never_the_leader_itself_and_never_empty_while_anybody_lives() {
    let (mut world, leader) = home(3, None);
    let own = world.machines[leader].id;
    assert_eq!(world.node(leader).view(world.local(leader)).successors.len(), 2);
    assert!(!world.node(leader).view(world.local(leader)).successors.contains(&own));
    let now = world.local(leader);
    let mut node = world.take(leader);
    let told = node.call(&call("10.0.0.9", Some(NodeId(100))), NodeId(101), now);
    assert_ne!(told.fallback.as_deref(), Some(format!("10.0.0.{leader}").as_str()));
    assert!(told.fallback.is_some() && told.new_server.is_none() && !told.lead, "{told:?}");
}

#[test]
fn port_scans_single_lines_wrong_dates_and_unknown_ids_are_answered_or_refused() {
    assert_eq!(read_request(b"", None), Err(Fault::Empty));
    assert_eq!(read_request(b"GET / HTTP/1.1\r\n\r\n", None), Err(Fault::Cut));
    let wrong = b"No-Id\nNo-Ip\na\n1\n2\n3\n4\n5\nthe day before yesterday";
    assert!(read_request(wrong, None).is_ok(), "the clock of a host decides nothing");
    assert_eq!(end_of_request(wrong, true), End::Whole, "nobody waits for another date");
    assert_eq!(end_of_request(wrong, false), End::Open, "nor ends it early");
    let (mut world, leader) = home(2, Some(0));
    fine(world.tell(leader, Input::HandOver(Some(NodeId(4_711)))));
    assert_eq!(heard(&world, |output| *output == Output::NotHanded(NotHanded::Unknown)), 1);
    assert_eq!(world.serving(), [leader]);
}

#[test]
fn one_that_accepts_connections_and_never_answers_holds_up_nobody() {
    let (mut world, leader) = home(3, None);
    let silent = another(leader, 3);
    world.net.cut_one_way(silent, leader);
    fine(world.run(seconds(120)));
    assert_eq!(world.serving(), [leader]);
    assert_eq!(lost_role(&world), 0);
}

#[test]
fn clocks_that_are_a_minute_apart_or_run_apart_decide_nothing() {
    let mut world = World::new(3, None, still(), 7);
    for (machine, (shows, gains)) in world.machines.iter_mut().zip([(0, 0), (60, 40_000), (86_400, -40_000)])
    {
        machine.clock = Clock::new(seconds(shows), gains);
    }
    world.start_all();
    let leader = leads(&mut world, seconds(10));
    fine(world.run(seconds(300)));
    assert_eq!((world.serving(), lost_role(&world)), (vec![leader], 0));
    let view = world.node(leader).view(world.local(leader));
    assert!(view.hosts.iter().all(|row| row.state == Liveness::Alive), "{view:?}");
    world.crash(leader);
    leads(&mut world, seconds(12));
}

#[test]
fn absurd_figures_are_only_figures() {
    let (mut world, leader) = home(3, None);
    for (machine, cpu) in world.machines.iter_mut().zip([0, u32::MAX, 101]) {
        machine.figures = figures(cpu);
        (machine.figures.bandwidth_mb, machine.figures.ram_used_mb) = (u64::MAX, u64::MAX);
    }
    fine(world.run(seconds(30)));
    assert_eq!(world.serving(), [leader]);
}

#[test]
fn each_of_many_starts_comes_to_a_leader() {
    for seed in 0..200 {
        let mut world = World::new(3, None, Numbers::default(), seed);
        for at in 0..3 {
            world.start(at);
            let pause = Duration::from_millis(world.chance.u64(0..4_000));
            fine(world.run(pause));
        }
        leads(&mut world, seconds(12));
    }
}

#[test]
fn a_leader_that_is_busy_because_it_leads_keeps_its_place() {
    let (mut world, leader) = home_with(3, None, Numbers { tenure: seconds(5), ..Numbers::default() });
    for round in 0..200 {
        // Somebody else is better every other second, and never for long.
        world.machines[leader].figures = figures(if round % 2 == 0 { 70 } else { 50 });
        fine(world.run(seconds(1)));
    }
    assert_eq!(world.serving(), [leader]);
    assert_eq!(heard(&world, |output| matches!(output, Output::Handing(..))), 0);
}

#[test]
fn who_reports_an_idle_processor_without_proof_is_never_made_leader() {
    let (mut world, leader) = home_with(2, Some(0), Numbers { tenure: seconds(5), ..Numbers::default() });
    let now = world.local(leader);
    let node = world.node_mut(leader);
    let told = node.call(&call("10.0.0.66", None), NodeId(66), now);
    assert!(!told.lead);
    let row = node.view(now).hosts.into_iter().find(|row| row.id == NodeId(66)).expect("it is ranked");
    assert_eq!((row.kind, row.rank), (Kind::Legacy, Some(1)), "and first, even");
    fine(world.tell(leader, Input::HandOver(Some(NodeId(66)))));
    assert_eq!(heard(&world, |output| *output == Output::NotHanded(NotHanded::NotANode)), 1);
    assert_eq!(world.node_mut(leader).bequeath(now), None, "while another node lives");
    let own = world.machines[another(leader, 2)].id;
    let thief = world.node_mut(leader).call(&call("10.0.0.66", Some(own)), NodeId(67), now);
    assert!(!thief.is_known && thief.id == NodeId(67), "the id of a node is nobody else's");
}
