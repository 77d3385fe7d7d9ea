//! What everybody may know of a home of several nodes: where its doors are, and behind which one it is served.

use serde::Serialize;

use super::page::origins;
use crate::{
    actors::succession::helm::Helm,
    client::door::Door,
    domain::succession::{NodeId, election::Role},
};

/// The nodes of this home, for the handlers of both doors. None: it has one.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Option<Own>);

#[derive(Clone, Debug)]
struct Own {
    helm: Helm,
    door: String,
}

/// A home of several nodes, in the information document.
#[derive(Clone, Debug, Serialize)]
pub struct HomeDoors {
    /// How often the home has changed hands.
    epoch: u64,
    /// Whether it is served behind this door.
    serving: bool,
    /// Where it is served, as far as this node knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// All its doors, in the order in which they should be tried.
    doors: Vec<String>,
}

impl Nodes {
    /// A home in which this node is found behind `door`.
    #[must_use]
    pub fn of(helm: Helm, door: String) -> Self {
        Self(Some(Own { helm, door }))
    }

    /// The way to the election, if there is one.
    #[must_use]
    pub fn helm(&self) -> Option<&Helm> {
        self.0.as_ref().map(|own| &own.helm)
    }

    /// Where clients find this node when it serves; `None` if it is no node of a home.
    #[must_use]
    pub fn own_door(&self) -> Option<&str> {
        self.0.as_ref().map(|own| own.door.as_str())
    }

    /// Where the home is served, if that is another node.
    #[must_use]
    pub fn elsewhere(&self) -> Option<String> {
        let leader = self.helm()?.state.borrow().leader.clone();
        leader.map(|place| place.door.to_string())
    }

    /// The address of a web page of this home, at the node that serves; `None` if that is not known, or this one.
    #[must_use]
    pub fn page_elsewhere(&self, path: &str) -> Option<String> {
        let door = Door::read(&self.elsewhere()?).ok()?;
        Some(format!("{}{path}", door.web()))
    }

    /// All doors of a home of several nodes, in no order; otherwise none.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let several = self.0.as_ref().filter(|own| !own.helm.others.is_empty());
        several.map_or_else(Vec::new, |Own { helm, door }| {
            helm.others.iter().map(|member| member.door.to_string()).chain([door.clone()]).collect()
        })
    }

    /// Whether the pages of one of our doors have this origin.
    #[must_use]
    pub fn has_page_at(&self, origin: &str) -> bool {
        let pages = self.all();
        pages.iter().filter_map(|door| origins(door)).any(|(_, page)| page.eq_ignore_ascii_case(origin))
    }

    /// The doors; `None` for a home of one node.
    pub async fn doors(&self) -> Option<HomeDoors> {
        let Own { helm, door } = self.0.as_ref().filter(|own| !own.helm.others.is_empty())?;
        let view = helm.look().await?;
        let own = (view.own, door.clone());
        let others = view.hosts.iter().filter(|host| !host.door.is_empty() && host.id != view.own);
        let known: Vec<(NodeId, String)> =
            others.map(|host| (host.id, host.door.to_string())).chain([own]).collect();
        let door_of = |node: NodeId| known.iter().find(|(id, _)| *id == node).map(|(_, door)| door.clone());
        let leader = view.leader.and_then(door_of);
        let mut doors: Vec<String> = leader.iter().cloned().collect();
        let next = view.successors.iter().copied().filter_map(door_of);
        let rest = helm.others.iter().map(|member| member.door.to_string()).chain([door.clone()]);
        for door in next.chain(rest) {
            if !doors.contains(&door) {
                doors.push(door);
            }
        }
        let serving = matches!(view.role, Role::Leader(_));
        Some(HomeDoors { epoch: view.epoch.0, serving, leader, doors })
    }
}
