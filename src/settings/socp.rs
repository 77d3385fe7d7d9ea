//! The section `socp`, and the file that it names: the servers through which to join a mesh.
//!
//! The file has the form that the protocol gives it. What a key or an accent means is decided on floors above.

use std::fs;
use std::path::{Path, PathBuf};

use config::{ConfigError, File, FileFormat, Source as _, Value};
use serde::{Deserialize, Serialize};

use super::error::SettingsError;

/// The only key of the file.
const LIST: &str = "bootstrap_servers";

/// The section `socp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Socp {
    /// The file of introducers; empty means none.
    pub bootstrap: PathBuf,
    /// Whether servers that dial us are written to as they are recognised to write.
    pub detect_accents: bool,
}

/// A server through which to join a mesh.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introducer {
    /// A name or an IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its key, in any spelling.
    pub pubkey: String,
    /// The path of its door, if that is not the root.
    #[serde(default)]
    pub path: String,
    /// How it deviates from the protocol.
    #[serde(default)]
    pub accent: Option<String>,
}

impl Introducer {
    /// Where it is dialled.
    #[must_use]
    pub fn url(&self) -> String {
        let host = self.host.trim_matches(['[', ']']);
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let path = self.path.trim_start_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        format!("ws://{host}:{}{slash}{path}", self.port)
    }
}

impl Socp {
    /// The servers through which to join, in the order of the file; none, if no file is named.
    ///
    /// # Errors
    /// The file cannot be read, or says something else than it should.
    pub fn introducers(&self) -> Result<Vec<Introducer>, SettingsError> {
        let path = &self.bootstrap;
        if path.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(path)
            .map_err(|error| SettingsError::Bootstrap { path: path.clone(), problem: error.to_string() })?;
        introducers(&text, path)
    }
}

fn introducers(text: &str, path: &Path) -> Result<Vec<Introducer>, SettingsError> {
    let failed = |problem: String| SettingsError::Bootstrap { path: path.to_owned(), problem };
    let unreadable = |error: ConfigError| match error {
        ConfigError::FileParse { cause, .. } => failed(format!("it is no yaml: {cause}")),
        other => failed(other.to_string()),
    };
    let mut table = File::from_str(text, FileFormat::Yaml).collect().map_err(unreadable)?;
    let list = table.remove(LIST).ok_or_else(|| failed(format!("it has no list {LIST}")))?;
    if let Some(key) = table.keys().min() {
        return Err(failed(format!("it may hold {LIST} and nothing else, but not {key:?}")));
    }
    let list = list.into_array().map_err(|_| failed(format!("{LIST} must be a list")))?;
    if list.is_empty() {
        return Err(failed(format!("{LIST} needs at least one entry")));
    }
    let mut found: Vec<Introducer> = Vec::with_capacity(list.len());
    for (number, entry) in (1..).zip(list) {
        let wrong = |problem: String| failed(format!("entry {number}: {problem}"));
        let entry = introducer(entry).map_err(wrong)?;
        if let Some(before) = (1..).zip(&found).find(|(_, other)| other.url() == entry.url()) {
            return Err(wrong(format!("it is the same door as entry {}", before.0)));
        }
        found.push(entry);
    }
    Ok(found)
}

fn introducer(entry: Value) -> Result<Introducer, String> {
    let entry: Introducer = entry.try_deserialize().map_err(|error| match error {
        ConfigError::Message(text) => text,
        ConfigError::Type { unexpected, expected, key, .. } => {
            let key = key.map(|key| format!("{key} ")).unwrap_or_default();
            format!("{key}is {unexpected}, but must be {expected}")
        }
        other => other.to_string(),
    })?;
    if entry.port == 0 {
        return Err("port must be a number from 1 to 65535".to_owned());
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Introducer>, String> {
        introducers(text, Path::new("mesh.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_list_is_read_as_the_protocol_gives_it_and_with_what_we_add() {
        let json =
            r#"{"bootstrap_servers": [{"host": "a.example", "port": 1, "pubkey": "x", "path": "chat/"}]}"#;
        let block = "bootstrap_servers:\n  - host: '::1'\n    port: '80'\n    path: /chat\n    accent: g29\n    \
                     pubkey: |\n      -----BEGIN\n      x\n";
        let plain = "bootstrap_servers:\n  - host: 192.0.2.1\n    port: 9101\n    pubkey: MIIC\n";
        let urls = |text| read(text).map(|list| list.iter().map(Introducer::url).collect::<Vec<_>>());
        assert_eq!(urls(plain), Ok(vec!["ws://192.0.2.1:9101".to_owned()]));
        assert_eq!(urls(json), Ok(vec!["ws://a.example:1/chat/".to_owned()]));
        assert_eq!(urls(block), Ok(vec!["ws://[::1]:80/chat".to_owned()]));
        let entry = read(block).expect("a list").remove(0);
        assert_eq!((entry.pubkey.as_str(), entry.accent.as_deref()), ("-----BEGIN\nx\n", Some("g29")));
    }

    #[test]
    fn whatever_is_wrong_is_named_with_the_file_and_the_entry() {
        let fine = "{host: a, port: 1, pubkey: x}";
        for (text, words) in [
            ("bootstrap_servers: [", &["mesh.yaml", "no yaml"][..]),
            ("", &["mesh.yaml", "no list bootstrap_servers"]),
            ("servers: []", &["no list bootstrap_servers"]),
            ("bootstrap_servers: 5", &["must be a list"]),
            ("bootstrap_servers: []", &["at least one entry"]),
            (&format!("bootstrap_servers: [{fine}]\nmore: 1"), &["nothing else", "more"]),
            (&format!("bootstrap_servers: [{fine}, 5]"), &["entry 2"]),
            (&format!("bootstrap_servers: [{fine}, {{host: b, port: 1}}]"), &["entry 2", "pubkey"]),
            (&format!("bootstrap_servers: [{fine}, {fine}]"), &["entry 2", "same door as entry 1"]),
            ("bootstrap_servers: [{host: a, port: 99999, pubkey: x}]", &["entry 1", "99999"]),
            ("bootstrap_servers: [{host: a, port: 0, pubkey: x}]", &["entry 1", "port"]),
            ("bootstrap_servers: [{host: a, prot: 1, pubkey: x}]", &["entry 1", "prot"]),
        ] {
            let complaint = read(text).expect_err(text);
            for word in words {
                assert!(complaint.contains(word), "{text}: {complaint}");
            }
        }
    }

    #[test]
    fn no_file_is_no_error_and_a_missing_one_is() {
        assert_eq!(
            Socp { bootstrap: PathBuf::new(), detect_accents: true }.introducers().expect("nothing"),
            []
        );
        let missing = Socp { bootstrap: "/nowhere/mesh.yaml".into(), detect_accents: true }
            .introducers()
            .expect_err("a file");
        assert!(missing.to_string().contains("/nowhere/mesh.yaml"), "{missing}");
    }
}
