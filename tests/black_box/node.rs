//! `kith node` as people use it: several on one machine, introduced by a rendezvous as the first one was, among clients as the
//! first one was.

mod ours;

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{
    app::{PATIENCE, kith},
    peers::python,
    person::Person,
};

/// A program of `tests/peers` that runs until it is dropped; it is called by the address that it says first.
pub(crate) fn program(script: &str, arguments: &[&str], greeting: &str) -> Person {
    let mut command = Command::new(python());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg(format!("tests/peers/{script}")).args(arguments);
    Person::running(command, greeting)
}

/// A rendezvous as the first one was.
fn original(arguments: &[&str]) -> Person {
    program("mesh_original_server.py", arguments, ":")
}

/// A client as the first one was.
fn client(rendezvous: &str, host: &str) -> Person {
    let listen = format!("{host}:0");
    program("mesh_original_client.py", &["--rendezvous", rendezvous, "--listen", &listen], "listening")
}

/// A node of ours.
pub(crate) struct Node {
    pub(crate) person: Person,
    /// Where it listens.
    pub(crate) at: String,
}

impl Node {
    pub(crate) fn start(rendezvous: &str, listen: &str, folder: &Path, name: &str, more: &[&str]) -> Self {
        let mut command = kith();
        command.args(["node", "--rendezvous", rendezvous, "--listen", listen]).args(more);
        command.arg("--keyring").arg(folder.join(format!("{name}.json")));
        let person = Person::running(command, "* listening at");
        let at = person.greeting.split(' ').nth(3).expect("an address").to_owned();
        Self { person, at }
    }

    /// The same, once it is in the list.
    pub(crate) fn join(rendezvous: &str, host: &str, folder: &Path, name: &str) -> Self {
        let mut node = Self::start(rendezvous, &format!("{host}:0"), folder, name, &[]);
        node.person.reads("* registered with");
        node.person.reads_either(&["* here: ", "* nobody else is here"]);
        node
    }

    fn joined(&mut self, other: &Self) {
        let (short, at) = (&other.person.short, &other.at);
        self.person.reads(&format!("* joined: {short} at {at}"));
    }
}

/// Three of ours at three addresses of this machine, all linked.
fn three(rendezvous: &str, folder: &Path) -> [Node; 3] {
    let mut anna = Node::join(rendezvous, "127.0.0.1", folder, "anna");
    let mut ben = Node::join(rendezvous, "127.0.0.2", folder, "ben");
    anna.joined(&ben);
    ben.joined(&anna);
    let mut carol = Node::join(rendezvous, "127.0.0.3", folder, "carol");
    anna.joined(&carol);
    ben.joined(&carol);
    // Whoever comes last is dialled by the others, in any order.
    for _ in 0..2 {
        carol.person.reads("* joined: ");
    }
    [anna, ben, carol]
}

/// Each says something, and the two others read it.
fn talk(nodes: &mut [Node; 3], words: &str) {
    for speaker in 0..3 {
        let line = format!("{words}, says number {speaker}");
        nodes[speaker].person.types(&line);
        let wanted = format!("{}: {line}", nodes[speaker].person.short);
        for reader in (0..3).filter(|reader| *reader != speaker) {
            assert_eq!(nodes[reader].person.reads(&line), wanted);
        }
    }
}

#[test]
fn three_mesh_talk_and_do_not_miss_their_rendezvous() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let door = rendezvous.short.clone();
    let mut nodes = three(&door, folder.path());
    talk(&mut nodes, "with it");
    drop(rendezvous);
    for node in &mut nodes {
        node.person.reads("! no rendezvous at");
    }
    talk(&mut nodes, "without it");
    let port = door.rsplit_once(':').expect("a port").1;
    let mut rendezvous = original(&["--port", port]);
    let all = nodes.each_ref().map(|node| node.at.clone());
    for node in &mut nodes {
        node.person.reads("* registered with");
        // Whoever registers first is alone in its list, and still among those whom it talks with.
        let here = node.person.reads_either(&["* here: ", "* nobody else is here"]);
        let others = all.iter().filter(|at| **at != node.at);
        assert!(others.into_iter().all(|at| here.contains(at.as_str())), "{here}");
    }
    for _ in 0..3 {
        rendezvous.reads("registered 127.0.0.");
    }
    talk(&mut nodes, "with another one");
    let [anna, mut ben, carol] = nodes;
    for node in [&anna.person.short, &carol.person.short] {
        let seen = ben.person.seen();
        assert_eq!(seen.matches(&format!("* joined: {node}")).count(), 1, "no link broke:\n{seen}");
        assert!(!seen.contains("* left: "), "{seen}");
    }
    ben.person.types("/quit");
    ben.person.ends(0);
    let mut anna = anna.person;
    anna.reads("* left: ");
    anna.types("/list");
    anna.reads(&format!("- {} {} sealed", carol.at, carol.person.short));
}

#[test]
fn lists_that_are_glued_are_read_and_a_shorter_address_leaves_none_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rendezvous = original(&["--glue"]);
    let mut nodes = three(&rendezvous.short, folder.path());
    talk(&mut nodes, "glued");
    // Somebody registers a shorter address on the same socket; the end of the longer one stays behind it in the list.
    let mut odd = TcpStream::connect(&rendezvous.short).expect("a connection");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    odd.write_all(free.to_string().as_bytes()).expect("a registration");
    nodes[0].person.reads(&format!("! {free} cannot be reached"));
    odd.write_all(b"127.0.0.9:9").expect("a registration");
    // A port of five digits that begins with a nine is none, and no harm.
    rendezvous.reads("registered 127.0.0.9:9");
    talk(&mut nodes, "still glued");
}

#[test]
fn a_dead_entry_in_front_keeps_nobody_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let mut anna = Node::join(&rendezvous.short, "127.0.0.1", folder.path(), "anna");
    // It takes connections from nobody, and stays in the list.
    let dead = TcpListener::bind("127.0.0.4:0").and_then(|listener| listener.local_addr()).expect("a port");
    let mut socket = TcpStream::connect(&rendezvous.short).expect("a connection");
    socket.write_all(dead.to_string().as_bytes()).expect("a registration");
    anna.person.reads(&format!("! {dead} cannot be reached; trying again"));
    let ben = Node::join(&rendezvous.short, "127.0.0.2", folder.path(), "ben");
    anna.joined(&ben);
    anna.person.types("/list");
    anna.person.reads(&format!("- {dead} - away"));
    let said = anna.person.seen();
    assert_eq!(said.matches("cannot be reached").count(), 1, "it is said once:\n{said}");
}

#[test]
fn only_an_explicit_end_ends_a_node() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = TcpListener::bind("127.0.0.1:0").expect("a port");
    let door = rendezvous.local_addr().expect("an address").to_string();
    let mut anna = Node::start(&door, "127.0.0.1:0", folder.path(), "anna", &[]);
    let (mut first, _) = rendezvous.accept().expect("a connection");
    // One segment, at once, and nothing but the address; then nothing for as long as it may please us.
    let mut bytes = [0; 256];
    first.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let count = first.read(&mut bytes).expect("a registration");
    assert_eq!(std::str::from_utf8(&bytes[..count]), Ok(anna.at.as_str()));
    write!(first, "list:\n{}\n", anna.at).expect("a list");
    anna.person.reads("* nobody else is here");
    first.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    let more = first.read(&mut bytes).map_err(|error| error.kind());
    assert!(matches!(more, Err(std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)), "{more:?}");
    drop(first);
    anna.person.reads("! no rendezvous at");
    let (mut second, _) = rendezvous.accept().expect("another connection");
    anna.person.reads("* registered with");
    second.write_all(b"full\n").expect("a word");
    anna.person.reads("! the rendezvous has no room");
    second.write_all(b"teardown\n").expect("a word");
    anna.person.reads("* the end: the rendezvous has ended the mesh");
    anna.person.ends(0);
}

#[test]
fn clients_of_the_first_kind_are_spoken_to_in_plain_text_and_named_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let mut before = client(&rendezvous.short, "127.0.0.5");
    before.reads("list ");
    let mut anna = Node::join(&rendezvous.short, "127.0.0.1", folder.path(), "anna");
    // It dials us and names our own address, so nobody knows who it is.
    before.reads(&format!("dialled {}", anna.at));
    anna.person.reads("* joined: ~127.0.0.5 (plain text)");
    let mut behind = client(&rendezvous.short, "127.0.0.6");
    behind.reads("accepted 127.0.0.1");
    behind.reads(&format!("text 'Hello from:{}'", anna.at));
    anna.person.reads(&format!("* joined: {} (plain text)", behind.short));
    let mut ben = Node::join(&rendezvous.short, "127.0.0.2", folder.path(), "ben");
    ben.joined(&anna);
    anna.person.types("good evening");
    let told = anna.person.reads("* in plain text to: ");
    assert!(told.contains("~127.0.0.5") && told.contains(&behind.short), "{told}");
    before.reads("text 'good evening\\n'");
    behind.reads("text 'good evening\\n'");
    assert_eq!(ben.person.reads("good evening"), format!("{}: good evening", anna.person.short));
    behind.types("and to you");
    assert_eq!(anna.person.reads("and to you"), format!("{} (plain): and to you", behind.short));
    anna.person.types("/quit");
    anna.person.ends(0);
    let seen = before.seen() + &behind.seen();
    assert!(!seen.contains("ended"), "{seen}");
}

#[test]
fn another_key_at_a_known_address_is_not_talked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let mut anna = Node::join(&rendezvous.short, "127.0.0.1", folder.path(), "anna");
    let ben = Node::join(&rendezvous.short, "127.0.0.2", folder.path(), "ben");
    anna.person.reads(&format!("* joined: {} at {} (new key)", ben.person.short, ben.at));
    let place = ben.at.clone();
    let mut ben = ben;
    ben.person.types("/quit");
    ben.person.ends(0);
    anna.person.reads("* left: ");
    let mut eve = Node::start(&rendezvous.short, &place, folder.path(), "eve", &[]);
    anna.person.reads(&format!("! {place} came with the key {}", eve.person.short));
    eve.person.reads("refuses us: another key belongs to that address");
    anna.person.types("for ben alone");
    anna.person.reads("! not sent: nobody is here");
    anna.person.types(&format!("/trust {place}"));
    anna.person.reads("the next key that comes there is kept");
    anna.person.reads(&format!("* joined: {} at {place} (new key)", eve.person.short));
    anna.person.types(&format!("/nick {} eve", eve.person.short));
    anna.person.types("/tell eve good evening");
    let line = eve.person.reads("good evening");
    assert_eq!(line, format!("{} (private): good evening", anna.person.short));
    drop(eve);
    // Nor is somebody who proves nothing at all.
    anna.person.reads("* left: eve");
    let _plain = program(
        "mesh_original_client.py",
        &["--rendezvous", &rendezvous.short, "--listen", &place],
        "listening",
    );
    anna.person.reads(&format!("! {place} proves no key, and one is known"));
}

#[test]
fn whoever_has_just_found_the_port_hears_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let mut before = client(&rendezvous.short, "127.0.0.5");
    before.reads("list ");
    let more = ["--sealed-only"];
    let mut strict = Node::start(&rendezvous.short, "127.0.0.7:0", folder.path(), "strict", &more);
    strict.person.reads("* here: ");
    let mut anna = Node::join(&rendezvous.short, "127.0.0.1", folder.path(), "anna");
    anna.person.reads(&format!("* joined: {} at {}", strict.person.short, strict.at));
    anna.person.reads("* joined: ~127.0.0.5 (plain text)");
    // From a machine of which nobody is in the list.
    let mut stranger = from("127.0.0.200", &anna.at);
    stranger.write_all(format!("Hello from:{}", anna.at).as_bytes()).expect("a hello");
    let mut heard = Vec::new();
    stranger.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stranger.read_to_end(&mut heard).expect("the end");
    assert_eq!(heard, b"");
    anna.person.types("among us");
    before.reads("text 'among us\\n'");
    strict.person.reads("among us");
    strict.person.types("nothing for the first ones");
    anna.person.reads("nothing for the first ones");
    let seen = before.seen() + &strict.person.seen();
    assert!(!seen.contains("for the first ones") && !seen.contains("(plain"), "{seen}");
}

#[test]
fn the_place_of_one_who_cannot_be_dialled_is_nobodys_without_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = TcpListener::bind("127.0.0.1:0").expect("a port");
    let door = rendezvous.local_addr().expect("an address").to_string();
    let mut anna = Node::start(&door, "127.0.0.1:0", folder.path(), "anna", &[]);
    let (mut line, _) = rendezvous.accept().expect("a connection");
    let directory = format!(
        "kith/1\nkith/1 directory epoch=1 version=1 members=2\nkith/1 member seq=1 at=127.0.0.5:5 undialable\n\
         kith/1 member seq=2 at={}\nkith/1 end version=1\n",
        anna.at
    );
    line.write_all(directory.as_bytes()).expect("a directory");
    anna.person.reads("* here: ");
    let mut stranger = from("127.0.0.200", &anna.at);
    stranger.write_all(b"Hello from:127.0.0.5:5").expect("a hello");
    let mut heard = Vec::new();
    stranger.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stranger.read_to_end(&mut heard).expect("the end");
    assert_eq!(heard, b"");
    let seen = anna.person.seen();
    assert!(!seen.contains("* joined: "), "{seen}");
    // From where it is registered there is nothing to doubt.
    let mut owner = from("127.0.0.5", &anna.at);
    owner.write_all(b"Hello from:127.0.0.5:5").expect("a hello");
    anna.person.reads("* joined: 127.0.0.5:5 (plain text)");
}

/// A connection from an address of this machine.
fn from(host: &str, to: &str) -> TcpStream {
    let connect = async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(format!("{host}:0").parse().expect("an address"))?;
        socket.connect(to.parse().expect("an address")).await?.into_std()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stream = runtime.block_on(connect).expect("a connection");
    stream.set_nonblocking(false).expect("a socket that waits");
    stream
}

#[test]
fn a_script_says_its_lines_and_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let rendezvous = original(&[]);
    let mut anna = Node::join(&rendezvous.short, "127.0.0.1", folder.path(), "anna");
    let mut script = Node::start(&rendezvous.short, "127.0.0.2:0", folder.path(), "script", &["--once"]);
    let long = "x".repeat(4000);
    script.person.types("backup done");
    script.person.types(&long);
    let short = script.person.short.clone();
    script.person.leaves(0);
    assert_eq!(anna.person.reads("backup done"), format!("{short}: backup done"));
    assert_eq!(anna.person.reads("xxx"), format!("{short}: {long}"));
    anna.person.reads(&format!("* left: {short}"));
    let mut script = Node::start(&rendezvous.short, "127.0.0.2:0", folder.path(), "script", &["--once"]);
    script.person.types(&"x".repeat(4001));
    let said = script.person.leaves(1).join("\n");
    assert!(said.contains("! that line is too long; 4000 bytes are the most"), "{said}");
}

#[test]
fn what_cannot_be_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let keyring = folder.path().join("anna.json");
    let run = |arguments: &[&str]| {
        let output = kith().arg("node").args(arguments).arg("--keyring").arg(&keyring).output();
        let output = output.expect("the program");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|at| (taken, at.to_string())).expect("an address");
    assert!(run(&["--rendezvous", "127.0.0.1:1", "--listen", &taken.1]).contains("cannot listen at"));
    assert!(run(&["--rendezvous", "127.0.0.1:1", "--listen", "0.0.0.0:0"]).contains("--address IP:PORT"));
    assert!(run(&["--rendezvous", "a b", "--listen", "127.0.0.1:0"]).contains("write it like"));
}
