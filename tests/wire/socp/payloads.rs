//! What stands inside frames, in the shapes that different groups give it.

use kith::dialect::socp::{
    payload::{File, Introduction, Letter, Presence, Welcome, is_user_name},
    request::{Ack, ChannelUpdate, Command, Complaint, KeyAnswer, KeyRequest, KeyShare, Names, Typed},
};

#[test]
fn introductions_say_what_they_say_and_the_rest_is_missing() {
    for (payload, host, port) in [
        (r#"{"host":"h","port":8080,"pubkey":"k"}"#, Some("h"), Some(8080)),
        (r#"{"host":"h","port":"8080","pubkey":"k","role":"master","x":[{}]}"#, Some("h"), Some(8080)),
        (r#"{"host":["h"],"port":70000,"pubkey":"k"}"#, None, None),
        (r#"{"host":null,"port":-1,"pubkey":"k"}"#, None, None),
        (r#"{"host":{"a":1},"port":80.5,"pubkey":"k","role":false}"#, None, None),
    ] {
        let read = Introduction::read(payload).expect("an introduction");
        assert_eq!((read.host.as_deref(), read.port), (host, port), "{payload}");
        assert_eq!(read.pubkey.as_deref(), Some("k"), "{payload}");
    }
    for wrong in ["", "[]", "null", "[\"h\",1]", r#"{"host":"a","host":"b"}"#, r#"{"host":"a""#] {
        assert!(Introduction::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_key_of_a_user_is_found_wherever_it_stands() {
    for (payload, key) in [
        (r#"{"user_id":"u","server_id":"s","meta":{"pubkey":"k"}}"#, Some("k")),
        (r#"{"user_id":"u","pubkey":"k","meta":{"display_name":"u"}}"#, Some("k")),
        (r#"{"user_id":"u","pubkey":"k","meta":"none","version":"1.0"}"#, Some("k")),
        (r#"{"user_id":"u","pubkey":"l","meta":{"pubkey":"k"}}"#, Some("k")),
        (r#"{"user_id":"u","meta":["k"]}"#, None),
        (r#"{"user_id":"u","server_id":"s"}"#, None),
    ] {
        let read = Presence::read(payload).expect("a presence");
        assert_eq!((&*read.user_id, read.pubkey().as_deref()), ("u", key), "{payload}");
    }
    for wrong in ["{}", r#"{"user_id":1}"#, r#"{"user_id":null,"server_id":"s"}"#] {
        assert!(Presence::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn welcomes_are_read_from_everybody() {
    let read = |payload| Welcome::read(payload).expect("a welcome");
    let spec = read(
        r#"{"assigned_id":"x","clients":[{"user_id":"u","host":"h","port":"1","pubkey":"k"},"bare",7,[]]}"#,
    );
    let ids: Vec<_> = spec.clients.iter().map(|entry| (entry.id(), entry.is_server())).collect();
    assert_eq!(ids, [(Some("u"), true), (Some("bare"), false), (None, false), (None, false)]);
    assert_eq!((spec.assigned_id.as_deref(), spec.introducer_key("u")), (Some("x"), None));

    let listed =
        read(r#"{"assigned_id":"x","servers":[{"server_id":"s","host":"h","port":1,"pubkey":"k"}]}"#);
    assert_eq!((listed.introducer_key("s"), listed.introducer_key("t")), (Some("k"), None));
    assert!(listed.servers[0].is_server());

    let master = read(r#"{"host":"h","port":1,"pubkey":"k","role":"master"}"#);
    assert_eq!(master.introducer_key("s"), Some("k"));

    let locations =
        r#"{"server_id":"s","server_pub":"k","snapshot":{"user_locations":{"u":"local","v":"s2","w":{}}}}"#;
    let located = read(locations);
    assert_eq!(located.introducer_key("s"), Some("k"));
    let users = located.locations();
    assert_eq!(users, [("u".into(), "local".into()), ("v".into(), "s2".into())]);

    for odd in
        [r#"{"clients":{},"servers":"none","snapshot":[]}"#, r#"{"snapshot":{"user_locations":[1]}}"#, "{}"]
    {
        let read = read(odd);
        assert!(read.clients.is_empty() && read.locations().is_empty(), "{odd}");
    }
}

#[test]
fn of_long_lists_a_bounded_part_is_kept() {
    let long = format!("{{\"users\":[{}\"last\"]}}", "\"u\",".repeat(70_000));
    let names = Names::read(&long).expect("names");
    assert_eq!(names.users().len(), 65_536);
}

#[test]
fn letters_and_files_are_read_from_everybody() {
    let letter = |payload| Letter::read(payload).expect("a letter");
    let inner = letter(r#"{"ciphertext":"c","from":"a","to":"b","ts":5,"content_sig":"s"}"#);
    assert_eq!((inner.author(), inner.to.as_deref()), (Some("a"), Some("b")));
    assert_eq!(inner.written().and_then(|ts| ts.millis()), Some(5));
    let later = letter(r#"{"sender":"a","from":"x","ts":[1],"original_ts":1795216494.5,"text":"hi"}"#);
    assert_eq!((later.author(), later.text.as_deref()), (Some("a"), Some("hi")));
    assert_eq!(later.written().and_then(|ts| ts.millis()), Some(1_795_216_494_500));
    assert!(letter("{}").author().is_none());

    let file = File::read(r#"{"file_id":"f","index":"3","size":1.5,"mode":"dm"}"#).expect("a file");
    assert_eq!((&*file.file_id, file.index, file.size), ("f", Some(3), None));
    assert!(File::read(r#"{"index":0}"#).is_err());
}

#[test]
fn requests_and_answers_are_read_from_everybody() {
    for (cmd, typed) in [
        ("/list", Typed::List),
        (" /list ", Typed::List),
        ("/getpub Anna", Typed::Key("Anna")),
        ("/getpub  Anna B", Typed::Key("Anna B")),
        ("/getpub", Typed::Other("/getpub")),
        ("/tell Anna hi", Typed::Other("/tell Anna hi")),
    ] {
        let payload = serde_json::json!({ "cmd": cmd }).to_string();
        assert_eq!(Command::read(&payload).expect("a command").typed(), typed);
    }
    assert_eq!(Command::read("{}").expect("a command").typed(), Typed::Other(""));
    for payload in [r#"{"user_id":"u"}"#, r#"{"recipient_uuid":"u"}"#] {
        assert_eq!(KeyRequest::read(payload).expect("a request").user(), Some("u"));
    }
    for (payload, key) in [
        (r#"{"user_id":"u","found":true,"pubkey":"k"}"#, Some("k")),
        (r#"{"recipient_uuid":"u","recipient_pub":"k"}"#, Some("k")),
        (r#"{"user_id":"u","found":false,"pubkey":""}"#, None),
    ] {
        assert_eq!(KeyAnswer::read(payload).expect("an answer").pubkey(), key, "{payload}");
    }
    for payload in
        [r#"{"users":["u"]}"#, r#"{"online_users":["u"]}"#, r#"{"users":[{"user_id":"u","meta":{}}]}"#]
    {
        let names = Names::read(payload).expect("names");
        assert_eq!(names.users().first().and_then(|user| user.id()), Some("u"), "{payload}");
    }
    assert_eq!(Complaint::read(r#"{"code":"X","message":"m"}"#).expect("an error").detail(), "m");
    assert_eq!(Ack::read(r#"{"msg_ref":7}"#).expect("an ack").msg_ref.as_deref(), Some("7"));
    for (payload, wrapped) in [
        (r#"{"shares":[{"member":"m","wrapped_public_channel_key":"w"}],"creator_pub":"k"}"#, Some("w")),
        (r#"{"shares":[{"member":"m","wrapped":"w"}],"version":2}"#, Some("w")),
        (r#"{"shares":"none"}"#, None),
        (r#"{"shares":[7]}"#, None),
    ] {
        let share = KeyShare::read(payload).expect("a key");
        let first = share.shares().first().and_then(|share| share.wrapped().map(str::to_owned));
        assert_eq!(first.as_deref(), wrapped, "{payload}");
    }
    assert!(KeyShare::read("{}").is_err());
    let update = r#"{"version":"7","wraps":[{"member_id":"m","wrapped_key":"w"},{}]}"#;
    let update = ChannelUpdate::read(update).expect("a key");
    let wraps: Vec<_> = update.wraps.iter().map(|wrap| (wrap.member(), wrap.wrapped())).collect();
    assert_eq!((update.version, wraps), (Some(7), vec![(Some("m"), Some("w")), (None, None)]));
}

#[test]
fn names_of_users_are_bounded_and_never_words_of_the_protocol() {
    for name in ["a", "Alice", "local-hero", "3e81ec8a-f6c3-49bd-94d0-ca2f9d0b0c43", "é".repeat(64).as_str()]
    {
        assert!(is_user_name(name), "{name}");
    }
    for wrong in ["", "*", "public", "local", "a\nb", "\u{7f}", "é".repeat(65).as_str()] {
        assert!(!is_user_name(wrong), "{wrong}");
    }
}
