//! Wire protocols as values: bytes in, wishes out, and nothing is done here.
//!
//! One folder per dialect. This file is the closed list: the compiler names every match below when a
//! dialect is added to `domain::dialect::Dialect`. A session never sleeps, never checks a signature
//! itself and never touches a socket, so that its laws can be tested without any of them.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

pub mod errand;
pub mod event;
pub mod kith;
pub mod olaf;
pub mod press;
pub mod rendezvous;
pub mod rooms;
pub mod sealed;
pub mod socp;
pub mod succession;
pub mod tpacket;
pub mod vocabulary;

use std::sync::Arc;

use event::{Input, Output};
use socp::stamp::Unsigned;

use crate::{
    crypto::{keys::PublicKey, sha256, sha256_start},
    domain::{
        Moment,
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::Frame,
        member::{Member, Newcomer},
        peer::LinkDialect,
        refusal::{Ending, Violation},
        replay::Trace,
    },
};

/// What sessions must know of the house.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Behind which doors this home is found, if it has several.
    pub doors: Vec<String>,
    /// Recipients that one letter may have.
    pub recipients_per_letter: u32,
    /// Whether to adapt to implementations of OLAF that are recognised by the way they write.
    pub detect_accents: bool,
    /// Whether to adapt to servers of SOCP that are recognised in this way.
    pub socp_detect_accents: bool,
    /// Whether neighbours may be heard whose messages carry no signature, or none that proves anything.
    pub unsigned: bool,
    /// How often a neighbour is asked whether it lives.
    pub peer_heartbeat_s: u32,
    /// Silence after which it does not.
    pub peer_silence_s: u32,
    /// Whether clients of tPacket may change neither their nick nor their room, as its first server had it.
    pub tpacket_strict_seed: bool,
    /// Who we are.
    pub myself: Myself,
}

/// How this server introduces itself to others.
#[derive(Clone, Debug)]
pub struct Myself {
    /// The address under which its members are listed.
    pub address: String,
    /// What its operator calls it.
    pub name: String,
    /// What it is called in dialects whose servers have names made for them, not by them.
    pub id: Arc<str>,
    /// Whether servers of that dialect are heard at that address.
    pub takes_socp: bool,
    /// Its key.
    pub key: Arc<PublicKey>,
}

/// How a connection wants to be written to. Connections with equal ears share the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ear {
    /// An OLAF client.
    Olaf(olaf::accent::Ear),
    /// A neighbour that speaks OLAF.
    OlafPeer(olaf::peer::Accent),
    /// A SOCP client.
    Socp(socp::Accent),
    /// A neighbour that speaks SOCP.
    SocpPeer(socp::Accent),
    /// A tPacket client, of this version.
    Tpacket(tpacket::Version),
    /// A neighbour that speaks as we do.
    Kith,
}

impl Ear {
    /// The accent of a neighbour that has one.
    #[must_use]
    pub const fn accent(self) -> Option<Accent> {
        match self {
            Self::OlafPeer(accent) => Some(Accent::Olaf(accent)),
            Self::SocpPeer(accent) => Some(Accent::Socp(accent)),
            Self::Olaf(_) | Self::Socp(_) | Self::Tpacket(_) | Self::Kith => None,
        }
    }

    /// The protocol in which letters go to this ear; none between homes that hand on all of them.
    #[must_use]
    pub const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Olaf(_) | Self::OlafPeer(_) => Some(Dialect::Olaf),
            Self::Socp(_) | Self::SocpPeer(_) => Some(Dialect::Socp),
            Self::Tpacket(_) => Some(Dialect::Tpacket),
            Self::Kith => None,
        }
    }

    /// Whether a client waits to hear whether it was let in, and may try again under another name if not.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Tpacket(_))
    }

    /// Whether this is a client that is told the whole list after every change.
    #[must_use]
    pub const fn hears_lists(self) -> bool {
        matches!(self, Self::Olaf(_))
    }
}

/// How a neighbour deviates from its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accent {
    /// From OLAF.
    Olaf(olaf::peer::Accent),
    /// From SOCP.
    Socp(socp::Accent),
}

impl Accent {
    /// Reads the name of an accent of this protocol.
    ///
    /// # Errors
    /// It has none of that name; in words.
    pub fn parse(dialect: LinkDialect, name: &str) -> Result<Self, String> {
        match dialect {
            LinkDialect::Olaf => {
                olaf::peer::Accent::parse(name).map(Self::Olaf).map_err(|error| error.to_string())
            }
            LinkDialect::Socp => socp::Accent::parse(name).map(Self::Socp).map_err(|error| error.to_string()),
            LinkDialect::Kith => Err("the Kith link has no accents".to_owned()),
        }
    }

    /// Its shortest name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Olaf(accent) => accent.name(),
            Self::Socp(accent) => accent.name(),
        }
    }
}

/// One connection's side of its protocol.
#[derive(Debug)]
pub enum Session {
    /// Nothing was said yet; the first frame decides.
    Undecided(Box<Undecided>),
    /// OLAF, client side of the server.
    Olaf(olaf::session::Session),
    /// OLAF, another server.
    OlafPeer(Box<olaf::peer::Session>),
    /// A SOCP client.
    Socp(Box<socp::session::Session>),
    /// Another server that speaks SOCP.
    SocpPeer(Box<socp::peer::Session>),
    /// A tPacket client.
    Tpacket(tpacket::session::Session),
    /// Another Kith server.
    Kith(Box<kith::session::Session>),
    /// No dialect: every message goes back as it came. It lets a test suite see the WebSocket below the
    /// dialects, and never says who it is.
    Echo,
    /// Over; no wish will ever come from here again.
    Over,
}

/// A connection that has not shown its dialect, or not whether a client or a server speaks it.
#[derive(Debug)]
pub struct Undecided {
    id: ConnectionId,
    pinned: Option<Dialect>,
    terms: Arc<Terms>,
    wish: Option<olaf::accent::Ear>,
}

impl Session {
    /// A session for a new connection, pinned to a dialect by path or listener, or still open.
    ///
    /// `wish` is what the client asked for in the URL, if it did.
    #[must_use]
    pub fn new(
        id: ConnectionId,
        pinned: Option<Dialect>,
        terms: Arc<Terms>,
        wish: Option<olaf::accent::Ear>,
    ) -> Self {
        if pinned == Some(Dialect::Tpacket) {
            // Whoever comes to this door is answered in its protocol, whatever the first frame is.
            return Self::Tpacket(tpacket::session::Session::new(id, terms));
        }
        Self::Undecided(Box::new(Undecided { id, pinned, terms, wish }))
    }

    /// The only door: something happened, and these are the wishes.
    pub fn handle(&mut self, input: Input, now: Moment, out: &mut Vec<Output>) {
        match self {
            Self::Olaf(session) => session.handle(input, out),
            Self::OlafPeer(session) => session.handle(input, now, out),
            Self::Socp(session) => session.handle(input, out),
            Self::SocpPeer(session) => session.handle(input, now, out),
            Self::Tpacket(session) => session.handle(input, out),
            Self::Kith(session) => session.handle(input, now, out),
            Self::Echo => {
                if let Input::Frame(frame) = input {
                    out.push(Output::Send(frame));
                }
            }
            Self::Over => {}
            Self::Undecided(undecided) => {
                let Input::Frame(frame) = &input else { return };
                match undecided.decide(frame) {
                    Ok(session) => {
                        *self = session;
                        self.handle(input, now, out);
                    }
                    // Whoever is at the wrong door never says anything else.
                    Err(violation @ Violation::WrongDialect) => {
                        self.end();
                        out.push(Output::Close(Ending::Violated(violation)));
                    }
                    Err(violation) => out.push(Output::Note(violation)),
                }
            }
        }
    }

    /// What goes out, as it goes out.
    #[must_use]
    pub fn wrap(&mut self, frame: Frame) -> Frame {
        if let Self::Kith(session) = self { session.wrap(frame) } else { frame }
    }

    /// What goes out instead of this once we have signed it, if it needs our signature.
    #[must_use]
    pub fn unsigned(&self, frame: &Frame) -> Option<Unsigned> {
        match self {
            Self::Socp(session) => session.stamp().unsigned(frame),
            Self::SocpPeer(session) => session.stamp().unsigned(frame),
            _ => None,
        }
    }

    /// The last words before the connection ends, in dialects that have some.
    #[must_use]
    pub fn last_words(&self, ending: Ending) -> Option<Frame> {
        match self {
            Self::Socp(session) => session.last_words(ending),
            Self::SocpPeer(_) => socp::session::last_words_to_server(ending),
            Self::Tpacket(session) => session.last_words(ending),
            _ => None,
        }
    }

    /// How long the other side may be silent by its protocol, if that says so.
    #[must_use]
    pub const fn silence_s(&self) -> u32 {
        if let Self::SocpPeer(_) = self { socp::peer::SILENCE_S } else { 0 }
    }

    /// How long the other side may wait until it says who it is, if its protocol lets it wait.
    #[must_use]
    pub fn hello_s(&self) -> u32 {
        if let Self::SocpPeer(session) = self { session.hello_s() } else { 0 }
    }

    /// Whether the other side is a server.
    #[must_use]
    pub const fn is_peer(&self) -> bool {
        matches!(self, Self::OlafPeer(_) | Self::SocpPeer(_) | Self::Kith(_))
    }

    /// The connection is over; no wish will ever come from here again.
    pub fn end(&mut self) {
        *self = Self::Over;
    }
}

impl Undecided {
    fn decide(&self, first: &Frame) -> Result<Session, Violation> {
        let dialect = dialect_of(first, &self.terms).ok_or(Violation::Malformed)?;
        if self.pinned.is_some_and(|only| only != dialect) {
            return Err(Violation::WrongDialect);
        }
        Ok(match dialect {
            Dialect::Olaf if olaf::peer::is_server(first, &self.terms) => {
                Session::OlafPeer(Box::new(olaf::peer::Session::answering(Arc::clone(&self.terms))))
            }
            Dialect::Socp if socp::peer::is_server(first) => {
                Session::SocpPeer(Box::new(socp::peer::Session::answering(Arc::clone(&self.terms))))
            }
            Dialect::Socp => {
                Session::Socp(Box::new(socp::session::Session::new(self.id, Arc::clone(&self.terms))))
            }
            Dialect::Olaf => {
                Session::Olaf(olaf::session::Session::new(self.id, Arc::clone(&self.terms), self.wish))
            }
            Dialect::Tpacket => {
                Session::Tpacket(tpacket::session::Session::new(self.id, Arc::clone(&self.terms)))
            }
        })
    }
}

/// Who a member would be under another nick, in dialects whose members choose one.
#[must_use]
pub fn under(member: &Member, nick: &str) -> Option<Newcomer> {
    match member.dialect {
        Dialect::Tpacket => Some(tpacket::newcomer(nick, Trace([0; 16]))),
        // Keys do not change, and a name belongs to its key.
        Dialect::Olaf | Dialect::Socp => None,
    }
}

/// The key by which lines are known of a home that knows no rooms. Nobody can prove it.
#[must_use]
pub fn home_without_rooms(address: &str) -> KeyId {
    KeyId(sha256(format!("home without rooms\n{address}").as_bytes()))
}

/// What makes bytes recognisable that come again.
#[must_use]
pub fn trace(bytes: impl AsRef<[u8]>) -> Trace {
    Trace(sha256_start(bytes.as_ref()))
}

/// The dialect that speaks like this, if one does.
#[must_use]
pub fn dialect_of(frame: &Frame, terms: &Terms) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| match dialect {
        Dialect::Olaf => olaf::wire::is_olaf(frame) || olaf::peer::is_server(frame, terms),
        Dialect::Socp => socp::is_socp(frame),
        Dialect::Tpacket => tpacket::is_tpacket(frame),
    })
}

/// Whether an objection of the house ends the connection, or only costs the frame.
#[must_use]
pub const fn is_fatal(ending: Ending) -> bool {
    !matches!(
        ending,
        Ending::Violated(
            Violation::Malformed
                | Violation::OutOfOrder
                | Violation::StaleCounter
                | Violation::WrongSender
                | Violation::TooManyRecipients
        )
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn an_echo_sends_back_every_message_until_it_ends_and_wishes_for_nothing_else() {
        let mut session = Session::Echo;
        let frames = [Frame::Text("{\"type\":\"hello\"}".into()), Frame::Binary(Bytes::from_static(b"\xff"))];
        let mut out = Vec::new();
        session.handle(Input::Opened, Moment::ZERO, &mut out);
        session.handle(Input::Woken, Moment::ZERO, &mut out);
        assert!(out.is_empty(), "{out:?}");
        for frame in &frames {
            session.handle(Input::Frame(frame.clone()), Moment::ZERO, &mut out);
            assert!(matches!(&out[..], [Output::Send(sent)] if sent == frame), "{out:?}");
            out.clear();
        }
        assert!(!session.is_peer() && session.last_words(Ending::Left).is_none());
        session.end();
        session.handle(Input::Frame(frames[0].clone()), Moment::ZERO, &mut out);
        assert!(out.is_empty(), "{out:?}");
    }
}
