//! Homes that move while people talk: whoever chats, and whoever is a neighbour, finds the node that serves.

use std::path::Path;

use super::{
    home::{Home, all_follow, all_hold, app, serving},
    place::Place,
};
use crate::{app::App, person::Person, voices::Guest};

/// Two people of one dialect who know each other, sitting at a door.
fn pair(words: &[&[&str]; 2], door: &str, folder: &Path, names: [&str; 2]) -> [Person; 2] {
    let mut first = Person::speaking(words[0], door, folder, names[0]);
    first.reads("* nobody else is here");
    let mut second = Person::speaking(words[1], door, folder, names[1]);
    second.reads(&format!("* here: {}", first.short));
    first.reads(&format!("* joined: {}", second.short));
    [first, second]
}

/// Both say something and read it of each other.
fn both_talk([first, second]: &mut [Person; 2], when: &str) {
    first.types(&format!("one {when}"));
    assert_eq!(second.reads(&format!("one {when}")), format!("{}: one {when}", first.short));
    second.types(&format!("two {when}"));
    assert_eq!(first.reads(&format!("two {when}")), format!("{}: two {when}", second.short));
}

/// Waits until so many clients are present.
async fn are_present(app: &App, clients: usize) {
    app.until("/api/v1/clients", |answer| {
        answer.status == 200 && answer.json()["items"].as_array().is_some_and(|items| items.len() == clients)
    })
    .await;
}

#[actix_web::test]
async fn whoever_chats_finds_the_next_node_of_a_home_by_herself() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let (door, folder) = (home.nodes[first].main.url(), tempfile::tempdir().expect("a folder"));
    let (olaf, socp) = (["--dialect", "olaf"], ["--dialect", "socp"]);
    let guest = |nick| ["--dialect", "tpacket", "--nick", nick, "--room", "garden"];
    let mut pairs = [
        pair(&[&olaf, &olaf], &door, folder.path(), ["anna", "ben"]),
        pair(&[&socp, &socp], &door, folder.path(), ["carl", "dora"]),
        pair(&[&guest("emil"), &guest("fay")], &door, folder.path(), ["emil", "fay"]),
    ];
    are_present(app(&apps, first), 6).await;
    pairs.iter_mut().for_each(|pair| both_talk(pair, "before"));
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM room_lines WHERE text LIKE '% before'", "2").await;

    let folder_of_first = apps[first].take().expect("a node").kill();
    let second = serving(&apps).await;
    let next = home.nodes[second].main.url();
    for person in pairs.iter_mut().flatten() {
        person.reads(&format!("* this home is served at {next} now"));
        person.reads(&format!("* connected to {next}"));
    }
    are_present(app(&apps, second), 6).await;
    pairs.iter_mut().for_each(|pair| both_talk(pair, "between"));

    // The next end is planned, and whoever serves then may be the node that was the first.
    apps[first] = Some(home.start(first, folder_of_first, &[]));
    all_follow(&apps, second).await;
    app(&apps, second).signal("TERM");
    let mut ended = apps[second].take().expect("a node");
    assert!(ended.wait().success(), "{}", ended.log());
    let last = serving(&apps).await;
    let door = home.nodes[last].main.url();
    for person in pairs.iter_mut().flatten() {
        person.reads(&format!("* connected to {door}"));
    }
    are_present(app(&apps, last), 6).await;
    pairs.iter_mut().for_each(|pair| both_talk(pair, "after"));
}

#[actix_web::test]
async fn whoever_sits_down_at_a_node_that_stands_by_is_led_to_the_one_that_serves() {
    let home = Home::of(3, None);
    let apps = home.start_all();
    let first = serving(&apps).await;
    let other = (first + 1) % 3;
    let door = home.nodes[first].main.url();
    app(&apps, other).until_served_at(&door).await;
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["--dialect", "tpacket", "--nick", "anna"];
    let mut anna = Person::speaking(&words, &home.nodes[other].main.url(), folder.path(), "anna");
    anna.reads("* nobody else is here");
    let seen = anna.leaves(0).join("\n");
    assert!(seen.contains(&format!("* connected to {door} ")), "{seen}");
    assert!(!seen.contains("trying again"), "nobody waits: {seen}");
}

#[actix_web::test]
async fn a_planned_end_loses_nothing_that_was_said() {
    let home = Home::of(3, None);
    let mut apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let (door, folder) = (home.nodes[first].main.url(), tempfile::tempdir().expect("a folder"));
    let guest = |nick| ["--dialect", "tpacket", "--nick", nick, "--room", "garden"];
    let [mut anna, mut ben] = pair(&[&guest("anna"), &guest("ben")], &door, folder.path(), ["anna", "ben"]);
    for number in 0..100 {
        anna.types(&format!("line {number}."));
        if number == 40 {
            ben.reads("line 10.");
            app(&apps, first).signal("TERM");
        }
    }
    let mut old = apps[first].take().expect("a node");
    assert!(old.wait().success(), "{}", old.log());
    let second = serving(&apps).await;
    let next = home.nodes[second].main.url();
    for person in [&mut anna, &mut ben] {
        person.reads(&format!("* connected to {next}"));
    }
    are_present(app(&apps, second), 2).await;
    anna.types("the end");
    ben.reads("anna: the end");
    let newcomer = Guest::enter(app(&apps, second), "carl", "garden").await;
    let read = ben.leaves(0);
    let read: Vec<_> = read.iter().filter_map(|line| line.find("anna: ").map(|at| &line[at..])).collect();
    assert_eq!(read, newcomer.history, "each line once, and in its order");
    assert!(newcomer.history.len() > 10, "{:?}", newcomer.history);
    anna.types("/quit");
}

#[actix_web::test]
async fn a_neighbour_that_knows_one_door_finds_the_node_that_serves() {
    let home = Home::of(3, None);
    let mut apps = home.start_all_with(&[("NEIGHBOURHOOD__ADMIT", "anyone")]);
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    let (place, main) = (Place::new(1), &home.nodes[first].main);
    let line = format!("{} key={}", main.url(), main.key());
    let outside = [Some(place.open(&[("NEIGHBOURHOOD__PEERS", line.as_str())]))];
    let neighbour = app(&outside, 0);
    neighbour.until_up(1).await;
    let before = neighbour.neighbours().await;
    let mut anna = Guest::enter(neighbour, "anna", "den").await;
    let mut ben = Guest::enter(app(&apps, first), "ben", "den").await;
    ben.sees(&["anna", "ben"]).await;
    anna.sees(&["anna", "ben"]).await;
    anna.say("before").await;
    ben.hears_until("before").await;
    // The other nodes know of the neighbour what the first one does, and it knows of their doors.
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM peers WHERE seen_key IS NOT NULL", "1").await;
    all_hold(&apps, "SELECT CAST(count(*) AS TEXT) FROM room_lines", "1").await;
    all_hold(&outside, "SELECT CAST(count(*) AS TEXT) FROM peers WHERE doors LIKE 'ws://% ws://%'", "1")
        .await;

    drop(apps[first].take().expect("a node").kill());
    let second = serving(&apps).await;
    neighbour.until_up(1).await;
    let after = neighbour.neighbours().await;
    for part in ["id", "url", "key"] {
        assert_eq!(before[0][part], after[0][part], "the same home: {after:?}");
    }
    let mut carl = Guest::enter(app(&apps, second), "carl", "den").await;
    assert_eq!(carl.history, ["anna: before"]);
    carl.sees(&["anna", "carl"]).await;
    anna.sees(&["anna", "carl"]).await;
    anna.say("after").await;
    carl.hears_until("after").await;
    carl.say("I heard you").await;
    anna.hears_until("I heard you").await;
}
