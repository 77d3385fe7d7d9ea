//! What a server says about itself to whoever asks its door as a web page.

use std::{sync::Arc, time::Duration};

use awc::http::header::ACCEPT;
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::time::timeout;

use super::http::client;
use crate::client::door::Door;

/// How long an answer may take. It is a courtesy, and nobody should wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 64 << 10;

#[derive(Deserialize)]
struct Info {
    dialects: Vec<Spoken>,
}

#[derive(Deserialize)]
struct Spoken {
    name: String,
}

/// The dialects that a server speaks, if it says so.
pub async fn spoken_at(door: &Door, trust: &Arc<ClientConfig>) -> Option<Vec<String>> {
    let ask = async {
        let url = format!("{}/", door.web());
        let request = client(trust).get(url).insert_header((ACCEPT, "application/json"));
        let mut response = request.send().await.ok().filter(|answer| answer.status().is_success())?;
        response.json::<Info>().limit(LARGEST_ANSWER).await.ok()
    };
    let info = timeout(LONGEST_WAIT, ask).await.ok()??;
    Some(info.dialects.into_iter().map(|spoken| spoken.name).collect())
}
