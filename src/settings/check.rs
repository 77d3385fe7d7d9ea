//! Whether settings that can be read also make sense: no limit that shuts everybody out, no pair of
//! values that contradicts itself.

use std::collections::HashSet;

use crate::domain::limits::Limits;

use super::neighbourhood::Neighbourhood;
use super::values::{Listen, Optional, Settings};

/// A key whose value contradicts common sense or another key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Nonsense {
    pub(super) key: &'static str,
    pub(super) problem: String,
}

type Sense = Result<(), Nonsense>;

/// Checks everything that one key alone cannot tell.
pub(super) fn sense(settings: &Settings) -> Sense {
    let server = &settings.server;
    refuse_if(server.name.trim().is_empty(), "server.name", "a server needs a name")?;
    refuse_if(server.data_dir.as_os_str().is_empty(), "server.data_dir", "keys and files need a folder")?;
    let url = &server.public_url;
    let absolute = url.starts_with("http://") || url.starts_with("https://");
    refuse_if(
        !url.is_empty() && !absolute,
        "server.public_url",
        "it must begin with http:// or https://, or be empty",
    )?;
    refuse_if(settings.log.level.trim().is_empty(), "log.level", "choose error, warn, info, debug or trace")?;
    doors(&settings.listen)?;
    limits(&settings.limits)?;
    succession(settings)?;
    rendezvous(settings)?;
    neighbourhood(&settings.neighbourhood, settings.limits.peers)
}

fn succession(settings: &Settings) -> Sense {
    if let Some(problem) = settings.home.problem() {
        return Err(Nonsense { key: "home.members", problem });
    }
    let (home, succession) = (&settings.home, &settings.succession);
    refuse_if(
        !home.members.is_empty() && succession.listen.0.is_none(),
        "succession.listen",
        "a home of several nodes needs it, so that they find each other",
    )?;
    if let Some(problem) = succession.problem() {
        return Err(Nonsense { key: "succession.report_to", problem });
    }
    succession
        .numbers()
        .map(|_| ())
        .map_err(|unsound| Nonsense { key: unsound.setting(), problem: unsound.to_string() })
}

fn rendezvous(Settings { rendezvous, listen, .. }: &Settings) -> Sense {
    /// Every change goes out to everybody as a whole list.
    const MOST: u32 = 4096;
    let most = &rendezvous.max_clients;
    refuse_if(!(1..=MOST).contains(most), "rendezvous.max_clients", "it must be from 1 to 4096")?;
    let Some(door) = rendezvous.listen.0.filter(|door| door.port() != 0) else { return Ok(()) };
    let others = [Some(listen.main), Some(listen.admin), listen.socp.0, listen.tpacket.0];
    refuse_if(others.contains(&Some(door)), "rendezvous.listen", "it is the same door as one in listen")
}

/// Two lines for one server would be two neighbours that fight for one link.
fn neighbourhood(neighbourhood: &Neighbourhood, most: u32) -> Sense {
    let peers = &neighbourhood.peers;
    refuse_if(
        u32::try_from(peers.len()).map_or(true, |count| count > most),
        "neighbourhood.peers",
        "there are more of them than limits.peers allows",
    )?;
    let (mut doors, mut names) = (HashSet::new(), HashSet::new());
    for peer in peers {
        let twice = if !doors.insert(peer.door()) {
            format!("{:?} stands there twice", peer.url)
        } else if !names.insert(peer.known_as()) {
            format!("two of them are known as {:?}", peer.known_as().as_str())
        } else {
            continue;
        };
        return Err(Nonsense { key: "neighbourhood.peers", problem: twice });
    }
    refuse_if(
        neighbourhood.unsigned && !neighbourhood.legacy,
        "neighbourhood.unsigned",
        "who signs nothing cannot prove itself, and neighbourhood.legacy refuses those",
    )
}

fn doors(listen: &Listen) -> Sense {
    let same = listen.main == listen.admin && listen.main.port() != 0;
    refuse_if(same, "listen.admin", "it is the same door as listen.main")?;
    let own = [("listen.socp", listen.socp), ("listen.tpacket", listen.tpacket)];
    for (key, Optional(door)) in own {
        let Some(door) = door.filter(|door| door.port() != 0) else { continue };
        refuse_if(door == listen.main, key, "it is the same door as listen.main")?;
        refuse_if(door == listen.admin, key, "it is the same door as listen.admin")?;
    }
    let both = listen.socp.0.filter(|door| door.port() != 0 && Some(*door) == listen.tpacket.0);
    refuse_if(both.is_some(), "listen.tpacket", "it is the same door as listen.socp")?;
    let no_key = listen.tls_key.as_os_str().is_empty();
    let no_certificate = listen.tls_certificate.as_os_str().is_empty();
    refuse_if(no_key && !no_certificate, "listen.tls_key", "listen.tls_certificate is set, its key is not")?;
    refuse_if(
        no_certificate && !no_key,
        "listen.tls_certificate",
        "listen.tls_key is set, its certificate is not",
    )?;
    for origin in listen.allowed_origins.iter().filter(|origin| *origin != "*") {
        let bare = origin
            .split_once("://")
            .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'));
        if !bare {
            let problem = format!("{origin:?} is no origin; write scheme://host or scheme://host:port");
            return Err(Nonsense { key: "listen.allowed_origins", problem });
        }
    }
    Ok(())
}

fn limits(limits: &Limits) -> Sense {
    for (key, value) in must_not_be_zero(limits) {
        refuse_if(value == 0, key, "0 would shut everybody out")?;
    }
    let ordered = [
        (
            "limits.ping_interval_s",
            limits.ping_interval_s,
            "limits.silence_timeout_s",
            limits.silence_timeout_s.saturating_sub(1),
            "less than",
        ),
        (
            "limits.frames_per_second",
            limits.frames_per_second,
            "limits.frames_burst",
            limits.frames_burst,
            "at most",
        ),
        (
            "limits.bytes_per_second",
            limits.bytes_per_second,
            "limits.bytes_burst",
            limits.bytes_burst,
            "at most",
        ),
        ("limits.message_bytes", limits.message_bytes, "limits.queue_bytes", limits.queue_bytes, "at most"),
        ("limits.room_line_bytes", limits.room_line_bytes, "limits.room_bytes", limits.room_bytes, "at most"),
    ];
    in_order(&ordered)?;
    in_order(&of_peers(limits))?;
    refuse_if(
        limits.upload_bytes > limits.upload_total_bytes,
        "limits.upload_bytes",
        "one file may not be larger than all of them together, limits.upload_total_bytes",
    )
}

/// A key and its value, and another key that says how much that may be at most, in words.
type Order = (&'static str, u32, &'static str, u32, &'static str);

fn in_order(pairs: &[Order]) -> Sense {
    for (key, value, other, most, relation) in pairs {
        if value > most {
            let problem = format!("it is {value}, but must be {relation} {other}");
            return Err(Nonsense { key, problem });
        }
    }
    Ok(())
}

fn of_peers(limits: &Limits) -> [Order; 5] {
    [
        (
            "limits.message_bytes",
            limits.message_bytes,
            "limits.peer_message_bytes",
            // A letter travels between servers with an envelope around it.
            limits.peer_message_bytes.saturating_sub(1),
            "less than",
        ),
        (
            "limits.peer_message_bytes",
            limits.peer_message_bytes,
            "limits.peer_queue_bytes",
            limits.peer_queue_bytes,
            "at most",
        ),
        (
            "limits.peer_frames_per_second",
            limits.peer_frames_per_second,
            "limits.peer_frames_burst",
            limits.peer_frames_burst,
            "at most",
        ),
        (
            "limits.peer_bytes_per_second",
            limits.peer_bytes_per_second,
            "limits.peer_bytes_burst",
            limits.peer_bytes_burst,
            "at most",
        ),
        (
            "limits.peer_heartbeat_s",
            limits.peer_heartbeat_s,
            "limits.peer_silence_s",
            limits.peer_silence_s.saturating_sub(1) / 2,
            "less than half of",
        ),
    ]
}

/// Every limit of which zero would make the server useless. A drain of no length is
/// fine, and so is a house without neighbours.
fn must_not_be_zero(limits: &Limits) -> [(&'static str, u64); 61] {
    [
        ("limits.connections", limits.connections.into()),
        ("limits.connections_per_address", limits.connections_per_address.into()),
        ("limits.connections_per_member", limits.connections_per_member.into()),
        ("limits.hellos_per_address_per_minute", limits.hellos_per_address_per_minute.into()),
        ("limits.hello_timeout_s", limits.hello_timeout_s.into()),
        ("limits.request_head_timeout_s", limits.request_head_timeout_s.into()),
        ("limits.frames_per_second", limits.frames_per_second.into()),
        ("limits.frames_burst", limits.frames_burst.into()),
        ("limits.bytes_per_second", limits.bytes_per_second.into()),
        ("limits.bytes_burst", limits.bytes_burst.into()),
        ("limits.message_bytes", limits.message_bytes.into()),
        ("limits.checks_per_address", limits.checks_per_address.into()),
        ("limits.queue_bytes", limits.queue_bytes.into()),
        ("limits.registry_bytes", limits.registry_bytes.into()),
        ("limits.write_timeout_s", limits.write_timeout_s.into()),
        ("limits.ping_interval_s", limits.ping_interval_s.into()),
        ("limits.silence_timeout_s", limits.silence_timeout_s.into()),
        ("limits.recipients_per_letter", limits.recipients_per_letter.into()),
        ("limits.replay_window", limits.replay_window.into()),
        ("limits.names", limits.names.into()),
        ("limits.presence_bytes_per_second", limits.presence_bytes_per_second.into()),
        ("limits.upload_bytes", limits.upload_bytes),
        ("limits.upload_bytes_per_address_per_hour", limits.upload_bytes_per_address_per_hour),
        ("limits.upload_total_bytes", limits.upload_total_bytes),
        ("limits.upload_keep_s", limits.upload_keep_s.into()),
        ("limits.uploads_per_address_per_minute", limits.uploads_per_address_per_minute.into()),
        ("limits.offline_letters_per_member", limits.offline_letters_per_member.into()),
        ("limits.offline_bytes_per_member", limits.offline_bytes_per_member.into()),
        ("limits.offline_total_bytes", limits.offline_total_bytes),
        ("limits.offline_keep_s", limits.offline_keep_s.into()),
        ("limits.rooms", limits.rooms.into()),
        ("limits.rooms_opened_per_member", limits.rooms_opened_per_member.into()),
        ("limits.rooms_opened_per_address", limits.rooms_opened_per_address.into()),
        ("limits.rooms_per_member", limits.rooms_per_member.into()),
        ("limits.room_guests", limits.room_guests.into()),
        ("limits.room_lines", limits.room_lines.into()),
        ("limits.room_bytes", limits.room_bytes.into()),
        ("limits.room_keep_s", limits.room_keep_s.into()),
        ("limits.room_line_bytes", limits.room_line_bytes.into()),
        ("limits.bridge_lines_per_second", limits.bridge_lines_per_second.into()),
        ("limits.directory_per_address", limits.directory_per_address.into()),
        ("limits.directory_per_member", limits.directory_per_member.into()),
        ("limits.directory_per_neighbour", limits.directory_per_neighbour.into()),
        ("limits.relay_bytes_per_second", limits.relay_bytes_per_second.into()),
        ("limits.succession_visits", limits.succession_visits.into()),
        ("limits.succession_visits_per_address", limits.succession_visits_per_address.into()),
        ("limits.channel_bytes", limits.channel_bytes.into()),
        ("limits.peer_message_bytes", limits.peer_message_bytes.into()),
        ("limits.peer_queue_bytes", limits.peer_queue_bytes.into()),
        ("limits.peer_frames_per_second", limits.peer_frames_per_second.into()),
        ("limits.peer_frames_burst", limits.peer_frames_burst.into()),
        ("limits.peer_bytes_per_second", limits.peer_bytes_per_second.into()),
        ("limits.peer_bytes_burst", limits.peer_bytes_burst.into()),
        ("limits.peer_members", limits.peer_members.into()),
        ("limits.peer_heartbeat_s", limits.peer_heartbeat_s.into()),
        ("limits.peer_silence_s", limits.peer_silence_s.into()),
        ("limits.peer_dial_timeout_s", limits.peer_dial_timeout_s.into()),
        ("limits.peer_backoff_most_s", limits.peer_backoff_most_s.into()),
        ("limits.peer_move_s", limits.peer_move_s.into()),
        ("limits.peer_update_window_ms", limits.peer_update_window_ms.into()),
        ("limits.peer_update_bytes_per_second", limits.peer_update_bytes_per_second.into()),
    ]
}

fn refuse_if(wrong: bool, key: &'static str, problem: &str) -> Sense {
    if wrong { Err(Nonsense { key, problem: problem.to_owned() }) } else { Ok(()) }
}
