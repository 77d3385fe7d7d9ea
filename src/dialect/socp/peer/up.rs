//! What comes over a link that is up: who came and who went, letters, and complaints.

use std::sync::Arc;

use super::{
    gossip,
    session::{MALFORMED, OUT_OF_ORDER, Outcome, Session, State, Then, Told, Weighed, complaint},
};
use crate::{
    crypto::{keys::PublicKey, signature::Verdict},
    dialect::{
        event::{Check, Output},
        socp::{
            answer::Question,
            envelope::Envelope,
            heard, id_of, key,
            kind::Kind,
            loose::MOST_ENTRIES,
            payload::{Letter as Content, Presence, is_user_name},
            plain,
            relay::error,
            request::Complaint,
            sign,
        },
    },
    domain::{
        dialect::Dialect,
        id::HomeId,
        letter::{Author, Frame, Letter, Origin},
        member::{Member, Whom},
        news::{Change, News},
        refusal::{Ending, Violation},
    },
};

/// Complaints that a server hears on one connection. Each says something new.
const MOST_COMPLAINTS: usize = 64;
const STALE: Ending = Ending::Violated(Violation::StaleCounter);
const WRONG_SENDER: Ending = Ending::Violated(Violation::WrongSender);

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
            self.complain("UNKNOWN_TYPE", "this type means nothing here", &envelope.kind, out);
            return Err(MALFORMED);
        };
        if self.other.is_empty() && (kind.server_only() || kind == Kind::Heartbeat) {
            // Whoever is linked without an answer says its name with the first thing it says.
            self.meet(&envelope.from);
        }
        match kind {
            // It needs no signature; but one that is good shows that this socket is worth speaking on.
            Kind::Heartbeat if !self.is_own(envelope) => Err(WRONG_SENDER),
            Kind::Heartbeat if self.key.is_some() && envelope.sig.is_some() => {
                self.weigh(home, [self.key.clone(), None], envelope, Then::Live, out)
            }
            Kind::Heartbeat | Kind::Ack | Kind::ServerAnnounce | Kind::ServerWelcome => Ok(()),
            Kind::ServerHelloJoin | Kind::ServerHelloLink | Kind::PeerHelloLink => Ok(()),
            Kind::Error => {
                out.push(complaint(envelope, frame.text().unwrap_or_default()));
                self.on_not_found(home, envelope, out)
            }
            Kind::CtrlClose => Err(Ending::Left),
            Kind::UserAdvertise | Kind::UserRemove => self.on_presence(home, kind, envelope, out),
            Kind::PubKeyRequest | Kind::DbGetUser => self.on_question(home, kind, envelope, out),
            Kind::MsgPublicChannel => self.on_letter(home, kind, envelope, frame, out),
            _ if kind.is_direct() || kind.is_of_channel() || kind.is_file() => {
                self.on_letter(home, kind, envelope, frame, out)
            }
            _ => {
                self.complain("UNKNOWN_TYPE", "servers do not say this", &envelope.kind, out);
                Err(OUT_OF_ORDER)
            }
        }
    }

    /// A letter of ours was for somebody who is not there any more: that the server has said so was lost, perhaps
    /// with one of two sockets.
    fn on_not_found(&mut self, home: HomeId, envelope: &Envelope<'_>, out: &mut Vec<Output>) -> Outcome {
        let complaint = Complaint::read(envelope.payload()).unwrap_or_default();
        let is_said_so = complaint.code.as_deref() == Some("USER_NOT_FOUND") && self.is_own(envelope);
        // Everybody puts the name into a sentence of its own. Whoever is not listed there cannot go.
        let mut words = complaint.detail().split([' ', '\'', '"', ':', ',']);
        let is_name = |word: &&str| self.told.contains_key(*word) || uuid::Uuid::try_parse(word).is_ok();
        match words.find(is_name).filter(|name| is_user_name(name)) {
            Some(name) if is_said_so && self.key.is_some() && envelope.sig.is_some() => {
                let news = News::Single(Change::Went(id_of(name)));
                self.weigh(home, [self.key.clone(), None], envelope, Then::Missed(news), out)
            }
            _ => Ok(()),
        }
    }

    /// Says once about each type what is wrong with it: answering every frame is how two servers come to
    /// thousands of errors a second.
    fn complain(&mut self, code: &'static str, detail: &str, kind: &str, out: &mut Vec<Output>) {
        let complaint = (code, kind.chars().take(64).collect::<String>());
        if self.complaints.len() < MOST_COMPLAINTS && !self.complaints.contains(&complaint) {
            out.push(Output::Send(error(code, &format!("{}: {detail}", complaint.1))));
            self.complaints.push(complaint);
        }
    }

    /// Whether the server of this link says it itself.
    fn is_own(&self, envelope: &Envelope<'_>) -> bool {
        envelope.from.is_empty() || *envelope.from == *self.other
    }

    /// Some ask each other for the keys of users. Whoever signs it hears what a user would.
    fn on_question(
        &mut self,
        home: HomeId,
        kind: Kind,
        envelope: &Envelope<'_>,
        out: &mut Vec<Output>,
    ) -> Outcome {
        if !self.is_own(envelope) {
            return Err(WRONG_SENDER);
        }
        let question = Question::of_server(kind, envelope).ok_or(MALFORMED)?;
        self.weigh(home, [self.key.clone(), None], envelope, Then::Answer(Box::new(question)), out)
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
        if !says_itself && !self.is_own(envelope) {
            // What others tell of their members they tell us themselves: everybody is linked with everybody.
            out.push(Output::Overheard);
            return Ok(());
        }
        // Only the payload is signed. One that does not say where the member is may have been signed for
        // another purpose: as the answer to who asked for a key.
        if !says_itself && presence.server_id.as_deref() != Some(&*self.other) {
            return Err(WRONG_SENDER);
        }
        let ts = envelope.ts.as_ref().and_then(|ts| ts.millis());
        if self.is_old(&presence.user_id, ts) {
            return Err(STALE);
        }
        let news =
            if kind == Kind::UserAdvertise { gossip::came(&presence) } else { gossip::went(&presence) };
        let news = news.ok_or(MALFORMED)?;
        let key = match self.key.clone() {
            Some(key) => Some(key),
            // A server without a key: its members speak for themselves.
            None => presence.pubkey().and_then(|text| key::read(&text).ok()).map(|(key, _)| Arc::new(key)),
        };
        let told = Told { user: presence.user_id.into_owned(), ts, news };
        self.weigh(home, [key, None], envelope, Then::Tell(told), out)
    }

    /// What is older, or was overtaken on its way, must not bring somebody back or send somebody away. The time is not
    /// signed, so this does not keep out who plays a frame back on this very link with a newer one.
    fn is_old(&self, user: &str, ts: Option<i64>) -> bool {
        let last = self.told.get(user);
        ts.zip(last).is_some_and(|(ts, last)| ts < *last)
    }

    /// It is known to be said by the server.
    fn take_told(&mut self, told: Told, out: &mut Vec<Output>) {
        let Told { user, ts, news } = told;
        if let Some(ts) = ts
            && (self.told.len() < 2 * MOST_ENTRIES || self.told.contains_key(&user))
        {
            self.told.insert(user, ts);
        }
        out.push(Output::Tell(news));
    }

    fn on_letter(
        &mut self,
        home: HomeId,
        kind: Kind,
        envelope: &Envelope<'_>,
        frame: Frame,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let audience =
            heard::audience(kind, envelope, &[&self.terms.myself.id, &self.other]).ok_or(MALFORMED)?;
        let author = heard::author(envelope, &self.other);
        let may_be_said = if kind.is_of_channel() {
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
        let (from, dialect) = (Origin::Home(home), Dialect::Socp);
        let plain = plain::text(envelope, &audience, self.accent);
        let letter = Letter { from, author, audience, trace, dialect, original: frame, plain };
        let is_own = self.is_own(envelope);
        let then = Then::Route(Box::new(letter), self.unannounced(kind, envelope));
        if !is_own
            && envelope.sig.is_some()
            && let Author::Vouched { author, .. } = author
        {
            // The key that came with the name, and no other one, is the author's.
            out.push(Output::Find(Whom::One(author)));
            self.state = State::Looking(home, Box::new((envelope.clone().into_owned(), then)));
            return Ok(());
        }
        self.weigh(home, [None, self.key.clone()], envelope, then, out)
    }

    /// Some servers never tell who is there. Of their members we hear by what they write.
    fn unannounced(&self, kind: Kind, envelope: &Envelope<'_>) -> Option<Told> {
        let content = Content::read(envelope.payload()).ok()?;
        let name = content.author().filter(|_| kind.is_wrapped())?;
        if self.told.contains_key(name) {
            return None;
        }
        let news = gossip::present(name, content.sender_pub.as_deref())?;
        let ts = envelope.ts.as_ref().and_then(|ts| ts.millis());
        Some(Told { user: name.to_owned(), ts, news })
    }

    /// Here is who may have signed.
    pub(super) fn on_found(&mut self, members: &[Arc<Member>], out: &mut Vec<Output>) -> Outcome {
        let (home, looked) = match std::mem::replace(&mut self.state, State::Over) {
            State::Looking(home, looked) => (home, looked),
            State::Answering(home, question) => {
                self.state = State::Up(home);
                out.push(Output::Send(question.answer(members, self.accent)));
                return Ok(());
            }
            other => {
                self.state = other;
                return Ok(());
            }
        };
        self.state = State::Up(home);
        let (envelope, then) = *looked;
        let known = members.first().and_then(|member| key::read(&member.public_key).ok());
        // Of whom no key is known, the letter itself brings one.
        let key = known.map(|(key, _)| Arc::new(key)).or_else(|| key_of(&envelope));
        self.weigh(home, [key, self.key.clone()], &envelope, then, out)
    }

    fn weigh(
        &mut self,
        home: HomeId,
        keys: [Option<Arc<PublicKey>>; 2],
        envelope: &Envelope<'_>,
        then: Then,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let is_own = self.is_own(envelope);
        let is_of_user = !is_own && !envelope.known().is_some_and(Kind::server_only);
        let Some(signature) = envelope.sig.as_deref() else {
            // What a user never signed comes as it is; what only servers say does not.
            return match then {
                Then::Route(letter, _) if is_of_user && self.terms.unsigned => {
                    out.push(Output::Route(*letter));
                    Ok(())
                }
                _ => {
                    self.complain("INVALID_SIG", "this needs your signature", &envelope.kind, out);
                    out.push(Output::Note(Violation::BadSignature));
                    Ok(())
                }
            };
        };
        let known = self.way.filter(|_| is_own);
        let question = if then.is_told() {
            sign::question_about_all(envelope.payload(), signature, known)
        } else {
            sign::question(envelope.payload(), signature, known, true)
        };
        let mut keys = keys.into_iter().flatten();
        let Some(((ways, question), key)) = question.zip(keys.next()) else {
            if then.is_quiet() {
                return Ok(());
            }
            self.complain("INVALID_SIG", "nothing can be checked against this", &envelope.kind, out);
            out.push(Output::Note(Violation::BadSignature));
            return Ok(());
        };
        let or = keys.next().map(|key| Check { key, question: question.clone() });
        out.push(Output::Check(Check { key, question }));
        let kind = envelope.kind.to_string();
        self.state = State::Weighing(home, Box::new(Weighed { kind, ways, then, or }));
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
        let Weighed { kind, ways, then, or } = weighed;
        match (verdict.and_then(|(at, salt)| Some((*ways.get(at)?, salt))), or) {
            (Some(way), or) => {
                // What was tried last is the server's own.
                if or.is_none() && !matches!(then, Then::Keep(_)) {
                    self.way = Some(way);
                    if self.key.is_some() {
                        out.push(Output::Shown);
                    }
                }
                match then {
                    Then::Live => {}
                    Then::Missed(news) => out.push(Output::Tell(news)),
                    Then::Tell(told) => self.take_told(told, out),
                    Then::Keep(wraps) => out.push(Output::Wraps(wraps)),
                    Then::Answer(question) => {
                        out.push(Output::Find(question.about()));
                        self.state = State::Answering(home, question);
                    }
                    Then::Route(letter, arrival) => {
                        if let Some(told) = arrival {
                            self.take_told(told, out);
                        }
                        let original = letter.original.clone();
                        out.push(Output::Route(*letter));
                        if Kind::from_name(&kind).is_some_and(Kind::is_of_channel) {
                            self.hand_out(home, &original, out);
                        }
                    }
                }
            }
            (None, Some(check)) => {
                out.push(Output::Check(check));
                self.state = State::Weighing(home, Box::new(Weighed { kind, ways, then, or: None }));
            }
            // Told to nobody, because it comes every few seconds; but it counts.
            (None, None) if then.is_quiet() => out.push(Output::Note(Violation::BadSignature)),
            (None, None) => {
                self.complain("INVALID_SIG", "the signature does not fit your key", &kind, out);
                out.push(Output::Note(Violation::BadSignature));
            }
        }
    }
}

impl Then {
    /// Whether it says who is there, so that every word of it counts.
    const fn is_told(&self) -> bool {
        matches!(self, Self::Tell(_) | Self::Missed(_) | Self::Route(_, Some(_)))
    }

    /// Whether nobody is told that the signature is bad: no error is answered, no sign of life refused, and a
    /// key that somebody else has made was handed on already.
    const fn is_quiet(&self) -> bool {
        matches!(self, Self::Live | Self::Missed(_) | Self::Keep(_))
    }
}

/// A frame that a server hands on as its user sent it is signed by the user, or by the server, or by nobody.
fn key_of(envelope: &Envelope<'_>) -> Option<Arc<PublicKey>> {
    let content = Content::read(envelope.payload()).ok()?;
    let key = content.sender_pub.as_deref().and_then(|text| key::read(text).ok());
    key.map(|(key, _)| Arc::new(key))
}
