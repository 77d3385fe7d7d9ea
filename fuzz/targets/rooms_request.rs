//! Any text of a member as a request about rooms: no panic, and one wish, or one refusal, or none of ours.
#![no_main]

mod house;

use kith::{
    dialect::{
        event::{Input, Output},
        rooms,
    },
    domain::{letter::Frame, rooms::Wish},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let out = house::hears(&mut house::member(), Input::Frame(Frame::Text(text.into())));
    if !rooms::is_ours(text) {
        assert!(!out.iter().any(|output| matches!(output, Output::Room(..))), "{out:?}");
        return;
    }
    match &out[..] {
        [Output::Errand(..)] => {}
        [Output::Room(_, wish)] => {
            assert!(!matches!(wish, Wish::Rename(_) | Wish::Move(_) | Wish::Say(None, _)))
        }
        [Output::Send(refused)] | [Output::Note(_), Output::Send(refused)] => {
            assert!(refused.text().is_some_and(|text| text.contains("refused")), "{refused:?}");
        }
        other => panic!("{other:?}"),
    }
});
