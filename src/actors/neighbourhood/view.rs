//! The neighbours as people see them.

use std::sync::Arc;

use actix::{Context, Handler, MessageResult};

use super::{FindPeer, Neighbourhood, PeerView, Peers, Status};
use crate::{
    actors::{clock::unix_ms, meter::Reading},
    domain::{id::HomeId, neighbourhood::State},
};

impl Neighbourhood {
    pub(super) fn view(&self, home: HomeId) -> Option<PeerView> {
        let entry = self.parts.book.entry(home).filter(|entry| !entry.removed)?.clone();
        let known = self.known.get(&home)?;
        let status = known.status.clone().unwrap_or_else(|| Status::unborn(home));
        let sockets = &status.sockets;
        let reading =
            sockets.iter().map(|socket| socket.meter.read()).fold(status.past, |sum, next| sum + next);
        let round_trip = sockets.iter().filter_map(|socket| socket.meter.round_trip()).min();
        let heard = sockets.iter().map(|socket| socket.meter.heard()).max();
        let age =
            |heard| i64::try_from(self.parts.clock.now().saturating_sub(heard).as_millis()).unwrap_or(0);
        Some(PeerView {
            round_trip_us: round_trip.and_then(|span| u64::try_from(span.as_micros()).ok()),
            reading,
            waiting_bytes: sockets.iter().map(|socket| socket.lane.waiting()).sum(),
            heard_ms: heard.map(|heard| unix_ms() - age(heard)),
            links: Arc::clone(&known.links),
            links_ms: known.links_ms,
            entry,
            home,
            status,
        })
    }
}

impl Status {
    /// Of a link that has not said anything yet.
    pub(crate) fn unborn(home: HomeId) -> Self {
        Self {
            home,
            state: State::Down,
            since_ms: unix_ms(),
            sockets: Vec::new(),
            ear: None,
            trust: None,
            attempts: 0,
            next_dial_ms: None,
            trouble: None,
            doubt: None,
            steps: Vec::new(),
            past: Reading::default(),
        }
    }
}

impl Handler<Peers> for Neighbourhood {
    type Result = MessageResult<Peers>;

    fn handle(&mut self, _: Peers, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.known.keys().filter_map(|home| self.view(*home)).collect())
    }
}

impl Handler<FindPeer> for Neighbourhood {
    type Result = MessageResult<FindPeer>;

    fn handle(&mut self, FindPeer(id): FindPeer, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.parts.book.by_id(id).and_then(|home| self.view(home)))
    }
}
