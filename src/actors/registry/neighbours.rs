//! What neighbours are told of our members, and what they tell of theirs.
//!
//! A neighbour that keeps count hears the list once, in parts and as fast as it takes them, and from then
//! on every change. One that does not hears the whole list after changes, at most once per window.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, Context, Handler, WrapFuture as _};

use super::{Link, Registry, Route, Tell, Unlink, WantedBy, people::is_person, pressed::Pressed};
use crate::{
    actors::{
        archivist::Remember,
        clock::unix_ms,
        lane::{Class, Lane},
        meter::Meter,
    },
    dialect::{Ear, event::Pause, press},
    domain::{
        Moment,
        channel::Channel,
        id::{HomeId, KeyId},
        letter::{Author, Letter, Origin},
        member::Member,
        refusal::{Ending, Refusal, Violation},
    },
    store::Seen,
};

/// Members in one part of a list: about 128 KiB.
const PART: usize = 256;
/// Letters whose signatures may be checked at once before they count. Only members who are listed at two
/// homes need that.
const MOST_DOUBTS: u32 = 256;
/// How long a neighbour that asks for our list is left alone after it was told all of it.
const ASKED: Duration = Duration::from_millis(500);
/// How long it is remembered who has left, for neighbours that have missed it: longer than any of them takes to
/// notice that a link is dead, and to link again.
const GONE: Duration = Duration::from_secs(600);
/// How long before a link was lost something may have been said that never arrived: as long as a dead one is not
/// noticed.
const UNDER_WAY: Duration = Duration::from_secs(120);
/// Of so many, at most.
const MOST_GONE: usize = 256;
/// How long a neighbour that had no room is left alone.
const RETRY: Duration = Duration::from_millis(50);

/// One linked neighbour.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) lane: Lane,
    pub(super) ear: Ear,
    /// Under which name it has handed out keys of the public channel, if it has.
    pub(super) server: Option<Arc<str>>,
    /// The fingerprint of the key that it has proven, if it has.
    pub(super) key: Option<KeyId>,
    /// What it is to hear of moves and had no room for, in this order.
    pub(super) words: Vec<Pause>,
    meter: Arc<Meter>,
    telling: Telling,
    /// It has asked again while it was being told, and when the next telling may begin.
    again: bool,
    not_before: Moment,
    /// Whether something is going to happen by itself.
    alarm: bool,
}

/// How far it was told our list.
#[derive(Clone, Copy, Debug)]
enum Telling {
    /// In parts, the next of which is behind this key.
    Parts(Option<KeyId>),
    /// All of it; changes are told as they come.
    Told,
    /// As a whole: whether it changed since, and when the next one may go.
    Whole { behind: bool, not_before: Moment },
}

impl Neighbour {
    /// The version of its key of the public channel, as far as we know.
    fn version(&self, channel: &Channel) -> u64 {
        self.server.as_deref().map_or(0, |server| channel.version(server))
    }

    /// It does not have to hear that it should hold back letters any more.
    pub(super) fn forget_hold(&mut self) {
        self.words.retain(|word| !matches!(word, Pause::Hold(_)));
    }

    /// It does not wait for an answer to that any more.
    pub(super) fn forget_held(&mut self) {
        self.words.retain(|word| !matches!(word, Pause::Held(_)));
    }
}

impl Registry {
    /// Somebody came to this home or went, as the change of this number.
    pub(super) fn tell_change(
        &mut self,
        member: &Member,
        came: bool,
        sequence: u64,
        ctx: &mut Context<Self>,
    ) {
        let (mut pressed, mut added) = (Pressed::default(), BTreeMap::<u64, Pressed<_>>::new());
        let mut behind = Vec::new();
        for (home, neighbour) in &mut self.neighbours {
            if let Telling::Whole { behind: is_behind, .. } = &mut neighbour.telling {
                *is_behind = true;
                behind.push(*home);
                continue;
            }
            let ear = neighbour.ear;
            if let Some(frame) = pressed.hear(ear, || press::change(sequence, member, came, ear)) {
                let _ = neighbour.lane.offer(frame, Class::Letter);
            }
            let version = neighbour.version(&self.channel);
            let added = added.entry(version).or_default();
            if came && let Some(frame) = added.hear(ear, || press::in_channel(member, version, ear)) {
                // Everybody who arrives is in the channel, so nobody misses much without it.
                let _ = neighbour.lane.offer(frame, Class::List);
            }
        }
        for home in behind {
            self.tell(home, ctx);
        }
        self.gone.retain(|(_, other)| other.key != member.key);
        if !came && is_person(member) {
            self.gone.push_back((self.clock.now(), member.clone()));
            if self.gone.len() > MOST_GONE {
                self.gone.pop_front();
            }
        }
    }

    /// Says who has left, to a neighbour that was linked before. What was on its way over a socket that is lost is lost
    /// with it, and a list of those who are here says nothing about those who are not.
    fn tell_gone(&mut self, home: HomeId, ear: Ear, lane: &Lane) {
        let now = self.clock.now();
        self.gone.retain(|(at, _)| now.saturating_sub(*at) < GONE);
        self.lost.retain(|_, at| now.saturating_sub(*at) < GONE);
        let lost = if self.neighbours.contains_key(&home) { Some(now) } else { self.lost.remove(&home) };
        let Some(lost) = lost else { return };
        for (_, member) in self.gone.iter().filter(|(at, _)| lost.saturating_sub(*at) < UNDER_WAY) {
            if let Some(frame) = press::gone(member, ear) {
                let _ = lane.offer(frame, Class::List);
            }
        }
    }

    /// Tells those who hear our list as a whole at once what they wait for: somebody new is going to say something, and
    /// whoever is not known there is not believed.
    pub(super) fn tell_at_once(&mut self, ctx: &mut Context<Self>) {
        let mut behind = Vec::new();
        for (home, neighbour) in &mut self.neighbours {
            if let Telling::Whole { behind: true, not_before } = &mut neighbour.telling {
                *not_before = Moment::ZERO;
                behind.push(*home);
            }
        }
        for home in behind {
            self.tell(home, ctx);
        }
    }

    /// Says to everybody who keeps count where our list stands, so that whoever missed something asks.
    pub(super) fn tell_standing(&self) {
        let roster = self.switchboard.roster();
        for neighbour in self.neighbours.values() {
            if matches!(neighbour.telling, Telling::Told)
                && let Some(frame) = press::standing(roster.sequence(), roster.digest(), neighbour.ear)
            {
                // Without room it hears the next one.
                let _ = neighbour.lane.offer(frame, Class::List);
            }
        }
    }

    /// Tells a neighbour our list, as far as that is due and it has room.
    fn tell(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let wait = loop {
            let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
            match neighbour.telling {
                Telling::Told if std::mem::take(&mut neighbour.again) => {
                    let now = self.clock.now();
                    if now < neighbour.not_before {
                        neighbour.again = true;
                        break neighbour.not_before.saturating_sub(now);
                    }
                    neighbour.telling = Telling::Parts(None);
                }
                Telling::Told | Telling::Whole { behind: false, .. } => return,
                Telling::Parts(after) => {
                    let roster = self.switchboard.roster();
                    let (members, is_last) = roster.part(after, PART);
                    let version = neighbour.version(&self.channel);
                    let sequence = roster.sequence();
                    let parts = press::part(after, &members, is_last, sequence, version, neighbour.ear);
                    // Hearing of somebody twice does no harm.
                    if !parts.into_iter().all(|part| neighbour.lane.offer(part, Class::List)) {
                        break RETRY;
                    }
                    let last = members.last().map(|member| member.key);
                    neighbour.telling = if is_last { Telling::Told } else { Telling::Parts(last) };
                    neighbour.not_before = self.clock.now() + ASKED;
                    if is_last {
                        self.knows_our_members(home, ctx);
                    }
                }
                Telling::Whole { behind: true, not_before } => {
                    let now = self.clock.now();
                    if now < not_before {
                        break not_before.saturating_sub(now);
                    }
                    let members = self.switchboard.roster().members().map(AsRef::as_ref);
                    let Some(whole) = press::whole(members, &self.home, neighbour.ear) else { return };
                    let window = self.limits.update_window(whole.len());
                    if !neighbour.lane.offer(whole, Class::List) {
                        break RETRY;
                    }
                    neighbour.telling = Telling::Whole { behind: false, not_before: now + window };
                }
            }
        };
        if let Some(neighbour) = self.neighbours.get_mut(&home)
            && !std::mem::replace(&mut neighbour.alarm, true)
        {
            ctx.run_later(wait, move |registry, ctx| {
                if let Some(neighbour) = registry.neighbours.get_mut(&home) {
                    neighbour.alarm = false;
                    registry.tell(home, ctx);
                }
            });
        }
    }

    fn tell_from_the_start(&mut self, home: HomeId, ctx: &mut Context<Self>) {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        neighbour.telling = match neighbour.telling {
            telling @ (Telling::Parts(_) | Telling::Told) => {
                neighbour.again = true;
                telling
            }
            // Whoever asks twice within a window waits.
            Telling::Whole { not_before, .. } => Telling::Whole { behind: true, not_before },
        };
        self.tell(home, ctx);
    }
}

impl Registry {
    /// The house will not pass a letter on.
    pub(super) fn refuse(&self, from: Origin, refusal: Refusal) {
        self.tally.refusal(refusal);
        self.count_against(from);
    }

    /// A letter is not what its bearer may bring.
    pub(super) fn object(&self, from: Origin, violation: Violation) {
        self.tally.violation(violation);
        self.count_against(from);
    }

    pub(super) fn count_against(&self, from: Origin) {
        if let Origin::Home(home) = from
            && let Some(neighbour) = self.neighbours.get(&home)
        {
            neighbour.meter.violated();
        }
    }

    /// A letter whose author is listed elsewhere, too, counts once its signature is found good.
    pub(super) fn have_checked(&mut self, letter: Letter, member: Arc<Member>, ctx: &mut Context<Self>) {
        if self.doubts >= MOST_DOUBTS {
            return self.refuse(letter.from, Refusal::TooManyChecks);
        }
        self.doubts += 1;
        let said_by = letter.from;
        let notary = self.notary.clone();
        let (said, author) = (letter.clone(), member.key);
        // It has been read, so a house that holds still waits for it.
        let under_way = self.inbox.look();
        let verdict = async move { (notary.judge_letter(said, member).await, under_way) };
        ctx.spawn(verdict.into_actor(self).map(move |(verdict, _under_way), registry, ctx| {
            registry.doubts -= 1;
            if matches!(verdict, Ok(Some(_))) {
                let letter = Letter { author: Author::Proven(author), ..letter };
                registry.inbox.add(letter.original.len());
                Handler::<Route>::handle(registry, Route(letter), ctx);
            } else {
                registry.object(said_by, Violation::WrongSender);
            }
        }));
    }
}

impl Handler<Link> for Registry {
    type Result = ();

    fn handle(&mut self, link: Link, ctx: &mut Context<Self>) {
        let Link { home, address, names, key, ear, lane, meter } = link;
        self.switchboard.link(home, address, names);
        let telling = match ear {
            Ear::Kith | Ear::SocpPeer(_) => Telling::Parts(None),
            // It has just heard who we are, and may still be making up its mind.
            _ => Telling::Whole { behind: true, not_before: self.clock.now() + self.limits.update_window(0) },
        };
        self.tell_gone(home, ear, &lane);
        self.neighbours.insert(
            home,
            Neighbour {
                lane,
                ear,
                server: None,
                key,
                words: Vec::new(),
                meter,
                telling,
                again: false,
                not_before: Moment::ZERO,
                alarm: false,
            },
        );
        self.is_linked_anew(home, ctx);
        self.tell(home, ctx);
        self.changed(ctx);
        if ear == Ear::Kith
            && let Some(key) = key
        {
            self.link_rooms(home, key);
        }
    }
}

impl Handler<Unlink> for Registry {
    type Result = ();

    fn handle(&mut self, Unlink(home): Unlink, ctx: &mut Context<Self>) {
        if self.neighbours.remove(&home).is_some() {
            self.lost.insert(home, self.clock.now());
        }
        self.unlink_rooms(home);
        // A home that moves is back in a moment, and so are its members.
        if !self.is_awaited(home) {
            self.is_gone(home, ctx);
        }
    }
}

impl Handler<Tell> for Registry {
    type Result = ();

    fn handle(&mut self, Tell { home, news }: Tell, ctx: &mut Context<Self>) {
        self.inbox.taken(news.cost());
        let arrivals = news.arrivals();
        let awaited = self.awaited(&arrivals);
        let effect = self.switchboard.hear(home, news);
        self.hide_new(home, &arrivals);
        for resident in self.switchboard.take_learnt() {
            let (key, named) = (resident.public_key.to_string(), resident.named);
            let seen = Seen::now(resident.key, resident.dialect, key, unix_ms());
            self.archivist.do_send(Remember(seen.under(named)));
        }
        if let Some(member) = effect.impostor {
            self.impostor(home, member);
        }
        if let Some(neighbour) = self.neighbours.get(&home) {
            if effect.excess {
                neighbour.lane.end(Ending::Violated(Violation::TooManyMembers));
            }
            if effect.lost
                && let Some(frame) = press::want_list(neighbour.ear)
            {
                // Without room it is asked again at the next sign of loss.
                let _ = neighbour.lane.offer(frame, Class::List);
            }
        }
        if effect.changed {
            self.changed(ctx);
        }
        for member in awaited {
            self.hand_over(member, ctx);
        }
    }
}

impl Handler<WantedBy> for Registry {
    type Result = ();

    fn handle(&mut self, WantedBy(home): WantedBy, ctx: &mut Context<Self>) {
        self.tell_from_the_start(home, ctx);
    }
}
