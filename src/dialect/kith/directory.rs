//! What neighbours tell each other about their directories: who has registered where, all of it each time.

use serde::{Deserialize, Serialize};

use super::wire::{Malformed, encode, kind};
use crate::domain::{directory::listed::Listed, id::KeyId, letter::Frame};

#[derive(Serialize, Deserialize)]
struct EntryWire<'a> {
    seq: u64,
    at: &'a str,
    undialable: bool,
    member: Option<[u8; 32]>,
}

/// The message that names these entries, which are the sender's own.
#[must_use]
pub fn frame(entries: &[Listed]) -> Frame {
    let places: Vec<_> = entries.iter().map(|listed| listed.at.to_string()).collect();
    let entries = entries.iter().zip(&places).map(|(listed, at)| EntryWire {
        seq: listed.seq,
        at,
        undialable: listed.undialable,
        member: listed.member.map(|KeyId(member)| member),
    });
    Frame::Binary(encode(kind::DIRECTORY, &entries.collect::<Vec<_>>()))
}

/// What a neighbour says, without its first byte. Whose entries they are is known from the link.
///
/// # Errors
/// Its fields are wrong.
pub fn read(body: &[u8]) -> Result<Vec<Listed>, Malformed> {
    let (entries, _): (Vec<EntryWire<'_>>, _) = postcard::take_from_bytes(body).map_err(|_| Malformed)?;
    let entries = entries.into_iter().map(|wire| {
        Ok(Listed {
            seq: wire.seq,
            at: wire.at.parse().map_err(|_| Malformed)?,
            undialable: wire.undialable,
            relayed: false,
            home: None,
            member: wire.member.map(KeyId),
        })
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(seq: u64, at: &str) -> Listed {
        let at = at.parse().expect("an address");
        let member = Some(KeyId([7; 32]));
        Listed { seq, at, undialable: true, relayed: false, home: None, member }
    }

    #[test]
    fn entries_read_back_and_bytes_behind_them_are_ignored() {
        let entries = vec![listed(5, "192.0.2.1:5"), Listed { member: None, ..listed(6, "[2001:db8::1]:6") }];
        let Frame::Binary(bytes) = frame(&entries) else { panic!("binary") };
        let (kind, body) = bytes.split_first().expect("a kind");
        assert_eq!((*kind, read(body)), (112, Ok(entries.clone())));
        assert_eq!(read(&[body, b"and more"].concat()), Ok(entries));
        for cut in 0..body.len() {
            assert_eq!(read(&body[..cut]), Err(Malformed), "{cut}");
        }
    }

    #[test]
    fn one_address_that_is_none_spoils_the_message() {
        let wire = vec![EntryWire { seq: 1, at: "localhost:5", undialable: false, member: None }];
        let bytes = encode(kind::DIRECTORY, &wire);
        assert_eq!(read(&bytes[1..]), Err(Malformed));
    }
}
