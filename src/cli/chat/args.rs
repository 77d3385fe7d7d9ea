//! What `kith chat` can be told on the command line.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser as _};

use crate::domain::dialect::Dialect;

/// Chat from the terminal, or from a script through a pipe.
#[derive(Args, Clone, Debug)]
pub struct ChatArgs {
    /// The server, such as ws://127.0.0.1:8080 or wss://chat.example
    pub url: String,

    /// The protocol [default: the only one that the server speaks, or else olaf]
    #[arg(long, value_name = "NAME", value_parser = dialects())]
    pub dialect: Option<Dialect>,

    /// Your key and address book [default: kith/keyring.json in your data folder]
    #[arg(long, value_name = "FILE")]
    pub keyring: Option<PathBuf>,

    /// Believe this certificate authority too (PEM), for servers with a private one
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// Where files are put
    #[arg(long, value_name = "DIR", default_value = "downloads")]
    pub downloads: PathBuf,

    /// What you are called on your own screen; others see your fingerprint
    #[arg(long, value_name = "NAME", default_value = "you")]
    pub name: String,

    /// What everybody calls you, in tpacket [default: your login name]
    #[arg(long, value_name = "NICK")]
    pub nick: Option<String>,

    /// The room to be in from the beginning [default: public in tpacket, none elsewhere]
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,

    /// No colours, even in a terminal (the variable NO_COLOR does the same)
    #[arg(long)]
    pub no_color: bool,
}

fn dialects() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name))
        .try_map(|name| Dialect::from_name(&name).ok_or("no such dialect"))
}
