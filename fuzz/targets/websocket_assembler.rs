//! Any sequence of fragments: no panic, and no message over the limit.
#![no_main]

use actix_http::ws::Item;
use bytes::Bytes;
use kith::actors::websocket::Assembler;
use libfuzzer_sys::fuzz_target;

const LIMIT: u32 = 4096;

fuzz_target!(|pieces: Vec<(u8, Vec<u8>)>| {
    let mut assembler = Assembler::default();
    for (kind, bytes) in pieces {
        let bytes = Bytes::from(bytes);
        let item = match kind % 4 {
            0 => Item::FirstText(bytes),
            1 => Item::FirstBinary(bytes),
            2 => Item::Continue(bytes),
            _ => Item::Last(bytes),
        };
        match assembler.push(item, LIMIT) {
            Ok(Some(frame)) => assert!(u32::try_from(frame.len()).is_ok_and(|length| length <= LIMIT)),
            Ok(None) => {}
            // The connection ends here.
            Err(_) => return,
        }
    }
});
