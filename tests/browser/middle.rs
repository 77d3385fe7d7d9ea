//! Somebody between a browser and its home: hands everything on, remembers every frame, and says what it likes in between.
//! That is as much as a server that means harm can do.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{broadcast, oneshot},
};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

use crate::app::{App, in_time};

/// A way to a server that is not the straight one.
pub(crate) struct Middle {
    /// Where the page is found by this way.
    pub(crate) page: String,
    shared: Arc<Shared>,
    /// Its thread ends with it.
    _end: oneshot::Sender<()>,
}

struct Shared {
    /// The server.
    home: String,
    /// What is said to each page besides what the server says.
    lies: broadcast::Sender<String>,
    /// All that browsers have sent, and all that they were sent by the server.
    sent: Mutex<Vec<String>>,
    heard: Mutex<Vec<String>>,
}

impl Middle {
    /// A way to this server, on a thread of its own: a test waits for other things, too.
    pub(crate) fn before(app: &App) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("an option");
        let page = format!("http://{}/", listener.local_addr().expect("an address"));
        let (lies, _) = broadcast::channel(1024);
        let (end, ended) = oneshot::channel();
        let home = app.listen.clone();
        let shared = Arc::new(Shared { home, lies, sent: Mutex::default(), heard: Mutex::default() });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                tokio::select! {
                    () = serve(listener, all) => {}
                    _ = ended => {}
                }
            });
        });
        Self { page, shared, _end: end }
    }

    /// Says something to every page that has a connection, as if the server had said it.
    pub(crate) fn lies(&self, frame: &str) {
        self.shared.lies.send(frame.to_owned()).expect("somebody who listens");
    }

    /// Waits for a frame that a browser has sent and that has some text in it.
    pub(crate) async fn sees(&self, text: &str) -> String {
        in_time(text, async {
            loop {
                if let Some(frame) = self.sent().into_iter().find(|frame| frame.contains(text)) {
                    return frame;
                }
                actix_web::rt::time::sleep(crate::chromium::LOOK).await;
            }
        })
        .await
    }

    /// All that browsers have sent.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.shared.sent.lock().expect("no panic").clone()
    }

    /// All that passed in both directions.
    pub(crate) fn all(&self) -> Vec<String> {
        let heard = self.shared.heard.lock().expect("no panic").clone();
        [self.sent(), heard].concat()
    }

    /// The counters of all signed frames that browsers have sent, in order.
    pub(crate) fn counters(&self) -> Vec<u64> {
        let counter = |frame: &String| serde_json::from_str::<Value>(frame).ok()?["counter"].as_u64();
        self.sent().iter().filter_map(counter).collect()
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((socket, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        actix_web::rt::spawn(async move { pass(socket, &shared).await });
    }
}

/// One connection of a browser.
async fn pass(mut browser: TcpStream, shared: &Shared) {
    let mut head = [0; 4096];
    // A browser sends the head of a request in one piece.
    let Ok(length) = browser.peek(&mut head).await else { return };
    let is_socket =
        String::from_utf8_lossy(&head[..length]).to_lowercase().contains("\r\nupgrade: websocket");
    if is_socket {
        return relay(browser, shared).await;
    }
    if let Ok(mut home) = TcpStream::connect(&shared.home).await {
        let _ = copy_bidirectional(&mut browser, &mut home).await;
    }
}

async fn relay(browser: TcpStream, shared: &Shared) {
    let mut lies = shared.lies.subscribe();
    let Ok(mut browser) = accept_async(browser).await else { return };
    let Ok((mut home, _)) = connect_async(format!("ws://{}/", shared.home)).await else { return };
    loop {
        let passed = tokio::select! {
            frame = browser.next() => match frame {
                Some(Ok(frame)) => {
                    note(&shared.sent, &frame);
                    home.send(frame).await
                }
                _ => return,
            },
            frame = home.next() => match frame {
                Some(Ok(frame)) => {
                    note(&shared.heard, &frame);
                    browser.send(frame).await
                }
                _ => return,
            },
            Ok(lie) = lies.recv() => browser.send(Message::text(lie)).await,
        };
        if passed.is_err() {
            return;
        }
    }
}

fn note(all: &Mutex<Vec<String>>, frame: &Message) {
    if let Message::Text(text) = frame {
        all.lock().expect("no panic").push(text.to_string());
    }
}
