//! Users and servers of SOCP that do what reviewers of the protocol planted or found: keys that are too weak,
//! gossip about somebody else's users, frames that are played back or changed, names that are taken away,
//! floods. Each is refused with its code, counted, and disturbs nobody else.

mod bans;
mod floods;
mod gossip;
mod leaving;
mod letters;
mod names;
pub(super) mod stranger;
mod unverified;
mod weak_keys;

use crate::app::App;

/// A house for servers that nobody knows, and for tests that greet it more often than people do.
pub(super) fn house() -> App {
    house_with(&[])
}

/// The same with other settings, too.
fn house_with(settings: &[(&str, &str)]) -> App {
    let own = [("NEIGHBOURHOOD__ADMIT", "anyone"), ("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000")];
    App::with(&[&own, settings].concat())
}
