//! A home of 2 to 7 nodes, of which one serves, under everything that goes wrong: delays, losses, cuts in one or both
//! directions, resets, messages that are played back, crashes that lose what was not on disk, machines without power,
//! processes that stand still, disks that fail, clocks that run apart. A seed decides all.
//!
//! What must be true is looked at after every event: no epoch has two leaders, no two nodes serve at the same
//! moment (or, where clocks lie, for no longer than a lease), and a planned hand-over loses nothing that was accepted
//! before. When nothing goes wrong any more, somebody leads within the takeover time, and again when the leader goes; and
//! every letter has arrived exactly once, unless a crash has cost a note of it. `seeds::MET` is what must have
//! happened in many seeds, or they would test nothing.

mod copies;
mod faults;
mod letters;
mod machine;
mod numbers;
mod post;
mod promises;
mod scenarios;
mod seeds;
mod watch;
mod wire;
mod world;
