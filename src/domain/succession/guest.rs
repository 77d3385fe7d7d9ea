//! This program as a host of a server that knows only the first form of the protocol.
//!
//! It reports, keeps the id that it was given, follows the server where that is told to be, and goes to the
//! fallback when it is gone. It never gives up: without any server it goes on trying the one it was told first.

use std::sync::Arc;

use super::{NodeId, legacy::HostAnswer, numbers::Numbers};
use crate::domain::Moment;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Nothing before this moment.
    Wait(Moment),
    /// Report to this server, with this id and this address of ours, if they are known.
    Report {
        /// Whom.
        to: Arc<str>,
        /// The id that was given to us.
        id: Option<NodeId>,
        /// Our address as the server saw it.
        address: Option<Arc<str>>,
    },
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    Same,
    /// Another server is reported to from now on.
    Moved(Arc<str>),
    /// We are told to lead.
    Lead,
    /// There is no server that answers. It is tried again, ever less often.
    Lost,
}

/// A host's view of its server.
#[derive(Debug)]
pub struct Guest {
    /// The one from the settings.
    first: Arc<str>,
    server: Arc<str>,
    id: Option<NodeId>,
    address: Option<Arc<str>>,
    fallback: Option<Arc<str>>,
    attempts: u32,
    next: Moment,
    asked: bool,
    /// Whether the last answer sent us elsewhere.
    was_sent: bool,
}

impl Guest {
    /// A host that was told of this server.
    #[must_use]
    pub fn new(server: &str, now: Moment) -> Self {
        let server: Arc<str> = server.into();
        Self {
            first: Arc::clone(&server),
            server,
            id: None,
            address: None,
            fallback: None,
            attempts: 0,
            next: now,
            asked: false,
            was_sent: false,
        }
    }

    /// What to do now. A report counts as under way until it is answered or has failed.
    pub fn due(&mut self, now: Moment, numbers: &Numbers) -> Errand {
        if self.asked || now < self.next {
            return Errand::Wait(self.next.max(now + numbers.retry / 10));
        }
        self.asked = true;
        Errand::Report { to: Arc::clone(&self.server), id: self.id, address: self.address.clone() }
    }

    /// The server has answered.
    pub fn answered(&mut self, answer: &HostAnswer, now: Moment, numbers: &Numbers) -> News {
        let knew_us = self.id == Some(answer.id);
        let was_sent = std::mem::take(&mut self.was_sent);
        (self.asked, self.attempts, self.next) = (false, 0, now + numbers.report);
        self.id = Some(answer.id);
        self.address = answer.address.as_deref().map(Arc::from).or_else(|| self.address.take());
        self.fallback = answer.fallback.as_deref().filter(|to| self.is_elsewhere(to)).map(Arc::from);
        if answer.lead {
            // Who has only now been given an id cannot have been chosen: somebody else at our address was.
            return if knew_us { News::Lead } else { News::Same };
        }
        match answer.new_server.as_deref() {
            Some(to) if self.is_elsewhere(to) => {
                self.was_sent = true;
                // Two servers that name each other are asked no faster than one that names nobody.
                self.move_to(to.into(), if was_sent { self.next } else { now })
            }
            _ => News::Same,
        }
    }

    /// The server has not answered, in whichever way.
    pub fn failed(&mut self, now: Moment, numbers: &Numbers) -> News {
        (self.asked, self.attempts) = (false, self.attempts.saturating_add(1));
        let over = self.attempts.saturating_sub(numbers.retries);
        // Twice as long after each round of attempts, up to a minute and a half.
        self.next = now + numbers.retry * 2_u32.saturating_pow(over.saturating_sub(1).min(6));
        if over == 0 {
            return News::Same;
        }
        match self.fallback.take() {
            Some(fallback) => self.move_to(fallback, now),
            None if self.server != self.first => self.move_to(Arc::clone(&self.first), now),
            None if over == 1 => News::Lost,
            None => News::Same,
        }
    }

    /// Whether there is a point in going there: the host that is the fallback is told its own address like all
    /// others, and who reports to itself waits for nobody.
    fn is_elsewhere(&self, to: &str) -> bool {
        *to != *self.server && self.address.as_deref() != Some(to)
    }

    fn move_to(&mut self, server: Arc<str>, next: Moment) -> News {
        self.server = Arc::clone(&server);
        (self.attempts, self.next) = (0, next);
        News::Moved(server)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(fallback: Option<&str>) -> HostAnswer {
        HostAnswer {
            is_known: true,
            lead: false,
            new_server: None,
            fallback: fallback.map(ToOwned::to_owned),
            id: NodeId(7),
            address: None,
        }
    }

    fn reports(guest: &mut Guest, now: Moment, to: &str, id: Option<NodeId>) {
        let due = guest.due(now, &Numbers::default());
        let Errand::Report { to: server, id: shown, .. } = due else { panic!("{due:?}") };
        assert_eq!((&*server, shown), (to, id));
        assert!(matches!(guest.due(now, &Numbers::default()), Errand::Wait(at) if at > now));
    }

    #[test]
    fn after_four_attempts_it_goes_to_the_fallback_and_then_begins_anew() {
        let (numbers, mut now) = (Numbers::default(), Moment::ZERO);
        let mut guest = Guest::new("10.0.0.1", now);
        reports(&mut guest, now, "10.0.0.1", None);
        assert_eq!(guest.answered(&answer(Some("10.0.0.2")), now, &numbers), News::Same);
        now += numbers.report;
        for _ in 0..3 {
            reports(&mut guest, now, "10.0.0.1", Some(NodeId(7)));
            assert_eq!(guest.failed(now, &numbers), News::Same);
            now += numbers.retry;
        }
        reports(&mut guest, now, "10.0.0.1", Some(NodeId(7)));
        assert_eq!(guest.failed(now, &numbers), News::Moved("10.0.0.2".into()));
        for attempt in 1..=4 {
            reports(&mut guest, now, "10.0.0.2", Some(NodeId(7)));
            let news = guest.failed(now, &numbers);
            let back = News::Moved("10.0.0.1".into());
            assert_eq!(news, if attempt == 4 { back } else { News::Same });
            now += if attempt == 4 { Duration::ZERO } else { numbers.retry };
        }
        let mut lost = 0;
        for _ in 0..50 {
            reports(&mut guest, now, "10.0.0.1", Some(NodeId(7)));
            lost += usize::from(guest.failed(now, &numbers) == News::Lost);
            now += Duration::from_secs(100);
        }
        assert_eq!(lost, 1, "it is said once, and never given up");
    }

    #[test]
    fn nobody_goes_to_itself() {
        let (numbers, mut now) = (Numbers::default(), Moment::ZERO);
        let mut guest = Guest::new("10.0.0.1", now);
        let own = || Some("10.0.0.7".to_owned());
        reports(&mut guest, now, "10.0.0.1", None);
        let answer = HostAnswer { new_server: own(), address: own(), ..answer(Some("10.0.0.7")) };
        assert_eq!(guest.answered(&answer, now, &numbers), News::Same);
        now += numbers.report;
        for attempt in 1..=4 {
            reports(&mut guest, now, "10.0.0.1", Some(NodeId(7)));
            assert_eq!(guest.failed(now, &numbers), if attempt == 4 { News::Lost } else { News::Same });
            now += numbers.retry;
        }
    }

    #[test]
    fn two_servers_that_name_each_other_are_asked_no_faster_than_any() {
        let (numbers, mut now) = (Numbers::default(), Moment::ZERO);
        let mut guest = Guest::new("10.0.0.1", now);
        let sent = |to: &str| HostAnswer { new_server: Some(to.to_owned()), ..answer(None) };
        let mut asked = 0;
        while now < Moment::from_secs(60) && asked < 100 {
            match guest.due(now, &numbers) {
                Errand::Wait(until) => now = until,
                Errand::Report { to, .. } => {
                    asked += 1;
                    let other = if &*to == "10.0.0.1" { "10.0.0.2" } else { "10.0.0.1" };
                    assert_eq!(guest.answered(&sent(other), now, &numbers), News::Moved(other.into()));
                }
            }
        }
        assert!((50..=62).contains(&asked), "{asked} times in a minute");
    }

    #[test]
    fn only_who_was_known_by_its_id_is_told_to_lead() {
        let (numbers, now) = (Numbers::default(), Moment::ZERO);
        let mut guest = Guest::new("10.0.0.1", now);
        let lead = HostAnswer { lead: true, ..answer(None) };
        reports(&mut guest, now, "10.0.0.1", None);
        assert_eq!(guest.answered(&lead, now, &numbers), News::Same);
        reports(&mut guest, now + numbers.report, "10.0.0.1", Some(NodeId(7)));
        assert_eq!(guest.answered(&lead, now + numbers.report, &numbers), News::Lead);
    }

    #[test]
    fn it_goes_where_it_is_sent_at_once_whatever_else_the_answer_says() {
        let (numbers, now) = (Numbers::default(), Moment::ZERO);
        for is_known in [true, false] {
            let mut guest = Guest::new("10.0.0.1", now);
            let sent = HostAnswer { is_known, new_server: Some("10.0.0.9".to_owned()), ..answer(None) };
            reports(&mut guest, now, "10.0.0.1", None);
            assert_eq!(guest.answered(&sent, now, &numbers), News::Moved("10.0.0.9".into()));
            reports(&mut guest, now, "10.0.0.9", Some(NodeId(7)));
        }
    }
}
