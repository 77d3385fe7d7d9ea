//! Neighbours that move to another of their nodes, and what is said to neighbours about moves.
//!
//! What a neighbour has taken from its members for ours must not lie unread in a socket when our place goes to another
//! node. So neighbours are asked to hold back letters, and say when the last one before is out; we read up to there.
//! They keep what is written to our members meanwhile, and say it to whoever serves us next. This is their side;
//! `leaving` is ours. **Invariant:** letters for one home stay in their order, whether they are held back or not.

use std::{collections::VecDeque, time::Duration};

use actix::{AsyncContext as _, Context, Handler, Message};

use super::{Registry, neighbours::Neighbour};
use crate::{
    actors::lane::Class,
    dialect::{event::Pause, press},
    domain::{
        id::HomeId,
        letter::{Audience, Letter},
        limits::seconds,
        refusal::Ending,
        switchboard::Plan,
    },
};

/// How long a lane that had no room is left alone.
const RETRY: Duration = Duration::from_millis(50);

/// A neighbour says something about a move.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Paused {
    /// Which neighbour.
    pub home: HomeId,
    /// What it says.
    pub pause: Pause,
}

/// A neighbour that moves, until everything that was held back is said.
#[derive(Debug, Default)]
pub(super) struct Moving {
    letters: VecDeque<Letter>,
    bytes: usize,
    /// It is linked anew, so whoever serves it now is to be told.
    is_there: bool,
    /// It is where it will stay, and hears what was held back as fast as it takes that.
    is_back: bool,
    /// It said nothing more for so long that its link was ended, and is waited for once more.
    is_cut: bool,
    /// Tells this wait for it from an earlier one.
    number: u64,
}

impl Registry {
    /// Keeps a letter for neighbours that move. They get nothing of it now.
    pub(super) fn hold_back(&mut self, letter: &Letter, plan: &Plan, ctx: &mut Context<Self>) {
        let most = usize::try_from(self.limits.peer_queue_bytes).unwrap_or(usize::MAX);
        let has_left = self.has_left();
        for home in &plan.elsewhere {
            if has_left && self.moves(*home) {
                self.say_too_soon(*home, letter.clone(), ctx);
                continue;
            }
            let Some(moving) = self.moving.get_mut(home) else { continue };
            let bytes = moving.bytes.saturating_add(letter.original.len());
            if bytes > most {
                self.keep_or_drop(letter.clone(), ctx);
                continue;
            }
            moving.bytes = bytes;
            // It waits for long, and should cost no more than what is counted.
            moving.letters.push_back(Letter { original: letter.original.detached(), ..letter.clone() });
        }
    }

    /// A letter cannot go to its home: whoever is named may get it later, or its author is told.
    fn keep_or_drop(&mut self, letter: Letter, ctx: &mut Context<Self>) {
        match letter.audience {
            Audience::Member(_) => self.keep_or_refuse(letter, ctx),
            _ => drop(self.tally.dropped.inc()),
        }
    }

    /// Whether letters for this neighbour wait until it has moved.
    pub(super) fn moves(&self, home: HomeId) -> bool {
        self.moving.contains_key(&home)
    }

    /// Whether a neighbour that is not linked will be in a moment.
    pub(super) fn is_awaited(&self, home: HomeId) -> bool {
        self.moving.get(&home).is_some_and(|moving| !moving.is_back)
    }

    pub(super) fn begins_to_move(&mut self, home: HomeId, number: u32, ctx: &mut Context<Self>) {
        if !self.neighbours.contains_key(&home) || !self.may_go_first(home, number, ctx) {
            return;
        }
        if let Some(neighbour) = self.neighbours.get_mut(&home) {
            neighbour.forget_held();
        }
        self.say_of_move(home, Pause::Held(number), ctx);
        // It may have been awaited already, and have asked again from where it came.
        self.await_home(home, false, ctx);
    }

    fn await_home(&mut self, home: HomeId, is_cut: bool, ctx: &mut Context<Self>) {
        self.moves += 1;
        let number = self.moves;
        let moving = self.moving.entry(home).or_default();
        (moving.is_there, moving.is_back, moving.is_cut, moving.number) = (false, false, is_cut, number);
        ctx.run_later(seconds(self.limits.peer_move_s), move |registry, ctx| {
            if registry.moving.get(&home).is_some_and(|moving| moving.number == number) {
                registry.is_late(home, ctx);
            }
        });
    }

    /// It was waited for long enough. If nothing has happened to its link, it may hold still even now, and hear nothing
    /// of what is said there; on another one it does.
    fn is_late(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let is_there = |moving: &Moving| moving.is_there || moving.is_cut;
        match self.neighbours.get(&home) {
            Some(neighbour) if !self.moving.get(&home).is_some_and(is_there) => {
                neighbour.lane.end(Ending::Silent);
                self.await_home(home, true, ctx);
            }
            _ => self.has_moved(home, ctx),
        }
    }

    /// There is a new link with a neighbour, which has heard nothing yet.
    pub(super) fn is_linked_anew(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        self.wants_to_stay(home);
        if !self.moves(home) {
            return self.ask_to_hold(home, ctx);
        }
        if !self.is_awaited(home) {
            self.await_home(home, false, ctx);
        }
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
        if let Some(moving) = self.moving.get_mut(&home)
            && !std::mem::replace(&mut moving.is_back, true)
        {
            self.say_held(home, ctx);
        }
    }

    /// Says what was held back, as far as there is room: it may be as much as fits into the lane, and more is in there.
    fn say_held(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let Some(neighbour) = self.neighbours.get(&home) else { return self.is_gone(home, ctx) };
        let Some(moving) = self.moving.get_mut(&home) else { return };
        while let Some(letter) = moving.letters.front() {
            let frame = press::letter(letter, neighbour.ear);
            let count = if frame.is_some() { &self.tally.deliveries } else { &self.tally.dropped };
            if frame.is_some_and(|frame| !neighbour.lane.offer(frame, Class::List)) {
                let number = moving.number;
                ctx.run_later(RETRY, move |registry, ctx| {
                    let is_due = |moving: &Moving| moving.is_back && moving.number == number;
                    if registry.moving.get(&home).is_some_and(is_due) {
                        registry.say_held(home, ctx);
                    }
                });
                return;
            }
            count.inc();
            moving.bytes = moving.bytes.saturating_sub(letter.original.len());
            moving.letters.pop_front();
        }
        self.moving.remove(&home);
        // If we move as well, it was waited for.
        self.ask_to_hold(home, ctx);
    }

    /// A neighbour is not linked, and not waited for any more.
    pub(super) fn is_gone(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let letters = self.moving.remove(&home).map(|moving| moving.letters).unwrap_or_default();
        for letter in letters {
            self.keep_or_drop(letter, ctx);
        }
        if self.switchboard.unlink(home) {
            self.changed(ctx);
        }
    }

    /// Waits for no neighbour any more, because we move ourselves.
    pub(super) fn await_nobody(&mut self, ctx: &mut Context<Self>) {
        for home in self.moving.keys().copied().collect::<Vec<_>>() {
            if !self.neighbours.contains_key(&home) {
                self.is_gone(home, ctx);
                continue;
            }
            let Some(moving) = self.moving.get_mut(&home) else { continue };
            moving.bytes = 0;
            for letter in std::mem::take(&mut moving.letters) {
                self.say_too_soon(home, letter, ctx);
            }
        }
    }

    /// A letter cannot wait here for a neighbour that moves. If it can wait for the next node, it does; if not, it may
    /// be that the neighbour still listens.
    fn say_too_soon(&mut self, home: HomeId, letter: Letter, ctx: &mut Context<Self>) {
        if matches!(letter.audience, Audience::Member(_)) {
            return self.keep_or_refuse(letter, ctx);
        }
        let is_said = self.neighbours.get(&home).is_some_and(|neighbour| {
            let frame = press::letter(&letter, neighbour.ear);
            frame.is_some_and(|frame| neighbour.lane.offer(frame, Class::List))
        });
        if is_said { &self.tally.deliveries } else { &self.tally.dropped }.inc();
    }

    /// Says something of a move to a neighbour that understands it, now or as soon as there is room.
    pub(super) fn say_of_move(&mut self, home: HomeId, pause: Pause, ctx: &mut Context<Self>) {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        let waits = !neighbour.words.is_empty();
        if pause == Pause::GoOn {
            neighbour.forget_hold();
        }
        if !neighbour.words.contains(&pause) {
            neighbour.words.push(pause);
        }
        if !waits {
            self.say_words(home, ctx);
        }
    }

    fn say_words(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let Some(Neighbour { ear, lane, words, .. }) = self.neighbours.get_mut(&home) else { return };
        let room = words.iter().position(|pause| {
            let frame = press::pause(*pause, *ear);
            frame.is_some_and(|frame| !lane.offer(frame, Class::List))
        });
        words.drain(..room.unwrap_or(words.len()));
        if room.is_some() {
            ctx.run_later(RETRY, move |registry, ctx| registry.say_words(home, ctx));
        }
    }
}

impl Handler<Paused> for Registry {
    type Result = ();

    fn handle(&mut self, Paused { home, pause }: Paused, ctx: &mut Context<Self>) {
        match pause {
            Pause::Hold(number) => self.begins_to_move(home, number, ctx),
            Pause::Held(number) => self.holds_back(home, number),
            Pause::GoOn => {
                self.wants_to_stay(home);
                if let Some(neighbour) = self.neighbours.get_mut(&home) {
                    // It has not waited for that.
                    neighbour.forget_held();
                }
                self.has_moved(home, ctx);
            }
        }
    }
}
