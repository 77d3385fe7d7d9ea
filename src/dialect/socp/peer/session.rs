//! One socket to or from a server that speaks SOCP.
//!
//! ```text
//! they dialled                               we dialled
//!   Listening   JOIN, LINK or ANNOUNCE         Opening
//!   Claiming    the house: who is that?        Claiming    the house: whom did we dial?
//!   Checking    its signature, if there is     Waiting     our JOIN or LINK is out
//!   Greeting    the house: welcome?            Claiming    the house: is that who we dialled?
//!   Asking      who is here, for the WELCOME   Checking, Greeting
//!   Up          WELCOME or ANNOUNCE is out     Up          ANNOUNCE is out
//! ```
//!
//! **Invariants:** nothing is told or routed before the house said welcome; a frame that says something about
//! members or from them counts only with a signature of the key of this link, where the protocol has one; a
//! server speaks for its own members alone; no ERROR is ever answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{FIRST_WORD_S, HEARTBEAT_S, hello};
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Salt, Verdict},
    },
    dialect::{
        Terms,
        event::{Check, Claim, Input, Output, ServerCard},
        is_fatal,
        socp::{
            accent::Accent,
            answer::Question,
            envelope::Envelope,
            kind::Kind,
            relay::error,
            request::Complaint,
            sign::Way,
            stamp::{Draft, Stamp},
            strange::Strange,
        },
    },
    domain::{
        Moment,
        channel::Wraps,
        id::HomeId,
        letter::{Frame, Letter},
        news::News,
        peer::LinkDialect,
        refusal::{Ending, Violation},
    },
};

/// One socket.
#[derive(Debug)]
pub struct Session {
    pub(super) terms: Arc<Terms>,
    pub(super) we_dialled: bool,
    pub(super) claim: Claim,
    pub(super) accent: Accent,
    /// Nothing is learnt about it.
    pub(super) is_set: bool,
    /// What we are called on this link.
    pub(super) me: String,
    /// What the other side is called.
    pub(super) other: String,
    pub(super) key: Option<Arc<PublicKey>>,
    /// The servers that our welcome names.
    pub(super) servers: Vec<ServerCard>,
    pub(super) is_proven: bool,
    /// How many frames of others have come before the first one of its own.
    pub(super) strange: usize,
    pub(super) way: Option<(Way, Salt)>,
    /// When each member's presence was told last, by the teller's clock: older news is not news.
    pub(super) told: BTreeMap<String, i64>,
    /// What it was told in an ERROR, and about which types.
    pub(super) complaints: Vec<(&'static str, String)>,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Opening,
    Listening,
    /// The house is asked who that is; with the frame in which it says so.
    Claiming(Option<Frame>),
    /// The signature of that frame is being checked.
    Checking(Frame, Vec<Way>),
    /// Our first words are out.
    Waiting,
    /// Nobody needs to answer them; is this frame signed by whom we meant?
    Hearing(Frame, Vec<Way>),
    /// The house is asked whether it wants the link.
    Greeting(Option<Frame>),
    /// Who is here, for the welcome?
    Asking(HomeId),
    Up(HomeId),
    /// A frame counts if its signature is good.
    Weighing(HomeId, Box<Weighed>),
    /// The house is asked who may have signed a frame.
    Looking(HomeId, Box<(Envelope<'static>, Then)>),
    /// The house is asked for what the server wants to know.
    Answering(HomeId, Box<Question>),
    Over,
}

/// A frame whose signature is being checked.
#[derive(Debug)]
pub(super) struct Weighed {
    /// What type of frame it is.
    pub(super) kind: String,
    pub(super) ways: Vec<Way>,
    pub(super) then: Then,
    /// Another key that may have made it.
    pub(super) or: Option<Check>,
}

/// What follows from a frame that is signed well.
#[derive(Debug)]
pub(super) enum Then {
    Tell(Told),
    /// Nothing but that it lives.
    Live,
    /// It did not find somebody whom we believe to be there.
    Missed(News),
    /// It has handed out a key of the channel that its maker has signed, or not.
    Keep(Wraps),
    /// It wants to know something.
    Answer(Box<Question>),
    /// With the arrival of its author, if nobody has told of that.
    Route(Box<Letter>, Option<Told>),
}

/// What a server says about a member of its own.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) user: String,
    /// When, by its own clock, if it says so.
    pub(super) ts: Option<i64>,
    pub(super) news: News,
}

pub(super) type Outcome = Result<(), Ending>;

pub(super) const MALFORMED: Ending = Ending::Violated(Violation::Malformed);
pub(super) const OUT_OF_ORDER: Ending = Ending::Violated(Violation::OutOfOrder);

/// An ERROR of the other side is never answered. Whoever looks at the link sees it; all of it, if it is not of the
/// usual shape.
pub(super) fn complaint(envelope: &Envelope<'_>, text: &str) -> Output {
    let complaint = Complaint::read(envelope.payload()).unwrap_or_default();
    let said = format!("{} {}", complaint.code.as_deref().unwrap_or_default(), complaint.detail());
    let said = if said.trim().is_empty() { text } else { said.trim() };
    Output::Step("error", said.to_owned())
}

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
        let mut session = Self {
            we_dialled: dialled.is_some(),
            claim: Claim { dialect: LinkDialect::Socp, address, name: None, key: None },
            accent: accent.unwrap_or_default(),
            is_set: false,
            me: String::new(),
            other: String::new(),
            key: None,
            servers: Vec::new(),
            is_proven: false,
            strange: 0,
            way: None,
            told: BTreeMap::new(),
            complaints: Vec::new(),
            state: if dialled.is_some() { State::Opening } else { State::Listening },
            terms,
        };
        session.name_us();
        session
    }

    /// How long it may take until the other side has said something, if it need not answer.
    #[must_use]
    pub fn hello_s(&self) -> u32 {
        let waits = matches!(self.state, State::Waiting | State::Hearing(..)) && self.needs_no_answer();
        if waits { FIRST_WORD_S } else { 0 }
    }

    /// What drafts leave open on this link.
    #[must_use]
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp { accent: self.accent, me: &self.me, other: &self.other }
    }

    pub(super) fn name_us(&mut self) {
        let prefix = match (self.accent.prefix, self.we_dialled) {
            (false, _) => "",
            (true, true) => "server_",
            (true, false) => "master_server_",
        };
        self.me = format!("{prefix}{}", self.terms.myself.id);
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Moment, out: &mut Vec<Output>) {
        let outcome = match input {
            _ if matches!(self.state, State::Over) => Ok(()),
            Input::Opened => self.on_open(out),
            Input::Frame(frame) => self.on_frame(frame, out),
            Input::Stands(standing) => self.on_standing(standing, out),
            Input::Checked(verdict) => self.on_checked(verdict, out),
            Input::Welcomed(answer) => self.on_welcome(answer, now, out),
            Input::Found(members) => {
                if let State::Asking(home) = self.state {
                    let welcome = hello::Welcoming {
                        myself: &self.terms.myself,
                        me: &self.me,
                        accent: self.accent,
                        joiner: &self.other,
                    };
                    out.push(Output::Send(welcome.frame(&members, &self.servers)));
                    self.state = State::Up(home);
                    Ok(())
                } else {
                    self.on_found(&members, out)
                }
            }
            Input::Woken => {
                if self.is_up() {
                    self.beat(now, out);
                }
                Ok(())
            }
            Input::Signed(_) | Input::Joined(_) => Ok(()),
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

    /// Whether the house has let it in.
    const fn is_up(&self) -> bool {
        let waits = matches!(self.state, State::Weighing(..) | State::Looking(..) | State::Answering(..));
        waits || matches!(self.state, State::Asking(_) | State::Up(_))
    }

    /// First words that cannot be followed: the other side is told why, and the house, too.
    pub(super) fn on_strange(&mut self, strange: &Strange<'_>, out: &mut Vec<Output>) {
        let Strange { kind, from, why } = strange;
        out.push(Output::Step("frame", format!("{kind} from {from}: {why}")));
        if !self.we_dialled {
            let kind: String = kind.chars().take(64).collect();
            out.push(Output::Send(error("UNKNOWN_TYPE", &format!("{kind}: {why}"))));
        }
        self.state = State::Over;
        out.push(Output::Close(MALFORMED));
    }

    fn beat(&self, now: Moment, out: &mut Vec<Output>) {
        out.push(Output::Send(Draft::new(Kind::Heartbeat, "{}").frame()));
        out.push(Output::Wake(now + Duration::from_secs(HEARTBEAT_S.into())));
    }

    fn on_open(&mut self, out: &mut Vec<Output>) -> Outcome {
        if let State::Opening = self.state {
            self.state = State::Claiming(None);
            out.push(Output::Claim(self.claim.clone()));
        }
        Ok(())
    }

    pub(super) fn on_frame(&mut self, frame: Frame, out: &mut Vec<Output>) -> Outcome {
        if !matches!(self.state, State::Listening | State::Waiting | State::Up(_)) {
            return Ok(());
        }
        if !matches!(self.state, State::Up(_))
            && let Some(strange) = frame.text().and_then(Strange::read)
        {
            self.on_strange(&strange, out);
            return Ok(());
        }
        let envelope = frame.text().and_then(|text| Envelope::read(text).ok()).ok_or(MALFORMED)?;
        match (&self.state, envelope.known()) {
            (State::Listening, Some(kind)) if kind.opens_link() => {
                let envelope = envelope.into_owned();
                self.on_introduction(&envelope, frame, out)
            }
            (State::Listening, _) => Err(OUT_OF_ORDER),
            (State::Waiting, Some(Kind::ServerWelcome | Kind::ServerAnnounce)) => {
                let envelope = envelope.into_owned();
                self.on_answer(&envelope, frame, out)
            }
            (State::Waiting, Some(Kind::Error)) => {
                out.push(complaint(&envelope, frame.text().unwrap_or_default()));
                Ok(())
            }
            (State::Waiting, Some(kind)) if self.needs_no_answer() && may_be_first(kind) => {
                let envelope = envelope.into_owned();
                self.on_first_word(&envelope, frame, out);
                Ok(())
            }
            (State::Up(home), kind) => {
                let (home, envelope) = (*home, envelope.into_owned());
                self.on_message(home, kind, &envelope, frame, out)
            }
            _ => Ok(()),
        }
    }

    fn on_checked(&mut self, verdict: Verdict, out: &mut Vec<Output>) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Checking(frame, ways) => {
                let found = verdict.and_then(|(at, salt)| Some((*ways.get(at)?, salt)));
                let Some(found) = found else {
                    let detail = format!("none of {} known ways of signing fits its key", ways.len());
                    out.push(Output::Step("signature", detail));
                    return Err(Ending::Violated(Violation::BadSignature));
                };
                out.push(Output::Step("signature", format!("{found:?}")));
                self.learn(found);
                self.is_proven = true;
                self.greet(Some(Self::covered(frame, found)), out)
            }
            State::Hearing(frame, ways) => {
                let found = verdict.and_then(|(at, salt)| Some((*ways.get(at)?, salt)));
                self.on_heard(frame, found, out)
            }
            State::Weighing(home, weighed) => {
                self.on_weighed(home, *weighed, verdict, out);
                Ok(())
            }
            other => {
                self.state = other;
                Ok(())
            }
        }
    }
}

/// Whether only servers say it, so that its signature shows whose link this is.
fn may_be_first(kind: Kind) -> bool {
    kind.server_only() || kind == Kind::Heartbeat
}
