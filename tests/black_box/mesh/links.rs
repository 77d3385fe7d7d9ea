//! What a mesh is for: links that come up, break, and heal, and people who talk across them.

use serde_json::Value;

use super::{Mesh, SERVERS, finish, folder_with_keys};
use crate::{
    app::{App, kith},
    person::Person,
};

/// How long links may take to come up. Longer than the first waits before dialling again.
const HEALED: &str = "status --wait 20s";

impl Mesh {
    /// Waits until a link is as wished, as both ends see it.
    fn until_link(&mut self, one: usize, other: usize, wish: impl Fn(&Value) -> bool) {
        self.until(&format!("a change between {one} and {other}"), |mesh| {
            wish(&mesh.link(one, other)) && wish(&mesh.link(other, one))
        });
    }

    /// Somebody at a server, with a keyring in the folder of the mesh.
    fn person(&self, server: usize, name: &str) -> Person {
        Person::at(&format!("ws://{}", self.addresses()[server - 1]), self.path(), name)
    }

    /// Runs `kith peers` for a server, by its data folder.
    fn peers(&self, server: usize, words: &[&str]) -> (i32, String) {
        let mut command = kith();
        command.arg("peers").args(words).arg("--data").arg(self.path().join(server.to_string()));
        finish(command)
    }

    /// The same with `--json`, for a command that must work.
    fn peers_json(&self, server: usize, words: &[&str]) -> Value {
        let (code, text) = self.peers(server, &[words, &["--json"]].concat());
        assert_eq!(code, 0, "{words:?}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{words:?}: {text}"))
    }
}

#[test]
fn three_people_on_three_servers_talk_and_a_killed_server_comes_back() {
    let mesh = Mesh::up();
    mesh.does(HEALED);
    let mut anna = mesh.person(1, "anna");
    let mut ben = mesh.person(2, "ben");
    let mut cleo = mesh.person(3, "cleo");
    anna.reads(&format!("* joined: {}", ben.short));
    anna.reads(&format!("* joined: {}", cleo.short));
    let shorts = [&anna, &ben, &cleo].map(|person| person.short.clone());
    cleo.types("/list");
    let list = [(); SERVERS].map(|()| cleo.reads("- "));
    for (short, address) in shorts.iter().zip(mesh.addresses()) {
        let is_there = |line: &String| line.starts_with(&format!("- {short}")) && line.ends_with(&address);
        assert!(list.iter().any(is_there), "{short} at {address}: {list:?}");
    }
    assert_eq!(mesh.servers("members", Value::as_u64), [1, 1, 1]);
    anna.types("/all good evening");
    for other in [&mut ben, &mut cleo] {
        other.reads(&format!("{}: good evening", shorts[0]));
    }
    cleo.types(&format!("/tell {} the key is under the mat", shorts[0]));
    assert!(anna.reads("under the mat").starts_with(&format!("{} (private)", shorts[2])));

    mesh.does("kill 2");
    anna.reads(&format!("* left: {}", shorts[1]));
    ben.reads("* trying again");
    mesh.does("start 2");
    mesh.does(HEALED);
    ben.reads("* connected to");
    anna.reads(&format!("* joined: {}", shorts[1]));
    anna.types("/all welcome back");
    ben.reads("welcome back");
    ben.types(&format!("/tell {} thank you", shorts[2]));
    cleo.reads("thank you");
    let heard = cleo.leaves(0).join("\n");
    assert_eq!(heard.matches("good evening").count(), 1, "{heard}");
}

#[test]
fn a_cut_line_is_noticed_and_heals() {
    let mut mesh = Mesh::with(&[("LIMITS__PEER_HEARTBEAT_S", "1"), ("LIMITS__PEER_SILENCE_S", "3")]);
    mesh.does(HEALED);
    let span = mesh.link(1, 3)["round_trip_ms"].as_f64().expect("a round trip");
    assert!(span < 1000.0, "{span}");
    for cut in ["cut 1 3", "cut 1 3 --reset"] {
        mesh.does(cut);
        mesh.until_link(1, 3, |link| link["state"] != "up" && link["cut"] == true);
        // The others do not mind, and nobody waits for what was cut on purpose.
        mesh.does(HEALED);
        assert_eq!((&mesh.link(1, 2)["state"], &mesh.link(3, 2)["state"]), (&"up".into(), &"up".into()));
        mesh.does("heal 1 3");
        mesh.does(HEALED);
        assert_eq!(mesh.link(3, 1)["state"], "up");
    }
}

#[test]
fn a_slow_line_has_a_long_round_trip() {
    let mut mesh = Mesh::with(&[("LIMITS__PEER_HEARTBEAT_S", "1"), ("LIMITS__PEER_SILENCE_S", "5")]);
    mesh.does(HEALED);
    mesh.does("slow 1 2 200ms");
    mesh.until_link(1, 2, |link| link["round_trip_ms"].as_f64().is_some_and(|span| span >= 400.0));
    assert!(mesh.link(1, 3)["round_trip_ms"].as_f64().is_some_and(|span| span < 400.0));
    mesh.does("slow 1 2 0ms");
    mesh.until_link(1, 2, |link| link["round_trip_ms"].as_f64().is_some_and(|span| span < 400.0));
}

#[test]
fn neighbours_are_looked_after_in_the_terminal() {
    let mut mesh = Mesh::up();
    mesh.does(HEALED);
    let list = mesh.peers_json(1, &["list"]);
    let peers = list.as_array().expect("a list");
    assert_eq!(peers.len(), SERVERS - 1, "{list}");
    assert!(peers.iter().all(|peer| peer["state"] == "up" && peer["trust"] == "pinned"), "{list}");
    let (code, table) = mesh.peers(1, &["list"]);
    assert!(code == 0 && table.contains("server-2") && table.contains("pinned"), "{table}");
    let address = mesh.addresses()[1].clone();
    let (id, key) = (peers[0]["id"].as_str().expect("an id"), peers[0]["key"].as_str().expect("a key"));
    for who in [id, &address, "server-2"] {
        let peer = mesh.peers_json(1, &["show", who]);
        assert_eq!((&peer["id"], &peer["address"]), (&peers[0]["id"], &address.as_str().into()), "{who}");
    }
    let (code, text) = mesh.peers(1, &["show", "server-2"]);
    assert!(code == 0 && text.contains("LAST ATTEMPT") && text.contains(key), "{text}");
    assert_eq!(mesh.peers_json(1, &["pin", "server-2"])["key"], key);
    assert_eq!(mesh.peers_json(1, &["retry", "server-2"])["id"], id);
    let (code, text) = mesh.peers(1, &["remove", "nobody"]);
    assert!(code == 2 && text.contains("kith peers list"), "{text}");
    // Gone, and from the other end refused; then welcome again.
    let url = peers[0]["url"].as_str().expect("a URL");
    assert_eq!(mesh.peers(1, &["remove", id]).0, 0);
    assert_eq!(mesh.peers_json(1, &["list"]).as_array().map(Vec::len), Some(SERVERS - 2));
    mesh.until("the other end is refused", |mesh| mesh.link(2, 1)["state"] != "up");
    let facts = ["--key", key, "--address", &address, "--name", "server-2"];
    let (code, text) = mesh.peers(1, &[&["add", url][..], &facts].concat());
    assert!(code == 0 && text.contains("is a neighbour now"), "{text}");
    let (code, text) = mesh.peers(1, &[&["add", url][..], &facts].concat());
    assert_eq!(code, 1, "known already: {text}");
    mesh.peers(2, &["retry", "server-1"]);
    mesh.does(HEALED);
}

#[test]
fn the_graph_and_everybody_in_it_are_shown() {
    let mesh = Mesh::up();
    mesh.does(HEALED);
    let anna = mesh.person(1, "anna");
    let mut ben = mesh.person(2, "ben");
    ben.types("/list");
    ben.reads(&anna.short);
    let admin = |words: &str| {
        let mut command = kith();
        command.arg("admin").arg(words).arg("--data").arg(mesh.path().join("2"));
        let (code, text) = finish(command);
        assert_eq!(code, 0, "{words}: {text}");
        text
    };
    let text = admin("neighbourhood");
    for word in ["server-2 (this one)", "server-1", "server-3", &anna.short, &ben.short] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let text = admin("mesh");
    for word in ["server-1", "server-2*", "server-3", "●"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    assert!(admin("peers").contains("server-3"));
}

#[test]
fn a_server_joins_a_running_mesh_and_the_others_learn_of_it() {
    let mesh = Mesh::up_in(folder_with_keys(), 2);
    let text = mesh.does("add");
    assert!(text.contains("2 of 2 neighbours were told"), "{text}");
    mesh.does(HEALED);
    let anna = mesh.person(1, "anna");
    let mut cleo = mesh.person(3, "cleo");
    cleo.types("/list");
    cleo.reads(&anna.short);
}

#[test]
fn a_server_beside_the_mesh_joins_it_by_one_command() {
    let mesh = Mesh::up();
    mesh.does(HEALED);
    let mut anna = mesh.person(1, "anna");
    let beside = App::start();
    let mut command = kith();
    command.args(["peers", "add"]).args(mesh.addresses().iter().map(|address| format!("ws://{address}")));
    command.arg("--url").arg(format!("http://{}", beside.admin));
    command.arg("--data").arg(beside.folder().join("data"));
    let (code, text) = finish(command);
    assert!(code == 0 && text.matches("is a neighbour now").count() == SERVERS, "{text}");
    let mut dora = Person::at(&format!("ws://{}", beside.listen), mesh.path(), "dora");
    // She is in the list, or joins a moment later.
    dora.types("/list");
    dora.reads(&anna.short);
    anna.reads(&dora.short);
    dora.types("/all hello, neighbours");
    anna.reads("hello, neighbours");
}
