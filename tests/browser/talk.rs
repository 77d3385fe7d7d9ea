//! Two people with browsers talk, in public and in private.

use crate::{app::App, stage::Stage};

/// The page of a server.
pub(crate) fn page(app: &App) -> String {
    format!("http://{}/", app.listen)
}
