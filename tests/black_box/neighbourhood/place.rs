//! Where servers live that know each other, and what can be asked of them.

use std::{collections::BTreeMap, fs, net::Ipv4Addr, sync::LazyLock, thread};

use actix_web::http::Method;
use kith::identity::Identity;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};

use crate::{
    api::Watch,
    app::{App, in_time},
    client::Client,
};

/// Servers that have keys of their own.
const SERVERS: usize = 4;

/// Keys take long to make, so all tests share theirs: a data folder and the fingerprint for each server.
static KEYS: LazyLock<(TempDir, Vec<String>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = thread::scope(|scope| {
        let make = |number: usize| {
            let data = folder.path().join(number.to_string());
            scope.spawn(move || Identity::open(&data).expect("an identity").server.public().id().hex())
        };
        let threads: Vec<_> = (0..SERVERS).map(make).collect();
        threads.into_iter().map(|thread| thread.join().expect("a key")).collect()
    });
    (folder, keys)
});

/// A door that is known before its server is there, and the keys of that server.
pub(crate) struct Place {
    number: usize,
    /// Bound and never listening, so nobody else gets the port while its server is away.
    held: TcpSocket,
}

fn shared(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind((Ipv4Addr::LOCALHOST, port).into()).expect("a port");
    socket
}

impl Place {
    /// A place on a free port, with the keys of this number.
    pub(crate) fn new(number: usize) -> Self {
        Self { number, held: shared(0) }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.held.local_addr().expect("an address").to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address())
    }

    /// The fingerprint of its server's key.
    pub(crate) fn key(&self) -> &'static str {
        &KEYS.1[self.number]
    }

    /// Listens there instead of a server.
    pub(crate) fn listen(&self) -> TcpListener {
        let port = self.held.local_addr().expect("an address").port();
        shared(port).listen(16).expect("a listener")
    }

    /// Starts its server for the first time.
    pub(crate) fn open(&self, settings: &[(&str, &str)]) -> App {
        let folder = tempfile::tempdir().expect("a folder");
        self.furnish(&folder);
        self.open_again(folder, settings)
    }

    /// Puts the keys of this place into a folder, whatever keys are there.
    pub(crate) fn furnish(&self, folder: &TempDir) {
        let keys = folder.path().join("data/keys");
        fs::create_dir_all(&keys).expect("a folder");
        for entry in fs::read_dir(KEYS.0.path().join(self.number.to_string()).join("keys")).expect("a folder")
        {
            let entry = entry.expect("a file");
            fs::copy(entry.path(), keys.join(entry.file_name())).expect("a copy");
        }
    }

    /// Starts its server with the data that an earlier one left.
    pub(crate) fn open_again(&self, folder: TempDir, settings: &[(&str, &str)]) -> App {
        let (address, name) = (self.address(), format!("server-{}", self.number));
        let own = [("LISTEN__MAIN", address.as_str()), ("SERVER__NAME", &name)];
        App::in_folder(folder, &[&own, settings].concat())
    }
}

/// Places with the keys from 0 on.
pub(crate) fn places<const COUNT: usize>() -> [Place; COUNT] {
    std::array::from_fn(Place::new)
}

/// Three servers, each of which has the others in its settings.
pub(crate) fn three(settings: &[(&str, &str)]) -> ([Place; 3], [App; 3]) {
    let places = places::<3>();
    let apps = std::array::from_fn(|own| {
        let lines = lines(&places, own);
        places[own].open(&[&[("NEIGHBOURHOOD__PEERS", lines.as_str())], settings].concat())
    });
    (places, apps)
}

/// The peer lines of all places but one.
pub(crate) fn lines(places: &[Place], own: usize) -> String {
    let others = places.iter().enumerate().filter(|(at, _)| *at != own);
    others.map(|(_, place)| format!("{} key={}", place.url(), place.key())).collect::<Vec<_>>().join(",")
}

/// Waits until every server has a link with so many others.
pub(crate) async fn all_up(apps: &[App], links: usize) {
    for app in apps {
        app.until_up(links).await;
    }
}

impl App {
    /// Its neighbours.
    pub(crate) async fn neighbours(&self) -> Vec<Value> {
        self.get("/api/v1/peers").await["items"].as_array().expect("items").clone()
    }

    /// Whether all its links are up.
    pub(crate) async fn is_up(&self) -> bool {
        let peers = self.neighbours().await;
        !peers.is_empty() && peers.iter().all(|peer| peer["state"] == "up")
    }

    /// Waits until so many links are up and no others are wanted.
    pub(crate) async fn until_up(&self, links: usize) {
        self.until("/api/v1/peers", |answer| {
            let answer = answer.json();
            let items = answer["items"].as_array().expect("items");
            items.len() == links && items.iter().all(|peer| peer["state"] == "up")
        })
        .await;
    }

    /// Waits until a neighbour, named by the address in its URL or the one that it goes by, is as wished.
    pub(crate) async fn until_peer(&self, address: &str, wish: impl Fn(&Value) -> bool) -> Value {
        let found = |answer: &Value| {
            let items = answer["items"].as_array().expect("items");
            let named = |peer: &&Value| {
                peer["url"].as_str().is_some_and(|url| url.ends_with(address)) || peer["address"] == address
            };
            items.iter().find(named).filter(|peer| wish(peer)).cloned()
        };
        let answer = self.until("/api/v1/peers", |answer| found(&answer.json()).is_some()).await;
        found(&answer.json()).expect("it was found just now")
    }

    /// Waits until a neighbour is in a state.
    pub(crate) async fn until_state(&self, address: &str, state: &str) -> Value {
        self.until_peer(address, |peer| peer["state"] == state).await
    }

    /// Dials a neighbour at once.
    pub(crate) async fn retry(&self, peer: &Value) {
        let id = peer["id"].as_str().expect("an id");
        let answer = self.api(Method::POST, &format!("/api/v1/peers/{id}/retry")).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    /// The steps of the last handshake with a neighbour.
    pub(crate) async fn steps(&self, peer: &Value) -> Vec<String> {
        let id = peer["id"].as_str().expect("an id");
        let peer = self.get(&format!("/api/v1/peers/{id}")).await;
        let steps = peer["transcript"].as_array().expect("steps");
        steps.iter().map(|step| step["step"].as_str().expect("a step").to_owned()).collect()
    }

    /// Waits until a metric is as wished.
    pub(crate) async fn until_metric(&self, name: &str, wish: impl Fn(f64) -> bool) -> f64 {
        let value = |text: &str| {
            let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'))?;
            line.rsplit_once(' ')?.1.parse::<f64>().ok()
        };
        let answer = self.until("/metrics", |answer| value(&answer.text).is_some_and(&wish)).await;
        value(&answer.text).expect("it was found just now")
    }
}

impl Watch {
    /// Waits for an event of that name, whichever neighbour it is about.
    pub(crate) async fn about_link(&mut self, name: &str) -> Value {
        in_time(name, async {
            loop {
                let (found, data) = self.next().await;
                if found == name {
                    return data;
                }
            }
        })
        .await
    }
}

/// Who is listed at which address.
pub(crate) type Homes = BTreeMap<String, Vec<String>>;

impl Client {
    /// Asks for the list until it is as wished.
    pub(crate) async fn looks(&mut self, wish: impl Fn(&Homes) -> bool) -> Homes {
        self.send(r#"{"type":"client_list_request"}"#).await;
        in_time("a list as wished", async {
            loop {
                let frame = self.hear("\"client_list\"").await;
                let homes = homes(&frame);
                if wish(&homes) {
                    return homes;
                }
            }
        })
        .await
    }

    /// Waits until exactly these members are listed at exactly these addresses.
    pub(crate) async fn sees(&mut self, wanted: &[(&Place, &[&str])]) {
        let wanted = wanted.iter().map(|(place, keys)| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            (place.address(), keys)
        });
        let wanted: Homes = wanted.collect();
        self.looks(|homes| homes == &wanted).await;
    }

    /// Says something to the members of some homes, and returns the frame.
    pub(crate) async fn whisper(&mut self, homes: &[&Place], text: &str) -> String {
        let homes: Vec<String> = homes.iter().map(|home| home.address()).collect();
        let keys = vec!["QUJD"; homes.len()];
        let frame = self.signed(&json!({
            "type": "chat", "destination_servers": homes, "iv": "AAAAAAAAAAAAAAAAAAAAAA==",
            "symm_keys": keys, "chat": text,
        }));
        self.send(&frame).await;
        frame
    }

    /// Everything but lists that comes until some frame, that one excluded.
    pub(crate) async fn hears_until(&mut self, last: &str) -> Vec<String> {
        in_time(last, async {
            let mut frames = Vec::new();
            loop {
                match self.next().await {
                    Ok(frame) if frame == last => return frames,
                    Ok(frame) if frame.contains("\"client_list\"") => {}
                    Ok(frame) => frames.push(frame),
                    Err(goodbye) => panic!("closed with {goodbye:?} before {last:?} was heard"),
                }
            }
        })
        .await
    }
}

/// A list, with sorted keys.
fn homes(frame: &str) -> Homes {
    let list: Value = serde_json::from_str(frame).expect("a list that is JSON");
    let mut homes = Homes::new();
    for server in list["servers"].as_array().expect("servers") {
        let address = server["address"].as_str().expect("an address").to_owned();
        let clients = server["clients"].as_array().expect("clients");
        let mut keys: Vec<String> = clients.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        keys.sort();
        let twice = homes.insert(address, keys);
        assert!(twice.is_none(), "a server is listed once: {frame}");
    }
    homes
}
