//! Any sequence of fragments: no panic, and no message over the limit.
#![no_main]

use actix_http::ws::Item;
use bytes::Bytes;
use kith::actors::websocket::Assembler;
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 4096;

fuzz_target!(|pieces: Vec<(u8, Vec<u8>)>| {
    let mut assembler = Assembler::new(LIMIT);
    for (kind, bytes) in pieces {
        let bytes = Bytes::from(bytes);
        let item = match kind % 4 {
            0 => Item::FirstText(bytes),
            1 => Item::FirstBinary(bytes),
            2 => Item::Continue(bytes),
            _ => Item::Last(bytes),
        };
        match assembler.push(item) {
            Ok(Some(frame)) => assert!(frame.len() <= LIMIT),
            Ok(None) => {}
            // The connection ends here.
            Err(_) => return,
        }
    }
});
