//! From a socket to a connection: puts the pump, the actor and its inlet together.

use std::{cell::RefCell, rc::Rc};

use actix_http::ws::Codec;
use actix_rt::task::JoinHandle;
use actix_web_actors::ws::WebsocketContext;
use bytes::{Bytes, BytesMut};
use futures_util::stream;

use super::{Connection, Ends};
use crate::{
    actors::{flow::Flow, inlet::Inlet, lane::LaneEnd, pump::Pump, socket::Socket, stillness::Stillness},
    domain::neighbourhood::Direction,
};

/// What a connection begins with.
#[derive(Debug)]
pub struct Start {
    /// The socket.
    pub socket: Socket,
    /// What was read from it already.
    pub held: BytesMut,
    /// What is said before anything else.
    pub first: Bytes,
    /// Who opened it: that decides who masks frames.
    pub direction: Direction,
    /// The largest frame that is read at first.
    pub largest_frame: u32,
    /// Whether the house holds still.
    pub stillness: Stillness,
}

/// Starts a connection on this thread. Aborting the task is cutting the socket.
pub fn launch(start: Start, connection: impl FnOnce(Ends) -> Connection) -> JoinHandle<()> {
    let codec = match start.direction {
        Direction::In => Codec::new(),
        Direction::Out => Codec::new().client_mode(),
    };
    let socket = Rc::new(RefCell::new(start.socket));
    let (flow, lane) = (Rc::new(Flow::of_frames(start.largest_frame, start.stillness)), LaneEnd::default());
    let inlet = Inlet::new(Rc::clone(&socket), Rc::clone(&flow), start.held, codec.clone());
    let connection = connection(Ends { flow: Rc::clone(&flow), inlet, lane: lane.clone() });
    let actor = WebsocketContext::with_codec(connection, stream::empty(), codec);
    actix_rt::spawn(Pump::new(socket, flow, lane, start.first, actor))
}
