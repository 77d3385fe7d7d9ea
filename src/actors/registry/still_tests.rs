//! What a house that gives its place away has accepted and not yet done.

use std::time::{Duration, Instant};

use super::{waiting::join_olaf, *};
use crate::{actors::registry::Count, identity::BridgeKeys};

/// As whoever gives the place away waits.
async fn until_still(registry: &Addr<Registry>, stillness: &Stillness) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        registry.send(Count).await.expect("the registry");
        if !stillness.is_busy() {
            return;
        }
        assert!(Instant::now() < deadline, "it never holds still");
        actix_rt::time::sleep(Duration::from_millis(2)).await;
    }
}

#[actix_web::test]
async fn who_waits_until_the_house_is_still_waits_for_what_is_said_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let stillness = Stillness::default();
    let bridge = Some(BridgeKeys::generate().expect("keys"));
    let inbox = Inbox::new(1 << 20, stillness.clone());
    let registry = start(Parts { bridge, inbox: inbox.clone(), ..parts(&folder, false).await });
    let (_author, _end) = join(&registry, 1, 1 << 20).await;
    let (reader, end) = join_olaf(&registry, 2, 0, 1 << 20).await;
    let lines = 5;
    for mark in 1..=lines {
        let original = Frame::Text(format!(r#"{{"type":"MSG_PUBLIC_CHANNEL","mark":{mark}}}"#).into());
        inbox.add(original.len());
        let letter = Letter {
            from: Origin::Here(ConnectionId(1)),
            author: Author::Proven(socp::id_of("person-1")),
            audience: Audience::Everyone,
            trace: Trace([mark; 16]),
            dialect: Dialect::Socp,
            original,
            plain: Some(format!("line {mark}").into()),
        };
        registry.do_send(Route(letter));
    }
    stillness.begin();
    until_still(&registry, &stillness).await;
    end.send(Heard).await.expect("it is there");
    let heard = reader.0.lock().expect("nobody fails").0.clone();
    assert_eq!(heard.len(), usize::from(lines), "each is said again: {heard:?}");
}

#[actix_web::test]
async fn what_waits_is_handed_to_nobody_while_the_house_holds_still() {
    let folder = tempfile::tempdir().expect("a folder");
    let stillness = Stillness::default();
    let inbox = Inbox::new(1 << 20, stillness.clone());
    let registry = start(Parts { inbox, ..parts(&folder, true).await });
    let (_author, _end) = join(&registry, 1, 1 << 20).await;
    join(&registry, 2, 1 << 20).await;
    registry.send(Leave { connection: ConnectionId(2), ending: Ending::Left }).await.expect("the registry");
    registry.send(Route(waiting::letter(1))).await.expect("the registry");
    let (reader, end) = waiting::linked(&registry).await;
    stillness.begin();
    tell(&registry, HomeId(2), Change::Came(resident(2))).await;
    registry.send(Count).await.expect("the registry");
    // Behind everything that it was told so far.
    end.send(Deliver::Fault).await.expect("the reader");
    assert_eq!(reader.heard(), [] as [&str; 0]);
    stillness.end();
    let deadline = Instant::now() + Duration::from_secs(20);
    while reader.heard() != ["mark-1"] {
        assert!(Instant::now() < deadline, "{:?}", reader.heard());
        actix_rt::time::sleep(Duration::from_millis(5)).await;
    }
}
