//! The ids of lines as text: sixteen digits of the stamp, a dash, and the fingerprint of the home.

use crate::domain::{
    id::KeyId,
    rooms::{LineId, Stamp},
};

/// The text of an id.
pub(super) fn print(id: LineId) -> String {
    format!("{:016x}-{}", id.stamp.0, id.home)
}

/// The id of a text.
pub(super) fn read(text: &str) -> Option<LineId> {
    let (stamp, home) = text.split_once('-')?;
    let id = LineId { stamp: Stamp(u64::from_str_radix(stamp, 16).ok()?), home: KeyId::from_hex(home)? };
    // One id has one text.
    (print(id) == text).then_some(id)
}

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

    #[test]
    fn an_id_has_one_text() {
        for stamp in [0, 1, u64::MAX] {
            let id = LineId { stamp: Stamp(stamp), home: KeyId([0xab; 32]) };
            assert_eq!(read(&print(id)), Some(id));
            for wrong in [print(id).to_uppercase(), format!("+{}", print(id)), format!("{} ", print(id))] {
                assert_eq!(read(&wrong), None, "{wrong}");
            }
        }
        for wrong in ["", "-", "0", "0000000000000000-", "0000000000000000-ab"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
