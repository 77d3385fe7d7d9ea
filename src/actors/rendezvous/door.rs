//! The door: who comes is counted, and everybody who is banned or too many stays outside.

use std::{net::TcpListener as StdListener, sync::Arc, time::Duration};

use actix::{AsyncContext as _, Context, Handler, Message, WrapFuture as _};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

use super::{Rendezvous, pipe};
use crate::{
    actors::{event::Kind, house::House},
    domain::refusal::{Ending, Refusal},
};

/// How long no socket is taken when the system gives none.
const BREATH: Duration = Duration::from_millis(100);
/// Silence after which the system asks whether the other end is there, how often, and how many times. The first
/// clients never say anything by themselves, so nothing else shows that one has lost its power.
const IDLE: Duration = Duration::from_secs(30);
const EACH: Duration = Duration::from_secs(5);
const TIMES: u32 = 3;

/// The door is opened.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Open {
    /// Where it listens.
    pub listener: StdListener,
    /// What every socket shares.
    pub house: Arc<House>,
}

impl Handler<Open> for Rendezvous {
    type Result = ();

    fn handle(&mut self, Open { listener, house }: Open, ctx: &mut Context<Self>) {
        let opened = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        match opened {
            Ok(listener) => self.door = Some(ctx.spawn(accept(listener, house).into_actor(self))),
            Err(error) => tracing::error!(%error, "the rendezvous cannot take anybody in"),
        }
    }
}

async fn accept(listener: TcpListener, house: Arc<House>) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the rendezvous could not take a socket");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let address = from.ip().to_canonical();
        let is_banned = house.bans.has_address(address);
        let place = if is_banned { Err(Refusal::Banned) } else { house.gate.enter(address) };
        match place {
            Ok(place) => {
                keep_alive(&stream);
                let terms =
                    pipe::Terms { socket: house.next_connection(), from, place, house: Arc::clone(&house) };
                actix_rt::spawn(pipe::serve(stream, terms));
            }
            Err(refusal) => {
                house.tally.refusal(refusal);
                house.bulletin.publish(Kind::Refused {
                    address,
                    ending: Ending::Refused(refusal),
                    server: None,
                });
            }
        }
    }
}

fn keep_alive(stream: &TcpStream) {
    // Where the system knows none of this, a write that fails shows it later.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, IDLE);
    let _ = sockopt::set_tcp_keepintvl(stream, EACH);
    let _ = sockopt::set_tcp_keepcnt(stream, TIMES);
}
