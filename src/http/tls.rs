//! TLS for the main door, with certificates that can be renewed without a restart.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read or holds something else.
    #[error("{path}: {problem}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key do not make a pair, or TLS cannot be set up.
    #[error("the certificate cannot be used: {0}")]
    Unusable(rustls::Error),
}

/// A certificate in use, and where it came from.
#[derive(Clone, Debug)]
pub struct Tls {
    current: Arc<Current>,
    certificate: PathBuf,
    key: PathBuf,
    acceptor: Acceptor,
}

#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Acceptor")
    }
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads a certificate chain and its key.
    ///
    /// # Errors
    /// A file is missing or wrong, or the two do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(read(certificate, key)?)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        let acceptor = Acceptor(TlsAcceptor::from(Arc::new(config)));
        Ok(Self { current, certificate: certificate.to_owned(), key: key.to_owned(), acceptor })
    }

    /// Reads the files again. New connections see the new certificate; if it cannot be used, the old
    /// one stays.
    ///
    /// # Errors
    /// As [`Tls::open`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = read(&self.certificate, &self.key)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Shakes hands with a client.
    ///
    /// # Errors
    /// The client speaks no TLS that we accept.
    pub async fn accept(
        &self,
        stream: tokio::net::TcpStream,
    ) -> io::Result<tokio_rustls::server::TlsStream<tokio::net::TcpStream>> {
        self.acceptor.0.accept(stream).await
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let wrong = |path: &Path, problem: &dyn std::fmt::Display| TlsError::File {
        path: path.to_owned(),
        problem: problem.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"there is no certificate in this file"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
        .map(Arc::new)
        .map_err(TlsError::Unusable)
}
