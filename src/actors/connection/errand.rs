//! What a client wants of the directory of the rendezvous. What it registers goes with its connection.

use actix::{Addr, MailboxError};

use super::{Connection, Context};
use crate::{
    actors::{
        lane::Class,
        registry::Find,
        rendezvous::{Publish, Release, Rename, Rendezvous, Show, Withdraw},
    },
    dialect::{
        errand::{Errand, Reply, Why},
        press,
    },
    domain::{
        directory::published::Publication,
        id::{ConnectionId, KeyId},
        refusal::Ending,
        rooms::Ticket,
    },
};

impl Connection {
    /// Asks who the client is by now, then the rendezvous, and reads nothing until that has answered.
    pub(super) fn run_errand(&mut self, ticket: Ticket, errand: Errand, ctx: &mut Context) {
        let is_registration = matches!(errand, Errand::Register(_));
        self.registers |= is_registration;
        // Each registration is told to everybody.
        let refusal = if is_registration { self.house.gate.hello(self.address).err() } else { None };
        refusal.inspect(|refusal| self.house.tally.refusal(*refusal));
        let client = self.house.registry.send(Find(self.id));
        let (rendezvous, connection, from) = (self.house.rendezvous.clone(), self.id, self.address);
        let asked = async move {
            let Some(client) = client.await? else { return Ok(None) };
            let reply = match refusal {
                Some(_) => Reply::Refused(Why::TooOften),
                None => ask(&rendezvous, errand, client.member.key, (connection, from)).await?,
            };
            Ok::<_, MailboxError>(Some(press::reply(ticket, &reply, client.ear)))
        };
        self.wait_for(asked, ctx, |connection, answer, ctx| match answer {
            // By its lane: behind what the registry has offered before it was asked, and not without bound.
            Ok(frames) => {
                let lane = connection.lane(connection.house.limits.queue_bytes, ctx);
                let mut frames = frames.into_iter().flatten();
                while frames.next().is_some_and(|frame| lane.offer(frame, Class::Letter)) {}
            }
            Err(_) => connection.end(Ending::Failed, ctx),
        });
    }

    /// The client has asked to be called otherwise. What it has registered is under the name that it has then.
    pub(super) fn follow_name(&self, ctx: &mut Context) {
        if !self.registers {
            return;
        }
        let client = self.house.registry.send(Find(self.id));
        self.wait_for(client, ctx, |connection, answer, _| {
            if let Ok(Some(client)) = answer {
                connection.house.rendezvous.do_send(Rename(connection.id, client.member.key));
            }
        });
    }

    /// The connection is over.
    pub(super) fn release(&self) {
        if self.registers {
            self.house.rendezvous.do_send(Release(self.id));
        }
    }
}

async fn ask(
    rendezvous: &Addr<Rendezvous>,
    errand: Errand,
    member: KeyId,
    (connection, from): (ConnectionId, std::net::IpAddr),
) -> Result<Reply, MailboxError> {
    Ok(match errand {
        Errand::Register(at) => {
            let publication = Publication { member, at, connection };
            match rendezvous.send(Publish { publication, from }).await? {
                Ok(()) => Reply::Registered(at),
                Err(why) => Reply::Refused(Why::Rule(why)),
            }
        }
        Errand::Unregister(at) => match rendezvous.send(Withdraw { member, at }).await? {
            Ok(false) => Reply::Refused(Why::NotRegistered),
            Ok(true) => Reply::Unregistered(at),
            Err(error) => {
                tracing::warn!(%error, %at, "an address was taken out, and comes back with the next start");
                Reply::Unregistered(at)
            }
        },
        Errand::Read => Reply::Directory(rendezvous.send(Show).await?.directory),
    })
}
