//! A house with real actors, a real store and a real folder, for the tests of the web floor.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use actix::{Actor as _, Arbiter};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

use super::{
    filing::Filing,
    site::{About, Site},
};
use crate::{
    actors::{
        archivist::Archivist,
        clock::Clock,
        event::Bulletin,
        house::{House, Plan, Sentences},
        neighbourhood,
        notary::Keys,
        rendezvous,
        tally::Tally,
    },
    client::trust::trust,
    crypto::keys::PublicKey,
    dialect::{Myself, Terms},
    domain::{
        address::Address,
        book::{Book, Policy},
        channel::Channel,
        limits::Limits,
    },
    identity::{Identity, read_token},
    settings::{Settings, Sources, load},
    store::Store,
};

/// The house of one test. Its folder goes with it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) site: Arc<Site>,
    pub(crate) token: String,
    pub(crate) stop: UnboundedReceiver<()>,
    pub(crate) folder: TempDir,
}

/// Keys take long to make, so all tests share theirs.
fn identity() -> (Identity, String) {
    static SHARED: OnceLock<TempDir> = OnceLock::new();
    let folder = SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        Identity::open(folder.path()).expect("an identity");
        folder
    });
    let token = read_token(folder.path()).expect("a token file").expect("a token");
    (Identity::open(folder.path()).expect("the identity"), token.to_string())
}

/// The settings of tests, from the layers that the program carries.
fn settings(data: &Path) -> Settings {
    let variables = vec![("KITH_ENV".to_owned(), "test".to_owned())];
    let sources = Sources { variables, ..Sources::default() };
    let mut settings = load(&sources).expect("settings").settings;
    settings.server.data_dir = data.to_owned();
    settings
}

/// What sessions know of the house.
fn terms(limits: &Limits, about: &About, own_key: &PublicKey) -> Terms {
    Terms {
        doors: Vec::new(),
        recipients_per_letter: limits.recipients_per_letter,
        detect_accents: true,
        socp_detect_accents: true,
        unsigned: false,
        peer_heartbeat_s: limits.peer_heartbeat_s,
        peer_silence_s: limits.peer_silence_s,
        tpacket_strict_seed: false,
        myself: Myself {
            takes_socp: true,
            id: "00000000-0000-4000-8000-000000000001".into(),
            address: about.address.clone(),
            name: about.name.clone(),
            key: Arc::new(own_key.clone()),
        },
    }
}

/// Starts a house with changed settings. Needs a running actix system.
pub(crate) async fn bench(change: impl FnOnce(&mut Settings)) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings(folder.path());
    change(&mut settings);
    let (identity, token) = identity();
    let limits = Arc::new(settings.limits.clone());
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    let tally = Tally::default();
    let archivist = Archivist::new(store.clone(), tally.clone()).start();
    let [address, url] = ["127.0.0.1:8080", "http://127.0.0.1:8080"].map(str::to_owned);
    let about = About::new(&identity, Uuid::new_v4(), settings.server.name.clone(), address, url);
    let filing = Filing::open(folder.path(), false, store.clone(), Arc::clone(&limits), tally.clone()).await;
    let own_key = identity.server.public();
    let terms = terms(&limits, &about, own_key);
    let policy = Policy { anyone: true, legacy: true, most: 16 };
    let neighbourhood = neighbourhood::Parts {
        doors: Vec::new(),
        book: Book::new(own_key.id(), vec![Address::new(&about.address)], policy),
        store: store.clone(),
        trust: trust(None).expect("authorities"),
        introduce: false,
        subscribe: Vec::new(),
        clock: Clock::start(),
        tally,
        bulletin: Bulletin::default(),
    };
    let house = House::build(Plan {
        kept_rooms: store.rooms(&limits).await.expect("rooms"),
        bearers: Vec::new(),
        channel: Channel::new(&limits),
        bridge: None,
        home: about.address.clone(),
        names: Vec::new(),
        limits: Arc::clone(&limits),
        terms,
        neighbourhood,
        keys: Keys { server: Arc::clone(&identity.server), olaf: Arc::clone(&identity.olaf) },
        notaries: 1,
        rendezvous: rendezvous::Policy {
            rules: settings.rendezvous.rules(&limits),
            nul: settings.rendezvous.nul,
            share: settings.rendezvous.share,
        },
        bans: Sentences { publish: settings.bans.publish, ..Sentences::default() },
        archivist: archivist.clone(),
        offline: None,
        desk: Arbiter::current(),
    });
    let house = house.expect("a house");
    house.neighbourhood.do_send(neighbourhood::Open(Arc::clone(&house)));
    let (sender, stop) = unbounded_channel();
    let site = Site {
        house,
        store,
        archivist,
        keeper: None,
        filing: filing.expect("a folder"),
        settings,
        about,
        meeting: crate::http::meeting::MeetingPlace::default(),
        nodes: crate::http::home::Nodes::default(),
        token: identity.token,
        stop: sender,
    };
    Bench { site: Arc::new(site), token, stop, folder }
}
