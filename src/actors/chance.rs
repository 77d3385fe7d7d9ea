//! Numbers that nobody can foresee, so that those who failed together do not try again together.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// Some bytes by chance. Without randomness all are zero and everybody waits alike, which is no reason to fail; so
/// nothing that has to be secret comes from here.
#[must_use]
pub fn bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}
