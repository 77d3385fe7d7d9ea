//! Which door of a neighbour is dialled, if its home has several.

use actix::{Context, Handler};

use super::{PeerLink, Ways};

/// The doors of a neighbour, and at which of them we are.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// Beside the one that is known anyway.
    others: Vec<String>,
    at: usize,
}

impl Doors {
    pub(super) fn new(others: Vec<String>) -> Self {
        Self { others, at: 0 }
    }

    /// The one to dial. A neighbour that nobody told how to dial is not dialled.
    pub(super) fn present<'a>(&'a self, known: Option<&'a str>) -> Option<&'a str> {
        let known = known?;
        Some(self.at.checked_sub(1).and_then(|at| self.others.get(at)).map_or(known, String::as_str))
    }

    /// Nobody serves behind the present one.
    pub(super) fn step(&mut self) {
        self.at = if self.at >= self.others.len() { 0 } else { self.at + 1 };
    }

    /// Other ones are known now. The present one is kept if it is among them.
    pub(super) fn learn(&mut self, others: Vec<String>) {
        let present = self.at.checked_sub(1).and_then(|at| self.others.get(at));
        let place = present.and_then(|door| others.iter().position(|other| other == door));
        self.at = place.map_or(0, |place| place + 1);
        self.others = others;
    }
}

impl Handler<Ways> for PeerLink {
    type Result = ();

    fn handle(&mut self, Ways(doors): Ways, _: &mut Context<Self>) {
        self.doors.learn(doors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_dialled_in_turn_and_the_present_one_is_kept() {
        let own = |doors: &[&str]| doors.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        let mut doors = Doors::new(own(&["b", "c"]));
        let mut turns = Vec::new();
        for _ in 0..4 {
            turns.push(doors.present(Some("a")).expect("a door").to_owned());
            doors.step();
        }
        assert_eq!(turns, ["a", "b", "c", "a"]);
        assert_eq!(doors.present(Some("a")), Some("b"));
        doors.learn(own(&["d", "b"]));
        assert_eq!(doors.present(Some("a")), Some("b"));
        doors.learn(own(&["d"]));
        assert_eq!(doors.present(Some("a")), Some("a"));
        assert_eq!(doors.present(None), None);
    }
}
