//! A house with real actors, a real store and a real folder, for the tests of the web floor.

use std::{
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicU64},
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
        gate::Gate,
        house::House,
        lane::Inbox,
        notary::Notary,
        registry::{Parts, Registry},
        tally::Tally,
    },
    dialect::Terms,
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

/// Starts a house with changed settings. Needs a running actix system.
pub(crate) async fn bench(change: impl FnOnce(&mut Settings)) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings(folder.path());
    change(&mut settings);
    let (identity, token) = identity();
    let limits = Arc::new(settings.limits.clone());
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    let (clock, tally, bulletin) = (Clock::start(), Tally::default(), Bulletin::default());
    let archivist = Archivist::new(store.clone(), tally.clone()).start();
    let draining = Arc::default();
    let about = About::new(
        &identity,
        Uuid::new_v4(),
        settings.server.name.clone(),
        "127.0.0.1:8080".to_owned(),
        "http://127.0.0.1:8080".to_owned(),
    );
    let inbox = Inbox::new(1 << 20);
    let parts = Parts {
        inbox: inbox.clone(),
        home: about.address.clone(),
        names: Vec::new(),
        limits: Arc::clone(&limits),
        clock,
        tally: tally.clone(),
        bulletin: bulletin.clone(),
        archivist: archivist.clone(),
        draining: Arc::clone(&draining),
    };
    let terms = Terms { recipients_per_letter: limits.recipients_per_letter, detect_accents: true };
    let filing = Filing::open(folder.path(), store.clone(), Arc::clone(&limits), tally.clone()).await;
    let house = House {
        inbox,
        // On a thread of its own: it ends the process if it is dropped by a panic, and that of a test
        // should only end the test.
        registry: Registry::start_in_arbiter(&Arbiter::new().handle(), |_| Registry::new(parts)),
        notary: Notary::start(1).expect("a notary"),
        gate: Gate::new((*limits).clone(), clock),
        limits,
        terms,
        clock,
        tally,
        bulletin,
        draining,
        last_connection: AtomicU64::default(),
    };
    let (sender, stop) = unbounded_channel();
    let site = Site {
        house: Arc::new(house),
        store,
        archivist,
        filing: filing.expect("a folder"),
        settings,
        about,
        token: identity.token,
        stop: sender,
    };
    Bench { site: Arc::new(site), token, stop, folder }
}
