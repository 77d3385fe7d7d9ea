//! A conversation as people have it, for the picture in the README: `KITH_TEST_SHOTS=docs ./test browser a_picture` makes
//! docs/chat.png anew. Whether there is a picture or not, it is checked that names stay where they were given.

use serde_json::json;

use crate::{app::App, person::Person, stage::Stage, talk::page, visitor::Visitor};

/// Gives somebody a name of one's own, in the window that tells who she is.
async fn names(visitor: &Visitor, other: &str, name: &str) {
    visitor.turns_to(other).await;
    visitor.clicks("#about-person").await;
    visitor.types("#name", name).await;
    visitor.clicks("#name-form button").await;
    let closed = "return !document.querySelector('#person').open";
    visitor.until("the window closes", closed, &[], |is: &bool| *is).await;
    visitor.goes_to("public").await;
}

#[actix_web::test]
async fn a_picture_of_people_who_know_each_other() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::with(&[("SERVER__NAME", "Garden Street")]);
    let folder = tempfile::tempdir().expect("a folder");
    let door = format!("ws://{}", app.listen);
    let anna = stage.visitor(&page(&app)).await;
    let size = json!({"width": 1100, "height": 700, "deviceScaleFactor": 1, "mobile": false});
    anna.browser.tool("Emulation.setDeviceMetricsOverride", size).await;
    let light = json!({"features": [{"name": "prefers-color-scheme", "value": "light"}]});
    anna.browser.tool("Emulation.setEmulatedMedia", light).await;
    let ben = stage.visitor(&page(&app)).await;
    let mut carl = Person::at(&door, folder.path(), "carl");
    let carls = anna.fingerprint_of(&carl.short).await;
    let words = ["--dialect", "tpacket", "--nick", "dora", "--room", "allotments"];
    let mut dora = Person::speaking(&words, &door, folder.path(), "dora");
    names(&anna, &ben.fingerprint, "ben").await;
    names(&anna, &carls, "carl").await;

    anna.enters("allotments").await;
    dora.types("The water is on again, mind the tap by the gate.");
    anna.reads("The water is on again, mind the tap by the gate.").await;
    anna.goes_to("public").await;
    ben.says("Morning! Is the bake sale still on for Saturday?").await;
    anna.reads("Morning! Is the bake sale still on for Saturday?").await;
    anna.says("It is. Ten o'clock, under the lime tree.").await;
    carl.reads("lime tree");
    carl.types("I bring the big table. From my terminal, as ever.");
    anna.reads("I bring the big table. From my terminal, as ever.").await;
    ben.reads("I bring the big table. From my terminal, as ever.").await;
    ben.says("Then I bring two cakes, and the list:\u{e008}\u{e007}\u{e000}one with plums, one without anything a nut has ever touched.").await;
    let plums =
        "Then I bring two cakes, and the list:\none with plums, one without anything a nut has ever touched.";
    let line = anna.reads(plums).await;
    assert_eq!(line.name, "ben");
    anna.says("Perfect. Last year's plan is at https://example.org/bake-sale if somebody wants to look.")
        .await;
    carl.types(&format!("/tell {} shall I fetch your chairs, too?", &anna.fingerprint[..12]));
    anna.waits_for_unread("private:").await;
    dora.types("And somebody left a blue watering can at number 7.");
    anna.waits_for_unread("room:allotments").await;
    anna.shows("chat.png").await;

    // Who has a name has it when the page is loaded again, too.
    anna.browser.driven.refresh().await.expect("the page");
    let anna = anna.comes_online().await;
    let script =
        "return document.querySelector(`#members li[data-fingerprint='${arguments[0]}']`)?.textContent ?? ''";
    for (other, name) in [(&ben.fingerprint, "ben"), (&carls, "carl")] {
        anna.until(name, script, &[json!(other)], |shown: &String| shown.contains(name)).await;
    }
    anna.leaves().await;
    ben.leaves().await;
}
