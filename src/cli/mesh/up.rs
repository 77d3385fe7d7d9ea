//! `kith mesh up`: from a folder to a neighbourhood, and in order back.

use std::{
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{
    announce,
    child::Act,
    control,
    error::MeshError,
    hall::Hall,
    key,
    log::{Log, Writer},
    plan::Plan,
    ports::on_loopback,
    record::{Control, Record, lock},
};
use crate::{cli::paint::Paint, identity::make_private_folder};

const TOKEN_BYTES: usize = 32;

/// Starts a neighbourhood and looks after it until it should end.
pub(super) fn run(folder: &Path, servers: u8, base_port: Option<u16>) -> Result<(), MeshError> {
    make_private_folder(folder)?;
    let _lock = lock(folder)?;
    let old = Record::read(folder)?.unwrap_or_default();
    let keys = key::of_servers(folder, servers)?;
    raise_descriptor_limit();
    // Taken now, because the file may be replaced by a newer one while we run.
    let program = std::env::current_exe()?;
    let (log, writer) = Log::start(Paint::of_stdout(), servers);
    let system = actix_rt::System::new();
    let outcome = system.block_on(keep(folder, program, keys, base_port, old, log));
    // Everything that could still say something goes with it.
    drop(system);
    Writer::finish(writer);
    outcome
}

/// Every line takes a port and, in use, two sockets; the usual limit is enough for a dozen servers only.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where this is not allowed, it is the smaller mesh that works.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The signals that end it.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

async fn keep(
    folder: &Path,
    program: PathBuf,
    keys: Vec<String>,
    base_port: Option<u16>,
    old: Record,
    log: Log,
) -> Result<(), MeshError> {
    let mut signals = Signals::listen()?;
    let hall = Rc::new(Hall::new(folder, program, old, log.clone()));
    hall.move_in(1, keys, base_port)?;
    let door = TcpListener::bind(on_loopback(0)).await?;
    let control = Control { address: door.local_addr()?, token: token()? };
    let hearing = actix_rt::spawn(control::hear(door, control.token.clone(), Rc::clone(&hall)));
    hall.remember(Some(control))?;

    let outcome = tokio::select! {
        outcome = live(&hall) => outcome,
        () = signals.any() => Ok(()),
        () = hall.down.notified() => Ok(()),
    };
    log.say("closing: every server is told to end");
    tokio::select! {
        () = hall.close() => log.say("all servers have ended"),
        // Whoever asks twice does not want to wait: what still runs ends with its holder.
        () = signals.any() => log.say("what still runs is killed"),
    }
    hearing.abort();
    hall.remember(None)?;
    outcome
}

/// Starts everything, says so, and stays.
async fn live(hall: &Hall) -> Result<(), MeshError> {
    hall.all(Act::Start).await.map_err(MeshError::Refused)?;
    let plans: Vec<Plan> = hall.servers().iter().map(|server| server.plan.clone()).collect();
    hall.log.plain(announce::mesh(&hall.folder, &plans, Paint::of_stdout()));
    std::future::pending().await
}

fn token() -> Result<String, MeshError> {
    let mut bytes = [0; TOKEN_BYTES];
    let made = SystemRandom::new().fill(&mut bytes);
    made.map_err(|_| MeshError::Refused("the system gives no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
