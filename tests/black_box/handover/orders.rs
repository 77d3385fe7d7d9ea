//! Orders of operators while a hand-over is under way: what was answered as done is done at the next node, and what
//! was not is refused in words.

use actix_web::{http::Method, rt::spawn};
use serde_json::{Value, json};

use super::{Scene, locks::Lock};
use crate::{app::in_time, voices::Guest};

/// What became of orders that were given without a pause.
#[derive(Debug, Default)]
struct Given {
    done: Vec<String>,
    refused: usize,
}

/// Bans one name after the other until nobody is there who would answer.
async fn bans(url: String, token: String) -> Given {
    let client = awc::Client::default();
    let mut given = Given::default();
    for number in 0.. {
        let name = format!("somebody-{number}");
        let request = client.post(&url).bearer_auth(&token);
        // The old node goes.
        let Ok(mut answer) = request.send_json(&json!({"name": name})).await else { return given };
        match answer.status().as_u16() {
            201 => given.done.push(name),
            503 => {
                let Ok(problem) = answer.json::<Value>().await else { return given };
                if problem["type"] == "/problems/standby" {
                    return given;
                }
                assert_eq!(problem["type"], "/problems/handing_over", "{problem}");
                assert!(answer.headers().contains_key("retry-after"));
                given.refused += 1;
            }
            other => panic!("{other}: {:?}", answer.body().await),
        }
    }
    given
}

#[actix_web::test]
async fn what_was_answered_as_done_is_done_at_the_next_node() {
    let scene = Scene::of(2, &[]).await;
    let (leader, next) = (scene.leader(), scene.other());
    let mut anna = Guest::enter(leader, "anna", "garden").await;
    let mut ben = Guest::enter(leader, "ben", "garden").await;
    for line in ["one", "two", "three"] {
        anna.say(line).await;
        ben.hears_until(line).await;
    }
    let candidate = scene.apps[next].as_ref().expect("a node");
    let given = spawn(bans(format!("http://{}/api/v1/bans", leader.admin), leader.token.clone()));
    in_time("some bans", async { while leader.bans().await.len() < 10 {} }).await;
    // The end of the hand-over waits until every kind of order was given while the house holds still.
    let lines = leader.get("/api/v1/rooms/garden/history").await;
    let ids: Vec<&str> = lines["items"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["id"].as_str().expect("an id"))
        .collect();
    let room = |rest: &str| format!("/api/v1/rooms/garden/{rest}");
    let topic = leader.api_with(Method::PUT, &room("topic"), &json!({"topic": "flowers"})).await;
    assert_eq!(topic.status, 204, "{topic:?}");
    let roster = leader.get("/api/v1/rooms/garden").await["roster"].clone();
    let mute = format!("/api/v1/mutes/{}", roster[1]["member"].as_str().expect("a member"));
    let muted = leader.api(Method::PUT, &mute).await;
    assert_eq!(muted.status, 204, "{muted:?}");
    let withdrawn = leader.api(Method::DELETE, &room(&format!("history/{}", ids[1]))).await;
    assert_eq!(withdrawn.status, 204, "{withdrawn:?}");
    let lock = Lock::of(candidate).await;
    scene.has_news("guest").await;
    scene.hands_over(next).await;
    scene.holds_still().await;
    for (method, path) in [
        (Method::PUT, room("topic")),
        (Method::DELETE, mute),
        (Method::DELETE, room(&format!("history/{}", ids[0]))),
    ] {
        let answer = leader.api_with(method, &path, &json!({"topic": "stones"})).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (503, &json!("/problems/handing_over")),
            "{path}"
        );
    }
    lock.ends().await;
    let new = scene.is_served_by(next).await;
    let given = given.await.expect("orders");
    assert!(given.done.len() >= 10 && given.refused >= 1, "{given:?}");
    let page = new.get("/api/v1/bans?limit=1000").await;
    let mut banned: Vec<&str> = page["items"]
        .as_array()
        .expect("bans")
        .iter()
        .map(|ban| ban["value"].as_str().expect("a name"))
        .collect();
    banned.sort_unstable();
    let mut done: Vec<&str> = given.done.iter().map(String::as_str).collect();
    done.sort_unstable();
    assert_eq!(banned, done, "what was refused is not in force, and what was done is");
    let garden = new.get("/api/v1/rooms/garden").await;
    assert_eq!(garden["topic"], "flowers", "{garden}");
    let mut ben = Guest::enter(new, "ben", "garden").await;
    let said: Vec<_> = ben.history.iter().filter(|line| line.starts_with("anna: ")).collect();
    assert_eq!(said, ["anna: one", "anna: three"], "{:?}", ben.history);
    ben.say("may I say something?").await;
    let mut anna = Guest::enter(new, "anna", "garden").await;
    anna.say("he may not").await;
    assert_eq!(anna.hears_until("he may not").await, [("anna".to_owned(), "he may not".to_owned())]);
}
