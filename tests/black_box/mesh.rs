//! `kith mesh` as people use it: one terminal that brings it up, a second one that breaks and mends it.

mod links;

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use kith::identity::Identity;
use serde_json::Value;
use tempfile::TempDir;

use crate::app::{PATIENCE, kith};

const SERVERS: usize = 3;

/// Keys take long to make, so all tests share theirs.
static KEYS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for number in 1..=SERVERS {
            let data = folder.path().join(number.to_string());
            scope.spawn(move || Identity::open(&data).expect("an identity"));
        }
    });
    folder
});

/// A neighbourhood of one's own.
struct Mesh {
    child: Child,
    folder: TempDir,
}

impl Mesh {
    fn up() -> Self {
        Self::up_in(folder_with_keys(), SERVERS)
    }

    /// One whose servers have settings of their own, as in `("LIMITS__PEER_SILENCE_S", "3")`.
    fn with(settings: &[(&str, &str)]) -> Self {
        Self::start(folder_with_keys(), SERVERS, settings)
    }

    fn up_in(folder: TempDir, servers: usize) -> Self {
        Self::start(folder, servers, &[])
    }

    fn start(folder: TempDir, servers: usize, settings: &[(&str, &str)]) -> Self {
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let errors = log.try_clone().expect("a log file");
        let mut command = kith();
        command.args(["mesh", "up", "--servers", &servers.to_string(), "--data"]).arg(folder.path());
        command.envs(settings.iter().map(|(key, value)| (format!("KITH__{key}"), value)));
        command.stdout(log).stderr(errors);
        // As a shell starts it: a group of its own, which is what Ctrl-C reaches.
        let child = command.process_group(0).spawn().expect("the program");
        let mut mesh = Self { child, folder };
        mesh.until("it is up", |mesh| {
            assert!(mesh.child.try_wait().expect("a child").is_none(), "it ended:\n{}", mesh.log());
            mesh.log().contains("Ctrl-C ends all of it")
        });
        mesh
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).expect("the log")
    }

    fn until(&mut self, wish: &str, reached: impl Fn(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !reached(self) {
            assert!(Instant::now() < deadline, "never: {wish}; it logged:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a sub-command of `kith mesh` in a second terminal.
    fn run(&self, words: &str) -> (i32, String) {
        let mut command = kith();
        command.arg("mesh").args(words.split(' ')).arg("--data").arg(self.path());
        finish(command)
    }

    /// The same for a command that must work.
    fn does(&self, words: &str) -> String {
        let (code, text) = self.run(words);
        assert_eq!(code, 0, "{words}: {text}\nit logged:\n{}", self.log());
        text
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.does("status --json")).expect("JSON")
    }

    /// A field of all servers.
    fn servers<T>(&self, field: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let status = self.status();
        let servers = status["servers"].as_array().expect("servers");
        servers.iter().filter_map(|server| read(&server[field])).collect()
    }

    fn pids(&self) -> Vec<u64> {
        self.servers("pid", Value::as_u64)
    }

    fn addresses(&self) -> Vec<String> {
        self.servers("address", |address| address.as_str().map(str::to_owned))
    }

    /// How one server sees its link to another.
    fn link(&self, from: usize, to: usize) -> Value {
        let status = self.status();
        let links = status["links"].as_array().expect("links");
        links.iter().find(|link| link["from"] == from && link["to"] == to).expect("a link").clone()
    }

    /// A signal to whatever the terminal would reach.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let status = Command::new("kill").args(["-s", name, "--", &group]).status().expect("kill");
        assert!(status.success(), "kill -s {name}");
    }

    fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        let deadline = Instant::now() + PATIENCE;
        while ended.is_none() {
            assert!(Instant::now() < deadline, "it does not end; it logged:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
            ended = self.child.try_wait().expect("a child");
        }
        ended.expect("a status")
    }

    /// Presses Ctrl-C, and hands over the folder.
    fn down(mut self) -> TempDir {
        self.signal("INT");
        let status = self.wait();
        assert!(status.success(), "{status}; it logged:\n{}", self.log());
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        // Its servers end with it, whatever way it dies.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn finish(mut command: Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().expect("the program");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// A folder in which the servers have keys already.
fn folder_with_keys() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 1..=SERVERS {
        let keys = format!("{number}/keys");
        fs::create_dir_all(folder.path().join(&keys)).expect("a folder");
        for entry in fs::read_dir(KEYS.path().join(&keys)).expect("a folder") {
            let entry = entry.expect("a file");
            let copy = folder.path().join(&keys).join(entry.file_name());
            fs::copy(entry.path(), copy).expect("a copy");
        }
    }
    folder
}

/// Whether a process is gone. Where nobody collects orphans, a dead one leaves its number behind.
fn is_gone(pid: u64) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => true,
    }
}

fn all_are_gone(pids: &[u64]) {
    assert!(!pids.is_empty());
    let deadline = Instant::now() + PATIENCE;
    while let Some(pid) = pids.iter().find(|pid| !is_gone(**pid)) {
        assert!(Instant::now() < deadline, "process {pid} is left behind");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_says_what_to_type_next_and_leaves_nothing_behind() {
    let mesh = Mesh::up();
    let log = mesh.log();
    let status = mesh.status();
    let servers = status["servers"].as_array().expect("servers");
    assert_eq!(servers.len(), SERVERS, "{status}");
    for (at, server) in servers.iter().enumerate() {
        let name = format!("server-{}", at + 1);
        assert!(server["name"] == name && server["running"] == true && server["members"] == 0, "{server}");
        let data = mesh.path().join((at + 1).to_string());
        assert_eq!(server["data"], data.display().to_string());
        let address = server["address"].as_str().expect("an address");
        for words in [format!("ws://{address}"), format!("{name} "), data.display().to_string()] {
            assert!(log.contains(&words), "{words}\n{log}");
        }
        assert!(log.contains(&format!(" chat ws://{address} --keyring ")), "{log}");
    }
    // The very words that it says, in a shell.
    let line = log.lines().find(|line| line.contains(" mesh status")).expect("a command");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line);
    let (code, text) = finish(shell);
    assert!(code == 0 && text.contains("server-3"), "{text}");

    let (pids, addresses) = (mesh.pids(), mesh.addresses());
    let folder = mesh.down();
    all_are_gone(&pids);
    let nobody = finish({
        let mut command = kith();
        command.args(["mesh", "status", "--data"]).arg(folder.path());
        command
    });
    assert!(nobody.0 == 1 && nobody.1.contains("mesh up"), "{nobody:?}");
    // It comes back where it was.
    let mesh = Mesh::up_in(folder, SERVERS);
    assert_eq!(mesh.addresses(), addresses);
    let pids = mesh.pids();
    let log = mesh.does("down");
    assert!(log.contains("told to end"), "{log}");
    all_are_gone(&pids);
}

#[test]
fn a_killed_keeper_leaves_nobody_behind() {
    let mut mesh = Mesh::up();
    let pids = mesh.pids();
    assert_eq!(pids.len(), SERVERS);
    mesh.signal("KILL");
    mesh.wait();
    all_are_gone(&pids);
}

#[test]
fn a_folder_has_one_keeper() {
    let mesh = Mesh::up_in(folder_with_keys(), 1);
    let (code, text) = mesh.run("up");
    assert!(code == 1 && text.contains("another `kith mesh up`"), "{text}");
    assert_eq!(mesh.pids().len(), 1, "the first one goes on");
}

#[test]
fn servers_are_killed_stopped_and_started() {
    let mut mesh = Mesh::up();
    let (pids, addresses) = (mesh.pids(), mesh.addresses());
    mesh.does("kill 2");
    all_are_gone(&pids[1..2]);
    assert_eq!(mesh.pids(), [pids[0], pids[2]]);
    for (from, to) in [(1, 2), (2, 1), (2, 3), (3, 2)] {
        assert_eq!(mesh.link(from, to)["state"], "down");
    }
    assert!(mesh.does("status").contains("away"));
    mesh.does("start 2");
    mesh.does("stop 3");
    all_are_gone(&pids[2..]);
    mesh.does("start 3");
    assert_eq!(mesh.addresses(), addresses);
    assert_eq!(mesh.pids().len(), SERVERS);
    for (words, problem) in [
        ("start 1", "runs already"),
        ("kill 4", "servers 1 to 3"),
        ("cut 2 2", "two different servers"),
        ("heal 1 9", "no server 9"),
    ] {
        let (code, text) = mesh.run(words);
        assert!(code == 1 && text.contains(problem), "{words}: {text}");
    }
    assert_eq!(mesh.run("slow 1 2 5").0, 2, "a time has a unit");
    // One that dies by itself is told, and left to be looked at.
    let pid = mesh.pids()[0];
    let killed = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status().expect("kill");
    assert!(killed.success());
    mesh.until("a death is told", |mesh| mesh.log().contains("server-1 was ended by signal 9 by itself"));
    assert_eq!(mesh.pids().len(), 2);
}

#[test]
fn one_more_server_moves_in_while_the_others_run() {
    let mesh = Mesh::up_in(folder_with_keys(), 2);
    let pids = mesh.pids();
    let text = mesh.does("add");
    assert!(text.contains("server-3 runs"), "{text}");
    assert_eq!(mesh.pids()[..2], pids, "nobody was restarted");
    assert_eq!(mesh.status()["links"].as_array().map(Vec::len), Some(6));
    mesh.does("cut 3 1");
    let pids = mesh.pids();
    assert_eq!(pids.len(), 3);
    mesh.down();
    all_are_gone(&pids);
}

#[test]
fn what_was_done_to_a_line_is_shown() {
    let mesh = Mesh::up();
    mesh.does("cut 1 3");
    mesh.does("slow 1 2 200ms");
    for (one, other) in [(1, 3), (3, 1)] {
        assert_eq!(
            (&mesh.link(one, other)["cut"], &mesh.link(one, other)["delay_ms"]),
            (&true.into(), &0.into())
        );
    }
    for (one, other) in [(1, 2), (2, 1)] {
        assert_eq!(
            (&mesh.link(one, other)["cut"], &mesh.link(one, other)["delay_ms"]),
            (&false.into(), &200.into())
        );
    }
    let picture = mesh.does("status");
    assert!(picture.contains("/cut") && picture.contains("~200 ms"), "{picture}");
    mesh.does("cut 1 3 --reset");
    assert_eq!(mesh.link(1, 3)["cut"], true);
    mesh.does("heal 1 3");
    mesh.does("slow 2 1 0ms");
    let status = mesh.status();
    let links = status["links"].as_array().expect("links");
    assert_eq!(links.len(), SERVERS * (SERVERS - 1));
    assert!(links.iter().all(|link| link["cut"] == false && link["delay_ms"] == 0), "{status}");
}
