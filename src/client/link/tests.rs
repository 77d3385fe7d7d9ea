//! Links over real sockets. Every wait is for a report, and a report that never comes fails the test.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt as _;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc::Receiver,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use super::{Config, Link, NotSent, Report};
use crate::{
    client::{
        door::Door,
        event::{Event, SayError},
        olaf::Session,
        person::PersonId,
        relay::Relay,
        trust::trust,
        voice::Say,
    },
    crypto::keys::PrivateKey,
    domain::id::KeyId,
};

const DEADLINE: Duration = Duration::from_secs(20);

struct Person {
    id: PersonId,
    link: Link,
    reports: Receiver<Report>,
}

impl Person {
    fn at(url: &str) -> Self {
        Self::trusting(url, None)
    }

    fn trusting(url: &str, authority: Option<&std::path::Path>) -> Self {
        let key = Arc::new(PrivateKey::generate(2048).expect("a key"));
        let id = key.public().id().into();
        let quick = Duration::from_millis(5);
        let door = Door::read(url).expect("a door");
        let trust = trust(authority).expect("TLS");
        let config = Config { least_wait: quick, most_wait: 4 * quick, ..Config::new(door, trust) };
        let (link, reports) = Link::open(config, Box::new(Session::new(key).expect("a session")));
        Self { id, link, reports }
    }

    /// The first report that means something.
    async fn hear<T>(&mut self, what: &str, mut wanted: impl FnMut(Report) -> Option<T>) -> T {
        let hear = async {
            loop {
                let report = self.reports.recv().await.unwrap_or_else(|| panic!("the end before {what}"));
                if let Some(found) = wanted(report) {
                    return found;
                }
            }
        };
        timeout(DEADLINE, hear).await.unwrap_or_else(|_| panic!("no {what} in time"))
    }

    async fn sees(&mut self, others: usize) {
        self.hear("list", |report| match report {
            Report::Event(Event::Listed { members, .. }) => (members.len() == others + 1).then_some(()),
            _ => None,
        })
        .await;
    }

    async fn reads(&mut self) -> (PersonId, String) {
        self.hear("letter", |report| match report {
            Report::Event(Event::Public { from, text } | Event::Private { from, text, .. }) => {
                Some((from, text))
            }
            _ => None,
        })
        .await
    }

    async fn lost(&mut self) -> String {
        let lost = |report| if let Report::Lost(words) = report { Some(words) } else { None };
        self.hear("loss", lost).await
    }

    async fn ended(&mut self) -> Option<String> {
        let ended = |report| if let Report::Ended(words) = report { Some(words) } else { None };
        self.hear("end", ended).await
    }

    async fn fate(&mut self, ticket: u64) -> Result<(), NotSent> {
        self.hear("fate of a letter", |report| match report {
            Report::Sent(number) if number == ticket => Some(Ok(())),
            Report::NotSent(number, why) if number == ticket => Some(Err(why)),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn two_links_talk_through_a_relay() {
    let relay = Relay::start().await;
    let [mut anna, mut ben] = [Person::at(&relay.url()), Person::at(&relay.url())];
    anna.sees(1).await;
    ben.sees(1).await;
    anna.link.say(1, Say::Public("to all".into())).await;
    anna.link.say(2, Say::Private(vec![ben.id.clone()], "to ben".into())).await;
    anna.link.say(3, Say::Private(vec![KeyId([0; 32]).into()], "to nobody".into())).await;
    assert_eq!(anna.fate(3).await, Err(NotSent::Unsayable(SayError::NotPresent(KeyId([0; 32]).into()))));
    assert_eq!(ben.reads().await, (anna.id.clone(), "to all".into()));
    assert_eq!(ben.reads().await, (anna.id.clone(), "to ben".into()));
    ben.link.close().await;
    assert_eq!(ben.ended().await, None);
    anna.sees(0).await;
}

#[tokio::test]
async fn a_burst_is_sent_whole_before_the_goodbye() {
    let relay = Relay::start().await;
    let [mut anna, mut ben] = [Person::at(&relay.url()), Person::at(&relay.url())];
    anna.sees(1).await;
    ben.sees(1).await;
    let link = anna.link.clone();
    let writing = tokio::spawn(async move {
        for number in 0..300 {
            link.say(number, Say::Public(format!("{number} {}", "x".repeat(2000)))).await;
        }
        link.close().await;
    });
    let reading = async {
        for number in 0..300 {
            let (_, text) = ben.reads().await;
            assert!(text.starts_with(&format!("{number} ")), "{number}: {}", &text[..8]);
        }
    };
    let ending = async {
        let mut sent = 0;
        anna.hear("end", |report| match report {
            Report::Sent(_) => {
                sent += 1;
                None
            }
            Report::Ended(None) => Some(()),
            _ => None,
        })
        .await;
        assert_eq!(sent, 300);
    };
    tokio::join!(reading, ending);
    writing.await.expect("written");
}

#[tokio::test]
async fn a_restart_is_survived_and_said() {
    let relay = Relay::start().await;
    let address = relay.address();
    let [mut anna, mut ben] = [Person::at(&relay.url()), Person::at(&relay.url())];
    anna.sees(1).await;
    ben.sees(1).await;
    relay.dismiss(1012, "draining");
    assert_eq!(anna.lost().await, "the server shuts down or restarts");
    relay.stop().await;
    let _relay = Relay::start_at(address).await;
    anna.sees(1).await;
    ben.sees(1).await;
    anna.link.say(7, Say::Public("again".into())).await;
    assert_eq!(ben.reads().await, (anna.id.clone(), "again".into()));
}

#[tokio::test]
async fn a_last_word_is_a_last_word() {
    let relay = Relay::start().await;
    let mut anna = Person::at(&relay.url());
    anna.sees(0).await;
    relay.dismiss(1008, "kicked");
    assert_eq!(anna.ended().await.as_deref(), Some("an administrator closed this connection"));
}

#[tokio::test]
async fn nobody_there_is_said_and_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut anna = Person::at(&url);
    assert_eq!(anna.lost().await, "nobody listens there (connection refused)");
    anna.link.say(1, Say::Public("hello?".into())).await;
    assert_eq!(anna.fate(1).await, Err(NotSent::NotConnected));
    anna.link.close().await;
    assert_eq!(anna.ended().await, None);
}

#[tokio::test]
async fn what_a_server_said_before_it_died_is_read_by_whoever_writes() {
    const SAID: usize = 200;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let (told, is_gone) = tokio::sync::oneshot::channel();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a guest");
        let mut socket = tokio_tungstenite::accept_async(socket).await.expect("a WebSocket");
        for number in 0..SAID {
            let word = json!({"error": format!("word {number}")}).to_string();
            socket.feed(Message::text(word)).await.expect("fed");
        }
        // All at once: what the system has not sent by then dies with the socket.
        socket.flush().await.expect("sent");
        // What a killed process does to its connections while something that it has not read is there.
        socket.get_ref().set_zero_linger().expect("a socket");
        drop(socket);
        told.send(()).expect("somebody waits");
        listener
    });
    let mut anna = Person::at(&url);
    is_gone.await.expect("a server");
    for ticket in 0..50 {
        anna.link.say(ticket, Say::Public("are you there?".into())).await;
    }
    let mut heard = 0;
    anna.hear("loss", |report| match report {
        Report::Event(Event::Complaint(_)) => {
            heard += 1;
            None
        }
        Report::Lost(_) => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(heard, SAID);
    drop(server.await.expect("a server"));
}

#[tokio::test]
async fn a_web_page_is_no_chat_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let page = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a guest");
        let _ = socket.read(&mut [0; 1024]).await;
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(answer).await.expect("written");
    });
    let mut anna = Person::at(&url);
    let words = anna.ended().await.expect("a reason");
    assert!(words.contains("404 Not Found"), "{words}");
    page.await.expect("a page");
}

#[tokio::test]
async fn a_private_authority_is_believed_only_when_named() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, made.cert.pem()).expect("a file");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("wss://localhost:{}", listener.local_addr().expect("an address").port());
    let greeted = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a guest");
            // Whoever does not believe us hangs up here.
            let Ok(socket) = acceptor.accept(socket).await else { continue };
            let mut socket = tokio_tungstenite::accept_async(socket).await.expect("a WebSocket");
            let hello = futures_util::StreamExt::next(&mut socket).await;
            return hello.expect("a hello").expect("a hello").into_text().expect("text").to_string();
        }
    });
    let mut stranger = Person::at(&url);
    let words = stranger.ended().await.expect("a reason");
    assert!(words.contains("its certificate is not trusted"), "{words}");
    let _friend = Person::trusting(&url, Some(&path));
    assert!(timeout(DEADLINE, greeted).await.expect("in time").expect("a hello").contains("PUBLIC KEY"));
}
