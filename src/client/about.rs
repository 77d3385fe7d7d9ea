//! What a server says about itself to whoever asks its door as a web page, and how a link gets to know it.

use std::{sync::Arc, time::Duration};

use awc::http::header::ACCEPT;
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{door::Door, rooms::Offer, web::client};

/// How long an answer may take. It is a courtesy, and nobody should wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 64 << 10;
/// Questions that wait: what a connection wants to know of rooms and of doors, and as much of the one before it.
const MOST_QUESTIONS: usize = 4;

/// What a server says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct About {
    dialects: Vec<Spoken>,
    rooms: Option<Value>,
    /// Where its home is found, if that has several doors.
    pub(super) home: Option<Home>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Spoken {
    name: String,
}

/// A home of several doors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Home {
    /// Where it is served, as far as the server knows.
    pub(super) leader: Option<String>,
    /// All of them, in the order in which they should be tried.
    pub(super) doors: Vec<String>,
}

impl About {
    /// The names of the dialects that are spoken there.
    #[must_use]
    pub fn dialects(&self) -> Vec<&str> {
        self.dialects.iter().map(|spoken| spoken.name.as_str()).collect()
    }

    /// What rooms it offers to those whose dialect has none.
    pub(super) fn offer(self) -> Option<Offer> {
        serde_json::from_value(self.rooms?).ok()
    }
}

/// Asks a server, which may not answer.
pub async fn about(door: &Door, trust: &Arc<ClientConfig>) -> Option<About> {
    let ask = async {
        let url = format!("{}/", door.web());
        let request = client(trust).get(url).insert_header((ACCEPT, "application/json"));
        let mut response = request.send().await.ok().filter(|answer| answer.status().is_success())?;
        response.json::<About>().limit(LARGEST_ANSWER).await.ok()
    };
    timeout(LONGEST_WAIT, ask).await.ok()?
}

type Question = (Door, oneshot::Sender<Option<About>>);

/// Somebody who finds out what servers say of themselves. Links move between threads, and the HTTP client does not.
#[derive(Clone, Debug)]
pub struct Inquiry(mpsc::Sender<Question>);

impl Inquiry {
    /// Works on the thread where it is made, as long as anybody may ask.
    #[must_use]
    pub fn start(trust: Arc<ClientConfig>) -> Self {
        let (ask, mut asked) = mpsc::channel::<Question>(MOST_QUESTIONS);
        actix_rt::spawn(async move {
            while let Some((door, answer)) = asked.recv().await {
                // Whoever has stopped waiting does not want to know.
                if !answer.is_closed() {
                    let _ = answer.send(about(&door, &trust).await);
                }
            }
        });
        Self(ask)
    }

    /// What a server says. Who gets no answer is told nothing.
    pub(super) fn ask(&self, door: &Door) -> oneshot::Receiver<Option<About>> {
        let (answer, answered) = oneshot::channel();
        // What finds no room is a question of connections that are over.
        let _ = self.0.try_send((door.clone(), answer));
        answered
    }
}
