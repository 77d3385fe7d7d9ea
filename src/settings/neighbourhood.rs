//! The section `neighbourhood`: which servers are linked to, and who may link to us.
//!
//! The domain knows no serde, so a line is read here as text and kept as what it says.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::peer::PeerLine;

/// The section `neighbourhood`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbourhood {
    /// The servers to link to.
    #[serde(with = "lines")]
    pub peers: Vec<PeerLine>,
    /// Who may link to us without being listed.
    pub admit: Admit,
    /// Whether servers may link that cannot prove who they are.
    pub legacy: bool,
    /// Of those, also the ones that sign nothing or only a bare hash; and in SOCP, letters that nobody has signed.
    pub unsigned: bool,
    /// Learn of further servers from trusted neighbours.
    pub introduce: bool,
    /// PEM file of further authorities for `wss` neighbours; empty means none.
    pub ca_certificates: PathBuf,
}

impl Neighbourhood {
    /// The file of further authorities, if there is one.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        (!self.ca_certificates.as_os_str().is_empty()).then_some(self.ca_certificates.as_path())
    }
}

/// Who may link to us without being listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admit {
    /// Nobody: only servers from the settings, from the API, or introduced by a neighbour.
    Known,
    /// Anyone who proves a key, which is remembered at first contact.
    Anyone,
}

/// Peer lines as a list of texts.
mod lines {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::peer::PeerLine;

    /// One text. A type of its own, so that an error names the place in the list.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Line(PeerLine);

    impl TryFrom<String> for Line {
        type Error = String;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            text.parse().map(Self).map_err(|error: crate::domain::peer::PeerLineError| error.to_string())
        }
    }

    pub(super) fn serialize<S: Serializer>(peers: &[PeerLine], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(peers.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<PeerLine>, D::Error> {
        Ok(Vec::<Line>::deserialize(input)?.into_iter().map(|Line(peer)| peer).collect())
    }
}
