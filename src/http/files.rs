//! To be written.

/// The routes of the main door.
pub fn configure(_: &mut actix_web::web::ServiceConfig) {}
