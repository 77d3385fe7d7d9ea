//! The rendezvous: its door, if the settings want one, and its rules.

use std::{net::TcpListener, sync::Arc};

use crate::{
    actors::{
        house::House,
        rendezvous::{Open, Policy, Restore},
    },
    domain::directory::published::Introduction,
    settings::Settings,
};

/// What the operator has decided.
pub(super) fn policy(settings: &Settings) -> Policy {
    let section = &settings.rendezvous;
    Policy { rules: section.rules(&settings.limits), nul: section.nul, share: section.share }
}

/// Lists whom operators have registered before, and lets people in at the door.
pub(super) fn open(door: Option<TcpListener>, kept: Vec<Introduction>, house: &Arc<House>) {
    house.rendezvous.do_send(Restore(kept));
    if let Some(listener) = door {
        house.rendezvous.do_send(Open { listener, house: Arc::clone(house) });
    }
}
