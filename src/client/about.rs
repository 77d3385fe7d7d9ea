//! What a server says about itself to whoever asks its door as a web page.

use std::{sync::Arc, thread, time::Duration};

use awc::http::header::ACCEPT;
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::{sync::oneshot, time::timeout};

use super::{door::Door, web::client};

/// How long an answer may take. It is a courtesy, and nobody should wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 64 << 10;

/// What a server says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct About {
    dialects: Vec<Spoken>,
    home: Option<Home>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Spoken {
    name: String,
}

/// Where its home is found, if that has several doors.
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

/// The doors of the home behind a door, for a task that may move between threads.
pub(super) async fn home_behind(door: &Door, trust: &Arc<ClientConfig>) -> Option<Home> {
    let (told, answer) = oneshot::channel();
    let (door, trust) = (door.clone(), Arc::clone(trust));
    // The client below is bound to the thread that made it, and a link is not. Whoever waits may leave, and the
    // end of the program does not wait for an answer.
    let ask = move || {
        let about = actix_rt::Runtime::new().ok().and_then(|own| own.block_on(about(&door, &trust)));
        let _ = told.send(about.and_then(|about| about.home));
    };
    thread::Builder::new().name("about".to_owned()).spawn(ask).ok()?;
    answer.await.ok()?
}
