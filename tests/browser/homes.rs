//! A home of several nodes: the page is at the door of the one that serves, whichever was typed, and moves over by itself.

use actix_web::http::Method;

use crate::{
    app::App,
    neighbourhood::home::{Home, all_follow, app, hand_over, serving},
    person::Person,
    stage::Stage,
    talk::page,
    visitor::Visitor,
};

/// What a browser says of a node that is gone, or stands by.
const GONE: [&str; 4] =
    ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket connection to", "503 (Service Unavailable)"];

/// How many lines there are of which nobody knows whether the server has taken them.
const UNSETTLED: &str =
    "return document.querySelectorAll('#log li[data-own]:not([data-state=taken])').length";

/// A home of three, of which one serves and all know it.
async fn three() -> (Home, Vec<Option<App>>, usize) {
    let home = Home::of(3, None);
    let apps = home.start_all();
    let first = serving(&apps).await;
    all_follow(&apps, first).await;
    (home, apps, first)
}

/// Says these while another node is told to serve.
async fn says_meanwhile(anna: &Visitor, lines: &[String], apps: &[Option<App>], to: usize) {
    let (before, after) = lines.split_at(lines.len() / 3);
    for line in before {
        anna.says(line).await;
    }
    let rest = async {
        for line in after {
            anna.says(line).await;
        }
    };
    tokio::join!(rest, hand_over(apps, to));
}

/// Both are there and read each other.
async fn both_talk(anna: &Visitor, ben: &Visitor, when: &str) {
    for (one, other) in [(anna, ben), (ben, anna)] {
        other.knows(&one.fingerprint).await;
        let text = format!("{} {when}", &one.fingerprint[..4]);
        one.says(&text).await;
        other.reads_of(&one.fingerprint, &text).await;
    }
}

/// No line stands anywhere twice.
async fn has_no_line_twice(visitor: &Visitor) {
    let mut texts = visitor.texts().await;
    let all = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all, "{:#?}", visitor.texts().await);
}

#[actix_web::test]
async fn a_page_moves_over_when_a_home_is_handed_over() {
    let Some(stage) = Stage::enter().await else { return };
    let (home, apps, first) = three().await;
    let second = (first + 1) % 3;
    let anna = stage.visitor(&page(app(&apps, first))).await;
    let ben = stage.visitor(&page(app(&apps, first))).await;
    anna.comes_to(&home.nodes[first].main.url()).await;
    both_talk(&anna, &ben, "before").await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut carl = Person::at(&home.nodes[first].main.url(), folder.path(), "carl");
    anna.turns_to(&ben.fingerprint).await;
    anna.says("in private before").await;
    ben.waits_for_unread("private:").await;
    anna.goes_to("public").await;
    anna.types("#say", "half a sentence").await;

    hand_over(&apps, second).await;
    let next = home.nodes[second].main.url();
    anna.comes_to(&next).await;
    ben.comes_to(&next).await;
    assert_eq!(anna.value("#say").await, "half a sentence");
    for visitor in [&anna, &ben] {
        let me: String = visitor.asks("return document.querySelector('#me').dataset.fingerprint", &[]).await;
        assert_eq!(me, visitor.fingerprint);
    }
    carl.reads(&format!("* connected to {next}"));
    ben.knows(&anna.fingerprint).await;
    anna.says(" and the rest of it").await;
    ben.reads_of(&anna.fingerprint, "half a sentence and the rest of it").await;
    carl.reads("and the rest of it");
    both_talk(&anna, &ben, "after").await;
    ben.goes_to("private:").await;
    assert_eq!(ben.texts().await, ["in private before"]);
    ben.says("in private after").await;
    anna.waits_for_unread("private:").await;
    anna.goes_to("private:").await;
    assert_eq!(anna.texts().await, ["in private before", "in private after"]);

    // And back again, by which the page is at the door that was typed.
    all_follow(&apps, second).await;
    hand_over(&apps, first).await;
    let back = home.nodes[first].main.url();
    anna.comes_to(&back).await;
    ben.comes_to(&back).await;
    for visitor in [&anna, &ben] {
        visitor.goes_to("public").await;
    }
    both_talk(&anna, &ben, "once more").await;
    has_no_line_twice(&anna).await;
    has_no_line_twice(&ben).await;
    anna.leaves_after(&GONE).await;
    ben.leaves_after(&GONE).await;
}

#[actix_web::test]
async fn a_planned_hand_over_loses_no_line_and_doubles_none() {
    let Some(stage) = Stage::enter().await else { return };
    let (home, apps, first) = three().await;
    let second = (first + 1) % 3;
    let anna = stage.visitor(&page(app(&apps, first))).await;
    let ben = stage.visitor(&page(app(&apps, first))).await;
    for visitor in [&anna, &ben] {
        visitor.enters("garden").await;
    }
    let lines: Vec<String> = (0..45).map(|number| format!("line {number}")).collect();
    says_meanwhile(&anna, &lines, &apps, second).await;
    let next = home.nodes[second].main.url();
    anna.comes_to(&next).await;
    ben.comes_to(&next).await;
    for visitor in [&anna, &ben] {
        visitor.reads("line 44").await;
        visitor.reads_of(&anna.fingerprint, "line 44").await;
    }
    for visitor in [&anna, &ben] {
        assert_eq!(visitor.texts().await, lines, "each line once, and in its order");
    }
    // Who was not there in that moment has not heard it: everybody's conversation has no history. But it has an order.
    all_follow(&apps, second).await;
    for visitor in [&anna, &ben] {
        visitor.goes_to("public").await;
    }
    says_meanwhile(&anna, &lines, &apps, first).await;
    for visitor in [&anna, &ben] {
        visitor.comes_to(&home.nodes[first].main.url()).await;
    }
    anna.says("the end").await;
    anna.until("all of it was taken", UNSETTLED, &[], |waiting: &usize| *waiting == 0).await;
    ben.knows(&anna.fingerprint).await;
    anna.says("the very end").await;
    ben.reads("the very end").await;
    let all = [&lines[..], &["the end".to_owned(), "the very end".to_owned()]].concat();
    assert_eq!(anna.texts().await, all);
    let heard = ben.texts().await;
    let places: Vec<_> = heard.iter().map(|text| all.iter().position(|line| line == text)).collect();
    assert!(places.is_sorted_by(|one, next| one < next), "each at most once, and in order: {heard:?}");
    assert!(heard.len() > 10, "{heard:?}");

    let carl = stage.visitor(&page(app(&apps, first))).await;
    carl.enters("garden").await;
    carl.reads("line 44").await;
    assert_eq!(carl.texts().await, lines, "and so it stands in the history");
    for visitor in [anna, ben, carl] {
        visitor.leaves_after(&GONE).await;
    }
}

#[actix_web::test]
async fn a_page_moves_over_when_the_node_that_serves_is_killed() {
    let Some(stage) = Stage::enter().await else { return };
    let (home, mut apps, first) = three().await;
    let anna = stage.visitor(&page(app(&apps, first))).await;
    let ben = stage.visitor(&page(app(&apps, first))).await;
    both_talk(&anna, &ben, "before").await;
    for visitor in [&anna, &ben] {
        visitor.enters("garden").await;
    }
    both_talk(&anna, &ben, "in the garden").await;
    all_follow(&apps, first).await;
    anna.types("#say", "half a sentence").await;
    let folder = apps[first].take().expect("a node").kill();
    ben.says("said on the way").await;
    let second = serving(&apps).await;
    let next = home.nodes[second].main.url();
    anna.comes_to(&next).await;
    ben.comes_to(&next).await;
    anna.reads_of(&ben.fingerprint, "said on the way").await;
    assert_eq!(anna.value("#say").await, "half a sentence");
    anna.says("").await;
    ben.reads_of(&anna.fingerprint, "half a sentence").await;
    has_no_line_twice(&anna).await;
    has_no_line_twice(&ben).await;
    for visitor in [&anna, &ben] {
        visitor.goes_to("public").await;
    }
    both_talk(&anna, &ben, "after").await;
    has_no_line_twice(&anna).await;
    has_no_line_twice(&ben).await;

    // The one that was killed comes back, and now the other one goes: the page knows all doors.
    apps[first] = Some(home.start(first, folder, &[]));
    all_follow(&apps, second).await;
    drop(apps[second].take().expect("a node").kill());
    let third = serving(&apps).await;
    anna.comes_to(&home.nodes[third].main.url()).await;
    ben.comes_to(&home.nodes[third].main.url()).await;
    both_talk(&anna, &ben, "in the end").await;
    anna.leaves_after(&GONE).await;
    ben.leaves_after(&GONE).await;
}

#[actix_web::test]
async fn any_door_of_a_home_brings_one_to_whoever_serves() {
    let Some(stage) = Stage::enter().await else { return };
    let (home, apps, first) = three().await;
    let leader = home.nodes[first].main.url();
    let standby = app(&apps, (first + 1) % 3);
    standby.until_served_at(&leader).await;
    let anna = stage.visitor(&page(standby)).await;
    anna.comes_to(&leader).await;
    let ben = stage.visitor(&page(app(&apps, first))).await;
    both_talk(&anna, &ben, "at two doors").await;
    // Files go where the home is served, too: from a page of another door.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.txt");
    std::fs::write(&path, "the plan").expect("a file");
    anna.types("#attach", path.to_str().expect("a path")).await;
    let script = "return document.querySelector('#log li[data-author] a')?.href ?? ''";
    let link: String = ben.until("a link", script, &[], |link: &String| !link.is_empty()).await;
    assert_eq!(crate::api::ask(Method::GET, &link, None).await.text, "the plan");
    anna.leaves_after(&GONE).await;
    ben.leaves().await;
}
