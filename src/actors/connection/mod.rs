//! The actor of one WebSocket connection: hands frames to its session, carries out its wishes.
//!
//! Clients and servers come through the same door, and which of them it is shows with the first frame.
//! What only servers wish for is in `peer`. **Invariant:** however a connection dies, dropping this actor
//! is what takes it off the map.

mod ask;
mod errand;
mod launch;
mod outbox;
mod peer;

pub use self::launch::{Start, launch};

use std::{net::IpAddr, rc::Rc, sync::Arc, time::Duration};

use actix::{Actor, ActorContext as _, AsyncContext as _, Handler, SpawnHandle, StreamHandler};
use actix_http::ws::{Item, Message as WsMessage, ProtocolError};
use actix_web_actors::ws::WebsocketContext;

use self::{outbox::Outbox, peer::PeerSide};
use super::{
    event::Kind,
    flow::Flow,
    house::House,
    inlet::Inlet,
    lane::{Deliver, Lane, LaneEnd},
    registry::{Leave, Room, Route, WantList},
    websocket::{Assembler, goodbye, violation},
};
use crate::{
    dialect::{
        Session,
        event::{Input, Output},
    },
    domain::{
        id::{ConnectionId, HomeId},
        letter::Frame,
        rate::Bucket,
        refusal::{Ending, Refusal, Violation},
        rooms::Wish,
        vigil::{Due, Patience, Vigil},
    },
};

type Context = WebsocketContext<Connection>;

/// How often a connection that has not said hello looks whether the house closes.
const DRAIN_WATCH: Duration = Duration::from_millis(250);
/// One client or server.
pub struct Connection {
    id: ConnectionId,
    house: Arc<House>,
    address: IpAddr,
    session: Session,
    assembler: Assembler,
    vigil: Vigil,
    flow: Rc<Flow>,
    /// Until the actor starts.
    inlet: Option<Box<Inlet>>,
    lane: LaneEnd,
    frames: Bucket,
    bytes: Bucket,
    alarm: Option<SpawnHandle>,
    /// It has said who it is, and was let in.
    joined: bool,
    /// It has asked to be listed in the directory.
    registers: bool,
    /// What only connections with servers have.
    peer: Option<Box<PeerSide>>,
    /// While something that goes out is being signed.
    outbox: Option<Box<Outbox>>,
    ending: Option<Ending>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Connection({} from {})", self.id, self.address)
    }
}

/// The connection's ends of everything that leads to it.
#[derive(Debug)]
pub struct Ends {
    /// Shared with the pump.
    pub flow: Rc<Flow>,
    /// What comes in.
    pub inlet: Inlet,
    /// What is delivered.
    pub lane: LaneEnd,
}

impl Connection {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(id: ConnectionId, house: Arc<House>, address: IpAddr, session: Session, ends: Ends) -> Self {
        let limits = &house.limits;
        Self {
            id,
            address,
            session,
            assembler: Assembler::default(),
            vigil: Vigil::new(house.clock.now()),
            flow: ends.flow,
            inlet: Some(Box::new(ends.inlet)),
            lane: ends.lane,
            frames: Bucket::new(limits.frames_per_second, limits.frames_burst),
            bytes: Bucket::new(limits.bytes_per_second, limits.bytes_burst),
            alarm: None,
            joined: false,
            registers: false,
            peer: None,
            outbox: None,
            ending: None,
            house,
        }
    }

    /// A connection that we opened to a neighbour.
    #[must_use]
    pub fn dialled(id: ConnectionId, house: Arc<House>, home: HomeId, session: Session, ends: Ends) -> Self {
        let mut connection = Self::new(id, house, IpAddr::from([0, 0, 0, 0]), session, ends);
        connection.become_peer(Some(home));
        connection
    }

    /// Says goodbye. Frames that are already on their way to the socket go first.
    fn end(&mut self, ending: Ending, ctx: &mut Context) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        if let Some(words) = self.session.last_words(ending) {
            self.deliver(words, ctx);
        }
        self.part(ending, ctx);
    }

    fn hang_up(&mut self, ending: Ending, ctx: &mut Context) {
        self.session.end();
        ctx.close(Some(goodbye(ending, self.house.next_door.get().map(String::as_str))));
        ctx.stop();
    }

    /// Charges for what came in, whatever it is. Who sends more than it may is read more slowly.
    fn charge(&mut self, payload: usize) {
        let now = self.house.clock.now();
        self.vigil.heard(now);
        if let Some(peer) = &self.peer {
            peer.meter.came_in(payload, now);
        }
        let bytes = u32::try_from(payload).unwrap_or(u32::MAX);
        self.flow.pause(self.frames.charge(1, now).max(self.bytes.charge(bytes, now)));
    }

    fn on_frame(&mut self, frame: Frame, ctx: &mut Context) {
        self.step(Input::Frame(frame), ctx);
    }

    fn step(&mut self, input: Input, ctx: &mut Context) {
        if self.ending.is_some() {
            return;
        }
        let mut wishes = Vec::new();
        self.session.handle(input, self.house.clock.now(), &mut wishes);
        for wish in wishes {
            self.carry_out(wish, ctx);
        }
    }

    /// Says something to the other side, as it is.
    fn say(&self, frame: Frame, ctx: &mut Context) {
        if let Some(peer) = &self.peer {
            peer.meter.went_out(frame.len());
        }
        match frame {
            Frame::Text(text) => ctx.text(text),
            Frame::Binary(bytes) => ctx.binary(bytes),
        }
    }

    /// The way to this connection.
    fn lane(&self, queue_bytes: u32, ctx: &Context) -> Lane {
        let limit = usize::try_from(queue_bytes).unwrap_or(usize::MAX);
        self.lane.lane(limit, ctx.address().recipient())
    }

    fn carry_out(&mut self, wish: Output, ctx: &mut Context) {
        match wish {
            Output::Check(check) => self.ask(check, ctx),
            Output::Join(newcomer, ear) => self.join(newcomer, ear, ctx),
            Output::Route(letter) => {
                self.house.inbox.add(letter.original.len());
                self.house.registry.do_send(Route(letter));
                if self.peer.is_some() {
                    // Letters of clients waited for the map when they were checked.
                    self.take_breath();
                }
            }
            Output::Room(ticket, wish) => {
                self.house.inbox.add(wish.cost());
                let renames = matches!(wish, Wish::Rename(_));
                self.house.registry.do_send(Room { connection: self.id, ticket, wish });
                if renames {
                    self.follow_name(ctx);
                }
                self.take_breath();
            }
            Output::Errand(ticket, errand) => self.run_errand(ticket, errand, ctx),
            Output::WantList if self.peer.is_none() => self.house.registry.do_send(WantList(self.id)),
            Output::Find(whom) => self.find(whom, ctx),
            Output::Note(violation) => {
                self.house.tally.violation(violation);
                if let Some(peer) = &self.peer {
                    peer.meter.violated();
                }
            }
            Output::Close(ending) => self.end(ending, ctx),
            Output::Send(frame) => self.deliver(frame, ctx),
            wish => self.carry_out_for_peer(wish, ctx),
        }
    }

    /// Whether it comes from an address that is banned.
    fn is_kept_out(&self) -> bool {
        let we_dialled = self.peer.as_ref().is_some_and(|peer| peer.is_ours());
        !we_dialled && self.house.bans.has_address(self.address)
    }

    fn patience(&self) -> Patience {
        if self.peer.is_some() {
            let patience = Patience::with_peers(&self.house.limits);
            patience.at_least(self.session.hello_s(), self.session.silence_s())
        } else {
            Patience::with_clients(&self.house.limits)
        }
    }

    /// It was let in.
    fn introduced(&mut self, ctx: &mut Context) {
        self.vigil.introduced();
        self.set_alarm(ctx);
    }

    fn set_alarm(&mut self, ctx: &mut Context) {
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let now = self.house.clock.now();
        if self.flow.is_deaf() {
            // We are not listening, so silence proves nothing.
            self.vigil.heard(now);
        }
        let patience = self.patience();
        loop {
            match self.vigil.due(now, patience) {
                Due::Ping => {
                    if let Some(peer) = &mut self.peer {
                        peer.pinged = Some(now);
                    }
                    ctx.ping(b"");
                }
                Due::End(ending) => return self.end(ending, ctx),
                Due::Sleep(until) => {
                    let mut span = until.saturating_sub(now);
                    if !self.joined {
                        // Nobody on the map tells this one that the house closes.
                        span = span.min(DRAIN_WATCH);
                    }
                    self.alarm = Some(ctx.run_later(span, Self::on_alarm));
                    return;
                }
            }
        }
    }

    fn on_alarm(&mut self, ctx: &mut Context) {
        self.alarm = None;
        if !self.joined && self.house.is_draining() {
            return self.end(Ending::Draining, ctx);
        }
        // Who has not said who it is stands on no map where a new ban would find it.
        if !self.joined && self.is_kept_out() {
            return self.end(Ending::Refused(Refusal::Banned), ctx);
        }
        self.set_alarm(ctx);
    }
}

impl Actor for Connection {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        if let Some(inlet) = self.inlet.take() {
            ctx.add_stream(*inlet);
        }
        if self.house.is_draining() {
            self.end(Ending::Refused(Refusal::Draining), ctx);
        } else {
            self.set_alarm(ctx);
            self.step(Input::Opened, ctx);
        }
    }
}

/// What `WebsocketContext` asks for. Its own decoder is given nothing to decode; see `inlet`.
impl StreamHandler<Result<WsMessage, ProtocolError>> for Connection {
    fn handle(&mut self, message: Result<WsMessage, ProtocolError>, ctx: &mut Context) {
        let message = message.map_err(|error| violation(&error));
        StreamHandler::<Result<WsMessage, Violation>>::handle(self, message, ctx);
    }

    fn finished(&mut self, _: &mut Context) {}
}

impl StreamHandler<Result<WsMessage, Violation>> for Connection {
    fn handle(&mut self, message: Result<WsMessage, Violation>, ctx: &mut Context) {
        self.charge(message.as_ref().map_or(0, payload));
        match message {
            Ok(WsMessage::Text(text)) => self.on_frame(Frame::Text(text), ctx),
            Ok(WsMessage::Binary(bytes)) => self.on_frame(Frame::Binary(bytes), ctx),
            Ok(WsMessage::Continuation(item)) => self.on_fragment(item, ctx),
            Ok(WsMessage::Ping(payload)) => ctx.pong(&payload),
            Ok(WsMessage::Pong(_)) => self.on_pong(),
            Ok(WsMessage::Nop) => {}
            Ok(WsMessage::Close(reason)) => {
                if self.ending.is_none() {
                    self.ending = Some(self.farewell(reason.as_ref()));
                    self.session.end();
                    // The code is echoed; the words are not.
                    ctx.close(reason.map(|reason| reason.code.into()));
                }
                ctx.stop();
            }
            Err(violation) => self.end(Ending::Violated(violation), ctx),
        }
    }

    fn finished(&mut self, ctx: &mut Context) {
        self.ending.get_or_insert(Ending::Left);
        ctx.stop();
    }
}

/// The length of a message's payload.
fn payload(message: &WsMessage) -> usize {
    match message {
        WsMessage::Text(text) => text.len(),
        WsMessage::Binary(bytes) | WsMessage::Ping(bytes) | WsMessage::Pong(bytes) => bytes.len(),
        WsMessage::Continuation(
            Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes) | Item::Last(bytes),
        ) => bytes.len(),
        WsMessage::Close(_) | WsMessage::Nop => 0,
    }
}

impl Connection {
    fn on_fragment(&mut self, item: Item, ctx: &mut Context) {
        match self.assembler.push(item, self.flow.largest_frame()) {
            Ok(Some(frame)) => self.on_frame(frame, ctx),
            Ok(None) => {}
            Err(violation) => self.end(Ending::Violated(violation), ctx),
        }
    }
}

impl Handler<Deliver> for Connection {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Context) {
        match message {
            Deliver::Frame(frame) => {
                self.lane.taken(frame.len());
                if self.ending.is_none() {
                    let frame = self.session.wrap(frame);
                    self.deliver(frame, ctx);
                }
            }
            Deliver::End(ending) => self.end(ending, ctx),
            Deliver::Fault => panic!("a handler failed on purpose, because debug.faults is on"),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let ending = self.flow.ending().or(self.ending).unwrap_or(Ending::Failed);
        self.house.tally.ending(ending);
        self.release();
        if let Some(peer) = self.peer.take() {
            self.leave_as_peer(*peer, ending);
        } else if self.joined {
            self.house.registry.do_send(Leave { connection: self.id, ending });
        } else if !matches!(ending, Ending::Left | Ending::Draining) {
            self.house.bulletin.publish(Kind::Refused { address: self.address, ending, server: None });
        }
    }
}
