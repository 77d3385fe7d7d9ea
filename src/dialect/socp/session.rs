//! One SOCP client, as its home server hears it.
//!
//! ```text
//! Greeting   its hello; what is signed must be signed well, what is not signed is a matter of the house
//! Checking   the signature of a hello or of anything later
//! Present    letters, files, questions
//! ```
//!
//! **Invariants:** nothing is routed before the hello, and nothing in another name than that of the hello; a
//! signature that is there is checked; what a client is not allowed to say costs it one error, not the others.

use std::sync::Arc;

use super::{
    accent::{Accent, Clients},
    answer,
    envelope::Envelope,
    heard, id_of, key,
    kind::Kind,
    payload::{Introduction, Presence, is_user_name},
    plain,
    relay::{self, error},
    sign::{self, Way},
    stamp::Stamp,
    strange::Strange,
};
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Salt, Verdict},
    },
    dialect::{
        Ear, Terms,
        event::{Check, Input, Output},
        rooms, trace,
    },
    domain::{
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Author, Frame, Letter, Origin},
        member::{Named, Newcomer},
        refusal::{Ending, Refusal, Violation},
    },
};

/// One client.
#[derive(Debug)]
pub struct Session {
    id: ConnectionId,
    terms: Arc<Terms>,
    accent: Accent,
    /// The name it came with.
    name: String,
    key: Option<Arc<PublicKey>>,
    way: Option<(Way, Salt)>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It has not said who it is.
    Greeting,
    /// A signature is being checked.
    Checking(Box<Pending>),
    /// It is in.
    Present,
    /// It is in, and has asked something.
    Asking(answer::Question),
    Gone,
}

/// What happens once a signature is known to be good.
#[derive(Debug)]
struct Pending {
    ways: Vec<Way>,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Join(Newcomer),
    Route(Letter),
}

/// A frame cannot be followed: with which code the client is told, and as what it is counted.
struct Complaint(&'static str, &'static str, Violation);

impl Session {
    /// A client that has said nothing.
    #[must_use]
    pub fn new(id: ConnectionId, terms: Arc<Terms>) -> Self {
        let (accent, name) = (Accent::default(), String::new());
        Self { id, terms, accent, name, key: None, way: None, state: State::Greeting }
    }

    /// What drafts leave open for this client.
    #[must_use]
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp { accent: self.accent, me: &self.terms.myself.id, other: &self.name }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Frame(frame) => {
                if let Err(Complaint(code, detail, violation)) = self.on_frame(frame, out) {
                    out.push(Output::Note(violation));
                    out.push(Output::Send(error(code, detail)));
                }
            }
            Input::Checked(verdict) => self.on_checked(verdict, out),
            Input::Found(members) => {
                if let State::Asking(question) = std::mem::replace(&mut self.state, State::Present) {
                    out.push(Output::Send(question.answer(&members, self.accent)));
                }
            }
            // The rest is said to servers.
            _ => {}
        }
    }

    fn close(&mut self, ending: Ending, out: &mut Vec<Output>) {
        self.state = State::Gone;
        out.push(Output::Close(ending));
    }

    fn on_frame(&mut self, frame: Frame, out: &mut Vec<Output>) -> Result<(), Complaint> {
        if let State::Gone = self.state {
            return Ok(());
        }
        let too_early = || Err(Complaint("UNKNOWN_TYPE", "say USER_HELLO first", Violation::OutOfOrder));
        if let Some(text) = frame.text().filter(|text| rooms::is_ours(text)) {
            match self.state {
                State::Greeting => return too_early(),
                State::Present => rooms::hear(text, &self.terms.doors, out),
                // Nothing is read while somebody waits.
                State::Checking(_) | State::Asking(_) | State::Gone => {}
            }
            return Ok(());
        }
        let Some(envelope) = frame.text().and_then(|text| Envelope::read(text).ok()) else {
            let strange = frame.text().and_then(Strange::read);
            let why = strange.map_or("this is no frame of SOCP", |strange| strange.why);
            return Err(Complaint("UNKNOWN_TYPE", why, Violation::Malformed));
        };
        match (&self.state, envelope.known()) {
            (State::Greeting, Some(Kind::UserHello)) => {
                let hello = envelope.into_owned();
                self.on_hello(&hello, out);
                Ok(())
            }
            (State::Greeting, _) => too_early(),
            (State::Present, Some(kind)) => {
                let envelope = envelope.into_owned();
                self.on_message(kind, &envelope, frame, out)
            }
            (State::Present, None) => {
                Err(Complaint("UNKNOWN_TYPE", "this type is not known", Violation::Malformed))
            }
            _ => Ok(()),
        }
    }

    fn on_hello(&mut self, envelope: &Envelope<'_>, out: &mut Vec<Output>) {
        self.accent = Accent::recognise(envelope);
        let hello = Introduction::read(envelope.payload()).unwrap_or_default();
        let key = hello.pubkey.as_deref().and_then(|text| key::read(text).ok());
        let Some((key, _)) = key else {
            return self.close(Ending::Violated(Violation::BadKey), out);
        };
        let Ok(sealing_key) = key::read_second(&key, hello.enc_pubkey.as_deref()) else {
            return self.close(Ending::Violated(Violation::BadKey), out);
        };
        let is_guest =
            self.accent.clients == Clients::Servers && uuid::Uuid::try_parse(&envelope.from).is_err();
        self.name = if is_guest || envelope.from.is_empty() {
            // One implementation leaves it to the server to name its users. Whoever has a name of the usual kind keeps it.
            name_for(&key)
        } else {
            envelope.from.to_string()
        };
        if !is_user_name(&self.name) {
            return self.close(Ending::Violated(Violation::BadKey), out);
        }
        let key = Arc::new(key);
        self.key = Some(Arc::clone(&key));
        let signed = envelope.sig.as_deref();
        let named = Named {
            name: self.name.as_str().into(),
            key: Some(key.id()),
            proven: signed.is_some(),
            sealing_key: sealing_key.map(Into::into),
            display_name: hello.display_name().map(Into::into),
        };
        let public_key: Arc<str> = hello.pubkey.as_deref().unwrap_or_default().into();
        // A hello without a signature proves nothing, so it may come again.
        let trace = match signed {
            Some(signature) => trace(sign::decode(signature).unwrap_or_default()),
            None => trace(format!("hello without a signature on connection {}", self.id)),
        };
        let spelled = heard::spelled(&self.name, &public_key, sealing_key);
        let dialect = Dialect::Socp;
        let newcomer =
            Newcomer { key: id_of(&self.name), named: Some(named), dialect, public_key, spelled, trace };
        match signed {
            Some(signature) => self.ask(envelope, signature, Then::Join(newcomer), out),
            None => self.join(newcomer, out),
        }
    }

    fn join(&mut self, newcomer: Newcomer, out: &mut Vec<Output>) {
        self.state = State::Present;
        out.push(Output::Join(newcomer, Ear::Socp(self.accent)));
    }

    /// Has a signature checked that claims to be this client's.
    fn ask(&mut self, envelope: &Envelope<'_>, signature: &str, then: Then, out: &mut Vec<Output>) {
        let question = sign::question(envelope.payload(), signature, self.way, true);
        let Some(((ways, question), key)) = question.zip(self.key.clone()) else {
            return self.on_bad_signature(&then, out);
        };
        self.state = State::Checking(Box::new(Pending { ways, then }));
        out.push(Output::Check(Check { key, question }));
    }

    fn on_checked(&mut self, verdict: Verdict, out: &mut Vec<Output>) {
        let pending = match std::mem::replace(&mut self.state, State::Present) {
            State::Checking(pending) => *pending,
            other => {
                self.state = other;
                return;
            }
        };
        let Pending { ways, then } = pending;
        match (verdict.and_then(|(at, salt)| Some((*ways.get(at)?, salt))), then) {
            (Some(way), Then::Join(newcomer)) => {
                self.way = Some(way);
                self.join(newcomer, out);
            }
            (Some(way), Then::Route(letter)) => {
                self.way = Some(way);
                out.push(Output::Route(letter));
            }
            (None, then) => self.on_bad_signature(&then, out),
        }
    }

    /// A hello that is signed badly ends the connection; anything else costs itself.
    fn on_bad_signature(&mut self, then: &Then, out: &mut Vec<Output>) {
        match then {
            Then::Join(_) => self.close(Ending::Violated(Violation::BadSignature), out),
            Then::Route(_) => {
                out.push(Output::Note(Violation::BadSignature));
                out.push(Output::Send(error("INVALID_SIG", "the signature does not fit the payload")));
            }
        }
    }

    fn on_message(
        &mut self,
        kind: Kind,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Result<(), Complaint> {
        if !envelope.from.is_empty() && *envelope.from != *self.name && kind != Kind::Error {
            let detail = "this connection speaks for another user";
            return Err(Complaint("INVALID_SIG", detail, Violation::WrongSender));
        }
        if !kind.server_only()
            && let Some(question) = answer::Question::read(kind, envelope)
        {
            out.push(Output::Find(question.about()));
            self.state = State::Asking(question);
            return Ok(());
        }
        match kind {
            Kind::Heartbeat | Kind::Ack | Kind::Error => Ok(()),
            Kind::CtrlClose => {
                self.close(Ending::Left, out);
                Ok(())
            }
            Kind::UserHello => Err(Complaint(
                "NAME_IN_USE",
                "this connection has said who it is already",
                Violation::OutOfOrder,
            )),
            // One program has its users advertise themselves, which their server has done.
            Kind::UserAdvertise if self.speaks_for_itself(envelope) => Ok(()),
            _ if kind.server_only() => {
                Err(Complaint("UNKNOWN_TYPE", "only servers may say this", Violation::OutOfOrder))
            }
            // Who leaves its name out would be given ours.
            _ if envelope.from.is_empty() => {
                Err(Complaint("INVALID_SIG", "this names no author", Violation::WrongSender))
            }
            _ => {
                let Some(audience) = heard::audience(kind, envelope, &[&self.terms.myself.id]) else {
                    let detail = "this type is not known here, or it names nobody";
                    return Err(Complaint("UNKNOWN_TYPE", detail, Violation::Malformed));
                };
                if !heard::is_a_letter(kind, envelope, Some(&self.name)) {
                    let detail = "this payload says what only servers may say";
                    return Err(Complaint("INVALID_SIG", detail, Violation::WrongSender));
                }
                let plain = plain::text(envelope, &audience, self.accent);
                let letter = Letter {
                    from: Origin::Here(self.id),
                    author: Author::Proven(self.member()),
                    audience,
                    trace: heard::trace_of(envelope, &self.name),
                    dialect: Dialect::Socp,
                    original: frame,
                    plain,
                };
                match envelope.sig.as_deref() {
                    Some(signature) => self.ask(envelope, signature, Then::Route(letter), out),
                    // The protocol's own examples leave it empty. The connection says who it is.
                    None => out.push(Output::Route(letter)),
                }
                Ok(())
            }
        }
    }

    fn speaks_for_itself(&self, envelope: &Envelope<'_>) -> bool {
        Presence::read(envelope.payload()).is_ok_and(|presence| *presence.user_id == *self.name)
    }

    fn member(&self) -> KeyId {
        id_of(&self.name)
    }

    /// What the client is told before the connection ends.
    #[must_use]
    pub fn last_words(&self, ending: Ending) -> Option<Frame> {
        let (code, detail) = match ending {
            Ending::Left => return None,
            Ending::Violated(Violation::BadKey) => {
                ("BAD_KEY", "a hello needs a name and public RSA keys of 4096 bits with exponent 65537")
            }
            Ending::Refused(Refusal::WrongKey) => ("BAD_KEY", "this name belongs to another key"),
            Ending::Violated(Violation::BadSignature) => ("INVALID_SIG", "the signature does not fit"),
            Ending::Refused(Refusal::Unproven) => ("INVALID_SIG", "this name comes with a signature"),
            Ending::Refused(Refusal::Replayed) => ("INVALID_SIG", "this hello was used before"),
            Ending::Refused(Refusal::Banned) => ("BANNED", "this key or this name may not come in here"),
            Ending::Refused(Refusal::NameInUse) => ("NAME_IN_USE", "somebody of this name is here"),
            Ending::Silent | Ending::NoHello | Ending::Stalled => {
                ("TIMEOUT", "nothing was heard for too long")
            }
            _ => return Some(relay::goodbye()),
        };
        Some(error(code, detail))
    }
}

/// The name of a user who has none: the same whenever this key comes.
fn name_for(key: &PublicKey) -> String {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = key.id().0;
    let bytes = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// What a server is told before the connection ends.
#[must_use]
pub fn last_words_to_server(ending: Ending) -> Option<Frame> {
    let (code, detail) = match ending {
        Ending::Left => return None,
        Ending::Violated(Violation::BadKey) => {
            ("BAD_KEY", "a server needs a public RSA key of 4096 bits with exponent 65537")
        }
        Ending::Refused(Refusal::WrongKey) => ("BAD_KEY", "this server is known by another key"),
        Ending::Violated(Violation::BadSignature) => {
            ("INVALID_SIG", "the payload is not signed with your key in any form that is known")
        }
        Ending::Refused(Refusal::Unproven) => ("INVALID_SIG", "sign it, and show the key"),
        Ending::Silent | Ending::NoHello | Ending::Stalled => ("TIMEOUT", "nothing was heard for too long"),
        _ => return Some(relay::goodbye()),
    };
    Some(error(code, detail))
}

#[cfg(test)]
mod tests;
