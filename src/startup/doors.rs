//! Where the doors are: the addresses that are listened on, and those that others are told.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use super::StartupError;
use crate::{
    domain::{address::Address, dialect::Dialect},
    http::{door::Listeners, tls::Tls},
    settings::Settings,
};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Where the doors really are.
pub(super) struct Doors {
    pub(super) main: SocketAddr,
    /// Those of one dialect each.
    pub(super) own: Vec<(Dialect, SocketAddr)>,
    pub(super) admin: SocketAddr,
    pub(super) rendezvous: Option<SocketAddr>,
    pub(super) tls: bool,
}

impl Doors {
    pub(super) fn of(listeners: &Listeners, admin: &TcpListener, tls: bool) -> io::Result<Self> {
        Ok(Self {
            main: listeners.main.local_addr()?,
            own: listeners
                .own
                .iter()
                .map(|(dialect, listener)| Ok((*dialect, listener.local_addr()?)))
                .collect::<io::Result<_>>()?,
            admin: admin.local_addr()?,
            rendezvous: None,
            tls,
        })
    }

    /// These, and the door of the rendezvous.
    pub(super) fn with_rendezvous(self, door: Option<&TcpListener>) -> io::Result<Self> {
        Ok(Self { rendezvous: door.map(TcpListener::local_addr).transpose()?, ..self })
    }

    /// The addresses that lead to us.
    pub(super) fn names(&self) -> Vec<Address> {
        let own = self.own.iter().map(|(_, door)| *door);
        let doors = std::iter::once(self.main).chain(own);
        doors.map(|door| Address::new(&door.to_string())).collect()
    }

    /// The door of this dialect alone.
    pub(super) fn of_dialect(&self, dialect: Dialect) -> Option<SocketAddr> {
        self.own.iter().find(|(only, _)| *only == dialect).map(|(_, door)| *door)
    }

    /// Where others find the doors of one dialect each.
    pub(super) fn own_addresses(&self, public: &str) -> Vec<(Dialect, String)> {
        self.own.iter().map(|(dialect, door)| (*dialect, at(public, *door))).collect()
    }
}

/// The doors themselves. They stay bound for as long as the process lives, whoever stands behind them.
pub(super) struct Outside {
    listeners: Listeners,
    admin: TcpListener,
    /// Not bound in a home of several nodes before this one serves: nobody should wait there in vain.
    rendezvous: Option<TcpListener>,
    /// The certificate of the main door.
    pub(super) tls: Option<Tls>,
    /// Where they are.
    pub(super) doors: Doors,
}

impl Outside {
    /// Binds them.
    pub(super) fn open(settings: &Settings) -> Result<Self, StartupError> {
        let tls = settings.listen.tls().map(|(certificate, key)| Tls::open(certificate, key)).transpose()?;
        let own =
            settings.listen.own().into_iter().filter_map(|(dialect, address)| Some((dialect, address.0?)));
        let listeners = Listeners {
            main: listen(settings.listen.main)?,
            own: own
                .map(|(dialect, address)| Ok((dialect, listen(address)?)))
                .collect::<Result<_, StartupError>>()?,
        };
        let admin = listen(settings.listen.admin)?;
        let wanted = settings.rendezvous.listen.0.filter(|_| settings.home.members.is_empty());
        let rendezvous = wanted.map(listen).transpose()?;
        let doors = Doors::of(&listeners, &admin, tls.is_some())?.with_rendezvous(rendezvous.as_ref())?;
        Ok(Self { listeners, admin, rendezvous, tls, doors })
    }

    /// Those of the clients, for whoever stands behind them next.
    pub(super) fn listeners(&self) -> io::Result<Listeners> {
        let own = self.listeners.own.iter().map(|(dialect, door)| Ok((*dialect, door.try_clone()?)));
        Ok(Listeners { main: self.listeners.main.try_clone()?, own: own.collect::<io::Result<_>>()? })
    }

    /// That of the rendezvous, if it is bound. It goes to whoever stands behind it, who may shut it for good.
    pub(super) const fn rendezvous(&mut self) -> Option<TcpListener> {
        self.rendezvous.take()
    }

    /// That of the operators.
    pub(super) fn admin(&self) -> io::Result<TcpListener> {
        self.admin.try_clone()
    }
}

/// Where others find a door: at the public host, if it listens everywhere.
fn at(public: &str, door: SocketAddr) -> String {
    if !door.ip().is_unspecified() {
        return door.to_string();
    }
    let bare = public.split_once("://").map_or(public, |(_, rest)| rest);
    let authority = bare.split('/').next().unwrap_or(bare);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    };
    format!("{host}:{}", door.port())
}

/// Opens a listener.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    let open = || {
        let socket = match address {
            SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
            SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    open().map_err(|error| StartupError::Listen { address, error })
}

/// The address that clients are told: what the operator says, or where the door is.
pub(super) fn public_address(settings: &Settings, main: SocketAddr) -> String {
    if !settings.server.public_address.is_empty() {
        return settings.server.public_address.clone();
    }
    if main.ip().is_unspecified() {
        // Nobody can dial "every interface". This machine at least can dial itself.
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), main.port()).to_string();
    }
    main.to_string()
}

pub(super) fn public_url(settings: &Settings, address: &str, tls: bool) -> String {
    if !settings.server.public_url.is_empty() {
        return settings.server.public_url.trim_end_matches('/').to_owned();
    }
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/');
    format!("{}://{bare}", if tls { "https" } else { "http" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_that_listens_everywhere_is_found_at_the_public_host() {
        for (door, public, expected) in [
            ("0.0.0.0:8765", "chat.example.org:443", "chat.example.org:8765"),
            ("0.0.0.0:8765", "wss://chat.example.org", "chat.example.org:8765"),
            ("[::]:8765", "[2001:db8::1]:8080", "[2001:db8::1]:8765"),
            ("[::]:8765", "[2001:db8::1]", "[2001:db8::1]:8765"),
            ("192.0.2.1:8765", "chat.example.org:443", "192.0.2.1:8765"),
        ] {
            assert_eq!(at(public, door.parse().expect(door)), expected, "{door} {public}");
        }
    }
}
