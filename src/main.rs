//! The program: reads its arguments and goes to the room that they name.

use std::process::ExitCode;

use clap::Parser as _;
use kith::cli::{Command, Kith};

/// Many small, short-lived buffers on every thread: what this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Kith { command } = Kith::parse();
    match command {
        Command::Serve(args) => kith::startup::main(args),
        Command::Admin(args) => kith::cli::admin::run(args),
        Command::Keys(args) => kith::cli::keys::run(args),
        Command::Config(args) => kith::cli::config::run(args),
        Command::Healthcheck(args) => kith::cli::healthcheck::run(args),
    }
}
