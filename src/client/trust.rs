//! Whose certificates are believed: the system's authorities, and one more if the member names it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// A file that was named as an authority is none.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct TrustError {
    path: PathBuf,
    why: String,
}

/// The settings of TLS for HTTP and WebSocket alike.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn trust(extra: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    // A system without authorities is no problem for plain ws:// or with a private authority; anything
    // else fails with "unknown issuer" and a hint.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra {
        let failed = |why: &dyn std::fmt::Display| TrustError { path: path.to_owned(), why: why.to_string() };
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
            found += 1;
        }
        if found == 0 {
            return Err(failed(&"there is no certificate in it"));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError { path: PathBuf::from("TLS"), why: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_must_be_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        assert!(trust(Some(&path)).is_err(), "there is no such file");
        std::fs::write(&path, "no certificate").expect("a file");
        assert!(trust(Some(&path)).expect_err("nothing in it").to_string().contains("no certificate in it"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(&path, made.cert.pem()).expect("a file");
        assert!(trust(Some(&path)).is_ok());
        assert!(trust(None).is_ok());
    }
}
