//! What a linked server says, and what is believed of it.

use super::*;

#[test]
fn members_come_and_go_and_old_news_is_none() {
    let mut house = House::linked();
    let advertised = |ts| THEM.says("USER_ADVERTISE", "them", "*", ts, &advertise(ANNA, "them"));
    let removed =
        |ts| THEM.says("USER_REMOVE", "them", "*", ts, &json!({"user_id": "anna", "server_id": "them"}));
    assert_eq!(came(&house.tells(&advertised(1000))), Some(id_of("anna")));
    let gone = house.tells(&removed(2000));
    assert!(matches!(gone[..], [Output::Tell(News::Single(Change::Went(key)))] if key == id_of("anna")));
    let stale = (Some(Violation::StaleCounter), None);
    assert_eq!(house.refuses(&advertised(1000)), stale, "an old arrival does not undo a removal");
    assert_eq!(came(&house.tells(&advertised(3000))), Some(id_of("anna")));
    assert_eq!(house.refuses(&removed(2000)), stale, "nor an old removal an arrival");
}

#[test]
fn a_forged_time_shuts_nobody_out() {
    let mut house = House::linked();
    let forged =
        STRANGER.says("USER_REMOVE", "them", "*", i64::MAX, &json!({"user_id": "anna", "server_id": "them"}));
    assert_eq!(house.refuses(&forged), (Some(Violation::BadSignature), Some("INVALID_SIG".to_owned())));
    let told = house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 5, &advertise(ANNA, "them")));
    assert_eq!(came(&told), Some(id_of("anna")));
}

#[test]
fn a_server_speaks_for_its_own_members_alone() {
    let mut house = House::linked();
    let lie = THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "other"));
    assert_eq!(house.refuses(&lie), (Some(Violation::WrongSender), None));
    // What others tell they tell us themselves.
    for key in [THEM, STRANGER] {
        let relayed = key.says("USER_ADVERTISE", "other", "*", 1, &advertise(ANNA, "other"));
        assert!(house.tells(&relayed).is_empty());
    }
    assert_eq!(house.overheard, 2, "they are counted");
    let bad = Some(Violation::BadSignature);
    let honest = THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them"));
    assert_eq!(house.refuses(&unsigned(&honest)), (bad, Some("INVALID_SIG".to_owned())));
    assert_eq!(house.refuses(&honest.replace("\"them\"", "\"us\"")).0, None, "ours are not theirs to tell");
    assert_eq!(house.refuses(&unsigned(&honest)), (bad, None), "it is told so once");
    let named = json!({"user_id": "*", "server_id": "them"});
    assert_eq!(
        house.refuses(&THEM.says("USER_ADVERTISE", "them", "*", 1, &named)).0,
        Some(Violation::Malformed)
    );
}

#[test]
fn nothing_is_put_inside_of_what_was_signed() {
    let mut house = House::linked();
    let bare = json!({"meta": {}, "server_id": "them", "user_id": "anna"});
    let signed = THEM.says("USER_ADVERTISE", "them", "*", 1, &bare);
    let key = json!({"pubkey": STRANGER.pubkey()}).to_string();
    let forged = signed.replace("\"meta\":{}", &format!("\"meta\":{key}"));
    assert_ne!(forged, signed);
    let refused = (Some(Violation::BadSignature), Some("INVALID_SIG".to_owned()));
    assert_eq!(house.refuses(&forged), refused, "a form that says nothing about it proves nothing");
    assert_eq!(came(&house.tells(&signed)), Some(id_of("anna")));
}

#[test]
fn a_heartbeat_that_somebody_else_signed_is_counted_and_not_answered() {
    let mut house = House::linked();
    assert!(house.tells(&THEM.says("HEARTBEAT", "them", "us", 1, &json!({}))).is_empty());
    let forged = house.tells(&STRANGER.says("HEARTBEAT", "them", "us", 1, &json!({})));
    assert!(matches!(forged[..], [Output::Note(Violation::BadSignature)]), "{forged:?}");
}

#[test]
fn a_heartbeat_in_another_name_is_refused_and_counted() {
    let mut house = House::linked();
    let wrong = (Some(Violation::WrongSender), None);
    for from in ["other", "us", "anna", "THEM"] {
        for key in [THEM, STRANGER] {
            let beat = key.says("HEARTBEAT", from, "us", 1, &json!({}));
            assert_eq!(house.refuses(&beat), wrong, "{from}");
            assert_eq!(house.refuses(&unsigned(&beat)), wrong, "{from}");
        }
    }
    // One program says the time in it, another one neither signs nor says who it is.
    house.shown = 0;
    assert!(house.tells(&THEM.says("HEARTBEAT", "them", "us", 1, &json!({"now": 7}))).is_empty());
    assert!(house.tells(&unsigned(&THEM.says("HEARTBEAT", "", "us", 1, &json!({})))).is_empty());
    assert_eq!(house.shown, 1);
}

#[test]
fn servers_that_ask_for_a_key_are_answered_with_what_is_known() {
    let mut house = House::linked();
    let asks = |kind: &str, payload: &Value| THEM.says(kind, "them", "us", 1, payload);
    for (kind, answer, payload) in [
        ("PUB_KEY_REQUEST", "PUB_KEY", json!({"recipient_uuid": "ben"})),
        ("DB_GET_USER", "DB_USER", json!({"user_id": "ben", "req_id": "7"})),
    ] {
        house.hear(&asks(kind, &payload));
        let [said] = &house.said()[..] else { panic!("{kind}: {:?}", house.seen) };
        let key = (&said["type"], &said["to"], &said["payload"]["pubkey"]);
        assert_eq!(key, (&json!(answer), &json!("them"), &json!(BEN.pubkey())));
        assert_eq!(said["payload"].get("req_id"), payload.get("req_id"), "what is asked with it is repeated");
        assert_eq!(
            (&said["payload"]["found"], &said["sig"]),
            (&json!(true), &json!(US.sig(&said["payload"])))
        );
        assert!(said["payload"].get("server_id").is_none(), "it says of nobody that she is here");
    }
    // Of whom nothing is known, it is said so; the second program waits for the answer to its number.
    house.hear(&asks("PUB_KEY_REQUEST", &json!({"user_id": "nobody"})));
    assert_eq!(house.said()[0]["payload"]["code"], "USER_NOT_FOUND");
    house.hear(&asks("DB_GET_USER", &json!({"user_id": "nobody", "req_id": "8"})));
    let said = house.said();
    assert_eq!(said[0]["payload"], json!({"found": false, "req_id": "8", "user_id": "nobody"}));
    assert!(house.tells(&THEM.says("HEARTBEAT", "them", "us", 1, &json!({}))).is_empty(), "and it goes on");
}

#[test]
fn nobody_else_asks_for_keys_on_the_link_of_a_server() {
    let mut house = House::linked();
    let ben = json!({"user_id": "ben"});
    for kind in ["PUB_KEY_REQUEST", "DB_GET_USER"] {
        let honest = THEM.says(kind, "them", "us", 1, &ben);
        let invalid = Some("INVALID_SIG".to_owned());
        assert_eq!(house.refuses(&unsigned(&honest)), (Some(Violation::BadSignature), invalid));
        let forged = STRANGER.says(kind, "them", "us", 1, &ben);
        assert_eq!(house.refuses(&forged).0, Some(Violation::BadSignature), "{kind}");
        let other = THEM.says(kind, "other", "us", 1, &ben);
        assert_eq!(house.refuses(&other), (Some(Violation::WrongSender), None), "{kind}");
        let empty = THEM.says(kind, "them", "us", 1, &json!({}));
        assert_eq!(house.refuses(&empty), (Some(Violation::Malformed), None), "{kind}");
    }
}

#[test]
fn keys_of_the_channel_are_kept_if_who_made_them_has_signed_them() {
    let mut house = House::linked();
    let tells = |house: &mut House, kind: &str, payload: &Value| {
        house.tells(&THEM.says(kind, "them", "*", 1, payload))
    };
    let kept = |outputs: &[Output]| match outputs {
        [Output::Route(letter), Output::Wraps(wraps)] => {
            assert_eq!((&letter.original, &*wraps.server), (&wraps.frame, "them"));
            let names = wraps.wraps.iter().map(|wrap| (wrap.name.to_string(), wrap.wrapped.to_string()));
            Some((wraps.version, names.collect::<Vec<_>>()))
        }
        [Output::Route(_)] => None,
        [Output::Route(_), Output::Note(Violation::BadSignature)] => None,
        other => panic!("{other:?}"),
    };
    let wrap = |name: &str| json!({"member_id": name, "wrapped_key": "d3JhcA"});
    let update =
        json!({"version": 3, "wraps": [wrap("ben"), wrap("*"), wrap("anna"), {"member_id": "carl"}]});
    let told = tells(&mut house, "PUBLIC_CHANNEL_UPDATED", &update);
    let both = ["ben", "anna"].map(|name| (name.to_owned(), "d3JhcA".to_owned())).to_vec();
    assert_eq!(kept(&told), Some((Some(3), both)));
    let shares = json!([{"member": "ben", "wrapped_public_channel_key": "c2hhcmU"}]);
    let text = format!("{}{}", canonical(&shares.to_string()).expect("JSON"), ANNA.pubkey());
    let share = |sig: &str| json!({"shares": shares, "creator_pub": ANNA.pubkey(), "content_sig": sig});
    let honest = share(&binary::encode(&ANNA.signs(text.as_bytes()), false));
    let told = tells(&mut house, "PUBLIC_CHANNEL_KEY_SHARE", &honest);
    assert_eq!(kept(&told), Some((None, vec![("ben".to_owned(), "c2hhcmU".to_owned())])));
    // It still goes to everybody who is here: they may know better.
    let forged = share(&binary::encode(&STRANGER.signs(text.as_bytes()), false));
    for payload in [forged, share("..."), share(""), json!({"shares": shares})] {
        let told = tells(&mut house, "PUBLIC_CHANNEL_KEY_SHARE", &payload);
        assert_eq!(kept(&told), None, "{payload}");
    }
    // Who is in the channel is said without a key.
    assert_eq!(
        kept(&tells(&mut house, "PUBLIC_CHANNEL_ADD", &json!({"add": ["anna"], "if_version": 3}))),
        None
    );
    let forged = STRANGER.says("PUBLIC_CHANNEL_UPDATED", "them", "*", 1, &update);
    assert_eq!(house.refuses(&forged).0, Some(Violation::BadSignature));
}

#[test]
fn each_unknown_type_is_complained_about_once() {
    let mut house = House::linked();
    for kind in ["NEVER_HEARD", "USER_HELLO", "CMD_LIST"] {
        let frame = THEM.says(kind, "them", "us", 1, &json!({}));
        let (violation, code) = house.refuses(&frame);
        assert!(violation.is_some() && code.as_deref() == Some("UNKNOWN_TYPE"), "{kind}");
        for _ in 0..3 {
            assert_eq!(house.refuses(&frame), (violation, None), "{kind}");
        }
    }
    let mut errors = 0;
    for number in 0..1000 {
        let (_, code) = house.refuses(&THEM.says(&format!("X{number}"), "them", "us", 1, &json!({})));
        errors += usize::from(code.is_some());
    }
    assert!(errors < 64, "{errors} errors");
    for harmless in ["ERROR", "ACK", "HEARTBEAT", "SERVER_ANNOUNCE", "SERVER_WELCOME", "SERVER_HELLO_JOIN"] {
        let frame = unsigned(&THEM.says(harmless, "them", "us", 1, &json!({"code": "UNKNOWN_TYPE"})));
        assert!(house.tells(&frame).is_empty(), "{harmless}");
    }
}

#[test]
fn a_second_key_comes_with_the_first_one_or_not_at_all() {
    let [weak, _] = ANNA.weak_keys();
    let second = STRANGER.pubkey();
    let padded = format!("{}==", ANNA.pubkey());
    for (meta, sealing_key) in [
        (json!({"pubkey": ANNA.pubkey(), "enc_pubkey": second}), Some(second.as_str())),
        (json!({"pubkey": ANNA.pubkey(), "enc_pubkey": padded}), None),
        (json!({"pubkey": ANNA.pubkey(), "enc_pubkey": weak}), None),
        (json!({"pubkey": ANNA.pubkey(), "enc_pubkey": 7}), None),
        (json!({"enc_pubkey": second}), None),
    ] {
        let payload = json!({"user_id": "anna", "server_id": "them", "meta": meta});
        let told = House::linked().tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &payload));
        let [Output::Tell(News::Single(Change::Came(Listed::Known(anna))))] = &told[..] else {
            panic!("{meta}: {told:?}")
        };
        let named = anna.named.as_ref().expect("a name");
        assert_eq!(named.sealing_key.as_deref(), sealing_key, "{meta}");
        assert_eq!(named.key.is_some(), meta["pubkey"].is_string(), "{meta}");
        // And so do ours hear of her.
        let member = anna.clone().numbered(1);
        let came = relay::came(&member, Accent::default()).expect("an arrival");
        let said = value(&came)["payload"]["meta"].clone();
        assert_eq!(said.get("enc_pubkey").and_then(Value::as_str), sealing_key, "{said}");
    }
}

#[test]
fn an_answer_about_a_key_is_not_played_back_as_presence() {
    let mut house = House::linked();
    // The answer to `PUB_KEY_REQUEST`, as everybody signs it, names its user and a key, too.
    let answer = json!({"user_id": "anna", "pubkey": ANNA.pubkey()});
    for kind in ["USER_ADVERTISE", "USER_REMOVE"] {
        let frame = THEM.says(kind, "them", "*", 1, &answer);
        assert_eq!(house.refuses(&frame), (Some(Violation::WrongSender), None), "{kind}");
    }
    let told = house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    assert_eq!(came(&told), Some(id_of("anna")));
}

#[test]
fn what_members_of_others_want_to_be_called_is_told_to_ours() {
    for (called, kept) in [("Anna of the hill", true), (&"x".repeat(1000), false)] {
        let mut payload = advertise(ANNA, "them");
        payload["meta"]["display_name"] = json!(called);
        let told = House::linked().tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &payload));
        let [Output::Tell(News::Single(Change::Came(Listed::Known(anna))))] = &told[..] else {
            panic!("{told:?}")
        };
        let came = relay::came(&anna.clone().numbered(1), Accent::default()).expect("an arrival");
        let said = value(&came)["payload"]["meta"]["display_name"] == *called;
        assert_eq!(said, kept, "{called}");
    }
}

fn deliver(sender: Who, to: Who) -> Value {
    json!({"user_id": to.0, "ciphertext": "AAAA", "sender": sender.0, "sender_pub": sender.pubkey(),
        "content_sig": "x".repeat(683)})
}

#[test]
fn letters_have_the_author_that_their_server_answers_for() {
    let mut house = House::linked();
    house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    let wrapped = letter(house.tells(&THEM.says("SERVER_DELIVER", "them", "us", 2, &deliver(ANNA, BEN))));
    assert_eq!((wrapped.from, wrapped.dialect), (Origin::Home(HOME), Dialect::Socp));
    assert_eq!(wrapped.author, Author::Vouched { author: id_of("anna"), named: None });
    assert_eq!(wrapped.audience, Audience::Member(id_of("ben")));
    let again = THEM.says("SERVER_DELIVER", "them", "us", 9, &deliver(ANNA, BEN));
    assert_eq!(letter(house.tells(&again)).trace, wrapped.trace, "whenever it is wrapped again");

    let content = json!({"ciphertext": "aGk", "sender_pub": ANNA.pubkey(), "content_sig": "..."});
    let public = |key: Who, from: &str| key.says("MSG_PUBLIC_CHANNEL", from, "public", 3, &content);
    // Signed by its author, by its server, or by nobody.
    for frame in [public(ANNA, "anna"), public(THEM, "anna"), unsigned(&public(ANNA, "anna"))] {
        let letter = letter(house.tells(&frame));
        assert_eq!(letter.author, Author::Vouched { author: id_of("anna"), named: None });
        assert_eq!(letter.audience, Audience::Everyone);
        assert_eq!(letter.original, Frame::Text(frame.into()), "not a byte is changed");
    }
    let by_server = letter(house.tells(&public(THEM, "them")));
    assert_eq!(by_server.author, Author::Claimed(None), "it does not say who wrote it");
    let file = json!({"file_id": "1", "name": "x", "size": 1, "mode": "dm"});
    let file = letter(house.tells(&unsigned(&ANNA.says("FILE_START", "anna", "ben", 4, &file))));
    assert_eq!(file.audience, Audience::Member(id_of("ben")));
}

#[test]
fn a_letter_that_only_servers_may_bring_needs_their_signature() {
    let mut house = House::linked();
    let honest = THEM.says("SERVER_DELIVER", "them", "us", 2, &deliver(ANNA, BEN));
    let frames = [
        unsigned(&honest),
        unsigned(&honest.replace("\"from\":\"them\"", "\"from\":\"another\"")),
        unsigned(&honest.replace("\"from\":\"them\"", "\"from\":\"\"")),
        STRANGER.says("SERVER_DELIVER", "them", "us", 2, &deliver(ANNA, BEN)),
        honest.replace("AAAA", "BBBB"),
    ];
    for frame in &frames {
        assert_eq!(house.refuses(frame).0, Some(Violation::BadSignature), "{frame}");
    }
    // Nor does anybody speak as the house by naming nobody.
    let nameless = unsigned(&THEM.says("MSG_PUBLIC_CHANNEL", "", "public", 1, &json!({"ciphertext": "aGk"})));
    assert_eq!(house.refuses(&nameless).0, Some(Violation::BadSignature));
    // None of them has made anybody arrive.
    let told = house.tells(&honest);
    assert_eq!(came(&told), Some(id_of("anna")));
    assert!(matches!(told[..], [_, Output::Route(_)]));
}

#[test]
fn whoever_was_sent_away_does_not_arrive_by_writing() {
    let mut house = House::linked();
    house.tells(&THEM.says("USER_REMOVE", "them", "*", 5, &json!({"user_id": "anna", "server_id": "them"})));
    let told = house.tells(&THEM.says("SERVER_DELIVER", "them", "us", 6, &deliver(ANNA, BEN)));
    assert!(matches!(told[..], [Output::Route(_)]), "{told:?}");
}

#[test]
fn rubbish_is_counted_and_costs_nothing_else() {
    let mut house = House::linked();
    for rubbish in ["", "{", "[]", "7", r#"{"type":1}"#, r#"{"type":"USER_ADVERTISE","payload":[]}"#] {
        assert_eq!(house.refuses(rubbish), (Some(Violation::Malformed), None), "{rubbish}");
    }
    let nobody = THEM.says("SERVER_DELIVER", "them", "us", 2, &json!({"ciphertext": "x"}));
    assert_eq!(house.refuses(&nobody).0, Some(Violation::Malformed));
    let told = house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    assert_eq!(came(&told), Some(id_of("anna")));
}

#[test]
fn whoever_is_not_found_by_the_server_that_listed_her_is_gone() {
    let mut house = House::linked();
    house.tells(&THEM.says("USER_ADVERTISE", "them", "*", 1, &advertise(ANNA, "them")));
    let error = |code: &str, detail: &str| json!({"code": code, "detail": detail});
    let told = |house: &mut House, key: Who, from: &str, payload: &Value| {
        house.tells(&key.says("ERROR", from, "us", 2, payload))
    };
    let uuid = "6f5a7e8c-cf08-402e-a299-f4b1e5774a87";
    for (name, detail) in [("anna", "anna is not online"), ("anna", "user 'anna': gone"), (uuid, uuid)] {
        let gone = told(&mut house, THEM, "them", &error("USER_NOT_FOUND", detail));
        assert!(
            matches!(gone[..], [Output::Tell(News::Single(Change::Went(key)))] if key == id_of(name)),
            "{detail}: {gone:?}"
        );
    }
    // Neither another error nor somebody else's, and none is ever answered.
    let honest = error("USER_NOT_FOUND", "anna is not online");
    assert!(told(&mut house, THEM, "them", &error("TIMEOUT", "anna")).is_empty());
    assert!(told(&mut house, THEM, "them", &error("USER_NOT_FOUND", "nobody that we know")).is_empty());
    assert!(told(&mut house, THEM, "other", &honest).is_empty());
    let forged = told(&mut house, STRANGER, "them", &honest);
    assert!(matches!(forged[..], [Output::Note(Violation::BadSignature)]), "it counts, and nobody is told");
    let text = THEM.says("ERROR", "them", "us", 2, &honest);
    assert!(house.tells(&unsigned(&text)).is_empty());
    assert!(house.tells(&text.replace(&THEM.sig(&honest), "!")).is_empty());
    let again = THEM.says("USER_ADVERTISE", "them", "*", 3, &advertise(ANNA, "them"));
    assert_eq!(came(&house.tells(&again)), Some(id_of("anna")), "and can come again");
}
