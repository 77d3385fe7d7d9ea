//! Every bound of the house, with its reason and its safe default.
//!
//! One file, so that a person who asks "how much can a stranger cost me?" reads the answer here.
//! The settings section `limits` has one key per field, and `GET /api/v1/server` shows the values in
//! force. Sizes are bytes, times are seconds, unless the name says otherwise.

use std::time::Duration;

/// The numbers in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sockets of all kinds at once. Below the usual 20,000 file descriptors of one process, so that
    /// the store, the uploads and the admin door always find one.
    pub connections: u32,
    /// Sockets from one address (IPv6: from one /64). A household or an office fits, a flood does not.
    pub connections_per_address: u32,
    /// Live connections with one key. Several devices are normal, hundreds are a loop in a client.
    pub connections_per_member: u32,
    /// First messages from one address in a minute: each one costs up to a dozen signature checks.
    pub hellos_per_address_per_minute: u32,
    /// How long a connection may stay silent about who it is.
    pub hello_timeout_s: u32,
    /// How long the head of an HTTP request may take to arrive: the answer to a slow loris.
    pub request_head_timeout_s: u32,
    /// Frames a connection may send in a second, on average. Beyond it we read more slowly.
    pub frames_per_second: u32,
    /// Frames it may send at once before the average counts.
    pub frames_burst: u32,
    /// Bytes a connection may send in a second, on average. Beyond it we read more slowly.
    pub bytes_per_second: u32,
    /// Bytes it may send at once before the average counts.
    pub bytes_burst: u32,
    /// The largest message of a client, whole, fragments put together.
    pub message_bytes: u32,
    /// Signature checks of one address that wait or run at once. Each connection has at most one.
    pub checks_per_address: u32,
    /// What may wait for one connection. A reader that is further behind is no longer a reader.
    pub queue_bytes: u32,
    /// Letters that may wait for the connection map. Beyond it nobody's next letter is checked until
    /// there is room, so writers wait and nothing is lost.
    pub registry_bytes: u32,
    /// How long a socket may accept nothing while bytes wait for it.
    pub write_timeout_s: u32,
    /// How often we ask a silent connection whether it lives.
    pub ping_interval_s: u32,
    /// Silence after which it does not.
    pub silence_timeout_s: u32,
    /// Recipients of one letter. Every one costs every receiving client a private-key operation.
    pub recipients_per_letter: u32,
    /// Signatures remembered against verbatim replays, of hellos and of letters each.
    pub replay_window: u32,
    /// Names whose keys are remembered, in dialects in which members choose names. About 100 bytes each.
    pub names: u32,
    /// Bans that the operator may make, and as many again in each list of a neighbour that is subscribed to.
    /// About 300 bytes each; what a question costs does not grow with them.
    pub bans: u32,
    /// Bytes a second that client lists may take of our outgoing traffic; the rest is for letters.
    pub presence_bytes_per_second: u32,
    /// The largest uploaded file.
    pub upload_bytes: u64,
    /// All uploaded files together.
    pub upload_total_bytes: u64,
    /// How long an uploaded file is kept.
    pub upload_keep_s: u32,
    /// Uploads from one address in a minute.
    pub uploads_per_address_per_minute: u32,
    /// Bytes that one address may upload in an hour, so that no stranger fills the house for all.
    pub upload_bytes_per_address_per_hour: u64,
    /// Private letters that wait for one member who is away. More than a holiday brings, less than a flood.
    pub offline_letters_per_member: u32,
    /// Bytes of them; also what may wait of one author for everybody together. Never more than a quarter of
    /// `queue_bytes`, so that all of it finds room at the hello, beside the lists.
    pub offline_bytes_per_member: u32,
    /// Bytes of all letters that wait. They are held in memory, too, so this is what a crowd can cost of both.
    pub offline_total_bytes: u64,
    /// How long a letter waits.
    pub offline_keep_s: u32,
    /// Members of whom it is remembered how far they have heard, in dialects whose letters name no recipient.
    /// About 100 bytes each.
    pub offline_members: u32,
    /// Rooms at most, those included in which nobody is: each keeps its history. A quarter is kept for members of this
    /// home, and one neighbour brings no more than half.
    pub rooms: u32,
    /// Of those, rooms that one member has opened. Those that are empty and without a history do not count.
    pub rooms_opened_per_member: u32,
    /// Rooms that were opened from one address since the start: where names cost nothing, a member is nobody.
    pub rooms_opened_per_address: u32,
    /// Rooms that one member may be in at once, in dialects that let it be in several.
    pub rooms_per_member: u32,
    /// Guests of one room, those at neighbours included. Each who comes is told of all of them. A quarter is kept for
    /// guests of this home, and one neighbour takes no more than half.
    pub room_guests: u32,
    /// Lines that the history of one room keeps. The oldest go first.
    pub room_lines: u32,
    /// Bytes of lines after which an older one goes from the history of a room. With `rooms` this bounds what all rooms
    /// together take of memory and of the disk.
    pub room_bytes: u32,
    /// How long a line is kept.
    pub room_keep_s: u32,
    /// The longest text of one line. Longer ones are refused, never cut.
    pub room_line_bytes: u32,
    /// Lines a second that the bridge takes from other protocols, and as many that it says again in them: each of
    /// those costs up to two signatures, and goes to everybody. A single author gets a quarter of it.
    pub bridge_lines_per_second: u32,
    /// Registrations at the rendezvous from one address (IPv6: from one /64). A household with a few programs fits,
    /// and a stranger takes a quarter of the places that there are by default. This machine itself is not counted.
    pub directory_per_address: u32,
    /// Addresses that one member may register beside that: one for each of a few devices.
    pub directory_per_member: u32,
    /// Entries that one neighbour may tell of. All of them go out to everybody here.
    pub directory_per_neighbour: u32,
    /// Bytes a second that one node may have relayed, and as many at once: enough for what people type, too few for a
    /// film.
    pub relay_bytes_per_second: u32,
    /// Visits at the door of succession at once, those of nodes of this home not counted: each is one short request.
    pub succession_visits: u32,
    /// Of these from one address (IPv6: from one /64). The hosts of an office fit; a stranger who says nothing
    /// holds no more of them.
    pub succession_visits_per_address: u32,
    /// Bytes of wrapped keys of the public channel that are kept of one server, for members who come later. They are
    /// held in memory, too, and of at most 64 servers.
    pub channel_bytes: u32,
    /// How long a drain may take until the last connection is closed.
    pub drain_s: u32,
    /// Neighbours at most. Beyond some hundred, a mesh in which everybody links to everybody is the wrong
    /// shape: every change of presence goes out once per neighbour.
    pub peers: u32,
    /// The largest message of a neighbour. It holds a client's largest letter with its envelope, or a whole
    /// list of some thousand members from a neighbour that knows no deltas.
    pub peer_message_bytes: u32,
    /// What may wait for one neighbour. One that is further behind is cut off and starts afresh.
    pub peer_queue_bytes: u32,
    /// Frames a neighbour may send in a second, on average: it speaks for all its members, so a client's
    /// allowance would not do. Beyond it we read more slowly.
    pub peer_frames_per_second: u32,
    /// Frames it may send at once before the average counts.
    pub peer_frames_burst: u32,
    /// Bytes a neighbour may send in a second, on average. Beyond it we read more slowly.
    pub peer_bytes_per_second: u32,
    /// Bytes it may send at once before the average counts.
    pub peer_bytes_burst: u32,
    /// Members one neighbour may list: what a lying neighbour can cost us in memory.
    pub peer_members: u32,
    /// How often neighbours show each other that they live. Shorter than for clients, because everybody
    /// sees at once who has lost a whole server.
    pub peer_heartbeat_s: u32,
    /// Silence after which a neighbour does not live. More than two heartbeats, so that one that is lost
    /// or late ends nothing.
    pub peer_silence_s: u32,
    /// How long dialling a neighbour may take, from the first packet to the end of the greeting.
    pub peer_dial_timeout_s: u32,
    /// The longest pause between two attempts. Minutes, so that a neighbour that comes back is found soon,
    /// and one that is gone for good costs next to nothing.
    pub peer_backoff_most_s: u32,
    /// How long a neighbour that moves to another of its nodes is waited for, on each link. Planned moves take about a
    /// second, and their neighbours dial soon.
    pub peer_move_s: u32,
    /// A neighbour that knows only whole lists gets at most one in this time; the window grows with the
    /// list, as `peer_update_bytes_per_second` wants it. Milliseconds.
    pub peer_update_window_ms: u32,
    /// Bytes a second that whole lists may take of the traffic to one such neighbour.
    pub peer_update_bytes_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 512,
            connections_per_member: 16,
            hellos_per_address_per_minute: 600,
            hello_timeout_s: 10,
            request_head_timeout_s: 5,
            frames_per_second: 50,
            frames_burst: 200,
            bytes_per_second: 2 << 20,
            bytes_burst: 8 << 20,
            message_bytes: 1 << 20,
            checks_per_address: 64,
            queue_bytes: 4 << 20,
            registry_bytes: 32 << 20,
            write_timeout_s: 10,
            ping_interval_s: 20,
            silence_timeout_s: 40,
            recipients_per_letter: 256,
            replay_window: 65_536,
            names: 262_144,
            bans: 4_096,
            presence_bytes_per_second: 32 << 20,
            upload_bytes: 50 << 20,
            upload_total_bytes: 2 << 30,
            upload_keep_s: 7 * 24 * 3600,
            uploads_per_address_per_minute: 60,
            upload_bytes_per_address_per_hour: 512 << 20,
            offline_letters_per_member: 200,
            offline_bytes_per_member: 1 << 20,
            offline_total_bytes: 64 << 20,
            offline_keep_s: 7 * 24 * 3600,
            offline_members: 65_536,
            rooms: 1024,
            rooms_opened_per_member: 64,
            rooms_opened_per_address: 128,
            rooms_per_member: 64,
            room_guests: 4096,
            room_lines: 1000,
            room_bytes: 256 << 10,
            room_keep_s: 30 * 24 * 3600,
            room_line_bytes: 16 << 10,
            bridge_lines_per_second: 20,
            directory_per_address: 16,
            directory_per_member: 4,
            directory_per_neighbour: 256,
            relay_bytes_per_second: 64 << 10,
            succession_visits: 512,
            succession_visits_per_address: 64,
            channel_bytes: 256 << 10,
            drain_s: 5,
            peers: 256,
            peer_message_bytes: 4 << 20,
            peer_queue_bytes: 16 << 20,
            peer_frames_per_second: 5_000,
            peer_frames_burst: 20_000,
            peer_bytes_per_second: 32 << 20,
            peer_bytes_burst: 64 << 20,
            peer_members: 65_536,
            peer_heartbeat_s: 5,
            peer_silence_s: 15,
            peer_dial_timeout_s: 10,
            peer_backoff_most_s: 120,
            peer_move_s: 15,
            peer_update_window_ms: 250,
            peer_update_bytes_per_second: 1 << 20,
        }
    }
}

impl Limits {
    /// How long a neighbour that is told whole lists is left alone after a list of so many bytes.
    #[must_use]
    pub fn update_window(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let share = bytes.saturating_mul(1000) / u64::from(self.peer_update_bytes_per_second.max(1));
        Duration::from_millis(share.saturating_add(self.peer_update_window_ms.into()))
    }
}

/// The number of seconds as a span.
#[must_use]
pub fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
