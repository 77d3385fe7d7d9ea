//! `kith admin events`: server-sent events as lines, until Ctrl-C or until the server closes.

use awc::http::Method;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::{
    api::{Api, Trouble},
    say, show,
};

/// Prints what happens. Ctrl-C is a good end, and so is a server that closes.
pub(super) async fn events(api: &Api, json: bool) -> Result<(), Trouble> {
    let watching = watch(api, json);
    tokio::select! {
        outcome = watching => outcome,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn watch(api: &Api, json: bool) -> Result<(), Trouble> {
    let mut chunks = api.open(Method::GET, "/api/v1/events").await?;
    let mut reader = Reader::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| api.broken(&error))?;
        for event in reader.read(&chunk) {
            let text = if json { event.json().to_string() } else { show::event(&event.name, &event.data) };
            if !say(&text)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One event of the stream.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) id: Option<u64>,
    pub(super) data: Value,
}

impl Event {
    fn json(&self) -> Value {
        json!({ "event": self.name, "id": self.id, "data": self.data })
    }
}

/// Puts chunks together to lines and lines to events.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    event: Event,
}

impl Reader {
    /// The events that are complete with this chunk.
    pub(super) fn read(&mut self, chunk: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in chunk {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                events.extend(self.line(line.trim_end_matches('\r')));
            } else {
                self.line.push(*byte);
            }
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.name.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => self.event.id = value.parse().ok(),
            "data" => self.event.data = serde_json::from_str(value).unwrap_or_default(),
            // A comment, or something newer than this program.
            _ => {}
        }
        None
    }
}
