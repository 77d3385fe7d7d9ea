//! What a server says about the key of the public channel, for members of ours who come later.

use super::session::{Session, State, Then, Weighed};
use crate::{
    dialect::{
        event::Output,
        socp::{channel, envelope::Envelope, kind::Kind, sign::Way},
    },
    domain::{id::HomeId, letter::Frame},
};

impl Session {
    /// A frame that the server has signed goes to everybody who is here. What is wrapped in it is kept, too; of a
    /// share only if whoever has wrapped it has signed that.
    pub(super) fn hand_out(&mut self, home: HomeId, frame: &Frame, out: &mut Vec<Output>) {
        let Some(wraps) = channel::read(frame) else { return };
        let envelope = frame.text().and_then(|text| Envelope::read(text).ok());
        let Some(share) = envelope.filter(|envelope| envelope.known() == Some(Kind::PublicChannelKeyShare))
        else {
            return out.push(Output::Wraps(wraps));
        };
        let Some(check) = channel::question(&share) else { return };
        // Of contents it does not matter in which way they are signed.
        let ways = vec![Way::default(); check.question.texts.len()];
        let kind = share.kind.to_string();
        out.push(Output::Check(check));
        let weighed = Weighed { kind, ways, then: Then::Keep(wraps), or: None };
        self.state = State::Weighing(home, Box::new(weighed));
    }
}
