//! The bridge, if the settings want one.

use crate::{
    identity::{BridgeKeys, Identity, IdentityError},
    settings::Settings,
    store::Store,
};

/// What the bridge signs with, where it is on. Nobody else has to wait until such keys are made.
pub(super) async fn keys(
    settings: &Settings,
    identity: &Identity,
    store: &Store,
) -> Result<Option<BridgeKeys>, IdentityError> {
    if !settings.bridge.public {
        return Ok(None);
    }
    Ok(Some(BridgeKeys::open(&settings.server.data_dir, &identity.server, store).await?))
}
