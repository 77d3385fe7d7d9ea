//! `kith admin`: looks after a running server through its admin API.
//!
//! People get tables, scripts get the JSON of the API as it is (`--json`). Exit status 0: done; 1: the
//! server was not reached or said no; 2: the command itself was wrong.

pub(super) mod access;
pub(super) mod api;
mod bans;
pub(super) mod neighbours;
pub mod rooms;
pub(super) mod show;
mod stream;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use serde_json::Value;

use self::{
    access::Access,
    api::{Api, Trouble, escaped},
};
use crate::cli::paint::Paint;

/// Arguments of `kith admin`.
#[derive(Args, Debug)]
pub struct AdminArgs {
    /// Which server, and how to show what it says.
    #[command(flatten)]
    pub access: Access,
    /// What to do.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// What an administrator can do.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Show the server, its limits and how it is.
    Server,
    /// List everybody who is connected.
    Clients {
        /// Only those who speak this.
        #[arg(long)]
        dialect: Option<String>,
    },
    /// Show one connection.
    Client {
        /// Its number, as the list shows it.
        id: String,
    },
    /// End a connection.
    Kick {
        /// Its number, as the list shows it.
        id: String,
    },
    /// List everybody who was ever here.
    Members {
        /// Only those who spoke this at the first meeting.
        #[arg(long)]
        dialect: Option<String>,
    },
    /// List the uploaded files.
    Files,
    /// Delete an uploaded file.
    DeleteFile {
        /// Its id, as the list shows it.
        id: String,
    },
    /// List for whom letters wait, or forget what waits for somebody.
    Offline {
        /// Forget what waits for the member with this id, as the list shows it.
        #[arg(long, value_name = "MEMBER")]
        discard: Option<String>,
    },
    /// List who listens where, for clients that mesh by themselves.
    Directory,
    /// List the neighbours, and how the link to each is.
    Peers,
    /// List every server of the neighbourhood with its members.
    Neighbourhood,
    /// Draw all links of the neighbourhood, as far as they are known here.
    Mesh,
    /// List the rooms, or show one with everybody who is in it.
    Rooms {
        /// Its name.
        room: Option<String>,
    },
    /// Read or moderate a room.
    Room {
        /// What to do.
        #[command(subcommand)]
        command: rooms::RoomCommand,
    },
    /// List who may not come.
    Bans {
        /// Only bans about this: key, name, address or server.
        #[arg(long)]
        kind: Option<String>,
    },
    /// Ban somebody; whoever it hits has to go at once.
    Ban(bans::BanArgs),
    /// Lift a ban.
    Unban {
        /// Its id, as the list shows it.
        id: String,
    },
    /// Show what happens, until Ctrl-C.
    Events,
    /// Have the server close: nobody new is let in, everybody is told.
    Drain,
    /// Print the metrics.
    Metrics,
}

/// Runs it.
#[must_use]
pub fn run(args: AdminArgs) -> ExitCode {
    finish(actix_rt::System::new().block_on(work(args)))
}

/// How a command that asks a server ends.
pub(super) fn finish(outcome: Result<(), Trouble>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("kith: {trouble}");
            ExitCode::from(trouble.exit_code())
        }
    }
}

async fn work(args: AdminArgs) -> Result<(), Trouble> {
    let (api, json) = (args.access.api()?, args.access.json);
    if matches!(args.command, AdminCommand::Events) {
        return stream::events(&api, json).await;
    }
    let text = answer(&api, &args.command, json).await?;
    print(&text)
}

/// What is printed, all at once.
async fn answer(api: &Api, command: &AdminCommand, json: bool) -> Result<String, Trouble> {
    let list = |path: String, table: fn(&[Value]) -> String| async move {
        let items = api.all(&path).await?;
        Ok(if json { Value::Array(items).to_string() } else { table(&items) })
    };
    let one = |path: String| async move {
        let text = api.get(&path).await?;
        Ok(if json { text } else { show::card(&api::read(&text)?) })
    };
    match command {
        AdminCommand::Server => one("/api/v1/server".to_owned()).await,
        AdminCommand::Client { id } => one(format!("/api/v1/clients/{}", escaped(id))).await,
        AdminCommand::Clients { dialect } => list(spoken("clients", dialect.as_deref()), show::clients).await,
        AdminCommand::Members { dialect } => list(spoken("members", dialect.as_deref()), show::members).await,
        AdminCommand::Files => list("/api/v1/files?".to_owned(), show::files).await,
        AdminCommand::Offline { discard: None } => list("/api/v1/offline?".to_owned(), show::offline).await,
        AdminCommand::Offline { discard: Some(member) } => {
            api.delete(&format!("/api/v1/offline/{}", escaped(member))).await?;
            Ok(if json { String::new() } else { format!("what waited for {member} is forgotten") })
        }
        AdminCommand::Directory => list("/api/v1/directory?".to_owned(), show::directory).await,
        AdminCommand::Peers => list("/api/v1/peers?".to_owned(), neighbours::peers).await,
        AdminCommand::Neighbourhood => {
            let text = api.get("/api/v1/neighbourhood").await?;
            Ok(if json { text } else { neighbours::neighbourhood(&api::read(&text)?) })
        }
        AdminCommand::Mesh => {
            let text = api.get("/api/v1/mesh").await?;
            Ok(if json { text } else { neighbours::mesh(&api::read(&text)?, Paint::of_stdout()) })
        }
        AdminCommand::Rooms { room } => rooms::rooms(api, room.as_deref(), json).await,
        AdminCommand::Room { command } => rooms::answer(api, command, json).await,
        AdminCommand::Bans { kind } => {
            let wish = kind.as_ref().map(|kind| format!("kind={}&", escaped(kind))).unwrap_or_default();
            list(format!("/api/v1/bans?{wish}"), bans::table).await
        }
        AdminCommand::Ban(ban) => {
            let text = api.post_json("/api/v1/bans", &ban.body()).await?;
            Ok(if json { text } else { bans::made(&api::read(&text)?) })
        }
        AdminCommand::Unban { id } => {
            api.delete(&format!("/api/v1/bans/{}", escaped(id))).await?;
            Ok(if json { String::new() } else { format!("ban {id} is lifted") })
        }
        AdminCommand::Metrics => api.get("/metrics").await,
        AdminCommand::Kick { id } => {
            api.delete(&format!("/api/v1/clients/{}", escaped(id))).await?;
            Ok(if json { String::new() } else { format!("client {id} was shown the door") })
        }
        AdminCommand::DeleteFile { id } => {
            api.delete(&format!("/api/v1/files/{}", escaped(id))).await?;
            Ok(if json { String::new() } else { format!("file {id} is deleted") })
        }
        AdminCommand::Drain => {
            let text = api.post("/api/v1/drain").await?;
            Ok(if json { text } else { "the server closes".to_owned() })
        }
        // Streamed by the caller.
        AdminCommand::Events => Ok(String::new()),
    }
}

/// The path of a list, of those alone who speak this dialect if one is named.
fn spoken(list: &str, dialect: Option<&str>) -> String {
    let wish = dialect.map(|name| format!("dialect={}&", escaped(name))).unwrap_or_default();
    format!("/api/v1/{list}?{wish}")
}

/// Writes a text and a line break. Whoever stops reading has seen enough.
pub(super) fn print(text: &str) -> Result<(), Trouble> {
    if text.is_empty() {
        return Ok(());
    }
    match writeln!(io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::Output(error)),
        _ => Ok(()),
    }
}
