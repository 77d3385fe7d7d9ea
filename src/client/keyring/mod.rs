//! The member's key and address book: two files for each dialect, which only their owner can read.
//!
//! The key is made once, at first use, and its file is never written again, so no crash and no second
//! window can damage it. Names and keys that were met lie in a file beside it. A name belongs to a key,
//! never to what a server says: whoever comes with another key comes without the name. Dialects prescribe
//! keys of different sizes, so each has a key of its own, and both lie beside each other.
//! **Invariant:** a secret has mode 0600 before a byte of it is in the file.

mod contacts;
mod file;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::file::{read, unreadable, write_beside};
use super::person::PersonId;
use crate::{
    crypto::keys::{KeyError, PrivateKey},
    dialect::{olaf, socp},
    domain::dialect::Dialect,
};

pub use self::contacts::{Contacts, NameError, SHORTEST_PREFIX, is_prefix};

/// The form of both files.
const VERSION: u32 = 1;
/// The file is JSON with one PEM in it; a larger one is something else.
const LARGEST_KEYRING: u64 = 64 << 10;

/// Why a keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file or folder.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file with something else in it.
    #[error("{} is not a keyring: {why}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Others may read the secret.
    #[error("{path} can be read by others (mode {mode:o}); run: chmod 600 {path}", path = path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is no folder to put it.
    #[error("neither XDG_DATA_HOME nor HOME is set; say --keyring FILE")]
    Homeless,
    /// A key could not be made or is not one for the dialect.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
}

/// One member's key, and what the member calls others.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    key: Arc<PrivateKey>,
    user: Option<Uuid>,
    contacts: Contacts,
}

#[derive(Serialize, Deserialize)]
struct KeyFile<'a> {
    version: u32,
    /// What the owner is called, in a dialect in which people are not called by their keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Uuid>,
    private_key: Cow<'a, str>,
}

impl Keyring {
    /// Reads a keyring, and makes it if there is none.
    ///
    /// # Errors
    /// A file cannot be read or written, is something else, or can be read by others.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        Self::open_for(path, Dialect::Olaf)
    }

    /// The same for another dialect, whose files lie beside.
    ///
    /// # Errors
    /// A file cannot be read or written, is something else, or can be read by others.
    pub fn open_for(path: &Path, dialect: Dialect) -> Result<Self, KeyringError> {
        let path = path_of(path, dialect);
        let (key, user) = match read_key(&path, dialect)? {
            Some(found) => found,
            None => make_key(&path, dialect)?,
        };
        let contacts = Contacts::open(path.with_extension("contacts.json"))?;
        Ok(Self { path, key: Arc::new(key), user, contacts })
    }

    /// Whether a key is there, or must be made.
    #[must_use]
    pub fn is_made(path: &Path, dialect: Dialect) -> bool {
        path_of(path, dialect).exists()
    }

    /// Where a keyring lies if nobody says otherwise.
    ///
    /// # Errors
    /// The environment names no folder.
    pub fn default_path() -> Result<PathBuf, KeyringError> {
        let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
        Ok(data.ok_or(KeyringError::Homeless)?.join("kith").join("keyring.json"))
    }

    /// Where this one lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The member's own key.
    #[must_use]
    pub const fn key(&self) -> &Arc<PrivateKey> {
        &self.key
    }

    /// The member's user id, in a dialect that has them.
    #[must_use]
    pub const fn user(&self) -> Option<Uuid> {
        self.user
    }

    /// The keys of people who are not keys themselves, as they were first met.
    #[must_use]
    pub const fn keys(&self) -> &BTreeMap<PersonId, String> {
        self.contacts.keys()
    }

    /// Which keys were met at which addresses, in a file of its own beside it.
    ///
    /// # Errors
    /// The file cannot be read, or is something else.
    pub fn pins(&self) -> Result<Contacts, KeyringError> {
        Contacts::open(self.path.with_extension("nodes.json"))
    }

    /// The address book beside it.
    #[must_use]
    pub fn into_contacts(self) -> Contacts {
        self.contacts
    }
}

/// Where the file of a dialect lies, by what the member calls the keyring.
fn path_of(path: &Path, dialect: Dialect) -> PathBuf {
    match dialect {
        Dialect::Olaf => path.to_owned(),
        Dialect::Socp => path.with_extension("socp.json"),
        Dialect::Tpacket => path.with_extension("tpacket.json"),
    }
}

const fn bits(dialect: Dialect) -> u32 {
    match dialect {
        // The last one signs nothing.
        Dialect::Olaf | Dialect::Tpacket => olaf::KEY_BITS,
        Dialect::Socp => socp::KEY_BITS,
    }
}

type Found = (PrivateKey, Option<Uuid>);

fn read_key(path: &Path, dialect: Dialect) -> Result<Option<Found>, KeyringError> {
    let Some(text) = read(path, Some(LARGEST_KEYRING))? else { return Ok(None) };
    let file: KeyFile<'_> = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
    if file.version != VERSION {
        return Err(unreadable(path, &format!("it has version {}, not {VERSION}", file.version)));
    }
    if dialect == Dialect::Socp && file.user.is_none() {
        return Err(unreadable(path, &"it names no user"));
    }
    let user = file.user;
    let pem = Zeroizing::new(file.private_key.into_owned());
    let key = PrivateKey::read(&pem).map_err(|error| unreadable(path, &error))?;
    key.public().clone().of_bits(bits(dialect))?;
    Ok(Some((key, user)))
}

fn make_key(path: &Path, dialect: Dialect) -> Result<Found, KeyringError> {
    let failed = |error| KeyringError::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let key = PrivateKey::generate(bits(dialect))?;
    let user = (dialect == Dialect::Socp).then(Uuid::new_v4);
    let pem = key.to_pem();
    let file = KeyFile { version: VERSION, user, private_key: Cow::Borrowed(&pem) };
    let text = Zeroizing::new(serde_json::to_vec_pretty(&file).map_err(|error| unreadable(path, &error))?);
    let temporary = write_beside(path, &text)?;
    // A link, unlike a rename, never replaces: of two first starts at once, one key wins in both.
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => Ok((key, user)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path, dialect)?.ok_or_else(|| failed(error))
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::id::KeyId;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/er/keyring.json");
        let made = Keyring::open(&path).expect("a new keyring").key().public().id();
        assert_eq!(Keyring::open(&path).expect("the same").key().public().id(), made);
        let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let files = fs::read_dir(path.parent().expect("a folder")).expect("a folder").count();
        assert_eq!(files, 1, "no temporary file stays");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        let error = Keyring::open(&path).expect_err("others can read it").to_string();
        assert!(error.contains("can be read by others (mode 640); run: chmod 600 "), "{error}");
    }

    #[test]
    fn names_belong_to_keys_and_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.json");
        let mut keyring = Keyring::open(&path).expect("a keyring");
        let [anna, ben] = [1, 2].map(|byte| PersonId::from(KeyId([byte; 32])));
        let both = [anna.clone(), ben.clone()];
        assert_eq!(keyring.contacts.meet(&both).expect("written"), both);
        assert_eq!(keyring.contacts.meet(&both).expect("written"), []);
        assert_eq!(keyring.contacts.rename(&anna, "Anna").expect("written"), Ok(()));
        assert_eq!(keyring.contacts.rename(&ben, "anna").expect("not written"), Err(NameError::Taken));
        for (name, error) in [
            ("", NameError::Unsuitable),
            ("a b", NameError::Unsuitable),
            ("\u{1b}[2J", NameError::Unsuitable),
            ("beef", NameError::LooksLikeKey),
            ("Public", NameError::Reserved),
        ] {
            assert_eq!(keyring.contacts.rename(&ben, name).expect("not written"), Err(error), "{name:?}");
        }
        let again = Keyring::open(&path).expect("a keyring");
        assert_eq!((again.contacts.name(&anna), again.contacts.named("ANNA")), (Some("Anna"), Some(&anna)));
        assert!(again.contacts.knows(&ben) && again.contacts.name(&ben).is_none());
    }

    #[test]
    fn every_dialect_has_a_key_of_its_own_and_keys_of_others_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.json");
        let olaf = Keyring::open(&path).expect("a keyring");
        assert!(olaf.user().is_none() && !Keyring::is_made(&path, Dialect::Socp));
        let mut socp = Keyring::open_for(&path, Dialect::Socp).expect("a keyring");
        assert_eq!((olaf.key().public().bits(), socp.key().public().bits()), (2048, 4096));
        let anna = PersonId::new("8f14e45f-ceea-4672-9b1a-000000000001");
        socp.contacts.keep(&[(anna.clone(), "first".into())]).expect("written");
        socp.contacts.keep(&[(anna.clone(), "second".into())]).expect("written");
        let again = Keyring::open_for(&path, Dialect::Socp).expect("the same");
        assert_eq!((again.user(), again.keys().get(&anna)), (socp.user(), Some(&"second".to_owned())));
        assert!(again.user().is_some() && again.contacts.is_unique("8f14e45f"));
        assert_eq!(
            socp.contacts.rename(&anna, "8f14e45f-ce").expect("not written"),
            Err(NameError::LooksLikeKey)
        );
    }

    #[test]
    fn what_is_no_keyring_is_named_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.json");
        fs::write(&path, "my notes").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        let error = Keyring::open(&path).expect_err("no keyring").to_string();
        assert!(error.contains("notes.json is not a keyring"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "my notes");
    }
}
