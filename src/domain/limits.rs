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
    /// How long a drain may take until the last connection is closed.
    pub drain_s: u32,
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
            presence_bytes_per_second: 32 << 20,
            upload_bytes: 50 << 20,
            upload_total_bytes: 2 << 30,
            upload_keep_s: 7 * 24 * 3600,
            uploads_per_address_per_minute: 60,
            upload_bytes_per_address_per_hour: 512 << 20,
            drain_s: 5,
        }
    }
}

/// The number of seconds as a span.
#[must_use]
pub fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
