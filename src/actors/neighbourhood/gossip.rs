//! What neighbours tell each other about their links: the picture of the whole mesh, and introductions.

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use actix::{ActorFutureExt as _, AsyncContext as _, Context, Handler, WrapFuture as _};

use super::{Introduced, Neighbourhood, PeerView, Reported};
use crate::{
    actors::{clock::unix_ms, lane::Class, registry::Homes},
    dialect::{Ear, event::ServerCard, kith::wire},
    domain::{
        book::Entry,
        id::{HomeId, KeyId},
        neighbourhood::State,
        peer::{LinkDialect, PeerLine, Source, Trust},
    },
};

/// How long changes of links are collected before neighbours are told.
const SOON: Duration = Duration::from_millis(250);
/// Links that one neighbour may report.
const MOST_LINKS: usize = 1024;

impl Neighbourhood {
    /// A link has changed: neighbours hear of it soon, together with whatever else changes until then. When
    /// many links change at once, each change would otherwise cost a message to everybody.
    pub(super) fn gossip_soon(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.gossip_is_due, true) {
            ctx.run_later(SOON, |neighbourhood, ctx| {
                neighbourhood.gossip_is_due = false;
                neighbourhood.gossip(ctx);
            });
        }
    }

    /// Tells all Kith neighbours how our links are doing, once the registry has said who is where.
    pub(super) fn gossip(&self, ctx: &mut Context<Self>) {
        let Some(house) = &self.house else { return };
        let homes = house.registry.send(Homes(0)).into_actor(self);
        ctx.spawn(homes.map(|homes, neighbourhood, _| {
            let homes = homes.unwrap_or_default();
            neighbourhood.tell_links(&homes.iter().map(|home| (home.home, home.count)).collect());
        }));
    }

    fn tell_links(&self, counts: &HashMap<HomeId, usize>) {
        let views: Vec<PeerView> = self.known.keys().filter_map(|home| self.view(*home)).collect();
        let members = |view: &PeerView| counts.get(&view.home).copied().unwrap_or(0);
        let links: Vec<wire::Link> = views.iter().filter_map(|view| link(view, members(view))).collect();
        let frame = wire::links(&links);
        for view in views.iter().filter(|view| view.status.ear == Some(Ear::Kith)) {
            for socket in &view.status.sockets {
                // Without room it hears the next one.
                let _ = socket.lane.offer(frame.clone(), Class::List);
            }
        }
    }

    /// Adds servers that an introducer named, if it was chosen by an operator: everybody is linked with
    /// everybody in SOCP, so joining through one server means being linked with all.
    fn welcomed(&mut self, home: HomeId, servers: Vec<ServerCard>, ctx: &Context<Self>) {
        let chosen = self.parts.book.entry(home);
        let chosen = chosen.is_some_and(|entry| matches!(entry.source, Source::Settings | Source::Api));
        if !chosen && !self.parts.introduce {
            return;
        }
        for card in servers.into_iter().take(MOST_LINKS) {
            let Some(key) = card.public_key else { continue };
            let line = PeerLine {
                key: Some(STANDARD.encode(key.spki())),
                dialect: Some(LinkDialect::Socp),
                name: Some(card.id),
                ..PeerLine::new(&format!("ws://{}", card.address))
            };
            if line.check().is_err() {
                continue;
            }
            let Ok(entry) = super::members::entry(&line, Source::Introduced) else { continue };
            if !self.is_known(&entry, key.id())
                && let Err(error) = self.add(entry, ctx)
            {
                tracing::debug!(?error, "an introduced server was not added");
            }
        }
    }

    /// Whoever was removed or is known stays what it is.
    fn is_known(&self, entry: &Entry, key: KeyId) -> bool {
        self.parts.book.entries().any(|(_, known)| {
            known.id == entry.id
                || known.expected() == Some(key)
                || known.names().iter().any(|name| entry.names().contains(name))
        })
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
            let known = self.is_known(&entry, KeyId(key));
            if !known {
                let (seen, dialect) = (Some(KeyId(key)), Some(LinkDialect::Kith));
                // Its own word about its address is better than that of others.
                let entry = Entry { seen, dialect, address_is_set: false, ..entry };
                if let Err(error) = self.add(entry, ctx) {
                    tracing::debug!(?error, "an introduced server was not added");
                }
            }
        }
    }
}

/// Names are for people; nobody needs long ones, and everybody keeps them.
fn is_short(link: &wire::Link) -> bool {
    const MOST: usize = 255;
    let url = link.url.as_deref().unwrap_or_default();
    [&link.address, &link.name, &link.state].iter().all(|text| text.len() <= MOST) && url.len() <= MOST
}

/// One of our links, as we tell about it.
fn link(view: &PeerView, members: usize) -> Option<wire::Link> {
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
        members: u32::try_from(members).unwrap_or(u32::MAX),
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
            known.links = links.into_iter().filter(is_short).collect();
            known.links_ms = unix_ms();
        }
    }
}

impl Handler<Introduced> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Introduced { home, servers }: Introduced, ctx: &mut Context<Self>) {
        self.welcomed(home, servers, ctx);
    }
}
