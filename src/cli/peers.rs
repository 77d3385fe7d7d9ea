//! `kith peers`: looks after the neighbours of a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::admin::{
    access::Access,
    api::{Api, Trouble, escaped, read},
    finish, neighbours, print, show,
};

/// Arguments of `kith peers`.
#[derive(Args, Debug)]
pub struct PeersArgs {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    command: PeersCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum PeersCommand {
    /// List the neighbours and how the link to each is.
    List,
    /// Show one neighbour with everything that is known of it.
    Show {
        /// Its id, name, address or URL.
        who: String,
    },
    /// Add neighbours; their links are dialled at once.
    Add {
        /// Where each is dialled, as in ws://host:8080.
        #[arg(required = true, value_name = "URL")]
        who: Vec<String>,
        /// What else is known of it; for one neighbour at a time.
        #[command(flatten)]
        facts: Facts,
    },
    /// Take a neighbour off: its link is closed, and it is refused from then on.
    Remove {
        /// Its id, name, address or URL.
        who: String,
    },
    /// Dial a neighbour at once.
    Retry {
        /// Its id, name, address or URL.
        who: String,
    },
    /// Hold a neighbour to a key, or to the one that it shows.
    Pin {
        /// Its id, name, address or URL.
        who: String,
        /// The fingerprint of its key in hex, or the key as one line of base64.
        #[arg(long)]
        key: Option<String>,
    },
}

/// What is known of a neighbour beside where it is dialled.
#[derive(Args, Clone, Debug, Default)]
struct Facts {
    /// The fingerprint of its key in hex, or the key as one line of base64; any other is refused.
    #[arg(long)]
    key: Option<String>,
    /// What it speaks: kith, olaf or socp [default: found out, but for socp].
    #[arg(long)]
    dialect: Option<String>,
    /// How it deviates from its dialect [default: found out].
    #[arg(long)]
    accent: Option<String>,
    /// What it calls itself in lists and letters, if that is not the host and port of its URL.
    #[arg(long)]
    address: Option<String>,
    /// What to call it.
    #[arg(long)]
    name: Option<String>,
}

impl Facts {
    fn pairs(self) -> [(&'static str, Option<String>); 5] {
        let Self { key, dialect, accent, address, name } = self;
        [("key", key), ("dialect", dialect), ("accent", accent), ("address", address), ("name", name)]
    }
}

/// Runs it.
#[must_use]
pub fn run(args: PeersArgs) -> ExitCode {
    finish(actix_rt::System::new().block_on(work(args)))
}

async fn work(args: PeersArgs) -> Result<(), Trouble> {
    let api = args.access.api()?;
    print(&answer(&api, args.command, args.access.json).await?)
}

/// What is printed, all at once.
async fn answer(api: &Api, command: PeersCommand, json: bool) -> Result<String, Trouble> {
    match command {
        PeersCommand::List => {
            let peers = all(api).await?;
            Ok(if json { Value::Array(peers).to_string() } else { neighbours::peers(&peers) })
        }
        PeersCommand::Show { who } => {
            let text = api.get(&path(api, &who, "").await?).await?;
            Ok(if json { text } else { neighbours::peer(&read(&text)?) })
        }
        PeersCommand::Add { who, facts } => add(api, who, facts, json).await,
        PeersCommand::Remove { who } => {
            api.delete(&path(api, &who, "").await?).await?;
            Ok(if json { String::new() } else { format!("{} is no neighbour any more", show::plain(&who)) })
        }
        PeersCommand::Retry { who } => {
            let text = api.post(&path(api, &who, "/retry").await?).await?;
            Ok(if json { text } else { format!("{} is dialled", show::plain(&who)) })
        }
        PeersCommand::Pin { who, key } => {
            let path = path(api, &who, "/pin").await?;
            let body = key.map_or_else(Map::new, |key| Map::from_iter([("key".to_owned(), key.into())]));
            let text = api.post_json(&path, &body.into()).await?;
            let held = read(&text)?["key"].as_str().unwrap_or_default().to_owned();
            let who = show::plain(&who);
            Ok(if json { text } else { format!("{who} is held to the key {}", show::plain(&held)) })
        }
    }
}

async fn all(api: &Api) -> Result<Vec<Value>, Trouble> {
    api.all("/api/v1/peers?").await
}

/// Adds one after the other. Each counts on its own: the first that is refused ends it, and those before
/// it stay.
async fn add(api: &Api, urls: Vec<String>, facts: Facts, json: bool) -> Result<String, Trouble> {
    let facts: Vec<(&str, String)> =
        facts.pairs().into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    if let (2.., Some((name, _))) = (urls.len(), facts.first()) {
        return Err(Trouble::BadCommand(format!("--{name} describes one neighbour; add them one by one")));
    }
    let mut added = Vec::new();
    for url in urls {
        let mut body = Map::from_iter([("url".to_owned(), url.clone().into())]);
        body.extend(facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())));
        let text = api.post_json("/api/v1/peers", &body.into()).await?;
        let id = read(&text)?["id"].as_str().unwrap_or_default().to_owned();
        added.push(if json {
            text
        } else {
            format!("{} is a neighbour now, {}", show::plain(&url), show::plain(&id))
        });
    }
    Ok(added.join("\n"))
}

/// The path of a neighbour, whatever it was called.
async fn path(api: &Api, who: &str, rest: &str) -> Result<String, Trouble> {
    let id = find(&all(api).await?, who)?;
    Ok(format!("/api/v1/peers/{}{rest}", escaped(&id)))
}

/// The id of the one neighbour that is meant. An id wins over a name, so that nobody can hide another
/// one by calling itself so.
fn find(peers: &[Value], who: &str) -> Result<String, Trouble> {
    use crate::domain::address::Address;

    let id = |peer: &&Value| peer["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(who));
    let address = Address::new(who);
    let is_at = |value: &Value| value.as_str().is_some_and(|place| Address::new(place) == address);
    let known = |peer: &&Value| peer["name"] == *who || is_at(&peer["address"]) || is_at(&peer["url"]);
    let found: Vec<&Value> = match peers.iter().find(id) {
        Some(peer) => vec![peer],
        None => peers.iter().filter(known).collect(),
    };
    let text = |peer: &Value, field: &str| show::plain(peer[field].as_str().unwrap_or("-"));
    match found[..] {
        [] => Err(Trouble::BadCommand(format!(
            "no neighbour is called {:?}; `kith peers list` shows them",
            show::plain(who)
        ))),
        [one] => Ok(text(one, "id")),
        _ => {
            let ids = found.iter().map(|peer| format!("{} ({})", text(peer, "id"), text(peer, "url")));
            let ids = ids.collect::<Vec<_>>().join(", ");
            Err(Trouble::BadCommand(format!("{:?} may be any of {ids}; name it by its id", show::plain(who))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_neighbour_is_found_by_whatever_it_is_called() {
        let peers = [
            json!({"id": "9f2c41aa03be", "name": "north", "url": "ws://127.0.0.1:9001", "address": "10.0.0.1:80"}),
            json!({"id": "0123456789ab", "name": "south", "url": null, "address": "south.example.org:443"}),
            json!({"id": "ba9876543210", "name": "south", "url": "wss://south2.example.org", "address": null}),
            json!({"id": "aaaaaaaaaaaa", "name": "9f2c41aa03be", "url": null, "address": null}),
        ];
        for (who, id) in [
            ("9f2c41aa03be", "9f2c41aa03be"),
            ("9F2C41AA03BE", "9f2c41aa03be"),
            ("north", "9f2c41aa03be"),
            ("localhost:9001", "9f2c41aa03be"),
            ("ws://10.0.0.1/", "9f2c41aa03be"),
            ("wss://south.example.org", "0123456789ab"),
            ("south2.example.org:443", "ba9876543210"),
        ] {
            assert_eq!(find(&peers, who).expect(who), id, "{who}");
        }
        let ambiguous = find(&peers, "south").expect_err("two of them").to_string();
        assert!(ambiguous.contains("0123456789ab") && ambiguous.contains("ba9876543210"), "{ambiguous}");
        let unknown = find(&peers, "west").expect_err("nobody");
        assert!(unknown.to_string().contains("kith peers list") && unknown.exit_code() == 2);
    }
}
