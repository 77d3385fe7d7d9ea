//! The neighbourhood as a simulation: 3 to 30 servers with their members under one seeded network.
//!
//! Each server is made of the very parts that the product is made of (the switchboard, the life of each
//! neighbour, a session at both ends of every socket, the printing press); only sockets, threads and RSA
//! are played. A seed decides everything: who dials whom when, what the network does to it, who joins,
//! moves and writes. `invariants` holds what must be true in every one of them.
//!
//! `succession` is a world of its own: the nodes of one home, of which one serves.
//!
//! ```sh
//! cargo test --test simulation --no-default-features                        # some hundred seeds
//! KITH_SIMULATION_SEEDS=100000 cargo test --release --test simulation seeds  # or a range: 5000..9000
//! KITH_SIMULATION_SEED=123 cargo test --test simulation seeds -- --nocapture  # one, told step by step
//! ```

mod broken;
mod faults;
mod harvest;
mod invariants;
mod keys;
mod liar;
mod member;
mod moderated;
mod net;
mod node;
mod nodes;
mod rendezvous;
mod rooms;
mod scenarios;
mod seeds;
mod settled;
mod socp;
mod succession;
mod world;
mod written;
