//! The terminal: one file per sub-command.

pub mod admin;
pub mod chat;
pub mod config;
pub mod healthcheck;
mod input;
pub mod keys;
pub mod mesh;
pub mod node;
mod paint;
pub mod peers;
mod screen;
pub mod serve;
mod words;

use clap::{Parser, Subcommand};

/// Run your own chat server and join it with your neighbours' servers.
#[derive(Debug, Parser)]
#[command(name = "kith", version, about, propagate_version = true)]
pub struct Kith {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a home server.
    Serve(serve::ServeArgs),
    /// Look after a running server.
    Admin(admin::AdminArgs),
    /// Run a neighbourhood of servers on this machine, and break and mend its links.
    Mesh(mesh::MeshArgs),
    /// Look after the neighbours of a running server.
    Peers(peers::PeersArgs),
    /// Talk: a line-mode client.
    Chat(chat::ChatArgs),
    /// Mesh with others without a server in between, introduced by a rendezvous.
    Node(node::NodeArgs),
    /// Show the public keys of a home server.
    Keys(keys::KeysArgs),
    /// Check or print the settings in force.
    Config(config::ConfigArgs),
    /// Ask a running server whether it is ready; for container health checks.
    Healthcheck(healthcheck::HealthcheckArgs),
}
