//! Two servers, the first of which dials the second one through a line that can be broken.

use serde_json::Value;

use super::{
    line::{Line, Way},
    place::Place,
};
use crate::app::App;

pub(crate) struct Pair {
    pub(crate) places: [Place; 2],
    pub(crate) line: Line,
    pub(crate) first: App,
    pub(crate) second: App,
}

impl Pair {
    /// Opens both. `known` are the words by which the first one knows the second one, beside its key. Whoever is dialled
    /// does not dial as well, so that each connection is one of the line's.
    pub(crate) async fn open(places: [Place; 2], settings: &[(&str, &str)], known: &str) -> Self {
        let line = Line::to(&places[1]).await;
        let second = places[1].open(settings);
        let peer = format!("{} key={} {known}", line.url(), places[1].key());
        let first = places[0].open(&[&[("NEIGHBOURHOOD__PEERS", peer.as_str())], settings].concat());
        Self { places, line, first, second }
    }

    /// The one neighbour of the first server.
    pub(crate) async fn peer(&self) -> Value {
        self.first.neighbours().await.remove(0)
    }

    /// Breaks the link, and returns once the line was dialled again, with how often it was before.
    pub(crate) async fn redial(&self) -> usize {
        let (peer, count) = (self.peer().await, self.line.count());
        self.line.reset();
        while self.line.count() == count {
            // Asked too early it changes nothing, because the link is still up.
            self.first.retry(&peer).await;
        }
        count
    }

    /// Every step of a handshake of so many messages each way, as the number of bytes that have passed before and in the
    /// middle of it.
    pub(crate) fn steps(&self, messages: usize) -> Vec<(Way, usize)> {
        let mut steps = Vec::new();
        for way in [Way::Up, Way::Down] {
            let mut passed = 0;
            for (_, bytes) in self.line.pieces().into_iter().filter(|(went, _)| *went == way).take(messages) {
                steps.extend([(way, passed), (way, passed + bytes / 2)]);
                passed += bytes;
            }
        }
        steps
    }
}
