//! A node that wants to lead: it asks whether others would vote for it, then for their votes.
//!
//! The first question changes nothing anywhere, so a node that was merely cut off disturbs nobody. A node that the
//! leader hands over to asks the leader first, alone: once that has voted it leads no more, and only then the
//! promises that others gave to it may be passed over.

use std::collections::BTreeSet;

use super::{Cause, Election, Output, State, disk::Deferred};
use crate::domain::{
    Moment,
    succession::{
        Epoch,
        ballot::Ballot,
        home::Seat,
        message::{Objection, Question},
    },
};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Would you?
    Asking,
    /// The leader is asked to let go.
    Release,
    /// Do you?
    Voting,
    /// It was not elected, and stands again a little later.
    Resting,
}

/// One attempt to be elected.
#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) stage: Stage,
    pub(super) epoch: Epoch,
    /// When the votes were asked for: the lease that they give counts from there.
    sent: Moment,
    pub(super) until: Moment,
    /// When those that have not answered are asked again.
    pub(super) next: Moment,
    granted: BTreeSet<Seat>,
    refused: BTreeSet<Seat>,
    pub(super) failed: BTreeSet<Seat>,
    /// Who gives its place to us.
    handed_by: Option<Seat>,
}

impl Campaign {
    fn new(stage: Stage, epoch: Epoch, now: Moment, until: Moment) -> Self {
        let (granted, refused, failed) = Default::default();
        Self { stage, epoch, sent: now, until, next: until, granted, refused, failed, handed_by: None }
    }
}

impl Election {
    pub(super) fn stand_if_due(&mut self, now: Moment, out: &mut Vec<Output>) {
        if now >= self.standing_from() && !self.disk.failed {
            self.stand(now, out);
        }
    }

    fn stand(&mut self, now: Moment, out: &mut Vec<Output>) {
        let epoch = self.ballot.epoch.next();
        self.following = None;
        self.prepared = None;
        self.forget_answers();
        let campaign = Campaign::new(Stage::Asking, epoch, now, now + self.numbers.retry);
        self.becomes(State::Candidate(campaign), Cause::Silence, now, out);
        for seat in self.home.seats() {
            self.ask(seat, Question::PreVote(epoch), out);
        }
        self.count(now, out);
    }

    /// The leader gives its place to us: it is asked to let go.
    pub(super) fn stand_for(&mut self, epoch: Epoch, leader: Seat, now: Moment, out: &mut Vec<Output>) {
        self.forget_answers();
        let mut campaign = Campaign::new(Stage::Release, epoch, now, now + self.numbers.lease);
        campaign.handed_by = Some(leader);
        campaign.next = now + self.numbers.retry;
        self.becomes(State::Candidate(campaign), Cause::HandedOver, now, out);
        self.ask(leader, Question::Vote { epoch, handed: true }, out);
    }

    /// What was answered in an earlier epoch gives no lease in this one.
    fn forget_answers(&mut self) {
        for place in &mut self.seats {
            place.acked = None;
        }
    }

    pub(super) const fn is_being_handed(&self) -> bool {
        matches!(&self.state, State::Candidate(campaign) if campaign.handed_by.is_some())
    }

    /// Whether the leader gives us its place in this epoch.
    pub(super) fn is_handed(&self, epoch: Epoch) -> bool {
        matches!(&self.state, State::Candidate(campaign) if campaign.handed_by.is_some() && campaign.epoch == epoch)
    }

    /// Time has passed for a candidate.
    pub(super) fn campaign(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else { return };
        if now >= campaign.until {
            return match campaign.stage {
                Stage::Resting => self.stand_if_due(now, out),
                Stage::Release => self.retire(Cause::NotElected, now, out),
                Stage::Asking | Stage::Voting => self.count(now, out),
            };
        }
        if now < campaign.next || campaign.handed_by.is_none() {
            return;
        }
        campaign.next = now + self.numbers.retry;
        let (stage, epoch, leader) = (campaign.stage, campaign.epoch, campaign.handed_by);
        let granted = campaign.granted.clone();
        let seats = self.home.seats().filter(|seat| !granted.contains(seat));
        let seats = seats.filter(|seat| stage != Stage::Release || Some(*seat) == leader);
        for seat in seats.collect::<Vec<_>>() {
            self.ask(seat, Question::Vote { epoch, handed: true }, out);
        }
    }

    pub(super) fn would(&mut self, seat: Seat, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else { return };
        if campaign.stage == Stage::Asking && campaign.epoch == epoch {
            campaign.granted.insert(seat);
            self.count(now, out);
        }
    }

    pub(super) fn granted(&mut self, seat: Seat, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else { return };
        if campaign.epoch != epoch {
            return;
        }
        let sent = campaign.sent;
        match campaign.stage {
            Stage::Release if campaign.handed_by == Some(seat) => {
                campaign.granted.insert(seat);
            }
            Stage::Voting => {
                campaign.granted.insert(seat);
            }
            Stage::Release | Stage::Asking | Stage::Resting => return,
        }
        if let Some(place) = self.place_mut(seat) {
            place.acked = Some(sent);
        }
        self.count(now, out);
    }

    pub(super) fn refused(&mut self, seat: Seat, objection: Objection, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else {
            return self.declined(seat, objection, now, out);
        };
        // Who cannot vote at all counts as one that gave no answer.
        if objection == Objection::Unready {
            campaign.failed.insert(seat);
        } else {
            campaign.refused.insert(seat);
        }
        self.count(now, out);
    }

    /// Whether it is enough, or will never be.
    pub(super) fn count(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &self.state else { return };
        let enough = self.home.is_enough(&campaign.granted);
        let all = usize::from(self.home.size());
        let heard = campaign.granted.union(&campaign.refused).chain(campaign.failed.iter());
        let heard_all = heard.collect::<BTreeSet<_>>().len() + 1 >= all;
        let over = now >= campaign.until;
        // Half of the home is only enough where the other half says nothing.
        let by_majority = (campaign.granted.len() + 1) * 2 > all;
        let by_silence = campaign.refused.is_empty() && (heard_all || over);
        let won = enough && (by_majority || by_silence || campaign.handed_by.is_some());
        match campaign.stage {
            Stage::Release if !campaign.granted.is_empty() => self.vote_for_ourselves(now, out),
            Stage::Release if campaign.handed_by.is_some_and(|seat| campaign.refused.contains(&seat)) => {
                self.retire(Cause::NotElected, now, out);
            }
            Stage::Asking if won => self.vote_for_ourselves(now, out),
            Stage::Voting if won && self.has_own_vote() => self.win(now, out),
            Stage::Asking | Stage::Voting if over => self.retire(Cause::NotElected, now, out),
            _ => {}
        }
    }

    fn has_own_vote(&self) -> bool {
        self.disk.is_settled() && self.ballot.voted == Some(self.own)
    }

    fn vote_for_ourselves(&mut self, now: Moment, out: &mut Vec<Output>) {
        let own = Some(self.own);
        let State::Candidate(campaign) = &mut self.state else { return };
        let epoch = campaign.epoch;
        let taken = self.ballot.epoch > epoch
            || (self.ballot.epoch == epoch && self.ballot.voted.is_some_and(|voted| Some(voted) != own));
        if taken {
            return self.retire(Cause::NotElected, now, out);
        }
        if campaign.handed_by.is_none() {
            campaign.granted.clear();
        }
        campaign.refused.clear();
        campaign.failed.clear();
        campaign.stage = Stage::Voting;
        campaign.until = now + self.numbers.lease;
        campaign.next = campaign.until;
        self.ballot = Ballot { epoch, voted: own, promised: own, ..self.ballot };
        self.promise = None;
        self.persist(out);
        self.once_on_disk(Deferred::AskVotes(epoch), now, out);
    }

    /// Our own vote is on disk: now for those of the others.
    pub(super) fn ask_votes(&mut self, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let retry = self.numbers.retry;
        let State::Candidate(campaign) = &mut self.state else { return };
        if campaign.stage != Stage::Voting || campaign.epoch != epoch {
            return;
        }
        let handed = campaign.handed_by.is_some();
        campaign.sent = now;
        campaign.next = now + retry;
        campaign.until = now + if handed { self.numbers.lease } else { retry };
        let granted = campaign.granted.clone();
        for seat in self.home.seats().filter(|seat| !granted.contains(seat)) {
            self.ask(seat, Question::Vote { epoch, handed }, out);
        }
        self.count(now, out);
    }

    fn win(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &self.state else { return };
        let giver = campaign.handed_by;
        let cause = if giver.is_some() { Cause::HandedOver } else { Cause::Elected };
        let giver = giver.and_then(|seat| self.place(seat)).and_then(|place| place.node);
        self.held = giver.map(|giver| (giver, now + self.numbers.hold_down));
        self.begin_reign(cause, now, out);
    }

    /// Not this time. It stays a candidate and stands again after a pause by chance, so that two do not meet twice.
    pub(super) fn retire(&mut self, cause: Cause, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else { return };
        if campaign.stage == Stage::Release {
            // The leader has not let go, so it still leads, and we have promised to help it.
            return self.becomes(State::Standby, cause, now, out);
        }
        let pause = self.numbers.retry / 2;
        let pause = pause + self.spread(self.numbers.retry);
        self.stand_at = now + pause;
        let mut campaign = Campaign::new(Stage::Resting, self.ballot.epoch, now, self.standing_from());
        campaign.next = campaign.until;
        self.state = State::Candidate(campaign);
    }
}
