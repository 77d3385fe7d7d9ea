//! What a connection asks of the house, and waits for: checks, signatures, and who is there.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, fut::wrap_future};

use super::{Connection, Context};
use crate::{
    actors::{
        gate::CheckPlace,
        house::House,
        registry::{Join, People},
        stillness::UnderWay,
    },
    crypto::signature::{Salt, Verdict},
    dialect::{
        Ear,
        event::{Check, Hand, Input},
    },
    domain::{
        limits::seconds,
        member::{Newcomer, Whom},
        refusal::{Ending, Refusal},
    },
};

/// How long a check waits before it asks the gate again.
const CHECK_RETRY: Duration = Duration::from_millis(10);
/// Frames as which a signature counts that fits nothing, beside the one that brought it. It was tried over every text
/// and with every salt, which costs some thirteen times what a good one does.
const BAD_SIGNATURE_FRAMES: u32 = 20;
/// The same for a salt of an odd length, which only the slow library takes.
const ODD_SALT_FRAMES: u32 = 4;

/// What a check has cost beside the frame that brought it.
const fn cost(verdict: Verdict) -> u32 {
    match verdict {
        Some((_, Salt::Digest | Salt::Max)) => 0,
        Some((_, Salt::Other)) => ODD_SALT_FRAMES,
        None => BAD_SIGNATURE_FRAMES,
    }
}

impl Connection {
    /// Asks somebody in the house. Nothing else is read from this connection meanwhile.
    pub(super) fn wait_for<A: 'static>(
        &self,
        answer: impl Future<Output = A> + 'static,
        ctx: &mut Context,
        then: impl FnOnce(&mut Self, A, &mut Context) + 'static,
    ) {
        let then = |answer, connection: &mut Self, ctx: &mut Context| then(connection, answer, ctx);
        ctx.wait(wrap_future::<_, Self>(answer).map(then));
    }

    pub(super) fn have_signed(&mut self, hand: Hand, text: Vec<u8>, ctx: &mut Context) {
        let house = Arc::clone(&self.house);
        let under_way = house.stillness.look();
        let signature = async move { (house.notary.sign(hand, text).await, under_way) };
        self.wait_for(signature, ctx, |connection, (signature, _under_way), ctx| match signature {
            Ok(signature) => connection.step(Input::Signed(signature), ctx),
            Err(_) => connection.end(Ending::Failed, ctx),
        });
    }

    /// Has a signature checked. Nothing else is read from this connection meanwhile, which keeps the
    /// order of its letters and bounds its share of the notaries.
    pub(super) fn ask(&mut self, check: Check, ctx: &mut Context) {
        if !self.joined
            && let Err(refusal) = self.house.gate.hello(self.address)
        {
            self.end(Ending::Refused(refusal), ctx);
            return;
        }
        // What waits for a check is not accepted yet, and from the check on it counts there. If it counted here too, a
        // house that holds still would wait for what waits for the house.
        self.flow.has_read_nothing();
        let house = Arc::clone(&self.house);
        let address = self.address;
        let answer = async move { judge(&house, address, check).await };
        self.wait_for(answer, ctx, |connection, judged, ctx| match judged {
            // It is under way until the session has said what follows from it.
            Ok((verdict, _under_way)) => {
                let pause = connection.frames.charge(cost(verdict), connection.house.clock.now());
                connection.flow.pause(pause);
                connection.step(Input::Checked(verdict), ctx);
            }
            Err(ending) => connection.end(ending, ctx),
        });
    }

    /// Says who this is. Where the client waits to hear whether it is let in, so does everything that it says.
    pub(super) fn join(&mut self, newcomer: Newcomer, ear: Ear, ctx: &mut Context) {
        // A hello that is signed was counted when its signature was.
        if newcomer.named.as_ref().is_some_and(|named| !named.proven)
            && let Err(refusal) = self.house.gate.hello(self.address)
        {
            return self.end(Ending::Refused(refusal), ctx);
        }
        // Whatever the answer will be: a connection that dies before it comes may be on the map.
        self.joined = true;
        let lane = self.lane(self.house.limits.queue_bytes, ctx);
        let (connection, address) = (self.id, self.address);
        let join = Join { connection, newcomer, ear, lane, address };
        if !ear.waits() {
            self.introduced(ctx);
            return self.house.registry.do_send(join);
        }
        let answer = self.house.registry.send(join);
        self.wait_for(answer, ctx, |connection, answer, ctx| {
            let Ok(answer) = answer else { return connection.end(Ending::Failed, ctx) };
            connection.joined = answer.is_ok();
            if connection.joined {
                connection.introduced(ctx);
            }
            connection.step(Input::Joined(answer), ctx);
        });
    }

    /// Looks for members who have names.
    pub(super) fn find(&mut self, whom: Whom, ctx: &mut Context) {
        let found = self.house.registry.send(People(whom));
        self.wait_for(found, ctx, |connection, found, ctx| match found {
            Ok(found) => connection.step(Input::Found(found), ctx),
            Err(_) => connection.end(Ending::Failed, ctx),
        });
    }
}

/// Waits for room in the house and a place at the notaries, then for their answer.
///
/// The map is waited for here, because every letter passes here: what waits for it is bounded by
/// `registry_bytes` and one letter per connection.
async fn judge(house: &House, address: IpAddr, check: Check) -> Result<(Verdict, UnderWay), Ending> {
    let asked = house.clock.now();
    let give_up = asked + seconds(house.limits.hello_timeout_s);
    let (place, under_way) = loop {
        // Counted before the house is asked whether it holds still, so that whoever makes it hold still sees it.
        let under_way = house.stillness.look();
        let refusal = match house.gate.check(address) {
            Ok(place) if !house.inbox.is_full() => break (place, under_way),
            Ok(_) => Refusal::ServerFull,
            Err(refusal) => refusal,
        };
        drop(under_way);
        if house.clock.now() >= give_up {
            return Err(Ending::Refused(refusal));
        }
        actix_rt::time::sleep(CHECK_RETRY).await;
    };
    let verdict = house.notary.judge(check).await.map_err(|_| Ending::Failed)?;
    drop(place);
    house.tally.check_seconds.observe(house.clock.now().saturating_sub(asked).as_secs_f64());
    if verdict.is_some() { &house.tally.signatures_good } else { &house.tally.signatures_bad }.inc();
    Ok((verdict, under_way))
}

/// Waits for a place at the notaries, for as long as it takes.
pub(super) async fn place(house: &House, address: IpAddr) -> CheckPlace {
    loop {
        match house.gate.check(address) {
            Ok(place) => return place,
            Err(_) => actix_rt::time::sleep(CHECK_RETRY).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_usual_costs_nothing_more() {
        for salt in [Salt::Digest, Salt::Max] {
            assert_eq!(cost(Some((9, salt))), 0, "{salt:?}");
        }
        let odd = cost(Some((0, Salt::Other)));
        assert!(0 < odd && odd < cost(None));
    }
}
