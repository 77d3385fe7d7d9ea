//! The bridge's own hand: a thread that writes and signs what is said again to members of other protocols.
//!
//! Its keys are used for nothing else. **Invariants:** what is said goes out in the order in which it came; nobody
//! waits for this thread, and what it cannot keep up with is counted, not kept.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use actix::{Message, Recipient};

use super::{clock::unix_ms, stillness::UnderWay, tally::Tally};
use crate::{
    crypto::{
        keys::KeyError,
        sha256,
        signature::{Salt, sign},
    },
    dialect::{olaf::say, socp, trace},
    domain::{
        bridge::{self, Reach},
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::Frame,
        member::Newcomer,
        replay::Trace,
        rooms::Line,
    },
    identity::BridgeKeys,
};

/// Lines that may wait to be signed.
const MOST_WAITING: usize = 256;

/// A line that is to be said again.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) line: Arc<Line>,
    pub(super) dialect: Dialect,
    pub(super) reach: Reach,
    /// Connections that have heard it in the room.
    pub(super) read_by: Arc<HashSet<ConnectionId>>,
    /// It was accepted, so whoever gives its place away waits until it is said.
    pub(super) under_way: UnderWay,
}

/// A line as it is said again.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Spoken {
    /// Who says it.
    pub by: Newcomer,
    /// To whom.
    pub reach: Reach,
    /// What makes it recognisable.
    pub trace: Trace,
    /// What is said.
    pub frame: Frame,
    /// Who is not told, because she has heard it in the room.
    pub read_by: Arc<HashSet<ConnectionId>>,
    /// Until it has gone out.
    pub under_way: UnderWay,
}

/// The way to the thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Scribe {
    jobs: SyncSender<Job>,
}

impl Scribe {
    /// Starts the thread. What it has written goes to whoever says it.
    pub(super) fn start(keys: BridgeKeys, to: Recipient<Spoken>, tally: Tally) -> io::Result<Self> {
        let (sender, waiting) = sync_channel(MOST_WAITING);
        let pen = Pen { keys, last: 0 };
        thread::Builder::new().name("bridge".into()).spawn(move || work(&waiting, pen, &to, &tally))?;
        Ok(Self { jobs: sender })
    }

    /// Has a line written, if there is room for it.
    pub(super) fn write(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }
}

fn work(jobs: &Receiver<Job>, mut pen: Pen, to: &Recipient<Spoken>, tally: &Tally) {
    for job in jobs {
        let dialect = job.dialect;
        match pen.write(job) {
            Ok(Some(spoken)) => to.do_send(spoken),
            Ok(None) => drop(tally.bridge_skipped.inc()),
            Err(error) => {
                tally.bridge_skipped.inc();
                tracing::error!(%error, %dialect, "the bridge cannot say a line again");
            }
        }
    }
}

struct Pen {
    keys: BridgeKeys,
    /// The last number that was given, as a counter or as a time.
    last: i64,
}

impl Pen {
    /// Nothing, if there are no words for it.
    fn write(&mut self, job: Job) -> Result<Option<Spoken>, KeyError> {
        let Some(text) = bridge::words(&job.line) else { return Ok(None) };
        let (by, signature, frame) = match job.dialect {
            Dialect::Olaf => self.olaf(&text)?,
            Dialect::Socp => self.socp(&text)?,
            Dialect::Tpacket => return Ok(None),
        };
        let Job { reach, read_by, under_way, .. } = job;
        Ok(Some(Spoken { by, reach, trace: trace(&signature), frame, read_by, under_way }))
    }

    /// Grows with the clock, so that it goes on growing after a restart, and never goes back.
    fn tick(&mut self) -> i64 {
        self.last = unix_ms().max(self.last.saturating_add(1));
        self.last
    }

    fn olaf(&mut self, text: &str) -> Result<(Newcomer, Vec<u8>, Frame), KeyError> {
        let counter = u64::try_from(self.tick()).unwrap_or_default();
        let key = &self.keys.olaf;
        let id = key.public().id();
        let data = say::print(&say::Public::new(&say::fingerprint(id), text));
        let signature = sign(key, &say::signed(&data, counter), Salt::Digest)?;
        let frame = Frame::Text(say::envelope(&data, counter, &signature).into());
        // The form that nobody takes for one of an implementation that wants another kind of list.
        let public_key = key.public().canonical_pem();
        let newcomer = Newcomer {
            key: id,
            named: None,
            dialect: Dialect::Olaf,
            spelled: KeyId(sha256(public_key.as_bytes())),
            public_key: public_key.into(),
            trace: trace(format!("bridge {id}")),
        };
        Ok((newcomer, signature, frame))
    }

    fn socp(&mut self, text: &str) -> Result<(Newcomer, Vec<u8>, Frame), KeyError> {
        let ts = self.tick();
        let key = &self.keys.socp;
        let letter = socp::bridge::Letter { key: key.public(), text, ts };
        let content_sig = sign(key, &letter.content(), Salt::Digest)?;
        let payload = letter.payload(&content_sig);
        let signature = sign(key, payload.as_bytes(), Salt::Digest)?;
        let frame = letter.frame(&payload, &signature);
        Ok((socp::bridge::newcomer(key.public()), signature, frame))
    }
}

#[cfg(test)]
#[path = "bridge_tests.rs"]
mod tests;
