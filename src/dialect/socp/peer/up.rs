//! What comes over a link that is up: who came and who went, letters, and complaints.

use std::sync::Arc;

use super::{
    gossip,
    session::{MALFORMED, OUT_OF_ORDER, Outcome, Session, State, Then, Weighed},
};
use crate::{
    crypto::{keys::PublicKey, signature::Verdict},
    dialect::{
        event::{Check, Output},
        socp::{
            envelope::Envelope,
            heard, id_of, key,
            kind::Kind,
            loose::MOST_ENTRIES,
            payload::{Letter as Content, Presence},
            relay::error,
            request::Complaint,
            sign,
        },
    },
    domain::{
        dialect::Dialect,
        id::HomeId,
        letter::{Author, Frame, Letter, Origin},
        member::Member,
        news::News,
        refusal::{Ending, Violation},
    },
};

/// Types that are not known here, for each of which a server is told so once.
const MOST_UNKNOWN: usize = 32;

impl Session {
    pub(super) fn on_message(
        &mut self,
        home: HomeId,
        kind: Option<Kind>,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let Some(kind) = kind else {
            self.complain_once(envelope, out);
            return Err(MALFORMED);
        };
        if self.other.is_empty() && (kind.server_only() || kind == Kind::Heartbeat) {
            // Whoever is linked without an answer says its name with the first thing it says.
            self.meet(&envelope.from);
        }
        match kind {
            Kind::Heartbeat | Kind::Ack | Kind::ServerAnnounce | Kind::ServerWelcome => Ok(()),
            Kind::ServerHelloJoin | Kind::ServerHelloLink | Kind::PeerHelloLink => Ok(()),
            Kind::Error => {
                let complaint = Complaint::read(envelope.payload()).unwrap_or_default();
                let code = complaint.code.as_deref().unwrap_or_default();
                out.push(Output::Step("error", format!("{code} {}", complaint.detail())));
                Ok(())
            }
            Kind::CtrlClose => Err(Ending::Left),
            Kind::UserAdvertise | Kind::UserRemove => self.on_presence(home, kind, envelope, out),
            Kind::MsgDirect
            | Kind::MsgPrivate
            | Kind::ServerDeliver
            | Kind::PeerDeliver
            | Kind::MsgPublicChannel
            | Kind::PublicChannelAdd
            | Kind::PublicChannelUpdated
            | Kind::PublicChannelKeyShare => self.on_letter(home, kind, envelope, frame, out),
            _ if kind.is_file() => self.on_letter(home, kind, envelope, frame, out),
            _ => {
                self.complain_once(envelope, out);
                Err(OUT_OF_ORDER)
            }
        }
    }

    /// Answering an unknown type each time is how two servers come to thousands of errors a second.
    fn complain_once(&mut self, envelope: &Envelope<'_>, out: &mut Vec<Output>) {
        let kind: String = envelope.kind.chars().take(64).collect();
        if self.unknown.len() < MOST_UNKNOWN && !self.unknown.contains(&kind) {
            out.push(Output::Send(error("UNKNOWN_TYPE", &format!("{kind} means nothing here"))));
            self.unknown.push(kind);
        }
    }

    fn on_presence(
        &mut self,
        home: HomeId,
        kind: Kind,
        envelope: &Envelope<'_>,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let presence = Presence::read(envelope.payload()).map_err(|_| MALFORMED)?;
        let says_itself = self.key.is_none() && *envelope.from == *presence.user_id;
        let speaks_for = presence.server_id.as_deref().is_none_or(|server| *server == *envelope.from);
        if !says_itself && (*envelope.from != *self.other || !speaks_for) {
            // What others tell of their members they tell us themselves: everybody is linked with everybody.
            return Ok(());
        }
        if !self.is_news(&presence.user_id, envelope) {
            return Ok(());
        }
        let news =
            if kind == Kind::UserAdvertise { gossip::came(&presence) } else { gossip::went(&presence) };
        let news = news.ok_or(MALFORMED)?;
        let key = match self.key.clone() {
            Some(key) => Some(key),
            // A server without a key: its members speak for themselves.
            None => presence.pubkey().and_then(|text| key::read(&text).ok()).map(|(key, _)| Arc::new(key)),
        };
        self.weigh(home, [key, None], envelope, Then::Tell(news), out)
    }

    /// An old frame that is played back must not bring somebody back, or send somebody away.
    fn is_news(&mut self, user: &str, envelope: &Envelope<'_>) -> bool {
        let most = 2 * MOST_ENTRIES;
        let Some(ts) = envelope.ts.as_ref().and_then(|ts| ts.millis()) else { return true };
        if self.told.get(user).is_some_and(|last| ts < *last) {
            return false;
        }
        if self.told.len() < most || self.told.contains_key(user) {
            self.told.insert(user.to_owned(), ts);
        }
        true
    }

    fn on_letter(
        &mut self,
        home: HomeId,
        kind: Kind,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let audience = heard::audience(kind, envelope).ok_or(MALFORMED)?;
        let author = heard::author(envelope, &self.other);
        let is_of_channel =
            matches!(kind, Kind::PublicChannelAdd | Kind::PublicChannelUpdated | Kind::PublicChannelKeyShare);
        let may_be_said = if is_of_channel {
            *envelope.from == *self.other && envelope.sig.is_some()
        } else {
            heard::is_a_letter(kind, envelope, author.as_deref())
        };
        if !may_be_said {
            return Err(Ending::Violated(Violation::WrongSender));
        }
        let trace = heard::trace_of(envelope, author.as_deref().unwrap_or_default());
        let author = match author {
            Some(name) => Author::Vouched { author: id_of(&name), named: None },
            // Some never say who wrote it. Whom it is for can find out.
            None => Author::Claimed(None),
        };
        let dialect = Dialect::Socp;
        let letter = Letter { from: Origin::Home(home), author, audience, trace, dialect, original: frame };
        let is_own = *envelope.from == *self.other;
        let of_user = if is_own { None } else { key_of(envelope) };
        let then = Then::Route(letter, self.unannounced(kind, envelope));
        if !is_own
            && of_user.is_none()
            && envelope.sig.is_some()
            && let Author::Vouched { author, .. } = author
        {
            // It does not say with which key it is signed. The one that came with the name will do.
            out.push(Output::Find(Some(author)));
            self.state = State::Looking(home, Box::new((envelope.clone().into_owned(), then)));
            return Ok(());
        }
        self.weigh(home, [of_user, self.key.clone()], envelope, then, out)
    }

    /// Some servers never tell who is there. Of their members we hear by what they write.
    fn unannounced(&mut self, kind: Kind, envelope: &Envelope<'_>) -> Option<News> {
        let content = Content::read(envelope.payload()).ok()?;
        let name = content.author().filter(|_| matches!(kind, Kind::ServerDeliver | Kind::PeerDeliver))?;
        if self.told.contains_key(name) || !self.is_news(name, envelope) {
            return None;
        }
        gossip::present(name, content.sender_pub.as_deref())
    }

    /// Here is who may have signed.
    pub(super) fn on_found(&mut self, members: &[Arc<Member>], out: &mut Vec<Output>) -> Outcome {
        let (home, looked) = match std::mem::replace(&mut self.state, State::Over) {
            State::Looking(home, looked) => (home, looked),
            other => {
                self.state = other;
                return Ok(());
            }
        };
        self.state = State::Up(home);
        let (envelope, then) = *looked;
        let key = members.first().and_then(|member| key::read(&member.public_key).ok());
        self.weigh(home, [key.map(|(key, _)| Arc::new(key)), self.key.clone()], &envelope, then, out)
    }

    fn weigh(
        &mut self,
        home: HomeId,
        keys: [Option<Arc<PublicKey>>; 2],
        envelope: &Envelope<'_>,
        then: Then,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let is_own = *envelope.from == *self.other;
        let Some(signature) = envelope.sig.as_deref() else {
            // What a user never signed comes as it is; what a server says itself does not.
            return match then {
                Then::Route(letter, _) if !is_own => {
                    out.push(Output::Route(letter));
                    Ok(())
                }
                _ => {
                    out.push(Output::Send(error("INVALID_SIG", "this needs your signature")));
                    Err(OUT_OF_ORDER)
                }
            };
        };
        let question = sign::question(envelope.payload(), signature, self.way.filter(|_| is_own), true);
        let mut keys = keys.into_iter().flatten();
        let Some(((ways, question), key)) = question.zip(keys.next()) else {
            out.push(Output::Send(error("INVALID_SIG", "nothing can be checked against this signature")));
            return Err(OUT_OF_ORDER);
        };
        let or = keys.next().map(|key| Check { key, question: question.clone() });
        out.push(Output::Check(Check { key, question }));
        self.state = State::Weighing(home, Box::new(Weighed { ways, then, or }));
        Ok(())
    }

    /// The signature was checked.
    pub(super) fn on_weighed(
        &mut self,
        home: HomeId,
        weighed: Weighed,
        verdict: Verdict,
        out: &mut Vec<Output>,
    ) {
        self.state = State::Up(home);
        let Weighed { ways, then, or } = weighed;
        match (verdict.and_then(|(at, salt)| Some((*ways.get(at)?, salt))), or) {
            (Some(way), or) => {
                // What was tried last is the server's own.
                self.way = if or.is_none() { Some(way) } else { self.way };
                match then {
                    Then::Tell(news) => out.push(Output::Tell(news)),
                    Then::Route(letter, arrival) => {
                        out.extend(arrival.map(Output::Tell));
                        out.push(Output::Route(letter));
                    }
                }
            }
            (None, Some(check)) => {
                out.push(Output::Check(check));
                self.state = State::Weighing(home, Box::new(Weighed { ways, then, or: None }));
            }
            (None, None) => {
                out.push(Output::Send(error("INVALID_SIG", "the signature does not fit your key")));
                out.push(Output::Note(Violation::BadSignature));
            }
        }
    }
}

/// A frame that a server hands on as its user sent it is signed by the user, or by the server, or by nobody.
fn key_of(envelope: &Envelope<'_>) -> Option<Arc<PublicKey>> {
    let content = Content::read(envelope.payload()).ok()?;
    let key = content.sender_pub.as_deref().and_then(|text| key::read(text).ok());
    key.map(|(key, _)| Arc::new(key))
}
