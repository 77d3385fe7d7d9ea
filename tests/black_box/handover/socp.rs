//! SOCP: signed letters for one user and for the channel, letters that are kept, and files in parts.

use std::collections::BTreeSet;

use kith::{
    client::{
        person::PersonId,
        voice::{Part, Piece, Say},
    },
    crypto::sha256,
};

use super::{
    Scene,
    talker::{Talker, once_and_in_order},
};

fn mixed(author: &'static str, to: PersonId) -> impl Fn(usize) -> Say {
    move |number| match number % 2 {
        0 => Say::Public(format!("{author} {number}")),
        _ => Say::Private(vec![to.clone()], format!("{author} {number}")),
    }
}

#[actix_web::test]
async fn letters_and_files_in_parts_arrive_once_and_in_order() {
    let scene = Scene::of(2, &[]).await;
    let door = scene.door();
    let people = [0, 1, 2].map(|person| Talker::socp(&door, person));
    let [anna, ben, carl] = &people;
    for one in &people {
        one.meets(&door, &[anna, ben, carl]).await;
    }
    let writers = [anna.writes(mixed("anna", ben.id.clone())), ben.writes(mixed("ben", anna.id.clone()))];
    let bytes: Vec<u8> = sha256(b"a picture").repeat(600);
    let mut parts = file("picture", &bytes).into_iter().map(|part| Say::Part(Some(ben.id.clone()), part));
    // Half of the file before the end, and the other half behind it.
    for part in parts.by_ref().take(20) {
        carl.says(part).await.expect("a part that is sent");
    }
    carl.hears_so_many(30).await;
    let next = scene.other();
    scene.hands_over(next).await;
    // Its author cannot know which of these are read, so all of them go again; whoever has one knows it by its number.
    let late: Vec<Say> = parts.collect();
    for part in &late {
        let _ = carl.says(part.clone()).await;
    }
    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await.expect("a writer"));
    }
    scene.is_served_by(next).await;
    let door = scene.home.nodes[next].main.url();
    for one in &people {
        one.meets(&door, &[anna, ben, carl]).await;
    }
    for part in late {
        carl.says(part).await.expect("a part that is sent");
    }
    assert_eq!(ben.receives("picture").await, bytes);
    for ((name, author, other), from) in [("anna", anna, ben), ("ben", ben, anna)].into_iter().zip(written) {
        let letter = mixed(name, other.id.clone());
        for number in from + 1..from + 5 {
            author.says(letter(number)).await.expect("a letter that is sent");
        }
        let mut last = [from + 3, from + 4];
        last.sort_by_key(|number| number % 2);
        other.hears(&format!("{name} {}", last[1])).await;
        for one in [other, carl] {
            one.hears(&format!("{name} {}", last[0])).await;
        }
        let (heard, public) = (other.heard_all_of(author), carl.heard_all_of(author));
        once_and_in_order(&heard);
        once_and_in_order(&public);
        assert_eq!(public, other.heard_of(author, false), "who is in the channel has heard the same");
        let numbers: BTreeSet<usize> = heard.iter().map(|text| number(text)).collect();
        let accepted = numbers.iter().take_while(|number| **number < from).count();
        assert!(accepted >= 10, "{name} wrote {accepted}");
        assert!((0..accepted).all(|number| numbers.contains(&number)), "nothing is left out: {heard:?}");
    }
    people.iter().for_each(Talker::saw_nothing_wrong);
}

fn number(text: &str) -> usize {
    text.rsplit(' ').next().and_then(|last| last.parse().ok()).expect("a number")
}

fn file(name: &str, bytes: &[u8]) -> Vec<Part> {
    let id = uuid::Uuid::new_v4();
    let part = |what| Part { file: id, what };
    let size = u64::try_from(bytes.len()).expect("a size");
    let start = Piece::Start { name: name.to_owned(), size, sha256: sha256(bytes) };
    let chunks = bytes.chunks(440).zip(0..).map(|(chunk, index)| Piece::Chunk(index, chunk.to_vec()));
    std::iter::once(start).chain(chunks).chain([Piece::End]).map(part).collect()
}
