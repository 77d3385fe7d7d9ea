//! One socket to or from a server that speaks OLAF.
//!
//! ```text
//! they dialled                              we dialled
//!   Listening   their hello                   Opening
//!   Claiming    the house: who is that?       Claiming    the house: whom did we dial?
//!   Checking    their signature               Signing     our hello
//!   Signing     our hello                     Waiting     for theirs, if it must prove something
//!   Greeting    the house: welcome?           Checking    their signature, if it comes in time
//!   Up                                        Greeting, Up; Checking and Greeting, if it comes late
//! ```
//!
//! Our hello goes out before the house says welcome: what it has to say to a neighbour comes at once, and
//! some programs take anything that comes before the hello as an offence. **Invariants:** nothing
//! is told or routed before the house said welcome, nothing after the end; a key that is known is never
//! passed over by a hello that proves nothing, unless that was set for this very neighbour.

use std::{sync::Arc, time::Duration};

use super::{
    accent::{Accent, Signed},
    heard::{self, Members},
    hello::{self, Draft},
    update_request,
    wire::{Hello, Message},
};
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Salt, Verdict},
    },
    dialect::{
        Accent as AnyAccent, Ear, Terms,
        event::{Check, Claim, Greeting, Hand, Input, Output, Standing},
        is_fatal,
        olaf::{accent::Form, wire::into_text},
        trace,
    },
    domain::{
        Moment,
        address::Address,
        id::HomeId,
        letter::Frame,
        neighbourhood::Sockets,
        peer::LinkDialect,
        refusal::{Ending, Refusal, Violation},
        replay::Trace,
    },
};

/// How long a neighbour gets for our hello before it is asked for its list. One implementation closes
/// the socket if the question comes first.
pub(super) const BEFORE_ASKING: Duration = Duration::from_millis(250);
/// How long we wait for a hello on a socket of ours. Those who answer do so at once; the others never do.
pub(super) const BEFORE_GIVING_UP: Duration = Duration::from_secs(1);

/// One socket.
#[derive(Debug)]
pub struct Session {
    terms: Arc<Terms>,
    we_dialled: bool,
    claim: Claim,
    accent: Accent,
    /// Nothing is learnt about it.
    is_set: bool,
    key: Option<Arc<PublicKey>>,
    may_be_unproven: bool,
    is_proven: bool,
    /// Whether they have said who they are, with which counter, and how that was signed.
    has_heard: bool,
    counter: Option<u64>,
    found: Option<(Form, Salt)>,
    members: Members,
    has_asked: bool,
    now: Moment,
    /// What their hello is recognised by, if somebody plays it back.
    trace: Option<Trace>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// We dialled, and the socket is not open yet.
    Opening,
    /// They dialled, and have not said who they are.
    Listening,
    /// The house is asked who that is. With their hello, if they dialled.
    Claiming(Option<Frame>),
    /// Their signature is being checked.
    Checking(Frame, Vec<Form>),
    /// Our hello is being signed.
    Signing(Draft),
    /// Our hello is out, and theirs must prove who they are.
    Waiting,
    /// The house is asked whether it wants the link.
    Greeting,
    /// The link is up.
    Up(HomeId),
    Over,
}

type Outcome = Result<(), Ending>;

const UNPROVEN: Ending = Ending::Refused(Refusal::Unproven);

impl Session {
    /// A socket that a server opened to us.
    #[must_use]
    pub fn answering(terms: Arc<Terms>) -> Self {
        Self::new(terms, None, None)
    }

    /// A socket that we opened to the server at this address, which may speak as it did before.
    #[must_use]
    pub fn dialling(terms: Arc<Terms>, accent: Option<Accent>, dialled: &str) -> Self {
        Self::new(terms, accent, Some(dialled))
    }

    fn new(terms: Arc<Terms>, accent: Option<Accent>, dialled: Option<&str>) -> Self {
        let address = dialled.unwrap_or_default().to_owned();
        Self {
            terms,
            we_dialled: dialled.is_some(),
            claim: Claim { dialect: LinkDialect::Olaf, address, name: None, key: None },
            accent: accent.unwrap_or_default(),
            is_set: false,
            key: None,
            may_be_unproven: false,
            is_proven: false,
            has_heard: false,
            counter: None,
            found: None,
            members: Members::default(),
            has_asked: false,
            now: Moment::ZERO,
            trace: None,
            state: if dialled.is_some() { State::Opening } else { State::Listening },
        }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Moment, out: &mut Vec<Output>) {
        self.now = now;
        let outcome = match input {
            Input::Opened => self.on_open(out),
            Input::Frame(frame) => self.on_frame(frame, out),
            Input::Stands(standing) => self.on_standing(standing, out),
            Input::Checked(verdict) => self.on_checked(verdict, out),
            Input::Signed(signature) => self.on_signed(&signature, out),
            Input::Welcomed(answer) => self.on_welcome(answer, out),
            Input::Woken => self.on_alarm(out),
            Input::Found(_) | Input::Joined(_) => Ok(()),
        };
        match outcome {
            Err(Ending::Violated(violation)) if !is_fatal(Ending::Violated(violation)) => {
                out.push(Output::Note(violation));
            }
            Err(ending) => {
                self.state = State::Over;
                out.push(Output::Close(ending));
            }
            Ok(()) => {}
        }
    }

    fn on_open(&mut self, out: &mut Vec<Output>) -> Outcome {
        if let State::Opening = self.state {
            self.state = State::Claiming(None);
            out.push(Output::Claim(self.claim.clone()));
        }
        Ok(())
    }

    fn on_frame(&mut self, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        let home = match self.state {
            State::Listening | State::Waiting => None,
            State::Up(home) => Some(home),
            _ => return Ok(()),
        };
        let malformed = Ending::Violated(Violation::Malformed);
        let frame = into_text(frame).ok_or(malformed)?;
        let message = frame.text().and_then(|text| Message::read(text).ok()).ok_or(malformed)?;
        match (message, home) {
            (Message::Hello(hello), None) => self.on_hello(&hello, frame.clone(), out),
            (Message::Hello(hello), Some(_)) => self.on_another_hello(&hello, frame.clone(), out),
            (Message::Letter(_) | Message::Update(_), Some(_)) if self.is_deaf() => {
                Err(Ending::Violated(Violation::OutOfOrder))
            }
            (Message::Letter(letter), Some(home)) => {
                let may_be_unsigned = self.accent.signed == Signed::None && self.terms.unsigned;
                let most = self.terms.recipients_per_letter;
                let letter = heard::letter(letter, frame.clone(), home, may_be_unsigned, most);
                out.push(Output::Route(letter.map_err(Ending::Violated)?));
                Ok(())
            }
            (Message::Update(entries), Some(_)) => {
                let (news, all_read) = self.members.replace(entries).map_err(Ending::Violated)?;
                out.push(Output::Tell(news));
                if all_read { Ok(()) } else { Err(malformed) }
            }
            (Message::UpdateRequest, Some(_)) => {
                out.push(Output::WantList);
                Ok(())
            }
            _ => Err(Ending::Violated(Violation::OutOfOrder)),
        }
    }

    /// They say who they are, on a socket that is not up.
    fn on_hello(&mut self, hello: &Hello<'_>, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        out.push(Output::Step("hello", hello::describe(hello)));
        if hello::proof(hello) != Signed::Rsa && !self.terms.unsigned {
            return Err(UNPROVEN);
        }
        if self.we_dialled {
            return self.examine(hello, frame, out);
        }
        self.claim.address.clone_from(&hello.address);
        out.push(Output::Claim(self.claim.clone()));
        self.state = State::Claiming(Some(frame));
        Ok(())
    }

    fn on_standing(&mut self, standing: Result<Standing, Refusal>, out: &mut Vec<Output>) -> Outcome {
        let State::Claiming(frame) = &mut self.state else { return Ok(()) };
        let frame = frame.take();
        let Standing { key, accent, unproven, .. } = standing.map_err(Ending::Refused)?;
        if key.is_none() && !unproven {
            return Err(UNPROVEN);
        }
        self.key = key;
        self.may_be_unproven = unproven;
        if let Some(AnyAccent::Olaf(accent)) = accent {
            self.accent = accent;
            self.is_set = true;
        }
        if self.accent.signed != Signed::Rsa && !self.terms.unsigned {
            return Err(UNPROVEN);
        }
        let Some(frame) = frame else { return self.introduce(out) };
        match frame.text().map(Message::read) {
            Some(Ok(Message::Hello(hello))) => self.examine(&hello, frame.clone(), out),
            _ => Err(Ending::Violated(Violation::Malformed)),
        }
    }

    /// Has their signature checked, or goes without.
    fn examine(&mut self, hello: &Hello<'_>, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        if let Some(forms) = self.ask(hello, out) {
            self.state = State::Checking(frame, forms);
            return Ok(());
        }
        // A key would be worth nothing if whoever leaves the signature out came in without it.
        if !self.may_be_unproven || (self.key.is_some() && self.accent.signed == Signed::Rsa) {
            return Err(UNPROVEN);
        }
        self.learn(hello);
        if self.we_dialled { self.greet(out) } else { self.introduce(out) }
    }

    /// Asks for a check, if there is a key and a signature.
    fn ask(&self, hello: &Hello<'_>, out: &mut Vec<Output>) -> Option<Vec<Form>> {
        let key = self.key.as_ref()?;
        let signed = hello.envelope.as_ref().filter(|_| hello::proof(hello) == Signed::Rsa)?;
        let (forms, question) = hello::question(signed, self.found);
        out.push(Output::Check(Check { key: Arc::clone(key), question }));
        Some(forms)
    }

    fn on_checked(&mut self, verdict: Verdict, out: &mut Vec<Output>) -> Outcome {
        let State::Checking(frame, forms) = &mut self.state else { return Ok(()) };
        let (frame, forms) = (frame.clone(), std::mem::take(forms));
        self.found = verdict.and_then(|(at, salt)| Some((forms.get(at).copied()?, salt)));
        if self.found.is_none() {
            out.push(Output::Step("proof", "their signature is not good".to_owned()));
            return Err(Ending::Violated(Violation::BadSignature));
        }
        self.is_proven = true;
        let key = self.key.as_ref().map(|key| key.id().short()).unwrap_or_default();
        out.push(Output::Step("proven", format!("key {key}")));
        if let Some(Ok(Message::Hello(hello))) = frame.text().map(Message::read) {
            self.learn(&hello);
        }
        // Late is better than never: a link that is up already is worth more from now on.
        if self.we_dialled { self.greet(out) } else { self.introduce(out) }
    }

    /// Keeps what a hello shows that may be believed.
    fn learn(&mut self, hello: &Hello<'_>) {
        self.has_heard = true;
        self.counter = hello.envelope.as_ref().map(|signed| signed.counter);
        // It may spell its address in another way than we did when we dialled it.
        if Address::new(&hello.address) == Address::new(&self.claim.address) {
            self.claim.address.clone_from(&hello.address);
        }
        self.trace = hello.envelope.as_ref().map(|signed| trace(&signed.signature));
        if !self.is_set && self.terms.detect_accents {
            self.accent = hello::recognise(hello, self.found);
        }
    }

    /// Says who we are.
    fn introduce(&mut self, out: &mut Vec<Output>) -> Outcome {
        let draft = Draft::new(self.accent, &self.terms.myself.address);
        match draft.text() {
            Some(text) => {
                out.push(Output::Sign(Hand::Olaf, text));
                self.state = State::Signing(draft);
                Ok(())
            }
            None => self.introduced(draft.frame(&[]), out),
        }
    }

    fn on_signed(&mut self, signature: &[u8], out: &mut Vec<Output>) -> Outcome {
        let State::Signing(draft) = &self.state else { return Ok(()) };
        let frame = draft.frame(signature);
        self.introduced(frame, out)
    }

    fn introduced(&mut self, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        out.push(Output::Step("hello", format!("we say who we are, in the accent {}", self.accent)));
        out.push(Output::Send(frame));
        if self.we_dialled && !self.may_be_unproven {
            self.state = State::Waiting;
            out.push(Output::Wake(self.now + BEFORE_GIVING_UP));
            return Ok(());
        }
        self.greet(out)
    }

    fn greet(&mut self, out: &mut Vec<Output>) -> Outcome {
        out.push(Output::Greet(Greeting {
            claim: self.claim.clone(),
            proven: self.is_proven,
            key: None,
            trace: self.trace.filter(|_| self.is_proven),
            ear: Ear::OlafPeer(self.accent),
            sockets: self.accent.sockets,
            card: None,
        }));
        self.has_asked = false;
        self.state = State::Greeting;
        Ok(())
    }

    fn on_welcome(&mut self, answer: Result<HomeId, Refusal>, out: &mut Vec<Output>) -> Outcome {
        let State::Greeting = self.state else { return Ok(()) };
        self.state = State::Up(answer.map_err(Ending::Refused)?);
        out.push(Output::Step("up", "the link is up".to_owned()));
        out.push(Output::Wake(self.now + BEFORE_ASKING));
        Ok(())
    }

    fn on_alarm(&mut self, out: &mut Vec<Output>) -> Outcome {
        match self.state {
            // Many implementations never say a word on a socket that they did not dial. We speak to them
            // there, and listen where they have proven who they are.
            State::Waiting if self.accent.sockets == Sockets::Two => return self.greet(out),
            State::Up(_) if !std::mem::replace(&mut self.has_asked, true) => {
                out.push(Output::Send(update_request()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether nothing that comes from here may be believed.
    fn is_deaf(&self) -> bool {
        !self.may_be_unproven && !self.is_proven
    }

    /// They say who they are, on a link that is up.
    fn on_another_hello(&mut self, hello: &Hello<'_>, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        // Only a socket of ours can be up before its other end has said anything.
        let is_first = self.we_dialled && !self.has_heard;
        if is_first && let Some(forms) = self.ask(hello, out) {
            self.state = State::Checking(frame, forms);
            return Ok(());
        }
        let is_weaker = self.key.is_some() || !self.terms.unsigned;
        if is_weaker && hello::proof(hello) != Signed::Rsa {
            return Err(Ending::Violated(Violation::Malformed));
        }
        if is_first {
            let before = self.accent;
            self.learn(hello);
            return if self.accent == before { Ok(()) } else { self.greet(out) };
        }
        let counter = hello.envelope.as_ref().map(|signed| signed.counter);
        if counter.is_some() && counter <= self.counter {
            return Err(Ending::Violated(Violation::StaleCounter));
        }
        self.counter = counter.or(self.counter);
        Ok(())
    }
}
