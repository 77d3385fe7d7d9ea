//! Questions of clients and servers for which the protocol has no messages, so that everybody invented their
//! own. Each is answered with the message that who asks it expects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    accent::Accent,
    envelope::Envelope,
    id_of,
    kind::Kind,
    relay::{error, spelled},
    request::{Command, KeyRequest, Typed},
    stamp::Draft,
};
use crate::domain::{
    letter::Frame,
    member::{Member, Whom},
};

/// What was asked, and which message answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Who is here? Asked in this way.
    List(Kind),
    /// What is somebody's key? And what the answer must repeat.
    Key(Kind, String, Option<String>),
}

impl Question {
    /// The question in a frame, if there is one.
    #[must_use]
    pub(super) fn read(kind: Kind, envelope: &Envelope<'_>) -> Option<Self> {
        if matches!(kind, Kind::ClientCmd | Kind::ClientCommand) {
            let command = Command::read(envelope.payload()).ok()?;
            return match command.typed() {
                Typed::List => Some(Self::List(kind)),
                Typed::Key(name) => Some(Self::Key(Kind::PubkeyReply, name.to_owned(), None)),
                Typed::Other(_) => None,
            };
        }
        if kind.asks_list() {
            return Some(Self::List(kind));
        }
        let answer = kind.key_answer()?;
        let request = KeyRequest::read(envelope.payload()).ok()?;
        let repeat = request.req_id.as_deref().map(str::to_owned);
        Some(Self::Key(answer, request.user()?.to_owned(), repeat))
    }

    /// The question of a server, if there is one: some ask each other for keys, and for nothing else.
    #[must_use]
    pub(super) fn of_server(kind: Kind, envelope: &Envelope<'_>) -> Option<Self> {
        matches!(kind, Kind::PubKeyRequest | Kind::DbGetUser).then(|| Self::read(kind, envelope)).flatten()
    }

    /// About whom it is.
    #[must_use]
    pub(super) fn about(&self) -> Whom {
        match self {
            Self::List(_) => Whom::Everybody,
            Self::Key(_, name, _) => Whom::One(id_of(name)),
        }
    }

    /// The answer.
    #[must_use]
    pub(super) fn answer(&self, members: &[Arc<Member>], accent: Accent) -> Frame {
        match self {
            Self::List(kind) => {
                let names: Vec<&str> = members.iter().filter_map(|member| member.name.as_deref()).collect();
                let payload = match kind {
                    Kind::ListRequest => json!({"online_users": names, "users": names}),
                    Kind::ClientCommand => json!({ "online": names }),
                    // The only ones who want more than names.
                    Kind::List => json!({"users": described(members, accent)}),
                    _ => json!({ "users": names }),
                };
                let answer = kind.list_answer().unwrap_or(Kind::UserList);
                Draft::new(answer, &payload.to_string()).frame()
            }
            Self::Key(kind, name, repeat) => match members.first() {
                Some(member) => key_of(*kind, name, member, accent, repeat.as_deref()),
                // Who waits for the answer to a number would wait for ever.
                None if *kind == Kind::DbUser => {
                    let payload = json!({"user_id": name, "found": false, "req_id": repeat});
                    Draft::new(*kind, &payload.to_string()).frame()
                }
                None => error("USER_NOT_FOUND", &format!("{name} is not online")),
            },
        }
    }
}

/// Everybody with a key.
fn described(members: &[Arc<Member>], accent: Accent) -> Vec<Value> {
    let describe = |member: &Arc<Member>| {
        let pubkey = spelled(&member.public_key, accent);
        Some(json!({"userID": member.name.as_deref()?, "version": "1", "pubkey": pubkey}))
    };
    members.iter().filter_map(describe).collect()
}

/// Says it under every name that somebody looks for.
fn key_of(kind: Kind, name: &str, member: &Member, accent: Accent, repeat: Option<&str>) -> Frame {
    let key = spelled(&member.public_key, accent);
    let mut payload = json!({
        "user_id": name, "recipient_uuid": name, "pubkey": key, "recipient_pub": key, "public_key": key,
        "found": true,
    });
    if let Value::Object(fields) = &mut payload {
        let id = repeat.map(|id| ("req_id", id.to_owned()));
        let second = member.sealing_key.as_ref().map(|key| ("enc_pubkey", spelled(key, accent)));
        let more = [id, second].into_iter().flatten();
        fields.extend(more.map(|(field, value)| (field.to_owned(), Value::from(value))));
    }
    Draft::new(kind, &payload.to_string()).frame()
}
