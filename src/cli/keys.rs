//! `kith keys`: the public keys of a server, for neighbours to pin.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};

use super::serve::SettingsArgs;
use crate::{crypto::fingerprint::OFFICIAL, crypto::keys::PublicKey, identity::Identity};

/// Arguments of `kith keys`.
#[derive(Args, Debug)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show fingerprints and public keys. Private keys never leave their files.
    Show {
        #[command(flatten)]
        settings: SettingsArgs,
        /// As JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
#[must_use]
pub fn run(args: KeysArgs) -> ExitCode {
    let Command::Show { settings, json } = args.command;
    match show(&settings, json) {
        Ok(text) => {
            // Whoever stops reading has seen enough.
            let _ = writeln!(io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("kith: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show(settings: &SettingsArgs, json: bool) -> Result<String, Box<dyn std::error::Error>> {
    let data = settings.load()?.settings.server.data_dir;
    if !Identity::exists(&data) {
        let data = Path::display(&data);
        return Err(format!("there are no keys in {data}; `kith serve` makes them at its first start").into());
    }
    let identity = Identity::open(&data)?;
    let keys = [("olaf", identity.olaf.public()), ("server", identity.server.public())];
    if json {
        let entries = keys.map(|(name, key)| {
            let pem = key.canonical_pem();
            let fingerprint = OFFICIAL.of(key, &pem);
            (name.to_owned(), serde_json::json!({"bits": key.bits(), "id": key.id().hex(), "fingerprint": fingerprint, "public_key": pem, "der": URL_SAFE_NO_PAD.encode(key.spki())}))
        });
        return Ok(serde_json::Value::Object(entries.into_iter().collect()).to_string());
    }
    Ok(keys.map(|(name, key)| describe(name, key)).join("\n\n"))
}

fn describe(name: &str, key: &PublicKey) -> String {
    let fingerprint = OFFICIAL.of(key, "");
    format!("{name} key, {} bits\nfingerprint {fingerprint}\n{}", key.bits(), key.column_pem())
}
