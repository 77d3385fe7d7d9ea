//! People who talk without a pause, half of them in a room of tPacket and half of them in OLAF, and what each of them
//! hears.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use kith::client::{
    about::Inquiry,
    door::Door,
    event::Event,
    link::{Config, Link, Report},
    olaf,
    room::Told,
    tpacket,
    trust::trust,
    voice::{Say, Voice},
};
use kith::crypto::keys::PrivateKey;
use tokio::{sync::mpsc::Receiver, time::interval};

/// How many there are. Those with even numbers speak tPacket, the others OLAF.
const PEOPLE: usize = 100;
/// How often one of them says something.
const PAUSE: Duration = Duration::from_millis(40);
const ROOM: &str = "garden";

/// What came of it.
pub(crate) struct Figures {
    /// The longest time in which nobody heard anything new.
    pub(crate) gap: Duration,
    /// Lines of the room.
    pub(crate) lines: Count,
    /// Letters of OLAF that were said before anybody noticed the end. Those behind it reach whoever is back.
    pub(crate) letters: Count,
}

/// What became of lines, or of letters.
#[derive(Default)]
pub(crate) struct Count {
    /// Anybody but their author has heard them.
    pub(crate) accepted: usize,
    /// Of these, the lines that the home no longer has, or the letters that not everybody has heard.
    pub(crate) lost: usize,
    /// How often an accepted one was not heard by somebody else who was there all the time.
    pub(crate) unread: usize,
    /// They were handed to the system, and the home never took them.
    pub(crate) never: usize,
}

#[derive(Default)]
struct Board {
    /// By which door each of them is in.
    doors: Vec<Option<String>>,
    /// Who heard which line.
    heard: HashMap<u64, HashSet<usize>>,
    /// When anybody heard a line while it was said.
    moments: Vec<Instant>,
    /// Lines that were handed to the system.
    sent: HashSet<u64>,
    /// The last line that was begun, and the one at which somebody noticed the end.
    begun: u64,
    ended: Option<u64>,
    is_silent: bool,
}

/// Everybody.
pub(crate) struct Crowd(Rc<RefCell<Board>>);

impl Crowd {
    /// All of them come by one door, each with a link of our own client.
    pub(crate) fn enter(door: &str, keys: &[Arc<PrivateKey>]) -> Self {
        let board = Rc::new(RefCell::new(Board { doors: vec![None; PEOPLE], ..Board::default() }));
        let (door, trust) = (Door::read(door).expect("a door"), trust(None).expect("TLS"));
        let mut links = Vec::with_capacity(PEOPLE);
        for number in 0..PEOPLE {
            let voice: Box<dyn Voice> = match keys.get(number / 2).filter(|_| writes_letters(number)) {
                Some(key) => Box::new(olaf::Session::new(Arc::clone(key)).expect("a session")),
                None => Box::new(tpacket::Session::new(&format!("g{number}"), ROOM).expect("a session")),
            };
            let inquiry = Some(Inquiry::start(Arc::clone(&trust)));
            let config = Config { inquiry, ..Config::new(door.clone(), Arc::clone(&trust)) };
            let (link, reports) = Link::open(config, voice);
            actix_rt::spawn(listen(number, reports, Rc::clone(&board)));
            links.push(link);
        }
        actix_rt::spawn(talk(links, Rc::clone(&board)));
        Self(board)
    }

    /// The door by which all of them are in.
    pub(crate) fn door(&self) -> Option<String> {
        let board = self.0.borrow();
        let door = board.doors.first()?.clone()?;
        board.doors.iter().all(|other| other.as_ref() == Some(&door)).then_some(door)
    }

    pub(crate) fn be_silent(&self) {
        self.0.borrow_mut().is_silent = true;
    }

    /// What came of it, if this is what the home has.
    pub(crate) fn figures(&self, kept: &[String]) -> Figures {
        let board = self.0.borrow();
        let kept: HashSet<u64> = kept.iter().filter_map(|line| line.parse().ok()).collect();
        let gaps = board.moments.windows(2).map(|pair| pair[1].duration_since(pair[0]));
        let mut figures = Figures {
            gap: gaps.max().unwrap_or_default(),
            lines: Count::default(),
            letters: Count::default(),
        };
        let everybody = PEOPLE / 2 - 1;
        for line in board.sent.iter().copied() {
            let by = board.heard.get(&line);
            let others = by.map_or(0, |by| by.iter().filter(|by| !is_of(line, **by)).count());
            let is_letter = writes_letters(author(line));
            let is_kept = if is_letter { others == everybody } else { kept.contains(&line) };
            if is_letter && board.ended.is_some_and(|ended| line >= ended) {
                continue;
            }
            let count = if is_letter { &mut figures.letters } else { &mut figures.lines };
            match others {
                0 if !is_kept => count.never += 1,
                0 => {}
                _ => {
                    count.accepted += 1;
                    count.lost += usize::from(!is_kept);
                    count.unread += everybody - others;
                }
            }
        }
        figures
    }
}

/// Everybody says something in turn.
fn author(line: u64) -> usize {
    usize::try_from(line % PEOPLE as u64).unwrap_or_default()
}

fn is_of(line: u64, person: usize) -> bool {
    author(line) == person
}

/// Who speaks OLAF.
fn writes_letters(person: usize) -> bool {
    person % 2 == 1
}

/// Keys for those who need one; they take long to make.
pub(crate) fn keys() -> Vec<Arc<PrivateKey>> {
    (0..PEOPLE / 2).map(|_| Arc::new(PrivateKey::generate(2048).expect("a key"))).collect()
}

async fn talk(links: Vec<Link>, board: Rc<RefCell<Board>>) {
    let mut clock = interval(PAUSE);
    for line in 0.. {
        clock.tick().await;
        if board.borrow().doors.iter().any(Option::is_none) && board.borrow().sent.is_empty() {
            continue;
        }
        if !board.borrow().is_silent
            && let Some((_, link)) = links.iter().enumerate().find(|(person, _)| is_of(line, *person))
        {
            board.borrow_mut().begun = line;
            link.say(line, Say::Public(line.to_string())).await;
        }
    }
}

async fn listen(person: usize, mut reports: Receiver<Report>, board: Rc<RefCell<Board>>) {
    while let Some(report) = reports.recv().await {
        let mut board = board.borrow_mut();
        match report {
            Report::Connected(door) => board.doors[person] = Some(door.to_string()),
            Report::Lost(_) => {
                if !board.sent.is_empty() && board.ended.is_none() {
                    board.ended = Some(board.begun);
                }
                board.doors[person] = None;
            }
            Report::Sent(line) => {
                board.sent.insert(line);
            }
            Report::Event(Event::Public { text, .. }) => {
                board.moments.push(Instant::now());
                hear(&mut board, person, &text);
            }
            Report::Event(Event::Room(Told::Logged(line))) => hear(&mut board, person, &line.text),
            _ => {}
        }
    }
}

fn hear(board: &mut Board, person: usize, text: &str) {
    if let Ok(line) = text.parse() {
        board.heard.entry(line).or_default().insert(person);
    }
}
