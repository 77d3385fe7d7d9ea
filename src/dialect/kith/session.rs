//! One side of a Kith link: the handshake, and then messages both ways.
//!
//! ```text
//! dialler                                   answerer
//!   Hello  (nonce, half a secret, key)  ->
//!                                       <-  Welcome (its own hello; signs both)
//!   Proof  (signs both)                 ->
//!                                       <-  Ready   (sealed, as everything after it)
//! ```
//!
//! Both sign the bytes of both hellos, behind words that say who signs, so a signature is worth nothing
//! anywhere else. **Invariants:** nothing is believed before the other side has proven its key and the
//! house has said welcome; afterwards nothing that was not sealed by it; nothing is said after the end.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    directory, doors,
    hello::{Them, own_hello, read_hello, refused_by_them},
    rooms,
    wire::{self, Ping, Proof, Refused, Welcome, kind},
};
use crate::{
    crypto::{
        channel::{Channel, Ephemeral, Purpose},
        signature::{Question, Salt, Verdict},
    },
    dialect::{
        Terms,
        event::{Check, Hand, Input, Output, Pause},
    },
    domain::{
        Moment,
        id::{HomeId, KeyId},
        letter::Frame,
        limits::seconds,
        refusal::{Ending, Refusal, Violation},
    },
};

/// One link.
#[derive(Debug)]
pub struct Session {
    terms: Arc<Terms>,
    we_dialled: bool,
    /// Our own hello, whole, once it is written.
    hello: Bytes,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The dialler speaks first, and waits for the welcome.
    Opening(Ephemeral),
    /// The answerer waits for the hello.
    Listening(Ephemeral),
    /// The house is asked about the claim.
    Claiming {
        ephemeral: Ephemeral,
        them: Them,
        signature: Option<Vec<u8>>,
    },
    /// The answerer's signature is being made, or the dialler's.
    Signing {
        ephemeral: Ephemeral,
        them: Them,
    },
    /// The answerer waits for the proof.
    Welcoming {
        ephemeral: Ephemeral,
        them: Them,
    },
    /// A signature is being checked.
    Checking {
        ephemeral: Ephemeral,
        them: Them,
    },
    /// The dialler waits for the answer to its proof.
    Proving {
        channel: Channel,
        them: Them,
    },
    /// The house is asked whether it wants the link.
    Greeting {
        channel: Channel,
        key: KeyId,
    },
    /// The link is up.
    Up {
        channel: Channel,
        home: HomeId,
        key: KeyId,
        heard: Moment,
    },
    Over,
}

type Outcome = Result<(), Ending>;
const MALFORMED: Ending = Ending::Violated(Violation::Malformed);

impl Session {
    /// The side that dials, and believes to have dialled this address.
    #[must_use]
    pub fn dialling(terms: Arc<Terms>, ephemeral: Ephemeral, dialled: &str) -> Self {
        let hello = own_hello(&terms, &ephemeral, dialled);
        Self { terms, we_dialled: true, hello, state: State::Opening(ephemeral) }
    }

    /// The side that is dialled.
    #[must_use]
    pub fn answering(terms: Arc<Terms>, ephemeral: Ephemeral) -> Self {
        let hello = own_hello(&terms, &ephemeral, "");
        Self { terms, we_dialled: false, hello, state: State::Listening(ephemeral) }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Moment, out: &mut Vec<Output>) {
        if matches!(self.state, State::Over) {
            return;
        }
        let outcome = match input {
            Input::Opened => {
                if let State::Opening(_) = self.state {
                    out.push(Output::Step("hello", "we say who we are".to_owned()));
                    out.push(Output::Send(Frame::Binary(self.hello.clone())));
                }
                Ok(())
            }
            Input::Frame(Frame::Binary(bytes)) => self.on_message(bytes, now, out),
            Input::Frame(Frame::Text(_)) => Err(MALFORMED),
            Input::Stands(standing) => self.on_standing(standing.err(), out),
            Input::Signed(signature) => self.on_signed(signature, out),
            Input::Checked(verdict) => self.on_checked(verdict, out),
            Input::Welcomed(answer) => self.on_welcome(answer, now, out),
            Input::Woken => self.on_alarm(now, out),
            Input::Found(_) | Input::Joined(_) => Ok(()),
        };
        if let Err(ending) = outcome {
            self.close(ending, out);
        }
    }

    /// What the house has to say, as it goes out: sealed, once there is a seal. What the session itself
    /// says is sealed already.
    #[must_use]
    pub fn wrap(&mut self, frame: Frame) -> Frame {
        match (&mut self.state, frame) {
            // The proof itself is still read without a seal.
            (State::Greeting { channel, .. } | State::Up { channel, .. }, Frame::Binary(plain)) => {
                Frame::Binary(channel.seal(&plain))
            }
            (_, frame) => frame,
        }
    }

    /// Nothing will be wished for any more.
    pub fn end(&mut self) {
        self.state = State::Over;
    }

    /// The last words. A step that failed may have left no state behind; then there was no seal either.
    fn close(&mut self, ending: Ending, out: &mut Vec<Output>) {
        if let Ending::Refused(refusal) = ending {
            self.say(wire::encode(kind::REFUSED, &Refused { code: refusal.code().to_owned() }), out);
        }
        out.push(Output::Close(ending));
        self.state = State::Over;
    }

    fn on_message(&mut self, bytes: Bytes, now: Moment, out: &mut Vec<Output>) -> Outcome {
        if let State::Proving { channel, .. } | State::Up { channel, .. } = &mut self.state {
            let message = channel.open(bytes).ok_or(Ending::Violated(Violation::BadSignature))?;
            return self.on_sealed(&message, now, out);
        }
        let (kind, body) = bytes.split_first().ok_or(MALFORMED)?;
        match (std::mem::replace(&mut self.state, State::Over), *kind) {
            (State::Listening(ephemeral), kind::HELLO) => {
                let them = read_hello(&bytes)?;
                out.push(Output::Step("hello", them.describe()));
                out.push(Output::Claim(them.claim.clone()));
                self.state = State::Claiming { ephemeral, them, signature: None };
                Ok(())
            }
            (State::Opening(ephemeral), kind::WELCOME) => {
                let Welcome { hello, signature } = wire::decode(body).map_err(|_| MALFORMED)?;
                let them = read_hello(&hello.into())?;
                out.push(Output::Step("welcome", them.describe()));
                out.push(Output::Claim(them.claim.clone()));
                self.state = State::Claiming { ephemeral, them, signature: Some(signature) };
                Ok(())
            }
            (State::Welcoming { ephemeral, them }, kind::PROOF) => {
                let Proof { signature } = wire::decode(body).map_err(|_| MALFORMED)?;
                out.push(Output::Step("proof", "they sign the transcript".to_owned()));
                out.push(Output::Check(self.check(&them, signature)));
                self.state = State::Checking { ephemeral, them };
                Ok(())
            }
            (state, kind::REFUSED) => {
                self.state = state;
                refused_by_them(&bytes)
            }
            (state, _) => {
                self.state = state;
                Err(Ending::Violated(Violation::OutOfOrder))
            }
        }
    }

    fn transcript(&self, them: &Them, by_dialler: bool) -> Vec<u8> {
        let (first, second) =
            if self.we_dialled { (&self.hello, &them.hello) } else { (&them.hello, &self.hello) };
        Purpose::Servers.transcript(by_dialler, first, second)
    }

    fn check(&self, them: &Them, signature: Vec<u8>) -> Check {
        let text = self.transcript(them, !self.we_dialled);
        let question = Question { texts: vec![text], signature, salt: Some(Salt::Digest) };
        Check { key: Arc::clone(&them.key), question }
    }

    fn on_standing(&mut self, refused: Option<Refusal>, out: &mut Vec<Output>) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Claiming { ephemeral, them, signature } => {
                if let Some(refusal) = refused {
                    self.state = State::Claiming { ephemeral, them, signature };
                    return Err(Ending::Refused(refusal));
                }
                match signature {
                    // We dialled: they have proven themselves, or not.
                    Some(signature) => {
                        out.push(Output::Check(self.check(&them, signature)));
                        self.state = State::Checking { ephemeral, them };
                    }
                    None => {
                        out.push(Output::Sign(Hand::Server, self.transcript(&them, false)));
                        self.state = State::Signing { ephemeral, them };
                    }
                }
                Ok(())
            }
            other => self.ignore(other),
        }
    }

    fn on_signed(&mut self, signature: Vec<u8>, out: &mut Vec<Output>) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Signing { ephemeral, them } if self.we_dialled => {
                out.push(Output::Step("proof", "we sign the transcript".to_owned()));
                out.push(Output::Send(Frame::Binary(wire::encode(kind::PROOF, &Proof { signature }))));
                let channel = self.agree(ephemeral, &them)?;
                self.state = State::Proving { channel, them };
                Ok(())
            }
            State::Signing { ephemeral, them } => {
                out.push(Output::Step("welcome", "we sign the transcript".to_owned()));
                let welcome = Welcome { hello: self.hello.to_vec(), signature };
                out.push(Output::Send(Frame::Binary(wire::encode(kind::WELCOME, &welcome))));
                self.state = State::Welcoming { ephemeral, them };
                Ok(())
            }
            other => self.ignore(other),
        }
    }

    fn agree(&self, ephemeral: Ephemeral, them: &Them) -> Result<Channel, Ending> {
        let transcript = self.transcript(them, true);
        let channel = ephemeral.agree(Purpose::Servers, &them.ephemeral, &transcript, self.we_dialled);
        channel.map_err(|_| Ending::Violated(Violation::BadKey))
    }

    fn on_checked(&mut self, verdict: Verdict, out: &mut Vec<Output>) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Checking { ephemeral, them } => {
                if verdict.is_none() {
                    out.push(Output::Step("proof", "their signature is not good".to_owned()));
                    self.state = State::Checking { ephemeral, them };
                    return Err(Ending::Violated(Violation::BadSignature));
                }
                out.push(Output::Step("proven", format!("key {}", them.key.id().short())));
                if self.we_dialled {
                    out.push(Output::Proven(them.key.id()));
                    out.push(Output::Sign(Hand::Server, self.transcript(&them, true)));
                    self.state = State::Signing { ephemeral, them };
                } else {
                    let channel = self.agree(ephemeral, &them)?;
                    self.greet(channel, them, out);
                }
                Ok(())
            }
            other => self.ignore(other),
        }
    }

    fn on_welcome(&mut self, answer: Result<HomeId, Refusal>, now: Moment, out: &mut Vec<Output>) -> Outcome {
        match (std::mem::replace(&mut self.state, State::Over), answer) {
            (state @ State::Greeting { .. }, Err(refusal)) => {
                self.state = state;
                Err(Ending::Refused(refusal))
            }
            (State::Greeting { channel, key }, Ok(home)) => {
                self.state = State::Up { channel, home, key, heard: now };
                out.push(Output::Step("up", "the link is up".to_owned()));
                if !self.we_dialled {
                    self.say(Bytes::from_static(&[kind::READY]), out);
                }
                self.ping(now, out);
                Ok(())
            }
            (other, _) => self.ignore(other),
        }
    }

    fn on_sealed(&mut self, message: &Bytes, now: Moment, out: &mut Vec<Output>) -> Outcome {
        let (kind, body) = message.split_first().ok_or(MALFORMED)?;
        if *kind == kind::REFUSED {
            return refused_by_them(message);
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Proving { channel, them } if *kind == kind::READY => {
                self.greet(channel, them, out);
                return Ok(());
            }
            state => self.state = state,
        }
        let State::Up { home, key, heard, .. } = &mut self.state else {
            return Err(Ending::Violated(Violation::OutOfOrder));
        };
        *heard = now;
        match *kind {
            kind::PART | kind::CHANGES | kind::STANDING => {
                out.extend(wire::read_news(message).map_err(|_| MALFORMED)?.map(Output::Tell));
            }
            kind::WANT_LIST => out.push(Output::WantList),
            kind::SEATS..=kind::LOST => {
                out.extend(rooms::read(message, *key).map_err(|_| MALFORMED)?.map(Output::RoomNews));
            }
            kind::LETTER => {
                let most = self.terms.recipients_per_letter;
                let letter = wire::read_letter(message, *home, most).map_err(|_| MALFORMED)?;
                // One bad letter is no reason to lose the good ones.
                out.extend(letter.map(|letter| letter.map_or_else(Output::Note, Output::Route)));
            }
            kind::PING => {
                let ping: Ping = wire::decode(body).map_err(|_| MALFORMED)?;
                self.say(wire::encode(kind::PONG, &ping), out);
            }
            kind::PONG => {
                out.push(Output::RoundTrip(wire::decode::<Ping>(body).map_err(|_| MALFORMED)?.age(now)));
            }
            kind::LINKS => out.push(Output::Report(wire::decode(body).map_err(|_| MALFORMED)?)),
            kind::BANS => out.push(Output::Bans(wire::decode(body).map_err(|_| MALFORMED)?)),
            kind::HOLD => out.push(Output::Pause(Pause::Hold(wire::decode(body).map_err(|_| MALFORMED)?))),
            kind::HELD => out.push(Output::Pause(Pause::Held(wire::decode(body).map_err(|_| MALFORMED)?))),
            kind::GO_ON => out.push(Output::Pause(Pause::GoOn)),
            kind::DOORS => out.push(Output::Doors(doors::read(body).map_err(|_| MALFORMED)?)),
            kind::DIRECTORY => out.push(Output::Directory(directory::read(body).map_err(|_| MALFORMED)?)),
            // A newer program says something that we need not understand.
            _ => {}
        }
        Ok(())
    }

    fn greet(&mut self, channel: Channel, them: Them, out: &mut Vec<Output>) {
        self.state = State::Greeting { channel, key: them.key.id() };
        out.push(Output::Greet(them.greeting()));
    }

    fn on_alarm(&mut self, now: Moment, out: &mut Vec<Output>) -> Outcome {
        let State::Up { heard, .. } = self.state else { return Ok(()) };
        if now.saturating_sub(heard) >= seconds(self.terms.peer_silence_s) {
            return Err(Ending::Silent);
        }
        self.ping(now, out);
        Ok(())
    }

    /// Says something under the seal. It must go out before anything else is sealed.
    fn say(&mut self, message: Bytes, out: &mut Vec<Output>) {
        let frame = self.wrap(Frame::Binary(message));
        out.push(Output::Send(frame));
    }

    fn ping(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.say(wire::encode(kind::PING, &Ping::at(now)), out);
        out.push(Output::Wake(now + seconds(self.terms.peer_heartbeat_s)));
    }

    /// An answer to a question that nobody asked changes nothing.
    fn ignore(&mut self, state: State) -> Outcome {
        self.state = state;
        Ok(())
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
