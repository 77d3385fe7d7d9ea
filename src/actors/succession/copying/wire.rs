//! The words of the stream, and how they are sealed.

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::ledger::Lacks;
use crate::{
    crypto::{
        channel::{Channel, Ephemeral, Purpose},
        home::HomeKey,
        keys::KeyError,
    },
    domain::succession::NodeId,
    store::{Batch, Mark, StoreError},
};

/// What the first line of both sides begins with. Neither the first form of the protocol nor our own
/// questions begin like this.
pub const GREETING: &str = "kith-copy/1 ";

/// What the secret is used for here, and nowhere else.
const PURPOSE: &[u8] = b"kith copy 1\n";

/// The longest first line.
const LINE: usize = 256;

/// The longest message: a batch, with one row of the largest size on top.
const MESSAGE: usize = 16 * 1024 * 1024;

/// The longest message of somebody who has proven nothing: what is wanted, in a few dozen bytes.
const FIRST: usize = 4 * 1024;

/// How long one step may take. Whoever serves says something every second.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The connection.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The other side said nothing, or took nothing, for too long.
    #[error("the other side is silent")]
    Silent,
    /// The other side closed.
    #[error("the other side has closed")]
    Closed,
    /// The other side is no node of this home, or speaks something else.
    #[error("that is no node of this home")]
    Stranger,
    /// The other side broke the protocol.
    #[error("the other side said something that makes no sense there")]
    Nonsense,
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of uploaded files.
    #[error("the folder of uploaded files: {0}")]
    Disk(#[source] io::Error),
    /// The disk has no room for a file.
    #[error("the disk has no room for an uploaded file")]
    NoRoom,
    /// An uploaded file is another one than its row says.
    #[error("an uploaded file is not what its row says")]
    Differs,
}

/// What whoever serves says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// I serve in this epoch.
    Serving(u64),
    /// Everything follows, because there is no copy, or another one's, or one too old.
    Everything,
    /// Rows of everything.
    Rows(Batch),
    /// That was everything, as it stood at this change.
    Complete(u64),
    /// What has changed since.
    Changes(Batch),
    /// Nothing more has happened so far.
    Still,
    /// So many bytes of the file that was asked for follow, in pieces that are no messages.
    Content(u64),
    /// The file that was asked for is not here.
    Absent,
}

/// What whoever follows says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Asked {
    /// What the copy is of, first.
    Have(Option<Mark>),
    /// It is on disk up to here.
    Applied(u64),
    /// So much is lacking of the files whose rows are on disk. Nothing, unless said otherwise.
    Lacks(Lacks),
    /// The bytes of this file, behind the first so many. Whoever begins with that wants no rows.
    Content(String, u64),
}

/// A connection between two nodes that have both shown that they know the secret.
#[derive(Debug)]
pub(super) struct Wire {
    framed: Framed<TcpStream, LengthDelimitedCodec>,
    channel: Channel,
}

impl Wire {
    /// Greets the node that serves.
    pub(super) async fn dial(
        mut stream: TcpStream,
        secret: &HomeKey,
        node: NodeId,
    ) -> Result<Self, CopyError> {
        stream.set_nodelay(true)?;
        let mine = Ephemeral::generate()?;
        let greeting = line(&mine, node);
        in_time(stream.write_all(greeting.as_bytes())).await?;
        let answer = read_line(&mut stream).await?;
        let (theirs, _) = parse(&answer)?;
        let channel = agree(mine, &theirs, secret, &[&greeting, &answer], true)?;
        Ok(Self { framed: framed(stream, MESSAGE), channel })
    }

    /// Answers a node that greets, and says which one it is and what it wants first. Only who has the secret can say
    /// that, so only then is a place kept for it, and memory for what it says.
    pub(super) async fn accept(
        mut stream: TcpStream,
        secret: &HomeKey,
        node: NodeId,
    ) -> Result<(Self, NodeId, Asked), CopyError> {
        stream.set_nodelay(true)?;
        let greeting = read_line(&mut stream).await?;
        let (theirs, who) = parse(&greeting)?;
        let mine = Ephemeral::generate()?;
        let answer = line(&mine, node);
        in_time(stream.write_all(answer.as_bytes())).await?;
        let channel = agree(mine, &theirs, secret, &[&greeting, &answer], false)?;
        let mut wire = Self { framed: framed(stream, FIRST), channel };
        let asked = wire.hear().await?;
        wire.framed.codec_mut().set_max_frame_length(MESSAGE);
        Ok((wire, who, asked))
    }

    pub(super) async fn say(&mut self, message: &impl Serialize) -> Result<(), CopyError> {
        self.send(&postcard::to_allocvec(message).map_err(|_| CopyError::Nonsense)?).await
    }

    /// Sends bytes that are no message.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        let sealed = self.channel.seal(bytes);
        in_time(self.framed.send(sealed)).await
    }

    /// The next message, within the time in which there must be one.
    pub(super) async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, CopyError> {
        timeout(PATIENCE, self.next()).await.map_err(|_| CopyError::Silent)?
    }

    /// Bytes that are no message, within the same time.
    pub(super) async fn receive(&mut self) -> Result<Bytes, CopyError> {
        timeout(PATIENCE, self.open()).await.map_err(|_| CopyError::Silent)?
    }

    /// The next message, whenever it comes. Nothing is lost if this is given up.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<T, CopyError> {
        postcard::from_bytes(&self.open().await?).map_err(|_| CopyError::Nonsense)
    }

    async fn open(&mut self) -> Result<Bytes, CopyError> {
        let sealed: Bytes = self.framed.next().await.ok_or(CopyError::Closed)??.freeze();
        self.channel.open(sealed).ok_or(CopyError::Stranger)
    }
}

async fn in_time(io: impl Future<Output = io::Result<()>>) -> Result<(), CopyError> {
    Ok(timeout(PATIENCE, io).await.map_err(|_| CopyError::Silent)??)
}

fn framed(stream: TcpStream, most: usize) -> Framed<TcpStream, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder().max_frame_length(most).new_framed(stream)
}

/// A public key, something that nobody could know before, and who says it.
fn line(mine: &Ephemeral, node: NodeId) -> String {
    let (key, nonce) = (STANDARD.encode(mine.public()), STANDARD.encode(mine.nonce()));
    format!("{GREETING}{key} {nonce} {node}\n")
}

pub(super) fn parse(line: &str) -> Result<([u8; 32], NodeId), CopyError> {
    let words = line.strip_prefix(GREETING).ok_or(CopyError::Stranger)?;
    let mut words = words.split_whitespace();
    let key = words.next().and_then(|word| STANDARD.decode(word).ok()).and_then(|key| key.try_into().ok());
    let node = words.nth(1).and_then(NodeId::parse);
    key.zip(node).ok_or(CopyError::Stranger)
}

/// Byte by byte, because what comes behind the line is not ours to take yet. It is one line in the life of
/// a connection.
async fn read_line(stream: &mut TcpStream) -> Result<String, CopyError> {
    let read = async {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            if line.len() >= LINE {
                return Err(CopyError::Stranger);
            }
            match stream.read_u8().await {
                Ok(byte) => line.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(CopyError::Closed),
                Err(error) => return Err(error.into()),
            }
        }
        String::from_utf8(line).map_err(|_| CopyError::Stranger)
    };
    timeout(PATIENCE, read).await.map_err(|_| CopyError::Silent)?
}

/// What both said is bound to the secret: other keys than ours come out for whoever does not have it.
fn agree(
    mine: Ephemeral,
    theirs: &[u8; 32],
    secret: &HomeKey,
    said: &[&str; 2],
    we_dialled: bool,
) -> Result<Channel, CopyError> {
    let [greeting, answer] = said.map(str::as_bytes);
    let transcript = secret.mark(&[PURPOSE, greeting, answer]);
    Ok(mine.agree(Purpose::Copy, theirs, &transcript, we_dialled)?)
}
