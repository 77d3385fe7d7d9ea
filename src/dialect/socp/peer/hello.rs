//! How servers introduce themselves, and what a welcome says in every way that anybody reads.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    crypto::keys::PublicKey,
    dialect::{
        Myself,
        event::ServerCard,
        socp::{
            accent::{Accent, Clients, LinkType},
            key,
            kind::Kind,
            payload::{Entry, Introduction, Welcome},
            relay::spelled,
            stamp::Draft,
        },
    },
    domain::{letter::Frame, member::Member, news::News},
};

use super::gossip;

/// Users that a welcome names; of the others the joiner hears by gossip. So it stays below 64 KiB, which is
/// all that one implementation reads.
const MOST_CLIENTS: usize = 48;

/// Host and port of an address, with or without a scheme.
fn host_and_port(address: &str) -> (String, u16) {
    let (is_secure, bare) = match address.split_once("://") {
        Some((scheme, rest)) => (scheme == "wss", rest),
        None => (false, address),
    };
    let bare = bare.split('/').next().unwrap_or(bare);
    let default = if is_secure { 443 } else { 80 };
    match bare.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host.trim_matches(['[', ']']).to_owned(), port.parse().unwrap_or(default))
        }
        _ => (bare.trim_matches(['[', ']']).to_owned(), default),
    }
}

/// The address that a server gives for itself.
pub(super) fn address(introduction: &Introduction<'_>) -> Option<String> {
    join(introduction.host.as_deref()?, introduction.port?)
}

fn join(host: &str, port: u16) -> Option<String> {
    let fits = !host.is_empty() && host.len() <= 253 && port > 0;
    let letters = host.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:".contains(letter));
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    (fits && letters).then(|| format!("{host}:{port}"))
}

fn introduction(myself: &Myself, accent: Accent, role: &str) -> Value {
    let (host, port) = host_and_port(&myself.address);
    let mut payload =
        json!({"host": host, "port": port, "pubkey": key::write(&myself.key, accent.spelling())});
    if accent.prefix
        && let Value::Object(fields) = &mut payload
    {
        fields.insert("role".to_owned(), Value::from(role));
    }
    payload
}

/// Our first words to a server that we dial.
pub(super) fn hello(myself: &Myself, accent: Accent, dialled: &str) -> Frame {
    let payload = introduction(myself, accent, "local").to_string();
    let to = match accent.link {
        LinkType::Join if accent.prefix => "server_*",
        LinkType::Join => dialled,
        LinkType::Link | LinkType::PeerLink => "*",
    };
    Draft { to, ..Draft::new(accent.link.hello(), &payload) }.frame()
}

/// Where we are, for everybody.
pub(super) fn announcement(myself: &Myself, accent: Accent, we_dialled: bool) -> Frame {
    let role = if we_dialled { "local" } else { "master" };
    let payload = introduction(myself, accent, role).to_string();
    Draft { to: "*", ..Draft::new(Kind::ServerAnnounce, &payload) }.frame()
}

/// The answer to a server that joins.
pub(super) fn welcome(
    myself: &Myself,
    me: &str,
    accent: Accent,
    joiner: &str,
    members: &[Arc<Member>],
) -> Frame {
    let (host, port) = host_and_port(&myself.address);
    let own = key::write(&myself.key, accent.spelling());
    let us = json!({"server_id": me, "user_id": me, "host": host, "port": port, "pubkey": own});
    let users = members.iter().take(MOST_CLIENTS).filter_map(|member| {
        let pubkey = spelled(&member.public_key, accent);
        let name = member.name.as_deref()?;
        Some(json!({"user_id": name, "host": host, "port": port, "pubkey": pubkey}))
    });
    let clients = match accent.clients {
        Clients::Users => users.collect(),
        Clients::Servers => vec![us.clone()],
    };
    let mut payload = json!({
        "assigned_id": joiner,
        "clients": clients,
        "servers": [us],
        "server_id": me,
        "server_pub": own,
        "pubkey": own,
        "host": host,
        "port": port,
        "snapshot": {"user_locations": {}},
    });
    if accent.prefix
        && let Value::Object(fields) = &mut payload
    {
        fields.insert("role".to_owned(), Value::from("master"));
    }
    Draft::new(Kind::ServerWelcome, &payload.to_string()).frame()
}

/// The other servers that a welcome names.
pub(super) fn servers(welcome: &Welcome<'_>, accent: Accent, introducer: &str, me: &str) -> Vec<ServerCard> {
    let in_clients = welcome.clients.iter().filter(|entry| {
        entry.server_id.is_some() || (accent.clients == Clients::Servers && entry.is_server())
    });
    let named = welcome.servers.iter().chain(in_clients);
    let others = named.filter(|entry| entry.id().is_some_and(|id| id != introducer && id != me));
    others.filter_map(card).collect()
}

/// The users that a welcome names: those who are not said to be elsewhere. One implementation never tells
/// of its users in any other way.
pub(super) fn users(welcome: &Welcome<'_>, accent: Accent, introducer: &str) -> Vec<News> {
    let named = welcome.clients.iter().filter(|entry| {
        let elsewhere = welcome.servers.iter().filter(|server| server.id() != Some(introducer));
        let mut elsewhere = elsewhere.map(|server| (server.host.as_deref(), server.port));
        entry.server_id.as_deref().is_none_or(|server| server == introducer)
            && accent.clients == Clients::Users
            && (entry.port.is_none() || elsewhere.all(|at| at != (entry.host.as_deref(), entry.port)))
    });
    let users = named.filter_map(|entry| {
        let name = entry.user_id.as_deref()?;
        gossip::present(name, entry.pubkey.as_deref())
    });
    // One names them in a snapshot, without their keys.
    let locations = welcome.locations();
    let here = locations.iter().filter(|(_, at)| at == "local" || *at == introducer);
    users.chain(here.filter_map(|(name, _)| gossip::present(name, None))).collect()
}

fn card(entry: &Entry<'_>) -> Option<ServerCard> {
    let key = entry.pubkey.as_deref().and_then(|text| key::read(text).ok()).map(|(key, _)| key);
    Some(ServerCard {
        id: entry.id()?.to_owned(),
        address: join(entry.host.as_deref()?, entry.port?)?,
        key: key.as_ref().map(PublicKey::id),
        public_key: key.map(Arc::new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_put_together() {
        for (address, host, port) in [
            ("10.0.0.1:8080", "10.0.0.1", 8080),
            ("ws://chat.example:81/x", "chat.example", 81),
            ("wss://chat.example", "chat.example", 443),
            ("chat.example", "chat.example", 80),
            ("[::1]:9", "::1", 9),
        ] {
            assert_eq!(host_and_port(address), (host.to_owned(), port), "{address}");
        }
        assert_eq!(join("::1", 9).as_deref(), Some("[::1]:9"));
        assert!(join("evil/path", 9).is_none() && join("", 9).is_none() && join("a", 0).is_none());
    }
}
