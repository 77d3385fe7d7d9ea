//! People in one room who talk without a pause, and what each of them hears.

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
    room::Told,
    tpacket::Session,
    trust::trust,
    voice::Say,
};
use tokio::{sync::mpsc::Receiver, time::interval};

/// How many there are.
const PEOPLE: usize = 100;
/// How often one of them says something.
const PAUSE: Duration = Duration::from_millis(40);
const ROOM: &str = "garden";

/// What came of it.
pub(crate) struct Figures {
    /// The longest time in which nobody heard anything new.
    pub(crate) gap: Duration,
    /// Lines that anybody but their author has heard.
    pub(crate) accepted: usize,
    /// Of these, the ones that the home no longer has.
    pub(crate) lost: usize,
    /// How often an accepted line was not heard by somebody else who was there all the time.
    pub(crate) unread: usize,
    /// Lines that were handed to the system, and that the home never took.
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
    is_silent: bool,
}

/// Everybody.
pub(crate) struct Crowd(Rc<RefCell<Board>>);

impl Crowd {
    /// All of them come by one door, each with a link of our own client.
    pub(crate) fn enter(door: &str) -> Self {
        let board = Rc::new(RefCell::new(Board { doors: vec![None; PEOPLE], ..Board::default() }));
        let (door, trust) = (Door::read(door).expect("a door"), trust(None).expect("TLS"));
        let mut links = Vec::with_capacity(PEOPLE);
        for number in 0..PEOPLE {
            let voice = Session::new(&format!("g{number}"), ROOM).expect("a session");
            let inquiry = Some(Inquiry::start(Arc::clone(&trust)));
            let config = Config { inquiry, ..Config::new(door.clone(), Arc::clone(&trust)) };
            let (link, reports) = Link::open(config, Box::new(voice));
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
        let others = |line: u64| {
            board.heard.get(&line).map_or(0, |by| by.iter().filter(|by| !is_of(line, **by)).count())
        };
        let accepted: Vec<u64> = board.sent.iter().copied().filter(|line| others(*line) > 0).collect();
        let gaps = board.moments.windows(2).map(|pair| pair[1].duration_since(pair[0]));
        Figures {
            gap: gaps.max().unwrap_or_default(),
            lost: accepted.iter().filter(|line| !kept.contains(line)).count(),
            unread: accepted.iter().map(|line| PEOPLE - 1 - others(*line)).sum(),
            never: board.sent.iter().filter(|line| others(**line) == 0 && !kept.contains(line)).count(),
            accepted: accepted.len(),
        }
    }
}

/// Everybody says something in turn.
fn is_of(line: u64, person: usize) -> bool {
    line % PEOPLE as u64 == person as u64
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
            link.say(line, Say::Public(line.to_string())).await;
        }
    }
}

async fn listen(person: usize, mut reports: Receiver<Report>, board: Rc<RefCell<Board>>) {
    while let Some(report) = reports.recv().await {
        let mut board = board.borrow_mut();
        match report {
            Report::Connected(door) => board.doors[person] = Some(door.to_string()),
            Report::Lost(_) => board.doors[person] = None,
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
