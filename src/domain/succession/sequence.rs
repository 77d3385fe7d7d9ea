//! Nothing is heard twice: every message of a node has a number, and each number counts once.
//!
//! A number is the run of the sender and its place in that run. Messages may overtake each other a little, because
//! each has a connection of its own; what is further behind than that is refused.

use std::collections::BTreeMap;

use super::NodeId;

/// The number of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence {
    /// How often the sender was started.
    pub run: u64,
    /// Which message of that run it is.
    pub count: u64,
}

/// Nodes whose numbers are remembered. More than a home has, because nodes may be replaced.
const MOST: usize = 64;
/// How far one message may be overtaken.
const WINDOW: u64 = 64;

#[derive(Clone, Copy, Debug)]
struct Seen {
    highest: Sequence,
    /// Bit `n`: the message `n` before the highest was heard.
    recent: u64,
}

/// What was heard from whom.
#[derive(Debug, Default)]
pub struct Sequences(BTreeMap<NodeId, Seen>);

impl Sequences {
    /// Whether this was never heard, as far as anybody remembers; and remembers it. Ask only for what is proven.
    pub fn admit(&mut self, node: NodeId, sequence: Sequence) -> bool {
        let Some(seen) = self.0.get_mut(&node) else {
            if self.0.len() >= MOST {
                return false;
            }
            self.0.insert(node, Seen { highest: sequence, recent: 1 });
            return true;
        };
        if sequence.run != seen.highest.run {
            let is_new = sequence.run > seen.highest.run;
            if is_new {
                *seen = Seen { highest: sequence, recent: 1 };
            }
            return is_new;
        }
        if let Some(ahead) = sequence.count.checked_sub(seen.highest.count).filter(|ahead| *ahead > 0) {
            seen.recent = if ahead < WINDOW { seen.recent << ahead | 1 } else { 1 };
            seen.highest = sequence;
            return true;
        }
        let behind = seen.highest.count - sequence.count;
        let mark = if behind < WINDOW { 1 << behind } else { 0 };
        let is_new = mark != 0 && seen.recent & mark == 0;
        seen.recent |= mark;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(run: u64, count: u64) -> Sequence {
        Sequence { run, count }
    }

    #[test]
    fn each_number_counts_once_in_whatever_order_they_come() {
        let mut seen = Sequences::default();
        let node = NodeId(1);
        for count in [5, 3, 4, 70, 69, 7] {
            assert!(seen.admit(node, at(2, count)), "{count}");
        }
        for count in [5, 3, 4, 70, 69, 7, 6, 0] {
            assert!(!seen.admit(node, at(2, count)), "{count} is old");
        }
        assert!(seen.admit(node, at(2, 68)) && !seen.admit(node, at(2, 68)));
        assert!(!seen.admit(node, at(1, 1000)), "an earlier run");
        assert!(seen.admit(node, at(3, 1)) && !seen.admit(node, at(2, 71)));
        assert!(seen.admit(NodeId(2), at(1, 1)), "another node");
    }

    #[test]
    fn strangers_take_no_more_than_so_much() {
        let mut seen = Sequences::default();
        let admitted = (0..1000).filter(|node| seen.admit(NodeId(*node), at(1, 1))).count();
        assert_eq!(admitted, MOST);
    }
}
