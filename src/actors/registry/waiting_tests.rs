//! What waits for those who are away, and for whom it is too much at once.

use super::{
    leaving::{author, is_told},
    *,
};
use crate::dialect::{Ear, press};

/// The other end of the lane to a neighbour, which takes what comes one by one.
#[derive(Clone, Default)]
pub(super) struct Reader {
    lane: LaneEnd,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Reader {
    /// The marks of the letters that came.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody fails").clone()
    }
}

impl actix::Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Reader {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Context<Self>) {
        let text = match message {
            Deliver::Frame(Frame::Text(text)) => text,
            // Asks whether all before it has come.
            Deliver::Fault => return,
            other => panic!("{other:?}"),
        };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if frame["type"] == "SERVER_DELIVER" {
            let mark = frame["payload"]["content_sig"].as_str().expect("a text").to_owned();
            self.heard.lock().expect("nobody fails").push(mark);
        }
        self.lane.taken(text.len());
        self.lane.unsent(0);
    }
}

/// A private letter of the first person to the second, with a mark by which it is known.
pub(super) fn letter(mark: u8) -> Letter {
    let sealed = socp::binary::encode(&[[0xff; 32], [mark; 32]].concat(), false);
    let payload = format!(r#"{{"ciphertext":"{sealed}","content_sig":"mark-{mark}"}}"#);
    let text = format!(
        r#"{{"type":"MSG_DIRECT","from":"person-1","to":"person-2","ts":1,"payload":{payload},"sig":""}}"#
    );
    Letter {
        from: Origin::Here(ConnectionId(1)),
        author: Author::Proven(socp::id_of("person-1")),
        audience: Audience::Member(socp::id_of("person-2")),
        trace: Trace([mark; 16]),
        dialect: Dialect::Socp,
        original: Frame::Text(text.into()),
        plain: None,
    }
}

/// A neighbour that has said nothing yet.
pub(super) async fn linked(registry: &Addr<Registry>) -> (Reader, Addr<Reader>) {
    let reader = Reader::default();
    let end = reader.clone().start();
    // Lists have half of a lane: one letter fits at a time.
    let lane = reader.lane.lane(1000, end.clone().recipient());
    let (ear, meter) = (Ear::SocpPeer(socp::Accent::default()), Arc::new(Meter::default()));
    let home = HomeId(2);
    let link = Link { home, address: "there:1".into(), names: Vec::new(), key: None, ear, lane, meter };
    registry.send(link).await.expect("the registry");
    (reader, end)
}

/// A neighbour whose lane is full is not cut off by letters that waited, and what is written meanwhile does not
/// overtake them.
#[actix_web::test]
async fn letters_that_waited_go_to_a_neighbour_as_far_as_there_is_room_and_before_later_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry_with(&folder, true).await;
    let (_idle, _end) = join(&registry, 1, 1 << 20).await;
    join(&registry, 2, 1 << 20).await;
    registry.send(Leave { connection: ConnectionId(2), ending: Ending::Left }).await.expect("the registry");
    for mark in 1..=3 {
        registry.send(Route(letter(mark))).await.expect("the registry");
    }
    let (reader, _end) = linked(&registry).await;
    tell(&registry, HomeId(2), Change::Came(resident(2))).await;
    registry.send(Route(letter(4))).await.expect("the registry");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let heard = reader.heard();
        if heard.len() >= 4 {
            return assert_eq!(heard, ["mark-1", "mark-2", "mark-3", "mark-4"]);
        }
        assert!(std::time::Instant::now() < deadline, "{heard:?}");
        actix_rt::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

pub(super) async fn join_olaf(
    registry: &Addr<Registry>,
    number: u8,
    visit: u8,
    room: usize,
) -> (Idle, Addr<Idle>) {
    let (idle, key) = (Idle::default(), KeyId([number; 32]));
    let end = idle.clone().start();
    let (dialect, public_key, trace) = (Dialect::Olaf, "".into(), Trace([number + visit; 16]));
    let newcomer = Newcomer { key, named: None, dialect, public_key, spelled: key, trace };
    let ear = Ear::Olaf(crate::dialect::olaf::accent::Ear::default());
    let (connection, address) = (ConnectionId(number.into()), Ipv4Addr::LOCALHOST.into());
    let lane = LaneEnd::default().lane(room, end.clone().recipient());
    let join = Join { connection, newcomer, ear, lane, address };
    registry.send(join).await.expect("the registry").expect("a place");
    (idle, end)
}

/// A private letter to the members of this home, with a mark as its signature.
fn olaf_letter(author: u8, mark: u8) -> Letter {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let sealed = STANDARD.encode(crate::crypto::sha256(&[mark]).repeat(9));
    let data = serde_json::json!({
        "type": "chat", "destination_servers": ["here:1"], "iv": "AAAA", "symm_keys": ["QUJD"], "chat": sealed,
    });
    let (data, signature) = (data.to_string(), STANDARD.encode([mark; 30]));
    let frame =
        serde_json::json!({"type": "signed_data", "data": data, "counter": mark, "signature": signature});
    Letter {
        from: Origin::Here(ConnectionId(author.into())),
        author: Author::Proven(KeyId([author; 32])),
        audience: Audience::Homes(Vec::new()),
        trace: Trace([mark; 16]),
        dialect: Dialect::Olaf,
        original: Frame::Text(frame.to_string().into()),
        plain: None,
    }
}

#[actix_web::test]
async fn what_whoever_comes_back_cannot_take_comes_the_next_time() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry_with(&folder, true).await;
    let (_idle, _end) = join_olaf(&registry, 1, 0, 1 << 20).await;
    let leave = Leave { connection: ConnectionId(2), ending: Ending::Left };
    let mut heard = Vec::new();
    // At first it has heard nothing yet; then there is room for one letter only; then for all.
    for (visit, room) in [(100, 1 << 20), (101, 700), (102, 1 << 20)] {
        let (idle, end) = join_olaf(&registry, 2, visit, room).await;
        end.send(Heard).await.expect("it is there");
        heard.push(idle.0.lock().expect("nobody fails").0.clone());
        registry.send(leave).await.expect("the registry");
        if heard.len() == 1 {
            for mark in 51..=53 {
                registry.send(Route(olaf_letter(1, mark))).await.expect("the registry");
            }
        }
    }
    let marks = [51, 52, 53].map(|mark| STANDARD.encode([mark; 30]));
    assert_eq!(heard, [&[], &marks[..1], &marks[1..]]);
}

#[actix_web::test]
async fn a_letter_for_somebody_who_is_being_cut_off_is_kept_or_its_author_is_told() {
    for keeps in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry_with(&folder, keeps).await;
        let (taker, _author) = author(&registry).await;
        let (idle, lane) = (Idle::default(), LaneEnd::default());
        let end = idle.start();
        join_with(&registry, 2, lane.lane(1 << 20, end.recipient()), 2).await;
        lane.close();
        registry.send(Route(letter(1))).await.expect("the registry");
        let answer = if keeps { press::kept } else { press::not_found };
        is_told(&taker, &answer(&letter(1), Ear::Socp(socp::Accent::default())).expect("words")).await;
    }
}
