//! The section `rendezvous`: where clients that mesh by themselves hear of each other.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::values::Optional;
use crate::domain::{
    directory::rules::{DialBack, OnFull, Rules},
    limits::Limits,
};

/// The section `rendezvous`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rendezvous {
    /// Its door, if there is one.
    pub listen: Optional,
    /// What happens when the last place is taken.
    pub on_full: Full,
    /// Registrations at the door at most, and as many again without it.
    pub max_clients: u32,
    /// Whether lists of the first kind end with a zero byte.
    pub nul: bool,
    /// Networks whose addresses anybody may register.
    #[serde(with = "networks")]
    pub allow: Vec<IpNet>,
    /// Whose address is dialled before it is listed.
    pub dial_back: Tested,
    /// Whether Kith neighbours are told who is registered here, and theirs are listed here.
    pub share: bool,
    /// Whether the directory can be read at the main door.
    pub public: bool,
}

/// What happens when the last place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Full {
    /// Newcomers are refused.
    Reject,
    /// It ends for everybody.
    Teardown,
}

/// Whose address is dialled before it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tested {
    /// Nobody's.
    Off,
    /// That of newer programs.
    Nodes,
    /// Everybody's.
    All,
}

impl Rendezvous {
    /// The rules that follow from this and from the limits.
    #[must_use]
    pub fn rules(&self, limits: &Limits) -> Rules {
        Rules {
            on_full: match self.on_full {
                Full::Reject => OnFull::Reject,
                Full::Teardown => OnFull::Teardown,
            },
            max_clients: self.max_clients,
            allow: self.allow.clone(),
            dial_back: match self.dial_back {
                Tested::Off => DialBack::Off,
                Tested::Nodes => DialBack::Nodes,
                Tested::All => DialBack::All,
            },
            per_address: limits.directory_per_address,
            per_member: limits.directory_per_member,
            per_neighbour: limits.directory_per_neighbour,
            relay_bytes_per_second: limits.relay_bytes_per_second,
            hello_timeout_s: limits.hello_timeout_s,
        }
    }
}

/// Networks as a list of texts: an address alone is a network of one.
mod networks {
    use std::net::IpAddr;

    use ipnet::IpNet;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(networks: &[IpNet], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(networks.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<IpNet>, D::Error> {
        let texts = Vec::<String>::deserialize(input)?;
        let read = |text: &String| {
            let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
            let problem = || format!("{text:?} is no network; write an IP address, or as in 10.0.0.0/8");
            text.parse().ok().or_else(alone).ok_or_else(|| D::Error::custom(problem()))
        };
        texts.iter().map(read).collect()
    }
}
