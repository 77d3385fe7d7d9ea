//! `kith config`: are the settings right, and which layer won?

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Args, Subcommand};

use super::serve::SettingsArgs;
use crate::{actors::neighbourhood::bootstrap, http::tls::Tls, settings::Settings};

/// Arguments of `kith config`.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a server would start with these settings.
    Check(SettingsArgs),
    /// Print every setting in force, and where it comes from.
    Print(SettingsArgs),
}

/// What only the rest of the program knows of a setting: that a filter parses, that files are there.
fn startable(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    crate::telemetry::filter(&settings.log)?;
    bootstrap::introducers(&settings.socp)?;
    if let Some((certificate, key)) = settings.listen.tls() {
        Tls::open(certificate, key)?;
    }
    Ok(())
}

/// Runs it.
#[must_use]
pub fn run(args: ConfigArgs) -> ExitCode {
    let (settings, print) = match args.command {
        Command::Check(settings) => (settings, false),
        Command::Print(settings) => (settings, true),
    };
    match settings.load() {
        Ok(loaded) if print => {
            // Whoever stops reading has seen enough.
            let _ = write!(io::stdout(), "{}", loaded.describe());
        }
        Ok(loaded) => {
            if let Err(error) = startable(&loaded.settings) {
                eprintln!("kith: {error}");
                return ExitCode::FAILURE;
            }
            println!("the settings are right");
        }
        Err(error) => {
            eprintln!("kith: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
