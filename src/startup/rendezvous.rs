//! The rendezvous: its door, if the settings want one, and its rules.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use super::{StartupError, doors::listen};
use crate::{
    actors::{
        chance,
        rendezvous::{Open, Policy, Restore},
    },
    domain::{backoff::Backoff, directory::published::Introduction},
    http::{meeting::Meeting, site::Site},
    settings::Settings,
};

/// How long to wait before it is tried again to open the door.
const LEAST: Duration = Duration::from_millis(500);
const MOST: Duration = Duration::from_secs(30);

/// What the operator has decided.
pub(super) fn policy(settings: &Settings) -> Policy {
    let section = &settings.rendezvous;
    Policy { rules: section.rules(&settings.limits), nul: section.nul, share: section.share }
}

/// Lists whom operators have registered before, and lets people in at the door: the one that is bound, or else the one
/// that the settings want. A home is served without this door rather than not at all, so one that cannot be bound yet is
/// tried until it can.
pub(super) fn open(bound: Option<TcpListener>, kept: Vec<Introduction>, site: &Arc<Site>) {
    site.house.rendezvous.do_send(Restore(kept));
    let Some(wanted) = site.settings.rendezvous.listen.0 else { return };
    match bound.map_or_else(|| listen(wanted), Ok) {
        Ok(listener) => let_in(listener, wanted, site),
        Err(error) => {
            shut(wanted, &error, site);
            actix_rt::spawn(keep_trying(wanted, Arc::clone(site)));
        }
    }
}

fn let_in(listener: TcpListener, wanted: SocketAddr, site: &Arc<Site>) {
    site.meeting.set(Meeting::Open(listener.local_addr().unwrap_or(wanted)));
    site.house.rendezvous.do_send(Open { listener, house: Arc::clone(&site.house) });
}

fn shut(wanted: SocketAddr, error: &StartupError, site: &Site) {
    tracing::error!(%error, "this node serves without the door of the rendezvous; it is tried again");
    site.meeting.set(Meeting::Shut { wanted, why: error.to_string().into() });
}

async fn keep_trying(wanted: SocketAddr, site: Arc<Site>) {
    let mut backoff = Backoff::new(LEAST, MOST);
    loop {
        sleep(backoff.wait(u16::from_ne_bytes(chance::bytes()))).await;
        if site.house.is_draining() {
            return;
        }
        match listen(wanted) {
            Ok(listener) => {
                tracing::info!(%wanted, "the door of the rendezvous is open at last");
                return let_in(listener, wanted, &site);
            }
            Err(error) => shut(wanted, &error, &site),
        }
    }
}
