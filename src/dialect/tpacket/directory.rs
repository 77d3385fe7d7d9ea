//! The directory of the rendezvous, for clients of our own version: to be listed, not to be, and to read it.

use super::{
    code,
    extension::count,
    packet::{Packet, command},
    speech,
};
use crate::{
    dialect::errand::{Errand, Reply, Why},
    domain::{
        directory::{
            listed::{Directory, Listed},
            rules::Refused,
        },
        endpoint::Endpoint,
        letter::Frame,
        rooms::Ticket,
    },
};

/// What is said of an entry beside its place and its address, one bit each.
pub mod mark {
    /// Nobody could dial it, so it dials the others.
    pub const UNDIALABLE: i32 = 1;
    /// The home that introduces it follows.
    pub const HOME: i32 = 2;
    /// The member who registered it follows.
    pub const MEMBER: i32 = 4;
}

/// What a request of the directory asks for; nothing, if it is none. The inner `None` is data that are not what they
/// should be.
pub(super) fn errand(packet: &Packet<'_>) -> Option<Option<Errand>> {
    Some(match packet.command {
        command::REGISTER => endpoint(packet.data).map(Errand::Register),
        command::UNREGISTER => endpoint(packet.data).map(Errand::Unregister),
        command::DIRECTORY => packet.data.is_empty().then_some(Errand::Read),
        _ => return None,
    })
}

fn endpoint(bytes: &[u8]) -> Option<Endpoint> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The answer to an errand: these packets, in this order.
#[must_use]
pub fn answer(ticket: Ticket, reply: &Reply) -> Vec<Frame> {
    match reply {
        Reply::Registered(_) | Reply::Unregistered(_) => vec![speech::done(ticket)],
        Reply::Directory(directory) => list(ticket, directory),
        Reply::Refused(why) => vec![speech::refused(ticket.0, refusal(*why))],
    }
}

/// How many entries of which edition, then each.
fn list(ticket: Ticket, directory: &Directory) -> Vec<Frame> {
    let Directory { epoch, version, ref members } = *directory;
    let (uid, p1) = (ticket.0, count(members.len()));
    let data = [epoch, version].map(u64::to_le_bytes).concat();
    let head = Packet { uid, command: command::RESP_OK, p1, p2: 0, data: &data }.print();
    std::iter::once(head).chain(members.iter().map(|listed| entry(uid, listed))).collect()
}

fn entry(uid: u32, listed: &Listed) -> Frame {
    let Listed { seq, at, undialable, relayed: _, home, member } = listed;
    let p1 =
        [(*undialable, mark::UNDIALABLE), (home.is_some(), mark::HOME), (member.is_some(), mark::MEMBER)];
    let p1 = p1.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).sum();
    let ids = [home, member].into_iter().flatten().flat_map(|id| id.0);
    let data: Vec<u8> = seq.to_le_bytes().into_iter().chain(ids).chain(at.to_string().into_bytes()).collect();
    Packet { uid, command: command::DIRECTORY, p1, p2: 0, data: &data }.print()
}

const fn refusal(why: Why) -> i32 {
    match why {
        Why::Rule(Refused::Foreign) => code::FOREIGN,
        Why::Rule(Refused::Unusable) => code::UNUSABLE,
        Why::Rule(Refused::Taken) => code::TAKEN,
        Why::Rule(Refused::TooMany) => code::FULL,
        Why::TooOften => code::TOO_OFTEN,
        Why::NotRegistered => code::NOT_REGISTERED,
    }
}
