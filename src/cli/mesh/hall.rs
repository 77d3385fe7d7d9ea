//! Everything that runs, in one place, and what is done with it when somebody wishes something.

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::{
    child::{Act, Condition, Server},
    error::MeshError,
    log::Log,
    order::{Answer, Change, LinkReport, Order, Report, ServerReport},
    plan::{Plan, name},
    proxy::{Passage, Proxy},
    record,
};

/// The servers, and the line from each to each.
#[derive(Debug)]
pub(super) struct Hall {
    servers: Vec<Server>,
    lines: BTreeMap<(u8, u8), Proxy>,
    log: Log,
    /// Told when somebody wishes that all this ends.
    pub(super) down: Notify,
}

impl Hall {
    /// Opens the lines, and prepares the servers. Nothing is started yet.
    pub(super) fn new(
        program: &Path,
        plans: &[Plan],
        old: &record::Record,
        log: Log,
    ) -> Result<Self, MeshError> {
        let mut lines = BTreeMap::new();
        for from in plans {
            for to in plans.iter().filter(|to| to.number != from.number) {
                let line = Proxy::open(old.line(from.number, to.number), to.main)?;
                lines.insert((from.number, to.number), line);
            }
        }
        let variables = |plan: &Plan| {
            let others = plans.iter().filter(|other| other.number != plan.number);
            let others = others.filter_map(|other| {
                lines.get(&(plan.number, other.number)).map(|line: &Proxy| (other, line.port()))
            });
            plan.variables(others)
        };
        let servers = plans
            .iter()
            .map(|plan| Server::new(program.to_owned(), plan.clone(), variables(plan), log.clone()));
        let servers = servers.collect();
        Ok(Self { servers, lines, log, down: Notify::new() })
    }

    /// What should be remembered.
    pub(super) fn record(&self) -> (Vec<record::Doors>, Vec<record::Line>) {
        let doors = self.plans().map(|plan| record::Doors {
            number: plan.number,
            main: plan.main.port(),
            admin: plan.admin.port(),
        });
        let lines = self.lines.iter();
        let lines = lines.map(|((from, to), line)| record::Line { from: *from, to: *to, port: line.port() });
        (doors.collect(), lines.collect())
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.servers.iter().map(|server| &server.plan)
    }

    /// Does the same with all servers at once; the first trouble, if there was any.
    pub(super) async fn all(&self, act: Act) -> Result<(), String> {
        let outcomes = join_all(self.servers.iter().map(|server| server.act(act))).await;
        outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))
    }

    /// Ends every server that runs.
    pub(super) async fn close(&self) {
        // Whoever does not run says so, and that is fine.
        join_all(self.servers.iter().map(|server| server.act(Act::Stop))).await;
    }

    /// Does what somebody wishes.
    pub(super) async fn obey(&self, order: Order) -> Answer {
        let outcome = match order {
            Order::Report => return Answer::Report(self.report()),
            Order::Down => {
                self.down.notify_one();
                Ok("the servers are told to end".to_owned())
            }
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

    fn server(&self, number: u8) -> Result<&Server, String> {
        let found = self.servers.iter().find(|server| server.plan.number == number);
        found.ok_or_else(|| match self.servers.len() {
            1 => format!("there is no server {number}; there is only server 1"),
            count => format!("there is no server {number}; there are servers 1 to {count}"),
        })
    }

    fn change(&self, one: u8, other: u8, change: Change) -> Result<String, String> {
        self.server(one)?;
        self.server(other)?;
        let ways = [self.lines.get(&(one, other)), self.lines.get(&(other, one))];
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
        let servers = self.servers.iter().map(|server| {
            let Plan { number, name, key, main, admin, .. } = server.plan.clone();
            let (pid, running) = match server.condition() {
                Condition::Away => (None, false),
                Condition::Starting(pid) => (Some(pid), false),
                Condition::Running(pid) => (Some(pid), true),
            };
            ServerReport { number, name, main, admin, key, pid, running }
        });
        let links = self.lines.iter().map(|((from, to), proxy)| {
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
