//! The sections `home` and `succession`: the nodes of which this one serves when it should.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::succession::{
    home::{Fallback, Home, MOST_OTHERS, Member, Seat},
    numbers::{Numbers, Unsound},
};

use super::values::Optional;

/// The section `home`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeSection {
    /// The other nodes of this home.
    pub members: Vec<Node>,
    /// Whether this node breaks ties.
    pub fallback: bool,
}

/// Another node, as one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Node {
    /// Where its succession door is, `host:port`.
    pub address: String,
    /// Where clients find it, as URL.
    pub door: String,
    /// What its operator calls it.
    pub name: Option<String>,
    /// Whether it breaks ties.
    pub fallback: bool,
}

impl TryFrom<String> for Node {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split_whitespace();
        let address = words.next().unwrap_or_default().to_owned();
        if !has_port(&address) {
            return Err(format!("{address:?} is no address of a succession door; write host:port"));
        }
        let mut node = Self { address, door: String::new(), name: None, fallback: false };
        for word in words {
            match word.split_once('=') {
                Some(("door", url)) if ["ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme)) => {
                    url.trim_end_matches('/').clone_into(&mut node.door);
                }
                Some(("door", url)) => {
                    return Err(format!("{url:?} is no door; write ws://host:port or wss://host:port"));
                }
                Some(("name", name)) if !name.is_empty() => node.name = Some(name.to_owned()),
                None if word == "fallback" => node.fallback = true,
                _ => return Err(format!("{word:?} means nothing here; there are door=, name= and fallback")),
            }
        }
        if node.door.is_empty() {
            return Err(format!("{}: door= is missing, where clients find it", node.address));
        }
        Ok(node)
    }
}

/// Whether a text is `host:port`.
fn has_port(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

impl From<Node> for String {
    fn from(node: Node) -> Self {
        let mut text = format!("{} door={}", node.address, node.door);
        if let Some(name) = node.name {
            text += &format!(" name={name}");
        }
        if node.fallback {
            text += " fallback";
        }
        text
    }
}

impl HomeSection {
    /// The home, as the election knows it.
    #[must_use]
    pub fn home(&self) -> Home {
        let seat = self.members.iter().position(|node| node.fallback).and_then(|at| u8::try_from(at).ok());
        Home {
            others: self.members.iter().map(Node::member).collect(),
            fallback: match seat {
                Some(seat) => Fallback::Other(Seat(seat)),
                None if self.fallback => Fallback::Ourselves,
                None => Fallback::Nobody,
            },
        }
    }

    /// What is wrong with it, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        if self.members.len() > MOST_OTHERS {
            return Some(format!("there may be at most {MOST_OTHERS}"));
        }
        let fallbacks = self.members.iter().filter(|node| node.fallback).count() + usize::from(self.fallback);
        if fallbacks > 1 {
            return Some("only one node of a home can be its fallback, home.fallback included".to_owned());
        }
        let twice = self.members.iter().enumerate().find(|(at, node)| {
            self.members
                .iter()
                .take(*at)
                .any(|other| other.address == node.address || other.door == node.door)
        });
        twice.map(|(_, node)| format!("{} stands there twice", node.address))
    }
}

impl Node {
    fn member(&self) -> Member {
        Member {
            address: self.address.as_str().into(),
            door: self.door.as_str().into(),
            name: self.name.as_deref().unwrap_or(&self.address).into(),
        }
    }
}

/// The section `succession`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// Where the other nodes and original hosts find us; empty: nowhere.
    pub listen: Optional,
    /// `host:port` of a server of the first form that we report to; empty: none.
    pub report_to: String,
    /// How often a node reports.
    pub report_ms: u32,
    /// How often whoever leads asks whether the others follow.
    pub pulse_ms: u32,
    /// How long an answer is waited for.
    pub retry_ms: u32,
    /// Attempts after the first one until a node, or the server that we report to, counts as silent.
    pub retries: u32,
    /// Silence after which a host is suspect.
    pub suspect_ms: u32,
    /// Silence after which a host is disconnected.
    pub disconnected_ms: u32,
    /// Silence after which a host is forgotten.
    pub forget_ms: u32,
    /// How long the answers of a majority allow a leader to serve.
    pub lease_ms: u32,
    /// When the next leader serves after the last one fell silent.
    pub takeover_ms: u32,
    /// By how much later each successor stands than the one before it.
    pub stagger_ms: u32,
    /// How long a node that has never heard of a leader looks around at least.
    pub first_wait_min_ms: u32,
    /// And at most.
    pub first_wait_max_ms: u32,
    /// How long a leader stays before another one can be better.
    pub tenure_ms: u32,
    /// By how many per cent another one must be better.
    pub lead_percent: u32,
    /// In how many pulses in a row.
    pub lead_pulses: u32,
    /// How long a leader that has handed over is not chosen again.
    pub hold_down_ms: u32,
    /// By how many changes a copy may be behind when a hand-over to it begins.
    pub lag: u32,
    /// Whether a node that is clearly better becomes the leader.
    pub by_ranking: bool,
    /// Hosts in the table at most.
    pub hosts: u32,
}

impl Succession {
    /// The server of the first form that we report to.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        Some(self.report_to.as_str()).filter(|server| !server.is_empty())
    }

    /// What is wrong with that server, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let server = self.server()?;
        if !has_port(server) {
            return Some(format!(
                "{server:?} is no address of a server; write host:port, as in 10.0.0.1:3012"
            ));
        }
        match self.listen.0 {
            None => Some(
                "succession.listen must be set as well: whoever is told to lead is found there".to_owned(),
            ),
            Some(door) if door.to_string() == server => Some("it is succession.listen itself".to_owned()),
            Some(_) => None,
        }
    }

    /// The numbers, as the election knows them.
    ///
    /// # Errors
    /// With these, two nodes could serve at once, or none ever.
    pub fn numbers(&self) -> Result<Numbers, Unsound> {
        let span = |ms: u32| Duration::from_millis(ms.into());
        let numbers = Numbers {
            report: span(self.report_ms),
            pulse: span(self.pulse_ms),
            retry: span(self.retry_ms),
            retries: self.retries,
            suspect: span(self.suspect_ms),
            disconnected: span(self.disconnected_ms),
            forget: span(self.forget_ms),
            lease: span(self.lease_ms),
            takeover: span(self.takeover_ms),
            tenure: span(self.tenure_ms),
            lead_percent: self.lead_percent,
            lead_pulses: self.lead_pulses,
            hold_down: span(self.hold_down_ms),
            lag: self.lag.into(),
            first_wait: (span(self.first_wait_min_ms), span(self.first_wait_max_ms)),
            stagger: span(self.stagger_ms),
            by_ranking: self.by_ranking,
            hosts: self.hosts,
        };
        numbers.check().map(|()| numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Result<Node, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_node_is_one_text_and_comes_back_as_it_was() {
        for text in [
            "10.0.0.2:3012 door=ws://10.0.0.2:8080",
            "second.example:3012 door=wss://chat.example name=second",
            "[::1]:3012 door=ws://[::1]:8080 name=second fallback",
        ] {
            assert_eq!(String::from(node(text).expect(text)), text);
        }
    }

    #[test]
    fn whoever_writes_something_else_is_told_what_is_wrong() {
        for (text, word) in [
            ("", "host:port"),
            ("10.0.0.2 door=ws://10.0.0.2:8080", "host:port"),
            ("10.0.0.2:3012", "door="),
            ("10.0.0.2:3012 door=10.0.0.2:8080", "ws://"),
            ("10.0.0.2:3012 door=ws://10.0.0.2:8080 colour=red", "colour=red"),
        ] {
            let problem = node(text).expect_err(text);
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }

    #[test]
    fn whom_we_report_to_is_an_address_elsewhere_and_needs_a_door_of_ours() {
        let mut succession = crate::settings::load(&crate::settings::Sources::default())
            .expect("the built-in settings")
            .settings
            .succession;
        assert_eq!((succession.server(), succession.problem()), (None, None));
        for (listen, report_to, word) in [
            ("", "10.0.0.1:3012", Some("succession.listen must")),
            ("127.0.0.1:3012", "10.0.0.1", Some("host:port")),
            ("127.0.0.1:3012", ":3012", Some("host:port")),
            ("127.0.0.1:3012", "127.0.0.1:3012", Some("itself")),
            ("127.0.0.1:3012", "first.example:3012", None),
        ] {
            succession.listen = listen.to_owned().try_into().expect(listen);
            report_to.clone_into(&mut succession.report_to);
            let problem = succession.problem();
            assert_eq!(problem.is_some(), word.is_some(), "{report_to}");
            assert!(problem.unwrap_or_default().contains(word.unwrap_or_default()), "{report_to}");
        }
    }

    #[test]
    fn the_numbers_of_the_settings_are_those_of_the_rules() {
        let settings =
            crate::settings::load(&crate::settings::Sources::default()).expect("the built-in settings");
        assert_eq!(settings.settings.succession.numbers(), Ok(Numbers::default()));
    }

    #[test]
    fn a_home_has_one_fallback_and_each_node_once() {
        let nodes = |texts: &[&str]| texts.iter().map(|text| node(text).expect(text)).collect();
        let (one, two) = ("a:1 door=ws://a:2 fallback", "b:1 door=ws://b:2");
        let home = HomeSection { members: nodes(&[two, one]), fallback: false };
        assert_eq!(home.problem(), None);
        assert_eq!(home.home().fallback, Fallback::Other(Seat(1)));
        let both = HomeSection { fallback: true, ..home };
        assert!(both.problem().expect("a problem").contains("only one"));
        let twice = HomeSection { members: nodes(&[two, two]), fallback: false };
        assert!(twice.problem().expect("a problem").contains("twice"));
    }
}
