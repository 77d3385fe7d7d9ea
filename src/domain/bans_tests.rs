//! Whom bans hit, whom they do not, and what is left when one is gone.

use super::*;

const OWN: Origin = Origin::Operator;
const LIST: Origin = Origin::List(KeyId([9; 32]));

fn ban(id: i64, target: &Target, until: Option<i64>, by: Origin) -> Ban {
    let said = Draft { target: target.clone(), until, reason: String::new(), made: 0 };
    Ban { id: BanId(id), said, by }
}

fn target(kind: &str, value: &str) -> Target {
    Target::read(kind, value).unwrap_or_else(|error| panic!("{kind} {value}: {error}"))
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_target_reads_back_as_it_is_written() {
    let key = "ab".repeat(32);
    for (kind, value, written) in [
        ("key", key.as_str(), key.as_str()),
        ("name", " ANNA ", "anna"),
        ("name", "Straße 1", "strasse 1"),
        ("address", "10.1.2.3", "10.1.2.3"),
        ("address", "10.1.2.3/8", "10.0.0.0/8"),
        ("address", "::ffff:10.1.2.3", "10.1.2.3"),
        ("address", "::ffff:10.1.0.0/112", "10.1.0.0/16"),
        ("address", "2001:db8::1", "2001:db8::/64"),
        ("address", "2001:db8::1/128", "2001:db8::1/128"),
        ("server", &key, &key),
        ("server", "ws://North.example/", "north.example:80"),
    ] {
        let read = target(kind, value);
        assert_eq!((read.kind(), read.value().as_str()), (kind, written));
        assert_eq!(target(kind, &read.value()), read, "{kind} {value}");
    }
    for (kind, value, error) in [
        ("key", "abc", TargetError::Key),
        ("name", "  ", TargetError::Name),
        ("name", "a\u{7}b", TargetError::Name),
        ("name", &"a".repeat(256), TargetError::Name),
        ("name", &"\u{fdfa}".repeat(80), TargetError::Name),
        ("address", "10.1.2", TargetError::Address),
        ("address", "10.1.2.3/33", TargetError::Address),
        ("address", "localhost", TargetError::Address),
        ("server", "", TargetError::Server),
        ("server", "two words", TargetError::Server),
        ("planet", "mars", TargetError::Kind),
    ] {
        assert_eq!(Target::read(kind, value), Err(error), "{kind} {value}");
    }
}

#[test]
fn addresses_are_hit_by_every_network_around_them() {
    let mut bans = Bans::default();
    assert!(bans.address(address("10.1.2.3"), 0).is_none());
    for (id, network) in (1..).zip(["10.1.0.0/16", "192.0.2.7", "2001:db8::1"]) {
        bans.insert(ban(id, &target("address", network), None, OWN));
    }
    for hit in ["10.1.255.255", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::ffff"] {
        assert!(bans.address(address(hit), 0).is_some(), "{hit}");
    }
    for missed in ["10.2.0.0", "192.0.2.8", "2001:db8:0:1::1", "::1"] {
        assert!(bans.address(address(missed), 0).is_none(), "{missed}");
    }
}

#[test]
fn a_ban_ends_by_itself_and_takes_no_other_along() {
    let mut bans = Bans::default();
    let name = target("name", "anna");
    bans.insert(ban(1, &name, Some(100), OWN));
    bans.insert(ban(2, &name, Some(200), LIST));
    let hit = |bans: &Bans, now| bans.person(None, Some("ANNA"), now).map(|ban| ban.id.0);
    assert_eq!((hit(&bans, 99), hit(&bans, 100), hit(&bans, 200)), (Some(1), Some(2), None));
    assert_eq!((bans.next_end(), bans.over(150)), (Some(100), vec![BanId(1)]));
    assert!(bans.remove(BanId(1)).is_some() && bans.remove(BanId(1)).is_none());
    assert_eq!((hit(&bans, 50), bans.said_by(OWN, &name)), (Some(2), None));
    bans.remove_all(LIST);
    assert!(bans.is_empty() && bans.by_target.is_empty() && bans.names == 0);
}

#[test]
fn members_are_hit_by_key_or_name_and_servers_by_key_or_address() {
    let (key, other) = (KeyId([1; 32]), KeyId([2; 32]));
    let mut bans = Bans::default();
    bans.insert(ban(1, &Target::Key(key), None, OWN));
    bans.insert(ban(2, &target("name", "Mallory"), None, OWN));
    bans.insert(ban(3, &target("server", "north.example:80"), None, OWN));
    bans.insert(ban(4, &Target::Server(Server::Key(other)), None, LIST));
    let person = |key, name| bans.person(key, name, 0).map(|ban| ban.id.0);
    assert_eq!(person(Some(key), Some("anna")), Some(1));
    assert_eq!(person(Some(other), Some("ＭALLORY")), Some(2));
    assert_eq!(person(Some(other), None), None, "that is the key of a server");
    let server = |key, address| bans.server(key, &[Address::new(address)], 0).map(|ban| ban.id.0);
    assert_eq!(server(None, "ws://north.example"), Some(3));
    assert_eq!(server(Some(other), "south.example:80"), Some(4));
    assert_eq!(server(Some(key), "south.example:80"), None, "that is the key of a member");
}

#[test]
fn lists_shut_out_no_half_of_the_world() {
    for (network, may) in
        [("10.0.0.0/16", true), ("10.0.0.0/15", false), ("2001:db8::/32", true), ("::/0", false)]
    {
        assert_eq!(target("address", network).may_be_listed(), may, "{network}");
    }
}
