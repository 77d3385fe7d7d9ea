//! What must be true, whatever happens. The ledger sees all that servers do and knows who really is where; it is asked after every event.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::broken::{Broken, must};
use crate::{
    member,
    node::{Node, Setup},
    rooms::Views,
    written::Written,
};
use kith::domain::{
    Moment,
    id::{ConnectionId, KeyId},
    letter::{Frame, Letter},
    refusal::{Ending, Refusal, Violation},
    rooms::{Event, RoomName},
    switchboard::{Objection, Plan},
};

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Nothing goes wrong in this run, or no longer.
    pub(crate) is_calm: bool,
    /// A server that tells what is not true.
    pub(crate) liar: Option<usize>,
    /// Some news was missed, and it is not certain that this was noticed.
    pub(crate) was_missed: bool,
    letters: Vec<Written>,
    /// The last letter of a sender that a hearer heard.
    last_heard: BTreeMap<(ConnectionId, ConnectionId), u64>,
    links: BTreeSet<(usize, usize)>,
    last_link: Moment,
    dials: BTreeMap<(usize, usize), u32>,
    last_dial: Moment,
    /// The digests of every list that a home ever had, and everybody who ever was in it.
    digests: Vec<BTreeSet<u128>>,
    ever: Vec<BTreeSet<KeyId>>,
    versions: Vec<Option<u64>>,
    /// What people know of rooms.
    pub(crate) rooms: Views,
    /// How often what happened.
    tally: Tally,
}

/// How often what happened.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

impl Ledger {
    pub(crate) fn new(servers: usize) -> Self {
        Self {
            is_calm: false,
            liar: None,
            was_missed: false,
            letters: Vec::new(),
            last_heard: BTreeMap::new(),
            links: BTreeSet::new(),
            last_link: Moment::ZERO,
            dials: BTreeMap::new(),
            last_dial: Moment::ZERO,
            digests: vec![BTreeSet::from([0]); servers],
            ever: vec![BTreeSet::new(); servers],
            versions: vec![None; servers],
            rooms: Views::default(),
            tally: Tally::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// How often what happened.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A server starts.
    pub(crate) fn started(&mut self, place: usize) {
        self.versions[place] = None;
    }

    /// A server is no more.
    pub(crate) fn stopped(&mut self, place: usize) {
        self.links.retain(|(from, _)| *from != place);
        self.rooms.stopped(place);
    }

    /// Something happened in a room, and these hear of it.
    pub(crate) fn happened(
        &mut self,
        place: usize,
        room: &RoomName,
        listeners: &[ConnectionId],
        event: &Event,
    ) -> Result<(), Broken> {
        if let Event::Recalled(_) = event {
            self.count("recalled");
        }
        self.rooms.happened(place, room, listeners, event)
    }

    /// So much was not written down when it should have been.
    pub(crate) fn unwritten(&mut self, records: usize) {
        if records > 0 {
            self.count("unwritten");
        }
    }

    /// Somebody is about to come to a home.
    pub(crate) fn may_join(&mut self, place: usize, key: KeyId) {
        self.ever[place].insert(key);
    }

    /// A letter is written. Returns its number.
    pub(crate) fn written(
        &mut self,
        from: Option<(ConnectionId, u64)>,
        hearers: BTreeMap<usize, Vec<ConnectionId>>,
    ) -> u64 {
        self.letters.push(Written {
            from,
            words: None,
            hearers,
            passed: BTreeSet::new(),
            heard: BTreeSet::new(),
        });
        self.letters.len() as u64 - 1
    }

    /// What a letter says, to the letter.
    pub(crate) fn worded(&mut self, number: u64, words: Frame) {
        let written = usize::try_from(number).ok().and_then(|at| self.letters.get_mut(at));
        written.expect("a letter").words = Some(words);
    }

    /// All letters in their order.
    pub(crate) fn written_letters(&self) -> &[Written] {
        &self.letters
    }

    /// Whether every letter from this one on is for somebody.
    pub(crate) fn everybody_has_a_hearer(&self, from: usize) -> bool {
        self.letters.iter().skip(from).all(|letter| letter.hearers.values().any(|who| !who.is_empty()))
    }

    /// How many letters were written so far.
    pub(crate) fn letters(&self) -> usize {
        self.letters.len()
    }

    /// A server has decided about a letter: it never passes the same one twice, and what a neighbour
    /// brought goes no further.
    pub(crate) fn planned(
        &mut self,
        place: usize,
        letter: &Letter,
        plan: Result<Plan, Objection>,
        from: Option<usize>,
    ) -> Result<(), Broken> {
        let number = member::read(&letter.original);
        let written = number.and_then(|number| self.letters.get_mut(usize::try_from(number).ok()?));
        let number = number.unwrap_or(u64::MAX);
        let Some(written) = written else {
            must!(plan.is_err(), "server {place} took a letter that nobody wrote");
            return Ok(());
        };
        match plan {
            Ok(plan) => {
                must!(written.passed.insert(place), "letter {number} passes server {place} a second time");
                must!(
                    from.is_none() || plan.elsewhere.is_empty(),
                    "letter {number} hops on from server {place}"
                );
            }
            // It has it already, from another home of the same author.
            Err(_) if written.from.is_none() && written.passed.contains(&place) => self.count("replayed"),
            // Nobody believes a liar.
            Err(_) if from.is_some() && from == self.liar => self.count("lie"),
            // Somebody whose coming was missed is a stranger until the list is told again.
            Err(Objection::Violated(Violation::WrongSender)) if self.was_missed => {}
            Err(objection) => {
                let is_expected = written.hearers.contains_key(&place);
                must!(!is_expected, "server {place} will not have letter {number}: {objection:?}");
            }
        }
        Ok(())
    }

    /// Somebody hears a letter: only once, in order, and as it was written.
    pub(crate) fn delivered(&mut self, connection: ConnectionId, frame: &Frame) -> Result<(), Broken> {
        let number = member::read(frame);
        let written = number.and_then(|number| self.letters.get_mut(usize::try_from(number).ok()?));
        let (Some(number), Some(written)) = (number, written) else {
            return Err(Broken(format!("{connection} heard what nobody wrote: {frame:?}")));
        };
        must!(written.heard.insert(connection), "{connection} heard letter {number} twice");
        let is_same = written.words.as_ref().is_some_and(|words| member::says_the_same(frame, words));
        must!(is_same, "{connection} heard letter {number} in other words");
        let Some((sender, place)) = written.from else { return Ok(()) };
        let last = self.last_heard.insert((connection, sender), place);
        must!(last.is_none_or(|last| last < place), "{connection} heard letter {number} out of order");
        Ok(())
    }

    /// A server dials.
    pub(crate) fn dialled(&mut self, from: usize, to: usize, now: Moment) -> Result<(), Broken> {
        self.last_dial = now;
        self.count("dial");
        let dials = self.dials.entry((from, to)).or_default();
        *dials += 1;
        // A burst after the start, and then at most one for each time that somebody gives way.
        let most = 10 + u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        must!(*dials <= most, "server {from} has dialled {to} {dials} times");
        Ok(())
    }

    /// A link came up.
    pub(crate) fn linked(&mut self, place: usize, peer: usize, now: Moment) {
        self.count("link");
        self.links.insert((place, peer));
        self.last_link = now;
    }

    /// A link went down.
    pub(crate) fn unlinked(&mut self, place: usize, peer: usize) -> Result<(), Broken> {
        self.links.remove(&(place, peer));
        must!(!self.is_calm, "server {place} lost its link to {peer}, and nothing was wrong");
        Ok(())
    }

    /// A socket is over.
    pub(crate) fn over(&mut self, place: usize, ending: Ending) -> Result<(), Broken> {
        let is_fine = matches!(
            ending,
            Ending::Left
                | Ending::Replaced
                | Ending::Refused(Refusal::Crossed)
                | Ending::RefusedUs(Refusal::Crossed)
        );
        let is_fine = is_fine || self.liar.is_some();
        must!(is_fine || !self.is_calm, "server {place} ended a socket: {ending:?}");
        // Honest servers never break the protocol, whatever happens to them.
        let is_honest = self.liar.is_none();
        must!(
            !is_honest || !matches!(ending, Ending::Violated(_)),
            "server {place} saw a violation: {ending:?}"
        );
        self.count(ending.code());
        Ok(())
    }

    /// A server missed something and asks.
    pub(crate) fn wanted(&mut self, place: usize, peer: usize) -> Result<(), Broken> {
        must!(!self.is_calm, "server {place} missed news of {peer}, and nothing was wrong");
        self.count("lost");
        Ok(())
    }

    /// How often a server has dialled another one.
    pub(crate) fn dials(&self, from: usize, to: usize) -> u32 {
        self.dials.get(&(from, to)).copied().unwrap_or(0)
    }

    /// When the last link came up, and when somebody dialled for the last time.
    pub(crate) const fn last(&self) -> (Moment, Moment) {
        (self.last_link, self.last_dial)
    }

    /// Looks at a server after it has done something, or only heard something.
    pub(crate) fn saw(
        &mut self,
        place: usize,
        node: &Node,
        setup: &Setup,
        is_quiet: bool,
    ) -> Result<(), Broken> {
        if !is_quiet {
            self.check_links(place, node, setup)?;
        }
        let version = Some(node.house().mesh().version());
        if self.versions[place] == version {
            return Ok(());
        }
        self.versions[place] = version;
        self.digests[place].insert(node.house().roster().digest().0);
        self.check_lists(place, node, setup)
    }

    /// One link for each neighbour at most, and nothing that grows without bound.
    fn check_links(&self, place: usize, node: &Node, setup: &Setup) -> Result<(), Broken> {
        let (sockets, waiting) = node.burden();
        let peers = self.digests.len();
        for peer in node.places() {
            let (is_linked, sockets) = (node.link(peer).is_some(), node.sockets_of(peer));
            let state = node.state(peer);
            must!(state.is_linked() == is_linked, "server {place} calls its link to {peer} {state:?}");
            let most = if setup.links.is_socp(place, peer) { 4 } else { 1 };
            must!(
                (sockets > 0) == is_linked && sockets <= most,
                "server {place} has {sockets} links to {peer}"
            );
        }
        must!(sockets <= 4 * peers, "server {place} holds {sockets} sockets");
        let most = setup.limits.peer_queue_bytes as usize + 1024;
        must!(waiting <= most, "{waiting} bytes wait in a lane of server {place}");
        Ok(())
    }

    /// Nobody is listed twice, nobody at a home that is not linked, and nobody at a home that does not
    /// say so itself.
    fn check_lists(&self, place: usize, node: &Node, setup: &Setup) -> Result<(), Broken> {
        let house = node.house();
        let mut listed: BTreeSet<KeyId> = house.roster().members().map(|member| member.key).collect();
        for (home, replica) in house.mesh().homes() {
            let peer = node.place(home);
            must!(node.link(peer).is_some(), "server {place} lists {peer}, which is not linked");
            let is_liar = self.liar == Some(peer);
            must!(
                replica.len() <= setup.limits.peer_members as usize,
                "server {place} hoards members of {peer}"
            );
            let is_known = self.digests[peer].contains(&replica.digest().0);
            must!(
                !replica.is_whole() || is_known || is_liar,
                "server {place} has a list of {peer} that never was"
            );
            for member in house.mesh().listed(home) {
                let is_known = is_liar || self.ever[peer].contains(&member.key);
                must!(is_known, "server {place} lists a stranger at {peer}");
                must!(listed.insert(member.key), "server {place} lists {} twice", member.key.short());
            }
        }
        Ok(())
    }
}
