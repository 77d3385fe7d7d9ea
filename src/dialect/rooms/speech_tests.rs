//! Long answers, and what the vectors in `tests/vectors/rooms` cannot show of events.

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    id::{HomeId, KeyId},
    rooms::{LineId, Stamp},
};

const HOME: KeyId = KeyId([1; 32]);

fn read(frame: &Frame) -> Value {
    let Frame::Text(text) = frame else { panic!("{frame:?}") };
    assert!(text.len() < 1 << 20, "a frame of {} bytes", text.len());
    serde_json::from_str(text).expect("JSON")
}

fn room() -> RoomName {
    RoomName::new("garden").expect("a name")
}

fn line(ms: u64, text: &str) -> Arc<Line> {
    let id = LineId { stamp: Stamp(ms << 16), home: HOME };
    Arc::new(Line { id, room: room(), by: None, deed: Deed::Said(ByteString::from(text)), was_letter: false })
}

fn guest(number: u32) -> Arc<Guest> {
    let (name, dialect) = ("n".repeat(64).into(), Some(Dialect::Olaf));
    Arc::new(Guest { number, member: KeyId([9; 32]), name, dialect, home: HomeId::OWN })
}

/// All entries of a list in several frames, of which only the last one is finished.
fn gathered(frames: &[Frame], list: &str) -> Vec<Value> {
    let frames: Vec<_> = frames.iter().map(read).collect();
    let (last, before) = frames.split_last().expect("a frame");
    assert_eq!(last.get("unfinished"), None);
    assert!(before.iter().all(|frame| frame["unfinished"] == true && frame["ticket"] == last["ticket"]));
    frames.iter().flat_map(|frame| frame[list].as_array().expect("a list").clone()).collect()
}

#[test]
fn a_crowd_is_told_in_several_frames_and_everybody_once() {
    let guests: Vec<_> = (0..4096).map(guest).collect();
    // Each byte of these takes six in JSON.
    let history: Vec<_> = (1..=200).map(|ms| line(ms, &"\u{1}".repeat(2000))).collect();
    let you = guest(0);
    let scene = Scene { room: room(), topic: None, you, guests, history };
    let frames = answer(Ticket(7), &Answer::Entered(scene));
    assert!(frames.len() > 5, "{}", frames.len());
    let numbers: Vec<_> = gathered(&frames, "guests").iter().map(|guest| guest["number"].as_u64()).collect();
    assert_eq!(numbers, (0..4096).map(Some).collect::<Vec<_>>());
    let last = frames.last().map(read).expect("a frame");
    let lines = last["history"].as_array().expect("lines");
    assert_eq!((lines.last().map(|line| &line["at"]), &last["more"]), (Some(&json!(200)), &json!(true)));
    assert_eq!(gathered(&frames, "history"), *lines, "the history comes behind all guests");
}

#[test]
fn a_list_of_rooms_is_whole_whatever_its_length() {
    for (count, length) in [(0, 0), (1, 16 << 10), (1024, 0), (1024, 500)] {
        let topic = Some(ByteString::from("t".repeat(length)));
        let card = |at: u32| {
            let name = RoomName::new(&at.to_string()).expect("a name");
            RoomCard { name, topic: topic.clone(), guests: at }
        };
        let rooms: Vec<_> = (0..count).map(card).collect();
        let told = gathered(&answer(Ticket(1), &Answer::Rooms(rooms.clone(), false)), "rooms");
        let numbers: Vec<_> = told.iter().filter_map(|card| card["guests"].as_u64()).collect();
        assert_eq!(numbers, (0..u64::from(count)).collect::<Vec<_>>());
        let frames = answer(Ticket(1), &Answer::Rooms(rooms, true));
        let said: Vec<_> = frames.iter().map(|frame| read(frame)["more"] == true).collect();
        assert!(
            said.iter().rev().eq((0..said.len()).map(|at| at == 0).collect::<Vec<_>>().iter()),
            "{said:?}"
        );
    }
}

#[test]
fn a_page_has_the_newest_lines_that_fit_and_never_none() {
    let page = |lines: Vec<Arc<Line>>, more| {
        let frames = answer(Ticket(1), &Answer::History { room: room(), lines, more });
        let [frame] = &frames[..] else { panic!("{frames:?}") };
        let page = read(frame);
        let lines = page["lines"].as_array().expect("lines");
        let at = lines.iter().filter_map(|line| line["at"].as_u64()).collect::<Vec<_>>();
        (at, page["more"] == true)
    };
    assert_eq!(page(vec![], false), (vec![], false));
    assert_eq!(page(vec![line(1, "a"), line(2, "b")], false), (vec![1, 2], false));
    assert_eq!(page(vec![line(1, "a"), line(2, "b")], true), (vec![1, 2], true));
    let long = "x".repeat(40_000);
    assert_eq!(page(vec![line(1, &long), line(2, &long)], false), (vec![2], true));
    assert_eq!(page(vec![line(1, "a"), line(2, &"x".repeat(100_000))], false), (vec![2], true));
}

#[test]
fn what_was_said_elsewhere_meanwhile_has_no_number() {
    let by = Speaker { member: KeyId([9; 32]), name: "anna".into(), dialect: None };
    let told = Arc::new(Line { by: Some(by), ..(*line(5, "hi")).clone() });
    let frame = event(&room(), &Event::Recalled(told)).map(|frame| read(&frame)).expect("a frame");
    let by = json!({"name": "anna", "dialect": null, "member": "09".repeat(32)});
    let id = format!("0000000000050000-{}", HOME.hex());
    let line = json!({"id": id, "at": 5, "by": by, "kind": "said", "text": "hi"});
    assert_eq!(frame, json!({"kith": "event", "room": "garden", "event": "recalled", "line": line}));
}
