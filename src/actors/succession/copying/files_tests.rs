//! Uploaded files between two nodes: what is fetched, what is not, and what holds up nobody.

use std::fs;

use super::{
    super::{
        Shown,
        give::lend,
        wire::{Asked, Told, Wire},
    },
    *,
};
use crate::{crypto::sha256, store::FileRecord};

/// The id of the file with this number.
fn id(number: u8) -> String {
    format!("{}.bin", format!("{number:02x}").repeat(16))
}

/// More than one piece, and no two alike.
fn bytes(number: u8) -> Vec<u8> {
    (0..200_000_u32).map(|at| number.wrapping_add(at.to_le_bytes()[0] ^ at.to_le_bytes()[1])).collect()
}

fn record(number: u8) -> FileRecord {
    FileRecord {
        id: id(number),
        name: "a".to_owned(),
        content_type: "text/plain".to_owned(),
        bytes: bytes(number).len() as u64,
        uploaded_at: i64::from(number),
        expires_at: i64::MAX,
        downloads: 0,
        digest: Some(sha256(&bytes(number))),
    }
}

fn place(node: &Node, number: u8) -> PathBuf {
    node.shelf().file(&id(number))
}

fn half(node: &Node, number: u8) -> PathBuf {
    node.shelf().fetch(&id(number))
}

/// A node that serves these files.
async fn with_files(node: &Node, numbers: &[u8]) -> Reign {
    let reign = reign(node, 1).await;
    for &number in numbers {
        fs::write(place(node, number), bytes(number)).expect("a file");
        reign.store.add_file(&record(number)).await.expect("a row");
    }
    reign
}

/// Follows, and fetches, until that holds.
async fn follow_while<T>(
    address: std::net::SocketAddr,
    secret: &HomeKey,
    copying: &Follower,
    until: impl Future<Output = T>,
) -> T {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let address = address.to_string();
    tokio::select! {
        ended = copying.follow(stream, asker(secret)) => panic!("{ended:?}"),
        () = copying.contents.keep_fetching(&address, asker(secret)) => panic!("it gave up"),
        found = timeout(PATIENCE, until) => found.expect("in time"),
    }
}

/// Waits until the ledger is so.
async fn until(ledger: &Ledger, wish: impl Fn(&Shown) -> bool) {
    let mut changed = ledger.watch();
    while ledger.known().is_none() || !wish(&ledger.shown()) {
        changed().await;
    }
}

#[tokio::test]
async fn files_come_with_their_rows_and_go_with_them() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = with_files(&leader, &[1, 2]).await;
    let (store, copies) = (reign.store.clone(), reign.copies.clone());
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    let copying = follower.follower().await;
    // Nobody's: what another life has left here.
    for stray in [place(&follower, 9), half(&follower, 8), follower.shelf().upload(&id(7))] {
        fs::write(stray, "stray").expect("a file");
    }
    let story = async {
        copies.until(FOLLOWS, store.last_change().await.expect("a number")).await;
        // One more, while it follows.
        fs::write(place(&leader, 3), bytes(3)).expect("a file");
        store.add_file(&record(3)).await.expect("a row");
        copies.until(FOLLOWS, store.last_change().await.expect("a number")).await;
        let mut names: Vec<_> = copying.contents.shelf.names().await.expect("a folder").into_iter().collect();
        names.sort();
        assert_eq!(names, [id(1), id(2), id(3)], "and nothing else");
        for number in [1, 2, 3] {
            assert_eq!(fs::read(place(&follower, number)).expect("a file"), bytes(number));
        }
        assert!(store.delete_file(&id(2)).await.expect("gone"));
        copies.until(FOLLOWS, store.last_change().await.expect("a number")).await;
        assert!(!place(&follower, 2).exists() && place(&follower, 1).exists());
    };
    follow_while(address, &secret, &copying, story).await;
    assert_eq!(copying.contents.ledger.shown(), Shown::default());
}

#[tokio::test]
async fn what_came_before_the_line_broke_is_not_fetched_again_and_is_checked_all_the_same() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = with_files(&leader, &[1, 2]).await;
    let (store, copies) = (reign.store.clone(), reign.copies.clone());
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    let copying = follower.follower().await;
    fs::write(half(&follower, 1), &bytes(1)[..150_000]).expect("half a file");
    // Half of something else under the right name.
    fs::write(half(&follower, 2), &bytes(7)[..150_000]).expect("half a file");
    // Whoever serves has only the rest of the first one, so it must be asked for the rest.
    let mut only_rest = vec![0; 150_000];
    only_rest.extend_from_slice(&bytes(1)[150_000..]);
    fs::write(place(&leader, 1), only_rest).expect("a file");
    let ledger = copying.contents.ledger.clone();
    follow_while(address, &secret, &copying, until(&ledger, |shown| shown.lacks.is_nothing())).await;
    assert_eq!(fs::read(place(&follower, 1)).expect("a file"), bytes(1));
    assert!(!place(&follower, 2).exists() && !half(&follower, 2).exists(), "that was no file of ours");
    assert_eq!((ledger.shown().lost, ledger.shown().failures), (1, 1));
    // The next time it is fetched from its beginning.
    ledger.wake();
    let last = store.last_change().await.expect("a number");
    let whole = async {
        until(&ledger, |shown| shown.lost == 0).await;
        copies.until(FOLLOWS, last).await;
    };
    follow_while(address, &secret, &copying, whole).await;
    assert_eq!(fs::read(place(&follower, 2)).expect("a file"), bytes(2));
}

#[tokio::test]
async fn a_full_disk_holds_up_no_rows_and_nobody_takes_the_copy_for_whole() {
    let (leader, follower, secret) = (Node::new(), Node::new(), secret());
    let reign = with_files(&leader, &[1]).await;
    let (store, copies) = (reign.store.clone(), reign.copies.clone());
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    let mut copying = follower.follower().await;
    copying.contents.reserve = u64::MAX;
    let ledger = copying.contents.ledger.clone();
    let story = async {
        until(&ledger, |shown| shown.failures > 0).await;
        store.set_fact("colour", "red").await.expect("a fact");
        let seq = store.last_change().await.expect("a number");
        let mut marks = copying.mark.subscribe();
        marks.wait_for(|mark| *mark == Some(Mark { epoch: 1, seq })).await.expect("a mark");
        while copies.lacking(FOLLOWS).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(copies.lacking(FOLLOWS).map(|lacks| lacks.files), Some(1));
        assert!(timeout(Duration::from_millis(100), copies.until(FOLLOWS, 0)).await.is_err());
    };
    follow_while(address, &secret, &copying, story).await;
    let trouble = ledger.shown().trouble.expect("trouble");
    assert!(trouble.contains("no room"), "{trouble}");
    assert!(!half(&follower, 1).exists(), "what cannot be finished does not fill the disk");
    // Somebody makes room.
    copying.contents.reserve = 0;
    follow_while(address, &secret, &copying, copies.until(FOLLOWS, 0)).await;
    assert_eq!(fs::read(place(&follower, 1)).expect("a file"), bytes(1));
    assert_eq!(ledger.shown().trouble, None);
}

#[tokio::test]
async fn what_nobody_has_holds_up_no_hand_over_and_is_looked_for_at_all_nodes() {
    let (leader, follower, third, secret) = (Node::new(), Node::new(), Node::new(), secret());
    let reign = with_files(&leader, &[1, 2]).await;
    fs::remove_file(place(&leader, 1)).expect("lost");
    let (store, copies) = (reign.store.clone(), reign.copies.clone());
    let own = Contents::new(leader.shelf(), Ledger::default());
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    let copying = follower.follower().await;
    let ledger = copying.contents.ledger.clone();
    let story = async {
        copies.until(FOLLOWS, store.last_change().await.expect("a number")).await;
        until(&ledger, |shown| shown.lost == 1 && shown.lacks.is_nothing()).await;
    };
    follow_while(address, &secret, &copying, story).await;

    // A node that was away has it. It does not serve, and lends it.
    third.shelf().make().await.expect("a folder");
    fs::write(place(&third, 1), bytes(1)).expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let lender = listener.local_addr().expect("an address").to_string();
    let (shelf, key) = (third.shelf(), Arc::clone(&secret));
    let lending = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        lend(Guest::hear(stream, &key, NodeId(3)).await?, &shelf).await
    });
    // Nobody listens there.
    let nodes = ["127.0.0.1:1", lender.as_str()];
    let is_found = until(&own.ledger, |shown| shown.lost == 0 && shown.lacks.is_nothing());
    let (asker, wake) = (Asker { secret: &secret, node: SERVES }, Notify::new());
    tokio::select! {
        ended = own.recover(&store, &nodes, asker, &wake) => ended.expect("rows"),
        found = timeout(PATIENCE, is_found) => found.expect("in time"),
    }
    assert_eq!(fs::read(place(&leader, 1)).expect("a file"), bytes(1));
    assert!(matches!(lending.await.expect("no panic"), Err(CopyError::Closed)));
    // Who followed hears of it, and rests no longer.
    let whole = until(&ledger, |shown| shown.lost == 0 && shown.lacks.is_nothing());
    follow_while(address, &secret, &copying, whole).await;
    assert_eq!(fs::read(place(&follower, 1)).expect("a file"), bytes(1));
}

#[tokio::test]
async fn nothing_but_files_can_be_asked_for() {
    let (leader, secret) = (Node::new(), secret());
    let reign = with_files(&leader, &[1]).await;
    fs::write(leader.shelf().upload(&id(2)), "half").expect("a file");
    let (address, _task) = serve_all(reign, Arc::clone(&secret)).await;
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut wire = Wire::dial(stream, &secret, FOLLOWS).await.expect("a wire");
    for strange in ["../kith.db", "", "/etc/passwd", &id(2), &format!(".upload-{}", id(2))] {
        wire.say(&Asked::Content(strange.to_owned(), 0)).await.expect("a question");
        assert!(matches!(wire.hear().await, Ok(Told::Absent)), "{strange}");
    }
    for (from, expected) in [(199_999, 1), (200_000, 0), (u64::MAX, 0)] {
        wire.say(&Asked::Content(id(1), from)).await.expect("a question");
        match wire.hear().await.expect("an answer") {
            Told::Content(bytes) if bytes == expected => {}
            other => panic!("{from}: {other:?}"),
        }
        if expected > 0 {
            assert_eq!(wire.receive().await.expect("a piece"), bytes(1)[199_999..]);
        }
    }
    wire.say(&Asked::Applied(1)).await.expect("nonsense");
    assert!(matches!(wire.hear::<Told>().await, Err(CopyError::Closed | CopyError::Io(_))));
}
