//! Fetching the bytes of uploaded files from another node: one file at a time, in pieces, on a connection of their own.

use std::{io, path::PathBuf, time::Duration};

use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    time::{sleep, timeout},
};

use super::{
    contents::Contents,
    dial::{AGAIN, LONGEST, dial},
    ledger::Wanted,
    wire::{Asked, CopyError, Told, Wire},
};
use crate::{
    crypto::{Digester, home::HomeKey},
    domain::succession::NodeId,
    store::{Store, StoreError, shelf::Shelf},
};

/// The shortest pause between two rounds of somebody who serves.
const ROUND: Duration = Duration::from_secs(1);
/// Files after which is asked anew what comes first.
const FEW: usize = 16;
/// Bytes that are read back at once.
const CHUNK: usize = 64 << 10;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// What proves that we are of the same home.
    pub secret: &'a HomeKey,
    /// Which node we are.
    pub node: NodeId,
}

impl Contents {
    /// Fetches what is lacking from whoever serves, for as long as this is polled.
    pub async fn keep_fetching(&self, address: &str, asker: Asker<'_>) {
        let mut wait = AGAIN;
        loop {
            self.ledger.until_next().await;
            match self.fetch_all(address, asker).await {
                Ok(()) => wait = AGAIN,
                Err(error) => {
                    tracing::info!(%address, %error, lacks = %self.ledger.lacks(), "uploaded files wait");
                    self.ledger.failed(&error);
                    sleep(wait).await;
                    wait = (wait * 2).min(LONGEST);
                }
            }
        }
    }

    /// Looks for what whoever serves has only the rows of, at all other nodes in turn, until nothing is lacking: now
    /// and then, and whenever somebody may have come back.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub async fn recover(
        &self,
        store: &Store,
        nodes: &[&str],
        asker: Asker<'_>,
        back: &Notify,
    ) -> Result<(), StoreError> {
        loop {
            for address in nodes {
                self.look(store).await?;
                self.ledger.wake();
                if !self.ledger.has_next() {
                    return Ok(());
                }
                let missing = self.ledger.ids();
                if let Err(error) = self.fetch_all(address, asker).await {
                    tracing::debug!(%address, %error, "uploaded files are not found there");
                }
                for id in missing.iter().filter(|id| !self.ledger.is_wanted(id)) {
                    tracing::info!(%address, "an uploaded file that was missing is here again");
                    // Those that follow hear of the row, and fetch the file without waiting for their next attempt.
                    store.touch_file(id).await?;
                }
            }
            sleep(ROUND).await;
            // In vain or not, it is time to look again.
            let _ = timeout(LONGEST, back.notified()).await;
        }
    }

    /// Fetches all that this node has of what is lacking.
    async fn fetch_all(&self, address: &str, asker: Asker<'_>) -> Result<(), CopyError> {
        let mut wire = Wire::dial(dial(address).await?, asker.secret, asker.node).await?;
        loop {
            let next = self.ledger.next(FEW);
            if next.is_empty() {
                return Ok(());
            }
            for (id, wanted) in next.into_iter().filter(|(id, _)| self.ledger.is_wanted(id)) {
                self.ledger.tried(&id);
                if !self.fetch(&mut wire, &id, &wanted).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Fetches one file. Says whether the connection can be used for another one.
    async fn fetch(&self, wire: &mut Wire, id: &str, wanted: &Wanted) -> Result<bool, CopyError> {
        self.shelf.make().await.map_err(CopyError::Disk)?;
        let mut half = Half::open(&self.shelf, id, wanted).await.map_err(CopyError::Disk)?;
        let fetched = self.fill(wire, &mut half, id, wanted).await;
        // What came goes on from here when the line is back; but whatever else is wrong, it must not lie in the way.
        if !matches!(fetched, Ok(_) | Err(CopyError::Io(_) | CopyError::Silent | CopyError::Closed)) {
            half.discard().await;
        }
        fetched
    }

    async fn fill(
        &self,
        wire: &mut Wire,
        half: &mut Half,
        id: &str,
        wanted: &Wanted,
    ) -> Result<bool, CopyError> {
        let missing = wanted.bytes.saturating_sub(half.bytes);
        if self.shelf.free().await.map_err(CopyError::Disk)? < missing.saturating_add(self.reserve) {
            return Err(CopyError::NoRoom);
        }
        wire.say(&Asked::Content(id.to_owned(), half.bytes)).await?;
        match wire.hear().await? {
            Told::Content(coming) if coming == missing => {}
            Told::Content(_) => {
                self.ledger.rest(id);
                return Err(CopyError::Differs);
            }
            Told::Absent => {
                self.ledger.rest(id);
                half.discard().await;
                return Ok(true);
            }
            _ => return Err(CopyError::Nonsense),
        }
        while half.bytes < wanted.bytes {
            let piece = wire.receive().await?;
            half.write(&piece).await.map_err(CopyError::Disk)?;
            if piece.is_empty() || half.bytes > wanted.bytes {
                return Err(CopyError::Nonsense);
            }
            if !self.ledger.is_wanted(id) {
                half.discard().await;
                return Ok(false);
            }
        }
        if !half.is(wanted) {
            self.ledger.rest(id);
            return Err(CopyError::Differs);
        }
        half.sync().await.map_err(CopyError::Disk)?;
        // A name is short work, and the ledger cannot wait for anybody.
        let place = || std::fs::rename(&half.path, self.shelf.file(id));
        if !self.ledger.place(id, place).map_err(CopyError::Disk)? {
            half.discard().await;
        }
        Ok(true)
    }
}

/// A file on its way in.
struct Half {
    path: PathBuf,
    file: File,
    bytes: u64,
    digest: Digester,
}

impl Half {
    /// Goes on where an earlier attempt ended, if the whole can be told from anything else.
    async fn open(shelf: &Shelf, id: &str, wanted: &Wanted) -> io::Result<Self> {
        let path = shelf.fetch(id);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .await?;
        let (mut digest, mut bytes) = (Digester::default(), 0);
        let length = file.metadata().await?.len();
        if wanted.digest.is_none() || length > wanted.bytes {
            file.set_len(0).await?;
        } else {
            let mut chunk = vec![0; CHUNK];
            loop {
                let count = file.read(&mut chunk).await?;
                if count == 0 {
                    break;
                }
                digest.add(&chunk[..count]);
                bytes += u64::try_from(count).unwrap_or(u64::MAX);
            }
        }
        Ok(Self { path, file, bytes, digest })
    }

    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digest.add(piece);
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.file.write_all(piece).await
    }

    fn is(&self, wanted: &Wanted) -> bool {
        self.bytes == wanted.bytes
            && wanted.digest.is_none_or(|digest| digest == self.digest.clone().finish())
    }

    /// A name that survives a power cut while the bytes do not would serve garbage.
    async fn sync(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_data().await
    }

    async fn discard(&self) {
        // It is swept with everything that no row names.
        let _ = tokio::fs::remove_file(&self.path).await;
    }
}
