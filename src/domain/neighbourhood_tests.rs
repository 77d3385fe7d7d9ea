//! The life of one neighbour, moment by moment.

use super::*;

const fn at(milliseconds: u64) -> Moment {
    Moment::from_millis(milliseconds)
}

const fn id(number: u64) -> ConnectionId {
    ConnectionId(number)
}

const IN: Direction = Direction::In;

fn limits() -> Limits {
    Limits::default()
}

fn linked(direction: Direction, sockets: Sockets) -> Peer {
    let mut peer = Peer::new(true, at(0));
    if direction == Direction::Out {
        assert_eq!(peer.due(at(0), &limits()), Due::Dial);
        assert!(peer.open(id(1), at(1), &limits()));
    }
    assert_eq!(peer.greeted(id(1), direction, sockets, at(2), &limits()), []);
    peer
}

#[test]
fn a_dial_goes_through_its_states() {
    let mut peer = Peer::new(true, at(0));
    assert_eq!(peer.state().0, State::Down);
    assert_eq!(peer.due(at(0), &limits()), Due::Dial);
    assert_eq!(peer.state().0, State::Dialling);
    assert_eq!(peer.due(at(1), &limits()), Due::Nothing, "one attempt at a time");
    assert!(peer.open(id(1), at(2), &limits()));
    assert_eq!(peer.state().0, State::Greeting);
    peer.greeted(id(1), Direction::Out, Sockets::One, at(3), &limits());
    assert_eq!((peer.state(), peer.voice()), ((State::Up, at(3)), Some(id(1))));
    let silent = at(3) + seconds(limits().peer_heartbeat_s) * 2;
    assert_eq!(peer.due(at(4), &limits()), Due::Sleep(silent));
    // What is due is always later, or a shell that does as it is told would never rest.
    assert!(matches!(peer.due(silent, &limits()), Due::Sleep(until) if until > silent));
    assert_eq!(peer.state().0, State::Suspect);
    peer.heard(silent + at(2), &limits());
    assert_eq!(peer.state().0, State::Up);
    assert_eq!(peer.closed(id(1), false, silent + at(3), 0, &limits()), Loss::Down);
    assert_eq!(peer.state().0, State::Down);
}

#[test]
fn waits_double_up_to_the_cap_and_chance_shortens_them() {
    let mut peer = Peer::new(true, at(0));
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..12 {
        assert_eq!(peer.due(now, &limits()), Due::Dial);
        peer.failed(now, false, 0, &limits());
        let Due::Sleep(until) = peer.due(now, &limits()) else { panic!("no wait") };
        waits.push((until - now).as_millis());
        now = until;
    }
    assert_eq!(waits[..4], [500, 1000, 2000, 4000]);
    assert_eq!(waits[11], 120_000);
    peer.due(now, &limits());
    peer.failed(now, true, u32::MAX, &limits());
    assert_eq!((peer.next_dial(), peer.state().0), (Some(now + seconds(60)), State::Refused));
    peer.retry(now);
    assert_eq!(peer.due(now, &limits()), Due::Dial);
}

#[test]
fn of_two_dials_at_once_the_one_of_the_smaller_key_stays() {
    let (mut smaller, mut larger) = (Peer::new(true, at(0)), Peer::new(true, at(0)));
    for peer in [&mut smaller, &mut larger] {
        assert_eq!(peer.due(at(0), &limits()), Due::Dial);
        assert!(peer.open(id(1), at(1), &limits()));
    }
    assert_eq!(smaller.may_come(IN, Sockets::One, true, at(2)), Err(Crossed));
    larger.gave_way(at(2), &limits());
    assert_eq!(larger.may_come(IN, Sockets::One, false, at(2)), Ok(()));
    smaller.greeted(id(1), Direction::Out, Sockets::One, at(3), &limits());
    larger.greeted(id(2), Direction::In, Sockets::One, at(3), &limits());
    assert_eq!((smaller.state().0, larger.state().0), (State::Up, State::Up));
    assert_eq!(smaller.may_come(IN, Sockets::Two, true, at(4)), Ok(()), "two do not cross");
    // What was dialled before that may still arrive.
    assert_eq!(smaller.may_come(IN, Sockets::One, true, at(4)), Err(Crossed));
    // Much later it can only mean that the other side lost the link.
    assert_eq!(smaller.may_come(IN, Sockets::One, true, at(60_000)), Ok(()));
    assert_eq!(smaller.greeted(id(3), Direction::In, Sockets::One, at(60_001), &limits()), [id(1)]);
    assert_eq!(smaller.closed(id(1), false, at(60_002), 0, &limits()), Loss::None);
    assert_eq!(smaller.voice(), Some(id(3)));
}

#[test]
fn the_side_that_gives_way_dials_again_if_nobody_comes() {
    let mut peer = Peer::new(true, at(0));
    peer.due(at(0), &limits());
    peer.gave_way(at(10), &limits());
    assert_eq!((peer.due(at(10), &limits()), peer.failures()), (Due::Sleep(at(2010)), 0));
    assert_eq!(peer.due(at(2010), &limits()), Due::Dial);
}

#[test]
fn an_attempt_is_given_up_when_the_neighbour_was_faster() {
    let mut peer = Peer::new(true, at(0));
    peer.due(at(0), &limits());
    assert!(peer.open(id(1), at(1), &limits()));
    assert_eq!(peer.greeted(id(2), Direction::In, Sockets::One, at(2), &limits()), [id(1)]);
    assert_eq!(peer.closed(id(1), false, at(3), 0, &limits()), Loss::None);
    assert_eq!(peer.state().0, State::Up);
}

#[test]
fn a_dial_that_comes_too_late_is_dropped_and_costs_nothing() {
    let mut peer = Peer::new(true, at(0));
    assert_eq!(peer.due(at(0), &limits()), Due::Dial);
    assert_eq!(peer.greeted(id(1), Direction::In, Sockets::One, at(1), &limits()), []);
    assert!(!peer.open(id(2), at(2), &limits()));
    peer.failed(at(3), true, 0, &limits());
    assert_eq!((peer.state().0, peer.voice(), peer.failures()), (State::Up, Some(id(1)), 0));
}

#[test]
fn whoever_calls_is_dialled_soon_and_at_most_once_before_every_planned_dial() {
    /// When it is dialled in an hour, and how many dials were planned.
    fn dials(calls_every_ms: u64) -> Vec<u64> {
        let mut peer = Peer::new(true, at(0));
        let mut dials = Vec::new();
        for now in (0..3_600_000).step_by(10) {
            if peer.due(at(now), &limits()) == Due::Dial {
                dials.push(now);
                peer.failed(at(now), true, 0, &limits());
            }
            if now % calls_every_ms == 0 {
                peer.called(at(now));
            }
        }
        assert!(peer.failures() > 30, "it is not forgotten that nothing came of it");
        dials
    }
    let planned = dials(u64::MAX);
    assert!(planned.len() >= 36, "{planned:?}");
    let called = dials(10);
    assert!(called.len() <= 2 * planned.len(), "{called:?}");
    // One call is enough: here the first one after a long silence.
    let once = dials(1_000_000);
    let soon = once.iter().filter(|dial| [1_000_010, 2_000_010, 3_000_010].contains(*dial));
    assert_eq!(soon.count(), 3, "{once:?}");
}

#[test]
fn two_sockets_are_one_link_and_we_speak_on_our_own() {
    let mut peer = linked(Direction::In, Sockets::Two);
    assert_eq!((peer.voice(), peer.due(at(5), &limits())), (Some(id(1)), Due::Dial));
    assert_eq!(peer.state().0, State::Up);
    assert!(peer.open(id(2), at(6), &limits()));
    assert_eq!(peer.greeted(id(2), Direction::Out, Sockets::Two, at(7), &limits()), []);
    assert_eq!(peer.voice(), Some(id(2)));
    assert_eq!(
        peer.greeted(id(3), Direction::In, Sockets::Two, at(8), &limits()),
        [id(1)],
        "it dialled anew"
    );
    assert_eq!(peer.closed(id(2), false, at(9), 0, &limits()), Loss::Moved(id(3)));
    assert_eq!(peer.closed(id(3), false, at(10), 0, &limits()), Loss::Down);
}

#[test]
fn a_link_that_never_lasts_is_tried_less_and_less_often() {
    let mut peer = Peer::new(true, at(0));
    let mut now = at(0);
    for round in 0..6 {
        assert_eq!(peer.due(now, &limits()), Due::Dial, "round {round}");
        assert!(peer.open(id(round), now, &limits()));
        peer.greeted(id(round), Direction::Out, Sockets::One, now, &limits());
        peer.closed(id(round), true, now, 0, &limits());
        now = peer.next_dial().expect("a plan");
    }
    assert!(now > at(30_000), "{now:?}");
    peer.due(now, &limits());
    assert!(peer.open(id(9), now, &limits()));
    peer.greeted(id(9), Direction::Out, Sockets::One, now, &limits());
    peer.heard(now + LASTING, &limits());
    assert_eq!(peer.failures(), 0);
}

#[test]
fn whoever_cannot_be_dialled_is_waited_for() {
    let mut peer = Peer::new(false, at(0));
    assert_eq!((peer.due(at(0), &limits()), peer.next_dial()), (Due::Nothing, None));
    peer.greeted(id(1), Direction::In, Sockets::Two, at(1), &limits());
    assert_eq!(peer.closed(id(1), false, at(2), 0, &limits()), Loss::Down);
    assert_eq!(peer.due(at(3), &limits()), Due::Nothing);
    peer.dialable();
    assert!(matches!(peer.due(at(60_000), &limits()), Due::Dial));
}

#[test]
fn a_dial_that_does_not_open_keeps_nobody_out() {
    let mut peer = Peer::new(true, at(0));
    assert_eq!(peer.due(at(0), &limits()), Due::Dial);
    let may_come = |peer: &Peer, now| peer.may_come(Direction::In, Sockets::One, true, now);
    assert_eq!(may_come(&peer, at(1)), Err(Crossed));
    assert_eq!(may_come(&peer, at(3000)), Ok(()));
    assert!(peer.open(id(1), at(3001), &limits()));
    assert_eq!(may_come(&peer, at(3002)), Err(Crossed));
}

#[test]
fn whoever_likes_several_sockets_has_several_and_the_first_is_spoken_on() {
    let mut peer = Peer::new(true, at(0));
    for socket in 1..=6 {
        let closed = peer.greeted(id(socket), IN, Sockets::Any, at(1), &limits());
        assert_eq!(closed.len(), usize::from(socket > 4), "at most four");
        assert_eq!(peer.voice(), Some(id(1)));
    }
    assert_eq!(peer.sockets().count(), 4);
    let loss = peer.closed(id(1), false, at(2), 0, &limits());
    assert_eq!((loss, peer.state().0), (Loss::Moved(id(4)), State::Up));
}

#[test]
fn a_silent_first_socket_gives_way_to_one_that_shows_its_key() {
    let mut peer = Peer::new(true, at(0));
    peer.greeted(id(1), IN, Sockets::Any, at(1), &limits());
    peer.greeted(id(2), IN, Sockets::Any, at(2), &limits());
    assert_eq!(peer.voice(), Some(id(1)), "nothing speaks for either");
    assert!(peer.shown(id(2), at(3)));
    assert_eq!(peer.voice(), Some(id(2)));
    assert!(!peer.shown(id(1), at(4)), "two that live do not take turns");
    assert!(!peer.shown(id(1), at(15_000)));
    assert!(!peer.shown(id(9), at(15_000)), "nobody knows that one");
    assert_eq!(peer.voice(), Some(id(2)));
    // Twice the heartbeat later it is silent, and the other one is not.
    assert!(peer.shown(id(1), at(33_000)));
    assert_eq!(peer.voice(), Some(id(1)));
    assert_eq!(peer.closed(id(1), false, at(34_000), 0, &limits()), Loss::Moved(id(2)));
}

#[test]
fn of_sockets_that_have_shown_nothing_ours_is_spoken_on() {
    let mut peer = Peer::new(true, at(0));
    assert_eq!(peer.due(at(0), &limits()), Due::Dial);
    assert!(peer.open(id(2), at(1), &limits()));
    peer.greeted(id(1), IN, Sockets::Any, at(2), &limits());
    peer.greeted(id(2), Direction::Out, Sockets::Any, at(3), &limits());
    assert_eq!(peer.voice(), Some(id(2)));
    for socket in 3..=6 {
        let closed = peer.greeted(id(socket), IN, Sockets::Any, at(4), &limits());
        assert!(!closed.contains(&id(2)), "what is spoken on is not closed for a newer one");
    }
}

#[test]
fn whoever_only_listens_where_it_dialled_is_dialled_back() {
    let mut peer = Peer::new(true, at(0));
    peer.greeted(id(1), IN, Sockets::Ours, at(1), &limits());
    assert_eq!(peer.due(at(2), &limits()), Due::Dial);
    assert!(peer.open(id(2), at(3), &limits()));
    assert_eq!(peer.greeted(id(2), Direction::Out, Sockets::Any, at(4), &limits()), []);
    assert!(matches!(peer.due(at(5), &limits()), Due::Sleep(_)), "one of ours is enough");
    // It needs one of ours again when that is gone.
    assert_eq!(peer.closed(id(2), false, at(6), 0, &limits()), Loss::Moved(id(1)));
    assert_eq!(peer.due(at(100_000), &limits()), Due::Dial);
}

#[test]
fn whoever_is_banned_is_not_dialled_until_that_is_lifted() {
    let mut peer = Peer::new(true, at(0));
    assert_eq!(peer.due(at(0), &limits()), Due::Dial);
    peer.ban(true, at(1), &limits());
    assert!(!peer.open(id(1), at(2), &limits()), "the attempt that was under way is given up");
    assert_eq!((peer.state().0, peer.next_dial()), (State::Banned, None));
    peer.called(at(3));
    peer.retry(at(4));
    assert_eq!(peer.due(at(600_000), &limits()), Due::Nothing);
    peer.ban(false, at(600_001), &limits());
    assert_eq!(peer.due(at(600_001), &limits()), Due::Dial);
    // The sockets of one that was linked are closed by the shell, and nothing comes in their place.
    peer.greeted(id(2), Direction::Out, Sockets::One, at(600_002), &limits());
    peer.ban(true, at(600_003), &limits());
    assert_eq!(peer.closed(id(2), true, at(600_003), 0, &limits()), Loss::Down);
    assert_eq!((peer.state().0, peer.due(at(900_000), &limits())), (State::Banned, Due::Nothing));
}
