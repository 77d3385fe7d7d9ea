//! Replicas of other homes: parts, changes, losses, and members whom several homes claim.

use super::*;
use crate::domain::{dialect::Dialect, member::Resident};

const NORTH: HomeId = HomeId(2);
const SOUTH: HomeId = HomeId(3);

fn key(number: u8) -> KeyId {
    KeyId([number; 32])
}

fn resident(number: u8) -> Resident {
    let (key, spelled) = (key(number), KeyId([number | 0x80; 32]));
    Resident { key, named: None, dialect: Dialect::Olaf, public_key: format!("key {number}").into(), spelled }
}

fn residents(numbers: &[u8]) -> Vec<Resident> {
    numbers.iter().copied().map(resident).collect()
}

fn digest(numbers: &[u8]) -> Digest {
    let mut digest = Digest::default();
    numbers.iter().for_each(|number| digest.toggle(resident(*number).spelled));
    digest
}

fn listed(mesh: &Mesh, home: HomeId) -> Vec<u8> {
    mesh.listed(home).map(|member| member.key.0[0]).collect()
}

fn mesh() -> Mesh {
    let mut mesh = Mesh::new(5);
    mesh.link(NORTH, "north:1".into(), vec![Address::new("north:1")]);
    mesh.link(SOUTH, "south:1".into(), vec![Address::new("south:1"), Address::new("north:1")]);
    mesh
}

fn part(after: Option<u8>, through: Option<u8>, sequence: u64, numbers: &[u8]) -> News {
    let (after, through) = (after.map(key), through.map(key));
    News::Part {
        after,
        through,
        sequence,
        members: residents(numbers).into_iter().map(Listed::Known).collect(),
    }
}

#[test]
fn a_list_comes_in_parts_and_changes_in_between_are_not_lost() {
    let mut mesh = mesh();
    assert_eq!(
        mesh.hear(NORTH, part(None, Some(3), 7, &[1, 3])),
        Effect { changed: true, ..Effect::default() }
    );
    let change = News::Changes {
        first: 8,
        changes: vec![Change::Went(key(1)), Change::Came(Listed::Known(resident(9)))],
    };
    assert!(!mesh.hear(NORTH, change).lost);
    assert!(!mesh.hear(NORTH, part(Some(3), None, 9, &[5, 9])).lost);
    assert_eq!(listed(&mesh, NORTH), [3, 5, 9]);
    assert!(mesh.home(NORTH).is_some_and(Home::is_whole));
    assert!(!mesh.hear(NORTH, News::Standing { sequence: 9, digest: digest(&[3, 5, 9]) }).lost);
}

#[test]
fn whatever_was_missed_is_asked_for_again() {
    let mut mesh = mesh();
    let whole = |mesh: &mut Mesh| mesh.hear(NORTH, part(None, None, 4, &[1, 2]));
    for wrong in [
        News::Changes { first: 6, changes: vec![Change::Went(key(1))] },
        News::Standing { sequence: 5, digest: digest(&[1, 2]) },
        News::Standing { sequence: 4, digest: digest(&[1]) },
        part(Some(2), None, 4, &[]),
    ] {
        assert!(!whole(&mut mesh).lost);
        assert!(mesh.hear(NORTH, wrong.clone()).lost, "{wrong:?}");
        assert_eq!(listed(&mesh, NORTH), [1, 2], "what is known stays until the list comes");
        assert!(
            mesh.hear(NORTH, News::Standing { sequence: 4, digest: digest(&[1, 2]) }).lost,
            "asked again"
        );
    }
    mesh.hear(NORTH, part(None, Some(2), 9, &[2]));
    let standing = News::Standing { sequence: 9, digest: digest(&[2, 3]) };
    assert!(mesh.hear(NORTH, standing).lost, "the last part never came");
    mesh.hear(NORTH, part(None, None, 9, &[2, 3]));
    assert_eq!(listed(&mesh, NORTH), [2, 3]);
}

#[test]
fn a_home_that_goes_takes_its_members_with_it() {
    let mut mesh = mesh();
    mesh.hear(NORTH, News::Whole(residents(&[1, 2])));
    mesh.hear(SOUTH, News::Whole(residents(&[3])));
    assert_eq!(mesh.named(&Address::new("ws://north:1/")), Some(NORTH), "who has a name keeps it");
    assert!(mesh.unlink(NORTH) && !mesh.unlink(NORTH));
    assert_eq!((listed(&mesh, NORTH), listed(&mesh, SOUTH)), (vec![], vec![3]));
    assert_eq!((mesh.whereabouts(key(1)), mesh.known_as(resident(1).spelled)), (None, None));
    assert_eq!(mesh.named(&Address::new("north:1")), Some(SOUTH), "who waited for a name gets it");
    assert_eq!(mesh.hear(NORTH, News::Whole(residents(&[1]))), Effect::default(), "a stranger is not heard");
}

#[test]
fn a_member_who_moves_is_listed_once_and_cannot_be_taken_away() {
    let mut mesh = mesh();
    mesh.hear(NORTH, News::Whole(residents(&[1])));
    mesh.hear(SOUTH, News::Whole(residents(&[1])));
    assert_eq!((listed(&mesh, NORTH), listed(&mesh, SOUTH)), (vec![1], vec![]), "it has not left the north");
    assert!(mesh.claims(SOUTH, key(1)));
    mesh.came(HomeId::OWN, key(1), resident(1).spelled);
    assert_eq!((listed(&mesh, NORTH), mesh.whereabouts(key(1))), (vec![], Some(HomeId::OWN)));
    mesh.went(HomeId::OWN, key(1), resident(1).spelled);
    assert_eq!(listed(&mesh, NORTH), [1]);
    mesh.hear(NORTH, News::Whole(vec![]));
    assert_eq!((listed(&mesh, SOUTH), mesh.known_as(resident(1).spelled)), (vec![1], Some(key(1))));
}

#[test]
fn a_neighbour_lists_no_more_members_than_it_may() {
    let mut mesh = mesh();
    assert!(mesh.hear(NORTH, News::Whole(residents(&[1, 2, 3, 4, 5, 6]))).excess);
    assert_eq!(listed(&mesh, NORTH).len(), 5);
    assert!(!mesh.hear(NORTH, News::Whole(residents(&[1, 2]))).excess);
}

#[test]
fn whoever_is_not_understood_counts_and_is_nobody() {
    let mut mesh = mesh();
    let unknown = |number: u8| Listed::Unknown { key: key(number), spelled: resident(number).spelled };
    let known = |number: u8| Listed::Known(resident(number));
    let whole = |members| News::Part { after: None, through: None, sequence: 4, members };
    let stands = |mesh: &mut Mesh, sequence, numbers: &[u8]| {
        !mesh.hear(NORTH, News::Standing { sequence, digest: digest(numbers) }).lost
    };
    mesh.hear(NORTH, whole(vec![known(1), unknown(2)]));
    assert!(stands(&mut mesh, 4, &[1, 2]));
    assert_eq!((listed(&mesh, NORTH), mesh.whereabouts(key(2))), (vec![1], None));
    assert!(!mesh.claims(NORTH, key(2)));
    let changes = vec![Change::Came(unknown(3)), Change::Went(key(2)), Change::Came(unknown(3))];
    assert_eq!(mesh.hear(NORTH, News::Changes { first: 5, changes }), Effect::default());
    assert!(stands(&mut mesh, 7, &[1, 3]));
    // The program there has changed, or ours has: the same people in other words.
    assert!(mesh.hear(NORTH, whole(vec![unknown(1), known(3)])).changed);
    assert!(stands(&mut mesh, 4, &[1, 3]));
    assert_eq!(listed(&mesh, NORTH), [3]);
    // They need room, and go with their home.
    assert!(mesh.hear(NORTH, whole((1..=6).map(unknown).collect())).excess);
    mesh.unlink(NORTH);
    assert!(mesh.spellings.is_empty() && mesh.whereabouts.is_empty());
}

#[test]
fn a_spelling_is_forgotten_with_the_last_home_that_uses_it() {
    let mut mesh = mesh();
    let other = Resident { spelled: KeyId([0xff; 32]), ..resident(1) };
    mesh.hear(NORTH, News::Whole(residents(&[1])));
    mesh.hear(SOUTH, News::Whole(vec![other.clone()]));
    assert_eq!(mesh.known_as(resident(1).spelled), Some(key(1)));
    mesh.hear(NORTH, News::Whole(vec![]));
    assert_eq!((mesh.known_as(resident(1).spelled), mesh.known_as(other.spelled)), (None, Some(key(1))));
    mesh.hear(NORTH, News::Whole(vec![other.clone()]));
    mesh.hear(SOUTH, News::Whole(vec![]));
    assert_eq!(mesh.known_as(other.spelled), Some(key(1)));
    mesh.unlink(NORTH);
    assert!(mesh.spellings.is_empty() && mesh.whereabouts.is_empty());
}

#[test]
fn whoever_is_hidden_is_not_shown_and_still_counts() {
    let mut mesh = mesh();
    mesh.hear(NORTH, part(None, None, 3, &[1, 2]));
    mesh.hear(SOUTH, part(None, None, 3, &[3]));
    let before = mesh.version();
    assert!(mesh.hide(|member| member.key == key(1)) && mesh.version() > before);
    assert!(!mesh.hide(|member| member.key == key(1)), "that changes nothing");
    assert_eq!((listed(&mesh, NORTH), listed(&mesh, SOUTH)), (vec![2], vec![3]));
    let standing = News::Standing { sequence: 3, digest: digest(&[1, 2]) };
    assert!(!mesh.hear(NORTH, standing).lost, "lists are compared as before");
    // Only at that home, and only as long as she is there.
    assert!(mesh.is_hidden(NORTH, key(1)) && !mesh.is_hidden(SOUTH, key(1)));
    mesh.hear(NORTH, part(None, None, 4, &[2]));
    mesh.hear(NORTH, part(None, None, 5, &[1, 2]));
    assert_eq!(listed(&mesh, NORTH), [1, 2]);
    mesh.hide_new(NORTH, &[key(1), key(9)], |_| true);
    assert_eq!(listed(&mesh, NORTH), [2]);
    assert!(mesh.hide(|_| false));
    assert_eq!(listed(&mesh, NORTH), [1, 2]);
    mesh.hide(|_| true);
    mesh.unlink(NORTH);
    assert_eq!(mesh.hidden, HashSet::from([(SOUTH, key(3))]));
}
