//! A real browser: Chromium without a screen, and the chromedriver through which it is driven.
//!
//! Chromium is started here and not by chromedriver, which would leave it behind if it were killed. So both are ours, are
//! ended by their ids, and the profile is deleted, whatever way a test ends.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::PATIENCE;

/// How long this waits between two looks at something.
pub(crate) const LOOK: Duration = Duration::from_millis(25);

/// A browser that does nothing by itself: no greeting, no update, no question to anybody outside of this machine.
const FLAGS: [&str; 15] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
    "--password-store=basic",
    "--window-size=1100,800",
    "--remote-debugging-port=0",
];

/// The programs, by the names under which they run here.
#[derive(Clone, Copy)]
pub(crate) struct Tools {
    browser: &'static str,
    driver: &'static str,
}

impl Tools {
    /// The programs of this machine, or why there is no browser to be driven.
    pub(crate) fn at_hand() -> Result<Self, String> {
        let first = |names: &[&'static str]| names.iter().copied().find(|name| runs(name));
        let browser = first(&["chromium", "chromium-browser", "google-chrome"])
            .ok_or("there is no Chromium; on Debian: apt-get install chromium")?;
        let driver = first(&["chromedriver", "chromium.chromedriver"])
            .ok_or("there is no chromedriver; on Debian: apt-get install chromium-driver")?;
        Ok(Self { browser, driver })
    }
}

fn runs(name: &str) -> bool {
    let output = Command::new(name).arg("--version").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// A program that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is deleted even while the last of Chromium's own children still write into it.
struct Profile(TempDir);

impl Drop for Profile {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.0.path().exists() && Instant::now() < deadline {
            if fs::remove_dir_all(self.0.path()).is_err() {
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// A browser with one window, which is driven.
pub(crate) struct Chromium {
    /// The session of its driver.
    pub(crate) driven: Client,
    is_judged: bool,
    // They end in this order.
    _browser: Process,
    _driver: Process,
    profile: Profile,
}

/// What a browser has to say about a page.
#[derive(Debug, Deserialize)]
struct Entry {
    level: String,
    message: String,
    #[serde(default)]
    source: String,
}

impl Chromium {
    /// A browser that nobody has used before, with more flags.
    pub(crate) async fn start(tools: Tools, more: &[&str]) -> Self {
        let profile = Profile(tempfile::tempdir().expect("a folder"));
        let folder = profile.0.path();
        let mut browser = Command::new(tools.browser);
        browser.args(FLAGS).args(more).env("HOME", folder);
        browser.arg(format!("--user-data-dir={}", folder.display())).arg("about:blank");
        let browser = Process(spawn(&mut browser, &folder.join("browser.log")));
        // Its port, and a path on a line of its own.
        let port = said_in(&folder.join("DevToolsActivePort"), |text| {
            let (port, path) = text.split_once('\n')?;
            path.starts_with("/devtools").then(|| port.to_owned())
        });
        let (driver, driven_at) = driver(tools.driver, &folder.join("driver.log"));
        let driven = attach(&driven_at, &port).await;
        Self { driven, is_judged: false, _browser: browser, _driver: driver, profile }
    }

    /// A folder that is gone with the browser.
    pub(crate) fn folder(&self) -> &Path {
        self.profile.0.path()
    }

    /// Gives an order of the driver's own to it.
    async fn order(&self, path: &'static str, body: Value) -> Value {
        self.driven.issue_cmd(Order { path, body }).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Gives an order in the words of the developers' tools.
    pub(crate) async fn tool(&self, command: &str, parameters: Value) -> Value {
        self.order("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// What the browser had to complain about since it was asked last, but for what has any of these texts in it.
    pub(crate) async fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let entries = self.order("se/log", json!({"type": "browser"})).await;
        let entries: Vec<Entry> = serde_json::from_value(entries).expect("a log");
        let bad = |entry: &Entry| entry.level == "SEVERE" || entry.source == "security";
        let strange = |entry: &Entry| !expected.iter().any(|text| entry.message.contains(text));
        let complaints = entries.iter().filter(|entry| bad(entry) && strange(entry));
        complaints.map(|entry| format!("{}: {}", entry.source, entry.message)).collect()
    }

    /// The end: nothing but this was there to complain about, neither errors nor anything that the policy of the page forbids.
    pub(crate) async fn ends(mut self, expected: &[&str]) {
        self.is_judged = true;
        let complaints = self.complaints(expected).await;
        assert!(complaints.is_empty(), "the browser complains:\n{}", complaints.join("\n"));
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        assert!(
            self.is_judged || std::thread::panicking(),
            "nobody has looked at what the browser complains about"
        );
    }
}

/// Something that only this driver knows.
#[derive(Debug)]
struct Order {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Order {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = fs::File::create(log).expect("a log file");
    let both = log.try_clone().expect("a log file");
    command.stdin(Stdio::null()).stdout(log).stderr(both).spawn().expect("a program")
}

/// A driver and its port. It looks for a port that is free in IPv6 and ends itself if the same is not free in IPv4, which
/// on a machine with many connections happens; then it is started again.
fn driver(program: &str, log: &Path) -> (Process, String) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let driver = Process(spawn(Command::new(program).arg("--port=0"), log));
        let port = said_in(log, |text| {
            if let Some((_, rest)) = text.split_once("started successfully on port ") {
                return rest.split_once('.').map(|(port, _)| Some(port.to_owned()));
            }
            (text.contains("IPv4 port not available") && Instant::now() < deadline).then_some(None)
        });
        if let Some(port) = port {
            return (driver, port);
        }
    }
}

/// Waits until a file says what is sought in it.
fn said_in<T>(path: &Path, sought: impl Fn(&str) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if let Some(found) = sought(&text) {
            return found;
        }
        assert!(Instant::now() < deadline, "{} says only {text:?}", path.display());
        std::thread::sleep(LOOK);
    }
}

async fn attach(driver: &str, browser: &str) -> Client {
    let wishes = json!({
        "goog:chromeOptions": {"debuggerAddress": format!("127.0.0.1:{browser}")},
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    let Value::Object(wishes) = wishes else { unreachable!("an object") };
    let url = format!("http://127.0.0.1:{driver}");
    let session = Client::with_capabilities_and_connector(&url, &wishes, HttpConnector::new()).await;
    session.expect("a session")
}
