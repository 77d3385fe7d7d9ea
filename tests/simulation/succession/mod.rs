//! A home of 2 to 7 nodes, of which one serves, under everything that goes wrong: delays, losses, cuts in one or both
//! directions, crashes that lose what was not on disk, disks that fail, clocks that run apart. A seed decides all.
//!
//! What must be true is looked at after every event: no epoch has two leaders, no two nodes serve at the same
//! moment, and a planned hand-over loses nothing that was accepted before.

mod copies;
mod faults;
mod letters;
mod machine;
mod post;
mod promises;
mod scenarios;
mod seeds;
mod watch;
mod wire;
mod world;
