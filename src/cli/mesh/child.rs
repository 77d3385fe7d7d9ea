//! One server of the mesh as a process: started, ended, and watched by a task of its own, which does one
//! thing after the other. Nobody starts a server that ended by itself: people want to look at it first.
//!
//! **Invariant:** no server outlives this process. Each holds the reading end of a pipe as its standard
//! input, and the kernel closes the other end however this process dies.

use std::{
    cell::RefCell,
    fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    rc::Rc,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    log::Log,
    plan::{Plan, is_not_inherited},
};

/// How long a server may take to open its doors.
const START: Duration = Duration::from_secs(60);
/// How long it may take to close them before it is ended by force.
const STOP: Duration = Duration::from_secs(20);
/// How often it is looked whether the doors are open.
const TICK: Duration = Duration::from_millis(20);
/// How long its last lines may take.
const LAST_LINES: Duration = Duration::from_millis(500);
/// Wishes that may wait for one server.
const WISHES: usize = 16;

/// What can be done with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Start,
    Stop,
    Kill,
}

/// What a server is told at its start, as variables. It changes when others move in.
type Settings = Rc<RefCell<Vec<(&'static str, String)>>>;
/// How it went, in words.
type Outcome = Result<String, String>;
type Reply = oneshot::Sender<Outcome>;

/// Whether it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is no process.
    #[default]
    Away,
    /// There is one, whose doors are not open yet.
    Starting(u32),
    /// Its doors are open.
    Running(u32),
}

/// One server. Its process ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) plan: Plan,
    settings: Settings,
    acts: mpsc::Sender<(Act, Reply)>,
    condition: watch::Receiver<Condition>,
    task: JoinHandle<()>,
}

impl Server {
    /// A server that does not run yet. Needs a running actix system.
    pub(super) fn new(program: PathBuf, plan: Plan, log: Log) -> Self {
        let settings = Settings::default();
        let (acts, wishes) = mpsc::channel(WISHES);
        let (told, condition) = watch::channel(Condition::default());
        let keeper = Keeper {
            program,
            plan: plan.clone(),
            settings: Rc::clone(&settings),
            log,
            condition: told,
            process: None,
            starting: None,
        };
        let task = actix_rt::spawn(keeper.run(wishes));
        Self { plan, settings, acts, condition, task }
    }

    /// What it is told at its next start.
    pub(super) fn tell(&self, variables: Vec<(&'static str, String)>) {
        self.settings.replace(variables);
    }

    /// Does something with it, and says how it went.
    pub(super) async fn act(&self, act: Act) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let gone = || format!("nobody looks after {} any more", self.plan.name);
        self.acts.send((act, reply)).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// How it is.
    pub(super) fn condition(&self) -> Condition {
        *self.condition.borrow()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A process and what is held of it.
struct Process {
    child: Child,
    /// Its standard input; it ends when this is closed. Not left with the child, because waiting for a
    /// child closes what it holds.
    hold: Option<ChildStdin>,
    pid: u32,
    lines: JoinHandle<()>,
}

struct Keeper {
    program: PathBuf,
    plan: Plan,
    settings: Settings,
    log: Log,
    condition: watch::Sender<Condition>,
    process: Option<Process>,
    /// Who waits for the doors, and until when.
    starting: Option<(Reply, Instant)>,
}

impl Keeper {
    async fn run(mut self, mut wishes: mpsc::Receiver<(Act, Reply)>) {
        loop {
            tokio::select! {
                status = ended(&mut self.process) => {
                    let how = self.has_ended(status).await;
                    let Plan { name, number, .. } = &self.plan;
                    self.log.say(format!("{name} {how} by itself; `kith mesh start {number}` starts it again"));
                }
                () = sleep(TICK), if self.starting.is_some() => self.look().await,
                wish = wishes.recv() => {
                    let Some((act, reply)) = wish else { return };
                    self.obey(act, reply).await;
                }
            }
        }
    }

    async fn obey(&mut self, act: Act, reply: Reply) {
        let name = self.plan.name.clone();
        let outcome = match (act, &self.process) {
            (Act::Start, Some(process)) => Err(format!("{name} runs already, as process {}", process.pid)),
            (Act::Start, None) => match self.spawn() {
                Ok(()) => {
                    self.starting = Some((reply, Instant::now() + START));
                    return;
                }
                Err(error) => Err(format!("{name} cannot be started: {error}")),
            },
            (Act::Stop | Act::Kill, None) => Err(format!("{name} does not run")),
            (Act::Stop, Some(_)) => Ok(self.stop().await),
            (Act::Kill, Some(_)) => Ok(self.kill().await),
        };
        // Whoever asked may have left.
        let _ = reply.send(outcome);
    }

    fn spawn(&mut self) -> std::io::Result<()> {
        let ready = self.plan.ready_file();
        // What a killed server left there is no longer true.
        let _ = fs::remove_file(&ready);
        let mut command = std::process::Command::new(&self.program);
        command.arg("serve").arg("--supervised").arg("--data").arg(&self.plan.data);
        command.arg("--listen").arg(self.plan.main.to_string());
        command.arg("--admin-listen").arg(self.plan.admin.to_string());
        command.arg("--ready-file").arg(ready);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_not_inherited) {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.borrow().iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for us, and we end it in order.
        command.process_group(0);
        let mut child = Command::from(command).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let lines = actix_rt::spawn(pass_on(child.stderr.take(), self.plan.number, self.log.clone()));
        self.process = Some(Process { hold: child.stdin.take(), child, pid, lines });
        self.condition.send_replace(Condition::Starting(pid));
        Ok(())
    }

    /// Looks whether the doors are open.
    async fn look(&mut self) {
        let Some(Process { pid, .. }) = self.process else { return };
        let ready = fs::read_to_string(self.plan.ready_file()).unwrap_or_default();
        let ready: Value = serde_json::from_str(&ready).unwrap_or_default();
        if ready["pid"] == pid {
            self.condition.send_replace(Condition::Running(pid));
            self.started(Ok(format!("{} runs as process {pid}", self.plan.name)));
        } else if self.starting.as_ref().is_some_and(|(_, until)| Instant::now() >= *until) {
            self.started(Err(format!("{} does not open its doors", self.plan.name)));
            self.kill().await;
        }
    }

    fn started(&mut self, outcome: Outcome) {
        if let Some((reply, _)) = self.starting.take() {
            let _ = reply.send(outcome);
        }
    }

    /// Ends it in order, and by force if it does not end.
    async fn stop(&mut self) -> String {
        let Some(process) = &mut self.process else { return String::new() };
        // Nobody holds the other end any more.
        drop(process.hold.take());
        match timeout(STOP, ended(&mut self.process)).await {
            Ok(status) => {
                let how = self.has_ended(status).await;
                format!("{} {how}", self.plan.name)
            }
            Err(_) => {
                self.log.say(format!("{} does not end; it is killed", self.plan.name));
                self.kill().await
            }
        }
    }

    async fn kill(&mut self) -> String {
        let Some(process) = &mut self.process else { return String::new() };
        // Fails only if it ended just now.
        let _ = process.child.start_kill();
        let status = ended(&mut self.process).await;
        let how = self.has_ended(status).await;
        format!("{} {how}", self.plan.name)
    }

    /// Puts away what is left of it, and says how it ended.
    async fn has_ended(&mut self, status: Option<ExitStatus>) -> String {
        if let Some(process) = self.process.take() {
            let _ = timeout(LAST_LINES, process.lines).await;
        }
        self.condition.send_replace(Condition::Away);
        let how = match status.map(|status| (status.code(), status.signal())) {
            Some((Some(0), _)) => "ended in order".to_owned(),
            Some((Some(code), _)) => format!("ended with status {code}"),
            Some((None, Some(signal))) => format!("was ended by signal {signal}"),
            _ => "ended".to_owned(),
        };
        self.started(Err(format!(
            "{} {how} before its doors were open; the log has its words",
            self.plan.name
        )));
        how
    }
}

/// Waits for the end of a process; for ever, if there is none.
async fn ended(process: &mut Option<Process>) -> Option<ExitStatus> {
    match process {
        Some(process) => process.child.wait().await.ok(),
        None => std::future::pending().await,
    }
}

/// Passes on what a server says.
async fn pass_on(output: Option<impl AsyncRead + Unpin>, number: u8, log: Log) {
    let Some(output) = output else { return };
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = output.read_until(b'\n', &mut line).await {
        log.said(number, String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}
