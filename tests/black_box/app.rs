//! A server of one's own: started for a test, gone with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up. Machines are slow at times; nothing sleeps so
/// long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that takes several steps, and gives up when all of them together take too long: a
/// server that says something now and then must not make a test wait for ever.
pub(crate) async fn in_time<T>(what: &str, steps: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, steps).await {
        Ok(done) => done,
        Err(_) => panic!("in {PATIENCE:?} nothing came of it: {what}"),
    }
}

/// As a setting: nobody reads what the server logs, so that its pipe is full some day.
pub(crate) const UNREAD: (&str, &str) = ("TEST__UNREAD", "");

/// A running server.
pub(crate) struct App {
    child: Child,
    /// `host:port` of the main door.
    pub(crate) listen: String,
    /// `host:port` of the admin door.
    pub(crate) admin: String,
    /// The admin token.
    pub(crate) token: String,
    folder: TempDir,
}

/// The program under test.
pub(crate) fn kith() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    // Only what a test sets counts, whatever the shell of the developer holds.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KITH_") {
            command.env_remove(name);
        }
    }
    command.env("KITH_ENV", "test").stdin(Stdio::null());
    command
}

impl App {
    /// A server with the settings of the test environment.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with some settings of its own, as in `("LIMITS__HELLO_TIMEOUT_S", "1")`.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"), settings)
    }

    /// A server with the data that another one left.
    pub(crate) fn in_folder(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let ready = folder.path().join("ready.json");
        // A server that was killed left its own.
        let _ = fs::remove_file(&ready);
        // Nobody reads the pipe, which stays open for as long as the child is held.
        let log = match settings.contains(&UNREAD) {
            true => Stdio::piped(),
            false => fs::File::create(folder.path().join("log")).expect("a log file").into(),
        };
        let settings = settings.iter().filter(|setting| **setting != UNREAD);
        let mut command = kith();
        command.arg("serve").arg("--data").arg(folder.path().join("data")).arg("--ready-file").arg(&ready);
        // A flag would win over the environment.
        if !settings.clone().any(|(key, _)| *key == "LISTEN__MAIN") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !settings.clone().any(|(key, _)| *key == "LISTEN__ADMIN") {
            command.args(["--admin-listen", "127.0.0.1:0"]);
        }
        for (key, value) in settings {
            command.env(format!("KITH__{key}"), value);
        }
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program");
        let ready = wait_for_file(&ready, &mut child, folder.path());
        let text = |key: &str| ready[key].as_str().expect("a text in the ready file").to_owned();
        let (listen, admin, token) = (text("listen"), text("admin"), text("token"));
        Self { child, listen, admin, token, folder }
    }

    /// The folder that holds everything of this server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/kith.db")
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("the log")
    }

    /// Sends a signal by name, as in `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("kill");
        assert!(status.success(), "kill -s {name}");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end; it logged:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it in order and hands over its folder.
    pub(crate) fn stop(mut self) -> TempDir {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}; it logged:\n{}", self.log());
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }

    /// Kills it without a word and hands over its folder.
    pub(crate) fn kill(mut self) -> TempDir {
        self.signal("KILL");
        self.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Its memory in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for_file(path: &Path, child: &mut Child, folder: &Path) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = fs::read_to_string(path) {
            return serde_json::from_str(&text).expect("a ready file that is JSON");
        }
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        if let Some(status) = child.try_wait().expect("a child") {
            panic!("the server ended with {status}:\n{}", log());
        }
        assert!(Instant::now() < deadline, "the server is not ready:\n{}", log());
        std::thread::sleep(Duration::from_millis(5));
    }
}
