//! One user's session: what to send, and what came in from whom.
//!
//! It outlives connections. **Invariant:** an author is only ever named after the key under which the author
//! is known verified the letter, and no such letter is shown twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;

use super::{
    directory::{self, Directory},
    files::Arrivals,
    say::Pen,
};
use crate::{
    client::{
        event::{Event, Output, SayError},
        person::PersonId,
        rooms::{Rooms, Spoken},
        voice::Say,
    },
    crypto::{
        keys::{PrivateKey, PublicKey},
        sealing::Opener,
    },
    dialect::socp::{
        envelope::Envelope,
        kind::Kind,
        payload::is_user_name,
        relay::KEPT,
        request::{Ack, Complaint},
    },
    domain::{dialect::Dialect, limits::Limits, replay::Window, rooms::RoomName},
};

/// Letters of others that are remembered against being played back.
const REPLAY_WINDOW: u32 = 16_384;
/// Recipients of one letter, each of whom gets one of their own.
const MOST_RECIPIENTS: usize = 64;

/// The session.
#[derive(Debug)]
pub struct Session {
    key: Arc<PrivateKey>,
    pub(super) me: PersonId,
    pub(super) opener: Opener,
    pub(super) directory: Directory,
    pub(super) arrivals: Arrivals,
    pub(super) seen: Window,
    /// What our server calls itself; empty until it has said so.
    pub(super) server: String,
    /// Who is here, as it was told last.
    pub(super) told: BTreeSet<PersonId>,
    /// Whether the server has said who is here, so that every change is worth telling.
    pub(super) is_listed: bool,
    pub(super) list_is_asked_for: bool,
    /// Whose keys were asked for.
    pub(super) asked: BTreeSet<PersonId>,
    /// Keys that are new and not written down yet.
    pub(super) learnt: Vec<(PersonId, String)>,
    pub(super) rooms: Rooms,
    last_ts: i64,
    most_bytes: usize,
}

impl Session {
    /// A session of whoever has this key and this user id, and has met these keys.
    ///
    /// # Errors
    /// The key cannot decrypt.
    pub fn new(
        key: Arc<PrivateKey>,
        user: &str,
        keys: &BTreeMap<PersonId, String>,
    ) -> Result<Self, SayError> {
        Ok(Self {
            opener: Opener::new(&key)?,
            key,
            me: PersonId::new(user),
            directory: Directory::new(keys),
            arrivals: Arrivals::default(),
            seen: Window::new(REPLAY_WINDOW),
            server: String::new(),
            told: BTreeSet::new(),
            is_listed: false,
            list_is_asked_for: false,
            asked: BTreeSet::new(),
            learnt: Vec::new(),
            rooms: Rooms::new(Dialect::Socp, None),
            last_ts: 0,
            most_bytes: usize::try_from(Limits::default().message_bytes).unwrap_or(usize::MAX),
        })
    }

    /// The same, in this room from the beginning.
    #[must_use]
    pub fn in_room(mut self, room: &RoomName) -> Self {
        self.rooms = Rooms::new(Dialect::Socp, Some(room));
        self
    }

    /// Who we are.
    #[must_use]
    pub const fn me(&self) -> &PersonId {
        &self.me
    }

    /// What others can compare to know our key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        directory::print(self.key.public())
    }

    /// Times never stand still, so that no two letters of ours are the same.
    pub(super) fn pen(&mut self, now_ms: i64) -> Pen<'_> {
        self.last_ts = now_ms.max(self.last_ts + 1);
        Pen { key: &self.key, me: self.me.as_str(), ts: self.last_ts }
    }

    /// What opens a connection, to be sent in this order. Call it once per connection.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn greet(&mut self, now_ms: i64) -> Result<[String; 2], SayError> {
        self.directory.clear();
        self.asked.clear();
        self.rooms.lose();
        self.is_listed = false;
        // The next server at this address may be another one.
        self.server.clear();
        Ok([self.pen(now_ms).hello("*")?, self.ask_for_list(now_ms)?])
    }

    /// The wish for a new list.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn ask_for_list(&mut self, now_ms: i64) -> Result<String, SayError> {
        self.list_is_asked_for = true;
        let server = self.server();
        self.pen(now_ms).frame(Kind::UserListReq, &server, &json!({}))
    }

    /// Our server, or whoever hears it.
    pub(super) fn server(&self) -> String {
        if self.server.is_empty() { "*".to_owned() } else { self.server.clone() }
    }

    /// The frames that say something, to be sent in this order.
    ///
    /// # Errors
    /// Somebody is not here or their key is not known, there are too many or none, or it is too long.
    pub fn say(&mut self, say: &Say, now_ms: i64) -> Result<Vec<String>, SayError> {
        let frames = match say {
            Say::Public(text) => vec![self.pen(now_ms).public(text)?],
            Say::Here(text) => match self.rooms.speak(text)? {
                Spoken::Everybody => vec![self.pen(now_ms).public(text)?],
                Spoken::Room(frame) => return Ok(vec![frame]),
            },
            Say::Private(to, text) => self.private(to, text, now_ms)?,
            Say::Part(to, part) => {
                if let Some(absent) = to.as_ref().filter(|to| !self.directory.is_here(to)) {
                    return Err(SayError::NotPresent(absent.clone()));
                }
                let key = to.as_ref().map(|to| self.key_of(to)).transpose()?;
                let to = to.as_ref().zip(key.as_ref()).map(|(to, key)| (to.as_str(), key));
                vec![self.pen(now_ms).part(to, part)?]
            }
            Say::Wish(wish) => return Ok(vec![self.rooms.wish(wish)?]),
        };
        if frames.iter().any(|frame| frame.len() > self.most_bytes) {
            return Err(SayError::TooLong);
        }
        Ok(frames)
    }

    fn private(&mut self, to: &[PersonId], text: &str, now_ms: i64) -> Result<Vec<String>, SayError> {
        match to.len() {
            0 => return Err(SayError::Nobody),
            1..=MOST_RECIPIENTS => {}
            _ => return Err(SayError::TooMany(MOST_RECIPIENTS)),
        }
        let keys: Vec<_> = to.iter().map(|to| self.key_of(to)).collect::<Result<_, _>>()?;
        let pen = self.pen(now_ms);
        to.iter().zip(&keys).map(|(to, key)| pen.direct(to.as_str(), text, key)).collect()
    }

    /// The key to seal with, of somebody who may be away.
    fn key_of(&self, person: &PersonId) -> Result<PublicKey, SayError> {
        if self.directory.is_disputed(person) {
            return Err(SayError::KeyChanged(person.clone()));
        }
        let unknown = if self.directory.is_here(person) { SayError::NoKey } else { SayError::NotPresent };
        self.directory.key(person).cloned().ok_or_else(|| unknown(person.clone()))
    }

    /// The member believes the key that somebody comes with now.
    pub fn trust(&mut self, person: &PersonId, out: &mut Vec<Output>) {
        if let Some(text) = self.directory.trust(person) {
            out.push(Output::Event(Event::Keys(vec![(person.clone(), text)])));
        }
    }

    /// Some seconds have passed: a sign of life, and an end to what is waited for in vain.
    pub fn tick(&mut self, now_ms: i64, out: &mut Vec<Output>) {
        let server = self.server();
        if let Ok(frame) = self.pen(now_ms).frame(Kind::Heartbeat, &server, &json!({})) {
            out.push(Output::Send(frame.into()));
        }
        out.extend(self.arrivals.expire(now_ms).into_iter().map(Output::Event));
        self.asked.clear();
        if !std::mem::replace(&mut self.is_listed, true) {
            self.tell(out);
        }
    }

    /// A frame of the server.
    pub fn receive(&mut self, frame: &str, now_ms: i64, out: &mut Vec<Output>) {
        if self.rooms.is_about(frame) {
            return self.rooms.receive(frame, out);
        }
        let Ok(envelope) = Envelope::read(frame) else { return };
        match envelope.known() {
            Some(Kind::Ack | Kind::UserWelcome | Kind::ClientWelcome) if self.server.is_empty() => {
                self.server = envelope.from.to_string();
            }
            Some(Kind::Ack) => on_ack(&envelope, out),
            Some(Kind::UserAdvertise) => self.on_came(&envelope, now_ms, out),
            Some(Kind::UserRemove) => self.on_went(&envelope, out),
            Some(Kind::UserList | Kind::ListResponse) => self.on_list(&envelope, now_ms, out),
            Some(
                Kind::PubkeyResponse | Kind::UserDbUser | Kind::PubKey | Kind::PubkeyReply | Kind::DbUser,
            ) => self.on_key(&envelope, out),
            Some(
                Kind::UserDeliver
                | Kind::MsgDirect
                | Kind::MsgPrivate
                | Kind::ServerDeliver
                | Kind::PeerDeliver,
            ) => self.on_letter(&envelope, true, out),
            Some(Kind::MsgPublicChannel | Kind::MsgPublicChannelDelivery) => {
                self.on_letter(&envelope, false, out);
            }
            Some(
                kind @ (Kind::FileStart
                | Kind::FileChunk
                | Kind::FileEnd
                | Kind::UserStart
                | Kind::UserChunk
                | Kind::UserEnd),
            ) => self.on_file(kind, &envelope, now_ms, out),
            Some(Kind::Error) => self.on_complaint(&envelope, out),
            _ => {}
        }
    }

    fn on_complaint(&mut self, envelope: &Envelope<'_>, out: &mut Vec<Output>) {
        let complaint = Complaint::read(envelope.payload()).unwrap_or_default();
        let (code, detail) = (complaint.code.as_deref().unwrap_or_default(), complaint.detail());
        // Nothing says to what this is the answer. Not everybody knows who is here, or gives out keys.
        if code == "UNKNOWN_TYPE" && self.list_is_asked_for {
            return self.is_told_who_is_here(0, out);
        }
        let asked = self.asked.iter().find(|person| detail.contains(person.as_str())).cloned();
        if let Some(person) = asked {
            self.asked.remove(&person);
            return self.tell_if_settled(out);
        }
        let words = [code, detail].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>();
        out.push(Output::Event(Event::Complaint(words.join(": "))));
    }
}

/// Most of what is acknowledged is no news.
fn on_ack(envelope: &Envelope<'_>, out: &mut Vec<Output>) {
    let Ok(ack) = Ack::read(envelope.payload()) else { return };
    let to = ack.user_id.as_deref().filter(|name| is_user_name(name));
    if let Some(to) = to.filter(|_| ack.status.as_deref() == Some(KEPT)) {
        out.push(Output::Event(Event::Kept { to: PersonId::new(to) }));
    }
}
