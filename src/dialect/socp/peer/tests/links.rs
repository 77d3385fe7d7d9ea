//! How links come up, or do not, and what is said on the way.

use super::*;

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
        assert!(matches!(house.seen()[..], [Output::Note(Violation::Malformed)]), "{payload}");
        assert!(house.greeted.is_empty());
    }
    let mut house = House::answering(Standing::default());
    house.hear(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    assert!(matches!(house.seen()[..], [Output::Note(Violation::OutOfOrder)]), "not before an introduction");
}

fn welcome(assigned: &str) -> Value {
    let other = json!({"server_id": "other", "host": "10.0.0.3", "port": 80, "pubkey": STRANGER.pubkey()});
    let itself = json!({"server_id": "them", "host": "10.0.0.2", "port": 80, "pubkey": THEM.pubkey()});
    let anna = json!({"user_id": "anna", "host": "10.0.0.2", "port": 80, "pubkey": ANNA.pubkey()});
    json!({"assigned_id": assigned, "clients": [anna], "servers": [itself, other], "pubkey": THEM.pubkey()})
}

#[test]
fn we_join_and_take_the_id_the_servers_and_the_users_that_we_are_told() {
    let mut house = House::dialling(pinned());
    let [hello] = &house.said()[..] else { panic!() };
    assert_eq!((&hello["type"], &hello["to"]), (&json!("SERVER_HELLO_JOIN"), &json!("10.0.0.2:80")));
    assert_eq!((&hello["from"], &hello["payload"]["port"]), (&json!("us"), &json!(80)));
    house.hear(&THEM.says("ERROR", "them", "us", 1, &json!({"code": "TIMEOUT", "detail": "busy"})));
    assert!(house.seen().is_empty() && house.greeted.is_empty());
    house.hear(&THEM.says("SERVER_WELCOME", "them", "us", 1, &welcome("new-id")));
    assert!(house.greeted[0].proven);
    let seen_before = house.said();
    let [announcement] = &seen_before[..] else { panic!("{seen_before:?}") };
    assert_eq!((&announcement["type"], &announcement["from"]), (&json!("SERVER_ANNOUNCE"), &json!("new-id")));
    let seen = house.seen();
    let introduced = seen.iter().find_map(|output| match output {
        Output::Introduce(servers) => Some(servers),
        _ => None,
    });
    let [other] = &introduced.expect("servers")[..] else { panic!("{introduced:?}") };
    assert_eq!((other.id.as_str(), other.address.as_str()), ("other", "10.0.0.3:80"));
    assert_eq!(other.key, Some(STRANGER.key().id()));
    assert_eq!(came(&seen[seen.len() - 1..]), Some(id_of("anna")));
}

#[test]
fn a_welcome_of_somebody_else_is_none() {
    let mut house = House::dialling(pinned());
    house.hear(&STRANGER.says("SERVER_WELCOME", "them", "us", 1, &welcome("us")));
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::BadSignature)));
    let mut house = House::dialling(Standing::default());
    house.hear(&unsigned(&THEM.says("SERVER_WELCOME", "them", "us", 1, &welcome("us"))));
    assert_eq!(house.ending(), Some(Ending::Refused(Refusal::Unproven)));
    // Nothing else counts before the answer.
    let mut house = House::dialling(pinned());
    house.seen();
    house.hear(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    house.step(Input::Woken);
    assert!(house.seen().is_empty());
}

#[test]
fn whoever_was_linked_before_need_not_answer_and_says_its_name_late() {
    let accent = Accent::parse("link").ok().map(AnyAccent::Socp);
    let mut house = House::dialling(Standing { accent, ..pinned() });
    let said: Vec<Value> = house.said().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(said, ["SERVER_HELLO_LINK", "SERVER_ANNOUNCE"]);
    assert!(house.greeted[0].proven, "each frame must show its key");
    // The first thing that it says tells what it is called.
    let told = house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    assert_eq!(came(&told), Some(id_of("anna")));
    let forged = STRANGER.says("USER_ADVERTISE", "them", "*", 2, &advertise(BEN, "them"));
    assert_eq!(house.refuses(&forged), (Some(Violation::BadSignature), Some("INVALID_SIG".to_owned())));
    house.step(Input::Woken);
    assert_eq!(house.said()[0]["to"], "them");
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
