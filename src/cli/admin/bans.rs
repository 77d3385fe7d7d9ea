//! Bans as people write and read them.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::show::{moment, table as rows_of, text};

/// What a ban can be about.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BanKind {
    /// Members with this key: a fingerprint, or a public key.
    Key,
    /// Members of this name, however it is spelled.
    Name,
    /// An IP address or a network.
    Address,
    /// A server: its fingerprint, or host:port.
    Server,
}

impl BanKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Name => "name",
            Self::Address => "address",
            Self::Server => "server",
        }
    }
}

/// Arguments of `kith admin ban`.
#[derive(Args, Clone, Debug)]
pub struct BanArgs {
    /// What it is about.
    #[arg(value_enum)]
    pub kind: BanKind,
    /// Which one: a fingerprint, a name, an IP address or network, host:port.
    pub value: String,
    /// For how long, as in 90s, 2h or 30days; for good without it.
    #[arg(long = "for", value_parser = span)]
    pub span: Option<Duration>,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// A span of whole seconds.
fn span(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(span) if span.as_secs() > 0 => Ok(span),
        Ok(_) => Err("a ban lasts a second or longer".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl BanArgs {
    /// What the API is asked.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ self.kind.name(): self.value });
        if let Some(span) = self.span {
            body["seconds"] = span.as_secs().into();
        }
        if let Some(reason) = &self.reason {
            body["reason"] = reason.as_str().into();
        }
        body
    }
}

/// A table of bans.
pub(super) fn table(items: &[Value]) -> String {
    let rows = items.iter().map(|item| {
        let by = match (&item["list_name"], &item["list"]) {
            (Value::Null, Value::Null) => "operator".to_owned(),
            (Value::Null, key) => text(key).chars().take(12).collect(),
            (name, _) => text(name),
        };
        let until = if item["until"].is_null() { "for good".to_owned() } else { moment(&item["until"]) };
        vec![text(&item["id"]), text(&item["kind"]), text(&item["value"]), until, by, text(&item["reason"])]
    });
    rows_of(&["ID", "KIND", "WHO", "UNTIL", "BY", "REASON"], rows, "nobody is banned")
}

/// What was done.
pub(super) fn made(ban: &Value) -> String {
    let until = match &ban["until"] {
        Value::Null => "for good".to_owned(),
        until => format!("until {}", moment(until)),
    };
    format!("{} {} is banned {until} (ban {})", text(&ban["kind"]), text(&ban["value"]), text(&ban["id"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_asked_for_as_the_api_wants_it() {
        let ban = BanArgs {
            kind: BanKind::Name,
            value: "mallory".to_owned(),
            span: span("2h").ok(),
            reason: Some("spam".to_owned()),
        };
        assert_eq!(ban.body(), json!({"name": "mallory", "seconds": 7200, "reason": "spam"}));
        let ban = BanArgs { kind: BanKind::Address, span: None, reason: None, ..ban };
        assert_eq!(ban.body(), json!({"address": "mallory"}));
        for wrong in ["", "soon", "0s", "10ms", "-2h"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bans_are_shown_with_their_end_and_their_origin() {
        let items = [
            json!({"id": "1", "kind": "name", "value": "mallory", "until": null, "reason": "spam\u{1b}[2J",
                "list": null, "list_name": null}),
            json!({"id": "2", "kind": "address", "value": "192.0.2.0/24", "until": "2030-01-01T00:00:00.000Z",
                "reason": "", "list": "ab".repeat(32), "list_name": "north"}),
        ];
        let text = table(&items);
        let words: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(words[1], "1 name mallory for good operator spam [2J");
        assert!(words[2].starts_with("2 address 192.0.2.0/24 2030-01-01") && words[2].contains("north"));
        assert!(made(&items[0]).contains("mallory is banned for good (ban 1)"));
    }
}
