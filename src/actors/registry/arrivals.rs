//! Who comes in, who goes, and who takes another name.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Entry, Join, Leave, Registry};
use crate::{
    actors::{archivist::Remember, clock::unix_ms, event::Kind},
    dialect,
    domain::{
        id::ConnectionId,
        member::{Member, Named},
        refusal::{Ending, Refusal},
    },
    store::Seen,
};

impl Registry {
    pub(super) fn count(&self) {
        self.tally.clients.set(i64::try_from(self.entries.len()).unwrap_or(i64::MAX));
        self.tally.members.set(i64::try_from(self.switchboard.roster().len()).unwrap_or(i64::MAX));
    }

    pub(super) fn write_down(&self, member: &Member, named: Option<Named>) {
        let key = member.public_key.to_string();
        let seen = Seen::now(member.key, member.dialect, key, unix_ms());
        self.archivist.do_send(Remember(seen.under(named)));
    }

    /// Somebody takes another name, if it is free. Neighbours and clients hear that one went and one came.
    pub(super) fn rename(
        &mut self,
        connection: ConnectionId,
        nick: &str,
        ctx: &mut Context<Self>,
    ) -> Result<Arc<Member>, Refusal> {
        let entry = self.entries.get(&connection).ok_or(Refusal::Unproven)?;
        let (before, address) = (Arc::clone(&entry.member), entry.address);
        let newcomer = dialect::under(&before, nick).ok_or(Refusal::Unproven)?;
        if before.name.as_deref() == Some(nick) {
            return Ok(before);
        }
        if self.keeps_out(&newcomer, address) {
            return Err(Refusal::Banned);
        }
        let (before, member) = self.switchboard.rename(connection, &newcomer)?;
        if let Some(entry) = self.entries.get_mut(&connection) {
            entry.member = Arc::clone(&member);
        }
        self.write_down(&before, None);
        self.write_down(&member, newcomer.named);
        let (was, is) = (Arc::clone(&before), Arc::clone(&member));
        self.bulletin.publish(Kind::Renamed { client: connection, before: was, member: is });
        let sequence = self.switchboard.roster().sequence();
        self.tell_change(&before, false, sequence.saturating_sub(1), ctx);
        self.tell_change(&member, true, sequence, ctx);
        self.changed(ctx);
        Ok(member)
    }
}

impl Handler<Join> for Registry {
    type Result = Result<Arc<Member>, Refusal>;

    fn handle(&mut self, join: Join, ctx: &mut Self::Context) -> Self::Result {
        let Join { connection, newcomer, ear, lane, address } = join;
        let joined = match self.keeps_out(&newcomer, address) {
            true => Err(Refusal::Banned),
            false => self.switchboard.join(connection, &newcomer),
        };
        let (member, is_new) = match joined {
            Ok(joined) => joined,
            Err(refusal) if ear.waits() => {
                // It is answered, and may try again.
                self.tally.refusal(refusal);
                return Err(refusal);
            }
            Err(refusal) => {
                let ending = Ending::Refused(refusal);
                self.bulletin.publish(Kind::Refused { address, ending, server: None });
                lane.end(ending);
                return Err(refusal);
            }
        };
        let dialect = newcomer.dialect;
        self.bulletin.publish(Kind::Joined { client: connection, member: Arc::clone(&member), dialect });
        self.write_down(&member, newcomer.named);
        if ear.hears_lists() {
            self.readers += 1;
            self.presence.arrived(connection);
        }
        self.welcome(&member, ear, &lane);
        self.enlist(connection, &member);
        let (entered, since_ms, has_chosen) = (Arc::clone(&member), unix_ms(), false);
        self.entries.insert(connection, Entry { lane, ear, member: entered, address, since_ms, has_chosen });
        self.count();
        if is_new {
            self.welcome_back(connection, &member, ctx);
            self.tell_change(&member, true, self.switchboard.roster().sequence(), ctx);
            self.changed(ctx);
        } else {
            self.push_lists(ctx);
        }
        Ok(member)
    }
}

impl Handler<Leave> for Registry {
    type Result = ();

    fn handle(&mut self, leave: Leave, ctx: &mut Self::Context) {
        let Leave { connection, ending } = leave;
        let Some((member, is_gone)) = self.switchboard.leave(connection) else { return };
        let entry = self.entries.remove(&connection);
        self.readers -= usize::from(entry.is_some_and(|entry| entry.ear.hears_lists()));
        self.presence.gone(connection);
        self.bulletin.publish(Kind::Left { client: connection, member: Arc::clone(&member), ending });
        self.count();
        // Rooms first: neighbours hear that a guest has left before they hear that there is no such member.
        self.leave_rooms(connection);
        if is_gone {
            self.miss(member.key);
            self.write_down(&member, None);
            self.tell_change(&member, false, self.switchboard.roster().sequence(), ctx);
            self.changed(ctx);
        } else {
            self.push_lists(ctx);
        }
    }
}
