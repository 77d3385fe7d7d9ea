//! A small OLAF server for tests: it believes everybody, relays everything and shows whole lists.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{broadcast, mpsc},
};
use tokio_tungstenite::{
    accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::dialect::olaf::wire::{Body, Message as Olaf};

/// A running relay. Dropping it closes every connection without a word.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    farewell: broadcast::Sender<Option<(u16, &'static str)>>,
    accepting: tokio::task::JoinHandle<()>,
}

type Guests = Arc<Mutex<Vec<(u64, String, mpsc::UnboundedSender<Message>)>>>;

impl Relay {
    /// A relay on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address")).await
    }

    /// A relay where another one was.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (farewell, _) = broadcast::channel(4);
        let goodbyes = farewell.clone();
        let accepting = tokio::spawn(async move {
            let guests = Guests::default();
            let mut number = 0;
            while let Ok((socket, _)) = listener.accept().await {
                number += 1;
                tokio::spawn(serve(socket, number, address, Arc::clone(&guests), goodbyes.subscribe()));
            }
        });
        Self { address, farewell, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection with these words.
    pub(crate) fn dismiss(&self, code: u16, reason: &'static str) {
        let _ = self.farewell.send(Some((code, reason)));
    }

    /// Is gone when this returns: the port is free again.
    pub(crate) async fn stop(mut self) {
        let _ = self.farewell.send(None);
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.farewell.send(None);
        self.accepting.abort();
    }
}

async fn serve(
    socket: TcpStream,
    number: u64,
    home: SocketAddr,
    guests: Guests,
    mut farewell: broadcast::Receiver<Option<(u16, &'static str)>>,
) {
    let Ok(socket) = accept_async(socket).await else { return };
    let (mut sink, mut stream) = socket.split();
    let (own, mut outgoing) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => hear(&text, number, home, &guests, &own),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            Some(message) = outgoing.recv() => {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            words = farewell.recv() => {
                if let Ok(Some((code, reason))) = words {
                    let frame = CloseFrame { code: code.into(), reason: reason.into() };
                    let _ = sink.send(Message::Close(Some(frame))).await;
                    while let Some(Ok(_)) = stream.next().await {}
                }
                break;
            }
        }
    }
    let mut guests = guests.lock().expect("no test panics with the lock");
    guests.retain(|(guest, ..)| *guest != number);
    tell_everybody(&guests, home);
}

fn hear(text: &str, number: u64, home: SocketAddr, guests: &Guests, own: &mpsc::UnboundedSender<Message>) {
    let mut guests = guests.lock().expect("no test panics with the lock");
    match Olaf::read(text) {
        Ok(Olaf::ListRequest) => {
            let _ = own.send(Message::text(list(&guests, home).to_string()));
        }
        Ok(Olaf::Signed(signed)) => match signed.body() {
            Ok(Body::Hello { public_key }) => {
                guests.push((number, public_key, own.clone()));
                tell_everybody(&guests, home);
            }
            _ => {
                for (_, _, guest) in guests.iter() {
                    let _ = guest.send(Message::text(text));
                }
            }
        },
        Err(_) => {}
    }
}

fn tell_everybody(guests: &[(u64, String, mpsc::UnboundedSender<Message>)], home: SocketAddr) {
    let list = list(guests, home).to_string();
    for (_, _, guest) in guests {
        let _ = guest.send(Message::text(list.clone()));
    }
}

fn list(guests: &[(u64, String, mpsc::UnboundedSender<Message>)], home: SocketAddr) -> Value {
    let clients: Vec<_> = guests.iter().map(|(_, key, _)| key).collect();
    json!({"type": "client_list", "servers": [{"address": home.to_string(), "clients": clients}]})
}
