//! The answers of the API as people like to read them.
//!
//! On a terminal a table fits the width; anywhere else it has no frame and is never wrapped, so that
//! `grep` and `awk` work. Whatever strangers wrote loses its control characters first.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;

/// Terminals narrower than this break the lines of a table themselves.
const NARROW: u16 = 60;

/// A table of clients.
pub(super) fn clients(items: &[Value]) -> String {
    table(
        &["ID", "MEMBER", "NAME", "DIALECT", "ACCENT", "ADDRESS", "CONNECTED", "QUEUED"],
        items.iter().map(|item| {
            vec![
                text(&item["id"]),
                text(&item["member"]["short"]),
                text(&item["member"]["name"]),
                text(&item["dialect"]),
                text(&item["accent"]),
                text(&item["address"]),
                moment(&item["connected_at"]),
                bytes(&item["queue_bytes"]),
            ]
        }),
        "nobody is connected",
    )
}

/// A table of members.
pub(super) fn members(items: &[Value]) -> String {
    table(
        &["MEMBER", "NAME", "DIALECT", "FIRST SEEN", "LAST SEEN", "NOW"],
        items.iter().map(|item| {
            let now = if item["online"] == true { "online" } else { "away" };
            vec![
                text(&item["member"]["short"]),
                text(&item["member"]["name"]),
                text(&item["dialect"]),
                moment(&item["first_seen"]),
                moment(&item["last_seen"]),
                now.to_owned(),
            ]
        }),
        "nobody was ever here",
    )
}

/// A table of the directory.
pub(super) fn directory(items: &[Value]) -> String {
    let rows = items.iter().map(|item| {
        let marks = ["undialable", "relayed"].into_iter().filter(|mark| item[*mark] == true);
        let short = |key: &str| text(&item[key]).chars().take(12).collect::<String>();
        let (member, home) = (short("member"), short("home"));
        let marks = marks.collect::<Vec<_>>().join(", ");
        vec![text(&item["address"]), moment(&item["joined_at"]), marks, member, home]
    });
    table(&["ADDRESS", "JOINED", "REACHED", "MEMBER", "HOME"], rows, "nobody is registered")
}

/// A table of files.
pub(super) fn files(items: &[Value]) -> String {
    table(
        &["ID", "NAME", "SIZE", "UPLOADED", "EXPIRES", "DOWNLOADS"],
        items.iter().map(|item| {
            vec![
                text(&item["id"]),
                text(&item["name"]),
                bytes(&item["bytes"]),
                moment(&item["uploaded_at"]),
                moment(&item["expires_at"]),
                text(&item["downloads"]),
            ]
        }),
        "there are no files",
    )
}

/// A table of members for whom letters wait.
pub(super) fn offline(items: &[Value]) -> String {
    table(
        &["MEMBER", "NAME", "LETTERS", "SIZE", "OLDEST"],
        items.iter().map(|item| {
            vec![
                text(&item["id"]),
                text(&item["name"]),
                text(&item["letters"]),
                bytes(&item["bytes"]),
                moment(&item["oldest"]),
            ]
        }),
        "no letters wait",
    )
}

/// One thing with everything that is known of it, a line for each.
pub(super) fn card(value: &Value) -> String {
    let mut rows = Vec::new();
    flatten("", value, &mut rows);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = rows.into_iter().map(|(name, text)| format!("{name:width$}  {text}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, rows);
            }
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            rows.push((name.to_owned(), items.iter().map(text).collect::<Vec<_>>().join(", ")));
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(&format!("{name}.{at}"), item, rows);
            }
        }
        plain => rows.push((name.to_owned(), text(plain))),
    }
}

/// One event on one line.
pub(super) fn event(name: &str, data: &Value) -> String {
    let details = data.as_object().into_iter().flatten().filter(|(key, _)| *key != "at");
    let details = details.map(|(key, value)| {
        let value = if key == "member" { who(value) } else { text(value) };
        format!(" {key}={value}")
    });
    format!("{}  {:<12}{}", moment(&data["at"]), plain(name), details.collect::<String>())
}

/// The first digits of somebody's key are enough for a person; and the name, where there are names.
fn who(member: &Value) -> String {
    match member["name"].is_null() {
        true => text(&member["short"]),
        false => format!("{}/{}", text(&member["short"]), text(&member["name"])),
    }
}

/// A table that fits where it is written to, or what to say instead of an empty one.
pub(in crate::cli) fn table<C: Into<Cell>>(
    head: &[&str],
    rows: impl Iterator<Item = Vec<C>>,
    none: &str,
) -> String {
    let mut table = Table::new();
    table.set_header(head.iter().copied());
    if io::stdout().is_terminal() {
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        // Some terminals do not know how wide they are, and say 0.
        let is_wide = table.width().is_some_and(|width| width >= NARROW);
        table.set_content_arrangement(if is_wide {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
    } else {
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.add_rows(rows);
    // The first column is what one copies into the next command: never in two lines.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    if table.row_count() == 0 && io::stdout().is_terminal() {
        return none.to_owned();
    }
    table.trim_fmt()
}

/// A value without quotes, and without what could speak to a terminal.
pub(in crate::cli) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// A text without what could speak to a terminal.
pub(in crate::cli) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A moment down to the second.
pub(in crate::cli) fn moment(value: &Value) -> String {
    let text = text(value);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{}Z", seconds.replacen('T', " ", 1)),
        None => text,
    }
}

/// A size with a fitting unit.
pub(in crate::cli) fn bytes(value: &Value) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let Some(count) = value.as_u64() else { return text(value) };
    let (mut whole, mut rest, mut unit) = (count, 0, "B");
    for larger in UNITS {
        if whole < 1024 {
            break;
        }
        (whole, rest, unit) = (whole / 1024, whole % 1024, larger);
    }
    if unit == "B" { format!("{whole} B") } else { format!("{whole}.{} {unit}", rest * 10 / 1024) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_and_moments_are_short() {
        for (count, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (50 << 20, "50.0 MiB")]
        {
            assert_eq!(bytes(&json!(count)), expected);
        }
        assert_eq!(moment(&json!("2026-02-28T12:00:01.234Z")), "2026-02-28 12:00:01Z");
        assert_eq!(moment(&json!(null)), "-");
    }

    #[test]
    fn names_of_strangers_cannot_speak_to_the_terminal() {
        let name = json!("a\u{1b}[31mb\nc\u{9b}d");
        assert_eq!(text(&name), "a [31mb c d");
        let line = event(
            "left\u{7}",
            &json!({"at": "2026-02-28T12:00:01.234Z", "member": {"short": "0123456789ab"}, "ending": "\r"}),
        );
        let link = event("link_suspect", &json!({"peer": "9f2c41aa03be", "name": null, "state": "suspect"}));
        assert!(link.ends_with("  link_suspect peer=9f2c41aa03be name=- state=suspect"), "{link}");
        let named = event("name_refused", &json!({"member": {"name": "a\u{1b}na", "short": null}}));
        assert!(named.ends_with("  name_refused member=-/a na"), "{named}");
        assert_eq!(line, "2026-02-28 12:00:01Z  left         member=0123456789ab ending= ");
    }

    #[test]
    fn a_card_names_every_value() {
        let card = card(&json!({"a": 1, "long": {"b": null, "c": ["x", "y"]}, "d": [{"e": true}]}));
        assert_eq!(card, "a       1\nlong.b  -\nlong.c  x, y\nd.0.e   true");
    }
}
