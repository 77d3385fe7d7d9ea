//! Certificates for tests of TLS.

use std::{fs, path::Path};

use rustls::pki_types::CertificateDer;

/// Writes a fresh self-signed certificate and its key.
pub(crate) fn certify(folder: &Path) -> CertificateDer<'static> {
    let fresh = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(folder.join("cert.pem"), fresh.cert.pem()).expect("a file");
    fs::write(folder.join("key.pem"), fresh.signing_key.serialize_pem()).expect("a file");
    fresh.cert.der().clone()
}
