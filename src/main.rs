//! The program: reads its arguments and goes to the room that they name.

use std::process::ExitCode;

use clap::Parser as _;
use kith::cli::{Command, Kith};

fn main() -> ExitCode {
    let Kith { command } = Kith::parse();
    match command {
        Command::Serve(args) => kith::startup::main(args),
        Command::Admin(args) => kith::cli::admin::run(args),
        Command::Mesh(args) => kith::cli::mesh::run(args),
        Command::Peers(args) => kith::cli::peers::run(args),
        Command::Chat(args) => kith::cli::chat::run(args),
        Command::Node(args) => kith::cli::node::run(args),
        Command::Keys(args) => kith::cli::keys::run(args),
        Command::Config(args) => kith::cli::config::run(args),
        Command::Healthcheck(args) => kith::cli::healthcheck::run(args),
    }
}
