//! The settings as typed values: what each section holds once all layers are put together.
//!
//! What a key means is told in `settings/base.yaml`, which operators read; here stand the types and
//! the few answers that follow from one section alone. Nothing here reads a file or a variable.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::dialect::Dialect;
use crate::domain::limits::Limits;

use super::bans::Bans;
use super::home::{HomeSection, Succession};
use super::neighbourhood::Neighbourhood;
use super::rendezvous::Rendezvous;
use super::socp::Socp;

/// All settings in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who this server is.
    pub server: Server,
    /// Its doors.
    pub listen: Listen,
    /// The dialect OLAF.
    pub olaf: Olaf,
    /// The dialect SOCP.
    pub socp: Socp,
    /// Letters for those who are away.
    pub offline: Offline,
    /// The dialect tPacket.
    pub tpacket: Tpacket,
    /// What members of all dialects have in common.
    pub bridge: Bridge,
    /// Where clients that mesh by themselves hear of each other.
    pub rendezvous: Rendezvous,
    /// The other servers.
    pub neighbourhood: Neighbourhood,
    /// The nodes of this home.
    pub home: HomeSection,
    /// How one of them takes over.
    pub succession: Succession,
    /// Who may not come, together with its neighbours.
    pub bans: Bans,
    /// What it shows to people with a browser.
    pub web: Web,
    /// What it tells its operator.
    pub log: Log,
    /// Switches for tests.
    pub debug: Debug,
    /// Every bound of the house.
    #[serde(with = "LimitKeys")]
    pub limits: Limits,
}

/// The section `server`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// What people and neighbours see.
    pub name: String,
    /// `host:port` for neighbours; empty means the listen address.
    pub public_address: String,
    /// Base URL of links to uploads; empty means derived from the address.
    pub public_url: String,
    /// Keys, database and uploads.
    pub data_dir: PathBuf,
}

/// The section `listen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The door for clients and neighbours.
    pub main: SocketAddr,
    /// The door of the admin API.
    pub admin: SocketAddr,
    /// A door for SOCP alone, if there is one.
    pub socp: Optional,
    /// A door for tPacket alone, if there is one.
    pub tpacket: Optional,
    /// The protocol spoken at the main door.
    pub dialect: Door,
    /// Origins of web pages that may connect, beside our own.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// PEM file of the certificate chain; empty means no TLS.
    pub tls_certificate: PathBuf,
    /// PEM file of its private key; empty means no TLS.
    pub tls_key: PathBuf,
    /// Threads for connections; 0 means one per core.
    pub workers: usize,
    /// Threads for signatures; 0 means one per core.
    pub notaries: usize,
}

impl Listen {
    /// The doors for one dialect each.
    #[must_use]
    pub const fn own(&self) -> [(Dialect, Optional); 2] {
        [(Dialect::Socp, self.socp), (Dialect::Tpacket, self.tpacket)]
    }

    /// The certificate and key files, if the main door speaks TLS.
    #[must_use]
    pub fn tls(&self) -> Option<(&Path, &Path)> {
        let given = |path: &Path| !path.as_os_str().is_empty();
        (given(&self.tls_certificate) && given(&self.tls_key))
            .then_some((self.tls_certificate.as_path(), self.tls_key.as_path()))
    }

    /// Whether a WebSocket request with these `Origin` and `Host` headers may come in.
    ///
    /// The rule is told in `settings/base.yaml`. It keeps a strange web page from speaking through
    /// the browser of somebody who can reach this server.
    #[must_use]
    pub fn admits_origin(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        if self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let own = origin.split_once("://").map(|(_, rest)| rest);
        own.zip(host).is_some_and(|(own, host)| own.eq_ignore_ascii_case(host))
    }
}

/// An address that may be left empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Optional(pub Option<SocketAddr>);

impl TryFrom<String> for Optional {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let problem = |_| format!("{text:?} is no address; write IP:PORT, as in 0.0.0.0:8765, or nothing");
        text.parse().map(|address| Self(Some(address))).map_err(problem)
    }
}

impl From<Optional> for String {
    fn from(address: Optional) -> Self {
        address.0.map(|address| address.to_string()).unwrap_or_default()
    }
}

/// The protocol spoken at a door: pinned to one, or decided by the first frame of each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Door(pub Option<Dialect>);

impl TryFrom<String> for Door {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name == "any" {
            return Ok(Self(None));
        }
        Dialect::from_name(&name).map(|dialect| Self(Some(dialect))).ok_or_else(|| {
            let known = Dialect::ALL.map(Dialect::name).join(", ");
            format!("{name:?} is no dialect; choose one of any, {known}")
        })
    }
}

impl From<Door> for String {
    fn from(door: Door) -> Self {
        door.0.map_or("any", Dialect::name).to_owned()
    }
}

/// The section `olaf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Olaf {
    /// Learn how each connection deviates from the specification.
    pub detect_accents: bool,
}

/// The section `offline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offline {
    /// Keep private letters for members who are away.
    pub keep: bool,
}

/// The section `tpacket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tpacket {
    /// Refuse to change a nick or a room, as the first server did.
    pub strict_seed: bool,
}

/// The section `bridge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// The public conversations of all dialects are one room.
    pub public: bool,
}

/// The section `web`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// A chat page at the main door.
    pub chat: bool,
}

/// The section `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or a filter of `tracing-subscriber`.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Coloured lines for people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The section `debug`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debug {
    /// Routes of the admin API that cause faults.
    pub faults: bool,
    /// A path of the main door that sends back what it gets.
    pub echo: bool,
}

/// The keys of the section `limits`.
///
/// The domain knows no serde, so its struct is mirrored here. The compiler holds the two together:
/// a field that is missing, or of another type, does not build.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Limits", deny_unknown_fields)]
struct LimitKeys {
    connections: u32,
    connections_per_address: u32,
    connections_per_member: u32,
    hellos_per_address_per_minute: u32,
    hello_timeout_s: u32,
    request_head_timeout_s: u32,
    frames_per_second: u32,
    frames_burst: u32,
    bytes_per_second: u32,
    bytes_burst: u32,
    message_bytes: u32,
    checks_per_address: u32,
    queue_bytes: u32,
    registry_bytes: u32,
    write_timeout_s: u32,
    ping_interval_s: u32,
    silence_timeout_s: u32,
    recipients_per_letter: u32,
    replay_window: u32,
    names: u32,
    bans: u32,
    presence_bytes_per_second: u32,
    upload_bytes: u64,
    upload_total_bytes: u64,
    upload_keep_s: u32,
    uploads_per_address_per_minute: u32,
    upload_bytes_per_address_per_hour: u64,
    offline_letters_per_member: u32,
    offline_bytes_per_member: u32,
    offline_total_bytes: u64,
    offline_keep_s: u32,
    offline_members: u32,
    rooms: u32,
    rooms_opened_per_member: u32,
    rooms_opened_per_address: u32,
    rooms_per_member: u32,
    room_guests: u32,
    room_lines: u32,
    room_bytes: u32,
    room_keep_s: u32,
    room_line_bytes: u32,
    bridge_lines_per_second: u32,
    directory_per_address: u32,
    directory_per_member: u32,
    directory_per_neighbour: u32,
    relay_bytes_per_second: u32,
    succession_visits: u32,
    succession_visits_per_address: u32,
    channel_bytes: u32,
    drain_s: u32,
    peers: u32,
    peer_message_bytes: u32,
    peer_queue_bytes: u32,
    peer_frames_per_second: u32,
    peer_frames_burst: u32,
    peer_bytes_per_second: u32,
    peer_bytes_burst: u32,
    peer_members: u32,
    peer_heartbeat_s: u32,
    peer_silence_s: u32,
    peer_dial_timeout_s: u32,
    peer_backoff_most_s: u32,
    peer_move_s: u32,
    peer_update_window_ms: u32,
    peer_update_bytes_per_second: u32,
}

#[cfg(test)]
mod tests {
    use super::{Door, Listen, Optional};
    use crate::domain::dialect::Dialect;

    fn listen(allowed: &[&str]) -> Listen {
        Listen {
            main: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
            socp: Optional(None),
            tpacket: Optional(None),
            dialect: Door(None),
            allowed_origins: allowed.iter().map(ToString::to_string).collect(),
            trusted_proxies: Vec::new(),
            tls_certificate: "".into(),
            tls_key: "".into(),
            workers: 0,
            notaries: 0,
        }
    }

    #[test]
    fn only_our_own_pages_may_connect_unless_an_origin_is_listed() {
        let strict = listen(&[]);
        assert!(strict.admits_origin(None, Some("chat.example")));
        assert!(strict.admits_origin(Some("https://Chat.example"), Some("chat.example")));
        assert!(strict.admits_origin(Some("http://127.0.0.1:8080"), Some("127.0.0.1:8080")));
        for origin in
            ["https://evil.example", "http://127.0.0.1:8081", "null", "", "https://chat.example.evil"]
        {
            assert!(!strict.admits_origin(Some(origin), Some("chat.example")), "{origin}");
        }
        assert!(!strict.admits_origin(Some("https://chat.example"), None));

        let listed = listen(&["https://app.example"]);
        assert!(listed.admits_origin(Some("https://app.example"), Some("chat.example")));
        assert!(!listed.admits_origin(Some("http://app.example"), Some("chat.example")));
        assert!(listen(&["*"]).admits_origin(Some("null"), None));
    }

    #[test]
    fn every_dialect_names_a_door() {
        assert_eq!(Door::try_from("any".to_owned()), Ok(Door(None)));
        for dialect in Dialect::ALL {
            let door = Door(Some(dialect));
            assert_eq!(Door::try_from(String::from(door)), Ok(door));
        }
        assert!(Door::try_from("Olaf ".to_owned()).is_err());
    }

    #[test]
    fn an_address_may_be_left_empty() {
        for text in ["", "0.0.0.0:8765", "[::1]:8765"] {
            let address = Optional::try_from(text.to_owned()).expect(text);
            assert_eq!((address.0.is_none(), String::from(address)), (text.is_empty(), text.to_owned()));
        }
        for wrong in ["8765", "localhost:8765", " "] {
            assert!(Optional::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tls_needs_both_files() {
        let mut listen = listen(&[]);
        assert_eq!(listen.tls(), None);
        listen.tls_certificate = "chain.pem".into();
        assert_eq!(listen.tls(), None);
        listen.tls_key = "key.pem".into();
        assert!(listen.tls().is_some());
    }
}
