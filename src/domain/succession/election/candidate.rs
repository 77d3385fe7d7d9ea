//! A node that wants to lead: it asks whether others would vote for it, then for their votes.
//!
//! The first question changes nothing anywhere, so a node that was merely cut off disturbs nobody, and those whose
//! promise has not ended yet may be asked again and again. A candidate that is not elected says so to whoever voted
//! for it: it will never lead in that epoch, so they need not wait for it. A node that the leader hands over to asks
//! the leader first, alone: once that has voted it leads no more, and only then the promises that others gave to it
//! may be passed over.

use std::{collections::BTreeSet, time::Duration};

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
    /// When those that have not answered, or not as they should, are asked again.
    pub(super) next: Moment,
    granted: BTreeSet<Seat>,
    refused: BTreeSet<Seat>,
    /// Who gave no answer, or has no vote.
    pub(super) failed: BTreeSet<Seat>,
    /// Who gives its place to us.
    pub(super) handed_by: Option<Seat>,
}

impl Campaign {
    fn new(stage: Stage, epoch: Epoch, now: Moment, until: Moment) -> Self {
        let (granted, refused, failed) = Default::default();
        Self { stage, epoch, sent: now, until, next: until, granted, refused, failed, handed_by: None }
    }
}

impl Election {
    pub(super) fn stand_if_due(&mut self, now: Moment, out: &mut Vec<Output>) {
        if now >= self.standing_from(now) && !self.disk.failed {
            self.stand(now, out);
        }
    }

    pub(super) fn stand(&mut self, now: Moment, out: &mut Vec<Output>) {
        let epoch = self.ballot.epoch.next();
        self.following = None;
        self.prepared = None;
        self.forget_answers();
        let mut campaign = Campaign::new(Stage::Asking, epoch, now, now + self.numbers.retry);
        campaign.next = now + self.round();
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

    /// How long until somebody is asked again who is about to answer otherwise.
    pub(super) fn round(&self) -> Duration {
        let half = self.numbers.stagger / 2;
        half + self.spread(half)
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
        let round = self.round();
        let State::Candidate(campaign) = &mut self.state else { return };
        if now >= campaign.until {
            return match campaign.stage {
                Stage::Resting if self.disk.failed => {
                    campaign.until = self.disk.again;
                    campaign.next = campaign.until;
                }
                Stage::Resting => self.stand(now, out),
                Stage::Release => self.retire(Cause::NotElected, now, out),
                Stage::Asking | Stage::Voting => self.count(now, out),
            };
        }
        if now < campaign.next {
            return;
        }
        let (epoch, retry, handed) = (campaign.epoch, self.numbers.retry, campaign.handed_by);
        let missing = |seat: &Seat| !campaign.granted.contains(seat);
        let (pause, seats, what): (_, Vec<_>, _) = match campaign.stage {
            // Their promises end one after the other.
            Stage::Asking => {
                let seats = campaign.refused.iter().copied().filter(missing);
                (round, seats.collect(), Question::PreVote(epoch))
            }
            Stage::Release => (retry, handed.into_iter().collect(), Question::Vote { epoch, handed: true }),
            Stage::Voting if handed.is_some() => {
                let seats = self.home.seats().filter(missing);
                (retry, seats.collect(), Question::Vote { epoch, handed: true })
            }
            Stage::Voting | Stage::Resting => return,
        };
        campaign.next = now + pause;
        for seat in seats {
            self.ask(seat, what.clone(), out);
        }
    }

    pub(super) fn would(&mut self, seat: Seat, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else { return };
        if campaign.stage == Stage::Asking && campaign.epoch == epoch {
            campaign.granted.insert(seat);
            campaign.refused.remove(&seat);
            self.count(now, out);
        }
    }

    pub(super) fn granted(&mut self, seat: Seat, epoch: Epoch, now: Moment, out: &mut Vec<Output>) {
        match &mut self.state {
            State::Candidate(campaign)
                if campaign.epoch == epoch
                    && (campaign.stage == Stage::Voting
                        || (campaign.stage == Stage::Release && campaign.handed_by == Some(seat))) =>
            {
                campaign.granted.insert(seat);
                campaign.refused.remove(&seat);
                let sent = campaign.sent;
                if let Some(place) = self.place_mut(seat) {
                    place.acked = Some(sent);
                }
                self.count(now, out);
            }
            State::Leader(_) if self.ballot.epoch == epoch => {}
            // Too late: we do not stand in that epoch any more.
            _ => self.let_go(seat, epoch, out),
        }
    }

    /// Says to somebody who voted for us that we shall never lead in that epoch.
    fn let_go(&self, seat: Seat, epoch: Epoch, out: &mut Vec<Output>) {
        if let Some(voter) = self.place(seat).and_then(|place| place.node) {
            self.ask(seat, Question::Cancel(voter, epoch), out);
        }
    }

    /// Whoever stood and stands no more lets go of those who voted for it.
    pub(super) fn concede(&self, campaign: &Campaign, out: &mut Vec<Output>) {
        if campaign.stage == Stage::Voting {
            for seat in &campaign.granted {
                self.let_go(*seat, campaign.epoch, out);
            }
        }
    }

    pub(super) fn refused(&mut self, seat: Seat, objection: Objection, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &mut self.state else {
            return self.declined(seat, objection, now, out);
        };
        // Who cannot vote at all counts as one that gave no answer.
        if objection == Objection::Unready {
            campaign.failed.insert(seat);
        } else if !campaign.granted.contains(&seat) {
            campaign.refused.insert(seat);
        }
        if objection == Objection::Lags && campaign.stage == Stage::Asking && !self.yielded {
            return self.give_way(now);
        }
        self.count(now, out);
    }

    /// Somebody who lives has more than we have. It may go first, once, even if others would be enough for us.
    fn give_way(&mut self, now: Moment) {
        self.yielded = true;
        self.rest(now + self.numbers.stagger * 2);
    }

    /// Whether this node left so many questions unanswered that nobody waits for its answer.
    fn is_silent(&self, seat: Seat) -> bool {
        self.place(seat).is_some_and(|place| place.unanswered() > self.numbers.retries)
    }

    /// Whether it is enough, or will never be.
    pub(super) fn count(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &self.state else { return };
        let enough = self.home.is_enough(&campaign.granted);
        let is_open = |seat: &Seat| {
            let heard = [&campaign.granted, &campaign.refused, &campaign.failed];
            !heard.iter().any(|seats| seats.contains(seat)) && !self.is_silent(*seat)
        };
        let over = now >= campaign.until;
        // Half of the home is only enough where the other half says nothing.
        let by_majority = (campaign.granted.len() + 1) * 2 > usize::from(self.home.size());
        let by_silence =
            campaign.refused.is_empty() && (over || !self.home.seats().any(|seat| is_open(&seat)));
        let won = enough && (by_majority || by_silence || campaign.handed_by.is_some());
        match campaign.stage {
            Stage::Release if !campaign.granted.is_empty() => self.vote_for_ourselves(now, out),
            Stage::Release if campaign.handed_by.is_some_and(|seat| campaign.refused.contains(&seat)) => {
                self.retire(Cause::NotElected, now, out);
            }
            Stage::Asking if won && !self.yielded && self.better_lives(now) => self.give_way(now),
            Stage::Asking if won => self.vote_for_ourselves(now, out),
            Stage::Voting if won && self.has_own_vote() => self.win(now, out),
            Stage::Asking | Stage::Voting if over || self.is_lost(campaign) => {
                self.retire(Cause::NotElected, now, out);
            }
            _ => {}
        }
    }

    /// Whether too many have refused their vote, or say nothing at all.
    fn is_lost(&self, campaign: &Campaign) -> bool {
        let may_vote = |seat: &Seat| {
            campaign.granted.contains(seat) || !(campaign.refused.contains(seat) || self.is_silent(*seat))
        };
        campaign.stage == Stage::Voting
            && campaign.handed_by.is_none()
            && !self.home.is_enough(&self.home.seats().filter(may_vote).collect())
    }

    fn has_own_vote(&self) -> bool {
        self.disk.is_settled() && self.ballot.voted == Some(self.own)
    }

    fn vote_for_ourselves(&mut self, now: Moment, out: &mut Vec<Output>) {
        let own = Some(self.own);
        let seats: Vec<_> = self.home.seats().collect();
        let State::Candidate(campaign) = &mut self.state else { return };
        let epoch = campaign.epoch;
        let taken = self.ballot.epoch > epoch
            || (self.ballot.epoch == epoch && self.ballot.voted.is_some_and(|voted| Some(voted) != own));
        if taken {
            return self.retire(Cause::NotElected, now, out);
        }
        if campaign.handed_by.is_none() {
            // Who did not say whether it would vote is not waited for again.
            let silent = seats.into_iter().filter(|seat| !campaign.granted.contains(seat));
            campaign.failed.extend(silent);
            campaign.granted.clear();
        }
        campaign.refused.clear();
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
        if !self.would_serve(now) {
            // The votes were asked for so long ago that their lease is over: this process, or an answer, stood still.
            return self.retire(Cause::NotElected, now, out);
        }
        let giver = campaign.handed_by;
        let cause = if giver.is_some() { Cause::HandedOver } else { Cause::Elected };
        let giver = giver.and_then(|seat| self.place(seat)).and_then(|place| place.node);
        self.held = giver.map(|giver| (giver, now + self.numbers.hold_down));
        self.begin_reign(cause, now, out);
    }

    /// Not this time. It stays a candidate and stands again after a pause by chance, so that two do not meet twice.
    pub(super) fn retire(&mut self, cause: Cause, now: Moment, out: &mut Vec<Output>) {
        let State::Candidate(campaign) = &self.state else { return };
        if campaign.stage == Stage::Release {
            // The leader has not let go, so it still leads, and we have promised to help it.
            return self.becomes(State::Standby, cause, now, out);
        }
        self.concede(campaign, out);
        // Nobody needs to hurry who has found nobody for long.
        let slow = self.numbers.retry / 2;
        let pause = if now < self.eager_until { self.round() } else { slow + self.spread(slow) };
        self.rest(now + pause);
    }

    /// Not now, but from this moment on.
    fn rest(&mut self, until: Moment) {
        let bound = self.promise.map_or(Moment::ZERO, |promise| promise.until);
        self.stand_at = until.max(bound);
        let resting = Campaign::new(Stage::Resting, self.ballot.epoch, until, self.stand_at);
        self.state = State::Candidate(resting);
    }
}
