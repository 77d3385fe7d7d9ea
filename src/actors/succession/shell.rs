//! The election on the wire.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc};

use tokio::{net::TcpStream, sync::mpsc};

use super::helm::{Duty, Helm};
use crate::{
    actors::event::Bulletin,
    crypto::home::HomeSecret,
    domain::succession::{home::Home, numbers::Numbers},
};

/// What a node needs to take part.
pub struct Plan {
    /// The other nodes.
    pub home: Home,
    /// The numbers in force, checked.
    pub numbers: Numbers,
    /// What proves that we are one of them.
    pub secret: Arc<HomeSecret>,
    /// Where this node is found.
    pub listener: TcpListener,
    /// The file of the node's id and ballot.
    pub file: PathBuf,
    /// The folder whose disk is measured.
    pub data: PathBuf,
    /// What this node is called.
    pub name: String,
    /// Who hears of changes of the role.
    pub bulletin: Bulletin,
    /// Ends all service in this very moment, on a thread that waits for nothing. Called when the lease has run out
    /// and nobody has taken note.
    pub fence: Box<dyn Fn() + Send>,
}

/// The election, running.
#[derive(Debug)]
pub struct Shell {
    /// How everybody else speaks to it.
    pub helm: Helm,
    /// What it wants to be done.
    pub duties: mpsc::UnboundedReceiver<Duty>,
    /// Nodes that want a copy of what we serve, with their first line unread.
    pub followers: mpsc::Receiver<TcpStream>,
}

/// Takes part from now on.
///
/// # Errors
/// The file cannot be read or written, or the listener cannot be used.
pub fn start(_plan: Plan) -> io::Result<Shell> {
    Err(io::ErrorKind::Unsupported.into())
}
