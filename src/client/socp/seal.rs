//! Bytes closed with RSA-OAEP and nothing else, as the protocol wants it: block behind block.

use crate::{
    client::event::SayError,
    crypto::{
        keys::PublicKey,
        sealing::{Opener, SealError, seal_block},
    },
    dialect::socp::{KEY_BITS, binary},
};

/// The length of a sealed block.
const BLOCK: usize = KEY_BITS as usize / 8;
/// What a block holds: the rest is two digests and two bytes.
pub(super) const ROOM: usize = BLOCK - 66;
/// Blocks of one letter. Each costs its reader an operation with a private key.
const MOST_BLOCKS: usize = 64;

/// Closes bytes, in as many blocks as it takes.
pub(super) fn seal(plain: &[u8], key: &PublicKey) -> Result<String, SayError> {
    if plain.len() > MOST_BLOCKS * ROOM {
        return Err(SayError::TooLong);
    }
    let sealed = if plain.is_empty() {
        seal_block(plain, key)?
    } else {
        plain.chunks(ROOM).map(|part| seal_block(part, key)).collect::<Result<Vec<_>, SealError>>()?.concat()
    };
    Ok(binary::encode(&sealed, false))
}

/// Opens what was closed for us; nothing if it was not.
pub(super) fn open(ciphertext: &str, opener: &Opener) -> Option<Vec<u8>> {
    // More than base64 needs for so many bytes.
    if ciphertext.len() > MOST_BLOCKS * BLOCK * 3 / 2 {
        return None;
    }
    let sealed = binary::decode(ciphertext)?;
    let is_whole = !sealed.is_empty() && sealed.len().is_multiple_of(BLOCK);
    if !is_whole || sealed.len() > MOST_BLOCKS * BLOCK {
        return None;
    }
    let mut plain = Vec::with_capacity(sealed.len());
    for block in sealed.chunks(BLOCK) {
        plain.extend_from_slice(&opener.open_block(block)?);
    }
    Some(plain)
}
