//! Giving the bytes of uploaded files to another node of the home, whoever of both serves.

use std::io::SeekFrom;

use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

use super::{
    guest::Guest,
    wire::{Asked, CopyError, Told, Wire},
};
use crate::store::shelf::Shelf;

/// Bytes of one piece: all that is held of a file.
const PIECE: usize = 64 << 10;

/// Gives another node what it asks for, until the connection ends. For a node that does not serve: it has no rows to tell.
///
/// # Errors
/// Why it ended.
pub async fn lend(guest: Guest, shelf: &Shelf) -> Result<(), CopyError> {
    let Guest { mut wire, asked, .. } = guest;
    match asked {
        Asked::Content(id, from) => give(&mut wire, shelf, (id, from)).await,
        _ => Err(CopyError::Nonsense),
    }
}

/// Gives what is asked for, then whatever else is.
pub(super) async fn give(wire: &mut Wire, shelf: &Shelf, mut asked: (String, u64)) -> Result<(), CopyError> {
    loop {
        let (id, from) = asked;
        match open(shelf, &id, from).await {
            Some((file, bytes)) => {
                wire.say(&Told::Content(bytes)).await?;
                pour(wire, file, bytes).await?;
            }
            None => wire.say(&Told::Absent).await?,
        }
        asked = match wire.hear().await? {
            Asked::Content(id, from) => (id, from),
            _ => return Err(CopyError::Nonsense),
        };
    }
}

/// The file behind so many bytes, and how many more there are.
async fn open(shelf: &Shelf, id: &str, from: u64) -> Option<(File, u64)> {
    let found = async {
        let Some(mut file) = shelf.open(id).await? else { return Ok(None) };
        let bytes = file.metadata().await?.len();
        if from < bytes {
            file.seek(SeekFrom::Start(from)).await?;
        }
        Ok::<_, std::io::Error>(Some((file, bytes.saturating_sub(from))))
    };
    // Whoever asks cannot mend our disk; another node may have what lies on it.
    found.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an uploaded file cannot be read");
        None
    })
}

async fn pour(wire: &mut Wire, mut file: File, bytes: u64) -> Result<(), CopyError> {
    let (mut piece, mut left) = (vec![0; PIECE], bytes);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let count = file.read(&mut piece[..most]).await.map_err(CopyError::Disk)?;
        if count == 0 {
            return Err(CopyError::Differs);
        }
        wire.send(&piece[..count]).await?;
        left -= u64::try_from(count).unwrap_or(left);
    }
    Ok(())
}
