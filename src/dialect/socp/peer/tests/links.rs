//! How links come up, or do not, and what is said on the way.

use super::{welcomes::welcome, *};

#[test]
fn who_joins_is_checked_welcomed_and_told_who_is_here() {
    let mut house = House::answering(Standing::default());
    house.hear(&join(THEM));
    let [greeting] = &house.greeted[..] else { panic!("{:?}", house.greeted) };
    assert!(greeting.proven && greeting.claim.key == Some(THEM.key().id()));
    assert_eq!(
        (greeting.claim.address.as_str(), greeting.claim.name.as_deref()),
        ("10.0.0.2:80", Some("them"))
    );
    let [welcome] = &house.said()[..] else { panic!() };
    assert_eq!(
        (&welcome["type"], &welcome["from"], &welcome["to"]),
        (&json!("SERVER_WELCOME"), &json!("us"), &json!("them"))
    );
    assert_eq!((&welcome["ts"], &welcome["payload"]["assigned_id"]), (&json!(77), &json!("them")));
    assert_eq!(welcome["payload"]["clients"][0]["user_id"], "ben");
    assert_eq!(welcome["payload"]["servers"][0]["pubkey"], US.pubkey());
    assert_eq!(welcome["sig"], US.sig(&welcome["payload"]), "signed as it is printed");
    let [Output::Wake(at)] = house.seen()[..] else { panic!() };
    assert_eq!(at, Moment::from_secs(100) + Duration::from_secs(HEARTBEAT_S.into()));
    house.step(Input::Woken);
    let [beat] = &house.said()[..] else { panic!() };
    assert_eq!(
        (&beat["type"], &beat["payload"], &beat["to"]),
        (&json!("HEARTBEAT"), &json!({}), &json!("them"))
    );
}

#[test]
fn a_link_is_answered_with_an_announcement_and_an_old_one_with_nothing() {
    for (kind, answers) in [("SERVER_HELLO_LINK", 1), ("PEER_HELLO_LINK", 0), ("SERVER_ANNOUNCE", 1)] {
        let mut house = House::answering(pinned());
        house.hear(&THEM.says(kind, "them", "*", 1, &introduction(THEM)));
        assert!(house.greeted[0].proven, "{kind}");
        let said = house.said();
        assert_eq!(said.len(), answers, "{kind}: {said:?}");
        assert!(
            said.iter().all(|frame| frame["type"] == "SERVER_ANNOUNCE" && frame["to"] == "*"),
            "{said:?}"
        );
    }
}

#[test]
fn whoever_is_not_who_it_says_is_turned_away() {
    let signed_by_another = STRANGER.says("SERVER_HELLO_JOIN", "them", "10.0.0.1:80", 1, &introduction(THEM));
    let mut house = House::answering(Standing::default());
    house.hear(&signed_by_another);
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
    house.hear(&join(THEM));
    house.hear("{");
    house.step(Input::Woken);
    assert!(house.seen().is_empty() && house.greeted.is_empty(), "nothing after the end");
    for weak in THEM.weak_keys() {
        let mut house = House::answering(Standing::default());
        let payload = json!({"host": "10.0.0.2", "port": 80, "pubkey": weak});
        house.hear(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &payload));
        assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadKey)));
    }
    let bare = unsigned(&join(THEM));
    for (unproven, ending) in [(false, Some(Ending::Refused(Refusal::Unproven))), (true, None)] {
        let mut house = House::answering(Standing { unproven, ..Standing::default() });
        house.hear(&bare);
        assert_eq!(house.ending(), ending);
        assert!(house.greeted.iter().all(|greeting| !greeting.proven));
    }
    for refusal in [Refusal::WrongKey, Refusal::UnknownPeer] {
        let mut house = House::answering(Standing::default());
        house.standing = Err(refusal);
        house.hear(&join(THEM));
        assert_eq!(house.ending(), Some(Ending::Refused(refusal)));
        let mut house = House::answering(Standing::default());
        house.welcome = Err(refusal);
        house.hear(&join(THEM));
        assert_eq!(house.ending(), Some(Ending::Refused(refusal)));
    }
}

#[test]
fn what_is_no_introduction_gets_no_link() {
    for payload in [json!({}), json!({"host": "10.0.0.2"}), json!({"host": "a/b", "port": 80})] {
        let mut house = House::answering(Standing::default());
        house.hear(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &payload));
        assert_eq!(house.refuses_strange(), "SERVER_HELLO_JOIN: it names no host and port where it listens");
        assert!(house.greeted.is_empty());
    }
    let good = join(THEM);
    for (hello, why) in [
        (good.replace("\"ts\":1,", "\"ts\":[1],"), "SERVER_HELLO_JOIN: its ts is no number of milliseconds"),
        (
            r#"{"type":"SERVER_HELLO","id":"SrvA"}"#.to_owned(),
            "SERVER_HELLO: a link is opened by SERVER_HELLO_JOIN or SERVER_HELLO_LINK",
        ),
    ] {
        assert_ne!(hello, good);
        let mut house = House::answering(Standing::default());
        house.hear(&hello);
        assert_eq!(house.refuses_strange(), why);
    }
    let mut house = House::answering(Standing::default());
    house.hear(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    assert!(matches!(house.seen()[..], [Output::Note(Violation::OutOfOrder)]), "not before an introduction");
}

pub(super) fn card(who: Who, id: &str, address: &str) -> ServerCard {
    let key = who.key();
    ServerCard {
        id: id.to_owned(),
        address: address.to_owned(),
        key: Some(key.id()),
        public_key: Some(Arc::new(key)),
    }
}

#[test]
fn who_joins_is_told_of_those_with_whom_it_should_be_linked_too() {
    let servers = vec![card(STRANGER, "other", "10.0.0.3:80"), card(ANNA, "server_x", "ws://ten.example")];
    let welcomed = |hello: &str| {
        let mut house = House::answering(Standing { servers: servers.clone(), ..Standing::default() });
        house.hear(hello);
        let welcome = house.said().remove(0);
        assert_eq!(
            welcome["sig"].as_str().map(|sig| sig.trim_end_matches('=')),
            Some(&*US.sig(&welcome["payload"]))
        );
        welcome["payload"].clone()
    };
    let payload = welcomed(&join(THEM));
    let entry = |id: &str, host: &str, who: Who| json!({"server_id": id, "user_id": id, "host": host, "port": 80, "pubkey": who.pubkey()});
    let [us, other] = [entry("us", "10.0.0.1", US), entry("other", "10.0.0.3", STRANGER)];
    assert_eq!(payload["servers"], json!([us, other, entry("server_x", "ten.example", ANNA)]));
    assert_eq!(payload["clients"][0]["user_id"], "ben");
    // Whoever takes clients for servers hears of them there, in its own spelling.
    let padded = |who: Who| json!({"host": "10.0.0.2", "port": 80, "pubkey": spelled_by_g40(who)});
    let payload = welcomed(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &padded(THEM)));
    assert_eq!(payload["clients"], payload["servers"]);
    assert_eq!(payload["clients"][1]["pubkey"], spelled_by_g40(STRANGER));
    // And whoever knows servers by a prefix hears them called so.
    let role = json!({"host": "10.0.0.2", "port": 80, "pubkey": THEM.pubkey(), "role": "local"});
    let payload = welcomed(&THEM.says("SERVER_HELLO_JOIN", "server_them", "", 1, &role));
    let ids: Vec<&Value> =
        payload["servers"].as_array().into_iter().flatten().map(|one| &one["server_id"]).collect();
    assert_eq!(ids, ["master_server_us", "master_server_other", "server_x"]);
}

pub(super) fn spelled_by_g40(who: Who) -> String {
    let accent = Accent::parse("g40").expect("an accent");
    crate::dialect::socp::key::write(&who.key(), accent.spelling())
}

#[test]
fn whoever_has_shown_who_it_is_can_be_named_to_others() {
    let mut house = House::answering(Standing::default());
    house.hear(&join(THEM));
    let shown = house.greeted[0].card.clone().expect("a card");
    assert_eq!((shown.id.as_str(), shown.address.as_str()), ("them", "10.0.0.2:80"));
    assert_eq!(shown.key, Some(THEM.key().id()));
    let mut house = House::answering(Standing { unproven: true, ..Standing::default() });
    house.hear(&unsigned(&join(THEM)));
    assert!(house.greeted[0].card.is_none());
}

#[test]
fn whoever_comes_is_said_to_be_in_the_channel_to_servers_that_know_of_it() {
    let members = [ANNA.member(), BEN.member()];
    let house = House::linked();
    let stamp = house.session.stamp();
    let said = |frame: &Frame| said(stamp.unsigned(frame).expect("something to sign"));
    for (name, knows) in [
        ("text", true),
        ("g56", true),
        ("g45", true),
        ("g40", true),
        ("admiral", true),
        ("g2", false),
        ("g17", false),
        ("g29", false),
        ("samlovat", false),
        ("pezhy", false),
    ] {
        let ear = Ear::SocpPeer(Accent::parse(name).expect("an accent"));
        let one = press::in_channel(&ANNA.member(), 3, ear);
        let listed = press::part(None, &members, true, 1, 3, ear);
        assert_eq!((one.is_some(), listed.len()), (knows, if knows { 3 } else { 2 }), "{name}");
        let Some(one) = one else { continue };
        let one = said(&one);
        assert_eq!(
            (&one["type"], &one["from"], &one["to"]),
            (&json!("PUBLIC_CHANNEL_ADD"), &json!("us"), &json!("*"))
        );
        assert_eq!(one["payload"], json!({"add": ["anna"], "if_version": 3}));
        assert_eq!(one["sig"], US.sig(&one["payload"]));
        assert_eq!(said(&listed[2])["payload"]["add"], json!(["anna", "ben"]), "one frame for all of them");
    }
    assert_eq!(press::in_channel(&ANNA.member(), 3, Ear::Kith), None);
    assert_eq!(press::in_channel(&ANNA.member(), 3, Ear::Socp(Accent::default())), None);
}

/// A link to a server that was linked before, with its first words out.
fn linking(link: &str) -> House {
    let accent = Accent::parse(link).ok().map(AnyAccent::Socp);
    let mut house = House::dialling(Standing { accent, ..pinned() });
    let said = house.said();
    assert_eq!(said.len(), 1, "{said:?}");
    house
}

#[test]
fn a_link_is_up_once_the_other_side_has_signed_something() {
    let mut house = linking("link");
    assert!(house.greeted.is_empty(), "anybody can take a connection and say nothing");
    assert!(house.session.hello_s() > HEARTBEAT_S, "it may have nothing to say until its heartbeat");
    // Neither somebody else's words nor unsigned ones.
    let told =
        |key: Who, from: &str, user: Who| key.says("USER_ADVERTISE", from, "*", 1, &advertise(user, from));
    house.hear(&told(STRANGER, "other", BEN));
    house.hear(&unsigned(&told(THEM, "them", ANNA)));
    house.hear(&told(STRANGER, "them", ANNA));
    assert!(house.greeted.is_empty() && house.seen().is_empty());
    // The first thing that it says itself tells what it is called, and is not lost.
    house.hear(&told(THEM, "them", ANNA));
    let [greeting] = &house.greeted[..] else { panic!("{:?}", house.greeted) };
    assert!(greeting.proven && greeting.claim.name.as_deref() == Some("them"));
    let said: Vec<Value> = house.said().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(said, ["SERVER_ANNOUNCE"]);
    let seen = house.seen();
    assert_eq!(came(&seen[seen.len() - 1..]), Some(id_of("anna")));
    assert_eq!(house.session.hello_s(), 0);
    let forged = STRANGER.says("USER_ADVERTISE", "them", "*", 2, &advertise(BEN, "them"));
    assert_eq!(house.refuses(&forged), (Some(Violation::BadSignature), Some("INVALID_SIG".to_owned())));
    house.step(Input::Woken);
    assert_eq!(house.said()[0]["to"], "them");
}

#[test]
fn any_word_that_is_signed_brings_a_link_up() {
    for (link, announcements) in [("link", 1), ("peer-link+prehash", 0)] {
        let mut house = linking(link);
        house.hear(&THEM.says("HEARTBEAT", "them", "us", 1, &json!({})));
        assert!(house.greeted[0].proven, "{link}");
        assert_eq!(house.said().len(), announcements, "{link}");
        let mut house = linking(link);
        house.hear(&THEM.says("SERVER_ANNOUNCE", "them", "*", 1, &introduction(THEM)));
        assert!(house.greeted[0].proven, "{link}");
    }
    // Whoever goes on signing with another key is not the server that we meant.
    let mut house = linking("link");
    for ts in 0..100 {
        house.hear(&STRANGER.says("HEARTBEAT", "them", "us", ts, &json!({})));
    }
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
    assert!(house.greeted.is_empty());
}

#[test]
fn what_the_server_signs_itself_shows_that_its_socket_lives() {
    let mut house = House::linked();
    let content = json!({"ciphertext": "aGk", "sender_pub": ANNA.pubkey(), "content_sig": "..."});
    let public = |key: Who| key.says("MSG_PUBLIC_CHANNEL", "anna", "public", 3, &content);
    for (shows, frame) in [
        (1, THEM.says("HEARTBEAT", "them", "us", 1, &json!({}))),
        (1, THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them"))),
        (1, public(THEM)),
        (0, public(ANNA)),
        (0, unsigned(&THEM.says("HEARTBEAT", "them", "us", 1, &json!({})))),
        (0, STRANGER.says("HEARTBEAT", "them", "us", 1, &json!({}))),
        (0, THEM.says("HEARTBEAT", "other", "us", 1, &json!({}))),
    ] {
        house.shown = 0;
        house.tells(&frame);
        assert_eq!(house.shown, shows, "{frame}");
    }
}

#[test]
fn ours_are_spelled_as_theirs_are() {
    // Name, what it says, and what our welcome must look like.
    let padded = |who: Who| format!("{}==", who.pubkey());
    let prefixed = "server_11111111-1111-4111-8111-111111111111";
    let mut house = House::answering(Standing::default());
    let payload = json!({"host": "10.0.0.2", "port": 80, "pubkey": THEM.pubkey(), "role": "local"});
    house.hear(&THEM.says("SERVER_HELLO_JOIN", prefixed, "", 1, &payload));
    let welcome = house.said().remove(0);
    assert_eq!(
        (&welcome["from"], &welcome["payload"]["role"]),
        (&json!("master_server_us"), &json!("master"))
    );
    assert!(matches!(house.greeted[0].ear, Ear::SocpPeer(accent) if accent.prefix));
    let mut house = House::answering(Standing::default());
    let payload = json!({"host": "10.0.0.2", "port": 80, "pubkey": padded(THEM)});
    house.hear(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &payload));
    let welcome = house.said().remove(0);
    for text in [&welcome["sig"], &welcome["payload"]["pubkey"]] {
        assert!(text.as_str().is_some_and(|text| text.ends_with('=')), "{text}");
    }
    // Who hashes twice is signed to in the same way.
    let mut house = House::answering(Standing::default());
    house.hear(&THEM.says("PEER_HELLO_LINK", "them", "", 1, &introduction(THEM)));
    house.step(Input::Woken);
    let plain = house.said().remove(0);
    assert_eq!(plain["sig"], US.sig(&json!({})), "it was seen to sign plainly");
}

#[test]
fn whether_servers_are_recognised_is_a_matter_of_this_protocol_alone() {
    for (olaf, socp) in [(true, false), (false, true)] {
        let terms = Terms { detect_accents: olaf, socp_detect_accents: socp, ..(*terms(true)).clone() };
        let mut house = House::new(Session::answering(Arc::new(terms)), Standing::default());
        let payload = json!({"host": "10.0.0.2", "port": 80, "pubkey": spelled_by_g40(THEM)});
        house.hear(&THEM.says("SERVER_HELLO_JOIN", "them", "", 1, &payload));
        let welcome = house.said().remove(0);
        let accent = if socp { Accent::G40 } else { Accent::default() };
        assert_eq!(house.greeted[0].ear, Ear::SocpPeer(accent), "{olaf} {socp}");
        let ours = crate::dialect::socp::key::write(&US.key(), accent.spelling());
        assert_eq!(welcome["payload"]["pubkey"], ours);
    }
}

#[test]
fn a_server_hears_that_we_leave_unless_it_left_first() {
    let words = crate::dialect::socp::session::last_words_to_server;
    assert_eq!(words(Ending::Left), None);
    let words = words(Ending::Draining).expect("words");
    assert_eq!(value(&words), json!({"type": "CTRL_CLOSE"}));
    let mut house = House::linked();
    assert!(house.session.stamp().unsigned(&words).is_none(), "nobody signs it");
    house.hear(r#"{"type":"CTRL_CLOSE"}"#);
    assert_eq!(house.ending(), Some(Ending::Left));
}

#[test]
fn users_that_a_snapshot_places_at_the_introducer_are_there() {
    let mut house = House::dialling(pinned());
    let mut payload = welcome("us");
    payload["clients"] = json!([]);
    payload["snapshot"] =
        json!({"user_locations": {"here": "local", "named": "them", "there": "other", "odd": 7}});
    house.hear(&THEM.says("SERVER_WELCOME", "them", "us", 1, &payload));
    let told = house.seen().into_iter().filter(|output| matches!(output, Output::Tell(_)));
    let told: Vec<_> = told.map(|output| came(&[output])).collect();
    assert_eq!(told, [Some(id_of("here")), Some(id_of("named"))]);
}

#[test]
fn users_who_are_elsewhere_are_not_at_the_introducer() {
    let mut house = House::dialling(pinned());
    let mut payload = welcome("us");
    let user = |name: &str, host: &str| json!({"user_id": name, "host": host, "port": 80});
    payload["clients"] = json!([user("there", "10.0.0.3"), user("here", "10.0.0.2"), {"user_id": "bare"}]);
    house.hear(&THEM.says("SERVER_WELCOME", "them", "us", 1, &payload));
    let told = house.seen().into_iter().filter(|output| matches!(output, Output::Tell(_)));
    let told: Vec<_> = told.map(|output| came(&[output])).collect();
    assert_eq!(told, [Some(id_of("here")), Some(id_of("bare"))]);
}
