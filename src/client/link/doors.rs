//! The doors of one home, and which of them is tried next.
//!
//! A home may be served by one of several nodes, and another one when that is gone. Whoever was told their doors
//! tries them in turn, each once, before it waits. **Invariant:** the door that was typed is never forgotten, and
//! nobody is led from an encrypted way to an open one.

use crate::client::{about::Home, door::Door};

/// Doors that are remembered. A home has few nodes, and a server that names a thousand doors means no good.
const MOST_DOORS: usize = 16;

/// What is known of the doors of a home.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    typed: Door,
    /// In the order in which they are tried. Never empty: the typed one is among them.
    known: Vec<Known>,
    present: Door,
    /// Whoever knows better says that the home is served there.
    hint: Option<Door>,
    /// Whether somebody was followed at once in this round. Two servers that send us to each other must not make
    /// us run.
    has_followed: bool,
}

#[derive(Clone, Debug)]
struct Known {
    door: Door,
    /// In this round.
    is_tried: bool,
}

impl Doors {
    pub(super) fn new(typed: Door) -> Self {
        let known = vec![Known { door: typed.clone(), is_tried: true }];
        Self { present: typed.clone(), typed, known, hint: None, has_followed: false }
    }

    /// The one that is tried, or that we came in by.
    pub(super) const fn present(&self) -> &Door {
        &self.present
    }

    /// Whether there is another one to go to.
    pub(super) const fn are_several(&self) -> bool {
        self.known.len() > 1
    }

    /// Somebody behind the present door says where the home is.
    pub(super) fn learn(&mut self, home: &Home) {
        let doors: Vec<Door> = home.doors.iter().take(MOST_DOORS).filter_map(|url| self.read(url)).collect();
        // Nobody who says nothing makes us forget what we know.
        if !doors.is_empty() {
            let mut known = Vec::with_capacity(doors.len() + 2);
            for door in doors.into_iter().chain([self.typed.clone(), self.present.clone()]) {
                if !known.iter().any(|known: &Known| known.door == door) {
                    let is_tried = self.known.iter().any(|known| known.door == door && known.is_tried);
                    known.push(Known { door, is_tried });
                }
            }
            self.known = known;
        }
        self.hint = home.leader.as_deref().and_then(|url| self.read(url));
    }

    /// We were let in: whatever happens next begins a new round.
    pub(super) fn was_good(&mut self) {
        self.hint = None;
        self.has_followed = false;
        for known in &mut self.known {
            known.is_tried = known.door == self.present;
        }
    }

    /// The present door is none, whatever the home says of it.
    pub(super) fn forget(&mut self) {
        let (typed, present) = (&self.typed, &self.present);
        self.known.retain(|known| known.door == *typed || known.door != *present);
    }

    /// Goes to the next door, which is the one that we were sent to, if we were. Says whether that is worth trying
    /// at once; otherwise all have been tried.
    pub(super) fn step(&mut self, moved: Option<&Door>) -> bool {
        let moved = moved.filter(|door| self.is_allowed(door)).cloned();
        if let Some(door) = moved {
            self.add(&door);
            if !self.has_followed {
                self.has_followed = true;
                self.enter(&door);
                return true;
            }
            self.hint = Some(door);
        }
        let hint = self.hint.take();
        let untried = |known: &&Known| !known.is_tried;
        let hinted = self.known.iter().filter(untried).find(|known| Some(&known.door) == hint.as_ref());
        if let Some(next) = hinted.or_else(|| self.known.iter().find(untried)) {
            let door = next.door.clone();
            self.enter(&door);
            return true;
        }
        self.has_followed = false;
        self.known.iter_mut().for_each(|known| known.is_tried = false);
        let first = self.known.iter().find(|known| Some(&known.door) == hint.as_ref());
        let door = first.or_else(|| self.known.first()).map_or(&self.typed, |known| &known.door).clone();
        self.enter(&door);
        false
    }

    fn enter(&mut self, door: &Door) {
        self.present = door.clone();
        self.known.iter_mut().filter(|known| known.door == *door).for_each(|known| known.is_tried = true);
    }

    fn add(&mut self, door: &Door) {
        if !self.known.iter().any(|known| known.door == *door) {
            let oldest = self.known.iter().rposition(|known| known.door != self.typed);
            if let Some(oldest) = oldest.filter(|_| self.known.len() > MOST_DOORS) {
                self.known.remove(oldest);
            }
            self.known.push(Known { door: door.clone(), is_tried: false });
        }
    }

    fn read(&self, url: &str) -> Option<Door> {
        Door::read(url).ok().filter(|door| self.is_allowed(door))
    }

    fn is_allowed(&self, door: &Door) -> bool {
        door.is_secure() || !self.present.is_secure()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(url: &str) -> Door {
        Door::read(url).expect("a door")
    }

    fn home(leader: Option<&str>, doors: &[&str]) -> Home {
        Home { leader: leader.map(str::to_owned), doors: doors.iter().copied().map(str::to_owned).collect() }
    }

    /// Where the steps lead until all have been tried, and where it begins anew.
    fn round(doors: &mut Doors) -> (Vec<String>, String) {
        let mut tried = Vec::new();
        while doors.step(None) {
            tried.push(doors.present().to_string());
            assert!(tried.len() <= MOST_DOORS, "{tried:?}");
        }
        (tried, doors.present().to_string())
    }

    #[test]
    fn a_home_of_one_door_is_waited_for() {
        let mut doors = Doors::new(door("ws://a:1"));
        assert_eq!(round(&mut doors), (vec![], "ws://a:1".to_owned()));
        doors.was_good();
        assert_eq!(round(&mut doors), (vec![], "ws://a:1".to_owned()));
    }

    #[test]
    fn each_door_is_tried_once_and_the_typed_one_is_kept() {
        let mut doors = Doors::new(door("ws://typed:1"));
        doors.learn(&home(Some("ws://a:1"), &["ws://a:1", "ws://b:1", "no door", "ws://a:1"]));
        assert_eq!(round(&mut doors), (vec!["ws://a:1".into(), "ws://b:1".into()], "ws://a:1".into()));
        assert_eq!(round(&mut doors).0, ["ws://b:1", "ws://typed:1"]);
        doors.was_good();
        doors.learn(&home(Some("ws://c:1"), &["ws://b:1", "ws://c:1"]));
        assert!(doors.step(None));
        assert_eq!(doors.present(), &door("ws://c:1"), "the one that serves is the first");
        doors.forget();
        assert_eq!(round(&mut doors).0, ["ws://b:1", "ws://typed:1"]);
        doors.learn(&home(None, &[]));
        assert!(doors.are_several(), "nothing said is nothing forgotten");
    }

    #[test]
    fn two_that_send_us_to_each_other_are_followed_once() {
        let (a, b) = (door("ws://a:1"), door("ws://b:1"));
        let mut doors = Doors::new(a.clone());
        assert!(doors.step(Some(&b)));
        assert_eq!(doors.present(), &b);
        assert!(!doors.step(Some(&a)), "now we wait");
        assert_eq!(doors.present(), &a);
        doors.was_good();
        assert!(doors.step(Some(&b)));
    }

    #[test]
    fn nobody_is_led_from_an_encrypted_way_to_an_open_one() {
        let mut doors = Doors::new(door("wss://a"));
        doors.learn(&home(Some("ws://b"), &["ws://b", "wss://c"]));
        assert!(doors.step(Some(&door("ws://d"))));
        assert_eq!(doors.present(), &door("wss://c"));
        assert_eq!(round(&mut doors).0, Vec::<String>::new());
        let mut doors = Doors::new(door("ws://a"));
        doors.learn(&home(None, &["wss://b"]));
        assert!(doors.step(None));
        assert_eq!(doors.present(), &door("wss://b"));
        assert!(!doors.step(Some(&door("ws://c"))), "nor in two steps");
    }

    #[test]
    fn a_server_that_names_very_many_doors_fills_no_memory() {
        let mut doors = Doors::new(door("ws://a"));
        let many: Vec<String> = (0..1000).map(|at| format!("ws://b{at}")).collect();
        doors.learn(&Home { leader: None, doors: many });
        for at in 0..1000 {
            doors.step(Some(&door(&format!("ws://c{at}"))));
            doors.was_good();
        }
        assert!(doors.known.len() <= MOST_DOORS + 2, "{}", doors.known.len());
        assert!(doors.known.iter().any(|known| known.door == door("ws://a")));
    }
}
