//! A node that leads: it asks everybody whether they still follow, and serves for as long as enough of them do.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{Cause, Election, Output, Place, State, handing::HandOver};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId,
        home::Seat,
        hosts::{Host, Kind},
        message::{Beat, Guidance, Question, Sender},
        ranking::{Challenger, Score},
    },
};

/// Beats so close together are one.
const ONE_BEAT: Duration = Duration::from_millis(100);
/// Beats that are remembered. More than a lease has, unless it is very long; then it only ends sooner.
const MOST_BEATS: usize = 256;

/// A term of office.
#[derive(Debug)]
pub(super) struct Reign {
    /// Since when the ranking has nothing to say: the beginning, or the last hand-over that came to nothing.
    calm_from: Moment,
    /// When each of the last beats began. The first of a reign is 1.
    beats: VecDeque<(Beat, Moment)>,
    count: u64,
    /// Until when it may serve.
    pub(super) leased: Moment,
    /// When the hosts are ranked next.
    rank_at: Moment,
    challenger: Challenger,
    pub(super) handing: Option<HandOver>,
}

impl Reign {
    /// The beat of this moment, or of one just before.
    fn beat(&mut self, now: Moment) -> Beat {
        if let Some((beat, began)) = self.beats.back()
            && now.saturating_sub(*began) < ONE_BEAT
        {
            return *beat;
        }
        self.count = self.count.saturating_add(1);
        if self.beats.len() >= MOST_BEATS {
            self.beats.pop_front();
        }
        self.beats.push_back((Beat(self.count), now));
        Beat(self.count)
    }

    fn began(&self, beat: Beat) -> Option<Moment> {
        self.beats.iter().find(|(known, _)| *known == beat).map(|(_, began)| *began)
    }

    /// Nothing is decided by rank for a while.
    pub(super) fn calm(&mut self, now: Moment) {
        self.calm_from = now;
        self.challenger.reset();
    }
}

impl Election {
    pub(super) fn begin_reign(&mut self, cause: Cause, now: Moment, out: &mut Vec<Output>) {
        self.following = None;
        self.prepared = None;
        self.promise = None;
        self.yielded = false;
        self.heir = None;
        // From here on all changes are made in this epoch, so every copy of an earlier one is behind.
        self.position.epoch = self.ballot.epoch;
        for place in &mut self.seats {
            *place = Place { asked: None, next: now, ..place.clone() };
        }
        let reign = Reign {
            calm_from: now,
            beats: VecDeque::new(),
            count: 0,
            leased: Moment::ZERO,
            rank_at: now + self.numbers.pulse,
            challenger: Challenger::default(),
            handing: None,
        };
        self.becomes(State::Leader(reign), cause, now, out);
        self.reign(now, out);
    }

    /// Time has passed for a leader.
    pub(super) fn reign(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.renew(now, out);
        let due = self.due_seats(now);
        if let Some(guidance) = (!due.is_empty()).then(|| self.guidance(now)).flatten() {
            for seat in due {
                self.ask(seat, Question::Pulse(guidance.clone()), out);
            }
        }
        self.rank(now, out);
        self.hand_on(now, out);
    }

    pub(super) fn next_of_reign(&self, reign: &Reign) -> Moment {
        let handing = reign.handing.as_ref().map_or(Moment::MAX, |handing| handing.next(&self.numbers));
        let leased = if self.rules_alone() { Moment::MAX } else { reign.leased };
        self.next_question().min(leased).min(reign.rank_at).min(handing)
    }

    /// Whether nobody else can ever lead without us.
    fn rules_alone(&self) -> bool {
        self.home.is_enough(&BTreeSet::new())
    }

    /// What we tell whoever follows, if we lead.
    pub(super) fn guidance(&mut self, now: Moment) -> Option<Guidance> {
        let successors = self.successors(now);
        let State::Leader(reign) = &mut self.state else { return None };
        let lease_ms = u64::try_from(reign.leased.saturating_sub(now).as_millis()).unwrap_or(u64::MAX);
        Some(Guidance { beat: reign.beat(now), lease_ms, successors })
    }

    /// Who is next: nodes heard just now, best first; behind them those whose copy lags, and whoever has just
    /// handed over to us.
    pub(super) fn successors(&self, now: Moment) -> Vec<NodeId> {
        let eligible = self.hosts.eligible(Kind::Node, now, &self.numbers);
        let mut next: Vec<_> =
            eligible.map(|(id, host)| (self.is_held(id, now) || self.lags(host), id)).collect();
        // The sort is stable: within both groups the best stays first.
        next.sort_by_key(|(last, _)| *last);
        next.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn is_held(&self, node: NodeId, now: Moment) -> bool {
        self.held.is_some_and(|(held, until)| held == node && now < until)
    }

    /// Whether a copy of the database is so far behind ours that nobody should wait for it.
    pub(super) fn lags(&self, host: &Host) -> bool {
        host.position.is_none_or(|theirs| {
            theirs.epoch > self.position.epoch
                || theirs.index.saturating_add(self.numbers.lag) < self.position.index
                || (theirs.epoch < self.position.epoch && self.has_written_more(theirs.epoch))
        })
    }

    /// A copy of an earlier epoch is whole only if it is the last one before ours.
    fn has_written_more(&self, epoch: Epoch) -> bool {
        epoch.next() < self.position.epoch
    }

    /// Somebody has answered a beat of ours.
    pub(super) fn followed(
        &mut self,
        seat: Seat,
        from: &Sender,
        beat: Beat,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let State::Leader(reign) = &self.state else { return };
        if from.epoch != self.ballot.epoch {
            return;
        }
        let began = reign.began(beat);
        if let Some(place) = self.place_mut(seat) {
            place.acked = place.acked.max(began);
        }
        self.renew(now, out);
    }

    /// Whether what was answered gives a lease that is not over.
    pub(super) fn would_serve(&self, now: Moment) -> bool {
        self.rules_alone() || self.asked_enough().is_some_and(|asked| now < asked + self.numbers.lease)
    }

    /// Until when we may serve, by what was answered.
    fn renew(&mut self, now: Moment, out: &mut Vec<Output>) {
        let asked = if self.rules_alone() { Some(now) } else { self.asked_enough() };
        let lease = self.numbers.lease;
        let State::Leader(reign) = &mut self.state else { return };
        let leased = asked.map_or(Moment::ZERO, |asked| asked + lease);
        if leased > reign.leased {
            reign.leased = leased;
            out.push(Output::Leased(leased));
        }
    }

    /// The latest moment at which we asked what enough nodes have answered since.
    fn asked_enough(&self) -> Option<Moment> {
        let places = self.home.seats().zip(&self.seats);
        let mut acked: Vec<_> =
            places.filter_map(|(seat, place)| place.acked.map(|acked| (acked, seat))).collect();
        acked.sort_by(|one, other| other.cmp(one));
        let mut seats = BTreeSet::new();
        acked.into_iter().find_map(|(acked, seat)| {
            seats.insert(seat);
            self.home.is_enough(&seats).then_some(acked)
        })
    }

    /// Whoever leads and is heard by too few stops, before anybody else may start.
    pub(super) fn fence_if_due(&mut self, now: Moment, out: &mut Vec<Output>) {
        let State::Leader(reign) = &self.state else { return };
        if now < reign.leased || self.rules_alone() {
            return;
        }
        self.stand_at = now + self.numbers.stagger + self.spread(self.numbers.stagger);
        self.becomes(State::Fenced, Cause::LostMajority, now, out);
    }

    fn rank(&mut self, now: Moment, out: &mut Vec<Output>) {
        let numbers = &self.numbers;
        let best = self
            .hosts
            .eligible(Kind::Node, now, numbers)
            .find(|(id, host)| !self.is_held(*id, now) && !self.lags(host) && self.seat_of(*id).is_some())
            .map(|(id, host)| (id, host.score.unwrap_or_default()));
        let own = self.hosts.get(self.own).and_then(|host| host.score).unwrap_or(Score(u32::MAX));
        let State::Leader(reign) = &mut self.state else { return };
        if now < reign.rank_at {
            return;
        }
        reign.rank_at = now + numbers.pulse;
        let better = reign.challenger.pulse(best, own, numbers);
        let may_move =
            numbers.by_ranking && reign.handing.is_none() && now >= reign.calm_from + numbers.tenure;
        if let Some(to) = better.filter(|_| may_move) {
            self.outranked(to, now, out);
        }
    }
}
