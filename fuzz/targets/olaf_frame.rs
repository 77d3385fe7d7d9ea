//! Any sequence of frames and answers to a session: no panic, and no letter before a proven hello.
//!
//! Frames are separated by line feeds. A line that begins with `+` is the answer that the first text
//! was signed, one with `-` that none was; anything else is a frame, binary behind a `#`.
#![no_main]

mod house;

use bytes::Bytes;
use kith::{
    crypto::signature::Salt,
    dialect::{
        Session,
        event::{Input, Output},
    },
    domain::{dialect::Dialect, id::ConnectionId, letter::Frame},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut session = Session::new(ConnectionId(1), Some(Dialect::Olaf), house::terms(), None);
    let (mut joined, mut over) = (false, false);
    for line in data.split(|byte| *byte == b'\n') {
        let input = match line {
            [b'+', ..] => Input::Checked(Some((0, Salt::Max))),
            [b'-', ..] => Input::Checked(None),
            [b'#', rest @ ..] => Input::Frame(Frame::Binary(Bytes::copy_from_slice(rest))),
            text => Input::Frame(Frame::Text(String::from_utf8_lossy(text).into_owned().into())),
        };
        let out = house::hears(&mut session, input);
        assert!(!over || out.is_empty(), "{out:?}");
        for output in out {
            match output {
                Output::Join(..) => joined = true,
                Output::Route(_) | Output::WantList | Output::Room(..) => assert!(joined),
                Output::Close(_) => over = true,
                // Servers have more to say.
                _ => {}
            }
        }
    }
});
