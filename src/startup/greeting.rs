//! What a server says when its doors are open: to the person who started it, and to the log.

use std::net::SocketAddr;

use super::Doors;
use crate::{
    domain::dialect::Dialect,
    http::site::Site,
    identity::Identity,
    settings::{Admit, Full},
    telemetry,
};

/// What a person reads first.
pub(super) fn greet(doors: &Doors, site: &Site, identity: &Identity) {
    let scheme = if doors.tls { "wss" } else { "ws" };
    let token = match &identity.new_token {
        Some(token) => format!("{} (shown once, kept in {})", **token, token_file(site)),
        None => format!("in {}", token_file(site)),
    };
    // The very words to type next, however this program was called.
    let kith = std::env::args().next().unwrap_or_else(|| "kith".to_owned());
    let data = site.settings.server.data_dir.display();
    let (name, address, admin) = (&site.about.name, &site.about.address, doors.admin);
    let own = site.about.own_doors.iter().map(|(dialect, address)| {
        let what = format!("{} alone", dialect.title());
        format!("    {what:<14}{scheme}://{address}\n")
    });
    let own: String = own.chain(doors.rendezvous.map(|door| format!("    rendezvous    {door}\n"))).collect();
    let text = format!(
        "
  {name} is open

    clients       {scheme}://{address}
{own}    admin API     http://{admin}/docs/
    admin token   {token}

  Talk:   {kith} chat {scheme}://{address}
  Watch:  {kith} admin --url http://{admin} --data {data} clients

"
    );
    telemetry::say(&text);
}

/// What the log says first.
pub(super) fn announce(doors: &Doors, site: &Site) {
    let own = |dialect| doors.of_dialect(dialect).map(tracing::field::display);
    let (socp, tpacket) = (own(Dialect::Socp), own(Dialect::Tpacket));
    let (id, admin) = (site.about.id, doors.admin);
    let rendezvous = doors.rendezvous.map(tracing::field::display);
    tracing::info!(listen = %doors.main, socp, tpacket, rendezvous, %admin, %id, "the doors are open");
    let section = &site.settings.neighbourhood;
    let is_reachable = |door: SocketAddr| !door.ip().is_loopback();
    if (is_reachable(doors.main) || doors.of_dialect(Dialect::Socp).is_some_and(is_reachable))
        && (section.legacy || section.admit == Admit::Anyone)
    {
        tracing::warn!(
            "any server that reaches this one may become its neighbour; set neighbourhood.admit to known and \
             neighbourhood.legacy to false, or KITH_ENV to production"
        );
    }
    let (directory, most) = (&site.settings.rendezvous, site.settings.limits.directory_per_address);
    if doors.rendezvous.is_some_and(is_reachable)
        && directory.on_full == Full::Teardown
        && most >= directory.max_clients
    {
        tracing::warn!(
            max_clients = directory.max_clients,
            limit = most,
            "one address may take all places of the rendezvous, which ends it for all (on_full is teardown); \
             set limits.directory_per_address to less than rendezvous.max_clients"
        );
    }
    if doors.main.ip().is_unspecified() && site.settings.server.public_address.is_empty() {
        tracing::warn!(
            address = site.about.address,
            "listening on every interface; set server.public_address so that others know where"
        );
    }
}

fn token_file(site: &Site) -> String {
    crate::identity::token_path(&site.settings.server.data_dir).display().to_string()
}
