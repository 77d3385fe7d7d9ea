//! The warden: makes bans, lifts them, and ends those whose time is over.

use std::{collections::HashMap, time::Duration};

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, AtomicResponse, Context, Handler, Recipient, SpawnHandle,
    WrapFuture as _,
};

use super::{Banned, Enforce, Lift, LiftError, Make, MakeError, Publish};
use crate::{
    actors::{
        clock::unix_ms,
        event::{Bulletin, Kind},
        notary::Notary,
    },
    domain::{
        bans::{Ban, BanId, Origin},
        id::KeyId,
    },
    store::Store,
};

/// How long the warden sleeps at most: clocks on walls are set at times.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the warden is made of.
#[derive(Debug)]
pub struct Parts {
    /// The set that everybody asks.
    pub banned: Banned,
    /// Where bans are kept.
    pub store: Store,
    /// Who signs our list and checks those of neighbours.
    pub notary: Notary,
    /// Where events go.
    pub bulletin: Bulletin,
    /// Who looks who may stay, whenever the set has changed.
    pub enforcers: Vec<Recipient<Enforce>>,
    /// Who tells neighbours.
    pub publisher: Recipient<Publish>,
    /// Bans of the operator, and of each list, at most.
    pub most: usize,
    /// Whether neighbours are told our own bans.
    pub publish: bool,
    /// The number of our own newest issue, if there ever was one.
    pub issue: Option<u64>,
    /// The numbers of the newest lists that are known, by the keys that signed them.
    pub issues: HashMap<KeyId, u64>,
}

/// The actor. It lives on the archivist's thread, because most of what it does is to wait for the disk.
#[derive(Debug)]
pub struct Warden {
    pub(super) parts: Parts,
    alarm: Option<SpawnHandle>,
    /// What we publish has changed, and nobody was told yet.
    pub(super) is_news: bool,
}

impl Warden {
    /// A warden of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { is_news: parts.publish || parts.issue.is_some(), parts, alarm: None }
    }

    /// The set is another one now: everybody looks, and the next end is waited for.
    pub(super) fn changed(&mut self, ctx: &mut Context<Self>) {
        for enforcer in &self.parts.enforcers {
            enforcer.do_send(Enforce);
        }
        self.wait(ctx);
    }

    fn wait(&mut self, ctx: &mut Context<Self>) {
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let ahead = self.parts.banned.read().next_end().map(|end| end.saturating_sub(unix_ms()).max(0));
        let ahead = ahead.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        let span = ahead.map_or(LONGEST_SLEEP, |span| span.min(LONGEST_SLEEP));
        self.alarm = Some(ctx.run_later(span, |warden, ctx| {
            warden.alarm = None;
            warden.sweep(ctx);
            warden.publish(ctx);
        }));
    }

    /// Takes away what is over. It hits nobody any more; now whoever it kept out is shown again.
    fn sweep(&mut self, ctx: &mut Context<Self>) {
        let over = self.parts.banned.read().over(unix_ms());
        if over.is_empty() {
            return self.wait(ctx);
        }
        for ban in over.iter().filter_map(|id| self.parts.banned.write().remove(*id)) {
            self.parts.bulletin.publish(Kind::Unbanned { ban });
        }
        self.changed(ctx);
        let store = self.parts.store.clone();
        ctx.spawn(
            async move {
                // What stays on the disk is over, too, and is swept at the next start.
                if let Err(error) = store.forget_bans(&over).await {
                    tracing::warn!(%error, "bans that are over could not be erased");
                }
            }
            .into_actor(self),
        );
    }

    fn made(&mut self, stale: Option<BanId>, ban: &Ban, ctx: &mut Context<Self>) {
        let mut set = self.parts.banned.write();
        if let Some(stale) = stale {
            set.remove(stale);
        }
        set.insert(ban.clone());
        drop(set);
        self.parts.bulletin.publish(Kind::Banned { ban: ban.clone() });
        self.is_news = true;
        self.changed(ctx);
        self.publish(ctx);
    }

    fn lifted(&mut self, ban: &Ban, ctx: &mut Context<Self>) {
        self.parts.banned.write().remove(ban.id);
        self.parts.bulletin.publish(Kind::Unbanned { ban: ban.clone() });
        self.is_news = true;
        self.changed(ctx);
        self.publish(ctx);
    }
}

impl Actor for Warden {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.sweep(ctx);
        self.publish(ctx);
    }
}

impl Handler<Make> for Warden {
    type Result = AtomicResponse<Self, Result<Ban, MakeError>>;

    fn handle(&mut self, Make(said): Make, _: &mut Self::Context) -> Self::Result {
        let looked = {
            let set = self.parts.banned.read();
            match set.said_by(Origin::Operator, &said.target) {
                Some(known) if known.said.is_on(unix_ms()) => Err(MakeError::Known(known.id)),
                Some(stale) => Ok(Some(stale.id)),
                None if set.by(Origin::Operator).count() >= self.parts.most => Err(MakeError::TooMany),
                None => Ok(None),
            }
        };
        let store = self.parts.store.clone();
        let work = async move {
            let stale = looked?;
            if let Some(stale) = stale {
                store.forget_bans(&[stale]).await.map_err(MakeError::Store)?;
            }
            Ok((stale, store.add_ban(said).await.map_err(MakeError::Store)?))
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(|done, warden, ctx| {
            done.map(|(stale, ban)| {
                warden.made(stale, &ban, ctx);
                ban
            })
        })))
    }
}

impl Handler<Lift> for Warden {
    type Result = AtomicResponse<Self, Result<Ban, LiftError>>;

    fn handle(&mut self, Lift(id): Lift, _: &mut Self::Context) -> Self::Result {
        let found = self.parts.banned.read().get(id).cloned().ok_or(LiftError::Unknown);
        let store = self.parts.store.clone();
        let work = async move {
            let ban = found?;
            if let Origin::List(key) = ban.by {
                return Err(LiftError::Listed(key));
            }
            store.forget_bans(&[ban.id]).await.map_err(LiftError::Store)?;
            Ok(ban)
        };
        AtomicResponse::new(Box::pin(
            work.into_actor(self).map(|done, warden, ctx| done.inspect(|ban| warden.lifted(ban, ctx))),
        ))
    }
}
