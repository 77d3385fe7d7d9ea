//! `compose.yaml` as it is, on a real engine: three containers that talk, lose each other and find each
//! other again by themselves.
//!
//! The image is the last stage of the `Dockerfile` around a program built here, because no other image
//! can be had everywhere. The engine is the one at hand, or one of the test's own that is gone with it.
//! Where there can be none, the test says so and counts as passed; with `KITH_TEST_COMPOSE=required` it
//! fails.

mod engine;
mod image;
mod person;
mod trio;

use std::{env, io::Write as _};

use engine::Engine;
use person::Person;
use trio::Trio;

/// Says something although the test passes.
fn say(text: &str) {
    // Unlike `eprintln`, this is not caught by the test harness. There is nobody to tell if it fails.
    let _ = writeln!(std::io::stderr(), "compose: {text}");
}

/// Says why there are no containers to test, unless somebody insists on them.
fn skip(why: &str) {
    let required = env::var("KITH_TEST_COMPOSE").is_ok_and(|wish| wish == "required");
    assert!(!required, "no container can be run: {why}");
    say(&format!("SKIPPED, because no container can be run: {why}"));
}

#[test]
fn three_containers_keep_each_other() {
    let engine = match Engine::at_hand() {
        Ok(engine) => engine,
        Err(why) => return skip(&why),
    };
    say(&format!("containers run on {engine}; the static program is built first, which takes minutes once"));
    let image = match image::build(&engine) {
        Ok(image) => image,
        Err(why) => return skip(&why),
    };
    let trio = Trio::up(&engine, &image);
    trio.is_confined();
    trio.all_linked();

    let folder = tempfile::tempdir().expect("a folder");
    let sit_down =
        |name, server| Person::sit_down(&engine, &image.program, &trio.door(server), folder.path(), name);
    let [mut anna, mut ben, mut cara] =
        [sit_down("anna", "north"), sit_down("ben", "east"), sit_down("cara", "south")];
    everybody_talks(&mut [&mut anna, &mut ben, &mut cara]);
    ben.types(&format!("/tell {} the key is under the mat", anna.short));
    assert!(anna.reads("under the mat").starts_with(&format!("{} (private)", ben.short)));

    say("one is paused");
    trio.pause("south");
    goes_and_comes(&trio, [&mut anna, &mut ben], &mut cara, || trio.unpause("south"));
    say("one is disconnected");
    trio.disconnect("east");
    goes_and_comes(&trio, [&mut anna, &mut cara], &mut ben, || trio.connect("east"));
    say("one is killed");
    trio.kill("north");
    everybody_talks(&mut [&mut ben, &mut cara]);
    trio.all_linked();
    everybody_talks(&mut [&mut anna, &mut ben, &mut cara]);

    assert!(!cara.leaves().contains("under the mat"), "she reads what was whispered to anna");
    drop((anna, ben));
    trio.stops_in_order();
}

/// Somebody's server is out of reach: the others talk, and know that nobody is there. It comes back, and
/// everything is as before without a hand being moved.
fn goes_and_comes(trio: &Trio<'_>, here: [&mut Person; 2], away: &mut Person, back: impl Fn()) {
    let [one, other] = here;
    everybody_talks(&mut [one, other]);
    one.sees_without(away);
    other.sees_without(away);
    everybody_talks(&mut [one, other]);
    back();
    trio.all_linked();
    everybody_talks(&mut [one, other, away]);
}

/// Each of them finds the others in her list, and says something that all others read.
fn everybody_talks(people: &mut [&mut Person]) {
    let shorts: Vec<String> = people.iter().map(|person| person.short.clone()).collect();
    for person in people.iter_mut() {
        person.sees(&shorts);
    }
    for speaker in 0..people.len() {
        let line = people[speaker].says_something();
        for (at, listener) in people.iter_mut().enumerate() {
            if at != speaker {
                listener.reads(&format!("{}: {line}", shorts[speaker]));
            }
        }
    }
}
