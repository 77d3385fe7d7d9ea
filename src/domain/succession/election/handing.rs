//! A leader gives its place to another node, in two steps that can both be taken back.
//!
//! It asks the other one to get ready, then accepts nothing more until that one's copy is whole, then lets it stand.
//! It goes on leading, and keeps its lease, until the moment at which it votes for the other one; so whatever gets
//! lost on the way, nobody has to guess who leads.

use std::collections::VecDeque;

use super::{
    Asked, Attempt, Election, Handing, NotHanded, Output, State, candidate::Stage, disk::Deferred,
    following::Prepared,
};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        home::Seat,
        hosts::Kind,
        message::{Answer, Objection, Question, Sender},
        numbers::Numbers,
    },
};

/// How far a hand-over is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The other one gets ready.
    Preparing,
    /// Its copy is brought to the end, and we accept nothing.
    Quiescing,
    /// It may stand.
    Committing,
}

/// A hand-over that is under way.
#[derive(Clone, Debug)]
pub(super) struct HandOver {
    pub(super) to: NodeId,
    seat: Seat,
    pub(super) why: Handing,
    attempt: Attempt,
    pub(super) step: Step,
    /// When this step began.
    pub(super) since: Moment,
    /// When it is asked again.
    again: Moment,
    /// Who is asked instead if it could not lead, or says nothing.
    rest: VecDeque<(NodeId, Seat)>,
}

impl HandOver {
    pub(super) fn next(&self, numbers: &Numbers) -> Moment {
        let end = self.end(numbers);
        if self.step == Step::Quiescing { end } else { end.min(self.again) }
    }

    /// When this step has taken too long. Whoever is silent before anything has begun is waited for half as long if
    /// somebody else could be asked.
    fn end(&self, numbers: &Numbers) -> Moment {
        self.since + if self.has_others() { numbers.lease / 2 } else { numbers.lease }
    }

    fn has_others(&self) -> bool {
        self.step == Step::Preparing && !self.rest.is_empty()
    }
}

impl Election {
    /// An operator wants another leader.
    pub(super) fn ordered(&mut self, to: Option<NodeId>, now: Moment, out: &mut Vec<Output>) {
        let chosen = match to {
            Some(to) => self.may_hand_to(to, now).map(|seat| VecDeque::from([(to, seat)])),
            None => self.best_successors(now),
        };
        match chosen {
            Ok(chosen) => self.hand_to(chosen, Handing::Ordered, now, out),
            Err(why) => out.push(Output::NotHanded(why)),
        }
    }

    /// Somebody has been better for long enough.
    pub(super) fn outranked(&mut self, to: NodeId, now: Moment, out: &mut Vec<Output>) {
        if let Ok(seat) = self.may_hand_to(to, now) {
            self.hand_to(VecDeque::from([(to, seat)]), Handing::Outranked, now, out);
        }
    }

    fn best_successors(&self, now: Moment) -> Result<VecDeque<(NodeId, Seat)>, NotHanded> {
        self.may_hand()?;
        let next = self.successors(now).into_iter();
        let able: VecDeque<_> =
            next.filter_map(|to| self.may_hand_to(to, now).ok().map(|seat| (to, seat))).collect();
        if able.is_empty() { Err(NotHanded::Nobody) } else { Ok(able) }
    }

    fn may_hand(&self) -> Result<(), NotHanded> {
        match &self.state {
            State::Leader(reign) if reign.handing.is_none() => Ok(()),
            State::Leader(_) => Err(NotHanded::UnderWay),
            _ => Err(NotHanded::NotLeading),
        }
    }

    fn may_hand_to(&self, to: NodeId, now: Moment) -> Result<Seat, NotHanded> {
        self.may_hand()?;
        if to == self.own {
            return Err(NotHanded::Ourselves);
        }
        let host = self.hosts.get(to).ok_or(NotHanded::Unknown)?;
        if host.kind != Kind::Node {
            return Err(NotHanded::NotANode);
        }
        if !self.hosts.eligible(Kind::Node, now, &self.numbers).any(|(id, _)| id == to) {
            return Err(NotHanded::NotAlive);
        }
        if self.lags(host) {
            return Err(NotHanded::Lags);
        }
        self.seat_of(to).ok_or(NotHanded::NotAlive)
    }

    /// Asks the first of these whether it could lead.
    fn hand_to(
        &mut self,
        mut rest: VecDeque<(NodeId, Seat)>,
        why: Handing,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let State::Leader(reign) = &mut self.state else { return };
        let Some((to, seat)) = rest.pop_front() else { return };
        self.attempt = Attempt(self.attempt.0.saturating_add(1));
        let (attempt, step, again) = (self.attempt, Step::Preparing, now + self.numbers.retry);
        reign.handing = Some(HandOver { to, seat, why, attempt, step, since: now, again, rest });
        out.push(Output::Handing(to, why));
        self.ask(seat, Question::Prepare(to, self.ballot.epoch.next()), out);
    }

    /// Time has passed for a leader that hands over.
    pub(super) fn hand_on(&mut self, now: Moment, out: &mut Vec<Output>) {
        let retry = self.numbers.retry;
        let epoch = self.ballot.epoch.next();
        let State::Leader(reign) = &mut self.state else { return };
        let Some(handing) = &mut reign.handing else { return };
        let (to, seat, step) = (handing.to, handing.seat, handing.step);
        if now >= handing.end(&self.numbers) {
            return self.is_late(now, out);
        }
        if now < handing.again {
            return;
        }
        handing.again = now + retry;
        match step {
            Step::Preparing => self.ask(seat, Question::Prepare(to, epoch), out),
            Step::Quiescing => {}
            Step::Committing => self.ask(seat, Question::Commit(to, epoch, self.position), out),
        }
    }

    /// The other one takes too long. Whoever is the next best may, if nobody was named and nothing has begun.
    fn is_late(&mut self, now: Moment, out: &mut Vec<Output>) {
        let epoch = self.ballot.epoch.next();
        let State::Leader(reign) = &mut self.state else { return };
        match reign.handing.take_if(|handing| handing.has_others()) {
            Some(HandOver { to, seat, why, rest, .. }) => {
                self.ask(seat, Question::Cancel(to, epoch), out);
                self.hand_to(rest, why, now, out);
            }
            None => self.cancel(now, out),
        }
    }

    /// We go on leading.
    fn cancel(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Leader(reign) = &mut self.state else { return };
        let Some(HandOver { to, seat, step, .. }) = reign.handing.take() else { return };
        reign.calm(now);
        self.ask(seat, Question::Cancel(to, self.ballot.epoch.next()), out);
        if step != Step::Preparing {
            out.push(Output::Resume);
        }
        out.push(Output::Handing(to, Handing::Cancelled));
    }

    /// Its copy will not be whole, because our own disk takes nothing.
    pub(super) fn stuck(&mut self, attempt: Attempt, now: Moment, out: &mut Vec<Output>) {
        let handing = if let State::Leader(reign) = &self.state { reign.handing.as_ref() } else { None };
        if handing.is_some_and(|handing| handing.attempt == attempt && handing.step == Step::Quiescing) {
            self.cancel(now, out);
        }
    }

    /// The other one says that it is ready.
    pub(super) fn is_ready(&mut self, from: &Sender, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let expected = self.ballot.epoch.next();
        let State::Leader(reign) = &mut self.state else { return };
        let Some(handing) = &mut reign.handing else { return };
        if handing.to == from.node && handing.step == Step::Preparing && epoch == expected {
            handing.step = Step::Quiescing;
            handing.since = now;
            out.push(Output::Quiesce(from.node, handing.attempt));
        }
    }

    /// The other one says that it could not lead. Whoever is the next best may, if nobody was named.
    pub(super) fn declined(&mut self, seat: Seat, why: Objection, now: Moment, out: &mut Vec<Output>) {
        let State::Leader(reign) = &mut self.state else { return };
        let is_asked = |handing: &mut HandOver| {
            why.is_incapable() && handing.seat == seat && handing.step == Step::Preparing
        };
        let Some(handing) = reign.handing.take_if(is_asked) else { return };
        if !handing.rest.is_empty() {
            return self.hand_to(handing.rest, handing.why, now, out);
        }
        reign.calm(now);
        out.push(Output::Handing(handing.to, Handing::Cancelled));
        out.push(Output::NotHanded(NotHanded::Declined(why)));
    }

    /// Its copy is whole.
    pub(super) fn caught_up(&mut self, attempt: Attempt, now: Moment, out: &mut Vec<Output>) {
        let retry = self.numbers.retry;
        let State::Leader(reign) = &mut self.state else { return };
        let Some(handing) = &mut reign.handing else { return };
        if handing.attempt != attempt || handing.step != Step::Quiescing {
            return;
        }
        handing.step = Step::Committing;
        handing.since = now;
        handing.again = now + retry;
        let (to, seat) = (handing.to, handing.seat);
        self.ask(seat, Question::Commit(to, self.ballot.epoch.next(), self.position), out);
    }

    /// Whether this is said to us, by whom we follow, about the epoch after this one.
    fn is_of_leader(&self, from: &Sender, to: NodeId, epoch: Epoch) -> bool {
        let leader = self.following.as_ref().is_some_and(|leader| leader.leader == from.node);
        leader && to == self.own && from.epoch == self.ballot.epoch && epoch == from.epoch.next()
    }

    pub(super) fn hears_prepare(
        &mut self,
        asked: Asked,
        from: &Sender,
        to: NodeId,
        epoch: Epoch,
        out: &mut Vec<Output>,
    ) {
        if !self.is_of_leader(from, to, epoch) {
            return self.reply(asked, Answer::Refused(Objection::NotYours), out);
        }
        // Whoever asks again may have given up in between, and what was so then may not be so now.
        let before = self.prepared.filter(|prepared| prepared.epoch == epoch);
        match before.and_then(|before| before.asked) {
            Some(waiting) => self.reply(waiting, Answer::Refused(Objection::Unready), out),
            None => out.push(Output::Prepare(epoch)),
        }
        let ready = before.and_then(|before| before.ready);
        self.prepared = Some(Prepared { epoch, ready, asked: Some(asked) });
    }

    /// The shell knows whether we could lead.
    pub(super) fn is_prepared(&mut self, epoch: Epoch, ready: Result<(), Objection>, out: &mut Vec<Output>) {
        let Some(prepared) = self.prepared.filter(|prepared| prepared.epoch == epoch) else { return };
        self.prepared = Some(Prepared { epoch, ready: Some(ready), asked: None });
        if let Some(asked) = prepared.asked {
            let answer = ready.map_or_else(Answer::Refused, |()| Answer::Ready(epoch));
            self.reply(asked, answer, out);
        }
    }

    pub(super) fn hears_commit(
        &mut self,
        asked: Asked,
        from: &Sender,
        (to, epoch, position): (NodeId, Epoch, Position),
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        if matches!(&self.state, State::Candidate(campaign) if campaign.epoch == epoch)
            && self.is_being_handed()
        {
            return self.reply(asked, Answer::Ready(epoch), out);
        }
        let ready =
            self.prepared.is_some_and(|prepared| prepared.epoch == epoch && prepared.ready == Some(Ok(())));
        let objection = match self.seat_of(from.node) {
            _ if !self.is_of_leader(from, to, epoch) => Err(Objection::NotYours),
            _ if self.position < position => Err(Objection::Lags),
            Some(leader) if ready && !self.disk.failed => Ok(leader),
            _ => Err(Objection::Unready),
        };
        match objection {
            Err(objection) => self.reply(asked, Answer::Refused(objection), out),
            Ok(leader) => {
                self.once_on_disk(Deferred::Reply(asked, Answer::Ready(epoch)), now, out);
                self.stand_for(epoch, leader, now, out);
            }
        }
    }

    pub(super) fn hears_cancel(
        &mut self,
        asked: Asked,
        from: &Sender,
        (to, epoch): (NodeId, Epoch),
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        if to != self.own {
            return self.reply(asked, Answer::Refused(Objection::NotYours), out);
        }
        if self.prepared.is_some_and(|prepared| prepared.epoch == epoch) {
            self.prepared = None;
        }
        let leader = self.seat_of(from.node);
        let asks_leader = matches!(&self.state, State::Candidate(campaign)
            if campaign.stage == Stage::Release && campaign.epoch == epoch && campaign.handed_by == leader);
        if asks_leader {
            self.retire(super::Cause::NotElected, now, out);
        }
        self.released(from.node, epoch, now, out);
        self.reply(asked, Answer::Ready(epoch), out);
    }
}
