//! The public conversations of all protocols as one room: letters become lines, and lines are said again.
//!
//! `domain/bridge` has the rules, the scribe writes and signs, and what it has written goes out from here as a letter
//! of a member of this house.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use actix::{Context, Handler, MessageResult};

use super::{Bridges, Registry};
use crate::{
    actors::{
        bridge::{Job, Scribe, Spoken},
        clock::unix_ms,
        event::Kind,
    },
    dialect::{self, Ear},
    domain::{
        bridge::{Bridge, Reach, Turn},
        dialect::Dialect,
        id::{HomeId, KeyId},
        letter::{Audience, Author, Letter, Origin},
        member::{Member, Newcomer},
        rooms::{Carried, Record, RoomName, Standing},
    },
    identity::BridgeKeys,
};

/// The bridge and its hand, where it is on.
#[derive(Debug)]
pub(super) struct Bridging {
    rules: Bridge,
    keys: BridgeKeys,
    scribe: Option<Scribe>,
}

impl Bridging {
    pub(super) const fn new(rules: Bridge, keys: BridgeKeys) -> Self {
        Self { rules, keys, scribe: None }
    }
}

impl Registry {
    /// A letter that says something to everybody is a line of the public room, too.
    pub(super) fn carry_in(&mut self, letter: &Letter) {
        if !Bridge::may_carry(letter) {
            return;
        }
        let Some((home, key, member)) = self.author_of(letter) else { return };
        let Some(bridging) = &mut self.bridging else { return };
        if let Err(is_told) = bridging.rules.carry_in(member.key, self.clock.now()) {
            return self.skip(is_told);
        }
        let Some(text) = letter.plain.clone() else { return };
        let said = Carried { room: &RoomName::public(), member: &member, home, key, text };
        match self.rooms.carry(said, unix_ms()) {
            Ok(outcome) => {
                self.tally.bridged(member.dialect, "in");
                self.follow(outcome);
            }
            Err(_) => drop(self.tally.bridge_skipped.inc()),
        }
    }

    /// Whose line a letter is: where the author is, under which key that home's lines are known, and who. Nobody's,
    /// if the author's own home says the line. The bridge of a home whose lines are not heard here speaks for everybody there.
    fn author_of(&self, letter: &Letter) -> Option<(HomeId, KeyId, Arc<Member>)> {
        let home = match letter.from {
            Origin::Here(connection) => {
                let member = self.switchboard.roster().member(connection)?;
                return Some((HomeId::OWN, self.terms.myself.key.id(), Arc::clone(member)));
            }
            Origin::Home(home) => home,
        };
        if self.neighbours.get(&home)?.ear == Ear::Kith {
            return None;
        }
        let mesh = self.switchboard.mesh();
        let author = match letter.author {
            Author::Proven(author) | Author::Vouched { author, .. } => author,
            Author::Claimed(named) => mesh.known_as(named?)?,
        };
        // Whoever is listed at another home, too, is heard from there.
        let member = mesh.member(home, author).filter(|_| mesh.whereabouts(author) == Some(home))?;
        let key = dialect::home_without_rooms(mesh.home(home)?.address());
        Some((home, key, Arc::clone(member)))
    }

    /// New lines of the public room are said again to whoever speaks another protocol.
    pub(super) fn carry_out(&mut self, records: &[Record]) {
        let (Some(bridging), now, now_ms) = (&mut self.bridging, self.clock.now(), unix_ms()) else { return };
        let mut skipped = Vec::new();
        for record in records {
            let Record::Line(line) = record else { continue };
            if !line.room.is_public() || !self.rooms.shows(line) {
                continue;
            }
            let read_by: Arc<HashSet<_>> = Arc::new(self.rooms.listeners(&line.room).into_iter().collect());
            for dialect in Dialect::ALL {
                let is_of = |ear: Ear| ear.dialect() == Some(dialect);
                let is_heard = self.entries.values().any(|entry| is_of(entry.ear))
                    || self.neighbours.values().any(|neighbour| is_of(neighbour.ear));
                if !is_heard {
                    continue;
                }
                match bridging.rules.carry_out(line, dialect, now_ms, now) {
                    Turn::Leave => {}
                    Turn::TooMany(is_told) => skipped.push(is_told),
                    Turn::Say(reach) => {
                        let (line, read_by) = (Arc::clone(line), Arc::clone(&read_by));
                        let job = Job { line, dialect, reach, read_by, under_way: self.inbox.look() };
                        if !bridging.scribe.as_ref().is_some_and(|scribe| scribe.write(job)) {
                            skipped.push(false);
                        }
                    }
                }
            }
        }
        for is_told in skipped {
            self.skip(is_told);
        }
    }

    fn skip(&self, is_told: bool) {
        self.tally.bridge_skipped.inc();
        if is_told {
            tracing::warn!(
                "more is said in public than the bridge may say again; the rest stays in the history"
            );
            self.bulletin.publish(Kind::BridgeBusy);
        }
    }

    /// Has the scribe begin, which says through this actor what it has written.
    pub(super) fn start_bridge(&mut self, to: actix::Recipient<Spoken>) {
        let Some(bridging) = &mut self.bridging else { return };
        match Scribe::start(bridging.keys.clone(), to, self.tally.clone()) {
            Ok(scribe) => bridging.scribe = Some(scribe),
            Err(error) => {
                tracing::error!(%error, "the bridge cannot say anything: there is no thread for it");
            }
        }
    }

    /// Whoever of those who have moved has spoken in the public room and is in the neighbourhood no more has left the room.
    pub(super) fn let_go(&mut self, moved: &BTreeSet<KeyId>) {
        if self.bridging.is_none() {
            return;
        }
        let (roster, mesh) = (self.switchboard.roster(), self.switchboard.mesh());
        let outcome = self.rooms.let_go(moved, |home, key| match home {
            HomeId::OWN => roster.find(key).is_some(),
            home => mesh.standing(home, key) == Standing::Listed,
        });
        self.follow(outcome);
    }

    /// The member as whom the bridge speaks is there, and everybody is told so.
    fn introduce(&mut self, by: &Newcomer, ctx: &mut Context<Self>) -> Option<Arc<Member>> {
        let seat = Bridge::seat(by.dialect);
        if let Some(member) = self.switchboard.roster().member(seat) {
            return Some(Arc::clone(member));
        }
        let (member, is_new) = match self.switchboard.join(seat, by) {
            Ok(joined) => joined,
            Err(refusal) => {
                let (dialect, code) = (by.dialect.name(), refusal.code());
                tracing::error!(dialect, code, "the bridge may not speak: somebody has its name");
                return None;
            }
        };
        self.count();
        // Its name is its own after a restart, too, before it has said anything.
        self.write_down(&member, by.named.clone());
        if is_new {
            self.tell_change(&member, true, self.switchboard.roster().sequence(), ctx);
            // Only once in the life of the house, so nobody is told too often.
            self.tell_at_once(ctx);
            self.changed(ctx);
        }
        Some(member)
    }
}

impl Handler<Spoken> for Registry {
    type Result = ();

    fn handle(&mut self, spoken: Spoken, ctx: &mut Context<Self>) {
        let Spoken { by, reach, trace, frame, read_by, under_way: _under_way } = spoken;
        let Some(member) = self.introduce(&by, ctx) else { return self.skip(false) };
        let letter = Letter {
            from: Origin::Here(Bridge::seat(by.dialect)),
            author: Author::Proven(member.key),
            audience: Audience::Everyone,
            trace,
            dialect: by.dialect,
            original: frame,
            plain: None,
        };
        let Ok(mut plan) = self.switchboard.route(&letter) else { return self.skip(false) };
        // Homes that know rooms say their lines again themselves.
        let knows_none =
            |home: &HomeId| self.neighbours.get(home).is_some_and(|other| other.ear != Ear::Kith);
        plan.elsewhere.retain(|home| reach == Reach::Neighbours && knows_none(home));
        // Who has come in since has found the line in the history.
        let room = RoomName::public();
        let has_read = |connection| read_by.contains(&connection) || self.rooms.is_in(connection, &room);
        self.deliver_but(&letter, &plan, has_read);
        self.tally.bridged(by.dialect, "out");
    }
}

impl Handler<Bridges> for Registry {
    type Result = MessageResult<Bridges>;

    fn handle(&mut self, _: Bridges, _: &mut Context<Self>) -> Self::Result {
        let roster = self.switchboard.roster();
        let seats = Dialect::ALL.into_iter().map(Bridge::seat);
        MessageResult(seats.filter_map(|seat| roster.member(seat).map(Arc::clone)).collect())
    }
}
