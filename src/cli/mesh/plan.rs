//! What each server of the mesh is: its folder, its doors, its key, and the settings it is given.
//!
//! This is the only place that knows how a server is told about its neighbours.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{ports::on_loopback, proxy};
use crate::cli::admin::access::READY_FILE;

/// Settings of the shell that would tear the mesh apart: here every server has its own.
const NOT_INHERITED: [&str; 3] = ["KITH__SERVER__", "KITH__LISTEN__", "KITH__NEIGHBOURHOOD__PEERS"];
/// What is different in a mesh, unless the user says otherwise.
const USUAL: [(&str, &str); 4] = [
    // Nobody wants to wait long for the end of an experiment,
    ("KITH__LIMITS__DRAIN_S", "1"),
    // nor until a cut line is noticed.
    ("KITH__LIMITS__PEER_HEARTBEAT_S", "1"),
    ("KITH__LIMITS__PEER_SILENCE_S", "5"),
    // A server that is started beside the mesh may join it.
    ("KITH__NEIGHBOURHOOD__ADMIT", "anyone"),
];

/// One server.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) number: u8,
    pub(super) name: String,
    /// Its data folder.
    pub(super) data: PathBuf,
    /// The digest that names its key, in hex.
    pub(super) key: String,
    /// Its main door.
    pub(super) main: SocketAddr,
    /// Its admin door.
    pub(super) admin: SocketAddr,
}

/// What people call a server.
pub(super) fn name(number: u8) -> String {
    format!("server-{number}")
}

/// The data folder of a server.
pub(super) fn data(folder: &Path, number: u8) -> PathBuf {
    folder.join(number.to_string())
}

impl Plan {
    /// A server with these ports.
    pub(super) fn new(folder: &Path, number: u8, key: String, main: u16, admin: u16) -> Self {
        Self {
            number,
            name: name(number),
            data: data(folder, number),
            key,
            main: on_loopback(main),
            admin: on_loopback(admin),
        }
    }

    /// Where it tells that its doors are open.
    pub(super) fn ready_file(&self) -> PathBuf {
        self.data.join(READY_FILE)
    }

    /// How the admin API is told about a neighbour that is reached through the line at this port.
    pub(super) fn peer_facts(neighbour: &Self, port: u16) -> Value {
        let Self { key, main, name, .. } = neighbour;
        json!({"url": proxy::url(port), "key": key, "address": main.to_string(), "name": name})
    }

    /// How it is told about a neighbour that it reaches through the line at this port.
    fn peer_line(neighbour: &Self, port: u16) -> String {
        let Self { key, main, name, .. } = neighbour;
        format!("{} key={key} address={main} name={name}", proxy::url(port))
    }

    /// The settings that make it a part of this mesh, as variables.
    pub(super) fn variables<'a>(
        &self,
        neighbours: impl Iterator<Item = (&'a Self, u16)>,
    ) -> Vec<(&'static str, String)> {
        let lines: Vec<String> = neighbours.map(|(plan, port)| Self::peer_line(plan, port)).collect();
        let mut variables = vec![
            ("KITH__SERVER__NAME", self.name.clone()),
            ("KITH__SERVER__PUBLIC_ADDRESS", self.main.to_string()),
            ("KITH__SERVER__PUBLIC_URL", format!("http://{}", self.main)),
            ("KITH__LISTEN__TLS_CERTIFICATE", String::new()),
            ("KITH__LISTEN__TLS_KEY", String::new()),
        ];
        if !lines.is_empty() {
            variables.push(("KITH__NEIGHBOURHOOD__PEERS", lines.join(",")));
        }
        let unsaid = USUAL.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
        variables.extend(unsaid.map(|(name, value)| (name, value.to_owned())));
        variables
    }
}

/// Whether a server is started without this variable of ours.
pub(super) fn is_not_inherited(variable: &str) -> bool {
    NOT_INHERITED.iter().any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_about_its_neighbours_behind_their_lines() {
        let plan = |number, key: &str| {
            Plan::new(
                Path::new("mesh"),
                number,
                key.to_owned(),
                8000 + u16::from(number),
                9000 + u16::from(number),
            )
        };
        let (one, two, three) = (plan(1, "aa"), plan(2, "bb"), plan(3, "cc"));
        let variables = one.variables([(&two, 7012), (&three, 7013)].into_iter());
        let peers = variables.iter().find(|(name, _)| *name == "KITH__NEIGHBOURHOOD__PEERS");
        assert_eq!(
            peers.map(|(_, value)| value.as_str()),
            Some(
                "ws://127.0.0.1:7012 key=bb address=127.0.0.1:8002 name=server-2,\
                 ws://127.0.0.1:7013 key=cc address=127.0.0.1:8003 name=server-3"
            )
        );
        assert!(one.variables([].into_iter()).iter().all(|(name, _)| !name.contains("PEERS")));
        assert_eq!(one.ready_file(), Path::new("mesh/1/ready.json"));
        assert!(is_not_inherited("KITH__LISTEN__MAIN") && !is_not_inherited("KITH__LIMITS__DRAIN_S"));
    }
}
