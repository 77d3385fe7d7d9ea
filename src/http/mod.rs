//! What the house says over HTTP: the main door with its upgrade to WebSocket, files, and the admin
//! API on a door of its own.

pub mod admin;
mod cors;
pub mod door;
pub mod files;
pub mod filing;
pub mod home;
pub mod info;
mod keep_out;
pub mod logging;
pub mod meeting;
pub mod page;
pub mod problem;
mod receive;
pub mod site;
pub mod standby;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
mod unread;
pub mod upgrade;
