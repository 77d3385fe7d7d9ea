//! The admin API as a script sees it.

use std::time::Instant;

use actix_web::http::Method;
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::app::{App, PATIENCE, in_time};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Asks a URL, with a bearer token or without.
pub(crate) async fn ask(method: Method, url: &str, token: Option<&str>) -> Answer {
    ask_with(method, url, token, None).await
}

/// The same with a JSON body.
pub(crate) async fn ask_with(method: Method, url: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let mut request = client.request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let sent = match body {
        Some(body) => request.send_json(body).await,
        None => request.send().await,
    };
    let mut response = sent.unwrap_or_else(|error| panic!("{url}: {error}"));
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let body = response.body().limit(4 << 20).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    Answer { status: response.status().as_u16(), kind, text }
}

impl App {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }

    /// Asks the admin API with the right token.
    pub(crate) async fn api(&self, method: Method, path: &str) -> Answer {
        ask(method, &self.url(path), Some(&self.token)).await
    }

    /// The same with a body.
    pub(crate) async fn api_with(&self, method: Method, path: &str, body: &Value) -> Answer {
        ask_with(method, &self.url(path), Some(&self.token), Some(body)).await
    }

    /// Gets JSON from the admin API.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.api(Method::GET, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Asks without a token.
    pub(crate) async fn ask_openly(&self, method: Method, path: &str) -> Answer {
        ask(method, &self.url(path), None).await
    }

    /// The clients on the map, in order of arrival.
    pub(crate) async fn clients(&self) -> Vec<Value> {
        let list = self.get("/api/v1/clients").await;
        list["items"].as_array().expect("items").clone()
    }

    /// The value of a metric.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.api(Method::GET, "/metrics").await.text;
        let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
        let value = line.and_then(|line| line.rsplit_once(' ')).and_then(|(_, value)| value.parse().ok());
        value.unwrap_or_else(|| panic!("no metric {name} in:\n{text}"))
    }

    /// Watches what happens from now on.
    pub(crate) async fn watch(&self) -> Watch {
        let client = awc::Client::builder().disable_timeout().finish();
        let request = client.get(self.url("/api/v1/events")).bearer_auth(&self.token);
        let response = request.send().await.expect("a stream of events");
        assert_eq!(response.status().as_u16(), 200);
        let stream = response.map(|chunk| chunk.expect("a chunk").to_vec());
        Watch { stream: Box::pin(stream), text: String::new() }
    }

    /// Asks again and again until the answer is as wished.
    pub(crate) async fn until(&self, path: &str, wish: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.api(Method::GET, path).await;
            if wish(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} stays {answer:?}");
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// A stream of server-sent events.
pub(crate) struct Watch {
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = Vec<u8>>>>,
    text: String,
}

impl Watch {
    /// The next event: its name and its data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                let found = field("event:").zip(field("data:"));
                self.text = rest.to_owned();
                if let Some((name, data)) = found {
                    return (name, serde_json::from_str(&data).expect("data that is JSON"));
                }
            }
            let chunk = actix_web::rt::time::timeout(PATIENCE, self.stream.next()).await;
            let chunk = chunk.expect("an event in time").expect("a stream that goes on");
            self.text.push_str(&String::from_utf8(chunk).expect("text"));
        }
    }

    /// Waits for an event of that name about that client, and returns its data.
    pub(crate) async fn about(&mut self, name: &str, client: &str) -> Value {
        in_time(name, async {
            loop {
                let (found, data) = self.next().await;
                if found == name && data["client"] == client {
                    return data;
                }
            }
        })
        .await
    }
}
