//! Who listens where: being listed, no more, and reading the list.

use super::{Asked, Rooms, hear::Listed, say::Request, told};
use crate::{
    client::{
        event::Output,
        room::{Told, Why, Wish},
    },
    domain::endpoint::Endpoint,
};

/// Entries of one answer; of a longer one the rest is not read.
const MOST_ENTRIES: usize = 4_096;

impl Rooms {
    pub(super) fn register(&mut self, at: Endpoint, again: bool) -> String {
        let ticket = self.number(Asked::Register(at, again));
        Request::Register { ticket, at: at.to_string() }.print()
    }

    pub(super) fn unregister(&mut self, at: Endpoint, quietly: bool) -> String {
        let ticket = self.number(Asked::Unregister(at, quietly));
        Request::Unregister { ticket, at: at.to_string() }.print()
    }

    /// What was registered went with the connection before this one.
    pub(super) fn introduce_again(&mut self, out: &mut Vec<Output>) {
        let Some(at) = self.introduction.wanted() else { return };
        if self.offer.is_some() {
            out.push(Output::Send(self.register(at, true).into()));
        } else {
            self.introduction.lost(at);
            out.push(told(Told::Refused { what: Some(Wish::Introduce(at)), why: Why::NoDirectory }));
        }
    }

    pub(super) fn on_registered(&mut self, ticket: u32, out: &mut Vec<Output>) {
        let Some(Asked::Register(at, again)) = self.asked.remove(&ticket) else { return };
        if let Some(before) = self.introduction.done(at) {
            out.push(Output::Send(self.unregister(before, true).into()));
        }
        out.extend((!again).then_some(told(Told::Introduced(at))));
    }

    pub(super) fn on_unregistered(&mut self, ticket: u32, out: &mut Vec<Output>) {
        let Some(Asked::Unregister(at, quietly)) = self.asked.remove(&ticket) else { return };
        out.extend((!quietly).then_some(told(Told::Hidden(at))));
    }

    pub(super) fn on_directory(
        &mut self,
        ticket: u32,
        entries: &[Listed],
        unfinished: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(Asked::Directory(known)) = self.asked.get_mut(&ticket) else { return };
        let place = MOST_ENTRIES.saturating_sub(known.len());
        known.extend(entries.iter().filter_map(Listed::entry).take(place));
        if !unfinished && let Some(Asked::Directory(entries)) = self.asked.remove(&ticket) {
            out.push(told(Told::Introductions(entries)));
        }
    }
}
