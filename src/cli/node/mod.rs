//! `kith node`: one of many who talk with each other without a server in between.
//!
//! A rendezvous introduces them, of our own kind or of the first one. It works in a terminal and in a pipe. Only `/quit`, the
//! rendezvous' explicit end of the mesh, or a signal ends it, and `--once` the end of its input; a rendezvous that is
//! lost is not missed. What it prints begins so, and scripts may rely on it:
//!
//! ```text
//! * listening at a as <short>           * registered with r          * here: a, b       * nobody else is here
//! * joined: x at a                      * joined: x at a (new key)   * joined: x at a (relayed)
//! * joined: a (plain text)              * joined: ~ip (plain text)   * left: x at a
//! x: text                               a (plain): text              ~ip (plain): text
//! x (private): text                     * in plain text to: a, b
//! - <a> <name or -> <sealed, plain, relayed or away>                 (answers to /list)
//! * the end: the rendezvous has ended the mesh
//! ! whatever went wrong
//! ```
//!
//! `a` is an address, `x` a nickname or the short fingerprint of a key, with the address behind it if several have that key.
//! Who is in plain text has proven nothing, and is called by its address; `~ip` has not even said one that can be its own.

mod args;
mod names;
mod start;
mod talk;
mod told;
mod typed;

pub use args::NodeArgs;
pub use start::run;
