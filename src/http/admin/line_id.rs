//! Ids of lines in cursors and questions.

use crate::domain::{
    id::KeyId,
    rooms::{LineId, Stamp},
};

/// The smallest id behind this one.
pub(super) fn behind(id: LineId) -> Option<LineId> {
    let LineId { stamp, home: KeyId(mut home) } = id;
    for byte in home.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(LineId { stamp, home: KeyId(home) });
        }
    }
    stamp.0.checked_add(1).map(|stamp| LineId { stamp: Stamp(stamp), home: KeyId(home) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_between_an_id_and_the_one_behind_it() {
        let id = |stamp, last| LineId { stamp: Stamp(stamp), home: KeyId([last; 32]) };
        let mut one_more = [7; 32];
        one_more[31] = 8;
        assert_eq!(behind(id(5, 7)), Some(LineId { stamp: Stamp(5), home: KeyId(one_more) }));
        assert_eq!(behind(id(5, 255)), Some(id(6, 0)));
        assert_eq!(behind(id(u64::MAX, 255)), None, "which asks for the newest");
    }
}
