//! `kith config`: are the settings right, and which layer won?

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::serve::SettingsArgs;

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

/// Runs it.
#[must_use]
pub fn run(args: ConfigArgs) -> ExitCode {
    let (settings, print) = match args.command {
        Command::Check(settings) => (settings, false),
        Command::Print(settings) => (settings, true),
    };
    match settings.load() {
        Ok(loaded) if print => print!("{}", loaded.describe()),
        Ok(_) => println!("the settings are right"),
        Err(error) => {
            eprintln!("kith: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
