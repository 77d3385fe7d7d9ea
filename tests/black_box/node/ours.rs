//! Nodes that are introduced by a rendezvous of our own: it tells who cannot be dialled, and relays where nobody can.

use std::{net::TcpListener, path::Path};

use super::{Node, client, talk, three};
use crate::{app::App, rendezvous::door};

/// A server with a rendezvous, and where that is.
fn rendezvous(settings: &[(&str, &str)]) -> (App, String) {
    let app = App::with(&[&[("RENDEZVOUS__LISTEN", "127.0.0.1:0")], settings].concat());
    let door = door(&app);
    (app, door)
}

#[test]
fn three_mesh_talk_and_do_not_miss_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (app, door) = rendezvous(&[]);
    let mut nodes = three(&door, folder.path());
    talk(&mut nodes, "with it");
    let data = app.kill();
    for node in &mut nodes {
        node.person.reads("! no rendezvous at");
    }
    talk(&mut nodes, "without it");
    let _app = App::in_folder(data, &[("RENDEZVOUS__LISTEN", &door)]);
    for node in &mut nodes {
        node.person.reads("* registered with");
    }
    talk(&mut nodes, "with another life of it");
    // Somebody who comes now finds all of them.
    let mut dora = Node::join(&door, "127.0.0.4", folder.path(), "dora");
    for _ in 0..3 {
        dora.person.reads("* joined: ");
    }
    dora.person.types("am I late?");
    for node in &mut nodes {
        node.person.reads("am I late?");
        let seen = node.person.seen();
        assert!(!seen.contains("* left: "), "no link broke:\n{seen}");
    }
}

/// A node that others are told to dial where nobody listens.
fn hidden(door: &str, folder: &Path, name: &str) -> (Node, String) {
    let nowhere =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let nowhere = nowhere.to_string();
    let mut node = Node::start(door, "127.0.0.1:0", folder, name, &["--address", &nowhere]);
    assert_eq!(node.at, nowhere);
    node.person.reads("* the rendezvous cannot dial you; you dial the others, or are relayed");
    (node, nowhere)
}

#[test]
fn who_cannot_be_dialled_dials_and_two_such_are_relayed_and_shown_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_app, door) = rendezvous(&[]);
    // It is there first, and would have to dial the others.
    let mut anna = Node::join(&door, "127.0.0.1", folder.path(), "anna");
    let (mut ben, at_ben) = hidden(&door, folder.path(), "ben");
    anna.person.reads(&format!("* joined: {} at {at_ben}", ben.person.short));
    ben.person.reads(&format!("* joined: {} at {}", anna.person.short, anna.at));
    let (mut carol, at_carol) = hidden(&door, folder.path(), "carol");
    ben.person.reads(&format!("* joined: {} at {at_carol} (relayed, new key)", carol.person.short));
    anna.person.reads(&format!("* joined: {} at {at_carol} (new key)", carol.person.short));
    carol.person.reads("* joined: ");
    carol.person.reads("* joined: ");
    let mut nodes = [anna, ben, carol];
    talk(&mut nodes, "relayed");
    let [_, mut ben, mut carol] = nodes;
    ben.person.types("/list");
    ben.person.reads(&format!("- {at_carol} {} relayed", carol.person.short));
    ben.person.types(&format!("/tell {} psst", carol.person.short));
    assert_eq!(carol.person.reads("psst"), format!("{} (private): psst", ben.person.short));
    carol.person.types("/quit");
    carol.person.ends(0);
    ben.person.reads("* left: ");
}

#[test]
fn clients_of_the_first_kind_are_in_the_same_mesh() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_app, door) = rendezvous(&[]);
    let mut before = client(&door, "127.0.0.1");
    before.reads("list ");
    let mut anna = Node::join(&door, "127.0.0.1", folder.path(), "anna");
    anna.person.reads("* joined: ~127.0.0.1 (plain text)");
    let mut ben = Node::join(&door, "127.0.0.2", folder.path(), "ben");
    anna.person.reads(&format!("* joined: {} at {}", ben.person.short, ben.at));
    // It dials one for each list, so the list comes again until all is done.
    ben.person.reads("* joined: ~127.0.0.1 (plain text)");
    let mut behind = client(&door, "127.0.0.1");
    anna.person.reads(&format!("* joined: {} (plain text)", behind.short));
    ben.person.reads(&format!("* joined: {} (plain text)", behind.short));
    anna.person.types("everybody");
    ben.person.reads("everybody");
    before.reads("text 'everybody\\n'");
    behind.reads("text 'everybody\\n'");
    let seen = before.seen() + &behind.seen();
    assert!(!seen.contains("ended"), "{seen}");
}

#[test]
fn its_explicit_end_ends_everybody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_app, door) = rendezvous(&[("RENDEZVOUS__ON_FULL", "teardown"), ("RENDEZVOUS__MAX_CLIENTS", "2")]);
    let anna = Node::join(&door, "127.0.0.1", folder.path(), "anna");
    let ben = Node::start(&door, "127.0.0.2:0", folder.path(), "ben", &[]);
    for mut node in [anna, ben] {
        node.person.reads("* the end: the rendezvous has ended the mesh");
        node.person.ends(0);
    }
}

#[test]
fn addresses_of_ipv6_are_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_app, door) = rendezvous(&[("RENDEZVOUS__LISTEN", "[::1]:0")]);
    let mut anna = Node::join(&door, "[::1]", folder.path(), "anna");
    let mut ben = Node::join(&door, "[::1]", folder.path(), "ben");
    anna.person.reads(&format!("* joined: {} at {}", ben.person.short, ben.at));
    ben.person.reads("* joined: ");
    ben.person.types("hello over there");
    anna.person.reads("hello over there");
}
