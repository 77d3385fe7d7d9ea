//! What nodes say to each other: under way, lost, late, twice, or cut off in the middle.

use std::time::Duration;

use kith::domain::succession::{
    election::{Asked, Input},
    home::Seat,
    message::{Answer, Ask, Failure, Objection, Question as Asks, Reply},
    sequence::Sequence,
};

use super::{
    machine::seat_to_node,
    wire,
    world::{Event, World},
};
use crate::broken::Broken;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// The ticket of a message that somebody else has kept and sends again: nobody waits for its answer.
const AGAIN: u64 = 0;

/// A question that is under way: from which seat of which life it was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) from: (usize, u64),
    pub(super) seat: Seat,
    to: usize,
}

impl World {
    pub(super) fn send(&mut self, at: usize, seat: Seat, ask: Box<Ask>) {
        let to = seat_to_node(at, seat);
        self.count += 1;
        let ticket = self.count;
        let Some(life) = &mut self.machines[at].life else { return };
        life.sent += 1;
        let sequence = Sequence { run: life.node.run(), count: life.sent };
        let question = Question { from: (at, self.machines[at].lives), seat, to };
        self.questions.insert(ticket, question);
        let delay = self.net.delay_between(at, to, &mut self.chance);
        let passes = !self.net.unasked.contains(&(at, to)) && self.net.passes(at, to, &mut self.chance);
        if !passes || self.machines[to].is_dark {
            return self.after(PATIENCE, at, Event::Failed(ticket, Failure::TimedOut));
        }
        if !self.is_alive(to) {
            return self.after(delay * 2, at, Event::Failed(ticket, Failure::Refused));
        }
        // Writing all of them down would take longer than everything else.
        let ask = if ticket.is_multiple_of(32) { wire::carried(&ask) } else { ask };
        if self.chance.u32(0..1000) < self.net.twice {
            let later = Duration::from_millis(self.chance.u64(1..20_000));
            self.note("a message again");
            self.after_restarts(later, to, Event::Asked(AGAIN, sequence, ask.clone()));
        }
        self.after(delay, to, Event::Asked(ticket, sequence, ask));
        self.after(PATIENCE, at, Event::Failed(ticket, Failure::TimedOut));
    }

    /// What somebody else sends arrives in whichever life.
    fn after_restarts(&mut self, delay: Duration, to: usize, event: Event) {
        let Event::Asked(_, sequence, ask) = event else { return };
        self.after(delay, to, Event::Strike(super::faults::Blow::Replay(sequence, ask)));
    }

    /// A message is played back to whoever runs there now.
    pub(super) fn replay(&mut self, to: usize, sequence: Sequence, ask: Box<Ask>) {
        if self.is_alive(to) {
            self.after(Duration::ZERO, to, Event::Asked(AGAIN, sequence, ask));
        }
    }

    /// No message counts twice in one life of who hears it.
    pub(super) fn hears(
        &mut self,
        at: usize,
        ticket: u64,
        sequence: Sequence,
        ask: Box<Ask>,
    ) -> Result<(), Broken> {
        let Some(life) = &mut self.machines[at].life else { return Ok(()) };
        if !life.heard.admit(ask.from.node, sequence) {
            self.note("a message refused because it is old");
            return Ok(());
        }
        if ticket == AGAIN {
            self.note("a message from before a restart");
        }
        if matches!(ask.what, Asks::Cancel(..)) && self.index(ask.from.node) != at {
            self.note("cancelled or conceded");
        }
        self.tell(at, Input::Ask(Asked(ticket), ask))
    }

    pub(super) fn send_back(&mut self, at: usize, ticket: u64, reply: Box<Reply>) -> Result<(), Broken> {
        if let Answer::Refused(objection) = reply.what {
            self.note(word(objection));
        }
        let Some(Question { from: (asker, life), to, .. }) = self.questions.get(&ticket).copied() else {
            return Ok(());
        };
        self.says(at, self.machines[asker].id, &reply.what)?;
        if to == at && life == self.machines[asker].lives && self.net.passes(at, asker, &mut self.chance) {
            let delay = self.net.delay_between(at, asker, &mut self.chance);
            let reply = if ticket.is_multiple_of(32) { wire::carried_back(&reply) } else { reply };
            self.after(delay, asker, Event::Answered(ticket, reply));
        }
        Ok(())
    }

    /// All connections between two nodes are reset. What was said may have been heard.
    pub(crate) fn reset(&mut self, one: usize, other: usize) {
        let is_between =
            |question: &Question| [(one, other), (other, one)].contains(&(question.from.0, question.to));
        let between = self.questions.iter().filter(|(_, question)| is_between(question));
        for (ticket, asker) in
            between.map(|(ticket, question)| (*ticket, question.from.0)).collect::<Vec<_>>()
        {
            self.note("a connection reset");
            self.after(Duration::ZERO, asker, Event::Failed(ticket, Failure::Reset));
        }
    }
}

const fn word(objection: Objection) -> &'static str {
    match objection {
        Objection::OldEpoch => "refused: old epoch",
        Objection::LeaderLives => "refused: a promise holds",
        Objection::Voted => "refused: voted",
        Objection::Lags => "refused: lags",
        Objection::OtherHome => "refused: another home",
        Objection::OtherNumbers => "refused: other numbers",
        Objection::Unready => "refused: unready",
        Objection::NotYours => "refused: not yours",
        Objection::NoDoors => "refused: no doors",
        Objection::NoDisk => "refused: no disk",
        Objection::NoCopy => "refused: no copy",
        Objection::NoFiles => "refused: no files",
    }
}
