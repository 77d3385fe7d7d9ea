//! The Autobahn suite as a process of its own: where it is, how it is asked, and where its report is.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// What the server is called in the report.
pub(crate) const AGENT: &str = "kith";

/// How long all cases may take together. They take less than half a minute, on a busy machine some.
const PATIENCE: Duration = Duration::from_secs(600);

/// The suite, installed.
pub(crate) struct Suite {
    python: PathBuf,
    folder: PathBuf,
}

/// A process that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already, which is just as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Suite {
    /// The suite that `./test` installed, or why there is none.
    pub(crate) fn installed() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/autobahn");
        let python =
            env::var_os("KITH_TEST_PYTHON2").map_or_else(|| folder.join("python/bin/python"), PathBuf::from);
        if !python.exists() {
            let why = "it is not there; ./test installs it if there is Python 2.7";
            return Err(format!("{}: {why}", python.display()));
        }
        let import = ["-W", "ignore", "-c", "import autobahntestsuite"];
        let output = Command::new(&python).args(import).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(Self { python, folder })
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Where the report for people is.
    pub(crate) fn report(&self) -> PathBuf {
        self.folder.join("report/index.html")
    }

    /// Runs every case against a server, and returns the index of the report.
    pub(crate) fn run(&self, url: &str) -> Value {
        let (report, log) = (self.folder.join("report"), self.folder.join("log"));
        // An old report must not be taken for the new one.
        let _ = fs::remove_dir_all(&report);
        fs::create_dir_all(&self.folder).expect("a folder");
        let spec = self.folder.join("spec.json");
        let wishes = json!({
            "options": {"failByDrop": false},
            "outdir": &report,
            "servers": [{"agent": AGENT, "url": url}],
            "cases": ["*"],
            // Compression of messages.
            "exclude-cases": ["12.*", "13.*"],
            "exclude-agent-cases": {},
        });
        fs::write(&spec, wishes.to_string()).expect("a place for the wishes");
        let output = fs::File::create(&log).expect("a log file");
        let mut command = Command::new(&self.python);
        command.args(["-W", "ignore", "-m", "autobahntestsuite.wstest", "--mode", "fuzzingclient", "--spec"]);
        command.arg(&spec).current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(output.try_clone().expect("a log file")).stderr(output);
        let mut running = Running(command.spawn().expect("the suite"));
        let told = || fs::read_to_string(&log).unwrap_or_default();
        let deadline = Instant::now() + PATIENCE;
        // How it ends says nothing about what it found.
        while running.0.try_wait().expect("a process").is_none() {
            assert!(Instant::now() < deadline, "the suite does not end; it said:\n{}", told());
            sleep(Duration::from_millis(50));
        }
        let index = fs::read_to_string(report.join("index.json"));
        let index = index.unwrap_or_else(|error| panic!("no report ({error}); it said:\n{}", told()));
        serde_json::from_str(&index).expect("an index that is JSON")
    }
}
