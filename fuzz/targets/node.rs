//! Two nodes, and somebody between them who cuts, holds, changes and adds bytes and time: no panic, and nobody who is sealed
//! hears a word that the other one has not said.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    kith::client::node::fuzzed::play(data);
});
