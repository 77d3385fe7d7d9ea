//! One letter or list, printed once per way of hearing it.
//!
//! A listener of the author's own dialect gets the author's own bytes, because signatures cover them.
//! Only a listener that is known to understand nothing else gets another shape.

use std::sync::Arc;

use super::{
    Ear,
    errand::Reply,
    event::{Check, Pause},
    kith, olaf, rooms, socp, tpacket,
};
use crate::crypto::keys::PublicKey;
use crate::domain::{
    dialect::Dialect,
    id::KeyId,
    letter::{Frame, Letter},
    member::Member,
    news::Digest,
    rooms::{Answer, Event, RoomName, RoomNews, Ticket},
};

/// The letter as this ear hears it, or nothing if it cannot be said there.
#[must_use]
pub fn letter(letter: &Letter, ear: Ear) -> Option<Frame> {
    match (letter.dialect, ear) {
        (Dialect::Olaf, Ear::Olaf(ear)) => Some(olaf::relay::letter(&letter.original, ear.letters)),
        (Dialect::Olaf, Ear::OlafPeer(accent)) => Some(olaf::peer::letter(&letter.original, accent)),
        (Dialect::Socp, Ear::Socp(_)) => socp::relay::to_member(&letter.original),
        (Dialect::Socp, Ear::SocpPeer(accent)) => socp::relay::to_server(&letter.original, accent),
        (_, Ear::Kith) => kith::wire::letter(letter),
        // Each of them hears its own members only.
        (Dialect::Olaf, Ear::Socp(_) | Ear::SocpPeer(_)) => None,
        (Dialect::Socp, Ear::Olaf(_) | Ear::OlafPeer(_)) => None,
        // Here all is said in rooms.
        (Dialect::Tpacket, _) | (_, Ear::Tpacket(_)) => None,
    }
}

/// One home in the client list.
#[derive(Debug)]
pub struct Home<'a> {
    /// Its number.
    pub number: u32,
    /// Its address, as it spells it.
    pub address: &'a str,
    /// Its members.
    pub members: Vec<&'a Member>,
}

/// The client list of the whole neighbourhood as this ear hears it.
#[must_use]
pub fn list(homes: &[Home<'_>], ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Olaf(ear) => Some(Frame::Text(olaf::relay::client_list(homes, ear.lists).into())),
        // Servers are told about our own members only.
        Ear::OlafPeer(_) | Ear::SocpPeer(_) | Ear::Kith => None,
        // They are told each by itself.
        Ear::Socp(_) => None,
        // They are told who is in their room.
        Ear::Tpacket(_) => None,
    }
}

/// All members of this home, for neighbours that must be told all of them each time.
#[must_use]
pub fn whole<'a>(members: impl Iterator<Item = &'a Member>, address: &str, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::OlafPeer(accent) => {
            let members = members.filter(|member| member.dialect == Dialect::Olaf);
            Some(olaf::peer::client_update(members, address, accent))
        }
        _ => None,
    }
}

/// Somebody came to this home or went, for neighbours that hear of each by itself.
#[must_use]
pub fn change(sequence: u64, member: &Member, came: bool, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Kith => Some(kith::wire::change(sequence, member, came)),
        Ear::SocpPeer(accent) if came => socp::relay::came(member, accent),
        Ear::SocpPeer(_) => socp::relay::went(member),
        _ => None,
    }
}

/// Somebody has left, for neighbours that cannot find out by themselves whether they have missed it.
#[must_use]
pub fn gone(member: &Member, ear: Ear) -> Option<Frame> {
    let Ear::SocpPeer(_) = ear else { return None };
    socp::relay::went(member)
}

/// Somebody who came is in the public channel, of which this is the version there, where there are words for that.
#[must_use]
pub fn in_channel(member: &Member, version: u64, ear: Ear) -> Option<Frame> {
    let Ear::SocpPeer(accent) = ear else { return None };
    socp::relay::in_channel(std::iter::once(member), version, accent)
}

/// Part of the members of this home, for neighbours that hear of each by itself.
#[must_use]
pub fn part(
    after: Option<KeyId>,
    members: &[Arc<Member>],
    is_last: bool,
    sequence: u64,
    version: u64,
    ear: Ear,
) -> Vec<Frame> {
    match ear {
        Ear::Kith => vec![kith::wire::part(after, members, is_last, sequence)],
        Ear::SocpPeer(accent) => {
            let came = members.iter().filter_map(|member| socp::relay::came(member, accent));
            let members = members.iter().map(AsRef::as_ref);
            came.chain(socp::relay::in_channel(members, version, accent)).collect()
        }
        _ => Vec::new(),
    }
}

/// A member is in, for clients that wait to hear that.
#[must_use]
pub fn welcome(member: &Member, ear: Ear, own_key: &PublicKey) -> Option<Frame> {
    let Ear::Socp(accent) = ear else { return None };
    socp::relay::welcome(member, accent, own_key)
}

/// Somebody came, for clients that hear of each by itself.
#[must_use]
pub fn came(member: &Member, ear: Ear) -> Option<Frame> {
    let Ear::Socp(accent) = ear else { return None };
    socp::relay::came(member, accent)
}

/// Somebody went, for clients that hear of each by itself.
#[must_use]
pub fn went(member: &Member, ear: Ear) -> Option<Frame> {
    let Ear::Socp(_) = ear else { return None };
    socp::relay::went(member)
}

/// A letter is for somebody who is nowhere, where there are words for that.
#[must_use]
pub fn not_found(letter: &Letter, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Socp(_) | Ear::SocpPeer(_) => socp::relay::not_found(&letter.original),
        Ear::Olaf(_) | Ear::OlafPeer(_) | Ear::Tpacket(_) | Ear::Kith => None,
    }
}

/// Whether a letter is private, small and sealed, so that it may be kept for somebody who is away.
#[must_use]
pub fn is_sealed(letter: &Letter) -> bool {
    match letter.dialect {
        Dialect::Olaf => olaf::wire::is_sealed(&letter.original),
        Dialect::Socp => socp::relay::is_sealed(&letter.original),
        // It has no letters.
        Dialect::Tpacket => false,
    }
}

/// The fingerprint of the key that a letter says is its author's.
#[must_use]
pub fn author_key(letter: &Letter) -> Option<KeyId> {
    match letter.dialect {
        // Its members are known by their keys and nothing else.
        Dialect::Olaf | Dialect::Tpacket => None,
        Dialect::Socp => socp::heard::author_key(&letter.original),
    }
}

/// A letter is kept until its recipient comes, where there are words for that.
#[must_use]
pub fn kept(letter: &Letter, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Socp(_) => socp::relay::kept(&letter.original),
        Ear::Olaf(_) | Ear::OlafPeer(_) | Ear::SocpPeer(_) | Ear::Tpacket(_) | Ear::Kith => None,
    }
}

/// The author of a letter is not here any more, for neighbours that take whoever writes to be here.
#[must_use]
pub fn not_here(letter: &Letter, ear: Ear) -> Option<Frame> {
    match ear {
        Ear::SocpPeer(_) => socp::relay::not_here(&letter.original),
        Ear::Olaf(_) | Ear::OlafPeer(_) | Ear::Socp(_) | Ear::Tpacket(_) | Ear::Kith => None,
    }
}

/// Where the list of this home stands, for neighbours that keep count.
#[must_use]
pub fn standing(sequence: u64, digest: Digest, ear: Ear) -> Option<Frame> {
    (ear == Ear::Kith).then(|| kith::wire::standing(sequence, digest))
}

/// A word about a home that is about to move, for neighbours who understand it.
#[must_use]
pub fn pause(pause: Pause, ear: Ear) -> Option<Frame> {
    (ear == Ear::Kith).then(|| kith::wire::pause(pause))
}

/// The neighbour's whole list is wanted.
#[must_use]
pub fn want_list(ear: Ear) -> Option<Frame> {
    match ear {
        Ear::Kith => Some(kith::wire::want_list()),
        Ear::OlafPeer(_) => Some(olaf::peer::update_request()),
        Ear::Olaf(_) | Ear::Socp(_) | Ear::SocpPeer(_) | Ear::Tpacket(_) => None,
    }
}

/// What must be checked before a letter may count as this member's; nothing, if it cannot be.
#[must_use]
pub fn question(letter: &Letter, member: &Member) -> Option<Check> {
    match letter.dialect {
        Dialect::Olaf => olaf::peer::question(&letter.original, member),
        Dialect::Socp => socp::heard::question(&letter.original, member),
        Dialect::Tpacket => None,
    }
}

/// What neighbours tell each other about rooms: these frames, in this order.
#[must_use]
pub fn room_news(news: &RoomNews, ear: Ear) -> Vec<Frame> {
    match ear {
        Ear::Kith => kith::rooms::news(news),
        // The others know no rooms.
        _ => Vec::new(),
    }
}

/// What somebody is answered who wished something of a room: these frames, in this order.
#[must_use]
pub fn answer(ticket: Ticket, answer: &Answer, ear: Ear) -> Vec<Frame> {
    match ear {
        Ear::Tpacket(version) => tpacket::speech::answer(ticket, answer, version),
        Ear::Olaf(_) | Ear::Socp(_) => rooms::answer(ticket, answer),
        // Servers have no wishes.
        Ear::OlafPeer(_) | Ear::SocpPeer(_) | Ear::Kith => Vec::new(),
    }
}

/// What came of an errand, for who had one: these frames, in this order.
#[must_use]
pub fn reply(ticket: Ticket, reply: &Reply, ear: Ear) -> Vec<Frame> {
    match ear {
        Ear::Tpacket(_) => tpacket::directory::answer(ticket, reply),
        Ear::Olaf(_) | Ear::Socp(_) => rooms::directory::answer(ticket, reply),
        // Servers have no errands.
        Ear::OlafPeer(_) | Ear::SocpPeer(_) | Ear::Kith => Vec::new(),
    }
}

/// What happened in a room, for a guest who hears it: these frames, in this order.
#[must_use]
pub fn room_event(room: &RoomName, event: &Event, ear: Ear) -> Vec<Frame> {
    match ear {
        Ear::Tpacket(version) => tpacket::speech::event(room, event, version),
        Ear::Olaf(_) | Ear::Socp(_) => rooms::event(room, event).into_iter().collect(),
        // Servers are no guests.
        Ear::OlafPeer(_) | Ear::SocpPeer(_) | Ear::Kith => Vec::new(),
    }
}
