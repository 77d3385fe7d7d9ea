//! Homes that move to another of their nodes: ours, and those of neighbours.
//!
//! What a neighbour has taken from its members for ours must not lie unread in a socket when our place goes to another
//! node. So neighbours are asked to hold back letters, and say when the last one before is out; we read up to there.
//! They keep what is written to our members meanwhile, and say it to whoever serves us next. **Invariant:** letters for
//! one home stay in their order, whether they are held back or not.

use std::{collections::VecDeque, time::Duration};

use actix::{AsyncContext as _, Context, Handler, Message};

use super::Registry;
use crate::{
    actors::{lane::Class, stillness::UnderWay},
    dialect::{event::Pause, press},
    domain::{
        id::HomeId,
        letter::{Audience, Letter},
        switchboard::Plan,
    },
};

/// How long a home that moves is waited for. Planned moves take about a second, and their neighbours dial soon.
const MOVE: Duration = Duration::from_secs(15);

/// A neighbour says something about a move.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Paused {
    /// Which neighbour.
    pub home: HomeId,
    /// What it says.
    pub pause: Pause,
}

/// Our home is about to move: neighbours should hold back letters.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct HoldBack;

/// Asks whether all neighbours who understand that have done so.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "bool")]
pub struct AreHeldBack;

/// Our home stays where it is.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct GoOn;

/// A neighbour that moves.
#[derive(Debug)]
pub(super) struct Moving {
    letters: VecDeque<Letter>,
    bytes: usize,
    /// It is linked anew, so whoever serves it now is to be told.
    is_there: bool,
    /// Tells this wait for it from an earlier one.
    number: u64,
    /// Whoever gives our own place away waits until nothing is held back.
    under_way: Option<UnderWay>,
}

impl Registry {
    /// Keeps a letter for neighbours that move. They get nothing of it now.
    pub(super) fn hold_back(&mut self, letter: &Letter, plan: &Plan) {
        let most = usize::try_from(self.limits.peer_queue_bytes).unwrap_or(usize::MAX);
        for home in &plan.elsewhere {
            let Some(moving) = self.moving.get_mut(home) else { continue };
            let bytes = moving.bytes.saturating_add(letter.original.len());
            if bytes > most {
                self.tally.dropped.inc();
                continue;
            }
            moving.bytes = bytes;
            moving.letters.push_back(letter.clone());
            moving.under_way.get_or_insert_with(|| self.inbox.look());
        }
    }

    /// Whether letters for this neighbour wait until it has moved.
    pub(super) fn moves(&self, home: HomeId) -> bool {
        self.moving.contains_key(&home)
    }

    fn begins_to_move(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let Some(neighbour) = self.neighbours.get(&home) else { return };
        if let Some(held) = press::pause(Pause::Held, neighbour.ear) {
            let _ = neighbour.lane.offer(held, Class::Letter);
        }
        if self.moves(home) {
            return;
        }
        self.moves += 1;
        let number = self.moves;
        let moving = Moving { letters: VecDeque::new(), bytes: 0, is_there: false, number, under_way: None };
        self.moving.insert(home, moving);
        ctx.run_later(MOVE, move |registry, ctx| {
            if registry.moving.get(&home).is_some_and(|moving| moving.number == number) {
                registry.has_moved(home, ctx);
            }
        });
    }

    /// There is a new link with a neighbour.
    pub(super) fn is_linked_anew(&mut self, home: HomeId) {
        if let Some(moving) = self.moving.get_mut(&home) {
            moving.is_there = true;
        }
    }

    /// A neighbour believes from now on that our members are ours.
    pub(super) fn knows_our_members(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        if self.moving.get(&home).is_some_and(|moving| moving.is_there) {
            self.has_moved(home, ctx);
        }
    }

    /// It is where it was, or where it will be, and knows our members; or it was waited for long enough.
    fn has_moved(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let Some(Moving { letters, .. }) = self.moving.remove(&home) else { return };
        let Some(neighbour) = self.neighbours.get(&home) else {
            for letter in letters {
                match letter.audience {
                    Audience::Member(_) => self.keep_or_refuse(letter, ctx),
                    _ => drop(self.tally.dropped.inc()),
                }
            }
            if self.switchboard.unlink(home) {
                self.changed(ctx);
            }
            return;
        };
        for letter in letters {
            let said = press::letter(&letter, neighbour.ear);
            let is_taken = said.is_some_and(|frame| neighbour.lane.offer(frame, Class::Letter));
            if is_taken { &self.tally.deliveries } else { &self.tally.dropped }.inc();
        }
    }

    fn tell_of_move(&self, pause: Pause) -> impl Iterator<Item = HomeId> {
        self.neighbours.iter().filter_map(move |(home, neighbour)| {
            let word = press::pause(pause, neighbour.ear)?;
            neighbour.lane.offer(word, Class::Letter).then_some(*home)
        })
    }
}

impl Handler<Paused> for Registry {
    type Result = ();

    fn handle(&mut self, Paused { home, pause }: Paused, ctx: &mut Context<Self>) {
        match pause {
            Pause::Hold => self.begins_to_move(home, ctx),
            Pause::Held => drop(self.asked_to_hold.remove(&home)),
            Pause::GoOn => self.has_moved(home, ctx),
        }
    }
}

impl Handler<HoldBack> for Registry {
    type Result = ();

    fn handle(&mut self, _: HoldBack, _: &mut Context<Self>) {
        self.asked_to_hold = self.tell_of_move(Pause::Hold).collect();
    }
}

impl Handler<AreHeldBack> for Registry {
    type Result = bool;

    fn handle(&mut self, _: AreHeldBack, _: &mut Context<Self>) -> bool {
        let neighbours = &self.neighbours;
        self.asked_to_hold.retain(|home| neighbours.contains_key(home));
        self.asked_to_hold.is_empty()
    }
}

impl Handler<GoOn> for Registry {
    type Result = ();

    fn handle(&mut self, _: GoOn, _: &mut Context<Self>) {
        self.asked_to_hold.clear();
        // Whoever has no room for the word waits in vain, and not for long.
        self.tell_of_move(Pause::GoOn).for_each(drop);
    }
}
