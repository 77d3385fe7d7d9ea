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
        lane::{Deliver, Inbox, LaneEnd},
        notary::{Keys, Notary},
        registry::{Join, Parts},
        tally::Tally,
    },
    crypto::keys::PrivateKey,
    dialect::{Myself, Terms, socp},
    domain::{
        dialect::Dialect,
        id::ConnectionId,
        limits::Limits,
        member::{Named, Newcomer},
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
                if frame["type"] == "USER_ADVERTISE" {
                    heard.0.push(frame["payload"]["user_id"].as_str().expect("a name").to_owned());
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
    let key = Arc::new(PrivateKey::generate(2048).expect("a key"));
    let tally = Tally::default();
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    let myself = Myself {
        address: "here:1".into(),
        name: "here".into(),
        id: "us".into(),
        key: Arc::new(key.public().clone()),
    };
    let terms = Terms {
        recipients_per_letter: 1,
        detect_accents: true,
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
        terms: Arc::new(terms),
        notary: Notary::start(1, &Keys { server: Arc::clone(&key), olaf: key }, &tally).expect("a thread"),
        limits: Arc::new(Limits::default()),
        clock: Clock::start(),
        tally: tally.clone(),
        bulletin: Bulletin::default(),
        archivist: Archivist::new(store, tally).start(),
        inbox: Inbox::new(1 << 20),
        draining: Arc::default(),
    };
    // On a thread of its own, as in a house: a registry that dies with a test ends the process.
    Registry::start_in_arbiter(&Arbiter::new().handle(), move |_| Registry::new(parts))
}

async fn join(registry: &Addr<Registry>, number: u8, room: usize) -> (Idle, Addr<Idle>) {
    let name = format!("person-{number}");
    let idle = Idle::default();
    let end = idle.clone().start();
    let key = Some(KeyId([number; 32]));
    let newcomer = Newcomer {
        key: socp::id_of(&name),
        named: Some(Named { name: name.as_str().into(), key, proven: true, sealing_key: None }),
        dialect: Dialect::Socp,
        public_key: "".into(),
        spelled: socp::heard::spelled(&name, "", None),
        trace: Trace([number; 16]),
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
