//! How two servers meet: who says what first, what is checked, and what follows when the house says welcome.

use std::{sync::Arc, time::Duration};

use super::{
    HEARTBEAT_S, hello,
    session::{MALFORMED, Outcome, Session, State},
};
use crate::{
    crypto::signature::Salt,
    dialect::{
        Accent as AnyAccent, Ear,
        event::{Check, Greeting, Output, Standing},
        socp::{
            accent::{Accent, LinkType},
            envelope::Envelope,
            key,
            kind::Kind,
            payload::{Introduction, Welcome},
            sign::{self, Way},
        },
    },
    domain::{
        Moment,
        id::HomeId,
        letter::Frame,
        member::Whom,
        neighbourhood::Sockets,
        refusal::{Ending, Refusal, Violation},
    },
};

impl Session {
    /// A server that dialled us says who it is.
    pub(super) fn on_introduction(
        &mut self,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let introduction = Introduction::read(envelope.payload()).unwrap_or_default();
        let address = hello::address(&introduction).ok_or(MALFORMED)?;
        let (kind, from) = (&envelope.kind, &envelope.from);
        out.push(Output::Step("hello", format!("{kind} from {from} at {address}")));
        if self.terms.detect_accents {
            self.accent = Accent::recognise(envelope);
        }
        self.take_key(introduction.pubkey.as_deref())?;
        self.claim.address = address;
        self.meet(&envelope.from);
        self.state = State::Claiming(Some(frame));
        out.push(Output::Claim(self.claim.clone()));
        Ok(())
    }

    /// A server that we dialled answers.
    pub(super) fn on_answer(
        &mut self,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let (kind, from) = (&envelope.kind, &envelope.from);
        out.push(Output::Step("answer", format!("{kind} from {from}")));
        let welcome = Welcome::read(envelope.payload()).unwrap_or_default();
        self.take_key(welcome.introducer_key(from))?;
        self.meet(&envelope.from);
        self.state = State::Claiming(Some(frame));
        out.push(Output::Claim(self.claim.clone()));
        Ok(())
    }

    fn take_key(&mut self, text: Option<&str>) -> Outcome {
        let Some(text) = text else { return Ok(()) };
        let (key, _) = key::read(text).map_err(|_| Ending::Violated(Violation::BadKey))?;
        self.claim.key = Some(key.id());
        self.key = Some(Arc::new(key));
        Ok(())
    }

    pub(super) fn meet(&mut self, id: &str) {
        let fits = !id.is_empty() && id.len() <= 128 && !id.chars().any(char::is_control);
        self.other = if fits { id.to_owned() } else { String::new() };
        self.claim.name = Some(self.other.clone()).filter(|id| !id.is_empty());
    }

    pub(super) fn on_standing(
        &mut self,
        standing: Result<Standing, Refusal>,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let State::Claiming(frame) = &mut self.state else { return Ok(()) };
        let frame = frame.take();
        let Standing { key, accent, unproven } = standing.map_err(Ending::Refused)?;
        self.key = self.key.take().or(key);
        if let Some(AnyAccent::Socp(accent)) = accent {
            self.accent = accent;
            self.is_set = true;
        }
        self.name_us();
        let Some(frame) = frame else { return self.introduce(out) };
        let envelope = frame.text().and_then(|text| Envelope::read(text).ok()).ok_or(MALFORMED)?;
        let (signature, key) = match (envelope.sig.as_deref(), self.key.clone()) {
            (Some(signature), Some(key)) => (signature, key),
            (signature, _) => {
                if signature.is_some() {
                    out.push(Output::Step("key", "it never said which key is its own".to_owned()));
                }
                let may_stay = unproven && (signature.is_none() || self.terms.unsigned);
                let refused = Err(Ending::Refused(Refusal::Unproven));
                return if may_stay { self.greet(Some(frame), out) } else { refused };
            }
        };
        let bad = Ending::Violated(Violation::BadSignature);
        let (ways, question) = sign::question(envelope.payload(), signature, None, true).ok_or(bad)?;
        out.push(Output::Check(Check { key, question }));
        self.state = State::Checking(frame, ways);
        Ok(())
    }

    fn introduce(&mut self, out: &mut Vec<Output>) -> Outcome {
        let first = hello::hello(&self.terms.myself, self.accent, &self.claim.address);
        out.push(Output::Step("said", self.accent.link.hello().name().to_owned()));
        out.push(Output::Send(first));
        if self.accent.link != LinkType::Join && self.key.is_some() {
            // Who is linked like this need not answer. We know its key, and each frame must show it.
            self.claim.key = self.key.as_ref().map(|key| key.id());
            self.is_proven = true;
            return self.greet(None, out);
        }
        self.state = State::Waiting;
        Ok(())
    }

    /// How it signs is how it reads signatures.
    pub(super) fn learn(&mut self, found: (Way, Salt)) {
        self.way = Some(found);
        if !self.is_set {
            self.accent.prehash = found.0.prehash;
        }
    }

    pub(super) fn greet(&mut self, frame: Option<Frame>, out: &mut Vec<Output>) -> Outcome {
        out.push(Output::Greet(Greeting {
            claim: self.claim.clone(),
            proven: self.is_proven,
            key: None,
            trace: None,
            ear: Ear::SocpPeer(self.accent),
            sockets: Sockets::Any,
        }));
        self.state = State::Greeting(frame);
        Ok(())
    }

    pub(super) fn on_welcome(
        &mut self,
        answer: Result<HomeId, Refusal>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let State::Greeting(frame) = &mut self.state else { return Ok(()) };
        let frame = frame.take();
        let home = answer.map_err(Ending::Refused)?;
        out.push(Output::Step("up", format!("in the accent {}", self.accent)));
        out.push(Output::Wake(now + Duration::from_secs(HEARTBEAT_S.into())));
        self.state = State::Up(home);
        let myself = &self.terms.myself;
        let announcement = || hello::announcement(myself, self.accent, self.we_dialled);
        let envelope =
            frame.as_ref().and_then(|frame| frame.text()).and_then(|text| Envelope::read(text).ok());
        match envelope.as_ref().and_then(Envelope::known) {
            Some(Kind::ServerHelloJoin) => {
                out.push(Output::Find(Whom::Ours));
                self.state = State::Asking(home);
                // Whoever shows no key knows no welcome either.
                if self.key.is_none() {
                    out.push(Output::Send(announcement()));
                }
            }
            Some(Kind::PeerHelloLink) => {}
            Some(Kind::ServerWelcome) => {
                let payload = envelope.as_ref().map_or("{}", |envelope| envelope.payload());
                let welcome = Welcome::read(payload).unwrap_or_default();
                let servers = hello::servers(&welcome, self.accent, &self.other, &self.me);
                if let Some(assigned) = welcome.assigned_id.as_deref().filter(|id| !id.is_empty()) {
                    self.me = assigned.chars().take(128).collect();
                }
                if self.accent.link != LinkType::PeerLink {
                    out.push(Output::Send(hello::announcement(&self.terms.myself, self.accent, true)));
                }
                out.push(Output::Introduce(servers));
                let users = hello::users(&welcome, self.accent, &self.other);
                out.extend(users.into_iter().map(Output::Tell));
            }
            // A link of ours, or theirs without being asked: they hear where we are.
            _ if self.accent.link != LinkType::PeerLink => out.push(Output::Send(announcement())),
            _ => {}
        }
        Ok(())
    }
}
