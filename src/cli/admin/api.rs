//! Asking the admin API, and saying clearly what went wrong.

use std::{fmt::Write as _, io, time::Duration};

use awc::{
    Client, ClientResponse,
    error::{ConnectError, SendRequestError},
    http::{Method, StatusCode},
};
use serde_json::Value;

use crate::http::problem::Problem;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest answer. A page of 500 items is far below.
const LARGEST: usize = 16 << 20;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Trouble {
    /// The address is none.
    #[error(
        "{0:?} is no address of an admin door; it looks like http://127.0.0.1:9090\n      \
         (this door speaks no TLS: from afar, reach it through a tunnel)"
    )]
    BadUrl(String),
    /// The token was not found.
    #[error(
        "no admin token: {0}\n      give one with --token-file, KITH_ADMIN_TOKEN, or --data and the data folder"
    )]
    NoToken(String),
    /// Nobody answered.
    #[error("cannot reach {url}: {error}\n      is the server running, and is this its admin door?")]
    Unreachable {
        /// Who was asked.
        url: String,
        /// What happened.
        error: String,
    },
    /// The token is not the one of this server.
    #[error("{0} does not accept this admin token")]
    WrongToken(String),
    /// The server said no, and why.
    #[error("{}{}", .0.title, .0.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Refused(Problem),
    /// The answer is not one of this API.
    #[error("{url} answers {status}, and not as a Kith admin door does")]
    Strange {
        /// Who was asked.
        url: String,
        /// What it answered.
        status: StatusCode,
    },
    /// What was asked for cannot be meant.
    #[error("{0}")]
    BadCommand(String),
    /// Our own output.
    #[error("cannot write: {0}")]
    Output(io::Error),
}

impl Trouble {
    /// 2 if the command was wrong, 1 if it was right and did not work.
    pub(in crate::cli) const fn exit_code(&self) -> u8 {
        match self {
            Self::BadUrl(_) | Self::NoToken(_) | Self::BadCommand(_) => 2,
            _ => 1,
        }
    }
}

/// The admin API of one server.
pub(in crate::cli) struct Api {
    client: Client,
    base: String,
}

impl Api {
    pub(in crate::cli) fn new(url: &str, token: &str) -> Result<Self, Trouble> {
        let base = url.trim_end_matches('/');
        let host = base.strip_prefix("http://");
        if host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', '@', ' '])) {
            return Err(Trouble::BadUrl(url.to_owned()));
        }
        let client = Client::builder().timeout(PATIENCE).disable_redirects().bearer_auth(token).finish();
        Ok(Self { client, base: base.to_owned() })
    }

    /// The head of an answer that is no refusal; its body may go on for ever.
    pub(in crate::cli) async fn open(&self, method: Method, path: &str) -> Result<ClientResponse, Trouble> {
        let sent = self.client.request(method, format!("{}{path}", self.base)).send().await;
        self.checked(sent).await
    }

    /// An answer that is no refusal.
    async fn checked(
        &self,
        sent: Result<ClientResponse, SendRequestError>,
    ) -> Result<ClientResponse, Trouble> {
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(Trouble::WrongToken(self.base.clone()));
        }
        let body = response.body().limit(LARGEST).await.unwrap_or_default();
        let strange = |_| Trouble::Strange { url: self.base.clone(), status };
        Err(serde_json::from_slice(&body).map_or_else(strange, Trouble::Refused))
    }

    async fn ask(&self, method: Method, path: &str) -> Result<String, Trouble> {
        let response = self.open(method, path).await?;
        self.text(response).await
    }

    /// The whole of an answer.
    async fn text(&self, mut response: ClientResponse) -> Result<String, Trouble> {
        let body = response.body().limit(LARGEST).await.map_err(|error| self.broken(&error))?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    pub(in crate::cli) async fn get(&self, path: &str) -> Result<String, Trouble> {
        self.ask(Method::GET, path).await
    }

    pub(in crate::cli) async fn delete(&self, path: &str) -> Result<String, Trouble> {
        self.ask(Method::DELETE, path).await
    }

    pub(in crate::cli) async fn post(&self, path: &str) -> Result<String, Trouble> {
        self.ask(Method::POST, path).await
    }

    pub(in crate::cli) async fn post_json(&self, path: &str, body: &Value) -> Result<String, Trouble> {
        let sent = self.client.post(format!("{}{path}", self.base)).send_json(body).await;
        self.text(self.checked(sent).await?).await
    }

    pub(in crate::cli) async fn put_json(&self, path: &str, body: &Value) -> Result<String, Trouble> {
        let sent = self.client.put(format!("{}{path}", self.base)).send_json(body).await;
        self.text(self.checked(sent).await?).await
    }

    /// All items of a list, page after page. The path ends where a parameter may begin.
    pub(in crate::cli) async fn all(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = read(&self.get(&format!("{path}limit=500{cursor}")).await?)?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={}", escaped(next)),
                None => return Ok(items),
            }
        }
    }

    /// The line broke in the middle of an answer.
    pub(in crate::cli) fn broken(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::Unreachable { url: self.base.clone(), error: error.to_string() }
    }

    fn unreachable(&self, error: &SendRequestError) -> Trouble {
        match error {
            SendRequestError::Connect(ConnectError::Io(error)) => self.broken(error),
            SendRequestError::Url(_) => Trouble::BadUrl(self.base.clone()),
            other => self.broken(other),
        }
    }
}

/// The JSON of an answer.
pub(in crate::cli) fn read(text: &str) -> Result<Value, Trouble> {
    let strange = |_| Trouble::Strange { url: "the server".to_owned(), status: StatusCode::OK };
    serde_json::from_str(text).map_err(strange)
}

/// A text as one part of a path or a query.
pub(in crate::cli) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
