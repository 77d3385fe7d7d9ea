//! Somebody in front of a browser: what she types, clicks and reads on the page. How the parts of the page are called stands
//! in docs/web.md.

use std::{env, fs, path::PathBuf, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::{
    Locator,
    actions::{InputSource as _, KeyAction, KeyActions},
    elements::Element,
    key::Key,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    app::PATIENCE,
    chromium::{Chromium, LOOK},
};

/// Nobody wants to load more for one picture.
const LARGEST_PICTURE: usize = 200_000;

/// What stands in the conversation that is open.
const LINES: &str = "return [...document.querySelectorAll('#log li:not(.notice)')].map(line => ({
    author: line.dataset.author ?? '',
    name: line.querySelector('.author')?.textContent ?? '',
    text: line.querySelector('.text').textContent,
    own: line.hasAttribute('data-own'),
}))";

/// Somebody, and her browser.
pub(crate) struct Visitor {
    pub(crate) browser: Chromium,
    /// What others know her by.
    pub(crate) fingerprint: String,
}

/// Something that was said, as it is shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) author: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) own: bool,
}

impl Visitor {
    /// Somebody who has not opened anything.
    pub(crate) const fn before(browser: Chromium) -> Self {
        Self { browser, fingerprint: String::new() }
    }

    /// Opens the page at a door, whatever comes of it.
    pub(crate) async fn opens(self, url: &str) -> Self {
        self.browser.driven.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        self
    }

    /// Waits until she can talk.
    pub(crate) async fn comes_online(mut self) -> Self {
        self.is("online").await;
        self.fingerprint = self.asks("return document.querySelector('#me').dataset.fingerprint", &[]).await;
        self
    }

    /// Waits until the page says that it stands so.
    pub(crate) async fn is(&self, state: &str) {
        self.until(state, "return document.body.dataset.state", &[], |found: &String| found == state).await;
    }

    /// Asks the page something by a script.
    pub(crate) async fn asks<T: DeserializeOwned>(&self, script: &str, words: &[Value]) -> T {
        let answer = self.browser.driven.execute(script, words.to_vec()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{script}: {error}"));
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The same of a script that has to wait for something.
    pub(crate) async fn asks_in_time<T: DeserializeOwned>(&self, script: &str, words: &[Value]) -> T {
        self.asks(&format!("return (async function () {{ {script} }}).apply(null, arguments)"), words).await
    }

    /// The same again and again, until the answer is as wished.
    pub(crate) async fn until<T: DeserializeOwned + std::fmt::Debug>(
        &self,
        what: &str,
        script: &str,
        words: &[Value],
        wish: impl Fn(&T) -> bool,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.asks(script, words).await;
            if wish(&answer) {
                return answer;
            }
            if Instant::now() > deadline {
                panic!("in {PATIENCE:?} nothing came of {what:?}, but {answer:?}\n{}", self.picture().await);
            }
            actix_web::rt::time::sleep(LOOK).await;
        }
    }

    /// What is to be seen, for whoever reads why a scene has failed.
    async fn picture(&self) -> String {
        let seen: String =
            self.asks("return document.body.dataset.state + '\\n' + document.body.innerText", &[]).await;
        let complaints = self.browser.complaints(&[]).await;
        format!("the page is {seen}\nthe browser complains: {complaints:#?}")
    }

    /// A part of the page.
    pub(crate) async fn part(&self, selector: &str) -> Element {
        let found = self.browser.driven.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{selector}: {error}\n{}", self.picture().await),
        }
    }

    pub(crate) async fn clicks(&self, selector: &str) {
        if let Err(error) = self.part(selector).await.click().await {
            panic!("{selector}: {error}\n{}", self.picture().await);
        }
    }

    /// Types into a part of the page.
    pub(crate) async fn types(&self, selector: &str, text: &str) {
        if let Err(error) = self.part(selector).await.send_keys(text).await {
            panic!("{selector}: {error}\n{}", self.picture().await);
        }
    }

    /// Presses a key, wherever the page looks for keys.
    pub(crate) async fn presses(&self, key: &str) {
        let code = match key {
            "Tab" => Key::Tab,
            "Enter" => Key::Enter,
            other => panic!("no key is called {other}"),
        };
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: char::from(code) })
            .then(KeyAction::Up { value: char::from(code) });
        self.browser.driven.perform_actions(press).await.unwrap_or_else(|error| panic!("{key}: {error}"));
    }

    /// Takes a picture of what is to be seen, if somebody wants pictures.
    pub(crate) async fn shows(&self, name: &str) {
        let Some(folder) = env::var_os("KITH_TEST_SHOTS") else { return };
        let taken = self.browser.tool("Page.captureScreenshot", json!({"format": "png"})).await;
        let picture = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
        assert!(picture.len() < LARGEST_PICTURE, "{} bytes", picture.len());
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), picture).expect("a file");
    }

    /// Says something in the conversation that is open.
    pub(crate) async fn says(&self, text: &str) {
        self.types("#say", &format!("{text}{}", char::from(Key::Enter))).await;
    }

    /// What stands in the conversation that is open.
    pub(crate) async fn lines(&self) -> Vec<Line> {
        self.asks(LINES, &[]).await
    }

    /// The texts alone.
    pub(crate) async fn texts(&self) -> Vec<String> {
        self.lines().await.into_iter().map(|line| line.text).collect()
    }

    /// Waits for a line with exactly this text.
    pub(crate) async fn reads(&self, text: &str) -> Line {
        let found = |lines: &Vec<Line>| lines.iter().any(|line| line.text == text);
        let lines = self.until(text, LINES, &[], found).await;
        lines.into_iter().find(|line| line.text == text).expect("it was found just now")
    }

    /// Waits for a line with exactly this text by somebody.
    pub(crate) async fn reads_of(&self, author: &str, text: &str) -> Line {
        let line = self.reads(text).await;
        assert_eq!(line.author, author, "{line:?}");
        line
    }

    /// Waits until somebody is listed.
    pub(crate) async fn knows(&self, other: &str) {
        self.part(&format!("#members li[data-fingerprint='{other}']")).await;
    }

    /// Opens the private conversation with somebody.
    pub(crate) async fn turns_to(&self, other: &str) {
        self.clicks(&format!("#members li[data-fingerprint='{other}'] button")).await;
        self.is_in("private:").await;
    }

    /// Opens a conversation that she has had before.
    pub(crate) async fn goes_to(&self, conversation: &str) {
        self.clicks(&format!("[data-conversation^='{conversation}']")).await;
        self.is_in(conversation).await;
    }

    /// Waits until something unread is announced in a conversation whose name begins so.
    pub(crate) async fn waits_for_unread(&self, conversation: &str) {
        let script = "const all = document.querySelectorAll('[data-conversation^=\"' + arguments[0] + '\"]');
            return [...all].some(one => one.matches('[data-unread]') || one.querySelector('[data-unread]') !== null)";
        let what = format!("something unread in {conversation}");
        self.until(&what, script, &[json!(conversation)], |found: &bool| *found).await;
    }

    /// The whole fingerprint of somebody of whom the beginning is known.
    pub(crate) async fn fingerprint_of(&self, short: &str) -> String {
        let member = self.part(&format!("#members li[data-fingerprint^='{short}']")).await;
        member.attr("data-fingerprint").await.expect("a member").expect("a fingerprint")
    }

    /// Waits until the conversation is open whose name begins so.
    pub(crate) async fn is_in(&self, conversation: &str) {
        let script =
            "return document.querySelector('#conversations [aria-current=true]')?.dataset.conversation ?? ''";
        self.until(conversation, script, &[], |found: &String| found.starts_with(conversation)).await;
    }

    /// Enters a room.
    pub(crate) async fn enters(&self, room: &str) {
        self.types("#join", room).await;
        self.clicks("#join-go").await;
        self.is_in(&format!("room:{room}")).await;
    }

    /// Waits until the page is at a door, and online.
    pub(crate) async fn comes_to(&self, door: &str) {
        let script =
            "return [document.body.dataset.state, document.querySelector('#door').textContent.trim()]";
        let there = |(state, found): &(String, String)| state == "online" && same_door(found, door);
        self.until(&format!("online at {door}"), script, &[], there).await;
    }

    /// A value of the page's own.
    pub(crate) async fn value(&self, selector: &str) -> String {
        self.asks("return document.querySelector(arguments[0]).value", &[json!(selector)]).await
    }

    /// The end: the browser had nothing to complain about.
    pub(crate) async fn leaves(self) {
        self.browser.ends(&[]).await;
    }

    /// The same where some complaints are what has to come.
    pub(crate) async fn leaves_after(self, expected: &[&str]) {
        self.browser.ends(expected).await;
    }
}

/// Doors are the same with a slash behind them.
fn same_door(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}
