//! What `kith node` can be told on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::{dialect::rendezvous::PORT, domain::endpoint::Endpoint};

/// Mesh with others without a server in between, introduced by a rendezvous.
#[derive(Args, Clone, Debug)]
pub struct NodeArgs {
    /// Who introduces you, such as 192.0.2.1:8888; the port may be left out
    #[arg(long, value_name = "HOST:PORT", value_parser = rendezvous)]
    pub rendezvous: String,

    /// Where you listen for others, such as 192.0.2.7:50000; port 0 takes any
    #[arg(long, value_name = "IP:PORT")]
    pub listen: SocketAddr,

    /// Where others reach you, if that is not where you listen: behind a forwarded port, or with --listen 0.0.0.0
    #[arg(long, value_name = "IP:PORT")]
    pub address: Option<Endpoint>,

    /// Your key and address book, the same as for kith chat [default: kith/keyring.json in your data folder]
    #[arg(long, value_name = "FILE")]
    pub keyring: Option<PathBuf>,

    /// Talk to nobody in plain text: programs of other kinds hear nothing of you
    #[arg(long)]
    pub sealed_only: bool,

    /// Leave when the input ends and everything is sent; for scripts
    #[arg(long)]
    pub once: bool,

    /// No colours, even in a terminal (the variable NO_COLOR does the same)
    #[arg(long)]
    pub no_color: bool,
}

/// A host and a port; the usual one, if there is none.
fn rendezvous(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = text.trim_matches(['[', ']']);
    let (host, port) = match text.rsplit_once(':') {
        _ if bare.parse::<std::net::Ipv6Addr>().is_ok() => (format!("[{bare}]"), None),
        Some((host, port)) => (host.to_owned(), Some(port)),
        None => (text.to_owned(), None),
    };
    if host.is_empty() || text.contains(char::is_whitespace) || text.contains('/') {
        return Err("write it like 192.0.2.1:8888 or meet.example:8888".to_owned());
    }
    let port =
        port.map_or(Ok(PORT), str::parse).map_err(|_| "the port is a number up to 65535".to_owned())?;
    if port == 0 {
        return Err("the port is a number from 1".to_owned());
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::rendezvous;

    #[test]
    fn the_port_may_be_left_out() {
        for (typed, meant) in [
            ("192.0.2.1", "192.0.2.1:8888"),
            ("192.0.2.1:9", "192.0.2.1:9"),
            ("meet.example", "meet.example:8888"),
            ("::1", "[::1]:8888"),
            ("[::1]", "[::1]:8888"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(rendezvous(typed).as_deref(), Ok(meant));
        }
        for wrong in ["", ":8888", "host:0", "host:99999", "host:x", "http://host", "a b"] {
            assert!(rendezvous(wrong).is_err(), "{wrong}");
        }
    }
}
