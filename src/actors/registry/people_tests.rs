//! Who hears of whom, and what becomes of those who do not listen.

use std::{net::Ipv4Addr, sync::Mutex};

use actix::{Actor as _, Addr, Arbiter};
use serde_json::Value;

use super::*;
use crate::{
    actors::{
        archivist::Archivist,
        bans::Banned,
        clock::Clock,
        event::Bulletin,
        keeper::Keeper,
        lane::{Deliver, Inbox, LaneEnd},
        meter::Meter,
        notary::{Keys, Notary},
        registry::{Join, Leave, Link, OfflineParts, Parts, Route, Tell, Unlink},
        stillness::Stillness,
        tally::Tally,
    },
    crypto::keys::PrivateKey,
    dialect::{Myself, Terms, socp},
    domain::{
        dialect::Dialect,
        id::ConnectionId,
        letter::{Audience, Author},
        limits::Limits,
        member::{Named, Newcomer, Resident},
        news::{Change, Listed, News},
        refusal::Ending,
        replay::Trace,
        rooms::Kept,
    },
    store::Store,
};

#[path = "leaving_tests.rs"]
mod leaving;
#[path = "still_tests.rs"]
mod still;
#[path = "waiting_tests.rs"]
mod waiting;

/// The other end of a lane, which takes nothing from it and remembers what came.
#[derive(Clone, Default)]
struct Idle(Arc<Mutex<(Vec<String>, Option<Ending>)>>);

impl actix::Actor for Idle {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Idle {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Context<Self>) {
        let mut heard = self.0.lock().expect("nobody fails");
        match message {
            Deliver::Frame(Frame::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                let name = frame["payload"]["user_id"].as_str().unwrap_or_default();
                match frame["type"].as_str() {
                    Some("USER_ADVERTISE") => heard.0.push(name.to_owned()),
                    Some("USER_REMOVE") => heard.0.push(format!("-{name}")),
                    Some("signed_data") => {
                        heard.0.push(frame["signature"].as_str().unwrap_or_default().to_owned());
                    }
                    _ => {}
                }
            }
            Deliver::End(ending) => heard.1 = Some(ending),
            other => panic!("{other:?}"),
        }
    }
}

/// Answered when everything before it was heard.
#[derive(actix::Message)]
#[rtype(result = "()")]
struct Heard;

impl Handler<Heard> for Idle {
    type Result = ();

    fn handle(&mut self, _: Heard, _: &mut Context<Self>) {}
}

async fn registry(folder: &tempfile::TempDir) -> Addr<Registry> {
    registry_with(folder, false).await
}

async fn registry_with(folder: &tempfile::TempDir, keeps: bool) -> Addr<Registry> {
    start(parts(folder, keeps).await)
}

/// On a thread of its own, as in a house: a registry that dies with a test ends the process.
fn start(parts: Parts) -> Addr<Registry> {
    Registry::start_in_arbiter(&Arbiter::new().handle(), move |_| Registry::new(parts))
}

async fn parts(folder: &tempfile::TempDir, keeps: bool) -> Parts {
    let key = Arc::new(PrivateKey::generate(2048).expect("a key"));
    let tally = Tally::default();
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    let myself = Myself {
        takes_socp: true,
        address: "here:1".into(),
        name: "here".into(),
        id: "us".into(),
        key: Arc::new(key.public().clone()),
    };
    let terms = Terms {
        doors: Vec::new(),
        recipients_per_letter: 1,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned: false,
        peer_heartbeat_s: 5,
        peer_silence_s: 15,
        tpacket_strict_seed: false,
        myself,
    };
    Parts {
        bans: Banned::default(),
        home: "here:1".into(),
        names: Vec::new(),
        kept_rooms: Kept::default(),
        bearers: Vec::new(),
        channel: crate::domain::channel::Channel::new(&Limits::default()),
        bridge: None,
        offline: keeps.then(|| OfflineParts {
            keeper: Keeper::new(store.clone(), tally.clone(), 1 << 20).start(),
            held: crate::store::Offline::default(),
        }),
        terms: Arc::new(terms),
        notary: Notary::start(1, &Keys { server: Arc::clone(&key), olaf: key }, &tally).expect("a thread"),
        limits: Arc::new(Limits::default()),
        clock: Clock::start(),
        tally: tally.clone(),
        bulletin: Bulletin::default(),
        archivist: Archivist::new(store, tally).start(),
        inbox: Inbox::new(1 << 20, Stillness::default()),
        draining: Arc::default(),
    }
}

async fn join(registry: &Addr<Registry>, number: u8, room: usize) -> (Idle, Addr<Idle>) {
    enter(registry, number, room, number).await
}

/// The same, with another hello.
async fn enter(registry: &Addr<Registry>, number: u8, room: usize, hello: u8) -> (Idle, Addr<Idle>) {
    let idle = Idle::default();
    let end = idle.clone().start();
    join_with(registry, number, LaneEnd::default().lane(room, end.clone().recipient()), hello).await;
    (idle, end)
}

async fn join_with(registry: &Addr<Registry>, number: u8, lane: Lane, hello: u8) {
    let name = format!("person-{number}");
    let key = Some(KeyId([number; 32]));
    let newcomer = Newcomer {
        key: socp::id_of(&name),
        named: Some(Named {
            name: name.as_str().into(),
            key,
            proven: true,
            sealing_key: None,
            display_name: None,
        }),
        dialect: Dialect::Socp,
        public_key: "".into(),
        spelled: socp::heard::spelled(&name, "", None),
        trace: Trace([hello; 16]),
    };
    let join = Join {
        connection: ConnectionId(u64::from(number)),
        newcomer,
        ear: Ear::Socp(socp::Accent::default()),
        lane,
        address: Ipv4Addr::LOCALHOST.into(),
    };
    registry.send(join).await.expect("the registry").expect("a place");
}

/// The other end of a lane, which keeps what came as it came.
#[derive(Clone, Default)]
struct Taker(Arc<Mutex<Vec<Frame>>>);

impl actix::Actor for Taker {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Taker {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Context<Self>) {
        let frame = match message {
            Deliver::Frame(frame) => frame,
            // Nothing that comes looks like that.
            Deliver::End(ending) => Frame::Text(ending.code().into()),
            Deliver::Fault => return,
        };
        self.0.lock().expect("nobody fails").push(frame);
    }
}

impl Handler<Heard> for Taker {
    type Result = ();

    fn handle(&mut self, _: Heard, _: &mut Context<Self>) {}
}

/// Who is announced to somebody who comes now, with where in memory that stands.
async fn announced(registry: &Addr<Registry>, number: u8) -> Vec<(String, *const u8)> {
    let taker = Taker::default();
    let end = taker.clone().start();
    join_with(registry, number, LaneEnd::default().lane(1 << 20, end.clone().recipient()), number).await;
    end.send(Heard).await.expect("it is there");
    let frames = taker.0.lock().expect("nobody fails");
    let texts = frames.iter().filter_map(Frame::text).filter(|text| text.contains("USER_ADVERTISE"));
    let named = |text: &str| {
        let frame: Value = serde_json::from_str(text).expect("JSON");
        (frame["payload"]["user_id"].as_str().expect("a name").to_owned(), text.as_ptr())
    };
    let own = format!("person-{number}");
    texts.map(named).filter(|(name, _)| *name != own).collect()
}

/// With n members a hello costs n prints if each is printed anew, and the house is slowest when all come back at once.
#[actix_web::test]
async fn whoever_is_announced_to_many_is_printed_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    for number in 0..20 {
        join(&registry, number, 1 << 20).await;
    }
    let first = announced(&registry, 50).await;
    assert_eq!(first.len(), 20);
    let (second, third) = (announced(&registry, 51).await, announced(&registry, 52).await);
    assert_eq!((second.len(), third.len()), (21, 22));
    for told in &first {
        assert!(second.contains(told) && third.contains(told), "{told:?} is the very same frame");
    }
    // Who has gone and come again is somebody new.
    registry.send(Leave { connection: ConnectionId(3), ending: Ending::Left }).await.expect("the registry");
    let without = announced(&registry, 53).await;
    assert!(without.len() == 22 && without.iter().all(|(name, _)| name != "person-3"), "{without:?}");
}

/// Presence must not lie: whoever has missed somebody's arrival is given up, and not left with a gap.
#[actix_web::test]
async fn whoever_does_not_listen_misses_nobody_without_losing_the_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let (idle, end) = join(&registry, 0, 1500).await;
    for number in 1..40 {
        join(&registry, number, 1 << 20).await;
    }
    end.send(Heard).await.expect("it is there");
    let (heard, ending) = idle.0.lock().expect("nobody fails").clone();
    let all: Vec<String> = (0..heard.len()).map(|number| format!("person-{number}")).collect();
    assert_eq!(heard, all, "nobody between two others is missing");
    assert!(heard.len() < 40, "it had no room for all");
    assert_eq!(ending, Some(Ending::Slow));
}

async fn everybody(registry: &Addr<Registry>) -> Arc<[Arc<Member>]> {
    registry.send(People(Whom::Everybody)).await.expect("the registry")
}

/// A neighbour that speaks SOCP, and whose lane goes nowhere in particular.
async fn link(registry: &Addr<Registry>, home: HomeId, end: &Addr<Idle>) {
    let link = Link {
        home,
        address: format!("there:{}", home.0).into(),
        names: Vec::new(),
        key: None,
        ear: Ear::SocpPeer(socp::Accent::default()),
        lane: LaneEnd::default().lane(1 << 20, end.clone().recipient()),
        meter: Arc::new(Meter::default()),
    };
    registry.send(link).await.expect("the registry");
}

async fn tell(registry: &Addr<Registry>, home: HomeId, change: Change) {
    registry.send(Tell { home, news: News::Single(change) }).await.expect("the registry");
}

fn resident(number: u8) -> Listed {
    let name = format!("person-{number}");
    let key = Some(KeyId([number; 32]));
    Listed::Known(Resident {
        key: socp::id_of(&name),
        named: Some(Named {
            name: name.as_str().into(),
            key,
            proven: false,
            sealing_key: None,
            display_name: None,
        }),
        dialect: Dialect::Socp,
        public_key: "".into(),
        spelled: socp::heard::spelled(&name, "", None),
    })
}

#[actix_web::test]
async fn the_list_is_made_once_for_everybody_who_asks_and_anew_only_after_a_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let ends = [join(&registry, 2, 1 << 20).await, join(&registry, 1, 1 << 20).await];
    let (_, end) = &ends[0];
    let names = |list: &[Arc<Member>]| -> Vec<String> {
        list.iter().filter_map(|member| member.name.as_deref().map(str::to_owned)).collect()
    };
    let first = everybody(&registry).await;
    assert_eq!(names(&first), ["person-1", "person-2"]);
    assert!(Arc::ptr_eq(&first, &everybody(&registry).await), "the very same list");
    let home = HomeId(7);
    link(&registry, home, end).await;
    tell(&registry, home, Change::Came(resident(0))).await;
    let second = everybody(&registry).await;
    assert_eq!(names(&second), ["person-0", "person-1", "person-2"]);
    tell(&registry, home, Change::Came(resident(0))).await;
    assert!(Arc::ptr_eq(&second, &everybody(&registry).await), "nobody came who was not there");
    let ours = registry.send(People(Whom::Ours)).await.expect("the registry");
    assert_eq!(names(&ours), ["person-1", "person-2"]);
    registry.send(Leave { connection: ConnectionId(2), ending: Ending::Left }).await.expect("the registry");
    registry.send(Unlink(home)).await.expect("the registry");
    assert_eq!(names(&everybody(&registry).await), ["person-1"]);
    assert_eq!(names(&registry.send(People(Whom::Ours)).await.expect("the registry")), ["person-1"]);
}

#[actix_web::test]
async fn each_change_is_told_once_and_a_move_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let (idle, end) = join(&registry, 1, 1 << 20).await;
    let [one, other] = [HomeId(7), HomeId(8)];
    link(&registry, one, &end).await;
    link(&registry, other, &end).await;
    tell(&registry, one, Change::Came(resident(5))).await;
    // Listed at two homes, then at the other one alone: clients need not know where somebody is.
    tell(&registry, other, Change::Came(resident(5))).await;
    registry.send(Unlink(one)).await.expect("the registry");
    tell(&registry, other, Change::Came(resident(6))).await;
    registry.send(Unlink(other)).await.expect("the registry");
    end.send(Heard).await.expect("it is there");
    let mut heard = idle.0.lock().expect("nobody fails").0.clone();
    // What neighbours are told of our own goes to the same end.
    heard.retain(|name| name != "person-1");
    heard[2..].sort();
    assert_eq!(heard, ["person-5", "person-6", "-person-5", "-person-6"]);
}

/// What was on its way over a socket that is lost is said again on the next one; to a list, who is gone makes no
/// difference.
#[actix_web::test]
async fn who_left_while_a_link_was_lost_is_said_to_be_gone_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(&folder).await;
    let leave = |number: u8| Leave { connection: ConnectionId(number.into()), ending: Ending::Left };
    let mut ends = Vec::new();
    for number in 1..=3 {
        ends.push(join(&registry, number, 1 << 20).await);
    }
    let home = HomeId(7);
    let (lost, lost_end) = join(&registry, 9, 1 << 20).await;
    link(&registry, home, &lost_end).await;
    registry.send(leave(1)).await.expect("the registry");
    registry.send(leave(2)).await.expect("the registry");
    enter(&registry, 2, 1 << 20, 100).await;
    lost_end.send(Heard).await.expect("it is there");
    assert!(lost.0.lock().expect("nobody fails").0.contains(&"-person-1".to_owned()));
    for (home, is_down, missed) in
        [(home, false, Some("-person-1")), (home, true, Some("-person-1")), (HomeId(8), false, None)]
    {
        if is_down {
            registry.send(Unlink(home)).await.expect("the registry");
        }
        let new = Idle::default();
        let end = new.clone().start();
        link(&registry, home, &end).await;
        end.send(Heard).await.expect("it is there");
        let mut heard = new.0.lock().expect("nobody fails").0.clone();
        heard.sort();
        let here = ["person-2", "person-3", "person-9"];
        let expected: Vec<_> = missed.into_iter().chain(here).collect();
        assert_eq!(heard, expected, "each once, and who was never linked hears of those alone who are here");
    }
}
