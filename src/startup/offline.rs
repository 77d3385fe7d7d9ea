//! What is needed to keep letters for members who are away, if an operator wants that.

use actix::{Actor as _, Arbiter};

use crate::{
    actors::{keeper::Keeper, registry::OfflineParts, tally::Tally},
    settings::Settings,
    store::{Store, StoreError},
};

/// Starts the keeper with what was kept before. Whoever does not want letters kept wants none lying there.
pub(super) async fn open(
    settings: &Settings,
    store: &Store,
    tally: &Tally,
) -> Result<Option<OfflineParts>, StoreError> {
    if !settings.offline.keep {
        store.forget_offline().await?;
        return Ok(None);
    }
    let held = store.offline().await?;
    let (store, tally, most) = (store.clone(), tally.clone(), settings.limits.offline_total_bytes);
    let keeper = Keeper::start_in_arbiter(&Arbiter::new().handle(), move |_| Keeper::new(store, tally, most));
    Ok(Some(OfflineParts { keeper, held }))
}
