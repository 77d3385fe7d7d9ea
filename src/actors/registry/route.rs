//! Letters on their way in: what becomes of each, and of those that nobody may hear.

use actix::Handler;

use super::{Registry, Route};
use crate::{
    dialect::press,
    domain::{
        letter::{Audience, Author, Letter},
        refusal::{Refusal, Violation},
        switchboard::Objection,
    },
};

impl Handler<Route> for Registry {
    type Result = ();

    fn handle(&mut self, Route(letter): Route, ctx: &mut Self::Context) {
        self.inbox.taken(letter.original.len());
        let planned = match self.is_from_banned(&letter) {
            true => Err(Objection::Refused(Refusal::Banned)),
            false => self.switchboard.route(&letter),
        };
        match planned {
            Ok(plan) => {
                self.tally.letters.inc();
                self.tally.unreachable.inc_by(u64::try_from(plan.unreachable).unwrap_or(u64::MAX));
                let behind = self.goes_behind(&letter);
                let Some(letter) = (if behind { self.keep(letter, ctx) } else { Some(letter) }) else {
                    return;
                };
                self.hold_back(&letter, &plan, ctx);
                let is_missed = self.deliver(&letter, &plan);
                self.note_for_the_absent(&letter, &plan);
                self.carry_in(&letter);
                // Whoever it is for is being cut off just now.
                if is_missed && matches!(letter.audience, Audience::Member(_)) {
                    self.keep_or_refuse(letter, ctx);
                }
            }
            // Whoever brings it may know nothing of the ban.
            Err(Objection::Refused(Refusal::Banned)) => self.tally.refusal(Refusal::Banned),
            Err(Objection::Refused(refusal)) => self.refuse(letter.from, refusal),
            Err(Objection::Violated(violation)) => self.object(letter.from, violation),
            // Its home could as well list the author first, but not under another key.
            Err(Objection::Unlisted(key)) if press::author_key(&letter) == Some(key) => {
                let Author::Vouched { author, .. } = letter.author else {
                    return self.object(letter.from, Violation::WrongSender);
                };
                self.inbox.add(letter.original.len());
                self.handle(Route(Letter { author: Author::Proven(author), ..letter }), ctx);
            }
            Err(Objection::Unlisted(_)) => self.object(letter.from, Violation::WrongSender),
            Err(Objection::Doubted(member)) => self.have_checked(letter, member, ctx),
            Err(Objection::NotFound) => self.keep_or_refuse(letter, ctx),
        }
    }
}
