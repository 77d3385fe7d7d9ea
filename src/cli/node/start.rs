//! From the command line to a running node.

use std::{io, net::SocketAddr, process::ExitCode};

use tokio::net::TcpListener;

use super::{
    args::NodeArgs,
    talk::{self, Talk},
};
use crate::{
    cli::{input, screen::Screen},
    client::{
        keyring::{Keyring, KeyringError},
        node::{Hub, Setup},
    },
    domain::endpoint::Endpoint,
};

/// Why there is no node at all.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    #[error("{0} is every address of this machine; say with --address IP:PORT where others reach you")]
    Everywhere(SocketAddr),
}

/// Talks until somebody says `/quit`, the mesh is ended, or a signal comes.
#[must_use]
pub fn run(args: NodeArgs) -> ExitCode {
    let outcome = actix_rt::System::new().block_on(async {
        let talk = prepare(args).await?;
        Ok::<_, StartError>(talk.run(input::start()).await)
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kith node: {error}");
            ExitCode::from(2)
        }
    }
}

async fn prepare(args: NodeArgs) -> Result<Talk, StartError> {
    let path = args.keyring.map_or_else(Keyring::default_path, Ok)?;
    let keyring = Keyring::open(&path)?;
    let listener =
        TcpListener::bind(args.listen).await.map_err(|error| StartError::Listen(args.listen, error))?;
    let local = listener.local_addr().map_err(|error| StartError::Listen(args.listen, error))?;
    let everywhere = local.ip().is_unspecified();
    let me = match args.address {
        Some(address) => address,
        None if everywhere => return Err(StartError::Everywhere(local)),
        None => Endpoint::new(local.ip(), local.port()).ok_or(StartError::Everywhere(local))?,
    };
    let (mut screen, is_interactive) = Screen::of_stdout(args.no_color);
    let key = keyring.key().clone();
    screen.news(&format!("listening at {me} as {}", key.public().id().short()));
    let setup = Setup {
        rendezvous: args.rendezvous.clone(),
        me,
        from: (!everywhere).then(|| local.ip()),
        key: key.clone(),
        pins: keyring.pins()?,
        is_sealed_only: args.sealed_only,
    };
    let (me, rendezvous) = (key.public().id(), args.rendezvous);
    let (hub, contacts) = (Hub::start(setup, listener), keyring.into_contacts());
    let is_once = args.once;
    Ok(Talk::new(talk::Setup { hub, screen, contacts, me, rendezvous, is_interactive, is_once }))
}
