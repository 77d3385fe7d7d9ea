//! The rules of the house in one place: who may come in, and where a letter goes.
//!
//! A letter goes in, a plan comes out; nothing here sends anything. **Invariants:** a letter of
//! somebody who is not present is never planned; no letter is planned twice; what came from a neighbour
//! is never sent to another one.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    address::Address,
    id::{ConnectionId, HomeId, KeyId},
    letter::{Audience, Author, Letter, Origin},
    limits::Limits,
    member::{Member, Newcomer, Resident},
    mesh::Mesh,
    names::{Bearer, Claimed, Names},
    news::{Effect, News},
    refusal::{Refusal, Violation},
    replay::{Trace, Window},
    roster::Roster,
};

/// Who hears a letter in this home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearers {
    /// Nobody.
    #[default]
    Nobody,
    /// Every connection, the author's own included.
    Everybody,
    /// One member.
    Member(KeyId),
}

/// Where one letter goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who hears it in this home.
    pub here: Hearers,
    /// Which neighbours it is for.
    pub elsewhere: Vec<HomeId>,
    /// How many homes it names that are not linked.
    pub unreachable: usize,
}

/// Why a letter is not planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The house will not.
    Refused(Refusal),
    /// The peer must not.
    Violated(Violation),
    /// Its author is listed at another home, too: only the signature of this member tells who is right.
    Doubted(Arc<Member>),
    /// Its author is listed nowhere: it may have waited for its recipient for that long. It counts if it shows
    /// this key, to which the name of its author is held.
    Unlisted(KeyId),
    /// It is for a member who is nowhere.
    NotFound,
}

/// A letter for everybody in this home and for nobody elsewhere.
const HERE: Plan = Plan { here: Hearers::Everybody, elsewhere: Vec::new(), unreachable: 0 };

/// Members, addresses and the memory against replays.
#[derive(Debug)]
pub struct Switchboard {
    names: HashSet<Address>,
    roster: Roster,
    mesh: Mesh,
    /// Apart, so that a flood of letters does not make an old hello new again.
    hellos: Window,
    letters: Window,
    /// Letters whose author nobody we trust has checked. They are remembered apart, so that a forged copy
    /// that comes first cannot keep the real one out.
    hearsay: Window,
    bearers: Names,
    /// Whom neighbours listed under names that were not known.
    learnt: Vec<Resident>,
    most_connections_per_member: u32,
    draining: bool,
}

impl Switchboard {
    /// An empty house that answers to these addresses.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Address>, limits: &Limits) -> Self {
        Self {
            names: names.into_iter().collect(),
            roster: Roster::default(),
            mesh: Mesh::new(limits.peer_members),
            hellos: Window::new(limits.replay_window),
            letters: Window::new(limits.replay_window),
            hearsay: Window::new(limits.replay_window),
            bearers: Names::new(limits.names),
            learnt: Vec::new(),
            most_connections_per_member: limits.connections_per_member,
            draining: false,
        }
    }

    /// Who is present here.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Who is present elsewhere.
    #[must_use]
    pub const fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Puts back whose names are known.
    pub fn restore_names(&mut self, names: impl IntoIterator<Item = (KeyId, Bearer)>) {
        self.bearers.restore(names);
    }

    /// The key to which a name is held, if somebody of this name was ever heard of.
    #[must_use]
    pub fn bearer_key(&self, name: KeyId) -> Option<KeyId> {
        self.bearers.bearer(name).map(|bearer| bearer.key)
    }

    /// The names of members that are held by one of these keys.
    pub fn named_by(&self, keys: &HashSet<KeyId>) -> impl Iterator<Item = KeyId> {
        self.bearers.borne_by(keys)
    }

    /// A letter was here in an earlier life of this process.
    pub fn remember(&mut self, letter: Trace) {
        self.letters.admit(letter);
    }

    /// From now on nobody is let in.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Lets somebody in, and says whether the list of members changed.
    ///
    /// # Errors
    /// The house is closing, the hello was seen before, the name is somebody else's, or the member is
    /// connected too often.
    pub fn join(
        &mut self,
        connection: ConnectionId,
        newcomer: &Newcomer,
    ) -> Result<(Arc<Member>, bool), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if !self.hellos.admit(newcomer.trace) {
            return Err(Refusal::Replayed);
        }
        if let Some(named) = &newcomer.named
            && let Some(key) = named.key
        {
            self.bearers.bear(newcomer.key, Bearer { key, proven: named.proven })?;
        }
        let is_elsewhere = self.mesh.whereabouts(newcomer.key).is_some_and(|home| home != HomeId::OWN);
        if is_elsewhere && newcomer.named.as_ref().is_some_and(|named| !named.proven) {
            // Without a proof nobody is taken away from another home.
            return Err(Refusal::NameInUse);
        }
        let number = self.mesh.next_number();
        let (member, is_new) =
            self.roster.join(connection, newcomer, self.most_connections_per_member, number)?;
        if is_new {
            self.mesh.came(HomeId::OWN, member.key, member.spelled);
        }
        Ok((member, is_new))
    }

    /// Somebody who chooses its name takes another one: goes, and comes under the other name, with nothing in
    /// between. Says who went and who came.
    ///
    /// # Errors
    /// Somebody of that name is here or elsewhere, or this connection's member has no name to change.
    pub fn rename(
        &mut self,
        connection: ConnectionId,
        newcomer: &Newcomer,
    ) -> Result<(Arc<Member>, Arc<Member>), Refusal> {
        let before = self.roster.member(connection).filter(|member| member.name.is_some()).cloned();
        let before = before.ok_or(Refusal::Unproven)?;
        // Another spelling of one's own name is free.
        if newcomer.key != before.key && self.mesh.whereabouts(newcomer.key).is_some() {
            return Err(Refusal::NameInUse);
        }
        self.leave(connection);
        // Nobody else can have come in between, so the one connection that a name may have is free.
        let (member, _) = self.roster.join(connection, newcomer, 1, before.number)?;
        self.mesh.came(HomeId::OWN, member.key, member.spelled);
        Ok((before, member))
    }

    /// A connection is gone. Says whose it was and whether the list of members changed.
    pub fn leave(&mut self, connection: ConnectionId) -> Option<(Arc<Member>, bool)> {
        let (member, is_gone) = self.roster.leave(connection)?;
        if is_gone {
            self.mesh.went(HomeId::OWN, member.key, member.spelled);
        }
        Some((member, is_gone))
    }

    /// A neighbour is linked.
    pub fn link(&mut self, home: HomeId, address: Arc<str>, names: Vec<Address>) {
        let names = names.into_iter().filter(|name| !self.names.contains(name)).collect();
        self.mesh.link(home, address, names);
    }

    /// A neighbour is no longer linked. Says whether it was.
    pub fn unlink(&mut self, home: HomeId) -> bool {
        self.mesh.unlink(home)
    }

    /// A neighbour has news of its members.
    pub fn hear(&mut self, home: HomeId, mut news: News) -> Effect {
        let bearers = &mut self.bearers;
        let learnt = &mut self.learnt;
        let impostor = news.doubt(|resident| {
            let Some(named) = &resident.named else { return true };
            let Some(key) = named.key else {
                // Leaving the key out is no way around it.
                return !bearers.bearer(resident.key).is_some_and(|bearer| bearer.proven);
            };
            let claimed = bearers.list(resident.key, key);
            if claimed == Claimed::New {
                learnt.push(resident.clone());
            }
            claimed != Claimed::Refused
        });
        Effect { impostor, ..self.mesh.hear(home, news) }
    }

    /// Who came here or elsewhere, or went, since the last time this was asked.
    pub fn take_moved(&mut self) -> BTreeSet<KeyId> {
        self.mesh.take_moved()
    }

    /// Shows exactly those members of neighbours for whom this does not hold. Says whether that changes
    /// what is shown.
    pub fn hide(&mut self, is_hidden: impl FnMut(&Member) -> bool) -> bool {
        self.mesh.hide(is_hidden)
    }

    /// The same for some members of one neighbour, who have just been told of.
    pub fn hide_new(&mut self, home: HomeId, keys: &[KeyId], is_hidden: impl FnMut(&Member) -> bool) {
        self.mesh.hide_new(home, keys, is_hidden);
    }

    /// Whom neighbours listed under new names since the last time this was asked.
    pub fn take_learnt(&mut self) -> Vec<Resident> {
        std::mem::take(&mut self.learnt)
    }

    /// Decides where a letter goes.
    ///
    /// # Errors
    /// The author is not present where the letter comes from, or the letter was here before.
    pub fn route(&mut self, letter: &Letter) -> Result<Plan, Objection> {
        match letter.from {
            Origin::Here(connection) => self.route_own(connection, letter),
            Origin::Home(home) => self.route_in(home, letter),
        }
    }

    fn route_own(&mut self, connection: ConnectionId, letter: &Letter) -> Result<Plan, Objection> {
        let member = self.roster.member(connection);
        if member.is_none_or(|member| letter.author != Author::Proven(member.key)) {
            return Err(Objection::Violated(Violation::OutOfOrder));
        }
        if !self.letters.admit(letter.trace) {
            return Err(Objection::Refused(Refusal::Replayed));
        }
        let homes = match &letter.audience {
            Audience::Member(member) => return self.find(*member),
            Audience::Everyone => {
                let elsewhere = self.mesh.homes().map(|(home, _)| home).collect();
                return Ok(Plan { here: Hearers::Everybody, elsewhere, unreachable: 0 });
            }
            // A letter that names no home at all can only mean this one.
            Audience::Homes(homes) if homes.is_empty() => return Ok(HERE),
            Audience::Homes(homes) => homes,
        };
        // Senders name a home once per recipient; it is told once.
        let names: HashSet<&Address> = homes.iter().collect();
        let mut plan = Plan::default();
        for name in names {
            match self.mesh.named(name) {
                _ if self.names.contains(name) => plan.here = Hearers::Everybody,
                Some(home) => plan.elsewhere.push(home),
                None => plan.unreachable += 1,
            }
        }
        plan.elsewhere.sort_unstable();
        plan.elsewhere.dedup();
        Ok(plan)
    }

    /// A letter that a neighbour brings is for this home alone, whatever it says: one hop only.
    fn route_in(&mut self, home: HomeId, letter: &Letter) -> Result<Plan, Objection> {
        if self.mesh.home(home).is_none() {
            return Err(Objection::Violated(Violation::OutOfOrder));
        }
        let author = match letter.author {
            Author::Proven(author) => Some(author),
            Author::Vouched { author, named } => {
                let meant = named.and_then(|named| self.mesh.known_as(named));
                if meant.is_some_and(|meant| meant != author) {
                    return Err(Objection::Violated(Violation::WrongSender));
                }
                Some(author)
            }
            Author::Claimed(named) => named.and_then(|named| self.mesh.known_as(named)),
        };
        if let Some(author) = author {
            if self.mesh.is_hidden(home, author) {
                return Err(Objection::Refused(Refusal::Banned));
            }
            self.answers_for(home, author, letter)?;
        }
        let is_new = match letter.author {
            Author::Proven(_) | Author::Vouched { .. } => self.letters.admit(letter.trace),
            Author::Claimed(_) => !self.letters.knows(letter.trace) && self.hearsay.admit(letter.trace),
        };
        if !is_new {
            return Err(Objection::Refused(Refusal::Replayed));
        }
        match letter.audience {
            Audience::Member(member) if self.roster.find(member).is_some() => {
                Ok(Plan { here: Hearers::Member(member), ..Plan::default() })
            }
            Audience::Member(_) => Err(Objection::NotFound),
            Audience::Everyone | Audience::Homes(_) => Ok(HERE),
        }
    }

    /// Where one member is.
    fn find(&self, member: KeyId) -> Result<Plan, Objection> {
        if self.roster.find(member).is_some() {
            return Ok(Plan { here: Hearers::Member(member), ..Plan::default() });
        }
        let home = self.mesh.whereabouts(member).filter(|home| !self.mesh.is_hidden(*home, member));
        let home = home.ok_or(Objection::NotFound)?;
        Ok(Plan { elsewhere: vec![home], ..Plan::default() })
    }

    /// A home answers for its own members. One that others claim, too, must have signed: anybody can list
    /// anybody's key, and whoever has just moved is still listed at the old home.
    fn answers_for(&self, home: HomeId, author: KeyId, letter: &Letter) -> Result<(), Objection> {
        let listed = self.mesh.whereabouts(author);
        if !self.mesh.claims(home, author) {
            let wrong = Objection::Violated(Violation::WrongSender);
            let bearer =
                self.bearers.bearer(author).filter(|_| matches!(letter.audience, Audience::Member(_)));
            return match (bearer, listed) {
                (None, _) => Err(wrong),
                (Some(_), Some(_)) => self.unless_signed(author, letter),
                (Some(_), None) if matches!(letter.author, Author::Proven(_)) => Ok(()),
                (Some(bearer), None) => Err(Objection::Unlisted(bearer.key)),
            };
        }
        if listed == Some(home) { Ok(()) } else { self.unless_signed(author, letter) }
    }

    /// Somebody is listed elsewhere than where her letter comes from: only her signature counts.
    fn unless_signed(&self, author: KeyId, letter: &Letter) -> Result<(), Objection> {
        if matches!(letter.author, Author::Proven(_)) {
            return Ok(());
        }
        let listed = self.mesh.whereabouts(author);
        let elsewhere = listed.and_then(|other| self.mesh.member(other, author));
        let member = self.roster.find(author).or(elsewhere).cloned();
        Err(member.map_or(Objection::Violated(Violation::WrongSender), Objection::Doubted))
    }
}

#[cfg(test)]
#[path = "switchboard_tests.rs"]
mod tests;
