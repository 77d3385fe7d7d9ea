//! What is asked of the server.

use serde::Serialize;

/// A request.
#[derive(Debug, Serialize)]
#[serde(tag = "kith", rename_all = "lowercase")]
pub(super) enum Request<'a> {
    Enter {
        ticket: u32,
        room: &'a str,
    },
    Leave {
        ticket: u32,
        room: &'a str,
    },
    Say {
        ticket: u32,
        room: &'a str,
        text: &'a str,
    },
    Rooms {
        ticket: u32,
    },
    Register {
        ticket: u32,
        at: String,
    },
    Unregister {
        ticket: u32,
        at: String,
    },
    Directory {
        ticket: u32,
    },
    History {
        ticket: u32,
        room: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<String>,
    },
}

impl Request<'_> {
    /// As it is sent.
    pub(super) fn print(&self) -> String {
        // Strings and numbers always have a text.
        serde_json::to_string(self).unwrap_or_default()
    }
}
