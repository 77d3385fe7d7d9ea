//! TLS at the main door, and a certificate that changes under a running server.

use std::{fs, sync::Arc, time::Instant};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    app::{App, PATIENCE},
    certificate::certify,
};

async fn dial(app: &App, trusted: &CertificateDer<'static>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(&app.listen).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[actix_web::test]
async fn a_client_talks_under_tls_and_sees_a_renewed_certificate() {
    let files = tempfile::tempdir().expect("a folder");
    let old = certify(files.path());
    let path = |name: &str| files.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let app = App::with(&[("LISTEN__TLS_CERTIFICATE", &certificate), ("LISTEN__TLS_KEY", &key)]);
    let stream = dial(&app, &old).await.expect("TLS");
    let url = format!("wss://localhost:{}/", app.listen.rsplit_once(':').expect("a port").1);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("a WebSocket");
    socket.close(None).await.expect("a close");

    let new = certify(files.path());
    assert!(dial(&app, &new).await.is_err(), "nobody told the server yet");
    app.signal("HUP");
    let deadline = Instant::now() + PATIENCE;
    while dial(&app, &new).await.is_err() {
        assert!(Instant::now() < deadline, "the old certificate stays: {}", app.log());
        tokio::task::yield_now().await;
    }
    assert!(dial(&app, &old).await.is_err(), "the old certificate is gone");

    fs::write(&certificate, "nonsense").expect("a file");
    app.signal("HUP");
    dial(&app, &new).await.expect("a broken file changes nothing");
}

#[test]
fn a_certificate_that_is_none_keeps_the_door_shut() {
    let output = crate::app::kith()
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .env("KITH__SERVER__DATA_DIR", tempfile::tempdir().expect("a folder").path())
        .env("KITH__LISTEN__TLS_CERTIFICATE", "/nowhere/cert.pem")
        .env("KITH__LISTEN__TLS_KEY", "/nowhere/key.pem")
        .output()
        .expect("the program");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("/nowhere/cert.pem"), "{error}");
}

#[test]
fn a_handshake_that_does_not_begin_is_not_waited_for() {
    let files = tempfile::tempdir().expect("a folder");
    certify(files.path());
    let path = |name: &str| files.path().join(name).display().to_string();
    let app = App::with(&[
        ("LISTEN__TLS_CERTIFICATE", &path("cert.pem")),
        ("LISTEN__TLS_KEY", &path("key.pem")),
        ("LIMITS__REQUEST_HEAD_TIMEOUT_S", "1"),
    ]);
    let mut raw = crate::raw::Raw::dial(&app.listen);
    assert!(raw.ends_within(PATIENCE), "half a TLS handshake is waited for without end");
}
