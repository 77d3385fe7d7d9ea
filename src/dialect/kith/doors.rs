//! Where a home is found that several nodes may serve: its doors, as it tells its neighbours.

use super::wire::{self, Malformed, kind};
use crate::domain::{letter::Frame, peer::PeerLine};

/// Doors that are told and remembered. Homes have few nodes.
pub const MOST_DOORS: usize = 15;
/// The longest door. Names of machines have 253 characters at most.
const LONGEST_DOOR: usize = 300;

/// The message.
#[must_use]
pub fn frame(doors: &[String]) -> Frame {
    Frame::Binary(wire::encode(kind::DOORS, &doors))
}

/// What it says. What is no door is passed over, and so is what is more than may be.
///
/// # Errors
/// The fields are wrong.
pub fn read(body: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut doors: Vec<String> = wire::decode(body)?;
    doors.retain(|door| door.len() <= LONGEST_DOOR && PeerLine::new(door).check().is_ok());
    doors.truncate(MOST_DOORS);
    Ok(doors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(doors: &[&str]) -> Result<Vec<String>, Malformed> {
        let doors: Vec<String> = doors.iter().copied().map(str::to_owned).collect();
        let Frame::Binary(bytes) = frame(&doors) else { panic!("a binary message") };
        assert_eq!(bytes.first(), Some(&kind::DOORS));
        read(bytes.get(1..).unwrap_or_default())
    }

    #[test]
    fn doors_read_back_and_what_is_none_is_passed_over() {
        let long = format!("ws://{}:1", "a".repeat(400));
        let doors =
            ["ws://10.0.0.2:8080", "http://no", "wss://b", "", long.as_str(), "ws://a b", "ws://me@c"];
        assert_eq!(heard(&doors), Ok(vec!["ws://10.0.0.2:8080".to_owned(), "wss://b".to_owned()]));
        assert_eq!(heard(&[]), Ok(Vec::new()));
        assert_eq!(heard(&["ws://a"; 99]).map(|doors| doors.len()), Ok(MOST_DOORS));
        assert_eq!(read(&[9, 9, 9]), Err(Malformed));
    }
}
