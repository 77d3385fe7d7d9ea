//! `kith hosts`: the hosts of a home as a table, in the form that the first program of this kind gave it.
//!
//! Its columns are that program's, so what else is worth knowing of a host stands below it.
//!
//! A leader may go while somebody watches, and its node starts anew. So a watcher that is not answered says so and
//! asks again.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use comfy_table::{Cell, Color};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    admin::{
        access::Access,
        api::{Api, Trouble, read},
        finish, print, say, show,
    },
    paint::Paint,
};

/// How often a watcher sees the table anew.
const AGAIN: Duration = Duration::from_secs(3);
/// Moves to the first corner of a terminal and clears it.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

const HEAD: [&str; 7] = [
    "Rank",
    "Client name",
    "CPU usage",
    "RAM usage (MB)",
    "Free bandwidth (MB)",
    "Free disk memory (GB)",
    "Status",
];

/// Arguments of `kith hosts`.
#[derive(Args, Debug)]
pub struct HostsArgs {
    #[command(flatten)]
    access: Access,
    /// Show the table anew every three seconds, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// Runs it.
#[must_use]
pub fn run(args: HostsArgs) -> ExitCode {
    finish(actix_rt::System::new().block_on(work(args)))
}

async fn work(args: HostsArgs) -> Result<(), Trouble> {
    let (api, json) = (args.access.api()?, args.access.json);
    if !args.watch {
        return print(&shown(&api, json).await?);
    }
    tokio::select! {
        outcome = watch(&api, json) => outcome,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn watch(api: &Api, json: bool) -> Result<(), Trouble> {
    let clear = if io::stdout().is_terminal() && !json { CLEAR } else { "" };
    let mut tick = interval(AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let text = match shown(api, json).await {
            Ok(text) => text,
            Err(trouble @ Trouble::Unreachable { .. }) if !json => format!("kith: {trouble}"),
            Err(Trouble::Unreachable { .. }) => continue,
            Err(trouble) => return Err(trouble),
        };
        if !say(&format!("{clear}{text}"))? {
            return Ok(());
        }
    }
}

async fn shown(api: &Api, json: bool) -> Result<String, Trouble> {
    let text = api.get("/api/v1/hosts").await?;
    Ok(if json { text } else { picture(&read(&text)?, Paint::of_stdout()) })
}

/// Who leads, and the table.
fn picture(view: &Value, paint: Paint) -> String {
    let rows = view["hosts"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let table = show::table(&HEAD, rows.map(|host| row(host, paint)), "no host was heard");
    let below: String = strangers(view).chain(shortages(view)).map(|line| format!("\n{line}")).collect();
    let gap = if below.is_empty() { "" } else { "\n" };
    format!("{}\n\n{table}{gap}{below}", headline(view))
}

/// Which nodes count for nothing here because of settings, a line for each.
fn strangers(view: &Value) -> impl Iterator<Item = String> {
    let hosts = view["hosts"].as_array().into_iter().flatten();
    hosts.filter_map(|host| {
        let (name, why) = (show::text(&host["name"]), host["differs"].as_str()?);
        let what = match why {
            "other-numbers" => "has other numbers (succession.lease_ms, takeover_ms, stagger_ms)".to_owned(),
            "other-home" => "describes another home (home.members, home.fallback)".to_owned(),
            other => format!("has other settings ({})", show::plain(other)),
        };
        Some(format!("{name} {what}: it and this node do not listen to each other"))
    })
}

/// Which hosts lack uploaded files, a line for each.
fn shortages(view: &Value) -> impl Iterator<Item = String> {
    let hosts = view["hosts"].as_array().into_iter().flatten();
    let lacking = hosts.filter(|host| host["files_lacking"].as_u64() > Some(0)).map(|host| {
        let bytes = show::bytes(&host["files_lacking_bytes"]);
        let (name, files) = (show::text(&host["name"]), show::text(&host["files_lacking"]));
        format!("{name} lacks uploaded files: {files} ({bytes}), still to be fetched")
    });
    let lost = view["files"]["lost"].as_u64().filter(|lost| *lost > 0);
    let trouble = view["files"]["trouble"].as_str().map(show::plain);
    lacking
        .chain(lost.map(|lost| format!("uploaded files that no node has that was asked: {lost}")))
        .chain(trouble.map(|why| format!("fetching uploaded files failed here: {why}")))
}

/// Who leads and why, in one line.
fn headline(view: &Value) -> String {
    let (role, why) = (show::text(&view["role"]), show::text(&view["why"]));
    let leader = &view["leader"];
    let name = show::text(if leader["name"] == "" { &leader["id"] } else { &leader["name"] });
    let mut line = if leader.is_null() {
        format!("nobody is known to lead; this node is {role} ({why})")
    } else if role == "leader" {
        format!("{name} leads, this node ({why})")
    } else {
        let door = leader["door"].as_str().map(|door| format!(" at {}", show::plain(door)));
        format!("{name} leads{}; this node is {role} ({why})", door.unwrap_or_default())
    };
    line += &format!(", epoch {}", show::text(&view["epoch"]));
    if let Some(left) = view["lease_left_ms"].as_u64() {
        line += &format!(", lease {}.{} s left", left / 1000, left % 1000 / 100);
    }
    let handover = &view["handover"];
    if !handover.is_null() {
        line +=
            &format!("; handing over to {} ({})", show::text(&handover["to"]), show::text(&handover["why"]));
    }
    line
}

fn row(host: &Value, paint: Paint) -> Vec<Cell> {
    let colour = |text: String, colour: Option<Color>| match colour.filter(|_| paint.is_on()) {
        Some(colour) => Cell::new(text).fg(colour),
        None => Cell::new(text),
    };
    let cpu = host["cpu_percent"].as_u64().map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"));
    let plain = |field: &str| Cell::new(show::text(&host[field]));
    vec![
        colour(show::text(&host["rank"]), place(host["rank"].as_u64())),
        plain("name"),
        Cell::new(cpu),
        plain("ram_used_mb"),
        plain("bandwidth_mb"),
        plain("disk_free_gb"),
        colour(show::text(&host["state"]), host["state"].as_str().and_then(health)),
    ]
}

/// Gold, grey and brown for the first three.
const fn place(rank: Option<u64>) -> Option<Color> {
    match rank {
        Some(1) => Some(Color::AnsiValue(220)),
        Some(2) => Some(Color::AnsiValue(248)),
        Some(3) => Some(Color::AnsiValue(130)),
        _ => None,
    }
}

fn health(state: &str) -> Option<Color> {
    match state {
        "connected" => Some(Color::Green),
        "suspect" => Some(Color::Yellow),
        "disconnected" => Some(Color::Red),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view() -> Value {
        let host = |rank: Option<u32>, name: &str, state: &str| {
            json!({"rank": rank, "name": name, "cpu_percent": 12, "ram_used_mb": 4100, "bandwidth_mb": 900,
                "disk_free_gb": 120, "state": state})
        };
        json!({"role": "standby", "why": "heard-leader", "epoch": 7, "lease_left_ms": 8_460,
            "leader": {"id": "1", "name": "first", "door": "ws://10.0.0.1:8080"}, "handover": null,
            "hosts": [host(Some(1), "first", "connected"), host(None, "th\u{1b}[31mird", "suspect"),
                {"rank": null, "name": "second", "state": "disconnected"}]})
    }

    #[test]
    fn the_table_is_the_one_of_the_first_program_and_nobody_speaks_to_the_terminal() {
        let text = picture(&view(), Paint::NONE);
        let words: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            words,
            [
                "first leads at ws://10.0.0.1:8080; this node is standby (heard-leader), epoch 7, lease 8.4 s left",
                "",
                "Rank Client name CPU usage RAM usage (MB) Free bandwidth (MB) Free disk memory (GB) Status",
                "1 first 12% 4100 900 120 connected",
                "- th [31mird 12% 4100 900 120 suspect",
                "- second - - - - disconnected",
            ]
        );
    }

    /// What stands below the table of before.
    fn below(view: &Value, before: &str) -> Vec<String> {
        let text = picture(view, Paint::NONE);
        text.strip_prefix(before).expect("the same table").lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn whose_settings_differ_stands_below() {
        let mut view = view();
        let whole = picture(&view, Paint::NONE);
        view["hosts"][0]["differs"] = json!("other-home");
        view["hosts"][1]["differs"] = Value::Null;
        view["hosts"][2]["differs"] = json!("other-numbers");
        assert_eq!(
            below(&view, &whole),
            [
                "",
                "",
                "first describes another home (home.members, home.fallback): it and this node do not listen to each other",
                "second has other numbers (succession.lease_ms, takeover_ms, stagger_ms): it and this node do not listen \
                 to each other",
            ]
        );
    }

    #[test]
    fn what_hosts_lack_stands_below_and_only_then() {
        let mut view = view();
        view["files"] = json!({"lacking": 0, "lost": 0, "failures": 0, "trouble": null});
        view["hosts"][0]["files_lacking"] = json!(0);
        assert_eq!(shortages(&view).count(), 0);
        let whole = picture(&view, Paint::NONE);
        view["files"] = json!({"lost": 2, "trouble": "no\u{7}room"});
        view["hosts"][1]["files_lacking"] = json!(3);
        view["hosts"][1]["files_lacking_bytes"] = json!(1536);
        assert_eq!(
            below(&view, &whole),
            [
                "",
                "",
                "th [31mird lacks uploaded files: 3 (1.5 KiB), still to be fetched",
                "uploaded files that no node has that was asked: 2",
                "fetching uploaded files failed here: no room",
            ]
        );
    }

    #[test]
    fn the_head_says_who_leads_and_why() {
        let mut own = view();
        own["role"] = json!("leader");
        own["why"] = json!("elected");
        assert_eq!(headline(&own), "first leads, this node (elected), epoch 7, lease 8.4 s left");
        let mut nobody = view();
        (nobody["leader"], nobody["lease_left_ms"]) = (Value::Null, Value::Null);
        nobody["role"] = json!("candidate");
        nobody["why"] = json!("leader-silent");
        assert_eq!(
            headline(&nobody),
            "nobody is known to lead; this node is candidate (leader-silent), epoch 7"
        );
    }

    #[test]
    fn colours_are_those_of_the_first_program() {
        let places = [Some(1), Some(2), Some(3), Some(4), None].map(place);
        let [gold, grey, brown] = [220, 248, 130].map(|colour| Some(Color::AnsiValue(colour)));
        assert_eq!(places, [gold, grey, brown, None, None]);
        let states = ["connected", "suspect", "disconnected", "?"].map(health);
        assert_eq!(states, [Some(Color::Green), Some(Color::Yellow), Some(Color::Red), None]);
    }
}
