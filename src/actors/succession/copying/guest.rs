//! Another node at this one's door. Until it has shown that it is of this home, and has said what it wants, it stands
//! among the strangers, and takes nothing from the nodes of the home.

use tokio::net::TcpStream;

use super::{
    super::places::Place,
    wire::{Asked, CopyError, Wire},
};
use crate::{crypto::home::HomeKey, domain::succession::NodeId};

/// Somebody who says that it is such a node, and has shown nothing yet.
#[derive(Debug)]
pub struct Newcomer {
    stream: TcpStream,
    /// At the door.
    place: Place,
}

/// Such a node.
#[derive(Debug)]
pub struct Guest {
    pub(super) wire: Wire,
    pub(super) node: NodeId,
    /// What it wants first.
    pub(super) asked: Asked,
}

impl Newcomer {
    pub(in crate::actors::succession) const fn new(stream: TcpStream, place: Place) -> Self {
        Self { stream, place }
    }

    /// Hears who it is, and what it wants.
    ///
    /// # Errors
    /// Why it is no node of this home.
    pub async fn prove(self, secret: &HomeKey, own: NodeId) -> Result<Guest, CopyError> {
        let guest = Guest::hear(self.stream, secret, own).await;
        drop(self.place);
        guest
    }
}

impl Guest {
    pub(super) async fn hear(stream: TcpStream, secret: &HomeKey, own: NodeId) -> Result<Self, CopyError> {
        let (wire, node, asked) = Wire::accept(stream, secret, own).await?;
        Ok(Self { wire, node, asked })
    }
}
