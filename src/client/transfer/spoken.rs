//! What a server says about itself to whoever asks its door as a web page.

use std::{sync::Arc, time::Duration};

use awc::http::header::ACCEPT;
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::http::client;
use crate::client::{
    door::Door,
    rooms::{Inquiry, Offer},
};

/// How long an answer may take. It is a courtesy, and nobody should wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 64 << 10;

#[derive(Deserialize)]
struct Info {
    dialects: Vec<Spoken>,
    rooms: Option<Value>,
}

#[derive(Deserialize)]
struct Spoken {
    name: String,
}

/// The dialects that a server speaks, if it says so.
pub async fn spoken_at(door: &Door, trust: &Arc<ClientConfig>) -> Option<Vec<String>> {
    let info = info(door, trust).await?;
    Some(info.dialects.into_iter().map(|spoken| spoken.name).collect())
}

/// Somebody who finds out what rooms a server offers to those whose dialect has none. Works on the thread where it is
/// made, as long as anybody may ask.
#[must_use]
pub fn inquiry(door: Door, trust: Arc<ClientConfig>) -> Inquiry {
    let (inquiry, mut asked) = Inquiry::new();
    actix_rt::spawn(async move {
        while let Some(answer) = asked.recv().await {
            // Whoever has stopped waiting does not want to know.
            let _ = answer.send(offered_at(&door, &trust).await);
        }
    });
    inquiry
}

async fn offered_at(door: &Door, trust: &Arc<ClientConfig>) -> Option<Offer> {
    serde_json::from_value(info(door, trust).await?.rooms?).ok()
}

async fn info(door: &Door, trust: &Arc<ClientConfig>) -> Option<Info> {
    let ask = async {
        let url = format!("{}/", door.web());
        let request = client(trust).get(url).insert_header((ACCEPT, "application/json"));
        let mut response = request.send().await.ok().filter(|answer| answer.status().is_success())?;
        response.json::<Info>().limit(LARGEST_ANSWER).await.ok()
    };
    timeout(LONGEST_WAIT, ask).await.ok()?
}
