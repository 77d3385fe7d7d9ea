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
        event::{Check, Greeting, Output, ServerCard, Standing},
        socp::{
            accent::{Accent, LinkType},
            envelope::Envelope,
            is_server_id, key,
            kind::Kind,
            payload::{Introduction, Welcome},
            sign::{self, Way},
            strange::Strange,
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

/// Frames of others that are heard out before the first one of the server that we dialled.
const MOST_STRANGE: usize = 16;

impl Session {
    /// A server that dialled us says who it is.
    pub(super) fn on_introduction(
        &mut self,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let introduction = Introduction::read(envelope.payload()).unwrap_or_default();
        let (kind, from) = (&envelope.kind, &envelope.from);
        let Some(address) = hello::address(&introduction) else {
            let why = "it names no host and port where it listens";
            self.on_strange(&Strange { kind: kind.clone(), from: from.clone(), why }, out);
            return Ok(());
        };
        out.push(Output::Step("hello", format!("{kind} from {from} at {address}")));
        if self.terms.socp_detect_accents {
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
        self.other = if is_server_id(id) { id.to_owned() } else { String::new() };
        self.claim.name = Some(self.other.clone()).filter(|id| !id.is_empty());
    }

    pub(super) fn on_standing(
        &mut self,
        standing: Result<Standing, Refusal>,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let State::Claiming(frame) = &mut self.state else { return Ok(()) };
        let frame = frame.take();
        let Standing { key, accent, unproven, servers } = standing.map_err(Ending::Refused)?;
        self.key = self.key.take().or(key);
        self.servers = servers;
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
        if self.needs_no_answer() {
            // We know its key, so anything that it signs will do.
            self.claim.key = self.key.as_ref().map(|key| key.id());
            out.push(Output::Step("waiting", "for anything that is signed with its key".to_owned()));
        }
        self.state = State::Waiting;
        Ok(())
    }

    /// Whether the first words were of a kind that need not be answered, to a server whose key we know.
    pub(super) fn needs_no_answer(&self) -> bool {
        self.we_dialled && self.accent.link != LinkType::Join && self.key.is_some()
    }

    /// Whoever need not answer says something at last; others' words may come before its own, because some
    /// servers hand on what they hear.
    pub(super) fn on_first_word(&mut self, envelope: &Envelope<'_>, frame: Frame, out: &mut Vec<Output>) {
        let signed = envelope.sig.as_deref();
        let question = signed.and_then(|sig| sign::question(envelope.payload(), sig, None, true));
        if let Some(((ways, question), key)) = question.zip(self.key.clone()) {
            out.push(Output::Check(Check { key, question }));
            self.state = State::Hearing(frame, ways);
        }
    }

    /// Whether it was said by whom we meant.
    pub(super) fn on_heard(
        &mut self,
        frame: Frame,
        found: Option<(Way, Salt)>,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let envelope = frame.text().and_then(|text| Envelope::read(text).ok()).ok_or(MALFORMED)?;
        let (kind, from) = (&envelope.kind, &envelope.from);
        let Some(found) = found else {
            out.push(Output::Step("signature", format!("{kind} from {from} is not signed with its key")));
            self.state = State::Waiting;
            self.strange += 1;
            let is_somebody_else = self.strange >= MOST_STRANGE;
            return if is_somebody_else { Err(Ending::Violated(Violation::BadSignature)) } else { Ok(()) };
        };
        out.push(Output::Step("answer", format!("{kind} from {from}, signed as {found:?}")));
        self.meet(&envelope.from);
        self.learn(found);
        self.is_proven = true;
        self.greet(Some(Self::covered(frame, found)), out)
    }

    /// The frame without what its signature does not cover.
    pub(super) fn covered(frame: Frame, (way, _): (Way, Salt)) -> Frame {
        let Some(text) = frame.text() else { return frame };
        let payload = Envelope::read(text).ok().and_then(|envelope| {
            let payload = envelope.payload();
            sign::covered(payload, way).map(|covered| text.replacen(payload, &covered, 1))
        });
        payload.map_or(frame, |text| Frame::Text(text.into()))
    }

    /// How it signs is how it reads signatures.
    pub(super) fn learn(&mut self, found: (Way, Salt)) {
        self.way = Some(found);
        if !self.is_set {
            self.accent.prehash = found.0.prehash;
        }
    }

    /// One implementation signs no LINK, and says nothing more on a socket that it has opened.
    fn sockets(&self, first: Option<&Frame>) -> Sockets {
        let first = first.and_then(|frame| frame.text()).and_then(|text| Envelope::read(text).ok());
        let only_listens = first.is_some_and(|first| {
            first.known() == Some(Kind::ServerHelloLink) && first.sig.is_none() && self.key.is_some()
        });
        if only_listens && !self.we_dialled { Sockets::Ours } else { Sockets::Any }
    }

    pub(super) fn greet(&mut self, frame: Option<Frame>, out: &mut Vec<Output>) -> Outcome {
        out.push(Output::Greet(Greeting {
            claim: self.claim.clone(),
            proven: self.is_proven,
            key: None,
            trace: None,
            ear: Ear::SocpPeer(self.accent),
            sockets: self.sockets(frame.as_ref()),
            card: self.card(),
        }));
        self.state = State::Greeting(frame);
        Ok(())
    }

    /// How other servers could be linked with this one, if it has shown that it is who it says.
    fn card(&self) -> Option<ServerCard> {
        let key = self.key.as_ref().filter(|_| self.is_proven && !self.other.is_empty())?;
        Some(ServerCard {
            id: self.other.clone(),
            address: self.claim.address.split('/').next().unwrap_or_default().to_owned(),
            key: Some(key.id()),
            public_key: Some(Arc::clone(key)),
        })
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
        match frame {
            // What brought the link up may say something beside that.
            Some(frame) if matches!(self.state, State::Up(_)) => self.on_frame(frame, out),
            _ => Ok(()),
        }
    }
}
