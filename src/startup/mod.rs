//! The composition root: the only place that knows every actor's address.
//!
//! It opens the house (identity, store, actors, doors), waits for a reason to close it, and closes it
//! in order: nobody new, everybody told, everything written, doors shut.

mod again;
mod bridge;
mod doors;
mod end;
mod greeting;
mod home;
mod neighbours;
mod offline;
mod readiness;
mod ready;
mod reign;
mod rendezvous;
mod standby;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use actix::{Actor as _, Arbiter};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uuid::Uuid;

use self::{
    doors::{Doors, Outside, public_address, public_url},
    end::{End, close},
    home::{AT_ONCE, Ended, Joined, Spans},
    ready::ReadyFile,
    standby::Outcome,
};
use crate::{
    actors::{
        archivist::Archivist,
        clock::{Clock, unix_ms},
        event::Bulletin,
        house::{House, Plan},
        neighbourhood,
        notary::Keys,
        tally::Tally,
    },
    cli::serve::ServeArgs,
    client::trust::{TrustError, trust},
    dialect::{Myself, Terms},
    domain::{address::Address, dialect::Dialect, limits::seconds, succession::Epoch},
    http::{
        admin, door,
        filing::{Filing, FilingError},
        home::Nodes,
        meeting::MeetingPlace,
        site::{About, Site},
        tls::TlsError,
    },
    identity::{Identity, IdentityError},
    settings::{Settings, SettingsError},
    store::{Store, StoreError},
    telemetry,
};

/// Why the house does not open.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// Keys and token.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of uploaded files.
    #[error(transparent)]
    Filing(#[from] FilingError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The authorities for neighbours.
    #[error("neighbourhood.ca_certificates: {0}")]
    Trust(#[from] TrustError),
    /// A file that the settings name.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A neighbour of the settings.
    #[error("neighbourhood.peers: {line}: {problem}")]
    Peer {
        /// Which one.
        line: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// Another server uses the data folder.
    #[error("another server uses the data folder {0}")]
    InUse(PathBuf),
    /// The election has ended by itself.
    #[error("nobody decides any more which node serves")]
    NoElection,
    /// A file of ours.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Anything else the system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// How long everybody has to leave for another node of the home.
const MOVING: Duration = Duration::from_secs(1);

/// `kith serve`.
#[must_use]
pub fn main(args: ServeArgs) -> ExitCode {
    let outcome = args.settings.load().map_err(|error| error.to_string()).and_then(|loaded| {
        let settings = loaded.settings;
        telemetry::start(&settings.log).map_err(|error| error.to_string())?;
        let system = actix_rt::System::new();
        system.block_on(run(settings, args.ready_file, args.supervised)).map_err(|error| error.to_string())
    });
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::say(&format!("kith: {error}\n"));
            ExitCode::FAILURE
        }
    };
    telemetry::flush(telemetry::FAREWELL);
    code
}

/// Runs a home server until it is told to stop. A supervised one stops when its standard input closes, too.
///
/// # Errors
/// Something it needs is missing or broken; nothing was served then.
pub async fn run(
    settings: Settings,
    ready_file: Option<PathBuf>,
    supervised: bool,
) -> Result<(), StartupError> {
    let data = settings.server.data_dir.clone();
    let (stop, stopped) = unbounded_channel();
    if supervised {
        let longest = Spans::of(&settings)?.longest();
        end::with_standard_input(stop.clone(), longest + seconds(settings.limits.drain_s));
    }
    let mut end = End::listen(stopped)?;
    if let Some(path) = &ready_file {
        // What an earlier server left there is no longer true.
        let _ = fs::remove_file(path);
    }
    let identity = Identity::open(&data)?;
    let _lock = lock(&data)?;
    let mut outside = Outside::open(&settings)?;
    // Whoever stands by learns now what is wrong, and not when it is its turn and nobody else is left.
    neighbours::listed(&settings)?;
    let bulletin = Bulletin::default();
    let mut home = home::join(&settings, &identity, &outside.doors, &bulletin).await?;
    let is_node = home.as_ref().is_some_and(|home| !home.is_alone());
    let write = |path, doors: &Doors| ReadyFile::write(path, doors, &data);
    // A node that stands by is ready for that. Its doors are bound, and whoever knocks waits for a moment.
    let (early, late) = if is_node { (ready_file, None) } else { (None, ready_file) };
    let early = early.map(|path| write(path, &outside.doors)).transpose()?;
    let epoch = match &mut home {
        None => Epoch::default(),
        Some(home) => match home.until_it_leads(&identity, &settings, &outside, &stop, &mut end).await? {
            Outcome::Leads(epoch) => epoch,
            Outcome::Ended => return Ok(()),
        },
    };

    let store = Store::open(&home::database(&data)).await?;
    match &home {
        Some(home) if !home.is_alone() => store.begin_changes(epoch.0).await?,
        _ => store.stand_alone().await?,
    }
    let nodes = home.as_ref().map(Joined::nodes).unwrap_or_default();
    let (identity, doors) = (&identity, &outside.doors);
    let site = open(Parts { settings, identity, doors, store, stop, bulletin, nodes }).await?;
    let behind = Behind::open(&mut outside, &site).await?;
    if !supervised {
        greeting::greet(&outside.doors, &site, identity);
    }
    greeting::announce(&outside.doors, &site);
    let late = late.map(|path| write(path, &outside.doors)).transpose()?;
    let ended = match &mut home {
        Some(home) => home.serve(&site, epoch, &mut end, outside.tls.as_ref()).await,
        None => {
            end.comes(outside.tls.as_ref()).await;
            Ended::Asked
        }
    };
    let stays = behind.leave(&site, ended, end).await?;
    drop((early, late));
    if let Some(home) = &home {
        home.settles().await;
    }
    if stays { Err(again::start_anew(telemetry::FAREWELL).into()) } else { Ok(()) }
}

/// Whoever stands behind the doors while this server serves.
struct Behind {
    main: actix_server::ServerHandle,
    admin: actix_web::dev::ServerHandle,
}

impl Behind {
    async fn open(outside: &mut Outside, site: &Arc<Site>) -> Result<Self, StartupError> {
        let introductions = site.store.introductions(unix_ms()).await?;
        let main = door::serve(outside.listeners()?, site, outside.tls.as_ref())?;
        let admin = admin::serve(outside.admin()?, Arc::clone(site))?;
        let behind = Self { main: main.handle(), admin: admin.handle() };
        actix_rt::spawn(main);
        actix_rt::spawn(admin);
        rendezvous::open(outside.rendezvous(), introductions, site);
        // Neighbours dial back, so the doors are open first.
        site.house.neighbourhood.do_send(neighbourhood::Open(Arc::clone(&site.house)));
        Ok(behind)
    }

    /// Tells everybody, and closes in order. Returns whether this process stays, as a node that stands by.
    async fn leave(self, site: &Site, ended: Ended, end: End) -> Result<bool, StartupError> {
        let (span, stays) = match ended {
            Ended::Asked => (seconds(site.house.limits.drain_s), false),
            Ended::HandedOver { to, asked } => {
                tracing::info!(to = to.as_ref().map(|place| &*place.name), "another node serves this home");
                if let Some(place) = to {
                    // Nobody else sets it.
                    let _ = site.house.next_door.set(place.door.to_string());
                }
                (MOVING, !asked)
            }
            Ended::AtOnce { asked: true } => return Ok(false),
            Ended::AtOnce { asked: false } => return Err(again::start_anew(AT_ONCE).into()),
        };
        if !stays {
            end.has_come();
        }
        tracing::info!("closing: nobody new is let in, everybody is told");
        self.main.pause().await;
        close(site, span).await;
        if !stays {
            self.main.stop(false).await;
            self.admin.stop(false).await;
        }
        Ok(stays)
    }
}

/// The id of this server, made when its database was.
async fn server_id(store: &Store) -> Result<Uuid, StoreError> {
    const FACT: &str = "server.id";
    if let Some(id) = store.fact(FACT).await?.and_then(|text| text.parse().ok()) {
        return Ok(id);
    }
    let id = Uuid::new_v4();
    store.set_fact(FACT, &id.to_string()).await?;
    Ok(id)
}

/// What a server is made of.
struct Parts<'a> {
    settings: Settings,
    identity: &'a Identity,
    doors: &'a Doors,
    store: Store,
    stop: UnboundedSender<()>,
    bulletin: Bulletin,
    nodes: Nodes,
}

/// Starts the actors and puts everything together.
async fn open(parts: Parts<'_>) -> Result<Arc<Site>, StartupError> {
    let Parts { settings, identity, doors, store, stop, bulletin, nodes } = parts;
    let id = server_id(&store).await?;
    let limits = Arc::new(settings.limits.clone());
    let (clock, tally) = (Clock::start(), Tally::default());
    let address = public_address(&settings, doors.main);
    let desk = Arbiter::new().handle();
    let archivist = {
        let (store, tally) = (store.clone(), tally.clone());
        Archivist::start_in_arbiter(&desk, move |_| Archivist::new(store, tally))
    };
    // Whoever has an older list writes to the door of the node that served before.
    let names: Vec<_> =
        doors.names().into_iter().chain(nodes.all().iter().map(|door| Address::new(door))).collect();
    let offline = offline::open(&settings, &store, &tally).await?;
    let keeper = offline.as_ref().map(|offline| offline.keeper.clone());
    let book = neighbours::book(&settings, identity, &address, &names, &store).await?;
    let bans = neighbours::bans(&settings, &book, &store).await?;
    let bridge = bridge::keys(&settings, identity, &store).await?;
    let neighbourhood = neighbourhood::Parts {
        book,
        doors: nodes.all(),
        store: store.clone(),
        trust: trust(settings.neighbourhood.authorities())?,
        introduce: settings.neighbourhood.introduce,
        subscribe: settings.bans.subscribe.clone(),
        clock,
        tally: tally.clone(),
        bulletin,
    };
    let house = House::build(Plan {
        home: address.clone(),
        names,
        terms: Terms { doors: nodes.all(), ..terms(&settings, identity, &address, id) },
        neighbourhood,
        keys: Keys { server: Arc::clone(&identity.server), olaf: Arc::clone(&identity.olaf) },
        notaries: notaries(&settings),
        kept_rooms: store.rooms(&limits).await?,
        bearers: neighbours::bearers(&settings, &store).await?,
        channel: neighbours::channel(&limits, &store).await?,
        bridge,
        rendezvous: rendezvous::policy(&settings),
        bans,
        archivist: archivist.clone(),
        offline,
        desk,
        limits,
    })?;
    let url = public_url(&settings, &address, doors.tls);
    let own_doors = doors.own_addresses(&address);
    let about = About { own_doors, ..About::new(identity, id, settings.server.name.clone(), address, url) };
    let data = &settings.server.data_dir;
    let (several, limits) = (!nodes.all().is_empty(), Arc::clone(&house.limits));
    let filing = Filing::open(data, several, store.clone(), limits, house.tally.clone()).await?;
    actix_rt::spawn(filing.clone().sweep_regularly());
    Ok(Arc::new(Site {
        house,
        store,
        archivist,
        keeper,
        filing,
        settings,
        about,
        nodes,
        meeting: MeetingPlace::default(),
        token: identity.token.clone(),
        stop,
    }))
}

/// Threads for signatures: what the settings say, or one per core.
fn notaries(settings: &Settings) -> usize {
    match settings.listen.notaries {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// What sessions must know.
fn terms(settings: &Settings, identity: &Identity, address: &str, id: Uuid) -> Terms {
    Terms {
        doors: Vec::new(),
        recipients_per_letter: settings.limits.recipients_per_letter,
        detect_accents: settings.olaf.detect_accents,
        socp_detect_accents: settings.socp.detect_accents,
        unsigned: settings.neighbourhood.unsigned,
        peer_heartbeat_s: settings.limits.peer_heartbeat_s,
        peer_silence_s: settings.limits.peer_silence_s,
        tpacket_strict_seed: settings.tpacket.strict_seed,
        myself: Myself {
            address: address.to_owned(),
            name: settings.server.name.clone(),
            id: id.to_string().into(),
            takes_socp: settings.listen.dialect.0.is_none_or(|only| only == Dialect::Socp),
            key: Arc::new(identity.server.public().clone()),
        },
    }
}

/// Keeps a second server out of a data folder: it would sweep away the uploads under way of the first.
fn lock(data: &Path) -> Result<fs::File, StartupError> {
    let path = data.join("lock");
    let failed = |error| StartupError::File { path: path.clone(), error };
    let file = fs::File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StartupError::InUse(data.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}
