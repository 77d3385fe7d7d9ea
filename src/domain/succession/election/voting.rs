//! Votes: who gets ours, and who does not.

use super::{Asked, Cause, Election, Output, State, disk::Deferred, following::Following, handing::Step};
use crate::domain::{
    Moment,
    succession::{
        Epoch, NodeId,
        ballot::Ballot,
        message::{Answer, Guidance, Objection, Sender},
    },
};

impl Election {
    pub(super) fn hears_pre_vote(
        &mut self,
        asked: Asked,
        from: &Sender,
        epoch: Epoch,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let objection = match self.objection(from, epoch, false, now) {
            // Nobody stands in an epoch that somebody may have won.
            None if epoch <= self.ballot.epoch => Some(Objection::OldEpoch),
            objection => objection,
        };
        self.reply(asked, objection.map_or(Answer::Would(epoch), Answer::Refused), out);
        // Nobody leads, and whoever wants to has less than we have. It will let us go first.
        if objection == Some(Objection::Lags)
            && matches!(self.state, State::Standby | State::Fenced)
            && !self.is_bound(now)
        {
            self.stand(now, out);
        }
    }

    pub(super) fn hears_vote(
        &mut self,
        asked: Asked,
        from: &Sender,
        (epoch, handed): (Epoch, bool),
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        if let Some(objection) = self.objection(from, epoch, handed, now) {
            return self.reply(asked, Answer::Refused(objection), out);
        }
        let node = Some(from.node);
        let promised_for = self.numbers.promise();
        let ballot = Ballot { epoch, voted: node, promised: node, promised_for, ..self.ballot };
        if ballot != self.ballot {
            self.ballot = ballot;
            self.persist(out);
        }
        self.promises(from.node, now);
        self.prepared = None;
        self.following = None;
        if matches!(self.state, State::Leader(_)) {
            // It will answer for itself soon; until then this is who clients are sent to.
            let guidance = Guidance::default();
            self.following = Some(Following { leader: from.node, epoch, guidance, heard: now });
            self.becomes(State::Standby, Cause::HandedOver, now, out);
            out.push(Output::Handing(from.node, super::Handing::Done));
        } else if !matches!(self.state, State::Fenced) {
            self.becomes(State::Standby, Cause::Voted, now, out);
        }
        self.once_on_disk(Deferred::Reply(asked, Answer::Granted(epoch)), now, out);
    }

    /// Why this node does not get our vote in this epoch, if it does not.
    fn objection(&self, from: &Sender, epoch: Epoch, handed: bool, now: Moment) -> Option<Objection> {
        if self.disk.failed {
            return Some(Objection::Unready);
        }
        if epoch < self.ballot.epoch {
            return Some(Objection::OldEpoch);
        }
        if epoch == self.ballot.epoch && self.ballot.voted.is_some_and(|voted| voted != from.node) {
            return Some(Objection::Voted);
        }
        if matches!(self.state, State::Leader(_)) {
            // Only who was given our place may have it, and only while we offer it.
            let offered = handed && self.has_offered(from.node, epoch);
            return (!offered).then_some(Objection::LeaderLives);
        }
        // A leader that hands over has let go before anybody else is asked, so no promise to it is broken.
        if !handed && self.has_promised_other(from.node, epoch, now) {
            return Some(Objection::LeaderLives);
        }
        (from.position < self.position).then_some(Objection::Lags)
    }

    fn has_promised_other(&self, node: NodeId, epoch: Epoch, now: Moment) -> bool {
        match self.promise {
            Some(promise) => promise.to != node && now < promise.until,
            // Who remembers no promise may have lost its disk, and with it the memory of one. Only where nobody has
            // ever led there can be none.
            None => {
                self.ballot.promised.is_none()
                    && epoch > Epoch::default().next()
                    && now < self.started + self.numbers.promise()
            }
        }
    }

    fn has_offered(&self, node: NodeId, epoch: Epoch) -> bool {
        let State::Leader(reign) = &self.state else { return false };
        let handing = reign.handing.as_ref();
        epoch == self.ballot.epoch.next()
            && handing.is_some_and(|handing| handing.to == node && handing.step == Step::Committing)
    }
}
