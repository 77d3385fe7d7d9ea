//! Who this server is: its keys and the admin token, in files that only its owner can read.
//!
//! Everything is made at first start and never again. The 2048-bit key is for OLAF, which prescribes
//! that size; the 4096-bit key is the server's own identity. **Invariant:** a secret is written with
//! mode 0600 before a byte of it is in the file, and never printed a second time.

mod bridge;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub use self::bridge::BridgeKeys;
use crate::{
    crypto::{
        keys::{KeyError, PrivateKey},
        sha256,
    },
    store::StoreError,
};

const OLAF_KEY: &str = "keys/olaf-2048.pem";
const SERVER_KEY: &str = "keys/server-4096.pem";
const TOKEN: &str = "admin.token";
const TOKEN_BYTES: usize = 32;

/// Why the identity could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A key file that is no key, or a key that could not be made.
    #[error("{path}: {error}")]
    Key {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        error: KeyError,
    },
    /// Others may read a secret.
    #[error("{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The keys of the bridge could not be made, sealed or opened.
    #[error("the keys of the bridge: {0}")]
    Bridge(KeyError),
    /// The database that has them.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The server's secrets.
#[derive(Debug)]
pub struct Identity {
    /// Signs in OLAF's name.
    pub olaf: Arc<PrivateKey>,
    /// Signs in the server's own name.
    pub server: Arc<PrivateKey>,
    /// What the admin API compares tokens with.
    pub token: TokenHash,
    /// The admin token, if it was made just now and should be shown once.
    pub new_token: Option<Zeroizing<String>>,
}

/// The digest of the admin token. The token itself is not kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Whether this is the token. Takes the same time for every wrong one.
    #[must_use]
    pub fn admits(&self, token: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &sha256(token.as_bytes())).is_ok()
    }
}

impl Identity {
    /// Whether a data folder has keys already.
    #[must_use]
    pub fn exists(data: &Path) -> bool {
        data.join(OLAF_KEY).exists() && data.join(SERVER_KEY).exists()
    }

    /// Reads the identity from a data folder, and makes whatever is missing.
    ///
    /// # Errors
    /// A file cannot be read or written, is no key, or can be read by others.
    pub fn open(data: &Path) -> Result<Self, IdentityError> {
        make_private_folder(data)?;
        make_private_folder(&data.join("keys"))?;
        let olaf = Arc::new(key(data.join(OLAF_KEY), 2048)?);
        let server = Arc::new(key(data.join(SERVER_KEY), 4096)?);
        let path = data.join(TOKEN);
        let (token, is_new) = match read_secret(&path)? {
            Some(text) => (text, false),
            None => (new_token(&path)?, true),
        };
        let hash = TokenHash(sha256(token.trim().as_bytes()));
        Ok(Self { olaf, server, token: hash, new_token: is_new.then_some(token) })
    }
}

/// Where the admin token of a data folder lies.
#[must_use]
pub fn token_path(data: &Path) -> PathBuf {
    data.join(TOKEN)
}

/// The admin token of a data folder, for tools that talk to the server on the same machine.
///
/// # Errors
/// The file cannot be read, or others can read it.
pub fn read_token(data: &Path) -> Result<Option<Zeroizing<String>>, IdentityError> {
    Ok(read_secret(&token_path(data))?.map(|text| Zeroizing::new(text.trim().to_owned())))
}

fn read_key(path: &Path) -> Result<Option<PrivateKey>, IdentityError> {
    let read = |text: Zeroizing<String>| PrivateKey::read(&text);
    let key = read_secret(path)?.map(read).transpose();
    key.map_err(|error| IdentityError::Key { path: path.to_owned(), error })
}

fn key(path: PathBuf, bits: u32) -> Result<PrivateKey, IdentityError> {
    if let Some(key) = read_key(&path)? {
        return Ok(key);
    }
    match PrivateKey::generate(bits) {
        Ok(key) => write_secret(&path, &key.to_pem()).map(|()| key),
        Err(error) => Err(IdentityError::Key { path, error }),
    }
}

fn new_token(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .map_err(|_| IdentityError::Key { path: path.to_owned(), error: KeyError::NotMade })?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
    write_secret(path, &token)?;
    Ok(token)
}

pub(crate) fn make_private_folder(path: &Path) -> Result<(), IdentityError> {
    let failed = |error| IdentityError::File { path: path.to_owned(), error };
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)
}

fn read_secret(path: &Path) -> Result<Option<Zeroizing<String>>, IdentityError> {
    let failed = |error| IdentityError::File { path: path.to_owned(), error };
    let mode = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) => metadata.permissions().mode() & 0o777,
    };
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map(|text| Some(Zeroizing::new(text))).map_err(failed)
}

/// Written beside its place and then moved there, so that a crash leaves no half secret.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), IdentityError> {
    let failed = |error| IdentityError::File { path: path.to_owned(), error };
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let first = Identity::open(&data).expect("a new identity");
        let token = first.new_token.clone().expect("a new token");
        let again = Identity::open(&data).expect("the same identity");
        assert!(again.new_token.is_none());
        assert_eq!(again.olaf.public(), first.olaf.public());
        assert_eq!(again.server.public(), first.server.public());
        assert_eq!((first.olaf.public().bits(), first.server.public().bits()), (2048, 4096));
        assert!(again.token.admits(&token) && !again.token.admits("") && !again.token.admits(&token[1..]));
        for file in [OLAF_KEY, SERVER_KEY, TOKEN] {
            let mode = fs::metadata(data.join(file)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        Identity::open(folder.path()).expect("a new identity");
        let path = folder.path().join(SERVER_KEY);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("permission");
        let error = Identity::open(folder.path()).expect_err("a refusal").to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
