//! Laws of the core: budgets, memories, queues and maps, under any sequence of events.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use kith::domain::{
    Moment,
    address::Address,
    dialect::Dialect,
    id::{ConnectionId, KeyId},
    limits::Limits,
    member::Newcomer,
    presence::Presence,
    rate::Bucket,
    refusal::Refusal,
    replay::{Trace, Window},
    switchboard::Switchboard,
};
use proptest::prelude::*;

use super::cases;

/// Units and the pause before each wish, in microseconds.
fn wishes() -> impl Strategy<Value = Vec<(u32, u64)>> {
    prop::collection::vec((1..20_u32, prop_oneof![Just(0), 0..1000_u64, 0..1_000_000_u64]), 1..200)
}

/// What a bucket granted, and how long that took.
fn granted(bucket: &mut Bucket, wishes: &[(u32, u64)]) -> (u64, Duration) {
    let (mut now, mut units) = (Moment::from_secs(5), 0);
    for (wish, pause) in wishes {
        now += Duration::from_micros(*pause);
        if bucket.take(*wish, now).is_ok() {
            units += u64::from(*wish);
        }
    }
    (units, now.saturating_sub(Moment::from_secs(5)))
}

fn at_most(burst: u32, rate: u32, period_s: u32, span: Duration) -> f64 {
    // One unit and one in ten thousand for rounding to nanoseconds.
    (f64::from(burst) + f64::from(rate) * span.as_secs_f64() / f64::from(period_s)) * 1.0001 + 1.0
}

#[derive(Clone, Debug)]
enum Crowd {
    Join(u8),
    Leave(usize),
    Ask(usize),
    Serve(u64),
}

fn crowd() -> impl Strategy<Value = Vec<Crowd>> {
    let event = prop_oneof![
        (0..12_u8).prop_map(Crowd::Join),
        any::<usize>().prop_map(Crowd::Leave),
        any::<usize>().prop_map(Crowd::Ask),
        (0..50_u64).prop_map(Crowd::Serve),
    ];
    prop::collection::vec(event, 1..150)
}

fn newcomer(key: u8, trace: u64) -> Newcomer {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&trace.to_be_bytes());
    let key = KeyId([key; 32]);
    Newcomer {
        key,
        named: None,
        dialect: Dialect::Olaf,
        public_key: "key".into(),
        spelled: key,
        trace: Trace(bytes),
    }
}

/// Text that looks like an address, or nearly.
fn spelling() -> impl Strategy<Value = String> {
    prop_oneof![
        "(wss?|https?|x)?(://)?[a-c\\[\\]:/. ]{0,8}(:[0-9]{0,5})?/{0,2}",
        "[\\[\\]:/0-9a-f. ]{0,16}",
        "\\PC{0,12}",
        any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
        any::<std::net::SocketAddr>().prop_map(|address| address.to_string()),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_bucket_never_grants_more_than_its_burst_and_its_rate(
        rate in 1..10_000_u32, burst in 1..1000_u32, wishes in wishes(),
    ) {
        let (units, span) = granted(&mut Bucket::new(rate, burst), &wishes);
        prop_assert!(units as f64 <= at_most(burst, rate, 1, span), "{units} in {span:?}");
        let (units, span) = granted(&mut Bucket::per_minute(rate), &wishes);
        prop_assert!(units as f64 <= at_most(rate, rate, 60, span), "{units} in {span:?} by the minute");
    }

    #[test]
    fn whoever_waits_as_told_is_granted_and_whoever_is_charged_is_paused_for_it(
        rate in 1..10_000_u32, burst in 20..1000_u32, wishes in wishes(),
    ) {
        let (mut strict, mut lenient) = (Bucket::new(rate, burst), Bucket::new(rate, burst));
        let (mut now, mut paused, mut charged) = (Moment::from_secs(5), Moment::from_secs(5), 0_u64);
        for (units, pause) in wishes {
            now += Duration::from_micros(pause);
            if let Err(wait) = strict.take(units, now) {
                now += wait;
                prop_assert_eq!(strict.take(units, now), Ok(()), "after waiting {:?}", wait);
            }
            charged += u64::from(units);
            paused += lenient.charge(units, paused);
            let span = paused.saturating_sub(Moment::from_secs(5));
            prop_assert!(charged as f64 <= at_most(burst, rate, 1, span), "{charged} in {span:?}");
        }
    }

    #[test]
    fn a_window_is_bounded_and_admits_nothing_twice_that_it_must_remember(
        capacity in 0..40_u32, numbers in prop::collection::vec(0..60_u8, 1..300),
    ) {
        let mut window = Window::new(capacity);
        let mut admitted: Vec<u8> = Vec::new();
        let remembered = usize::try_from(capacity / 2).unwrap().max(1);
        for number in numbers {
            let recent = admitted.iter().rev().take(remembered).any(|known| *known == number);
            let known = admitted.contains(&number);
            let is_new = window.admit(Trace([number; 16]));
            prop_assert!(!(is_new && recent), "{number} was admitted again");
            prop_assert!(is_new || known, "{number} was refused although it never came");
            if is_new {
                admitted.push(number);
            }
            prop_assert!(window.len() <= usize::try_from(capacity).unwrap().max(1));
        }
    }

    #[test]
    fn an_address_read_again_is_the_same(spelling in spelling()) {
        let address = Address::new(&spelling);
        prop_assert_eq!(Address::new(address.as_str()), address);
    }

    #[test]
    fn an_address_is_the_same_with_a_scheme_and_a_slash(host in "[a-z][a-z0-9.]{0,10}", port in 1..u16::MAX) {
        let address = Address::new(&format!("{host}:{port}"));
        for spelling in [format!("ws://{host}:{port}"), format!("wss://{host}:{port}/"), format!(" {host}:{port} ")] {
            prop_assert_eq!(Address::new(&spelling), address.clone());
        }
    }

    /// Whoever is behind is served in the end, once for all the changes meanwhile, and nobody who left.
    #[test]
    fn presence_starves_nobody(events in crowd(), bytes in 1..20_000_u32) {
        let mut queue = Presence::new(10_000);
        let (mut present, mut behind): (BTreeSet<u64>, BTreeSet<u64>) = Default::default();
        let (mut now, mut last) = (Moment::ZERO, 0);
        for event in events {
            match event {
                Crowd::Join(_) => {
                    last += 1;
                    present.insert(last);
                    queue.arrived(ConnectionId(last));
                    let everyone: Vec<_> = present.iter().copied().map(ConnectionId).collect();
                    queue.changed(everyone.len(), everyone.into_iter());
                    behind = present.clone();
                }
                Crowd::Leave(at) => {
                    let Some(id) = pick(&present, at) else { continue };
                    present.remove(&id);
                    queue.gone(ConnectionId(id));
                    let everyone: Vec<_> = present.iter().copied().map(ConnectionId).collect();
                    queue.changed(everyone.len(), everyone.into_iter());
                    behind = present.clone();
                }
                Crowd::Ask(at) => {
                    let Some(id) = pick(&present, at) else { continue };
                    queue.asked(ConnectionId(id));
                    behind.insert(id);
                }
                Crowd::Serve(milliseconds) => {
                    now += Duration::from_millis(milliseconds);
                    while let Ok(Some(ConnectionId(id))) = queue.next(bytes, now) {
                        prop_assert!(behind.remove(&id), "{id} was served and was not behind");
                    }
                }
            }
            prop_assert_eq!(queue.is_idle(), behind.is_empty());
        }
        let mut steps = 0;
        while !queue.is_idle() {
            match queue.next(bytes, now) {
                Ok(Some(ConnectionId(id))) => prop_assert!(behind.remove(&id), "{id} was served twice"),
                Ok(None) => break,
                Err(wait) => now += wait,
            }
            steps += 1;
            prop_assert!(steps < 1000, "the queue does not move");
        }
        prop_assert!(behind.is_empty(), "{behind:?} were never served");
    }

    /// The house counts as a plain list of connections would.
    #[test]
    fn a_roster_says_who_is_there(events in crowd(), most in 1..4_u32) {
        let limits = Limits { connections_per_member: most, ..Limits::default() };
        let mut house = Switchboard::new([], &limits);
        let mut model: BTreeMap<u64, u8> = BTreeMap::new();
        let mut numbers: HashMap<u8, u32> = HashMap::new();
        let (mut last, mut version) = (0, 0);
        for event in events {
            let members = |model: &BTreeMap<u64, u8>| model.values().copied().collect::<BTreeSet<u8>>();
            let before = members(&model);
            match event {
                Crowd::Join(key) => {
                    last += 1;
                    let held = model.values().filter(|known| **known == key).count();
                    match house.join(ConnectionId(last), &newcomer(key, last)) {
                        Ok((member, is_new)) => {
                            prop_assert!(held < usize::try_from(most).unwrap());
                            prop_assert_eq!(is_new, held == 0);
                            prop_assert_eq!(member.key, KeyId([key; 32]));
                            if !is_new {
                                prop_assert_eq!(numbers.get(&key), Some(&member.number), "the number changed");
                            }
                            numbers.insert(key, member.number);
                            model.insert(last, key);
                        }
                        Err(refusal) => {
                            prop_assert_eq!(refusal, Refusal::TooManyOfMember);
                            prop_assert_eq!(held, usize::try_from(most).unwrap());
                        }
                    }
                }
                Crowd::Leave(at) | Crowd::Ask(at) => {
                    // Sometimes somebody who is not there.
                    let id = pick(&model.keys().copied().collect(), at).unwrap_or(at as u64);
                    let key = model.remove(&id);
                    let left = house.leave(ConnectionId(id));
                    prop_assert_eq!(left.as_ref().map(|(member, _)| member.key), key.map(|key| KeyId([key; 32])));
                    let is_gone = key.is_some_and(|key| !model.values().any(|known| *known == key));
                    prop_assert_eq!(left.is_some_and(|(_, gone)| gone), is_gone);
                }
                Crowd::Serve(_) => {}
            }
            let after = members(&model);
            prop_assert_eq!(house.roster().sequence() != version, before != after, "every change counts");
            version = house.roster().sequence();
            prop_assert_eq!(house.roster().len(), after.len());
            let listed: Vec<_> = house.roster().members().map(|member| member.number).collect();
            prop_assert!(listed.is_sorted(), "the list is in order of arrival");
            prop_assert_eq!(listed.len(), after.len());
        }
    }
}

fn pick(from: &BTreeSet<u64>, at: usize) -> Option<u64> {
    from.iter().copied().nth(at.checked_rem(from.len())?)
}
