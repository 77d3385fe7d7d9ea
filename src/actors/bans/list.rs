//! Lists of bans between neighbours: ours is signed and handed out, theirs are checked and kept.

use std::{collections::HashSet, sync::Arc};

use actix::{ActorFutureExt as _, AsyncContext as _, AtomicResponse, Context, Handler, WrapFuture as _};

use super::{Forget, Hear, ListError, Publish, Warden};
use crate::{
    actors::{clock::unix_ms, event::Kind},
    crypto::keys::PublicKey,
    dialect::{
        event::Hand,
        kith::bans::{self, List, Signed},
    },
    domain::{
        bans::{Ban, Draft, Origin, Target},
        id::KeyId,
    },
    store::StoreError,
};

/// The fact that holds the number of our own newest issue. Numbers must grow also after the clock was set back.
pub const ISSUE: &str = "bans.issue";

impl Warden {
    /// Has our own list signed and handed out, if it has changed. Nothing else is changed meanwhile.
    pub(super) fn publish(&mut self, ctx: &mut Context<Self>) {
        let is_wanted = self.parts.publish || self.parts.issue.is_some();
        if !is_wanted || !std::mem::take(&mut self.is_news) {
            return;
        }
        let now = u64::try_from(unix_ms()).unwrap_or(0);
        let issue = self.parts.issue.map_or(now, |last| now.max(last.saturating_add(1)));
        self.parts.issue = Some(issue);
        let list = self.own_list(issue);
        let (store, notary) = (self.parts.store.clone(), self.parts.notary.clone());
        let work = async move {
            store.set_fact(ISSUE, &issue.to_string()).await?;
            let signature = notary.sign(Hand::Server, bans::text(&list)).await;
            Ok::<_, StoreError>(signature.ok().map(|signature| Signed { list, signature }))
        };
        ctx.wait(work.into_actor(self).map(|signed, warden, _| match signed {
            Ok(Some(signed)) => warden.parts.publisher.do_send(Publish(bans::frame(&signed))),
            Ok(None) => warden.is_news = true,
            Err(error) => {
                tracing::warn!(%error, "our bans are published later, when the store takes writes again");
                warden.is_news = true;
            }
        }));
    }

    /// Whoever does not publish any more says so with an empty list.
    fn own_list(&self, issue: u64) -> Vec<u8> {
        let set = self.parts.banned.read();
        let mut own: Vec<&Draft> =
            set.by(Origin::Operator).filter(|_| self.parts.publish).map(|ban| &ban.said).collect();
        // Where there is no room for all, the newest ones are worth more.
        own.reverse();
        own.retain(|said| said.target.may_be_listed());
        let (list, left_out) = bans::write(issue, own.into_iter());
        if left_out > 0 {
            tracing::warn!(left_out, "not all bans fit into the list for neighbours; the newest ones do");
        }
        list
    }

    /// A list takes the place of the one before. Only what that changes is announced.
    fn heard(&mut self, key: KeyId, issue: u64, kept: Vec<Ban>, ctx: &mut Context<Self>) {
        self.parts.issues.insert(key, issue);
        let by = Origin::List(key);
        let mut set = self.parts.banned.write();
        let before: Vec<Ban> = set.by(by).cloned().collect();
        set.remove_all(by);
        for ban in &kept {
            set.insert(ban.clone());
        }
        drop(set);
        let targets =
            |bans: &[Ban]| bans.iter().map(|ban| ban.said.target.clone()).collect::<HashSet<Target>>();
        let (old, new) = (targets(&before), targets(&kept));
        tracing::info!(signer = %key, issue, bans = kept.len(), "the list of bans of a neighbour is in force");
        for ban in before.into_iter().filter(|ban| !new.contains(&ban.said.target)) {
            self.parts.bulletin.publish(Kind::Unbanned { ban });
        }
        for ban in kept.into_iter().filter(|ban| !old.contains(&ban.said.target)) {
            self.parts.bulletin.publish(Kind::Banned { ban });
        }
        self.changed(ctx);
    }

    /// The list, if this key has signed it and it is newer than the one that is known; none if it is the
    /// same.
    fn examine(
        &self,
        key: Arc<PublicKey>,
        signed: Signed,
    ) -> impl Future<Output = Result<Option<List>, ListError>> + use<> {
        let (notary, most) = (self.parts.notary.clone(), self.parts.most);
        let known = self.parts.issues.get(&key.id()).copied();
        async move {
            let verdict = notary.judge(signed.check(key)).await.map_err(|_| ListError::Failed)?;
            verdict.ok_or(ListError::BadSignature)?;
            let mut list = signed.read(most).map_err(|_| ListError::Malformed)?;
            list.bans.retain(|ban| ban.is_on(unix_ms()));
            match known {
                Some(known) if list.issue < known => Err(ListError::Old),
                Some(known) if list.issue == known => Ok(None),
                // Numbers are kept as SQLite has them.
                _ if i64::try_from(list.issue).is_err() => Err(ListError::Malformed),
                _ => Ok(Some(list)),
            }
        }
    }
}

impl Handler<Hear> for Warden {
    type Result = AtomicResponse<Self, Result<(), ListError>>;

    fn handle(&mut self, Hear { key, signed }: Hear, _: &mut Self::Context) -> Self::Result {
        let id = key.id();
        let examined = self.examine(key, signed);
        let store = self.parts.store.clone();
        let work = async move {
            let Some(List { issue, bans }) = examined.await? else { return Ok(None) };
            let kept = store.replace_ban_list(id, issue, bans).await.map_err(|error| {
                tracing::error!(%error, "the list of bans of a neighbour could not be written down");
                ListError::Failed
            })?;
            Ok(Some((issue, kept)))
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(move |done, warden, ctx| {
            if let Some((issue, kept)) = done? {
                warden.heard(id, issue, kept, ctx);
            }
            Ok(())
        })))
    }
}

impl Handler<Forget> for Warden {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Forget(key): Forget, _: &mut Self::Context) -> Self::Result {
        let is_known = self.parts.issues.contains_key(&key);
        let store = self.parts.store.clone();
        let work = async move {
            if is_known && let Err(error) = store.forget_ban_list(key).await {
                tracing::error!(%error, "the list of bans of a neighbour could not be erased");
            }
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(move |(), warden, ctx| {
            if is_known {
                warden.heard(key, 0, Vec::new(), ctx);
                warden.parts.issues.remove(&key);
            }
        })))
    }
}
