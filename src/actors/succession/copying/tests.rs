//! Two nodes over a real connection, with databases on disk.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::{
    Asker, Contents, Copies, CopyError, Follower, Guest, Ledger, Reign, lead,
    wire::{Asked, Told, Wire},
};
use crate::{
    crypto::{home::HomeKey, keys::PrivateKey},
    domain::succession::NodeId,
    store::{Copy, Mark, Store, StoreError, shelf::Shelf},
};

const SERVES: NodeId = NodeId(1);
const FOLLOWS: NodeId = NodeId(2);
const PATIENCE: Duration = Duration::from_secs(30);

const fn asker(secret: &HomeKey) -> Asker<'_> {
    Asker { secret, node: FOLLOWS }
}

fn secret() -> Arc<HomeKey> {
    let key = PrivateKey::generate(2048).expect("a key");
    Arc::new(HomeKey::of(&key).expect("a secret"))
}

struct Node {
    folder: TempDir,
}

impl Node {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("kith.db")
    }

    fn shelf(&self) -> Shelf {
        Shelf::of(self.folder.path())
    }

    /// Keeps a copy from now on.
    async fn follower(&self) -> Follower {
        self.shelf().make().await.expect("a folder");
        let copy = Copy::open(&self.database()).await.expect("a copy");
        let mark = copy.mark().await.expect("a look");
        Follower::new(copy, Contents::new(self.shelf(), Ledger::default()), mark).0
    }

    async fn store(&self) -> Store {
        Store::open(&self.database()).await.expect("a store")
    }

    async fn fact(&self) -> Option<String> {
        let store = self.store().await;
        let fact = store.fact("colour").await.expect("a fact");
        store.close().await;
        fact
    }
}

/// A node that serves whoever dials.
async fn serve(
    reign: Reign,
    secret: Arc<HomeKey>,
) -> (std::net::SocketAddr, JoinHandle<Result<(), CopyError>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        lead(Guest::hear(stream, &secret, reign.node).await?, &reign).await
    });
    (address, task)
}

/// The same for each that dials.
async fn serve_all(reign: Reign, secret: Arc<HomeKey>) -> (std::net::SocketAddr, Abort) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let mut streams = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (secret, reign) = (Arc::clone(&secret), reign.clone());
            streams.spawn(async move { lead(Guest::hear(stream, &secret, reign.node).await?, &reign).await });
        }
    });
    (address, Abort(task))
}

/// Ends a task when the test ends.
struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn reign(node: &Node, epoch: u64) -> Reign {
    let store = node.store().await;
    store.begin_changes(epoch).await.expect("a log");
    let (shelf, wholes) = (node.shelf(), Arc::new(Semaphore::new(1)));
    shelf.make().await.expect("a folder");
    Reign { node: SERVES, epoch, store, copies: Copies::default(), shelf, wholes }
}

/// Follows until `seq` of `epoch` is on disk, then hangs up.
async fn follow_until(address: std::net::SocketAddr, secret: &HomeKey, node: &Node, wished: Mark) {
    let follower = node.follower().await;
    let mut marks = follower.mark.subscribe();
    let stream = TcpStream::connect(address).await.expect("a connection");
    let arrived = async {
        let enough = |mark: &Option<Mark>| mark.is_some_and(|mark| mark >= wished);
        marks.wait_for(enough).await.expect("a mark");
    };
    tokio::select! {
        ended = follower.follow(stream, asker(secret)) => panic!("{ended:?}"),
        () = arrived => {}
    }
    follower.copy.close().await;
}

#[tokio::test]
async fn a_follower_has_what_was_there_and_what_comes_and_says_how_far_it_is() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = reign(&leader, 7).await;
    let (store, copies) = (reign.store.clone(), reign.copies.clone());
    store.set_fact("colour", "red").await.expect("a fact");
    let before = store.last_change().await.expect("a number");
    let (address, task) = serve(reign, Arc::clone(&secret)).await;
    let copying = follower.follower().await;
    let later = async {
        copies.until(FOLLOWS, before).await;
        store.set_fact("colour", "green").await.expect("a fact");
        let after = store.last_change().await.expect("a number");
        copies.until(FOLLOWS, after).await;
        assert_eq!(copies.all().get(&FOLLOWS), Some(&after));
    };
    let stream = TcpStream::connect(address).await.expect("a connection");
    // It hangs up once the leader knows how far it is.
    tokio::select! {
        ended = copying.follow(stream, asker(&secret)) => panic!("{ended:?}"),
        done = timeout(PATIENCE, later) => done.expect("in time"),
    }
    copying.copy.close().await;
    task.await.expect("no panic").expect("an end in order");
    assert!(copies.all().is_empty(), "who hung up has no copy that counts");
    assert_eq!(follower.fact().await.as_deref(), Some("green"));
}

#[tokio::test]
async fn whoever_begins_to_serve_is_copied_anew() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    for epoch in [3, 4] {
        let reign = reign(&leader, epoch).await;
        let store = reign.store.clone();
        store.set_fact("colour", &epoch.to_string()).await.expect("a fact");
        let seq = store.last_change().await.expect("a number");
        let (address, task) = serve(reign, Arc::clone(&secret)).await;
        follow_until(address, &secret, &follower, Mark { epoch, seq }).await;
        task.await.expect("no panic").expect("an end in order");
        store.close().await;
        assert_eq!(follower.fact().await, Some(epoch.to_string()));
    }
}

#[tokio::test]
async fn rows_that_do_not_take_the_changes_are_copied_anew() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = reign(&leader, 7).await;
    let store = reign.store.clone();
    store.set_fact("colour", "red").await.expect("a fact");
    let seq = store.last_change().await.expect("a number");
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    follow_until(address, &secret, &follower, Mark { epoch: 7, seq }).await;
    // Something stands here that stands nowhere else, and is in the way of what comes.
    let mut database =
        SqliteConnectOptions::new().filename(follower.database()).connect().await.expect("a database");
    sqlx::raw_sql(
        "INSERT INTO facts (key, value) VALUES ('stale', 'x');
         CREATE TRIGGER no_green BEFORE UPDATE ON facts
         WHEN NEW.value = 'green' AND EXISTS (SELECT 1 FROM facts WHERE key = 'stale')
         BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TRIGGER no_new_green BEFORE INSERT ON facts
         WHEN NEW.value = 'green' AND EXISTS (SELECT 1 FROM facts WHERE key = 'stale')
         BEGIN SELECT RAISE(ABORT, 'no'); END;",
    )
    .execute(&mut database)
    .await
    .expect("a trap");
    database.close().await.expect("the end");
    store.set_fact("colour", "green").await.expect("a fact");
    let seq = store.last_change().await.expect("a number");

    let copying = follower.follower().await;
    let mut marks = copying.mark.subscribe();
    let follow = async || {
        let stream = TcpStream::connect(address).await.expect("a connection");
        copying.follow(stream, asker(&secret)).await
    };
    let refused = timeout(PATIENCE, follow()).await.expect("in time");
    assert!(matches!(refused, Err(CopyError::Store(StoreError::Database(_)))), "{refused:?}");
    let arrived = marks.wait_for(|mark| *mark == Some(Mark { epoch: 7, seq }));
    tokio::select! {
        ended = follow() => panic!("{ended:?}"),
        arrived = timeout(PATIENCE, arrived) => { arrived.expect("in time").expect("a mark"); }
    }
    copying.copy.close().await;
    assert_eq!(follower.fact().await.as_deref(), Some("green"));
}

/// A node that has no copy and asks for everything, and the words of whoever serves.
async fn asks_for_everything(address: std::net::SocketAddr, secret: &HomeKey) -> Wire {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut wire = Wire::dial(stream, secret, FOLLOWS).await.expect("a node of this home");
    wire.say(&Asked::Have(None)).await.expect("a wish");
    let told = wire.hear().await.expect("an answer");
    assert!(matches!(told, Told::Serving(7)), "{told:?}");
    wire
}

/// One that waits while it is somebody else's turn to copy everything, and the task that serves it.
async fn waits(leader: &Node) -> (Wire, OwnedSemaphorePermit, JoinHandle<Result<(), CopyError>>) {
    let (reign, secret) = (reign(leader, 7).await, secret());
    let turn = Arc::clone(&reign.wholes).acquire_owned().await.expect("somebody else's turn");
    let (address, task) = serve(reign, Arc::clone(&secret)).await;
    (asks_for_everything(address, &secret).await, turn, task)
}

#[tokio::test]
async fn whoever_waits_for_its_turn_hears_that_it_is_not_forgotten() {
    let leader = Node::new();
    let (mut wire, turn, _task) = waits(&leader).await;
    for _ in 0..2 {
        let told = wire.hear().await.expect("a sign of life");
        assert!(matches!(told, Told::Still), "{told:?}");
    }
    drop(turn);
    let mut told = wire.hear().await.expect("its turn");
    while matches!(told, Told::Still) {
        told = wire.hear().await.expect("its turn");
    }
    assert!(matches!(told, Told::Everything), "{told:?}");
}

#[tokio::test]
async fn nobody_waits_for_the_turn_of_one_that_has_hung_up() {
    let leader = Node::new();
    let (wire, _turn, task) = waits(&leader).await;
    drop(wire);
    let ended = timeout(PATIENCE, task).await.expect("in time").expect("no panic");
    assert!(matches!(ended, Ok(()) | Err(CopyError::Io(_))), "{ended:?}");
}

#[tokio::test]
async fn a_whole_copy_may_be_interrupted_by_signs_of_life() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = reign(&leader, 7).await;
    reign.store.set_fact("colour", "red").await.expect("a fact");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let own = Arc::clone(&secret);
    let slow = async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut wire = Guest::hear(stream, &own, SERVES).await?.wire;
        let mut whole = reign.store.whole().await?;
        wire.say(&Told::Serving(7)).await?;
        wire.say(&Told::Everything).await?;
        while let Some(batch) = whole.next().await? {
            wire.say(&Told::Still).await?;
            wire.say(&Told::Rows(batch)).await?;
        }
        wire.say(&Told::Still).await?;
        wire.say(&Told::Complete(whole.through())).await?;
        // Until the other side hangs up.
        wire.hear::<Asked>().await.and(wire.hear::<Asked>().await)
    };
    let task = tokio::spawn(slow);
    let copying = follower.follower().await;
    let mut marks = copying.mark.subscribe();
    let stream = TcpStream::connect(address).await.expect("a connection");
    tokio::select! {
        ended = copying.follow(stream, asker(&secret)) => panic!("{ended:?}"),
        mark = timeout(PATIENCE, marks.wait_for(Option::is_some)) => { mark.expect("in time").expect("a mark"); }
    }
    task.abort();
    copying.copy.close().await;
    assert_eq!(follower.fact().await.as_deref(), Some("red"));
}

#[tokio::test]
async fn a_stranger_is_told_nothing_and_can_tell_nothing() {
    let (leader, follower) = (Node::new(), Node::new());
    let (address, task) = serve(reign(&leader, 1).await, secret()).await;
    let copying = follower.follower().await;
    let stream = TcpStream::connect(address).await.expect("a connection");
    let followed = copying.follow(stream, asker(&secret())).await;
    assert!(
        matches!(followed, Err(CopyError::Closed | CopyError::Stranger | CopyError::Io(_))),
        "{followed:?}"
    );
    let led = task.await.expect("no panic");
    assert!(matches!(led, Err(CopyError::Stranger)), "{led:?}");
    assert_eq!(copying.copy.mark().await.expect("no mark"), None);
}

#[tokio::test]
async fn whoever_says_something_else_is_let_go() {
    for words in ["GET / HTTP/1.1\r\n\r\n", "kith-copy/1 what\n", "kith-copy/1 "] {
        let leader = Node::new();
        let (address, task) = serve(reign(&leader, 1).await, secret()).await;
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(words.repeat(1000).as_bytes()).await.expect("a write");
        let led = task.await.expect("no panic");
        assert!(matches!(led, Err(CopyError::Stranger)), "{led:?}");
        // A reset is as good as an end.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

#[path = "files_tests.rs"]
mod files;
