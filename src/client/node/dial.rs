//! Sockets of a node: opened from its own address, without delay for small words, and with a watch for ends that vanish.

use std::{io, net::IpAddr, time::Duration};

use rustix::net::sockopt;
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use std::net::SocketAddr;

/// How long somebody may take to open a connection.
const LONGEST_DIAL: Duration = Duration::from_secs(5);
/// Programs of the first kind know no ping. The system asks for us when a socket has been still for so long, so often, and
/// so many times.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMES: u32 = 3;

/// Opens a connection, from this address of ours if it leads there: others tell by it whether we are who we say.
pub(super) async fn dial(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let stream = match from.filter(|from| from.is_ipv4() == to.is_ipv4()) {
        Some(from) => match connect(to, Some(from)).await {
            // The two are on different networks; then any of our addresses is as good.
            Err(error) if !is_answer(&error) => connect(to, None).await?,
            other => other?,
        },
        None => connect(to, None).await?,
    };
    prepare(&stream)?;
    Ok(stream)
}

/// Whether it is the other side that failed, and not the way to it.
fn is_answer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | TimedOut)
}

/// Opens a connection to a name and a port.
pub(super) async fn dial_name(name: &str, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name leads nowhere");
    for to in lookup_host(name).await? {
        match dial(to, from).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind((from, 0).into())?;
    }
    timeout(LONGEST_DIAL, socket.connect(to)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// What holds for every socket, whoever has opened it.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_TIMES)?;
    Ok(())
}
