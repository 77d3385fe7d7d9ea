//! Ports that are ours while their servers are away.
//!
//! A bound socket that never listens keeps everybody else from a port, but not a server that also says
//! that it may be used again. So a server that is killed finds its old address when it comes back, and
//! nobody dials a stranger there meanwhile.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// A port that is held.
#[derive(Debug)]
pub(super) struct Reserved {
    socket: TcpSocket,
    port: u16,
}

impl Reserved {
    /// Holds this port; 0 is any free one.
    pub(super) fn exactly(port: u16) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(on_loopback(port))?;
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port })
    }

    /// Holds this port, or any if somebody else has it.
    pub(super) fn preferably(port: Option<u16>) -> io::Result<Self> {
        port.map_or_else(|| Self::exactly(0), |port| Self::exactly(port).or_else(|_| Self::exactly(0)))
    }

    /// Its number.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Listens on it.
    pub(super) fn listen(self) -> io::Result<TcpListener> {
        self.socket.listen(BACKLOG)
    }
}

/// A port of this machine that only this machine can reach.
pub(super) fn on_loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_held_port_is_closed_to_strangers_and_open_to_its_owner() {
        let held = Reserved::exactly(0).expect("a port");
        let port = held.port();
        assert!(tokio::net::TcpStream::connect(on_loopback(port)).await.is_err(), "nobody listens");
        // What a stranger gets who asks for any port, or for this one without saying that he shares it.
        let plain = TcpSocket::new_v4().expect("a socket");
        assert!(plain.bind(on_loopback(port)).is_err());
        for _ in 0..2 {
            let owner = Reserved::exactly(port).expect("the same port").listen().expect("a listener");
            let dialled = tokio::net::TcpStream::connect(on_loopback(port)).await;
            assert!(dialled.is_ok() && owner.accept().await.is_ok());
            assert!(Reserved::exactly(port).is_err(), "there is one owner");
            assert_ne!(Reserved::preferably(Some(port)).expect("another port").port(), port);
        }
    }
}
