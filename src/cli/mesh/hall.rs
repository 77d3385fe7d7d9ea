//! Everything that runs, in one place, and what is done with it when somebody wishes something.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::{Mutex, Notify};

use super::{
    child::{Act, Condition, Server},
    error::MeshError,
    log::Log,
    order::{Answer, Change, LinkReport, Order, Report, ServerReport},
    plan::{Plan, name},
    ports::Reserved,
    proxy::{Passage, Proxy},
    record::{Control, Doors, Line, Record},
};

/// The servers, and the line from each to each.
#[derive(Debug)]
pub(super) struct Hall {
    pub(super) folder: PathBuf,
    program: PathBuf,
    pub(super) log: Log,
    rooms: RefCell<Rooms>,
    /// What is remembered.
    record: RefCell<Record>,
    /// One newcomer at a time.
    pub(super) growing: Mutex<()>,
    /// Told when somebody wishes that all this ends.
    pub(super) down: Notify,
}

#[derive(Debug, Default)]
struct Rooms {
    servers: Vec<Rc<Server>>,
    lines: BTreeMap<(u8, u8), Proxy>,
    /// What keeps strangers from the ports of a server that is away.
    held: Vec<Reserved>,
}

impl Hall {
    /// An empty one, with what is remembered of an earlier one.
    pub(super) fn new(folder: &Path, program: PathBuf, record: Record, log: Log) -> Self {
        Self {
            folder: folder.to_owned(),
            program,
            log,
            rooms: RefCell::default(),
            record: RefCell::new(record),
            growing: Mutex::default(),
            down: Notify::new(),
        }
    }

    /// Gives ports to servers with these keys, numbered from this one, and opens the lines from and to
    /// them. Nothing is started yet. Needs a running actix system.
    pub(super) fn move_in(
        &self,
        first: u8,
        keys: Vec<String>,
        base_port: Option<u16>,
    ) -> Result<(), MeshError> {
        let Rooms { servers, lines, held } = &mut *self.rooms.borrow_mut();
        let record = self.record.borrow();
        let mut plans: Vec<Plan> = servers.iter().map(|server| server.plan.clone()).collect();
        for (number, key) in (first..).zip(keys) {
            let (main, admin) = doors(number, base_port, &record)?;
            plans.push(Plan::new(&self.folder, number, key, main.port(), admin.port()));
            held.extend([main, admin]);
        }
        for from in &plans {
            for to in plans.iter().filter(|to| to.number != from.number) {
                let way = (from.number, to.number);
                if let Entry::Vacant(place) = lines.entry(way) {
                    place.insert(Proxy::open(record.line(way.0, way.1), to.main)?);
                }
            }
        }
        for plan in &plans[servers.len()..] {
            servers.push(Rc::new(Server::new(self.program.clone(), plan.clone(), self.log.clone())));
        }
        // Whoever is away reads of newcomers at its next start.
        for server in servers {
            let number = server.plan.number;
            let others = plans.iter().filter(|other| other.number != number);
            let known = others.filter_map(|other| Some((other, lines.get(&(number, other.number))?.port())));
            server.tell(server.plan.variables(known));
        }
        Ok(())
    }

    /// Writes down who is where, and at which door wishes are heard.
    pub(super) fn remember(&self, control: Option<Control>) -> Result<(), MeshError> {
        let rooms = self.rooms.borrow();
        let doors = rooms.servers.iter().map(|server| &server.plan).map(|plan| Doors {
            number: plan.number,
            main: plan.main.port(),
            admin: plan.admin.port(),
        });
        let ports = rooms.lines.iter();
        let lines = ports.map(|((from, to), line)| Line { from: *from, to: *to, port: line.port() });
        let mut record = self.record.borrow_mut();
        record.renew(&doors.collect::<Vec<_>>(), &lines.collect::<Vec<_>>());
        record.control = control;
        record.write(&self.folder)
    }

    /// The same, at the door of before.
    pub(super) fn remember_newcomers(&self) -> Result<(), MeshError> {
        let control = self.record.borrow().control.clone();
        self.remember(control)
    }

    /// All servers. Cheap, so that nothing is borrowed while one waits for them.
    pub(super) fn servers(&self) -> Vec<Rc<Server>> {
        self.rooms.borrow().servers.clone()
    }

    /// The port at which one server dials another.
    pub(super) fn port(&self, from: u8, to: u8) -> Option<u16> {
        self.rooms.borrow().lines.get(&(from, to)).map(Proxy::port)
    }

    /// Does the same with all servers at once; the first trouble, if there was any.
    pub(super) async fn all(&self, act: Act) -> Result<(), String> {
        let outcomes = join_all(self.servers().iter().map(|server| server.act(act))).await;
        outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))
    }

    /// Ends every server that runs.
    pub(super) async fn close(&self) {
        // Whoever does not run says so, and that is fine.
        join_all(self.servers().iter().map(|server| server.act(Act::Stop))).await;
    }

    /// Does what somebody wishes.
    pub(super) async fn obey(&self, order: Order) -> Answer {
        let outcome = match order {
            Order::Report => return Answer::Report(self.report()),
            Order::Down => {
                self.down.notify_one();
                Ok("the servers are told to end".to_owned())
            }
            Order::Add => self.add().await,
            Order::Kill(number) => self.act(number, Act::Kill).await,
            Order::Stop(number) => self.act(number, Act::Stop).await,
            Order::Start(number) => self.act(number, Act::Start).await,
            Order::Line { one, other, change } => self.change(one, other, change),
        };
        match outcome {
            Ok(said) => {
                self.log.say(&*said);
                Answer::Done(said)
            }
            Err(problem) => Answer::Refused(problem),
        }
    }

    async fn act(&self, number: u8, act: Act) -> Result<String, String> {
        self.server(number)?.act(act).await
    }

    fn server(&self, number: u8) -> Result<Rc<Server>, String> {
        let servers = self.servers();
        let found = servers.iter().find(|server| server.plan.number == number).cloned();
        found.ok_or_else(|| match servers.len() {
            1 => format!("there is no server {number}; there is only server 1"),
            count => format!("there is no server {number}; there are servers 1 to {count}"),
        })
    }

    fn change(&self, one: u8, other: u8, change: Change) -> Result<String, String> {
        self.server(one)?;
        self.server(other)?;
        let lines = &self.rooms.borrow().lines;
        let ways = [lines.get(&(one, other)), lines.get(&(other, one))];
        let [Some(there), Some(back)] = ways else {
            return Err("a line runs between two different servers".to_owned());
        };
        for way in [there, back] {
            way.change(|line| match change {
                Change::Cut => line.passage = Passage::Cut,
                Change::Refuse => line.passage = Passage::Refused,
                Change::Heal => line.passage = Passage::Open,
                Change::Slow { delay_ms } => line.delay = Duration::from_millis(delay_ms),
            });
        }
        let line = format!("the line between {} and {}", name(one), name(other));
        Ok(match change {
            Change::Cut => format!("{line} is cut: nothing passes, and nobody is told"),
            Change::Refuse => format!("{line} is cut, and both are told"),
            Change::Heal => format!("{line} is whole"),
            Change::Slow { delay_ms: 0 } => format!("{line} is as fast as it can be"),
            Change::Slow { delay_ms } => format!("{line} is {delay_ms} ms longer each way"),
        })
    }

    fn report(&self) -> Report {
        let rooms = self.rooms.borrow();
        let servers = rooms.servers.iter().map(|server| {
            let Plan { number, name, key, main, admin, .. } = server.plan.clone();
            let (pid, running) = match server.condition() {
                Condition::Away => (None, false),
                Condition::Starting(pid) => (Some(pid), false),
                Condition::Running(pid) => (Some(pid), true),
            };
            ServerReport { number, name, main, admin, key, pid, running }
        });
        let links = rooms.lines.iter().map(|((from, to), proxy)| {
            let line = proxy.line();
            LinkReport {
                from: *from,
                to: *to,
                cut: line.passage != Passage::Open,
                delay_ms: u64::try_from(line.delay.as_millis()).unwrap_or(u64::MAX),
            }
        });
        Report { servers: servers.collect(), links: links.collect() }
    }
}

/// The main and the admin port of a server: its own of before, if nobody else has them now.
fn doors(number: u8, base: Option<u16>, record: &Record) -> Result<(Reserved, Reserved), MeshError> {
    if let Some(base) = base {
        let first = base + 2 * u16::from(number - 1);
        let exactly = |port| Reserved::exactly(port).map_err(|error| MeshError::Port { port, error });
        return Ok((exactly(first)?, exactly(first + 1)?));
    }
    let doors = record.doors(number);
    let main = Reserved::preferably(doors.map(|doors| doors.main))?;
    Ok((main, Reserved::preferably(doors.map(|doors| doors.admin))?))
}
