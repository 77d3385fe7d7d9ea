//! `kith admin`: looks after a running server through its admin API.
//!
//! People get tables, scripts get the JSON of the API as it is (`--json`). Exit status 0: done; 1: the
//! server was not reached or said no; 2: the command itself was wrong.

mod api;
mod show;
mod stream;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use serde_json::Value;
use zeroize::Zeroizing;

use self::api::{Api, Trouble, escaped};
use crate::identity::read_token;

/// Holds the token, for whoever does not want it in a file.
const TOKEN_VARIABLE: &str = "KITH_ADMIN_TOKEN";

/// Arguments of `kith admin`.
#[derive(Args, Debug)]
pub struct AdminArgs {
    /// The admin door of the server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9090", env = "KITH_ADMIN_URL")]
    pub url: String,
    /// A file with the admin token. Without it: the variable KITH_ADMIN_TOKEN, then the data folder.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub token_file: Option<PathBuf>,
    /// The data folder of a server on this machine, where its token lies [default: data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print the JSON of the API; lists as one array of all pages.
    #[arg(long, global = true)]
    pub json: bool,
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
    Members,
    /// List the uploaded files.
    Files,
    /// Delete an uploaded file.
    DeleteFile {
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
    match actix_rt::System::new().block_on(work(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("kith: {trouble}");
            ExitCode::from(trouble.exit_code())
        }
    }
}

async fn work(args: AdminArgs) -> Result<(), Trouble> {
    let token = token(&args)?;
    let api = Api::new(&args.url, &token)?;
    if matches!(args.command, AdminCommand::Events) {
        return stream::events(&api, args.json).await;
    }
    let text = answer(&api, &args.command, args.json).await?;
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
        AdminCommand::Clients { dialect: None } => list("/api/v1/clients?".to_owned(), show::clients).await,
        AdminCommand::Clients { dialect: Some(name) } => {
            list(format!("/api/v1/clients?dialect={}&", escaped(name)), show::clients).await
        }
        AdminCommand::Members => list("/api/v1/members?".to_owned(), show::members).await,
        AdminCommand::Files => list("/api/v1/files?".to_owned(), show::files).await,
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

/// Writes a text and a line break. Whoever stops reading has seen enough.
fn print(text: &str) -> Result<(), Trouble> {
    if text.is_empty() {
        return Ok(());
    }
    match writeln!(io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::Output(error)),
        _ => Ok(()),
    }
}

/// What is said on the command line wins over the variable, and that over the usual place.
fn token(args: &AdminArgs) -> Result<Zeroizing<String>, Trouble> {
    if let Some(path) = &args.token_file {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| Trouble::NoToken(format!("{}: {error}", path.display())))?;
        return Ok(Zeroizing::new(text.trim().to_owned()));
    }
    let variable = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
    if let (None, Some(token)) = (&args.data, variable) {
        return Ok(Zeroizing::new(token.trim().to_owned()));
    }
    let data = args.data.as_deref().unwrap_or_else(|| Path::new("data"));
    match read_token(data) {
        Ok(Some(token)) => Ok(token),
        Ok(None) => Err(Trouble::NoToken(format!("there is none in {}", data.display()))),
        Err(error) => Err(Trouble::NoToken(error.to_string())),
    }
}
