//! What is made of what a neighbour says.

use super::*;

fn up() -> House {
    let mut house = House::answering(known());
    house.hear(&usual(theirs()));
    house.seen();
    house
}

fn told(house: &mut House) -> Vec<String> {
    match house.seen().into_iter().next() {
        Some(Output::Tell(News::Whole(residents))) => {
            residents.iter().map(|resident| resident.public_key.to_string()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_are_read_in_every_shape() {
    let mut house = up();
    let spellings = [ours().public().canonical_pem(), theirs().public().column_pem()];
    let [one, two] = &spellings;
    let shapes = [
        json!({"type": "client_update", "clients": [one, two, one]}),
        json!({"type": "client_update", "hostname": "x", "clients": [{"client-id": 1, "public-key": one}, {"public_key": two, "more": []}]}),
    ];
    for shape in shapes {
        house.hear(&shape.to_string());
        let mut keys = told(&mut house);
        keys.sort_by_key(|key| key != one);
        assert_eq!(keys, spellings, "exactly as they were written");
    }
    let rest = [
        json!("ABCDEF"),
        json!(1),
        json!(null),
        json!([[]]),
        json!({}),
        json!({"public_key": 1}),
        json!(1.5),
    ];
    for entry in rest {
        house.hear(&json!({"type": "client_update", "clients": [one, entry]}).to_string());
        let seen = house.seen();
        let [Output::Tell(News::Whole(members)), Output::Note(Violation::Malformed)] = &seen[..] else {
            panic!("{entry}: {seen:?}")
        };
        assert_eq!((members.len(), members[0].key), (1, ours().public().id()));
        assert_eq!(members[0].spelled, KeyId(sha256(one.as_bytes())));
    }
    for wrong in [r#"{"type":"client_update"}"#, r#"{"type":"client_update","clients":{}}"#] {
        house.hear(wrong);
        assert!(matches!(house.seen()[..], [Output::Note(Violation::Malformed)]), "{wrong}");
    }
    let many = vec!["x"; wire::MOST_MEMBERS + 1];
    house.hear(&json!({"type": "client_update", "clients": many}).to_string());
    assert_eq!(house.ending(), Some(Ending::Violated(Violation::TooManyMembers)));
}

#[test]
fn letters_are_handed_on_and_say_whom_they_claim_to_be_from() {
    let mut house = up();
    let digest = sha256(b"somebody");
    let signed = |data: Value| {
        json!({"type": "signed_data", "data": data.to_string(), "counter": 1, "signature": "AAAA"})
            .to_string()
    };
    let hex = KeyId(digest).hex();
    let claims = [
        (STANDARD.encode(digest), Some(KeyId(digest))),
        (STANDARD.encode(&hex), Some(KeyId(digest))),
        (hex, Some(KeyId(digest))),
        ("nobody".to_owned(), None),
    ];
    for (claim, author) in claims {
        let frame = signed(json!({"type": "public_chat", "sender": claim, "message": "hi"}));
        house.step(Input::Frame(Frame::Binary(frame.clone().into_bytes().into())));
        let seen = house.seen();
        let [Output::Route(letter)] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((letter.author, letter.from), (Author::Claimed(author), Origin::Home(HOME)));
        assert_eq!(letter.audience, Audience::Everyone);
        assert_eq!(letter.original, Frame::Text(frame.into()), "as text");
    }
    let chat = |count: usize| {
        let homes = vec!["10.0.0.1:80"; count];
        signed(
            json!({"type": "chat", "destination_servers": homes, "symm_keys": homes, "iv": "", "chat": ""}),
        )
    };
    house.hear(&chat(2));
    assert!(matches!(&house.seen()[..], [Output::Route(letter)] if letter.author == Author::Claimed(None)));
    house.hear(&chat(3));
    assert!(matches!(house.seen()[..], [Output::Note(Violation::TooManyRecipients)]));
    let key = theirs().public().canonical_pem();
    let others = [
        (signed(json!({"type": "hello", "public_key": key})), Violation::OutOfOrder),
        (json!({"type": "client_list_request"}).to_string(), Violation::OutOfOrder),
        (json!({"type": "client_list", "servers": []}).to_string(), Violation::Malformed),
        (
            json!({"data": {"type": "public_chat", "sender": "x", "message": "y"}}).to_string(),
            Violation::Malformed,
        ),
        ("ACK: thanks".to_owned(), Violation::Malformed),
    ];
    for (frame, violation) in others {
        house.hear(&frame);
        assert!(matches!(house.seen()[..], [Output::Note(noted)] if noted == violation), "{frame}");
    }
    house.hear(r#"{"type":"client_update_request"}"#);
    assert!(matches!(house.seen()[..], [Output::WantList]));
}

#[test]
fn a_client_is_no_server_whatever_it_says() {
    let terms = terms(true);
    let key: &PublicKey = theirs().public();
    let frames = [
        json!({"type": "signed_data", "data": {"type": "hello", "public_key": key.canonical_pem(), "x": "server_hello"}, "counter": 1, "signature": ""}),
        json!({"type": "signed_data", "data": {"type": "hello", "public_key": "server_hello"}, "counter": 1, "signature": ""}),
        json!({"type": "client_update_request", "x": "server_hello"}),
        json!({"data": {"type": "hello", "public_key": "ABCDEF"}}),
        json!({"type": "signed_data", "data": {"type": "server_hello", "sender": ""}, "counter": 1, "signature": ""}),
        json!({"type": "signed_data", "data": {"type": "server_hello", "sender": "x".repeat(256)}, "counter": 1, "signature": ""}),
    ];
    for frame in frames {
        assert!(!is_server(&Frame::Text(frame.to_string().into()), &terms), "{frame}");
    }
}
