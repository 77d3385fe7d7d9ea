//! `kith admin rooms` and `kith admin room`: which rooms there are, and what an operator does about them.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    api::{Api, Trouble, escaped, read},
    show::{card, moment, plain, table, text},
};

/// What can be done about a room.
#[derive(Clone, Debug, Subcommand)]
pub enum RoomCommand {
    /// Show what was said in a room, newest last.
    History {
        /// The room.
        room: String,
        /// At most so many lines.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Say what a room is about, everywhere.
    Topic {
        /// The room.
        room: String,
        /// The topic; without one, it has none any more.
        topic: Option<String>,
    },
    /// Close a room: everybody is out, and nobody gets in.
    Close {
        /// The room.
        room: String,
    },
    /// Open a room that was closed.
    Reopen {
        /// The room.
        room: String,
    },
    /// Empty a room and forget it here, whatever was said in it.
    Forget {
        /// The room.
        room: String,
    },
    /// Put a guest out of a room. She may come back.
    Kick {
        /// The room.
        room: String,
        /// Her number, as the room shows it.
        number: u32,
    },
    /// Take back a line: everywhere if it was said at this server, or else here.
    Withdraw {
        /// The room.
        room: String,
        /// The line, as the history shows it.
        line: String,
    },
    /// Let a member say nothing in rooms.
    Mute {
        /// Her fingerprint, as the room shows it.
        member: String,
    },
    /// Let a member speak again.
    Unmute {
        /// Her fingerprint.
        member: String,
    },
    /// List who may say nothing.
    Mutes,
}

/// All rooms, or one of them with everybody who is in it.
pub(super) async fn rooms(api: &Api, room: Option<&str>, json: bool) -> Result<String, Trouble> {
    let Some(room) = room else {
        let rooms = api.all("/api/v1/rooms?").await?;
        return Ok(if json { Value::Array(rooms).to_string() } else { list(&rooms) });
    };
    let text = api.get(&path(room, "")).await?;
    Ok(if json { text } else { one(&read(&text)?) })
}

/// Does something about a room, and says what.
pub(super) async fn answer(api: &Api, command: &RoomCommand, json: bool) -> Result<String, Trouble> {
    let done = match command {
        RoomCommand::History { room, limit } => {
            let mut page = read(&api.get(&path(room, &format!("/history?limit={limit}"))).await?)?;
            let items = page["items"].take();
            let lines = items.as_array().map(Vec::as_slice).unwrap_or_default();
            return Ok(if json { items.to_string() } else { history(lines) });
        }
        RoomCommand::Mutes => {
            let mutes = api.all("/api/v1/mutes?").await?;
            let rows = mutes.iter().map(|mute| vec![text(&mute["member"])]);
            let shown = table(&["MEMBER"], rows, "everybody may speak");
            return Ok(if json { Value::Array(mutes).to_string() } else { shown });
        }
        RoomCommand::Topic { room, topic } => {
            api.put_json(&path(room, "/topic"), &json!({ "topic": topic })).await?;
            match topic {
                Some(topic) => format!("{room} is about: {topic}"),
                None => format!("{room} has no topic any more"),
            }
        }
        RoomCommand::Close { room } => {
            api.post(&path(room, "/close")).await?;
            format!("{room} is closed")
        }
        RoomCommand::Reopen { room } => {
            api.post(&path(room, "/reopen")).await?;
            format!("{room} is open")
        }
        RoomCommand::Forget { room } => {
            api.delete(&path(room, "")).await?;
            format!("{room} is forgotten here")
        }
        RoomCommand::Kick { room, number } => {
            api.post_json(&path(room, "/kick"), &json!({ "number": number })).await?;
            format!("guest {number} is out of {room}")
        }
        RoomCommand::Withdraw { room, line } => {
            let answer = api.delete(&path(room, &format!("/history/{}", escaped(line)))).await?;
            // Of what is withdrawn everywhere there is nothing to say.
            if answer.is_empty() {
                "the line is withdrawn".to_owned()
            } else {
                "the line is hidden here; it was said at another server, which goes on showing it".to_owned()
            }
        }
        RoomCommand::Mute { member } => {
            api.put_json(&format!("/api/v1/mutes/{}", escaped(member)), &Value::Null).await?;
            format!("{member} may say nothing")
        }
        RoomCommand::Unmute { member } => {
            api.delete(&format!("/api/v1/mutes/{}", escaped(member))).await?;
            format!("{member} may speak again")
        }
    };
    Ok(if json { String::new() } else { plain(&done) })
}

fn path(room: &str, rest: &str) -> String {
    format!("/api/v1/rooms/{}{rest}", escaped(room))
}

fn list(rooms: &[Value]) -> String {
    let rows = rooms.iter().map(|room| {
        let state = if room["closed"] == true { "closed" } else { "open" };
        vec![
            text(&room["name"]),
            state.to_owned(),
            text(&room["guests_here"]),
            text(&room["guests"]),
            text(&room["lines"]),
            text(&room["topic"]),
        ]
    });
    table(&["ROOM", "STATE", "HERE", "EVERYWHERE", "LINES", "TOPIC"], rows, "there are no rooms")
}

fn one(room: &Value) -> String {
    let mut room = room.clone();
    let roster = room.as_object_mut().and_then(|facts| facts.shift_remove("roster"));
    let guests = roster.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rows = guests.iter().map(|guest| {
        let home = text(&guest["home"]);
        vec![
            text(&guest["number"]),
            text(&guest["name"]),
            text(&guest["dialect"]),
            if guest["here"] == true { format!("{home} (this one)") } else { home },
            if guest["muted"] == true { "muted".to_owned() } else { "-".to_owned() },
            text(&guest["member"]),
        ]
    });
    let head = ["NUMBER", "NAME", "DIALECT", "HOME", "MUTED", "MEMBER"];
    [card(&room), table(&head, rows, "nobody is in it")].join("\n\n")
}

/// What was said, as one reads it. The API tells the newest first.
fn history(lines: &[Value]) -> String {
    let rows = lines.iter().rev().map(|line| {
        let who = if line["by"].is_null() { "an operator".to_owned() } else { text(&line["by"]["name"]) };
        let what = text(&line["text"]);
        let what = if line["kind"] == "topic" { format!("(topic) {what}") } else { what };
        vec![moment(&line["at"]), who, what, text(&line["id"])]
    });
    table(&["WHEN", "WHO", "WHAT", "LINE"], rows, "nothing was said")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_shown_with_its_guests_and_its_history_as_one_reads_it() {
        let room = json!({"name": "lobby", "topic": null, "closed": false, "guests": 1, "roster": [
            {"number": 4096, "name": "al\u{7}ice", "dialect": "tpacket", "home": "a:1", "here": true, "muted": true,
             "member": "ab"}]});
        let shown = one(&room);
        for words in ["lobby", "4096", "al ice", "a:1 (this one)", "muted"] {
            assert!(shown.contains(words), "{words}\n{shown}");
        }
        let line = |text: &str, by: Value, kind: &str| {
            json!({"id": "1-ab", "at": "2026-02-28T12:00:01.234Z",
            "by": by, "kind": kind, "text": text})
        };
        let said = history(&[
            line("second", Value::Null, "topic"),
            line("first\u{1b}[2J", json!({"name": "alice"}), "said"),
        ]);
        let (first, second) = (said.find("first [2J"), said.find("(topic) second"));
        assert!(first.is_some() && first < second && said.contains("an operator"), "{said}");
        assert!(list(&[json!({"name": "lobby", "closed": true, "topic": "tea"})]).contains("closed"));
    }
}
