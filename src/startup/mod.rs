//! The composition root: the only place that knows every actor's address.
//!
//! It opens the house (identity, store, actors, doors), waits for a reason to close it, and closes it
//! in order: nobody new, everybody told, everything written, doors shut.

mod doors;
mod end;
mod neighbours;
mod offline;
mod ready;
mod rendezvous;

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use actix::{Actor as _, Arbiter};
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use self::{
    doors::{Doors, public_address, public_url},
    end::{Signals, close},
    ready::ReadyFile,
};
use crate::{
    actors::{
        archivist::Archivist,
        clock::Clock,
        event::Bulletin,
        house::{House, Plan},
        neighbourhood,
        notary::Keys,
        tally::Tally,
    },
    cli::serve::ServeArgs,
    client::trust::{TrustError, trust},
    dialect::{Myself, Terms},
    domain::{dialect::Dialect, limits::seconds},
    http::{
        admin,
        door::{self, Listeners},
        filing::{Filing, FilingError},
        site::{About, Site},
        tls::{Tls, TlsError},
    },
    identity::{BridgeKeys, Identity, IdentityError},
    settings::{Admit, Settings, SettingsError},
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

/// `kith serve`.
#[must_use]
pub fn main(args: ServeArgs) -> ExitCode {
    let outcome = args.settings.load().map_err(|error| error.to_string()).and_then(|loaded| {
        let settings = loaded.settings;
        telemetry::start(&settings.log, io::stderr).map_err(|error| error.to_string())?;
        let system = actix_rt::System::new();
        system.block_on(run(settings, args.ready_file, args.supervised)).map_err(|error| error.to_string())
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kith: {error}");
            ExitCode::FAILURE
        }
    }
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
        end::with_standard_input(stop.clone(), seconds(settings.limits.drain_s));
    }
    let signals = Signals::listen()?;
    if let Some(path) = &ready_file {
        // What an earlier server left there is no longer true.
        let _ = fs::remove_file(path);
    }
    let identity = Identity::open(&data)?;
    let _lock = lock(&data)?;
    let store = Store::open(&data.join("kith.db")).await?;
    let id = server_id(&store).await?;
    let tls = settings.listen.tls().map(|(certificate, key)| Tls::open(certificate, key)).transpose()?;
    let own = settings.listen.own().into_iter().filter_map(|(dialect, address)| Some((dialect, address.0?)));
    let listeners = Listeners {
        main: doors::listen(settings.listen.main)?,
        own: own
            .map(|(dialect, address)| Ok((dialect, doors::listen(address)?)))
            .collect::<Result<_, StartupError>>()?,
    };
    let admin = doors::listen(settings.listen.admin)?;
    let meeting = rendezvous::listen(&settings)?;
    let doors = Doors::of(&listeners, &admin, tls.is_some())?.with_rendezvous(meeting.as_ref())?;

    let site = open(settings, &identity, id, &doors, store, stop).await?;
    let main = door::serve(listeners, &site, tls.as_ref())?;
    let main_handle = main.handle();
    actix_rt::spawn(main);
    let admin = admin::serve(admin, Arc::clone(&site))?;
    let admin_handle = admin.handle();
    actix_rt::spawn(admin);

    rendezvous::open(meeting, &site.house);
    // Neighbours dial back, so the doors are open first.
    site.house.neighbourhood.do_send(neighbourhood::Open(Arc::clone(&site.house)));
    if !supervised {
        greet(&doors, &site, &identity);
    }
    announce(&doors, &site);
    let ready = ready_file.map(|path| ReadyFile::write(path, &doors, &data)).transpose()?;
    signals.wait_for_the_end(stopped, tls.as_ref()).await;
    tracing::info!("closing: nobody new is let in, everybody is told");
    main_handle.pause().await;
    close(&site).await;
    drop(ready);
    main_handle.stop(false).await;
    admin_handle.stop(false).await;
    Ok(())
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

/// Starts the actors and puts everything together.
async fn open(
    settings: Settings,
    identity: &Identity,
    id: Uuid,
    doors: &Doors,
    store: Store,
    stop: tokio::sync::mpsc::UnboundedSender<()>,
) -> Result<Arc<Site>, StartupError> {
    let limits = Arc::new(settings.limits.clone());
    let (clock, tally) = (Clock::start(), Tally::default());
    let address = public_address(&settings, doors.main);
    let desk = Arbiter::new().handle();
    let archivist = {
        let (store, tally) = (store.clone(), tally.clone());
        Archivist::start_in_arbiter(&desk, move |_| Archivist::new(store, tally))
    };
    let names = doors.names();
    let offline = offline::open(&settings, &store, &tally).await?;
    let keeper = offline.as_ref().map(|offline| offline.keeper.clone());
    let book = neighbours::book(&settings, identity, &address, &names, &store).await?;
    let bans = neighbours::bans(&settings, &book, &store).await?;
    let neighbourhood = neighbourhood::Parts {
        book,
        store: store.clone(),
        trust: trust(settings.neighbourhood.authorities())?,
        introduce: settings.neighbourhood.introduce,
        subscribe: settings.bans.subscribe.clone(),
        clock,
        tally: tally.clone(),
        bulletin: Bulletin::default(),
    };
    let house = House::build(Plan {
        home: address.clone(),
        names,
        terms: terms(&settings, identity, &address, id),
        neighbourhood,
        keys: Keys { server: Arc::clone(&identity.server), olaf: Arc::clone(&identity.olaf) },
        notaries: match settings.listen.notaries {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        },
        kept_rooms: store.rooms(&limits).await?,
        bearers: neighbours::bearers(&settings, &store).await?,
        channel: neighbours::channel(&limits, &store).await?,
        bridge: settings.bridge.public.then(|| BridgeKeys::of(&settings.server.data_dir)),
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
    let filing = Filing::open(data, store.clone(), Arc::clone(&house.limits), house.tally.clone()).await?;
    actix_rt::spawn(filing.clone().sweep_regularly());
    let token = identity.token.clone();
    Ok(Arc::new(Site { house, store, archivist, keeper, filing, settings, about, token, stop }))
}

/// What sessions must know.
fn terms(settings: &Settings, identity: &Identity, address: &str, id: Uuid) -> Terms {
    Terms {
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

/// What a person reads first.
fn greet(doors: &Doors, site: &Site, identity: &Identity) {
    let scheme = if doors.tls { "wss" } else { "ws" };
    let token = match &identity.new_token {
        Some(token) => format!("{} (shown once, kept in {})", **token, token_file(site)),
        None => format!("in {}", token_file(site)),
    };
    // The very words to type next, however this program was called.
    let kith = std::env::args().next().unwrap_or_else(|| "kith".to_owned());
    let data = site.settings.server.data_dir.display();
    let (name, address, admin) = (&site.about.name, &site.about.address, doors.admin);
    let own = site.about.own_doors.iter().map(|(dialect, address)| {
        let what = format!("{} alone", dialect.title());
        format!("    {what:<14}{scheme}://{address}\n")
    });
    let own: String = own.chain(doors.rendezvous.map(|door| format!("    rendezvous    {door}\n"))).collect();
    let text = format!(
        "
  {name} is open

    clients       {scheme}://{address}
{own}    admin API     http://{admin}/docs/
    admin token   {token}

  Talk:   {kith} chat {scheme}://{address}
  Watch:  {kith} admin --url http://{admin} --data {data} clients

"
    );
    // Somebody who closed our output does not want to read it.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What the log says first.
fn announce(doors: &Doors, site: &Site) {
    let own = |dialect| doors.of_dialect(dialect).map(tracing::field::display);
    let (socp, tpacket) = (own(Dialect::Socp), own(Dialect::Tpacket));
    let (id, admin) = (site.about.id, doors.admin);
    let rendezvous = doors.rendezvous.map(tracing::field::display);
    tracing::info!(listen = %doors.main, socp, tpacket, rendezvous, %admin, %id, "the doors are open");
    let section = &site.settings.neighbourhood;
    let is_reachable = |door: SocketAddr| !door.ip().is_loopback();
    if (is_reachable(doors.main) || doors.of_dialect(Dialect::Socp).is_some_and(is_reachable))
        && (section.legacy || section.admit == Admit::Anyone)
    {
        tracing::warn!(
            "any server that reaches this one may become its neighbour; set neighbourhood.admit to known and \
             neighbourhood.legacy to false, or KITH_ENV to production"
        );
    }
    if doors.main.ip().is_unspecified() && site.settings.server.public_address.is_empty() {
        tracing::warn!(
            address = site.about.address,
            "listening on every interface; set server.public_address so that others know where"
        );
    }
}

fn token_file(site: &Site) -> String {
    crate::identity::token_path(&site.settings.server.data_dir).display().to_string()
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
