//! Questions of clients for which the protocol has no messages, so that everybody invented their own. Each
//! is answered with the message that who asks it expects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    accent::Accent,
    envelope::Envelope,
    id_of,
    kind::Kind,
    payload::{Command, KeyRequest},
    relay::{error, spelled},
    stamp::Draft,
};
use crate::domain::{id::KeyId, letter::Frame, member::Member};

/// What was asked, and which message answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who is here?
    List(Kind),
    /// What is somebody's key?
    Key(Kind, String),
}

impl Question {
    /// The question in a frame, if there is one.
    #[must_use]
    pub fn read(kind: Kind, envelope: &Envelope<'_>) -> Option<Self> {
        if kind == Kind::ClientCmd {
            let command = Command::read(envelope.payload()).ok()?;
            let mut words = command.cmd.split_whitespace();
            return match (words.next()?, words.next()) {
                ("/list", None) => Some(Self::List(Kind::UserList)),
                ("/getpub", Some(name)) => Some(Self::Key(Kind::PubkeyReply, name.to_owned())),
                _ => None,
            };
        }
        if let Some(answer) = kind.list_answer() {
            return Some(Self::List(answer));
        }
        let answer = kind.key_answer()?;
        let request = KeyRequest::read(envelope.payload()).ok()?;
        Some(Self::Key(answer, request.name()?.to_owned()))
    }

    /// About whom it is; `None` if about all.
    #[must_use]
    pub fn about(&self) -> Option<KeyId> {
        match self {
            Self::List(_) => None,
            Self::Key(_, name) => Some(id_of(name)),
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self, members: &[Arc<Member>], accent: Accent) -> Frame {
        match self {
            Self::List(kind) => {
                let names: Vec<&str> = members.iter().filter_map(|member| member.name.as_deref()).collect();
                let payload = match kind {
                    Kind::ListResponse => json!({"online_users": names, "users": names}),
                    _ => json!({ "users": names }),
                };
                Draft::new(*kind, &payload.to_string()).frame()
            }
            Self::Key(kind, name) => match members.first() {
                Some(member) => key_of(*kind, name, &spelled(&member.public_key, accent)),
                None => error("USER_NOT_FOUND", &format!("{name} is not online")),
            },
        }
    }
}

fn key_of(kind: Kind, name: &str, key: &str) -> Frame {
    let payload: Value = json!({"user_id": name, "user": name, "pubkey": key, "public_key": key});
    Draft::new(kind, &payload.to_string()).frame()
}
