//! Any text as a public key: no panic, and whatever is read is read again from its own spellings.
#![no_main]

use kith::crypto::keys::PublicKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(key) = PublicKey::read(text) {
        assert_eq!(PublicKey::read(&key.canonical_pem()), Ok(key.clone()));
        assert_eq!(PublicKey::read(&key.column_pem()), Ok(key));
    }
});
