//! Keeping a copy of what somebody else serves.

use tokio::{net::TcpStream, sync::watch};

use super::wire::{Asked, CopyError, Told, Wire};
use crate::{
    crypto::home::HomeKey,
    domain::succession::NodeId,
    store::{Copy, Mark},
};

/// Applies what the node at the other end says, until the connection ends. What is on disk is said to it, and
/// to whoever watches.
///
/// # Errors
/// Why it ended.
pub async fn follow(
    stream: TcpStream,
    secret: &HomeKey,
    node: NodeId,
    copy: &Copy,
    mark: &watch::Sender<Option<Mark>>,
) -> Result<(), CopyError> {
    let mut wire = Wire::dial(stream, secret, node).await?;
    wire.say(&Asked::Have(copy.mark().await?)).await?;
    let Told::Serving(epoch) = wire.hear().await? else { return Err(CopyError::Nonsense) };
    loop {
        let seq = match wire.hear().await? {
            Told::Everything => everything(&mut wire, copy, epoch).await?,
            Told::Changes(batch) => {
                copy.apply(epoch, &batch).await?;
                batch.through
            }
            Told::Still => continue,
            Told::Serving(_) | Told::Rows(_) | Told::Complete(_) => return Err(CopyError::Nonsense),
        };
        mark.send_replace(Some(Mark { epoch, seq }));
        wire.say(&Asked::Applied(seq)).await?;
    }
}

async fn everything(wire: &mut Wire, copy: &Copy, epoch: u64) -> Result<u64, CopyError> {
    let mut replacement = copy.replace().await?;
    loop {
        match wire.hear().await? {
            Told::Rows(batch) => replacement.add(&batch).await?,
            Told::Complete(seq) => {
                replacement.finish(Mark { epoch, seq }).await?;
                return Ok(seq);
            }
            _ => return Err(CopyError::Nonsense),
        }
    }
}
