//! What is told about rooms arrives, and nothing else does.

use proptest::{collection, option, prelude::*};

use super::*;

const HOME: KeyId = KeyId([7; 32]);

fn dialect() -> impl Strategy<Value = Option<Dialect>> {
    option::of(proptest::sample::select(Dialect::ALL.to_vec()))
}

fn name() -> impl Strategy<Value = RoomName> {
    "[^\\p{Cc}]{1,16}".prop_map(|name| RoomName::new(&name).expect("a name"))
}

fn seats() -> impl Strategy<Value = Seat> {
    (any::<u32>(), any::<[u8; 32]>(), ".{0,8}", dialect()).prop_map(|(number, member, name, dialect)| Seat {
        number,
        member: KeyId(member),
        name: name.into(),
        dialect,
    })
}

fn lines() -> impl Strategy<Value = Arc<Line>> {
    let speaker = (any::<[u8; 32]>(), ".{0,8}", dialect()).prop_map(|(member, name, dialect)| Speaker {
        member: KeyId(member),
        name: name.into(),
        dialect,
    });
    let id = |stamp| LineId { stamp: Stamp(stamp), home: HOME };
    let deed = prop_oneof![
        ".{0,40}".prop_map(|text| Deed::Said(text.into())),
        ".{0,40}".prop_map(|text| Deed::Topic(text.into())),
        any::<(u64, u32)>().prop_map(move |(stamp, bytes)| Deed::Withdrew { line: id(stamp), bytes }),
    ];
    (any::<u64>(), name(), option::of(speaker), deed, any::<bool>()).prop_map(
        move |(stamp, room, by, deed, was_letter)| {
            Arc::new(Line { id: id(stamp), room, by, deed, was_letter })
        },
    )
}

fn told() -> impl Strategy<Value = RoomNews> {
    prop_oneof![
        collection::vec((name(), seats()), 0..4).prop_map(RoomNews::Seats),
        (name(), any::<u32>()).prop_map(|(room, number)| RoomNews::Went(room, number)),
        seats().prop_map(RoomNews::Renamed),
        any::<u64>().prop_map(|stamp| RoomNews::WantLines(Stamp(stamp))),
        any::<u64>().prop_map(|stamp| RoomNews::Lost(Stamp(stamp))),
        (any::<(u64, u64, bool)>(), collection::vec(lines(), 0..4)).prop_map(
            |((after, through, more), lines)| {
                RoomNews::Lines(Lines { after: Stamp(after), through: Stamp(through), more, lines })
            }
        ),
    ]
}

fn message(told: &RoomNews) -> Bytes {
    match news(told).as_slice() {
        [Frame::Binary(bytes)] => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

fn lines_of(told: &RoomNews) -> Option<&[Arc<Line>]> {
    if let RoomNews::Lines(Lines { lines, .. }) = told { Some(lines) } else { None }
}

proptest! {
    #[test]
    fn what_is_told_is_heard(told in told(), behind in collection::vec(any::<u8>(), 0..8)) {
        let message = message(&told);
        prop_assert_eq!(read(&message, HOME), Ok(Some(told.clone())));
        let longer = Bytes::from([&message[..], &behind].concat());
        prop_assert_eq!(read(&longer, HOME), Ok(Some(told)), "whatever newer programs add");
    }

    #[test]
    fn what_is_torn_is_not_believed(told in told(), at in any::<proptest::sample::Index>()) {
        let whole = message(&told);
        // Every field is said, so whatever is cut off is missing; but that an older program would have ended there.
        let torn = whole.slice(..1 + at.index(whole.len() - 1));
        let older = lines_of(&told).map(|lines| whole.len() - 1 - lines.len());
        prop_assert_eq!(read(&torn, HOME).is_err(), older != Some(torn.len()));
    }

    #[test]
    fn garbage_is_survived(kind in kind::SEATS..=kind::LOST, body in collection::vec(any::<u8>(), 0..200)) {
        let garbage = Bytes::from([&[kind], &body[..]].concat());
        if let Ok(Some(RoomNews::Lines(Lines { lines, .. }))) = read(&garbage, HOME) {
            prop_assert!(lines.iter().all(|line| line.id.home == HOME), "whatever a home says is its own");
        }
    }
}

#[test]
fn who_does_not_say_how_a_line_was_said_means_letters_in_public() {
    let wire = |room, dialect, deed| {
        let by = Some(SpeakerWire { member: [1; 32], name: "anna", dialect });
        LineWire { stamp: 5, room, by, deed }
    };
    for (room, dialect, deed, was_letter) in [
        ("public", "olaf", DeedWire::Said("hello"), true),
        ("public", "socp", DeedWire::Said("hello"), true),
        ("public", "tpacket", DeedWire::Said("hello"), false),
        ("public", "klin", DeedWire::Said("hello"), false),
        ("public", "olaf", DeedWire::Topic("hello"), false),
        ("hall", "olaf", DeedWire::Said("hello"), false),
    ] {
        let lines = vec![wire(room, dialect, deed)];
        let older = encode(kind::LINES, &LinesWire { after: 0, through: 5, more: false, lines });
        let Ok(Some(told)) = read(&older, HOME) else { panic!("no lines") };
        assert_eq!(lines_of(&told).map(|lines| lines[0].was_letter), Some(was_letter), "{dialect} in {room}");
    }
}

#[test]
fn an_announced_giant_costs_nothing() {
    for kind in [kind::SEATS, kind::LINES] {
        let giant = [&[kind, 0, 0, 0][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert_eq!(read(&Bytes::from(giant), HOME).err(), (kind == kind::LINES).then_some(Malformed));
        let giant = [&[kind][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert_eq!(read(&Bytes::from(giant), HOME).err(), Some(Malformed));
    }
}

#[test]
fn no_room_has_a_name_that_none_can_have() {
    for name in ["", "two\nlines", &"x".repeat(RoomName::LONGEST + 1)] {
        let went = encode(kind::WENT, &(name, 1_u32));
        assert_eq!(read(&went, HOME), Err(Malformed), "{name:?}");
    }
}

#[test]
fn a_dialect_that_we_do_not_know_is_heard_as_none() {
    let by = Some(SpeakerWire { member: [1; 32], name: "kahless", dialect: "klin" });
    let line = LineWire { stamp: 5, room: "hall", by, deed: DeedWire::Said("nuqneH") };
    let lines = encode(kind::LINES, &LinesWire { after: 0, through: 5, more: false, lines: vec![line] });
    let Ok(Some(RoomNews::Lines(Lines { lines, .. }))) = read(&lines, HOME) else { panic!("no lines") };
    let by = lines[0].by.as_ref().expect("a speaker");
    assert_eq!((&*by.name, by.dialect), ("kahless", None));
    assert_eq!(read(&Bytes::from_static(&[102, 1, 2]), HOME), Ok(None), "nor is a newer message");
}
