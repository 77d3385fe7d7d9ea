//! The servers through which to join a SOCP mesh, as neighbours.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::members;
use crate::{
    dialect::socp::key,
    domain::{
        book::Entry,
        peer::{LinkDialect, PeerLine, Source},
    },
    settings::{Introducer, SettingsError, Socp},
};

/// The neighbours that the file of introducers names, each held to its key.
///
/// # Errors
/// The file cannot be read, or an entry in it cannot be a neighbour.
pub fn introducers(section: &Socp) -> Result<Vec<(PeerLine, Entry)>, SettingsError> {
    let understood = |(number, introducer): (usize, Introducer)| {
        understand(&introducer).map_err(|problem| SettingsError::Bootstrap {
            path: section.bootstrap.clone(),
            problem: format!("entry {number}: {problem}"),
        })
    };
    (1..).zip(section.introducers()?).map(understood).collect()
}

fn understand(introducer: &Introducer) -> Result<(PeerLine, Entry), String> {
    let (key, _) = key::read(introducer.pubkey.trim())
        .map_err(|_| "pubkey is no RSA key of 4096 bits with the exponent 65537, in any spelling")?;
    let line = PeerLine {
        key: Some(STANDARD.encode(key.spki())),
        dialect: Some(LinkDialect::Socp),
        accent: introducer.accent.clone(),
        ..PeerLine::new(&introducer.url())
    };
    line.check().map_err(|error| error.to_string())?;
    let entry = members::entry(&line, Source::Settings)?;
    Ok((line, entry))
}
