//! To be written.

/// Opens the admin door.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(
    listener: std::net::TcpListener,
    site: std::sync::Arc<super::site::Site>,
) -> std::io::Result<actix_web::dev::Server> {
    let server = actix_web::HttpServer::new(move || {
        let _ = &site;
        actix_web::App::new()
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}
