//! A node that does not lead: it reports to everybody, hears who leads, and promises to help nobody else.

use std::cmp;

use super::{Asked, Cause, Election, Output, Place, State, disk::Deferred};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId, Position,
        ballot::Ballot,
        home::Seat,
        hosts::Kind,
        message::{Answer, Beat, Guidance, Lead, Objection, Question, Sender},
    },
};

/// Whom we follow.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) leader: NodeId,
    pub(super) epoch: Epoch,
    /// What it said last, and when we heard that.
    pub(super) guidance: Guidance,
    pub(super) heard: Moment,
}

/// Whom alone we help.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    pub(super) to: NodeId,
    pub(super) until: Moment,
}

/// What the leader asked us to get ready for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    pub(super) epoch: Epoch,
    /// Whether we could, or why not; none while that is not known.
    pub(super) ready: Option<Result<(), Objection>>,
    /// What waits for the answer.
    pub(super) asked: Option<Asked>,
}

impl Election {
    pub(super) fn hears_report(
        &mut self,
        asked: Asked,
        from: &Sender,
        beat: Option<Beat>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        self.adopt(from.epoch, now, out);
        if let Some(beat) = beat
            && let Some(seat) = self.seat_of(from.node)
        {
            self.followed(seat, from, beat, now, out);
        }
        let answer = match self.guidance(now) {
            Some(guidance) => Answer::Leading(guidance),
            None => {
                let lead = self.following.as_ref();
                Answer::NotLeading(lead.map(|to| Lead { epoch: to.epoch, leader: to.leader }))
            }
        };
        self.reply(asked, answer, out);
    }

    pub(super) fn hears_pulse(
        &mut self,
        asked: Asked,
        from: &Sender,
        guidance: Guidance,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        self.adopt(from.epoch, now, out);
        if !self.may_follow(from) {
            return self.reply(asked, Answer::Refused(Objection::OldEpoch), out);
        }
        let beat = guidance.beat;
        self.follow(from, guidance, now, out);
        self.once_on_disk(Deferred::Reply(asked, Answer::Following(beat)), now, out);
    }

    /// Whether we follow somebody who says it leads. Two leaders of one epoch cannot be where all nodes describe the
    /// same home; where they do not, the higher id yields.
    pub(super) fn may_follow(&self, from: &Sender) -> bool {
        match self.ballot.epoch.cmp(&from.epoch) {
            cmp::Ordering::Less => true,
            cmp::Ordering::Equal => !matches!(self.state, State::Leader(_)) || from.node < self.own,
            cmp::Ordering::Greater => false,
        }
    }

    pub(super) fn follow(&mut self, from: &Sender, guidance: Guidance, now: Moment, out: &mut Vec<Output>) {
        let voted = self.ballot.voted.or(Some(from.node));
        let promised_for = self.numbers.promise();
        let ballot = Ballot { voted, promised: Some(from.node), promised_for, ..self.ballot };
        if ballot != self.ballot {
            self.ballot = ballot;
            self.persist(out);
        }
        if self.prepared.is_some_and(|prepared| prepared.epoch != from.epoch.next()) {
            self.prepared = None;
        }
        self.promises(from.node, now);
        let heard = Following { leader: from.node, epoch: from.epoch, guidance, heard: now };
        self.following = Some(heard);
        if !self.is_being_handed() {
            self.becomes(State::Standby, Cause::Heard, now, out);
        }
    }

    /// From now on we help this node alone, and stand when our turn comes after that.
    pub(super) fn promises(&mut self, to: NodeId, now: Moment) {
        let until = now + self.numbers.promise();
        self.promise = Some(Promise { to, until });
        self.stand_at = until;
        self.lot = self.spread(self.numbers.stagger / 2);
        self.eager_until = now + self.numbers.takeover * 2;
        self.yielded = false;
    }

    /// Whoever had our vote will never lead by it, so we are free to help somebody else.
    pub(super) fn released(&mut self, from: NodeId, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let voted = self.ballot.epoch == epoch && self.ballot.voted == Some(from);
        if !voted || self.promise.is_none_or(|promise| promise.to != from) {
            return;
        }
        self.promise = None;
        self.stand_at = now + self.round();
        if self.following.take_if(|leader| leader.leader == from).is_some()
            && matches!(self.state, State::Standby)
        {
            self.becomes(State::Standby, Cause::Conceded, now, out);
        }
    }

    /// Tells everybody how we are. So each node has the whole table when it needs it.
    pub(super) fn report(&mut self, now: Moment, out: &mut Vec<Output>) {
        for seat in self.due_seats(now) {
            let leader = self.following.as_ref().filter(|leader| {
                let is_there = self.place(seat).is_some_and(|place| place.node == Some(leader.leader));
                // What is not on disk yet must not count as said.
                is_there && leader.epoch == self.ballot.epoch && self.disk.is_settled()
            });
            let beat = leader.map(|leader| leader.guidance.beat);
            self.ask(seat, Question::Report(beat), out);
        }
    }

    /// The seats that are to be asked again; from now on they count as asked.
    pub(super) fn due_seats(&mut self, now: Moment) -> Vec<Seat> {
        let retry = self.numbers.retry;
        let mut due = Vec::new();
        for (seat, place) in self.home.seats().zip(&mut self.seats) {
            if next_of(place, retry) > now {
                continue;
            }
            place.attempts = place.attempts.saturating_add(1);
            place.asked = Some(now);
            due.push(seat);
        }
        due
    }

    pub(super) fn next_question(&self) -> Moment {
        let next = self.seats.iter().map(|place| next_of(place, self.numbers.retry)).min();
        next.unwrap_or(Moment::MAX)
    }

    /// When we stand if nothing is heard before.
    pub(super) fn standing_from(&self, now: Moment) -> Moment {
        let Some(promise) = self.promise else { return self.stand_at };
        let turn = self.numbers.stagger * self.living_before(promise.to, now) + self.lot;
        self.stand_at.max(promise.until + turn)
    }

    /// Whether our promise still keeps us from helping anybody else.
    pub(super) fn is_bound(&self, now: Moment) -> bool {
        self.promise.is_some_and(|promise| now < promise.until)
    }

    /// How many stand before us: of those that live, whoever has a better copy, then the successors in the order in
    /// which the leader named them, then the others by id.
    fn living_before(&self, gone: NodeId, now: Moment) -> u32 {
        let named = self.following.as_ref().map_or(&[][..], |leader| &leader.guidance.successors);
        let place = |node: NodeId, position: Position| {
            let turn = named.iter().position(|successor| *successor == node);
            (cmp::Reverse(position), turn.unwrap_or(usize::MAX), node)
        };
        let own = place(self.own, self.position);
        let living = self.hosts.living(Kind::Node, now, &self.numbers).filter(|(node, _)| *node != gone);
        let before = living.filter(|(node, host)| place(*node, host.position.unwrap_or_default()) < own);
        u32::try_from(before.count()).unwrap_or(u32::MAX).min(self.home.size().into())
    }

    /// Whether somebody lives who has more than we have.
    pub(super) fn better_lives(&self, now: Moment) -> bool {
        let mut living = self.hosts.living(Kind::Node, now, &self.numbers);
        living.any(|(_, host)| host.position.is_some_and(|position| position > self.position))
    }
}

impl Place {
    /// Questions in a row that got no answer. One that is under way may still get one.
    pub(super) const fn unanswered(&self) -> u32 {
        self.attempts.saturating_sub(if self.asked.is_some() { 1 } else { 0 })
    }
}

fn next_of(place: &Place, retry: std::time::Duration) -> Moment {
    place.asked.map_or(place.next, |sent| sent + retry)
}
