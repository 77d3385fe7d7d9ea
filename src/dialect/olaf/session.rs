//! The client side of a server: hello, letters, lists.
//!
//! A frame is read and judged cheaply first (shape, order, counter, length), then its signature is
//! asked about, and only the answer lets it count. **Invariant:** nothing is routed before a hello was
//! proven, nothing after the end, and never two frames for one counter.

use std::sync::Arc;

use bytestring::ByteString;

use super::{
    KEY_BITS,
    accent::{Ear, Form},
    wire::{self, Body, Message, Signed},
};
use crate::{
    crypto::{
        fingerprint,
        keys::PublicKey,
        sha256,
        signature::{Question, Salt, Verdict},
    },
    dialect::{
        Terms,
        event::{Check, Input, Output},
        rooms, trace,
    },
    domain::{
        address::Address,
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        member::Newcomer,
        refusal::{Ending, Violation},
        replay::Trace,
    },
};

/// One OLAF client.
#[derive(Debug)]
pub struct Session {
    id: ConnectionId,
    terms: Arc<Terms>,
    wish: Option<Ear>,
    state: State,
}

#[derive(Debug)]
enum State {
    Greeting,
    /// A signature is being checked. `me` is there unless it is the hello's.
    Checking {
        me: Option<Me>,
        pending: Box<Pending>,
    },
    Present(Me),
    Gone,
}

/// Who is proven to be at the other end.
#[derive(Debug)]
struct Me {
    key: Arc<PublicKey>,
    received: Arc<str>,
    counter: u64,
    form: Form,
    salt: Salt,
    fingerprint: Option<fingerprint::Form>,
}

/// What happens once the signature is known to be good.
#[derive(Debug)]
struct Pending {
    counter: u64,
    forms: Vec<Form>,
    trace: Trace,
    frame: Frame,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Join { key: Arc<PublicKey>, received: Arc<str> },
    Route { audience: Audience, fingerprint: Option<fingerprint::Form>, plain: Option<ByteString> },
}

impl Session {
    /// A client that has not said hello.
    #[must_use]
    pub const fn new(id: ConnectionId, terms: Arc<Terms>, wish: Option<Ear>) -> Self {
        Self { id, terms, wish, state: State::Greeting }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Frame(frame) => {
                if let Err(violation) = self.on_frame(frame, out) {
                    let ending = Ending::Violated(violation);
                    if crate::dialect::is_fatal(ending) {
                        self.close(ending, out);
                    } else {
                        out.push(Output::Note(violation));
                    }
                }
            }
            Input::Checked(verdict) => self.on_checked(verdict, out),
            // The rest is said to servers, or to dialects with names.
            _ => {}
        }
    }

    fn close(&mut self, ending: Ending, out: &mut Vec<Output>) {
        self.state = State::Gone;
        out.push(Output::Close(ending));
    }

    fn on_frame(&mut self, frame: Frame, out: &mut Vec<Output>) -> Result<(), Violation> {
        if matches!(self.state, State::Gone) {
            return Ok(());
        }
        let frame = wire::into_text(frame).ok_or(Violation::Malformed)?;
        let text = frame.text().ok_or(Violation::Malformed)?;
        if rooms::is_ours(text) {
            let State::Present(_) = self.state else { return Err(Violation::OutOfOrder) };
            rooms::hear(text, &self.terms.doors, out);
            return Ok(());
        }
        let pending = match Message::read(text).map_err(|_| Violation::Malformed)? {
            Message::ListRequest => {
                if !matches!(self.state, State::Present(_)) {
                    return Err(Violation::OutOfOrder);
                }
                out.push(Output::WantList);
                return Ok(());
            }
            Message::Signed(message) => {
                let body = message.body().map_err(|_| Violation::Malformed)?;
                self.on_signed(&message, body, frame.clone())?
            }
        };
        let (pending, check) = pending;
        let me = match std::mem::replace(&mut self.state, State::Gone) {
            State::Present(me) => Some(me),
            _ => None,
        };
        self.state = State::Checking { me, pending: Box::new(pending) };
        out.push(Output::Check(check));
        Ok(())
    }

    fn on_signed(
        &self,
        message: &Signed<'_>,
        body: Body,
        frame: Frame,
    ) -> Result<(Pending, Check), Violation> {
        match (&self.state, body) {
            (State::Greeting, Body::Hello { public_key }) => {
                let key = PublicKey::read(&public_key)
                    .and_then(|key| key.of_bits(KEY_BITS))
                    .map_err(|_| Violation::BadKey)?;
                let key = Arc::new(key);
                let then = Then::Join { key: Arc::clone(&key), received: public_key.into() };
                Ok(ask(message, frame, &key, None, then))
            }
            (State::Present(me), Body::PublicChat { sender, message: said }) => {
                me.count(message.counter)?;
                let fingerprint = fingerprint::recognise(&sender, &me.key, &me.received, me.fingerprint);
                let fingerprint = Some(fingerprint.ok_or(Violation::WrongSender)?);
                let plain = Some(said.into());
                let then = Then::Route { audience: Audience::Everyone, fingerprint, plain };
                Ok(ask(message, frame, &me.key, Some(me), then))
            }
            (State::Present(me), Body::Chat { homes, recipients }) => {
                me.count(message.counter)?;
                let most = usize::try_from(self.terms.recipients_per_letter).unwrap_or(usize::MAX);
                if recipients > most {
                    return Err(Violation::TooManyRecipients);
                }
                let homes = homes.iter().map(|home| Address::new(home)).collect();
                let (audience, fingerprint) = (Audience::Homes(homes), me.fingerprint);
                let then = Then::Route { audience, fingerprint, plain: None };
                Ok(ask(message, frame, &me.key, Some(me), then))
            }
            _ => Err(Violation::OutOfOrder),
        }
    }

    fn on_checked(&mut self, verdict: Verdict, out: &mut Vec<Output>) {
        let (me, pending) = match std::mem::replace(&mut self.state, State::Gone) {
            State::Checking { me, pending } => (me, pending),
            // Nothing was asked, so nothing changes.
            other => {
                self.state = other;
                return;
            }
        };
        let Pending { counter, forms, trace, frame, then } = *pending;
        let found = verdict.and_then(|(at, salt)| Some((forms.get(at).copied()?, salt)));
        let Some((form, salt)) = found else {
            self.close(Ending::Violated(Violation::BadSignature), out);
            return;
        };
        match (then, me) {
            (Then::Join { key, received }, _) => {
                let ear = self.wish.unwrap_or_else(|| self.listen(&frame, &received, salt));
                let public_key = Arc::clone(&received);
                let spelled = KeyId(sha256(received.as_bytes()));
                let newcomer = Newcomer {
                    key: key.id(),
                    named: None,
                    dialect: Dialect::Olaf,
                    public_key,
                    spelled,
                    trace,
                };
                out.push(Output::Join(newcomer, crate::dialect::Ear::Olaf(ear)));
                self.state = State::Present(Me { key, received, counter, form, salt, fingerprint: None });
            }
            (Then::Route { audience, fingerprint, plain }, Some(me)) => {
                out.push(Output::Route(Letter {
                    from: Origin::Here(self.id),
                    author: Author::Proven(me.key.id()),
                    audience,
                    trace,
                    dialect: Dialect::Olaf,
                    original: frame,
                    plain,
                }));
                self.state = State::Present(Me { counter, form, salt, fingerprint, ..me });
            }
            // A letter is only ever checked for somebody who is present.
            (Then::Route { .. }, None) => {}
        }
    }

    fn listen(&self, hello: &Frame, received: &str, salt: Salt) -> Ear {
        if !self.terms.detect_accents {
            return Ear::default();
        }
        match hello.text().map(|text| (text, Message::read(text))) {
            Some((text, Ok(Message::Signed(message)))) => Ear::recognise(&message, text, received, salt),
            _ => Ear::default(),
        }
    }
}

impl Me {
    const fn count(&self, counter: u64) -> Result<(), Violation> {
        if counter > self.counter { Ok(()) } else { Err(Violation::StaleCounter) }
    }
}

fn ask(
    message: &Signed<'_>,
    frame: Frame,
    key: &Arc<PublicKey>,
    me: Option<&Me>,
    then: Then,
) -> (Pending, Check) {
    let candidates = Form::candidates(message, me.map(|me| me.form));
    let (forms, texts) = candidates.into_iter().unzip();
    let signature = message.signature.clone();
    // A signature is what two printings of one letter have in common.
    let trace = trace(&signature);
    let question = Question { texts, signature, salt: me.map(|me| me.salt) };
    let pending = Pending { counter: message.counter, forms, trace, frame, then };
    (pending, Check { key: Arc::clone(key), question })
}
