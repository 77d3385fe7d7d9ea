//! What the house says over HTTP: the main door with its upgrade to WebSocket, files, and the admin
//! API on a door of its own.

pub mod admin;
pub mod door;
pub mod files;
pub mod filing;
pub mod info;
pub mod logging;
pub mod problem;
pub mod site;
pub mod tls;
pub mod upgrade;
