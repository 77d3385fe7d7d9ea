//! One person in several places: another browser, a terminal, another tab, the same page later.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use serde_json::json;

use crate::{
    app::{App, PATIENCE},
    chromium::LOOK,
    middle::Middle,
    person::Person,
    stage::Stage,
    talk::page,
    visitor::Visitor,
};

/// Saves the key of a visitor into a folder, as only its owner may read it, and says where.
async fn saved(visitor: &Visitor, folder: &Path) -> PathBuf {
    let behaviour = json!({"behavior": "allow", "downloadPath": folder});
    visitor.browser.tool("Browser.setDownloadBehavior", behaviour).await;
    visitor.clicks("#identity-panel summary").await;
    visitor.clicks("#export").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let files: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").flatten().map(|file| file.path()).collect();
        if let [only] = &files[..]
            && only.extension().is_some_and(|ending| ending == "json")
        {
            fs::set_permissions(only, fs::Permissions::from_mode(0o600)).expect("a mode");
            return only.clone();
        }
        assert!(Instant::now() < deadline, "nothing was saved but {files:?}");
        actix_web::rt::time::sleep(LOOK).await;
    }
}

/// Reads a key from a file, and waits until the visitor is whom it makes of her.
async fn becomes(visitor: &mut Visitor, file: &Path, wanted: &str) {
    visitor.types("#import", file.to_str().expect("a path")).await;
    let script =
        "return [document.body.dataset.state, document.querySelector('#me').dataset.fingerprint ?? '']";
    let is = |(state, found): &(String, String)| state == "online" && found.starts_with(wanted);
    let (_, found) = visitor.until(&format!("she is {wanted}"), script, &[], is).await;
    visitor.fingerprint = found;
}

/// Waits until she is somebody else than these, and tells who.
async fn until_somebody_else(visitor: &mut Visitor, not: &[&str]) -> String {
    let script =
        "return [document.body.dataset.state, document.querySelector('#me').dataset.fingerprint ?? '']";
    let is = |(state, found): &(String, String)| state == "online" && !not.contains(&found.as_str());
    let (_, found) = visitor.until(&format!("she is none of {not:?}"), script, &[], is).await;
    visitor.fingerprint.clone_from(&found);
    found
}

#[actix_web::test]
async fn one_person_is_the_same_in_another_browser_and_at_a_terminal() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let anna = stage.visitor(&page(&app)).await;
    let mut other = stage.visitor(&page(&app)).await;
    assert_ne!(anna.fingerprint, other.fingerprint);
    let downloads = folder.path().join("downloads");
    fs::create_dir(&downloads).expect("a folder");
    let file = saved(&anna, &downloads).await;

    // At a terminal.
    let words = |keyring: &Path| {
        let mut command = crate::app::kith();
        command.args(["chat", &format!("ws://{}", app.listen), "--keyring"]).arg(keyring);
        command
    };
    let mut terminal = Person::running(words(&file), "* connected to");
    assert_eq!(terminal.short, anna.fingerprint[..12], "the same person");
    terminal.types("from my terminal");
    other.reads_of(&anna.fingerprint, "from my terminal").await;
    terminal.leaves(0);

    // In another browser, which lets go of who it was.
    becomes(&mut other, &file, &anna.fingerprint).await;
    let nobody = anna.fingerprint.clone();
    anna.browser.driven.goto("about:blank").await.expect("an empty page");
    other.says("from my other browser").await;
    other.reads_of(&nobody, "from my other browser").await;

    // And back: a key that was made at a terminal.
    let ben = Person::at(&format!("ws://{}", app.listen), folder.path(), "ben");
    let short = ben.short.clone();
    ben.leaves(0);
    becomes(&mut other, &folder.path().join("ben.json"), &short).await;
    let mut carl = Person::at(&format!("ws://{}", app.listen), folder.path(), "carl");
    other.says("ben has moved to a browser").await;
    assert_eq!(carl.reads("ben has moved"), format!("{short}: ben has moved to a browser"));

    // What is no key changes nothing.
    let wrong = folder.path().join("wrong.json");
    for text in ["", "{}", "{\"version\":1,\"private_key\":\"-----BEGIN PRIVATE KEY-----\"}", "[1]"] {
        fs::write(&wrong, text).expect("a file");
        other.types("#import", wrong.to_str().expect("a path")).await;
    }
    other.says("I am still ben").await;
    assert_eq!(carl.reads("still ben"), format!("{short}: I am still ben"));
    anna.leaves().await;
    other.leaves().await;
}

/// The keys that she had before, as the page lists them, once they are these.
async fn had(visitor: &Visitor, wanted: &[&str]) {
    let script = "return [...document.querySelectorAll('#earlier option')].map((option) => option.value)";
    let is = |found: &Vec<String>| found.iter().map(String::as_str).eq(wanted.iter().copied());
    visitor.until(&format!("she had {wanted:?}"), script, &[], is).await;
    let is_hidden = "return document.querySelector('#earlier-keys').hidden";
    assert_eq!(visitor.asks::<bool>(is_hidden, &[]).await, wanted.is_empty());
}

/// Chooses one of them.
async fn chooses(visitor: &Visitor, id: &str) {
    visitor.part("#earlier").await.select_by_value(id).await.expect("a key");
}

/// Forgets the one that is chosen, or thinks better of it when the page asks.
async fn forgets(visitor: &Visitor, really: bool) {
    visitor.clicks("#forget").await;
    let driven = &visitor.browser.driven;
    let deadline = Instant::now() + PATIENCE;
    while driven.get_alert_text().await.is_err() {
        assert!(Instant::now() < deadline, "nobody is asked");
        actix_web::rt::time::sleep(LOOK).await;
    }
    let answered = if really { driven.accept_alert().await } else { driven.dismiss_alert().await };
    answered.expect("an answer");
}

/// The keyring of somebody at a terminal.
fn ring(app: &App, folder: &Path, name: &str) -> PathBuf {
    Person::at(&format!("ws://{}", app.listen), folder, name).leaves(0);
    folder.join(format!("{name}.json"))
}

/// A page of earlier days kept one key, under another name. Makes it so, and tells whose key it is.
async fn kept_by_an_earlier_page(visitor: &Visitor) -> String {
    let script = "const { makeKey, identityOf } = await import('/web/identity.js');
        const made = await identityOf(await makeKey());
        const database = await new Promise((resolve) => {
            indexedDB.open('kith').onsuccess = ({ target }) => resolve(target.result);
        });
        await new Promise((resolve) => {
            const writing = database.transaction('self', 'readwrite');
            writing.oncomplete = resolve;
            const table = writing.objectStore('self');
            table.delete('earlier');
            table.put(made.pkcs8, 'before');
        });
        database.close();
        return made.id";
    visitor.asks_in_time(script, &[]).await
}

/// Under which names keys are kept, whatever the page makes of them.
async fn under_which_names(visitor: &Visitor) -> Vec<String> {
    let script = "const database = await new Promise((resolve) => {
            indexedDB.open('kith').onsuccess = ({ target }) => resolve(target.result);
        });
        const names = await new Promise((resolve) => {
            const asked = database.transaction('self').objectStore('self').getAllKeys();
            asked.onsuccess = () => resolve(asked.result);
        });
        database.close();
        return names.filter((name) => !name.startsWith('counter:')).sort()";
    visitor.asks_in_time(script, &[]).await
}

#[actix_web::test]
async fn every_key_that_somebody_had_is_kept_until_she_forgets_it() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let [ben, carl, dora] = ["ben", "carl", "dora"].map(|name| ring(&app, folder.path(), name));
    let mut anna = stage.visitor(&page(&app)).await;
    let first = anna.fingerprint.clone();
    anna.clicks("#identity-panel summary").await;
    had(&anna, &[]).await;
    let oldest = kept_by_an_earlier_page(&anna).await;
    becomes(&mut anna, &ben, "").await;
    until_somebody_else(&mut anna, &[&first]).await;
    let second = anna.fingerprint.clone();
    anna.types("#import", carl.to_str().expect("a path")).await;
    until_somebody_else(&mut anna, &[&first, &second]).await;
    let third = anna.fingerprint.clone();
    had(&anna, &[&second, &first, &oldest]).await;

    // Back to the very first one: nothing is lost, and nothing is kept twice.
    chooses(&anna, &first).await;
    anna.clicks("#restore").await;
    until_somebody_else(&mut anna, &[&second, &third]).await;
    assert_eq!(anna.fingerprint, first);
    had(&anna, &[&third, &second, &oldest]).await;
    anna.types("#import", ben.to_str().expect("a path")).await;
    until_somebody_else(&mut anna, &[&first, &third]).await;
    had(&anna, &[&first, &third, &oldest]).await;
    anna.browser.driven.refresh().await.expect("the page");
    let mut anna = anna.comes_online().await;
    assert_eq!(anna.fingerprint, second);
    had(&anna, &[&first, &third, &oldest]).await;
    anna.clicks("#identity-panel summary").await;
    chooses(&anna, &third).await;
    forgets(&anna, false).await;
    had(&anna, &[&first, &third, &oldest]).await;
    forgets(&anna, true).await;
    had(&anna, &[&first, &oldest]).await;
    // Nothing lies where it would outlive that.
    assert_eq!(under_which_names(&anna).await, ["earlier", "key"]);

    // There is an end to it, and then nobody is pushed out.
    let script = "const [{ Store }, { makeKey, identityOf }, { MOST_EARLIER_KEYS }] =
            await Promise.all(['store', 'identity', 'limits'].map((name) => import(`/web/${name}.js`)));
        const store = await Store.open();
        const own = (await store.keys()).key;
        const used = [];
        for (let at = 2; at < MOST_EARLIER_KEYS; at += 1) used.push(await store.use((await identityOf(await makeKey())).pkcs8));
        return [[...used, await store.use(own)].every(Boolean), (await store.keys()).earlier.length, MOST_EARLIER_KEYS]";
    let (all, count, most): (bool, u32, u32) = anna.asks_in_time(script, &[]).await;
    assert!(all && count == most, "{all} {count} {most}");
    anna.types("#import", dora.to_str().expect("a path")).await;
    let script = "return [...document.querySelectorAll('#log .notice')].map((note) => note.textContent)";
    let full = |notes: &Vec<String>| notes.iter().any(|note| note.contains("earlier keys, and no more"));
    anna.until("there are too many", script, &[], full).await;
    assert_eq!(until_somebody_else(&mut anna, &[&first, &third]).await, second, "she is who she was");
    let script = "const { Store } = await import('/web/store.js');
        return (await (await Store.open()).keys()).earlier.length";
    assert_eq!(anna.asks_in_time::<u32>(script, &[]).await, most);
    // Going back takes no room.
    anna.browser.driven.refresh().await.expect("the page");
    let mut anna = anna.comes_online().await;
    anna.clicks("#identity-panel summary").await;
    chooses(&anna, &first).await;
    anna.clicks("#restore").await;
    assert_eq!(until_somebody_else(&mut anna, &[&second]).await, first);
    anna.leaves().await;
}

#[actix_web::test]
async fn a_page_that_is_loaded_again_is_the_same_person_and_counts_on() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let middle = Middle::before(&app);
    let anna = stage.visitor(&middle.page).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut carl = Person::at(&format!("ws://{}", app.listen), folder.path(), "carl");
    anna.says("the first").await;
    carl.reads("the first");
    anna.browser.driven.refresh().await.expect("the page");
    let before = anna.fingerprint.clone();
    let anna = anna.comes_online().await;
    assert_eq!(anna.fingerprint, before, "the same person");
    anna.says("the second").await;
    assert_eq!(carl.reads("the second"), format!("{}: the second", &before[..12]));
    let counters = middle.counters();
    assert!(counters.len() >= 4, "two hellos and two letters: {counters:?}");
    assert!(counters.is_sorted_by(|one, next| one < next), "{counters:?}");
    anna.leaves().await;
}

#[actix_web::test]
async fn of_two_tabs_one_talks_and_the_other_can_take_over() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let anna = stage.visitor(&page(&app)).await;
    let mut carl = Person::at(&format!("ws://{}", app.listen), folder.path(), "carl");
    let driven = &anna.browser.driven;
    let first = driven.window().await.expect("a tab");
    let second = driven.new_window(true).await.expect("another tab").handle;
    driven.switch_to_window(second.clone()).await.expect("the other tab");
    driven.goto(&page(&app)).await.expect("the page");
    anna.is("taken").await;
    assert_eq!(app.clients().await.len(), 2, "one connection for both tabs");
    anna.clicks("#take-over").await;
    anna.is("online").await;
    let me: String = anna.asks("return document.querySelector('#me').dataset.fingerprint", &[]).await;
    assert_eq!(me, anna.fingerprint);
    anna.says("from the second tab").await;
    assert_eq!(carl.reads("second tab"), format!("{}: from the second tab", &me[..12]));
    driven.switch_to_window(first.clone()).await.expect("the first tab");
    anna.is("taken").await;
    anna.clicks("#take-over").await;
    anna.is("online").await;
    anna.says("and back in the first").await;
    assert_eq!(carl.reads("back in the first"), format!("{}: and back in the first", &me[..12]));
    // A tab that is closed leaves its place.
    driven.close_window().await.expect("the end of the tab");
    driven.switch_to_window(second).await.expect("the other tab");
    anna.is("online").await;
    anna.says("and alone").await;
    carl.reads("and alone");
    anna.leaves().await;
}
