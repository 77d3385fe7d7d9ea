//! Letters that name a home: whoever was away is told what it has missed, as far as it can take it.

use actix::Context;

use crate::{
    actors::{clock::unix_ms, keeper::Keep, lane::Class, registry::Registry},
    dialect::press,
    domain::{
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Audience, Author, Letter},
        member::Member,
        offline::Kept,
        switchboard::{Hearers, Plan},
    },
    store::OfflineChange,
};

impl Registry {
    /// Somebody is here who was not.
    pub(in crate::actors::registry) fn welcome_back(
        &mut self,
        connection: ConnectionId,
        member: &Member,
        ctx: &mut Context<Self>,
    ) {
        self.hand_over(member.key, ctx);
        if member.dialect != Dialect::Olaf {
            return;
        }
        let Some(offline) = &mut self.offline else { return };
        let (missed, forgotten) = offline.backlog.came(member.key, unix_ms());
        if let Some(forgotten) = forgotten {
            offline.change(OfflineChange::Unmark(forgotten));
        }
        let stopped = self.catch_up(connection, &missed);
        let Some(offline) = &mut self.offline else { return };
        if let Some(number) = stopped {
            offline.backlog.stopped(member.key, number, unix_ms());
        }
        if let Some(heard) = offline.backlog.heard(member.key) {
            offline.change(OfflineChange::Mark(member.key, heard));
        }
    }

    /// Offers what was missed, in order. Says for which letter there was no room.
    fn catch_up(&self, connection: ConnectionId, missed: &[Kept]) -> Option<u64> {
        let entry = self.entries.get(&connection)?;
        for kept in missed.iter().filter(|kept| !self.is_banned(kept.author, unix_ms())) {
            let Some(frame) = press::letter(&kept.letter(), entry.ear) else { continue };
            if !entry.lane.offer(frame, Class::Letter) {
                return Some(kept.number);
            }
            self.tally.deliveries.inc();
            self.tally.offline_delivered.inc();
        }
        None
    }

    /// Somebody is here no more.
    pub(in crate::actors::registry) fn miss(&mut self, member: KeyId) {
        let Some(offline) = &mut self.offline else { return };
        if let Some(heard) = offline.backlog.went(member, offline.last, unix_ms()) {
            offline.change(OfflineChange::Mark(member, heard));
        }
    }

    /// A letter has gone to everybody of this home. If it is private, those who are away want it, too.
    pub(in crate::actors::registry) fn note_for_the_absent(&mut self, letter: &Letter, plan: &Plan) {
        let is_private = matches!(letter.audience, Audience::Homes(_)) && plan.here == Hearers::Everybody;
        let Some(offline) = self.offline.as_mut().filter(|_| is_private) else { return };
        if !offline.backlog.has_listeners() || !press::is_sealed(letter) {
            return;
        }
        let author = match letter.author {
            Author::Proven(author) | Author::Vouched { author, .. } => author,
            // All whom nobody has checked share one share.
            Author::Claimed(_) => KeyId([0; 32]),
        };
        let kept = offline.next(letter, author, None);
        // Nobody is told, so nobody waits for the answer.
        offline.keeper.do_send(Keep(kept.clone()));
        let gone = offline.backlog.put(kept);
        offline.forget(gone);
        self.tally.offline_kept.inc();
    }
}
