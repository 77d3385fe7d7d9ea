//! The product from outside: the real program, real sockets, the real database.
//!
//! Every test starts a server of its own on free ports with a data folder of its own, and waits for
//! what it expects with a deadline. Nothing here looks inside.

mod admin;
mod api;
mod app;
mod bans;
mod certificate;
mod chat;
mod chat_introductions;
mod chat_rooms;
mod chat_socp;
mod chat_tpacket;
mod client;
mod endings;
mod files;
mod handover;
mod hostile;
mod life;
mod limits;
mod mesh;
mod neighbourhood;
mod neighbourhood_api;
mod node;
mod offline;
mod peers;
mod person;
mod presence;
mod proxies;
mod raw;
mod rendezvous;
mod rooms;
mod socp;
mod store;
mod succession;
mod tls;
mod tpacket;
mod voices;
mod web;
mod websocket;
