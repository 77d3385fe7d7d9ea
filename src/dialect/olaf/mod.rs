//! OLAF / Neighbourhood, v1.1 to v1.2, in every accent that is spoken.
//!
//! `wire` is the shape of the messages, `print` the ways of printing JSON that people signed, `accent`
//! what is remembered about one implementation, `session` the client side of a server, `relay` what is sent
//! to clients, and `say` how we write ourselves. The facts behind them are in `docs/olaf-accents.md`.

pub mod accent;
pub mod peer;
pub mod print;
pub mod relay;
pub mod say;
pub mod session;
pub mod wire;

/// The key size that the protocol prescribes.
pub const KEY_BITS: u32 = 2048;
