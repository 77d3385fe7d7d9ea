//! What must be true when everything that was wrong is mended, and everybody has had time.

use std::collections::{BTreeMap, BTreeSet};

use kith::domain::id::{ConnectionId, KeyId};

use crate::{
    broken::{Broken, must},
    keys,
    node::Node,
    world::World,
};

/// Whether all links are up, as both ends see them.
pub(crate) fn all_linked(world: &World) -> bool {
    pairs(world).all(|(one, other)| {
        let linked =
            |one: usize, other: usize| world.node(one).is_some_and(|node| node.link(other).is_some());
        linked(one, other) && linked(other, one)
    })
}

fn pairs(world: &World) -> impl Iterator<Item = (usize, usize)> {
    let all = (0..world.servers()).flat_map(|one| (0..one).map(move |other| (one, other)));
    all.filter(|(one, other)| world.are_neighbours(*one, *other))
}

/// Everybody sees everybody who is there, and nobody else.
pub(crate) fn rosters_agree(world: &World) -> Result<(), Broken> {
    let mut truth: BTreeMap<KeyId, BTreeSet<usize>> = BTreeMap::new();
    for (person, who) in world.people().iter().enumerate() {
        for (place, _) in who.connections.values() {
            truth.entry(keys::persona(person).key).or_default().insert(*place);
        }
    }
    for (place, node) in world.nodes() {
        let (roster, mesh) = (node.house().roster(), node.house().mesh());
        let own = roster.members().map(|member| (member.key, place));
        let others = mesh
            .homes()
            .flat_map(|(home, _)| mesh.listed(home).map(move |member| (member.key, node.place(home))));
        let seen: BTreeMap<KeyId, usize> = own.chain(others).collect();
        for (key, home) in &seen {
            let is_there = truth.get(key).is_some_and(|homes| homes.contains(home));
            must!(is_there, "server {place} lists {:?} at {home}", keys::person_with(*key));
        }
        for (key, homes) in &truth {
            let is_near = homes.iter().any(|home| *home == place || world.are_neighbours(place, *home));
            must!(!is_near || seen.contains_key(key), "server {place} misses {:?}", keys::person_with(*key));
            let is_own = seen.get(key) == Some(&place);
            must!(is_own == homes.contains(&place), "server {place} mistakes who is its own");
        }
        check_names(place, node, &truth)?;
    }
    Ok(())
}

/// Whoever is not there is not remembered under any name.
fn check_names(place: usize, node: &Node, truth: &BTreeMap<KeyId, BTreeSet<usize>>) -> Result<(), Broken> {
    let mesh = node.house().mesh();
    for person in 0..keys::PEOPLE {
        let persona = keys::persona(person);
        if !truth.contains_key(&persona.key) {
            let is_known = persona.spelled.iter().any(|spelled| mesh.known_as(*spelled).is_some());
            must!(!is_known, "server {place} remembers {person}, who is gone");
        }
    }
    Ok(())
}

/// One socket and one link for each pair, the same at both ends, and none for anybody else.
pub(crate) fn one_socket_each(world: &World) -> Result<(), Broken> {
    for (one, other) in pairs(world) {
        let link =
            |one: usize, other: usize| world.node(one).and_then(|node| node.link(other)).map(|link| link.0);
        let (there, back) = (link(one, other), link(other, one));
        if world.setup().links.is_socp(one, other) {
            // Its servers keep whatever sockets they have.
            must!(there.is_some() && back.is_some(), "{one} and {other} speak on {there:?} and {back:?}");
            continue;
        }
        must!(there.is_some() && there == back, "{one} and {other} speak on {there:?} and {back:?}");
        let sockets = world.net().sockets_between(one, other);
        must!(sockets == 1, "{one} and {other} hold {sockets} sockets");
        for (one, other) in [(one, other), (other, one)] {
            let known = world.node(one).map_or(0, |node| node.sockets_of(other));
            must!(known == 1, "server {one} knows {known} sockets of {other}");
        }
    }
    Ok(())
}

/// Every letter from this one on was heard by everybody who should have, and who still is there.
pub(crate) fn all_heard(world: &World, from: usize) -> Result<(), Broken> {
    let present: BTreeSet<ConnectionId> =
        world.people().iter().flat_map(|person| person.connections.keys().copied()).collect();
    for (number, letter) in world.ledger().written_letters().iter().enumerate().skip(from) {
        for (home, hearers) in &letter.hearers {
            for hearer in hearers.iter().filter(|hearer| present.contains(hearer)) {
                must!(letter.heard.contains(hearer), "{hearer} at {home} never heard letter {number}");
            }
        }
    }
    Ok(())
}
