//! A container engine: the one that answers already, or one of the test's own.
//!
//! An own engine lives in namespaces of its own (network, mounts, processes), so this machine's network
//! and mounts stay as they are, and whatever way the test ends, the kernel ends the engine and all its
//! containers with it.

use std::{
    fmt, fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long anything may take before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// An engine that answers, and the tool that reads `compose.yaml`.
pub(crate) struct Engine {
    own: Option<Own>,
    compose: &'static [&'static str],
}

/// An engine of one's own.
struct Own {
    /// The keeper of its namespaces.
    keeper: Child,
    folder: TempDir,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.own.is_some() { "an engine of the test's own" } else { "the engine at hand" };
        write!(f, "{whose}, by {}", self.compose.join(" "))
    }
}

impl Engine {
    /// The engine of this machine, or else a new one; or why there is none.
    pub(crate) fn at_hand() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("the program is built for this machine, and containers need Linux".to_owned());
        }
        if !works(Command::new("docker").arg("--version")) {
            return Err("there is no docker; on Debian: apt-get install docker.io docker-compose".to_owned());
        }
        let tools: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        let compose = tools.into_iter().find(|tool| works(command(tool).arg("version")));
        let compose = compose.ok_or("there is neither docker compose nor docker-compose")?;
        if works(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])) {
            return Ok(Self { own: None, compose });
        }
        let own = Own::start()?;
        Ok(Self { own: Some(own), compose })
    }

    /// Whether the engine, and with it every port that it publishes, is this test's alone.
    pub(crate) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// `docker` with some words.
    pub(crate) fn docker(&self, words: &[&str]) -> Command {
        let mut docker = self.tool(&["docker"]);
        docker.args(words);
        docker
    }

    /// `docker compose` or `docker-compose`.
    pub(crate) fn compose(&self) -> Command {
        self.tool(self.compose)
    }

    fn tool(&self, words: &[&str]) -> Command {
        let mut tool = command(words);
        if let Some(own) = &self.own {
            tool.env("DOCKER_HOST", own.url()).env("DOCKER_CONFIG", own.folder.path());
            // What Debian has is the classic builder; newer programs still know it.
            tool.env("DOCKER_BUILDKIT", "0").env("COMPOSE_DOCKER_CLI_BUILD", "0");
            tool.env_remove("DOCKER_CONTEXT");
        }
        tool
    }

    /// Starts a program where the published ports are: on this machine, as a person would.
    pub(crate) fn beside(&self, program: &Path) -> Command {
        let Some(own) = &self.own else { return Command::new(program) };
        let mut enter = own.enter("net");
        enter.arg(program);
        enter
    }

    /// Kills a process by the number that the engine knows it under; `false` if that cannot be done here.
    pub(crate) fn kill(&self, process: &str) -> bool {
        let Some(own) = &self.own else { return false };
        run(own.enter("pid_for_children").args(["kill", "-KILL", process]));
        true
    }
}

impl Own {
    fn start() -> Result<Self, String> {
        if run(Command::new("id").arg("-u")).trim() != "0" {
            return Err("no engine answers, and only root can start one".to_owned());
        }
        for tool in ["dockerd", "ip", "nsenter", "setpriv", "unshare"] {
            if !works(Command::new("which").arg(tool)) {
                return Err(format!("no engine answers, and without {tool} none can be started"));
            }
        }
        let folder = tempfile::tempdir().map_err(|error| format!("no folder for an engine: {error}"))?;
        let path = |name: &str| folder.path().join(name);
        // Not what is configured for an engine of this machine.
        fs::write(path("daemon.json"), "{}").map_err(|error| error.to_string())?;
        let log = fs::File::create(path("log")).map_err(|error| error.to_string())?;
        // Both die with whoever started them: the keeper with this test, the engine with its keeper.
        let keeper = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc"])
            .args(["--fork", "--kill-child"])
            .args(["sh", "-c", r#"ip link set lo up && exec dockerd "$@""#, "dockerd"])
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("exec"))
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("--config-file")
            .arg(path("daemon.json"))
            .args(["--host", &format!("unix://{}", path("sock").display())])
            // Wherever this machine's own manager of control groups may be, it is not asked.
            .args(["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent"])
            .arg(format!("/{}", control_group()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| error.to_string())?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("no engine can be started: {error}"))?;
        let mut own = Self { keeper, folder };
        own.wait_until_it_answers()?;
        Ok(own)
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let mut asked = Command::new("docker");
        asked.args(["version", "--format", "{{.Server.Version}}"]).env("DOCKER_HOST", self.url());
        while !works(asked.env_remove("DOCKER_CONTEXT")) {
            let ended = !matches!(self.keeper.try_wait(), Ok(None));
            if ended || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(5).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(format!("the engine that was started does not answer; its last words:\n{last}"));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("sock").display())
    }

    /// What runs another program in a namespace of the engine.
    fn enter(&self, namespace: &str) -> Command {
        let kind = namespace.split('_').next().expect("a word");
        let mut enter = Command::new("nsenter");
        enter.arg(format!("--{kind}=/proc/{}/ns/{namespace}", self.keeper.id())).arg("--");
        enter
    }
}

impl Drop for Own {
    /// Stops the engine in order, or else without.
    fn drop(&mut self) {
        // It is the first process of its namespace.
        let _ = self.enter("pid_for_children").args(["kill", "-TERM", "1"]).output();
        let deadline = Instant::now() + Duration::from_secs(30);
        while matches!(self.keeper.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        // The engine forgets the group that held its containers: one folder, or one for each controller.
        let groups = Path::new("/sys/fs/cgroup");
        let _ = fs::remove_dir(groups.join(control_group()));
        for controller in fs::read_dir(groups).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(controller.path().join(control_group()));
        }
    }
}

/// The control group of all containers, seen from the root of the groups.
fn control_group() -> String {
    format!("kith-test-{}", std::process::id())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn works(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// Runs a command that has to succeed, and returns what it says.
pub(crate) fn run(command: &mut Command) -> String {
    let output = attempt(command);
    let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (says(&output.stdout), says(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{errors}", output.status);
    out
}

/// Runs a command that may fail.
pub(crate) fn attempt(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
