//! The clients of the rendezvous: what they make of what they hear, and whom they dial.

use kith::{
    dialect::rendezvous::{KITH, LIST, line::Line, server::Heard},
    domain::{Moment, endpoint::Endpoint, id::ConnectionId},
};

use super::{BUFFER, Event, Kind, Scene};

impl Scene {
    /// The server is gone: the first clients end with it, newer ones keep their links and come back.
    pub(super) fn lost(&mut self, at: usize) {
        self.clients[at].socket = None;
        if self.clients[at].kind == Kind::First {
            self.forget(at);
            self.clients[at].is_up = false;
        }
        let again = self.now + Moment::from_millis(self.chance.u64(200..2000));
        self.plan(again, Event::Start(at));
    }

    pub(super) fn tell(&mut self, at: usize, socket: ConnectionId, bytes: &[u8]) {
        match self.clients[at].kind {
            Kind::First => return self.tell_first(at, bytes),
            Kind::Dead => return,
            Kind::Reader | Kind::Node { .. } => {}
        }
        let mut heard = Vec::new();
        self.clients[at].reader.push(bytes, &mut heard);
        // What comes is whole, so nothing is added to it.
        self.clients[at].reader.quiet(&mut heard);
        for one in heard {
            match one {
                Heard::Line(Line::Greeting) => {
                    assert_ne!(self.clients[at].kind, Kind::Reader, "who ends lines is not greeted");
                    self.clients[at].is_node = true;
                    self.send(socket, true, &Line::Node.bytes());
                }
                Heard::Line(Line::Ping { n }) => self.send(socket, true, &Line::Pong { n }.bytes()),
                Heard::List(entries) if self.clients[at].kind == Kind::Reader => {
                    self.introduced(at, &entries);
                }
                // It was on its way when the answer was.
                Heard::List(_) => {}
                Heard::Directory(directory) => {
                    let entries: Vec<_> = directory.members.iter().map(|listed| listed.at).collect();
                    let relayed = directory.members.iter().filter(|listed| listed.relayed);
                    self.clients[at].relayed = relayed.map(|listed| listed.at).collect();
                    self.introduced(at, &entries);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// A newer client dials everybody behind itself, and skips whom it cannot reach.
    fn introduced(&mut self, at: usize, entries: &[Endpoint]) {
        let own = self.clients[at].own;
        let behind = entries.iter().skip_while(|entry| **entry != own).skip(1);
        self.clients[at].to_dial = behind.copied().collect();
        for to in self.clients[at].to_dial.clone() {
            let _ = self.dial(at, to);
        }
    }

    /// One of the first clients: a buffer that is never cleared, and one dial for each list.
    fn tell_first(&mut self, at: usize, bytes: &[u8]) {
        let client = &mut self.clients[at];
        assert!(bytes.len() < BUFFER, "it reads no more");
        client.buffer[..bytes.len()].copy_from_slice(bytes);
        let end = client.buffer.iter().position(|byte| *byte == 0).unwrap_or(BUFFER);
        let text = String::from_utf8(client.buffer[..end].to_vec()).expect("text");
        let Some(entries) = text.strip_prefix(&format!("{LIST}\n")) else {
            assert!(bytes.starts_with(KITH.as_bytes()), "{text}");
            return;
        };
        assert!(end <= bytes.len(), "something older is left behind {text:?}");
        let own = client.own;
        let entries = entries.lines().map(|line| line.parse::<Endpoint>().expect("an address"));
        let behind: Vec<_> = entries.skip_while(|entry| *entry != own).skip(1).collect();
        let unknown = |to: &&Endpoint| self.other(**to).is_some_and(|other| !self.are_linked(at, other));
        if let Some(to) = behind.iter().find(unknown).copied() {
            let _ = self.dial(at, to);
        }
    }

    fn other(&self, at: Endpoint) -> Option<usize> {
        self.clients.iter().position(|client| client.own == at)
    }

    pub(super) fn are_linked(&self, one: usize, other: usize) -> bool {
        self.links.contains(&(one.min(other), one.max(other)))
    }

    /// Whether it is linked afterwards.
    fn dial(&mut self, at: usize, to: Endpoint) -> bool {
        let Some(other) = self.other(to) else { return false };
        let peer = &self.clients[other];
        if peer.takes_connections() && other != at {
            self.links.insert((at.min(other), at.max(other)));
        }
        self.are_linked(at, other)
    }
}
