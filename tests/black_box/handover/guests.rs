//! Members who share no code with us: they write while a home moves, and follow the words with which they are closed.

use actix_web::rt::task::spawn_blocking;

use super::Scene;
use crate::peers::run;

#[actix_web::test]
async fn programs_of_others_follow_the_home_and_lose_nothing() {
    let scene = Scene::of(2, &[]).await;
    let (leader, next) = (scene.leader(), scene.other());
    let (url, admin, to) = (scene.door(), leader.admin.clone(), format!("node-{next}"));
    // It may begin with a dash.
    let token = format!("--token={}", leader.token);
    let suite = spawn_blocking(move || {
        run("handover_suite.py", &["--url", &url, "--admin", &admin, &token, "--to", &to]);
    });
    suite.await.expect("a thread");
    scene.is_served_by(next).await;
}
