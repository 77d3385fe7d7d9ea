//! The three servers of `compose.yaml`, and the misfortunes that can befall a container.

use std::{
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    engine::{Engine, PATIENCE, attempt, run},
    image::{Image, root},
};

/// The services, with the ports that the file publishes.
const SERVERS: [(&str, u16, u16); 3] = [("north", 8081, 9091), ("east", 8082, 9092), ("south", 8083, 9093)];

/// Three running containers.
pub(crate) struct Trio<'a> {
    engine: &'a Engine,
    image: &'a Image,
    project: String,
    /// Main and admin port of each server.
    ports: [(u16, u16); 3],
}

impl<'a> Trio<'a> {
    /// Starts them, and waits until the engine calls them healthy.
    pub(crate) fn up(engine: &'a Engine, image: &'a Image) -> Self {
        // On an engine of our own nothing else is published, so the file is taken exactly as it is.
        let ports =
            SERVERS.map(|(_, main, admin)| if engine.is_own() { (main, admin) } else { free_ports() });
        // The image is named after the process; so is what runs on it.
        let trio = Self { engine, image, project: image.name.clone(), ports };
        run(trio.compose().args(["up", "--detach", "--no-build"]));
        for (server, ..) in SERVERS {
            trio.wait(&format!("{server} is not healthy"), || {
                trio.inspect(server, "{{.State.Health.Status}}") == "healthy"
            });
        }
        trio
    }

    fn compose(&self) -> Command {
        let mut compose = self.engine.compose();
        compose.arg("--project-name").arg(&self.project).current_dir(root());
        compose.env("KITH_IMAGE", &self.image.name);
        if !self.engine.is_own() {
            for ((server, ..), (main, admin)) in SERVERS.into_iter().zip(self.ports) {
                let server = server.to_uppercase();
                compose.env(format!("KITH_{server}_PORT"), main.to_string());
                compose.env(format!("KITH_{server}_ADMIN_PORT"), admin.to_string());
            }
        }
        compose
    }

    /// The id of a container.
    fn id(&self, server: &str) -> String {
        let ids = run(self.compose().args(["ps", "--all", "--quiet", server]));
        let id = ids.trim();
        assert!(!id.is_empty(), "{server} has no container");
        id.to_owned()
    }

    fn inspect(&self, server: &str, format: &str) -> String {
        run(&mut self.engine.docker(&["inspect", "--format", format, &self.id(server)])).trim().to_owned()
    }

    fn ports_of(&self, server: &str) -> (u16, u16) {
        let at = SERVERS.iter().position(|(name, ..)| *name == server).expect("a server");
        self.ports[at]
    }

    /// The URL of a main door, as seen from outside of the containers.
    pub(crate) fn door(&self, server: &str) -> String {
        format!("ws://127.0.0.1:{}", self.ports_of(server).0)
    }

    /// The file's promises: nobody special, nothing to write to, nothing for other machines.
    pub(crate) fn is_confined(&self) {
        for (server, ..) in SERVERS {
            let host = self.inspect(server, "{{json .HostConfig}}");
            let host: Value = serde_json::from_str(&host).expect("what the engine was asked for");
            assert_eq!(host["ReadonlyRootfs"], true, "{host}");
            assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{host}");
            assert_eq!(host["SecurityOpt"], serde_json::json!(["no-new-privileges:true"]), "{host}");
            for port in ["8080/tcp", "9090/tcp"] {
                assert_eq!(host["PortBindings"][port][0]["HostIp"], "127.0.0.1", "{host}");
            }
            assert_eq!(self.inspect(server, "{{.Config.User}}"), "10001:10001");
            // The admin door is published, too, and asks for the token.
            let (_, admin) = self.ports_of(server);
            let mut check = self.engine.beside(&self.image.program);
            run(check.args(["healthcheck", "--admin-listen", &format!("127.0.0.1:{admin}")]));
        }
    }

    /// What a server says of the others.
    fn peers(&self, server: &str) -> Option<Vec<Value>> {
        let mut ask = self.engine.docker(&["exec", &self.id(server), "kith", "admin", "--json", "peers"]);
        let output = attempt(&mut ask);
        if !output.status.success() {
            return None;
        }
        Some(serde_json::from_slice(&output.stdout).expect("peers as JSON"))
    }

    /// Waits until every server has a link to both others.
    pub(crate) fn all_linked(&self) {
        for (server, ..) in SERVERS {
            self.wait(&format!("{server} is not linked"), || {
                let peers = self.peers(server).unwrap_or_default();
                let up = |name: &str| peers.iter().any(|peer| peer["name"] == name && peer["state"] == "up");
                SERVERS.iter().all(|(other, ..)| *other == server || up(other))
            });
        }
    }

    /// Stops a container's processes where they stand; its sockets stay open.
    pub(crate) fn pause(&self, server: &str) {
        run(&mut self.engine.docker(&["pause", &self.id(server)]));
    }

    /// Lets them go on.
    pub(crate) fn unpause(&self, server: &str) {
        run(&mut self.engine.docker(&["unpause", &self.id(server)]));
    }

    /// Pulls the plug.
    pub(crate) fn disconnect(&self, server: &str) {
        run(&mut self.engine.docker(&["network", "disconnect", &self.network(), &self.id(server)]));
    }

    /// Puts it in again.
    pub(crate) fn connect(&self, server: &str) {
        let network = self.network();
        run(&mut self.engine.docker(&["network", "connect", "--alias", server, &network, &self.id(server)]));
    }

    fn network(&self) -> String {
        format!("{}_neighbourhood", self.project)
    }

    /// Kills a server's processes, and waits until the engine has started it anew.
    pub(crate) fn kill(&self, server: &str) {
        let born = self.inspect(server, "{{.State.StartedAt}}");
        if !self.engine.kill(&self.inspect(server, "{{.State.Pid}}")) {
            // A foreign engine only kills by order, and then keeps the container dead by order, too.
            run(&mut self.engine.docker(&["kill", &self.id(server)]));
            run(&mut self.engine.docker(&["start", &self.id(server)]));
        }
        self.wait(&format!("{server} was not started again"), || {
            let now = self.inspect(server, "{{.State.Running}} {{.State.StartedAt}}");
            now.starts_with("true") && !now.ends_with(&born)
        });
    }

    /// Stops all of them: each says goodbye in time and ends well, and nothing stays behind.
    pub(crate) fn stops_in_order(self) {
        run(self.compose().arg("stop"));
        for (server, ..) in SERVERS {
            assert_eq!(self.inspect(server, "{{.State.ExitCode}}"), "0", "{server}\n{}", self.logs());
        }
        run(self.compose().args(["down", "--volumes"]));
        let filter = format!("label=com.docker.compose.project={}", self.project);
        for list in [&["ps", "--all"][..], &["volume", "ls"], &["network", "ls"]] {
            let left = run(self.engine.docker(list).args(["--quiet", "--filter", &filter]));
            assert_eq!(left, "", "{list:?}");
        }
    }

    fn logs(&self) -> String {
        let logs = attempt(self.compose().args(["logs", "--no-color", "--tail=40"]));
        String::from_utf8_lossy(&logs.stdout).into_owned()
    }

    fn wait(&self, problem: &str, until: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !until() {
            if Instant::now() > deadline {
                let peers: Vec<_> = SERVERS.iter().map(|(server, ..)| (server, self.peers(server))).collect();
                panic!("{problem}\n{peers:#?}\n{}", self.logs());
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Trio<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.logs());
        }
        let _ = self.compose().args(["down", "--volumes", "--timeout", "1"]).output();
        let _ = self.engine.docker(&["image", "rm", &self.image.name]).output();
    }
}

/// Two ports of this machine that nobody uses.
fn free_ports() -> (u16, u16) {
    let free = || TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (main, admin) = (free(), free());
    let port = |socket: TcpListener| socket.local_addr().expect("its address").port();
    (port(main), port(admin))
}
