//! What neighbours tell each other about their links: the picture of the whole mesh, and introductions.

use actix::{Context, Handler};

use super::{Neighbourhood, PeerView, Reported};
use crate::{
    actors::{clock::unix_ms, lane::Class},
    dialect::{Ear, kith::wire},
    domain::{
        book::Entry,
        id::KeyId,
        neighbourhood::State,
        peer::{LinkDialect, PeerLine, Source, Trust},
    },
};

/// Links that one neighbour may report.
const MOST_LINKS: usize = 1024;

impl Neighbourhood {
    /// Tells all Kith neighbours how our links are doing.
    pub(super) fn gossip(&self) {
        let views: Vec<PeerView> = self.known.keys().filter_map(|home| self.view(*home)).collect();
        let links: Vec<wire::Link> = views.iter().filter_map(link).collect();
        let frame = wire::links(&links);
        for view in views.iter().filter(|view| view.status.ear == Some(Ear::Kith)) {
            for socket in &view.status.sockets {
                // Without room it hears the next one.
                let _ = socket.lane.offer(frame.clone(), Class::List);
            }
        }
    }

    /// Adds servers that a trusted neighbour is linked with.
    fn introduced(&mut self, links: &[wire::Link], ctx: &Context<Self>) {
        for link in links.iter().filter(|link| link.trusted) {
            let (Some(url), Some(key)) = (&link.url, link.key) else { continue };
            let line = PeerLine { address: Some(link.address.clone()), ..PeerLine::new(url) };
            if line.check().is_err() {
                continue;
            }
            let Ok(entry) = super::members::entry(&line, Source::Introduced) else { continue };
            // Whoever was removed or is known stays what it is.
            let known = self.parts.book.entries().any(|(_, known)| {
                known.id == entry.id
                    || known.expected() == Some(KeyId(key))
                    || known.names().iter().any(|name| entry.names().contains(name))
            });
            if !known {
                let entry = Entry { seen: Some(KeyId(key)), dialect: Some(LinkDialect::Kith), ..entry };
                if let Err(error) = self.add(entry, ctx) {
                    tracing::debug!(?error, "an introduced server was not added");
                }
            }
        }
    }
}

/// One of our links, as we tell about it.
fn link(view: &PeerView) -> Option<wire::Link> {
    let (entry, status) = (&view.entry, &view.status);
    let address =
        entry.address.clone().or_else(|| entry.names().first().map(|name| name.as_str().to_owned()))?;
    let scheme = if entry.url.as_deref().is_some_and(|url| url.starts_with("wss://")) { "wss" } else { "ws" };
    let bare = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let url = format!("{scheme}://{bare}");
    Some(wire::Link {
        name: entry.name.clone().unwrap_or_default(),
        url: Some(url),
        key: entry.expected().map(|key| key.0),
        state: status.state.name().to_owned(),
        round_trip: view.round_trip_us,
        members: 0,
        trusted: status.state == State::Up
            && status.ear == Some(Ear::Kith)
            && matches!(status.trust, Some(Trust::Pinned | Trust::Tofu)),
        address,
    })
}

impl Handler<Reported> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, reported: Reported, ctx: &mut Context<Self>) {
        let Reported { home, mut links } = reported;
        links.truncate(MOST_LINKS);
        if self.parts.introduce {
            self.introduced(&links, ctx);
        }
        if let Some(known) = self.known.get_mut(&home) {
            known.links = links;
            known.links_ms = unix_ms();
        }
    }
}
