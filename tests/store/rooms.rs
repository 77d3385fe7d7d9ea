//! What happened in rooms comes back as it was written.

use bytestring::ByteString;
use kith::domain::dialect::Dialect;
use kith::domain::limits::Limits;
use kith::domain::rooms::{Deed, Kept, KeptRoom, Line, LineId, Opener, Record, RoomName, Speaker, Stamp};
use kith::store::{Seen, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::{House, key};

fn name(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn id(stamp: u64, home: u16) -> LineId {
    LineId { stamp: Stamp(stamp), home: key(home) }
}

fn said(stamp: u64, room: &str, text: &str) -> Line {
    let by = Speaker { member: key(7), name: "älice".into(), dialect: Some(Dialect::Tpacket) };
    let (by, deed) = (Some(by), Deed::Said(ByteString::from(text)));
    Line { id: id(stamp, 1), room: name(room), by, deed, was_letter: stamp % 2 == 1 }
}

fn room(room: &str, closed: bool) -> KeptRoom {
    let opener = Some(if closed { Opener::Member(key(7)) } else { Opener::Home(key(1)) });
    KeptRoom { name: name(room), closed: closed.then_some(1234), opener }
}

fn line(line: &Line) -> Record {
    Record::Line(line.clone().into())
}

/// What is there, its lines in order.
async fn kept(house: &House) -> Kept {
    let store = house.open().await;
    let mut kept = store.rooms(&Limits::default()).await.unwrap();
    kept.lines.sort_by_key(|line| line.id);
    store.close().await;
    kept
}

async fn write(house: &House, records: &[Record]) {
    let store = house.open().await;
    store.write_rooms(records, 5).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let house = House::new();
    assert_eq!(kept(&house).await, Kept::default());
    let topic = Line { by: None, deed: Deed::Topic("".into()), ..said(2, "a/b", "") };
    let withdrew = Deed::Withdrew { line: id(1, 1), bytes: u32::MAX };
    let withdrew = Line { id: id(u64::MAX, 2), by: None, deed: withdrew, ..said(3, "a/b", "") };
    let mut newer = said(4, "lobby", "from the future");
    newer.by.as_mut().unwrap().dialect = None;
    let lines = [said(1, "lobby", "two\nlines \0 and \u{1f980}"), topic, newer, withdrew];
    let rooms = [room("a/b", true), room("lobby", false)];
    let records: Vec<_> = rooms.iter().cloned().map(Record::Room).chain(lines.iter().map(line)).collect();
    write(&house, &records).await;
    write(&house, &[Record::Muted(key(3), true), Record::Muted(key(2), true), Record::Muted(key(3), true)])
        .await;
    let gone = |stamp: u64| Record::Emptied(name("cellar"), Some(Stamp(stamp)));
    write(&house, &[gone(5), gone(u64::MAX), Record::Emptied(name("den"), Some(Stamp(1)))]).await;
    write(&house, &[Record::Emptied(name("den"), None), Record::Emptied(name("den"), None)]).await;
    let (muted, emptied) = (vec![key(2), key(3)], vec![(name("cellar"), Stamp(u64::MAX))]);
    write(&house, &[Record::Head(Stamp(7)), Record::Head(Stamp(u64::MAX))]).await;
    let head = Stamp(u64::MAX);
    let expected = Kept { rooms: rooms.to_vec(), lines: lines.to_vec(), muted, emptied, head };
    assert_eq!(kept(&house).await, expected);
    // Some of it may be written twice.
    write(&house, &records).await;
    assert_eq!(kept(&house).await, expected);
}

#[tokio::test]
async fn what_is_erased_opened_forgotten_or_unmuted_is_so() {
    let house = House::new();
    let (first, second, other) = (said(1, "lobby", "1"), said(2, "lobby", "2"), said(3, "attic", "3"));
    let rooms = [room("lobby", true), room("attic", false)].map(Record::Room);
    write(&house, &[&rooms[..], &[line(&first), line(&second), line(&other)]].concat()).await;
    let opened = room("lobby", false);
    write(
        &house,
        &[
            Record::Erased(first.id),
            Record::Erased(id(99, 1)),
            Record::Room(opened.clone()),
            Record::Forgotten(name("attic")),
            Record::Forgotten(name("nowhere")),
            Record::Muted(key(1), true),
            Record::Muted(key(1), false),
        ],
    )
    .await;
    assert_eq!(kept(&house).await, Kept { rooms: vec![opened], lines: vec![second], ..Kept::default() });
    // The order of records counts: what is made again after it was forgotten is there.
    write(&house, &[Record::Forgotten(name("lobby")), Record::Room(room("lobby", true))]).await;
    assert_eq!(kept(&house).await, Kept { rooms: vec![room("lobby", true)], ..Kept::default() });
}

#[tokio::test]
async fn reading_is_bounded_and_takes_the_newest_lines_and_the_topic() {
    let house = House::new();
    let store = house.open().await;
    let topic = Line { deed: Deed::Topic("tea".into()), ..said(1, "lobby", "") };
    let lines: Vec<_> = (2..20).map(|stamp| said(stamp, "lobby", "x")).collect();
    let rooms = ["lobby", "second", "third"].map(|name| Record::Room(room(name, false)));
    for records in [&rooms[..], &[line(&topic)], &lines.iter().map(line).collect::<Vec<_>>()] {
        store.write_rooms(records, 5).await.unwrap();
    }
    let limits = Limits { rooms: 2, room_lines: 3, ..Limits::default() };
    let mut kept = store.rooms(&limits).await.unwrap();
    kept.lines.sort_by_key(|line| line.id);
    assert_eq!(kept.rooms.len(), 2);
    assert_eq!(kept.lines, [&[topic], &lines[15..]].concat());
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing() {
    let house = House::new();
    let store = house.open_with(Some(60)).await;
    let text = "t".repeat(16 << 10);
    let records: Vec<_> = (0..100).map(|stamp| line(&said(stamp, "lobby", &text))).collect();
    let lobby = Record::Room(room("lobby", false));
    store.write_rooms(&[lobby], 5).await.unwrap();
    let error = store.write_rooms(&records, 5).await.unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(store.rooms(&Limits::default()).await.unwrap().lines, []);
    store.write_rooms(&records[..2], 5).await.unwrap();
    assert_eq!(store.rooms(&Limits::default()).await.unwrap().lines.len(), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_told() {
    let house = House::new();
    let store = house.open().await;
    store.write_rooms(&[Record::Room(room("lobby", false)), line(&said(1, "lobby", "x"))], 5).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(house.path()).connect().await.unwrap();
    for (strange, table) in [
        ("UPDATE room_lines SET text = NULL", "room_lines"),
        ("UPDATE room_lines SET text = 'x', name = NULL", "room_lines"),
        ("UPDATE room_lines SET kind = 'withdrew'", "room_lines"),
        ("UPDATE rooms SET opener_kind = 'member', opener = zeroblob(32), name = char(7)", "rooms"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(strange)).execute(&mut other).await.unwrap();
        let error = store.rooms(&Limits::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Row { table: told } if told == table), "{strange}: {error:?}");
    }
    other.close().await.unwrap();
}

/// A nick is nobody's by key, so it must not be taken for a name that is.
#[tokio::test]
async fn a_nick_is_another_name_than_the_same_word_in_a_dialect_with_keys() {
    let house = House::new();
    let store = house.open().await;
    let named = |key| kith::domain::member::Named {
        name: "alice".into(),
        key,
        proven: key.is_some(),
        sealing_key: None,
        display_name: None,
    };
    let nick = Seen::now(key(1), Dialect::Tpacket, String::new(), 10).under(Some(named(None)));
    store.remember_members(&[nick]).await.unwrap();
    assert_eq!(store.names(10).await.unwrap(), []);
    let user = Seen::now(key(2), Dialect::Socp, "key".into(), 20).under(Some(named(Some(key(8)))));
    store.remember_members(&[user]).await.unwrap();
    assert_eq!(store.member(key(2)).await.unwrap().unwrap().name_key, Some(key(8)));
    let nick = store.member(key(1)).await.unwrap().unwrap();
    assert_eq!((nick.name.as_deref(), nick.name_key), (Some("alice"), None));
}
