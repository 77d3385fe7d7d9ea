//! A home of three nodes: real processes with ports of their own, ended whatever happens.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use kith::identity::Identity;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{net::TcpSocket, time::sleep};

/// How long a node may take to open its doors, or to end in order.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that is ours before its process is there, and stays so when that is gone: bound, and never listening.
struct Place(TcpSocket);

impl Place {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }
}

/// One of its nodes.
pub(crate) struct Node {
    main: Place,
    succession: Place,
    folder: TempDir,
    child: Option<Child>,
}

impl Node {
    /// Its door for clients.
    pub(crate) fn door(&self) -> String {
        format!("ws://{}", self.main.address())
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to end, as an operator does.
    pub(crate) fn ask_to_end(&self) {
        let id = self.child.as_ref().expect("a process").id().to_string();
        let status = Command::new("kill").args(["-s", "TERM", &id]).status().expect("kill");
        assert!(status.success());
    }

    /// What was said in rooms, as its disk has it.
    pub(crate) async fn lines(&self) -> Vec<String> {
        let file =
            SqliteConnectOptions::new().filename(self.folder.path().join("data/kith.db")).read_only(true);
        let mut database = file.connect().await.expect("a database");
        let question = "SELECT text FROM room_lines";
        let lines = sqlx::query_scalar(question).fetch_all(&mut database).await.expect("lines");
        database.close().await.expect("the end");
        lines
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts three nodes with the same keys.
pub(crate) async fn start(keys: &Path, settings: &[(&str, &str)]) -> Vec<Node> {
    let node = |_| {
        let folder = tempfile::tempdir().expect("a folder");
        Node { main: Place::new(), succession: Place::new(), folder, child: None }
    };
    let mut nodes: Vec<Node> = (0..3).map(node).collect();
    for at in 0..nodes.len() {
        let others = nodes.iter().enumerate().filter(|(other, _)| *other != at);
        let member = |(at, node): (usize, &Node)| {
            format!("{} door={} name=n{at}", node.succession.address(), node.door())
        };
        let members = others.map(member).collect::<Vec<_>>().join(",");
        let child = spawn(&nodes[at], keys, &members, settings);
        nodes[at].child = Some(child);
    }
    for node in &nodes {
        let (ready, started) = (node.folder.path().join("ready.json"), Instant::now());
        while !ready.exists() {
            assert!(started.elapsed() < PATIENCE, "a node did not open");
            sleep(Duration::from_millis(20)).await;
        }
    }
    nodes
}

fn spawn(node: &Node, keys: &Path, members: &str, settings: &[(&str, &str)]) -> Child {
    let data = node.folder.path().join("data");
    fs::create_dir_all(data.join("keys")).expect("a folder");
    for entry in fs::read_dir(keys.join("keys")).expect("a folder") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), data.join("keys").join(entry.file_name())).expect("a copy");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.args(["serve", "--admin-listen", "127.0.0.1:0", "--listen", &node.main.address().to_string()]);
    command.arg("--data").arg(&data).arg("--ready-file").arg(node.folder.path().join("ready.json"));
    command
        .env("KITH_ENV", "production")
        .env("KITH__LOG__LEVEL", "error")
        .env("KITH__HOME__MEMBERS", members);
    command.env("KITH__SUCCESSION__LISTEN", node.succession.address().to_string());
    for (key, value) in settings {
        command.env(format!("KITH__{key}"), value);
    }
    command.current_dir(node.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program")
}

/// The keys of a home, which take long to make.
pub(crate) fn keys() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    Identity::open(folder.path()).expect("an identity");
    folder
}
