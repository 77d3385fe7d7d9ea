//! One thing to say to many, printed once for each way of hearing it.

use crate::{dialect::Ear, domain::letter::Frame};

/// What was printed so far. Few ears are ever in one house, so a short list beats a map.
#[derive(Debug, Default)]
pub(super) struct Pressed(Vec<(Ear, Option<Frame>)>);

impl Pressed {
    /// The frame for an ear, if it can be said there.
    pub(super) fn hear(&mut self, ear: Ear, print: impl FnOnce() -> Option<Frame>) -> Option<Frame> {
        if let Some((_, frame)) = self.0.iter().find(|(known, _)| *known == ear) {
            return frame.clone();
        }
        let frame = print();
        self.0.push((ear, frame.clone()));
        frame
    }
}
