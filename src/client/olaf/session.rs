//! One member's session: what to send, and what came in from whom.
//!
//! It outlives connections: counters go on, so that people who stayed believe us after a reconnect.
//! **Invariant:** an author is only ever named after its own key verified the frame, and no frame is
//! shown twice.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    directory::Directory,
    hear::{Heard, Letter, List, hear},
    say::{self, Body, Inside},
    seal,
};
use crate::{
    client::{
        event::{Author, Doubt, Event, Output, Present, Rejection, SayError},
        person::PersonId,
        rooms::Rooms,
    },
    crypto::{
        fingerprint::OFFICIAL,
        keys::PrivateKey,
        sealing::{self, Opener},
        sha256,
    },
    dialect::olaf::{accent::Form, wire::Signed},
    domain::{
        dialect::Dialect,
        id::KeyId,
        limits::Limits,
        replay::{Trace, Window},
        rooms::RoomName,
    },
};

/// Our own letters that may still come back to us.
const MOST_ECHOES: usize = 1_024;
/// Letters of others that are remembered against being played back.
const REPLAY_WINDOW: u32 = 16_384;
/// Letters that wait for the list to say whose they are, and how long they may be together.
const MOST_WAITING: usize = 64;
const MOST_WAITING_BYTES: usize = 1 << 20;

/// The session.
#[derive(Debug)]
pub struct Session {
    key: Arc<PrivateKey>,
    opener: Opener,
    fingerprint: String,
    counter: u64,
    directory: Directory,
    seen: Window,
    echoes: BTreeMap<u64, [u8; 32]>,
    waiting: VecDeque<String>,
    list_is_asked_for: bool,
    pub(super) rooms: Rooms,
    limits: Limits,
}

/// A letter whose author is not proven yet.
struct Claim {
    sender: String,
    /// To whom, if it was sealed.
    to: Option<Vec<String>>,
    text: String,
}

impl Session {
    /// A session of whoever has this key.
    ///
    /// # Errors
    /// The key cannot decrypt.
    pub fn new(key: Arc<PrivateKey>) -> Result<Self, SayError> {
        let public = key.public();
        Ok(Self {
            opener: Opener::new(&key)?,
            fingerprint: OFFICIAL.of(public, &public.canonical_pem()),
            key,
            counter: 0,
            directory: Directory::default(),
            seen: Window::new(REPLAY_WINDOW),
            echoes: BTreeMap::new(),
            waiting: VecDeque::new(),
            list_is_asked_for: false,
            rooms: Rooms::new(Dialect::Olaf, None),
            limits: Limits::default(),
        })
    }

    /// The same, counting from behind `last`. Others remember the last counter of a key, also across our
    /// restarts; whoever starts at the second of the clock is never behind itself.
    #[must_use]
    pub fn counting_from(mut self, last: u64) -> Self {
        self.counter = last;
        self
    }

    /// The same, in this room from the beginning.
    #[must_use]
    pub fn in_room(mut self, room: &RoomName) -> Self {
        self.rooms = Rooms::new(Dialect::Olaf, Some(room));
        self
    }

    /// Who we are.
    #[must_use]
    pub fn id(&self) -> PersonId {
        self.key_id().into()
    }

    fn key_id(&self) -> KeyId {
        self.key.public().id()
    }

    /// The name that others write for us: the official fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Who is present, by the last list.
    #[must_use]
    pub fn present(&self) -> Arc<[Present]> {
        self.directory.present()
    }

    /// What opens a connection, to be sent in this order. Call it once per connection.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn greet(&mut self) -> Result<[String; 2], SayError> {
        // Others may have come back under the old list; the server vouches for order from here on.
        self.directory.forget_counters();
        self.waiting.clear();
        self.rooms.lose();
        self.list_is_asked_for = true;
        let pem = self.key.public().canonical_pem();
        Ok([self.sign(&Body::hello(&pem))?, say::LIST_REQUEST.to_owned()])
    }

    /// The wish for a new list.
    pub fn ask_for_list(&mut self) -> String {
        self.list_is_asked_for = true;
        say::LIST_REQUEST.to_owned()
    }

    /// A letter for everyone.
    ///
    /// # Errors
    /// It is too long.
    pub fn public(&mut self, text: &str) -> Result<String, SayError> {
        let fingerprint = self.fingerprint.clone();
        self.sign(&Body::public(&fingerprint, text))
    }

    /// A letter that only these can read.
    ///
    /// # Errors
    /// Somebody is not present, there are too many or none, or it is too long.
    pub fn private(&mut self, to: &[PersonId], text: &str) -> Result<String, SayError> {
        let most = usize::try_from(self.limits.recipients_per_letter).unwrap_or(usize::MAX);
        if to.is_empty() {
            return Err(SayError::Nobody);
        }
        if to.len() > most {
            return Err(SayError::TooMany(most));
        }
        let find = |person: &PersonId| {
            let known = person.key().and_then(|key| self.directory.get(key));
            let here = known.filter(|known| !known.homes.is_empty());
            here.ok_or_else(|| SayError::NotPresent(person.clone()))
        };
        let recipients: Vec<_> = to.iter().map(find).collect::<Result<_, _>>()?;
        let fingerprints = recipients.iter().map(|known| OFFICIAL.of(&known.key, ""));
        let participants = std::iter::once(self.fingerprint.clone()).chain(fingerprints).collect();
        let inside = say::print(&Inside { message: text, participants });
        let sealed = sealing::seal(inside.as_bytes(), recipients.iter().map(|known| &known.key))?;
        let homes: Vec<String> = aligned_homes(recipients.iter().map(|known| known.homes.as_slice()));
        let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
        self.sign(&Body::chat(&sealed, &homes))
    }

    fn sign(&mut self, body: &Body<'_>) -> Result<String, SayError> {
        let counter = self.counter + 1;
        let (frame, signature) = say::signed(&self.key, counter, body)?;
        if frame.len() > usize::try_from(self.limits.message_bytes).unwrap_or(usize::MAX) {
            return Err(SayError::TooLong);
        }
        self.counter = counter;
        self.echoes.insert(counter, sha256(&signature));
        if self.echoes.len() > MOST_ECHOES {
            self.echoes.pop_first();
        }
        Ok(frame)
    }

    /// A frame of the server.
    pub fn receive(&mut self, frame: &str, out: &mut Vec<Output>) {
        if self.rooms.is_about(frame) {
            return self.rooms.receive(frame, out);
        }
        match hear(frame) {
            Heard::List(list) => self.on_list(&list, out),
            Heard::Signed(message) => self.on_signed(&message, frame, true, out),
            Heard::Complaint(text) => out.push(Output::Event(Event::Complaint(text))),
            Heard::Nothing => {}
        }
    }

    fn on_list(&mut self, list: &List<'_>, out: &mut Vec<Output>) {
        self.list_is_asked_for = false;
        let mut change = self.directory.update(list.entries());
        let me = self.key_id();
        change.joined.retain(|id| *id != me);
        change.left.retain(|id| *id != me);
        let members = self.directory.present();
        let people = |keys: Vec<KeyId>| keys.into_iter().map(PersonId::from).collect();
        let (joined, left) = (people(change.joined), people(change.left));
        out.push(Output::Event(Event::Listed { members, joined, left }));
        for frame in std::mem::take(&mut self.waiting) {
            if let Heard::Signed(message) = hear(&frame) {
                self.on_signed(&message, &frame, false, out);
            }
        }
    }

    fn on_signed(&mut self, message: &Signed<'_>, frame: &str, may_wait: bool, out: &mut Vec<Output>) {
        if self.echoes.get(&message.counter).is_some_and(|own| *own == sha256(&message.signature)) {
            out.push(Output::Event(Event::Echo { counter: message.counter }));
            return;
        }
        let Ok(letter) = serde_json::from_str::<Letter<'_>>(&message.data) else { return };
        let Some(claim) = self.claim(&letter) else { return };
        match self.directory.recognise(&claim.sender) {
            Some(id) => out.push(Output::Event(self.judge(id, message, claim))),
            None if may_wait && self.wait(frame, out) => {}
            None => out.push(Output::Event(claim.doubted(Doubt::UnknownSender))),
        }
    }

    /// What a letter says, if it is one for us.
    fn claim(&self, letter: &Letter<'_>) -> Option<Claim> {
        match &*letter.kind {
            "public_chat" => {
                Some(Claim { sender: letter.sender.clone()?, to: None, text: letter.message.clone()? })
            }
            "chat" => {
                let opened = seal::open(&self.opener, letter)?;
                let mut participants = opened.participants.into_iter();
                let sender = participants.next()?;
                Some(Claim { sender, to: Some(participants.collect()), text: opened.message })
            }
            _ => None,
        }
    }

    /// Keeps a letter of a stranger until the next list, which may know it.
    fn wait(&mut self, frame: &str, out: &mut Vec<Output>) -> bool {
        let bytes: usize = self.waiting.iter().map(String::len).sum();
        if self.waiting.len() >= MOST_WAITING || bytes + frame.len() > MOST_WAITING_BYTES {
            return false;
        }
        self.waiting.push_back(frame.to_owned());
        if !self.list_is_asked_for {
            out.push(Output::Send(self.ask_for_list().into()));
        }
        true
    }

    /// Whether a letter really is of this author, and new.
    fn judge(&mut self, from: KeyId, message: &Signed<'_>, claim: Claim) -> Event {
        let Some(known) = self.directory.get_mut(from) else { return claim.doubted(Doubt::UnknownSender) };
        let candidates = Form::candidates(message, known.form);
        if !known.has_signed(candidates, &message.signature) {
            return claim.doubted(Doubt::WrongSignature);
        }
        if !self.seen.admit(trace(from, &message.signature)) {
            return Event::Rejected { from: from.into(), why: Rejection::Repeated };
        }
        if known.counter.is_some_and(|last| message.counter <= last) {
            return Event::Rejected { from: from.into(), why: Rejection::StaleCounter };
        }
        known.counter = Some(message.counter);
        let Claim { to, text, .. } = claim;
        let from = from.into();
        match to {
            None => Event::Public { from, text },
            Some(to) => {
                let to = to.into_iter().map(|claim| self.author(claim)).collect();
                Event::Private { from, to, text }
            }
        }
    }

    fn author(&mut self, claim: String) -> Author {
        if claim == self.fingerprint {
            return Author::Known(self.id());
        }
        match self.directory.recognise(&claim) {
            Some(id) => Author::Known(id.into()),
            None => Author::Unknown(claim),
        }
    }
}

impl Claim {
    fn doubted(self, why: Doubt) -> Event {
        Event::Unverified { claimed: self.sender, text: self.text, is_private: self.to.is_some(), why }
    }
}

/// One home per recipient, in their order; then the further homes of those who have several.
fn aligned_homes<'a>(homes: impl Iterator<Item = &'a [String]> + Clone) -> Vec<String> {
    let mut aligned: Vec<String> = homes.clone().filter_map(|homes| homes.first()).cloned().collect();
    for home in homes.flat_map(|homes| homes.iter().skip(1)) {
        if !aligned.contains(home) {
            aligned.push(home.clone());
        }
    }
    aligned
}

fn trace(key: KeyId, signature: &[u8]) -> Trace {
    let digest = sha256(&[&key.0, signature].concat());
    let mut trace = [0; 16];
    trace.copy_from_slice(&digest[..16]);
    Trace(trace)
}
