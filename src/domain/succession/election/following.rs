//! A node that does not lead: it reports to everybody, hears who leads, and promises to help nobody else.

use std::cmp;

use super::{Asked, Cause, Election, Output, Place, State, disk::Deferred};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId,
        ballot::Ballot,
        home::Seat,
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
        let ballot = Ballot { voted, promised: Some(from.node), ..self.ballot };
        if ballot != self.ballot {
            self.ballot = ballot;
            self.persist(out);
        }
        if self.prepared.is_some_and(|prepared| prepared.epoch != from.epoch.next()) {
            self.prepared = None;
        }
        let turn = guidance.successors.iter().position(|node| *node == self.own);
        let turn = turn.and_then(|turn| u8::try_from(turn).ok()).unwrap_or_else(|| self.home.size());
        self.promises(from.node, turn, now);
        let heard = Following { leader: from.node, epoch: from.epoch, guidance, heard: now };
        self.following = Some(heard);
        if !self.is_being_handed() {
            self.becomes(State::Standby, Cause::Heard, now, out);
        }
    }

    /// From now on we help this node alone, and stand when our turn comes after that.
    pub(super) fn promises(&mut self, to: NodeId, turn: u8, now: Moment) {
        let until = now + self.numbers.takeover;
        self.promise = Some(Promise { to, until });
        self.stand_at = until + self.turn(turn);
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
            if place.asked.is_some() {
                place.attempts = place.attempts.saturating_add(1);
            }
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
    pub(super) fn standing_from(&self) -> Moment {
        let promise = self.promise.filter(|promise| promise.to != self.own);
        promise.map_or(self.stand_at, |promise| promise.until.max(self.stand_at))
    }
}

fn next_of(place: &Place, retry: std::time::Duration) -> Moment {
    place.asked.map_or(place.next, |sent| sent + retry)
}
