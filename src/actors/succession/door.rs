//! The door of succession: nodes of the home, hosts of the first form, and nodes that want a copy.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    copying::{GREETING, Newcomer},
    driver::Caller,
    places::{Place, Places},
};
use crate::{
    crypto::home::HomeKey,
    dialect::succession::{End, Fault, MOST_BYTES, Request, end_of_request, read_request, seal_reply, tell},
    domain::succession::{legacy::Call, sequence::Sequences},
};

/// How long one visit may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long somebody who may have said all gets to say more.
const QUIET: Duration = Duration::from_millis(150);

/// What is behind the door.
pub(super) struct Inside {
    key: Option<Arc<HomeKey>>,
    callers: mpsc::Sender<Caller>,
    followers: mpsc::Sender<Newcomer>,
    heard: Mutex<Sequences>,
}

impl Inside {
    /// Without a key there is no home of several nodes, and nobody can come as one of them.
    pub(super) fn new(
        key: Option<Arc<HomeKey>>,
        callers: mpsc::Sender<Caller>,
        followers: mpsc::Sender<Newcomer>,
    ) -> Self {
        Self { key, callers, followers, heard: Mutex::default() }
    }

    async fn visit(&self, mut stream: TcpStream, from: SocketAddr, place: Place) -> Result<(), Fault> {
        if self.key.is_some() && wants_copy(&stream).await {
            // It keeps its place until it has shown who it is. Whoever is told nothing more is closed, and asks again.
            let _ = self.followers.try_send(Newcomer::new(stream, place));
            return Ok(());
        }
        let request = hear(&mut stream).await?;
        let Some(answer) = self.answer(&request, from).await? else { return Ok(()) };
        // Nobody is owed an answer that it does not take.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        Ok(())
    }

    async fn answer(&self, request: &[u8], from: SocketAddr) -> Result<Option<String>, Fault> {
        let (ask, sequence, mark, key) = match read_request(request, self.key.as_deref())? {
            Request::Host(report) => return Ok(self.call(report.id, report.figures, from).await),
            Request::Node { ask, sequence, mark } => match &self.key {
                Some(key) => (ask, sequence, mark, key),
                None => return Err(Fault::Unproven),
            },
        };
        let asker = ask.from.node;
        if !self.heard.lock().unwrap_or_else(PoisonError::into_inner).admit(asker, sequence) {
            return Err(Fault::Unproven);
        }
        let (answer, answered) = oneshot::channel();
        if self.callers.send(Caller::Node(Box::new(ask), answer)).await.is_err() {
            return Ok(None);
        }
        Ok(answered.await.ok().map(|reply| seal_reply(&reply, asker, &mark, key)))
    }

    async fn call(
        &self,
        id: Option<crate::domain::succession::NodeId>,
        figures: crate::domain::succession::report::Figures,
        from: SocketAddr,
    ) -> Option<String> {
        let address = from.ip().to_canonical().to_string().into();
        let (answer, answered) = oneshot::channel();
        let call = Call { id, address, figures };
        self.callers.send(Caller::Host(call, answer)).await.ok()?;
        answered.await.ok().map(|told| tell(&told))
    }
}

/// Lets everybody in for whom there is a place, one task each.
pub(super) async fn keep(listener: TcpListener, inside: Inside, places: Places) {
    let inside = Arc::new(inside);
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(visitor) => visitor,
            Err(error) => {
                tracing::warn!(%error, "the door of succession cannot take visitors at the moment");
                sleep(QUIET).await;
                continue;
            }
        };
        let Some(place) = places.enter(from.ip()) else {
            tracing::debug!(%from, "there is no place for a visitor of succession");
            continue;
        };
        let inside = Arc::clone(&inside);
        tokio::spawn(async move {
            match timeout(PATIENCE, inside.visit(stream, from, place)).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => tracing::debug!(%from, %fault, "a visitor of succession is let go"),
                Err(_) => tracing::debug!(%from, "a visitor of succession takes too long"),
            }
        });
    }
}

/// Whether the first bytes are those of a node that wants a copy. They stay unread.
async fn wants_copy(stream: &TcpStream) -> bool {
    let mut first = [0; GREETING.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(seen) if seen == first.len() => return first == GREETING.as_bytes(),
            Ok(seen) if first[..seen] != GREETING.as_bytes()[..seen] => return false,
            // A line that begins like this and comes in pieces.
            Ok(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}

/// A whole request.
async fn hear(stream: &mut TcpStream) -> Result<Vec<u8>, Fault> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    let mut quiet = false;
    loop {
        let wait = if quiet { QUIET } else { PATIENCE };
        let closed = match timeout(wait, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => true,
            Ok(Ok(count)) => {
                request.extend_from_slice(&chunk[..count]);
                false
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset && request.is_empty() => {
                return Err(Fault::Empty);
            }
            Ok(Err(_)) => return Err(Fault::Cut),
            Err(_) if quiet => return Ok(request),
            Err(_) => return Err(Fault::Cut),
        };
        match end_of_request(&request, closed) {
            End::Whole => return Ok(request),
            End::TooLong => return Err(Fault::TooLong),
            End::Perhaps => quiet = true,
            End::Open => quiet = false,
        }
        debug_assert!(request.len() <= MOST_BYTES + chunk.len());
    }
}
