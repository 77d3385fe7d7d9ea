//! The client list: who is told what, when, and at what cost.

use crate::{app::App, client::Client};

#[actix_web::test]
async fn everybody_hears_of_everybody_who_comes_and_goes() {
    let app = App::start();
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::join(&app, 1).await;
    anna.list_with(&ben.pem()).await;
    // Nobody asked, and the newcomer knows whom it found.
    let mut cleo = Client::dial(&app, 2).await;
    cleo.hello().await;
    let keys = cleo.list(|keys| keys.len() == 3).await;
    assert_eq!(keys, [anna.pem(), ben.pem(), cleo.pem()], "in order of arrival");
    ben.socket.close(None).await.expect("a close");
    anna.list_without(&ben.pem()).await;
    cleo.list_without(&ben.pem()).await;
}

#[actix_web::test]
async fn a_member_on_two_devices_is_there_until_the_last_one_leaves() {
    let app = App::start();
    let mut watcher = Client::join(&app, 0).await;
    let mut phone = Client::join(&app, 1).await;
    watcher.list_with(&phone.pem()).await;
    let mut laptop = Client::join(&app, 1).await;
    watcher.say("to both").await;
    phone.hear("to both").await;
    laptop.hear("to both").await;
    phone.socket.close(None).await.expect("a close");
    watcher.send(r#"{"type":"client_list_request"}"#).await;
    watcher.list_with(&laptop.pem()).await;
    laptop.socket.close(None).await.expect("a close");
    watcher.list_without(&phone.pem()).await;
}

#[actix_web::test]
async fn lists_stay_within_their_budget_and_letters_do_not_wait_for_them() {
    // A budget that two lists use up for a second.
    let app = App::with(&[("LIMITS__PRESENCE_BYTES_PER_SECOND", "1000")]);
    let mut anna = Client::join(&app, 0).await;
    let mut ben = Client::dial(&app, 1).await;
    ben.hello().await;
    ben.list_with(&anna.pem()).await;
    for _ in 0..50 {
        anna.send(r#"{"type":"client_list_request"}"#).await;
    }
    ben.say("are you there?").await;
    let mut lists = 0;
    while let Ok(frame) = anna.next().await {
        if frame.contains("are you there?") {
            break;
        }
        lists += 1;
    }
    assert!(lists < 10, "{lists} lists came before the letter");
}

#[actix_web::test]
async fn a_client_may_name_the_accent_it_needs_in_the_url() {
    let app = App::with(&[("OLAF__DETECT_ACCENTS", "false")]);
    let mut plain = Client::join(&app, 0).await;
    let mut numbered = Client::dial_url(&format!("ws://{}/?accent=numbered-list", app.listen), 1).await;
    numbered.hello().await;
    let list: serde_json::Value = serde_json::from_str(&numbered.hear("client_list").await).expect("JSON");
    let client = &list["servers"][0]["clients"][1];
    assert!(client["client-id"].is_u64() && client["public-key"] == numbered.pem(), "{list}");
    assert!(list["servers"][0]["server-id"].is_u64(), "{list}");

    let mut objects = Client::dial_url(&format!("ws://{}/olaf?accent=object-letters", app.listen), 2).await;
    objects.hello().await;
    objects.hear("client_list").await;
    let sent = plain.say("in which shape?").await;
    assert_eq!(numbered.hear("public_chat").await, sent, "as it was sent");
    let frame: serde_json::Value = serde_json::from_str(&objects.hear("public_chat").await).expect("JSON");
    assert_eq!(frame["data"]["message"], "in which shape?", "{frame}");
}
