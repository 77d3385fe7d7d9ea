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
    let parts = Parts {
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
    };
    // On a thread of its own, as in a house: a registry that dies with a test ends the process.
    Registry::start_in_arbiter(&Arbiter::new().handle(), move |_| Registry::new(parts))
}

async fn join(registry: &Addr<Registry>, number: u8, room: usize) -> (Idle, Addr<Idle>) {
    enter(registry, number, room, number).await
}

/// The same, with another hello.
async fn enter(registry: &Addr<Registry>, number: u8, room: usize, hello: u8) -> (Idle, Addr<Idle>) {
    let name = format!("person-{number}");
    let idle = Idle::default();
    let end = idle.clone().start();
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
        lane: LaneEnd::default().lane(room, end.clone().recipient()),
        address: Ipv4Addr::LOCALHOST.into(),
    };
    registry.send(join).await.expect("the registry").expect("a place");
    (idle, end)
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

/// The other end of the lane to a neighbour, which takes what comes one by one.
#[derive(Clone, Default)]
struct Reader {
    lane: LaneEnd,
    heard: Arc<Mutex<Vec<String>>>,
}

impl actix::Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Reader {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Context<Self>) {
        let Deliver::Frame(Frame::Text(text)) = message else { panic!("{message:?}") };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if frame["type"] == "SERVER_DELIVER" {
            let mark = frame["payload"]["content_sig"].as_str().expect("a text").to_owned();
            self.heard.lock().expect("nobody fails").push(mark);
        }
        self.lane.taken(text.len());
        self.lane.unsent(0);
    }
}

/// A private letter of the first person to the second, with a mark by which it is known.
fn letter(mark: u8) -> Letter {
    let sealed = socp::binary::encode(&[[0xff; 32], [mark; 32]].concat(), false);
    let payload = format!(r#"{{"ciphertext":"{sealed}","content_sig":"mark-{mark}"}}"#);
    let text = format!(
        r#"{{"type":"MSG_DIRECT","from":"person-1","to":"person-2","ts":1,"payload":{payload},"sig":""}}"#
    );
    Letter {
        from: Origin::Here(ConnectionId(1)),
        author: Author::Proven(socp::id_of("person-1")),
        audience: Audience::Member(socp::id_of("person-2")),
        trace: Trace([mark; 16]),
        dialect: Dialect::Socp,
        original: Frame::Text(text.into()),
        plain: None,
    }
}

/// A neighbour whose lane is full is not cut off by letters that waited, and what is written meanwhile does not
/// overtake them.
#[actix_web::test]
async fn letters_that_waited_go_to_a_neighbour_as_far_as_there_is_room_and_before_later_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry_with(&folder, true).await;
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    join(&registry, 2, 1 << 20).await;
    registry.send(Leave { connection: ConnectionId(2), ending: Ending::Left }).await.expect("the registry");
    for mark in 1..=3 {
        registry.send(Route(letter(mark))).await.expect("the registry");
    }
    let reader = Reader::default();
    let end = reader.clone().start();
    // Lists have half of a lane: one letter fits at a time.
    let lane = reader.lane.lane(1000, end.clone().recipient());
    let home = HomeId(2);
    let (ear, meter) = (Ear::SocpPeer(socp::Accent::default()), Arc::new(Meter::default()));
    let link = Link { home, address: "there:1".into(), names: Vec::new(), key: None, ear, lane, meter };
    registry.send(link).await.expect("the registry");
    tell(&registry, home, Change::Came(resident(2))).await;
    registry.send(Route(letter(4))).await.expect("the registry");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let heard = reader.heard.lock().expect("nobody fails").clone();
        if heard.len() >= 4 {
            return assert_eq!(heard, ["mark-1", "mark-2", "mark-3", "mark-4"]);
        }
        assert!(std::time::Instant::now() < deadline, "{heard:?}");
        actix_rt::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
