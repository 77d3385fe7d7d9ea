//! The settings: what an operator may change, from five layers put into one typed value.
//!
//! `settings/base.yaml` is the list of all keys with their reasons. Whatever does not stand there is
//! refused at start, naming the key, the place and the key most likely meant. Nothing is changed
//! while the server runs, and no secret ever passes through here.

mod bans;
mod check;
mod environment;
mod error;
mod home;
mod layers;
mod load;
mod loaded;
mod neighbourhood;
mod rendezvous;
mod socp;
mod unknown;
mod values;

pub use bans::Bans;
pub use environment::Environment;
pub use error::{Origin, SettingsError};
pub use home::{HomeSection, Node, Succession};
pub use load::{Sources, load};
pub use loaded::Loaded;
pub use neighbourhood::{Admit, Neighbourhood};
pub use rendezvous::{Full, Rendezvous, Tested};
pub use socp::{Introducer, Socp};
pub use values::{Debug, Door, Listen, Log, LogFormat, Offline, Olaf, Optional, Server, Settings, Tpacket};
