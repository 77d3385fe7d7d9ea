//! Letters for members who are away: kept when nobody is found, handed over when somebody comes.
//!
//! They wait in memory and on disk. Handing over from memory is what keeps the order: at the hello, whatever
//! waits goes before whatever is said from then on, and the map need not wait for the disk. What the keeper
//! answers only decides what the author is told.

mod missed;

use std::{collections::HashSet, time::Duration};

use actix::{ActorFutureExt as _, Addr, AsyncContext as _, Context, Handler, Message, WrapFuture as _};

use super::{Registry, neighbours::Neighbour};
use crate::{
    actors::{
        clock::unix_ms,
        keeper::{Change, Keep, Keeper},
        lane::Class,
    },
    dialect::press,
    domain::{
        id::{HomeId, KeyId},
        letter::{Audience, Author, Letter, Origin},
        limits::{Limits, seconds},
        offline::{Backlog, Boxes, Kept, Rules},
        switchboard::{Hearers, Switchboard},
    },
    store::{self, OfflineChange},
};

/// How long a lane that had no room is left alone.
const RETRY: Duration = Duration::from_millis(50);
/// How often what was kept for long enough is let go. It is handed to nobody meanwhile.
const TIDY: Duration = Duration::from_secs(30);

/// What letters are kept with, and those that an earlier process has kept.
#[derive(Debug)]
pub struct OfflineParts {
    /// Who writes them down.
    pub keeper: Addr<Keeper>,
    /// What was written down.
    pub held: store::Offline,
}

/// What waits for a member is forgotten. Says how many letters that were.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "usize")]
pub struct Discard(pub KeyId);

/// Everything that waits.
#[derive(Debug)]
pub(super) struct Offline {
    rules: Rules,
    boxes: Boxes,
    backlog: Backlog,
    keeper: Addr<Keeper>,
    /// The last number that was given to a letter.
    last: u64,
    /// Members for whom another attempt is due soon.
    alarms: HashSet<KeyId>,
}

impl Offline {
    pub(super) fn new(parts: OfflineParts, limits: &Limits, switchboard: &mut Switchboard) -> Self {
        use crate::domain::offline::Heard;
        let OfflineParts { keeper, held } = parts;
        let (rules, now) = (Rules::of(limits), unix_ms());
        let marks = held.marks.iter().filter_map(|(_, heard)| match heard {
            Heard::Through { number, .. } => Some(*number),
            Heard::All => None,
        });
        let last = held.letters.iter().map(|kept| kept.number).chain(marks).max().unwrap_or(0);
        let (boxes, backlog) = (Boxes::new(rules), Backlog::new(rules));
        let mut offline = Self { rules, boxes, backlog, keeper, last, alarms: HashSet::new() };
        for (member, heard) in held.marks {
            offline.backlog.restore_mark(member, heard, last, now);
        }
        let mut gone = Vec::new();
        for kept in held.letters {
            switchboard.remember(kept.trace);
            let number = kept.number;
            if kept.recipient.is_none() {
                gone.extend(offline.backlog.put(kept));
            } else if offline.boxes.put(kept).is_err() {
                // The bounds were wider when it came.
                gone.push(number);
            }
        }
        offline.forget(gone);
        offline
    }

    fn change(&self, change: OfflineChange) {
        self.keeper.do_send(Change(change));
    }

    fn forget(&self, numbers: Vec<u64>) {
        if !numbers.is_empty() {
            self.change(OfflineChange::Forget(numbers));
        }
    }

    fn next(&mut self, letter: &Letter, author: KeyId, recipient: Option<KeyId>) -> Kept {
        self.last += 1;
        Kept {
            number: self.last,
            recipient,
            author,
            at_ms: unix_ms(),
            trace: letter.trace,
            dialect: letter.dialect,
            original: letter.original.detached(),
        }
    }
}

/// What became of a letter that was to be handed over.
enum Passed {
    /// It is in the lane of its recipient, or of her home.
    Taken,
    /// There is no room for it at the moment.
    NoRoom,
    /// Its recipient is nowhere, or at a home that could not read it.
    Nowhere,
    /// No connection of its recipient could read it.
    Unsayable,
    /// It has waited for too long, or its author was banned meanwhile.
    Over,
}

impl Registry {
    pub(super) fn begin_to_tidy(&self, ctx: &mut Context<Self>) {
        if self.offline.is_some() {
            let span = TIDY.min(seconds(self.limits.offline_keep_s));
            ctx.run_interval(span, |registry, _| registry.tidy_offline());
        }
    }

    fn tidy_offline(&mut self) {
        let Some(offline) = &mut self.offline else { return };
        let now = unix_ms();
        let expired = offline.boxes.expire(now);
        self.tally.offline_expired.inc_by(u64::try_from(expired.len()).unwrap_or(u64::MAX));
        let gone = [expired, offline.backlog.expire(now)].concat();
        offline.forget(gone);
    }

    /// A letter is for somebody who is nowhere.
    pub(super) fn keep_or_refuse(&mut self, letter: Letter, ctx: &mut Context<Self>) {
        if let Some(letter) = self.keep(letter, ctx) {
            self.not_found(&letter);
        }
    }

    /// Whether letters of the same recipient still wait, so that this one must go behind them.
    pub(super) fn goes_behind(&self, letter: &Letter) -> bool {
        let waits = |member| self.offline.as_ref().is_some_and(|offline| offline.boxes.waits(member));
        matches!(letter.audience, Audience::Member(member) if waits(member)) && press::is_sealed(letter)
    }

    /// Keeps a letter of a member of this home, or gives it back. Its author is told once it is on disk.
    pub(super) fn keep(&mut self, letter: Letter, ctx: &mut Context<Self>) -> Option<Letter> {
        let (Audience::Member(recipient), Author::Proven(author), Origin::Here(_)) =
            (&letter.audience, letter.author, letter.from)
        else {
            return Some(letter);
        };
        let recipient = *recipient;
        let Some(offline) =
            self.offline.as_mut().filter(|_| self.switchboard.bearer_key(recipient).is_some())
        else {
            return Some(letter);
        };
        if !press::is_sealed(&letter) {
            return Some(letter);
        }
        let kept = offline.next(&letter, author, Some(recipient));
        if offline.boxes.put(kept.clone()).is_err() {
            self.tally.offline_refused.inc();
            return Some(letter);
        }
        let number = kept.number;
        let written = offline.keeper.send(Keep(kept)).into_actor(self);
        ctx.spawn(written.map(move |written, registry, _| {
            registry.settle(&letter, recipient, number, written.unwrap_or(false));
        }));
        self.hand_over(recipient, ctx);
        None
    }

    /// The keeper has answered.
    fn settle(&mut self, letter: &Letter, recipient: KeyId, number: u64, is_written: bool) {
        let Some(offline) = &mut self.offline else { return };
        if !offline.boxes.holds(recipient, number) {
            // It was handed over in the meantime.
            return;
        }
        if !is_written {
            offline.boxes.take(recipient, number);
            self.tally.offline_refused.inc();
            return self.not_found(letter);
        }
        self.tally.offline_kept.inc();
        if let Origin::Here(connection) = letter.from
            && let Some(entry) = self.entries.get(&connection)
            && let Some(frame) = press::kept(letter, entry.ear)
        {
            let _ = entry.lane.offer(frame, Class::Letter);
        }
    }

    /// Hands over what waits for a member, as far as it is somewhere and there is room for it.
    pub(super) fn hand_over(&mut self, recipient: KeyId, ctx: &mut Context<Self>) {
        if self.has_left() {
            // The next node has these letters, too, and would not be told that they are gone.
            return self.hand_over_later(recipient, ctx);
        }
        let (now, mut gone) = (unix_ms(), Vec::new());
        while let Some(offline) = &self.offline
            && let Some(kept) = offline.boxes.first(recipient)
        {
            let (number, is_over) = (kept.number, offline.rules.is_over(kept.at_ms, now));
            let is_over = is_over || self.is_banned(kept.author, now);
            let kept = kept.clone();
            let passed = if is_over { Passed::Over } else { self.pass_on(&kept.letter(), recipient) };
            match passed {
                Passed::Taken => &self.tally.offline_delivered,
                Passed::Over => &self.tally.offline_expired,
                Passed::Unsayable => &self.tally.dropped,
                Passed::Nowhere => break,
                Passed::NoRoom => {
                    self.hand_over_later(recipient, ctx);
                    break;
                }
            }
            .inc();
            if let Some(offline) = &mut self.offline {
                offline.boxes.take(recipient, number);
            }
            gone.push(number);
        }
        if let Some(offline) = &self.offline {
            offline.forget(gone);
        }
    }

    fn pass_on(&self, letter: &Letter, recipient: KeyId) -> Passed {
        match self.switchboard.mesh().whereabouts(recipient) {
            None => Passed::Nowhere,
            Some(HomeId::OWN) => {
                let entries = self.hearers(letter, Hearers::Member(recipient));
                let frames =
                    entries.filter_map(|(_, entry)| Some((press::letter(letter, entry.ear)?, &entry.lane)));
                let offers: Vec<bool> =
                    frames.map(|(frame, lane)| lane.offer(frame, Class::Letter)).collect();
                let taken = offers.iter().filter(|taken| **taken).count();
                self.tally.deliveries.inc_by(u64::try_from(taken).unwrap_or(u64::MAX));
                match (offers.is_empty(), taken) {
                    (true, _) => Passed::Unsayable,
                    (false, 0) => Passed::NoRoom,
                    (false, _) => Passed::Taken,
                }
            }
            Some(home) if self.moves(home) => Passed::NoRoom,
            Some(home) => self
                .neighbours
                .get(&home)
                .map_or(Passed::Nowhere, |neighbour| self.pass_to(neighbour, letter)),
        }
    }

    /// Many may come at once with a neighbour: what has no room waits, and cuts nobody off.
    fn pass_to(&self, Neighbour { ear, lane, .. }: &Neighbour, letter: &Letter) -> Passed {
        let Some(frame) = press::letter(letter, *ear) else { return Passed::Nowhere };
        if !lane.offer(frame, Class::List) {
            return Passed::NoRoom;
        }
        self.tally.deliveries.inc();
        if let Author::Proven(author) = letter.author
            && self.switchboard.roster().find(author).is_none()
            && let Some(frame) = press::not_here(letter, *ear)
        {
            let _ = lane.offer(frame, Class::Letter);
        }
        Passed::Taken
    }

    /// Whether the author of a letter that waited may not be here any more.
    fn is_banned(&self, author: KeyId, now_ms: i64) -> bool {
        let key = self.switchboard.bearer_key(author).unwrap_or(author);
        self.bans.read().person(Some(key), None, now_ms).is_some()
    }

    fn hand_over_later(&mut self, recipient: KeyId, ctx: &mut Context<Self>) {
        let Some(offline) = &mut self.offline else { return };
        if offline.alarms.insert(recipient) {
            ctx.run_later(RETRY, move |registry, ctx| {
                if let Some(offline) = &mut registry.offline {
                    offline.alarms.remove(&recipient);
                }
                registry.hand_over(recipient, ctx);
            });
        }
    }

    /// For whom of those who come at a neighbour something waits.
    pub(super) fn awaited(&self, arrivals: &[KeyId]) -> Vec<KeyId> {
        let Some(offline) = &self.offline else { return Vec::new() };
        if offline.boxes.bytes() == 0 {
            return Vec::new();
        }
        arrivals.iter().copied().filter(|key| offline.boxes.waits(*key)).collect()
    }
}

impl Handler<Discard> for Registry {
    type Result = usize;

    fn handle(&mut self, Discard(member): Discard, _: &mut Context<Self>) -> usize {
        let Some(offline) = &mut self.offline else { return 0 };
        let gone = offline.boxes.clear(member);
        let skipped = offline.backlog.skip(member, offline.last);
        if let Some(heard) = offline.backlog.heard(member).filter(|_| skipped > 0) {
            offline.change(OfflineChange::Mark(member, heard));
        }
        let count = gone.len() + skipped;
        offline.forget(gone);
        count
    }
}
