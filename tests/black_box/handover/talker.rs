//! Members who write without a pause and remember what they hear.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, LazyLock},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::rt::{spawn, task::JoinHandle, time::sleep};
use kith::{
    client::{
        about::Inquiry,
        door::Door,
        event::Event,
        link::{Config, Link, NotSent, Report},
        olaf,
        person::PersonId,
        socp,
        trust::trust,
        voice::{Say, Voice},
    },
    crypto::keys::PrivateKey,
};
use tokio::sync::mpsc::Receiver;

use crate::app::in_time;

/// How many members have keys.
const PEOPLE: usize = 3;
/// Between two letters of one author, beside the time that a signature takes.
const PACE: Duration = Duration::from_millis(2);

/// Large keys take seconds to make, so all scenes share theirs. Each protocol wants another size.
static OLAF: LazyLock<Keys> = LazyLock::new(|| make(2048));
static SOCP: LazyLock<Keys> = LazyLock::new(|| make(4096));

type Keys = Vec<Arc<PrivateKey>>;

fn make(bits: u32) -> Keys {
    thread::scope(|scope| {
        let make = || scope.spawn(|| Arc::new(PrivateKey::generate(bits).expect("a key")));
        let threads: Vec<_> = (0..PEOPLE).map(|_| make()).collect();
        threads.into_iter().map(|thread| thread.join().expect("a key")).collect()
    })
}

/// Something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) from: PersonId,
    pub(super) text: String,
    pub(super) is_private: bool,
}

#[derive(Debug, Default)]
struct Board {
    /// By which door it is in.
    door: Option<String>,
    /// How often a connection was lost.
    losses: usize,
    present: Vec<PersonId>,
    heard: Vec<Heard>,
    /// Letters of its own that came back.
    echoes: usize,
    kept: usize,
    files: BTreeMap<String, Vec<u8>>,
    /// What no honest author and no server that loses nothing brings about.
    wrong: Vec<Event>,
}

/// A member.
#[derive(Debug)]
pub(super) struct Talker {
    link: Link,
    pub(super) id: PersonId,
    board: Rc<RefCell<Board>>,
}

fn open(door: &str, voice: Box<dyn Voice>) -> Talker {
    let (door, trust) = (Door::read(door).expect("a door"), trust(None).expect("TLS"));
    let inquiry = Some(Inquiry::start(Arc::clone(&trust)));
    let least_wait = Duration::from_millis(50);
    let config = Config { inquiry, least_wait, ..Config::new(door, trust) };
    let id = voice.me();
    let (link, reports) = Link::open(config, voice);
    let board = Rc::new(RefCell::default());
    spawn(listen(reports, Rc::clone(&board)));
    Talker { link, id, board }
}

/// A number behind all that the same key has counted before.
fn counted() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock behind 1970");
    u64::try_from(since.as_micros()).expect("a number")
}

impl Talker {
    /// A member who speaks OLAF.
    pub(super) fn olaf(door: &str, person: usize) -> Self {
        let session =
            olaf::Session::new(Arc::clone(&OLAF[person])).expect("a session").counting_from(counted());
        open(door, Box::new(session))
    }

    /// A member who speaks SOCP, under a name that no other scene uses.
    pub(super) fn socp(door: &str, person: usize) -> Self {
        Self::socp_called(door, person, &uuid::Uuid::new_v4().to_string())
    }

    /// The same under this name.
    pub(super) fn socp_called(door: &str, person: usize, name: &str) -> Self {
        let session = socp::Session::new(Arc::clone(&SOCP[person]), name, &BTreeMap::new());
        open(door, Box::new(session.expect("a session")))
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, wish: impl Fn(&Board) -> bool) {
        in_time(what, async {
            while !wish(&self.board.borrow()) {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Waits until it is in by this door and sees these others.
    pub(super) async fn meets(&self, door: &str, others: &[&Self]) {
        let meets = |board: &Board| {
            let sees = |other: &&Self| board.present.contains(&other.id);
            board.door.as_deref() == Some(door) && others.iter().all(sees)
        };
        self.until("the others are seen", meets).await;
    }

    /// Waits until it is seen nobody any more of these.
    pub(super) async fn misses(&self, other: &PersonId) {
        self.until("somebody is gone", |board| !board.present.contains(other)).await;
    }

    /// Waits until it has heard this.
    pub(super) async fn hears(&self, text: &str) {
        self.until(text, |board| board.heard.iter().any(|heard| heard.text == text)).await;
    }

    /// Waits until it has heard so much.
    pub(super) async fn hears_so_many(&self, count: usize) {
        self.until("many letters", |board| board.heard.len() >= count).await;
    }

    /// Waits until so many letters of its own are said to be kept.
    pub(super) async fn is_told_of_kept(&self, count: usize) {
        self.until("letters are kept", |board| board.kept >= count).await;
    }

    /// How many are.
    pub(super) fn kept(&self) -> usize {
        self.board.borrow().kept
    }

    /// Waits for a file, and returns what is in it.
    pub(super) async fn receives(&self, name: &str) -> Vec<u8> {
        self.until(name, |board| board.files.contains_key(name)).await;
        self.board.borrow().files[name].clone()
    }

    /// How often it was.
    pub(super) fn losses(&self) -> usize {
        self.board.borrow().losses
    }

    /// Says something, and waits until it is handed to the system.
    pub(super) async fn says(&self, say: Say) -> Result<(), NotSent> {
        self.link.carry(say).await
    }

    /// What it has heard of one author in public or in private, in the order in which it came.
    pub(super) fn heard_of(&self, author: &Self, is_private: bool) -> Vec<String> {
        let board = self.board.borrow();
        let of_author = |heard: &&Heard| heard.from == author.id && heard.is_private == is_private;
        board.heard.iter().filter(of_author).map(|heard| heard.text.clone()).collect()
    }

    /// All of one author.
    pub(super) fn heard_all_of(&self, author: &Self) -> Vec<String> {
        let board = self.board.borrow();
        board.heard.iter().filter(|heard| heard.from == author.id).map(|heard| heard.text.clone()).collect()
    }

    /// How many letters of its own have come back.
    pub(super) fn echoes(&self) -> usize {
        self.board.borrow().echoes
    }

    /// That everything was as it should be.
    pub(super) fn saw_nothing_wrong(&self) {
        let board = self.board.borrow();
        assert!(board.wrong.is_empty(), "{:?}", board.wrong);
    }

    /// Writes letters, one after the other, until its connection is lost; what each says follows from its number.
    pub(super) fn writes(&self, letter: impl Fn(usize) -> Say + 'static) -> JoinHandle<usize> {
        self.writes_from(0, letter)
    }

    /// The same from this number on. Ends with how many were handed to the system.
    pub(super) fn writes_from(
        &self,
        from: usize,
        letter: impl Fn(usize) -> Say + 'static,
    ) -> JoinHandle<usize> {
        let (link, board, losses) = (self.link.clone(), Rc::clone(&self.board), self.losses());
        spawn(async move {
            let mut number = from;
            // One at a time, so that none is left for the next connection.
            while board.borrow().losses == losses && link.carry(letter(number)).await.is_ok() {
                number += 1;
                sleep(PACE).await;
            }
            number
        })
    }

    /// Leaves in order.
    pub(super) async fn leaves(&self) {
        self.link.close().await;
        self.until("it has left", |board| board.door.is_none()).await;
    }
}

async fn listen(mut reports: Receiver<Report>, board: Rc<RefCell<Board>>) {
    while let Some(report) = reports.recv().await {
        let mut board = board.borrow_mut();
        match report {
            Report::Connected(door) => board.door = Some(door.to_string()),
            Report::Lost(_) | Report::Ended(_) => {
                if board.door.take().is_some() {
                    board.losses += 1;
                }
                board.present.clear();
            }
            Report::Event(event) => note(&mut board, event),
            _ => {}
        }
    }
}

fn note(board: &mut Board, event: Event) {
    let mut hear = |from, text, is_private| board.heard.push(Heard { from, text, is_private });
    match event {
        Event::Public { from, text } => hear(from, text, false),
        Event::Private { from, text, .. } => hear(from, text, true),
        Event::Listed { members, .. } => {
            board.present = members.iter().map(|member| member.id.clone()).collect();
        }
        Event::Echo { .. } => board.echoes += 1,
        Event::Kept { .. } => board.kept += 1,
        Event::File { name, bytes, .. } => {
            board.files.insert(name, bytes.to_vec());
        }
        event @ (Event::Unverified { .. }
        | Event::Rejected { .. }
        | Event::Unreadable { .. }
        | Event::KeyChanged { .. }
        | Event::FileLost { .. }
        | Event::Complaint(_)) => board.wrong.push(event),
        Event::Keys(_) | Event::Arriving { .. } | Event::Room(_) => {}
    }
}

/// That two have heard the same, each letter once, and the numbers grow.
pub(super) fn once_and_in_order(all: &[String]) {
    let number = |text: &String| text.rsplit(' ').next().and_then(|last| last.parse::<usize>().ok());
    let numbers: Vec<usize> = all.iter().map(|text| number(text).expect("a number")).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
}
