//! What other nodes say, sorted: by whom, whether it is one of our home, and what it is about.

use super::{Asked, Difference, Election, Output, State};
use crate::domain::{
    Moment,
    succession::{
        NodeId,
        home::{Fallback, Seat},
        hosts::{Heard, Kind},
        message::{Answer, Ask, Failure, Objection, Question, Reply, Sender},
    },
};

impl Election {
    /// A node of our home asks something.
    pub(super) fn hears(&mut self, asked: Asked, ask: Ask, now: Moment, out: &mut Vec<Output>) {
        let Ask { from, figures, what } = ask;
        let objection = if !self.disk.is_awake() {
            Some(Objection::Unready)
        } else if from.node == self.own {
            Some(Objection::NotYours)
        } else {
            self.differs(&from)
        };
        if let Some(objection) = objection {
            return self.reply(asked, Answer::Refused(objection), out);
        }
        let heard = Heard { figures: Some(&figures), position: Some(from.position), address: None };
        // Where there is no room for a node, its words count nevertheless.
        let _ = self.hosts.heard(from.node, Kind::Node, &heard, now, &self.numbers);
        match what {
            Question::Report(beat) => self.hears_report(asked, &from, beat, now, out),
            Question::Pulse(guidance) => self.hears_pulse(asked, &from, guidance, now, out),
            Question::PreVote(epoch) => self.hears_pre_vote(asked, &from, epoch, now, out),
            Question::Vote { epoch, handed } => self.hears_vote(asked, &from, (epoch, handed), now, out),
            Question::Prepare(to, epoch) => self.hears_prepare(asked, &from, to, epoch, out),
            Question::Commit(to, epoch, position) => {
                self.hears_commit(asked, &from, (to, epoch, position), now, out);
            }
            Question::Cancel(to, epoch) => self.hears_cancel(asked, &from, (to, epoch), now, out),
        }
    }

    /// The node at a seat answers something.
    pub(super) fn answered(&mut self, seat: Seat, reply: Reply, now: Moment, out: &mut Vec<Output>) {
        let Reply { from, what } = reply;
        let known = self.learns(seat, from.node, now);
        if !known || !self.disk.is_awake() {
            return;
        }
        let differs = self.differs(&from);
        self.take_note(seat, &from, differs.or_else(|| objection_of(&what)), out);
        if let Some(objection) = differs {
            // It lives, so nobody may count on its silence.
            return self.refused(seat, objection, now, out);
        }
        let heard = Heard { position: Some(from.position), ..Heard::default() };
        let _ = self.hosts.heard(from.node, Kind::Node, &heard, now, &self.numbers);
        self.adopt(from.epoch, now, out);
        match what {
            Answer::Leading(guidance) => {
                if self.may_follow(&from) {
                    self.follow(&from, guidance, now, out);
                }
            }
            Answer::NotLeading(_) => {}
            Answer::Following(beat) => self.followed(seat, &from, beat, now, out),
            Answer::Would(epoch) => self.would(seat, epoch, now, out),
            Answer::Granted(epoch) => self.granted(seat, epoch, now, out),
            Answer::Ready(epoch) => self.is_ready(&from, epoch, now, out),
            Answer::Refused(objection) => self.refused(seat, objection, now, out),
        }
    }

    /// Remembers who answers at a seat. One node counts at one seat only, and we ourselves at none.
    fn learns(&mut self, seat: Seat, node: NodeId, now: Moment) -> bool {
        let at = usize::from(seat.0);
        let elsewhere =
            self.seats.iter().enumerate().any(|(other, place)| other != at && place.node == Some(node));
        let leads = matches!(self.state, State::Leader(_));
        let pause = if leads { self.numbers.pulse } else { self.numbers.report };
        let Some(place) = self.seats.get_mut(at) else { return false };
        if let Some(sent) = place.asked.take() {
            place.next = (sent + pause).max(now);
        }
        place.attempts = 0;
        if place.node != Some(node) {
            // What somebody else did there says nothing about this one.
            (place.acked, place.differs) = (None, None);
        }
        place.node = (!elsewhere && node != self.own).then_some(node);
        place.node.is_some()
    }

    /// A question got no answer. Counted, whoever was asked.
    pub fn missed(&mut self, failure: Failure) {
        let kinds = Failure::ALL.iter().map(|(kind, _)| *kind);
        for (count, _) in self.failures.iter_mut().zip(kinds).filter(|(_, kind)| *kind == failure) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn failed(&mut self, seat: Seat, failure: Failure, now: Moment) {
        self.missed(failure);
        let retry = self.numbers.retry;
        if let Some(place) = self.seats.get_mut(usize::from(seat.0))
            && let Some(sent) = place.asked.take()
        {
            place.next = (sent + retry).max(now);
        }
        if let State::Candidate(campaign) = &mut self.state {
            campaign.failed.insert(seat);
        }
    }

    /// What an operator has to mend is said once, and shown for as long as it is so.
    fn take_note(&mut self, seat: Seat, from: &Sender, differs: Option<Objection>, out: &mut Vec<Output>) {
        let Some(place) = self.place_mut(seat) else { return };
        let before = std::mem::replace(&mut place.differs, differs);
        if let Some(why) = differs.filter(|_| before != differs) {
            let (theirs, ours) = (from.spans, self.numbers.spans());
            out.push(Output::Differs(Difference { node: from.node, why, theirs, ours }));
        }
    }

    /// Why somebody's words do not count: its settings describe another home than ours, or have numbers with which one
    /// of us could serve while the other one helps somebody else.
    fn differs(&self, from: &Sender) -> Option<Objection> {
        if !self.is_same_home(from) {
            return Some(Objection::OtherHome);
        }
        (!self.numbers.spans().are_safe_with(&from.spans)).then_some(Objection::OtherNumbers)
    }

    fn is_same_home(&self, from: &Sender) -> bool {
        let agrees = match self.home.fallback {
            Fallback::Nobody | Fallback::Ourselves => !from.is_fallback,
            Fallback::Other(seat) => match self.place(seat).and_then(|place| place.node) {
                Some(fallback) => from.is_fallback == (fallback == from.node),
                None => true,
            },
        };
        agrees && from.size == self.home.size()
    }
}

/// What the other side has against our settings.
fn objection_of(answer: &Answer) -> Option<Objection> {
    match answer {
        Answer::Refused(objection) if objection.is_about_settings() => Some(*objection),
        _ => None,
    }
}
