//! Our home is about to move to another of its nodes: what its neighbours are asked before.
//!
//! Everybody is served meanwhile. A neighbour may be about to move as well, and if both held back letters for the other
//! one, both would wait for what neither can say any more. So one goes first: whoever has begun to wait for the
//! other one lets it go, and if both have asked at the same moment, the home with the smaller key does not wait.
//! **Invariant:** a home that is ready to leave holds back nothing.

use std::collections::BTreeMap;

use actix::{Context, Handler, Message, MessageResult};

use super::Registry;
use crate::{
    dialect::{Ear, event::Pause},
    domain::id::HomeId,
};

/// Our home is about to move: neighbours should hold back letters.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct HoldBack;

/// Asks for whom a home that is about to move still waits.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Awaited")]
pub struct AreHeldBack;

/// For whom a home that is about to move waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// For nobody: from now on no neighbour is waited for.
    Nobody,
    /// For neighbours that have been asked to hold back letters, and have not said that they do.
    Words,
    /// For neighbours that move and go first.
    Moves,
}

/// Our home moves now, whoever is still waited for.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct AwaitNobody;

/// Our home stays where it is.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct GoOn;

/// How far our home is with that.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Neighbours that have not said that they hold back letters, and under which number they were asked for that.
    asked: BTreeMap<HomeId, u32>,
    /// Neighbours that want to move as well and were not let go first, and the numbers under which they asked.
    passed_over: BTreeMap<HomeId, u32>,
    /// Nobody is waited for any more.
    is_ready: bool,
}

impl Registry {
    /// Asks a neighbour to hold back letters, if our home is about to move.
    pub(super) fn ask_to_hold(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        // Nobody else understands that.
        let is_ours = self.neighbours.get(&home).is_some_and(|neighbour| neighbour.ear == Ear::Kith);
        if let Some(leaving) = self.leaving.as_mut().filter(|leaving| is_ours && !leaving.is_ready) {
            self.holds = self.holds.wrapping_add(1);
            leaving.asked.insert(home, self.holds);
            self.say_of_move(home, Pause::Hold(self.holds), ctx);
        }
    }

    /// A neighbour says that it holds back letters, because it was asked for that under this number.
    pub(super) fn holds_back(&mut self, home: HomeId, number: u32) {
        if let Some(leaving) = &mut self.leaving
            && leaving.asked.get(&home) == Some(&number)
        {
            leaving.asked.remove(&home);
        }
    }

    /// Whether a neighbour that wants to move may do so before us, and we wait.
    pub(super) fn may_go_first(&mut self, home: HomeId, number: u32, ctx: &mut Context<Self>) -> bool {
        let Some(leaving) = &mut self.leaving else { return true };
        let own = self.terms.myself.key.id();
        let is_behind = self.neighbours.get(&home).and_then(|neighbour| neighbour.key) > Some(own);
        // It hears what we have asked, and lets us go; or we cannot wait any more.
        if leaving.is_ready || is_behind && leaving.asked.contains_key(&home) {
            leaving.passed_over.insert(home, number);
            return false;
        }
        leaving.asked.remove(&home);
        self.say_of_move(home, Pause::GoOn, ctx);
        true
    }

    /// A neighbour does not want to move any more, or it is another node of it that will ask.
    pub(super) fn wants_to_stay(&mut self, home: HomeId) {
        if let Some(leaving) = &mut self.leaving {
            leaving.passed_over.remove(&home);
        }
    }

    /// Whether what is done now may not be known to the next node.
    pub(super) fn has_left(&self) -> bool {
        self.inbox.is_still() || self.leaving.as_ref().is_some_and(|leaving| leaving.is_ready)
    }
}

impl Handler<HoldBack> for Registry {
    type Result = ();

    fn handle(&mut self, _: HoldBack, ctx: &mut Context<Self>) {
        self.leaving = Some(Leaving::default());
        let stay = self.neighbours.keys().copied().filter(|home| !self.moves(*home));
        for home in stay.collect::<Vec<_>>() {
            self.ask_to_hold(home, ctx);
        }
    }
}

impl Handler<AreHeldBack> for Registry {
    type Result = MessageResult<AreHeldBack>;

    fn handle(&mut self, _: AreHeldBack, _: &mut Context<Self>) -> Self::Result {
        let Some(leaving) = &mut self.leaving else { return MessageResult(Awaited::Nobody) };
        leaving.asked.retain(|home, _| self.neighbours.contains_key(home));
        let awaited = match (self.moving.is_empty(), leaving.asked.is_empty()) {
            (false, _) => Awaited::Moves,
            (true, false) => Awaited::Words,
            (true, true) => Awaited::Nobody,
        };
        leaving.is_ready = awaited == Awaited::Nobody;
        MessageResult(awaited)
    }
}

impl Handler<AwaitNobody> for Registry {
    type Result = ();

    fn handle(&mut self, _: AwaitNobody, ctx: &mut Context<Self>) {
        let leaving = self.leaving.get_or_insert_default();
        leaving.asked.clear();
        leaving.is_ready = true;
        self.await_nobody(ctx);
    }
}

impl Handler<GoOn> for Registry {
    type Result = ();

    fn handle(&mut self, _: GoOn, ctx: &mut Context<Self>) {
        let Some(leaving) = self.leaving.take() else { return };
        for home in self.neighbours.keys().copied().collect::<Vec<_>>() {
            self.say_of_move(home, Pause::GoOn, ctx);
        }
        // Whoever let us go first does not ask again.
        for (home, number) in leaving.passed_over {
            self.begins_to_move(home, number, ctx);
        }
    }
}
