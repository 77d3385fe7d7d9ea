//! The real server as a process of its own: started with raised limits, watched through `/proc`, and
//! stopped whatever happens.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Limits that would otherwise be what is measured: one address plays thousands of people.
const LIMITS: [(&str, &str); 12] = [
    ("CONNECTIONS", "20000"),
    ("CONNECTIONS_PER_ADDRESS", "20000"),
    ("CONNECTIONS_PER_MEMBER", "20000"),
    ("HELLOS_PER_ADDRESS_PER_MINUTE", "10000000"),
    ("HELLO_TIMEOUT_S", "600"),
    ("FRAMES_PER_SECOND", "10000000"),
    ("FRAMES_BURST", "10000000"),
    ("BYTES_PER_SECOND", "2000000000"),
    ("BYTES_BURST", "2000000000"),
    ("PING_INTERVAL_S", "600"),
    ("SILENCE_TIMEOUT_S", "1200"),
    ("PRESENCE_BYTES_PER_SECOND", "2000000000"),
];

/// How long a start may take; the first one makes the keys.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    /// The main door.
    pub(crate) address: SocketAddr,
    /// Where the doors are, and the token of the admin door.
    ready: Value,
}

impl Server {
    /// Starts a server whose keys and database are in `data`.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with more settings.
    pub(crate) fn start_with(data: &Path, settings: &[(&str, &str)]) -> Self {
        let ready = data.join("ready.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command.arg("serve").args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command.arg("--data").arg(data.join("kith")).arg("--ready-file").arg(&ready);
        command.current_dir(data).env("KITH_ENV", "production").env("KITH__LOG__LEVEL", "error");
        for (key, value) in LIMITS {
            command.env(format!("KITH__LIMITS__{key}"), value);
        }
        for (key, value) in settings {
            command.env(format!("KITH__{key}"), value);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts");
        // From here on a panic ends the process too.
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into(), ready: Value::Null };
        let started = Instant::now();
        server.address = loop {
            server.ready = read(&ready).unwrap_or_default();
            if let Some(address) = address(&server.ready["listen"]) {
                break address;
            }
            let ended = server.child.try_wait().expect("a process");
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "the server did not open: {ended:?}");
            thread::sleep(Duration::from_millis(20));
        };
        let _ = fs::remove_file(ready);
        server
    }

    /// The metric of this name, labels included.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let address = address(&self.ready["admin"]).expect("an admin door");
        let token = self.ready["token"].as_str().expect("a token");
        let mut stream = TcpStream::connect(address).expect("an open admin door");
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("a door that listens");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("metrics");
        number_behind(&text, &[&format!("{name} ")])
    }

    /// Memory of the process in KiB, as the kernel counts it. Buffers of sockets are not in it.
    pub(crate) fn rss_kib(&self) -> f64 {
        let path = |name| format!("/proc/{}/{name}", self.child.id());
        let text = fs::read_to_string(path("smaps_rollup")).or_else(|_| fs::read_to_string(path("status")));
        number_behind(&text.expect("a process"), &["Rss:", "VmRSS:"])
    }

    /// CPU seconds of the process so far.
    pub(crate) fn cpu_s(&self) -> f64 {
        cpu_of(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(ready: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(ready).ok()?).ok()
}

fn address(text: &Value) -> Option<SocketAddr> {
    text.as_str()?.parse().ok()
}

fn number_behind(text: &str, labels: &[&str]) -> f64 {
    let line = text.lines().find(|line| labels.iter().any(|label| line.starts_with(label)));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).expect("a number of the kernel")
}

/// CPU seconds of a process, user and system, by the clock ticks of Linux (100 a second).
fn cpu_of(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    let (_, behind) = text.rsplit_once(')').expect("a name in parentheses");
    let ticks = behind.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / 100.0
}

/// CPU seconds of the load generator so far.
pub(crate) fn own_cpu_s() -> f64 {
    cpu_of("self")
}

/// How many files one process may hold open here.
pub(crate) fn most_files() -> usize {
    let text = fs::read_to_string("/proc/self/limits").expect("the limits of this process");
    let line = text.lines().find(|line| line.starts_with("Max open files"));
    line.and_then(|line| line.split_whitespace().nth(3)).and_then(|soft| soft.parse().ok()).unwrap_or(1024)
}
