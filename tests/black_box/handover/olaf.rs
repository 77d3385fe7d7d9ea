//! OLAF: sealed letters and public ones between members of the home.

use kith::client::{person::PersonId, voice::Say};

use super::{
    Scene,
    talker::{Talker, once_and_in_order},
};

/// Every second letter is sealed for these.
fn mixed(author: &'static str, to: Vec<PersonId>) -> impl Fn(usize) -> Say {
    move |number| match number % 2 {
        0 => Say::Public(format!("{author} {number}")),
        _ => Say::Private(to.clone(), format!("{author} {number}")),
    }
}

#[actix_web::test]
async fn every_letter_that_was_accepted_is_heard_once_by_everybody() {
    let scene = Scene::of(2, &[]).await;
    let door = scene.door();
    let people = [0, 1, 2].map(|person| Talker::olaf(&door, person));
    let [anna, ben, carl] = &people;
    for one in &people {
        one.meets(&door, &[anna, ben, carl]).await;
    }
    let to = |others: [&Talker; 2]| others.map(|other| other.id.clone()).to_vec();
    let authors = [("anna", anna, to([ben, carl])), ("ben", ben, to([anna, carl]))];
    let writers = authors.clone().map(|(name, author, to)| author.writes(mixed(name, to)));
    carl.hears_so_many(60).await;
    let next = scene.other();
    scene.hands_over(next).await;
    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await.expect("a writer"));
    }
    scene.is_served_by(next).await;
    let door = scene.home.nodes[next].main.url();
    for one in &people {
        one.meets(&door, &[anna, ben, carl]).await;
    }
    // What each author knows to be accepted came back to it before its connection ended.
    let accepted = [anna.echoes(), ben.echoes()];
    for ((name, author, to), from) in authors.clone().into_iter().zip(&written) {
        let letter = mixed(name, to);
        for number in *from + 1..*from + 5 {
            author.says(letter(number)).await.expect("a letter that is sent");
        }
    }
    for ((name, author, _), (before, from)) in authors.iter().zip(accepted.into_iter().zip(&written)) {
        let last = format!("{name} {}", from + 4);
        let others: Vec<&Talker> = people.iter().filter(|one| one.id != author.id).collect();
        for other in &others {
            other.hears(&last).await;
            let heard = other.heard_all_of(author);
            once_and_in_order(&heard);
            other.saw_nothing_wrong();
            assert_eq!(heard.len(), before + 4, "of what {name} wrote, {other:?} has heard {heard:?}");
            assert_eq!(heard[..before], others[0].heard_all_of(author)[..before]);
            for (at, text) in heard[..before].iter().enumerate() {
                assert_eq!(*text, format!("{name} {at}"), "nothing is left out before the first that is");
            }
        }
        assert!(before >= 20, "{name} wrote {before}");
    }
    people.iter().for_each(Talker::saw_nothing_wrong);
}
