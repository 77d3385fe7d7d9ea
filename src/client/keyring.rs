//! The member's key and address book: two files that only their owner can read.
//!
//! The key is made once, at first use, and its file is never written again, so no crash and no second
//! window can damage it. Names and keys that were met lie in a file beside it. A name belongs to a key,
//! never to what a server says: whoever comes with another key comes without the name.
//! **Invariant:** a secret has mode 0600 before a byte of it is in the file.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    crypto::keys::{KeyError, PrivateKey},
    dialect::olaf::KEY_BITS,
    domain::id::KeyId,
};

/// The form of both files.
const VERSION: u32 = 1;
/// Keys worth remembering. Beyond it newcomers are not written down; names always are.
const MOST_MET: usize = 10_000;
/// The fewest digits of a fingerprint by which somebody can be meant.
pub const SHORTEST_PREFIX: usize = 4;
/// The longest nickname, in letters.
const LONGEST_NAME: usize = 32;
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
    /// A key could not be made or is not one for OLAF.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
}

/// Why somebody cannot be called that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with letters that would confuse the commands.
    #[error("a nickname has 1 to 32 letters, digits, dots, dashes or underscores")]
    Unsuitable,
    /// It could be meant as the beginning of a fingerprint.
    #[error("that nickname looks like the beginning of a fingerprint")]
    LooksLikeKey,
    /// It has a meaning of its own.
    #[error("that word has a meaning of its own here")]
    Reserved,
    /// Somebody else has it.
    #[error("somebody else has that nickname already")]
    Taken,
}

/// Words that commands understand as something else than a person.
const RESERVED: [&str; 4] = ["all", "everyone", "public", "you"];

/// One member's key, and what the member calls others.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    contacts_path: PathBuf,
    key: Arc<PrivateKey>,
    contacts: BTreeMap<KeyId, Option<String>>,
}

#[derive(Serialize, Deserialize)]
struct KeyFile<'a> {
    version: u32,
    private_key: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct ContactsFile {
    version: u32,
    /// Every key that was met, with the nickname it was given.
    members: BTreeMap<String, Option<String>>,
}

impl Keyring {
    /// Reads a keyring, and makes it if there is none.
    ///
    /// # Errors
    /// A file cannot be read or written, is something else, or can be read by others.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        let key = match read_key(path)? {
            Some(key) => key,
            None => make_key(path)?,
        };
        let contacts_path = path.with_extension("contacts.json");
        let contacts = read_contacts(&contacts_path)?;
        Ok(Self { path: path.to_owned(), contacts_path, key: Arc::new(key), contacts })
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

    /// The nickname of a key.
    #[must_use]
    pub fn name(&self, id: KeyId) -> Option<&str> {
        self.contacts.get(&id)?.as_deref()
    }

    /// The key that has a nickname, in whatever case it is written.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<KeyId> {
        let same = |known: &String| known.to_lowercase() == name.to_lowercase();
        self.contacts.iter().find(|(_, known)| known.as_ref().is_some_and(same)).map(|(id, _)| *id)
    }

    /// Gives a key a nickname. A key has one, and a nickname means one key.
    ///
    /// # Errors
    /// The nickname is unsuitable or taken (the outer result), or the file cannot be written.
    pub fn rename(&mut self, id: KeyId, name: &str) -> Result<Result<(), NameError>, KeyringError> {
        if let Err(error) = suitable(name) {
            return Ok(Err(error));
        }
        // Another window may have written in the meantime.
        self.contacts.extend(read_contacts(&self.contacts_path)?);
        if self.named(name).is_some_and(|other| other != id) {
            return Ok(Err(NameError::Taken));
        }
        self.contacts.insert(id, Some(name.to_owned()));
        self.write_contacts().map(Ok)
    }

    /// Remembers keys that were met; says which of them are new.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn meet(&mut self, ids: impl IntoIterator<Item = KeyId>) -> Result<Vec<KeyId>, KeyringError> {
        let new: Vec<_> = ids.into_iter().filter(|id| !self.contacts.contains_key(id)).collect();
        if new.is_empty() {
            return Ok(new);
        }
        self.contacts.extend(read_contacts(&self.contacts_path)?);
        for id in &new {
            if self.contacts.len() < MOST_MET {
                self.contacts.entry(*id).or_default();
            }
        }
        self.write_contacts()?;
        Ok(new)
    }

    fn write_contacts(&self) -> Result<(), KeyringError> {
        let members = self.contacts.iter().map(|(id, name)| (id.hex(), name.clone())).collect();
        let file = ContactsFile { version: VERSION, members };
        let text =
            serde_json::to_vec_pretty(&file).map_err(|error| unreadable(&self.contacts_path, &error))?;
        let temporary = write_beside(&self.contacts_path, &text)?;
        fs::rename(&temporary, &self.contacts_path).map_err(|error| {
            let _ = fs::remove_file(&temporary);
            KeyringError::File { path: self.contacts_path.clone(), error }
        })
    }
}

fn suitable(name: &str) -> Result<(), NameError> {
    let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(fits) {
        return Err(NameError::Unsuitable);
    }
    if name.len() >= SHORTEST_PREFIX && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(NameError::LooksLikeKey);
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) { Err(NameError::Reserved) } else { Ok(()) }
}

fn read_key(path: &Path) -> Result<Option<PrivateKey>, KeyringError> {
    let Some(text) = read(path, Some(LARGEST_KEYRING))? else { return Ok(None) };
    let file: KeyFile<'_> = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
    if file.version != VERSION {
        return Err(unreadable(path, &format!("it has version {}, not {VERSION}", file.version)));
    }
    let pem = Zeroizing::new(file.private_key.into_owned());
    let key = PrivateKey::read(&pem).map_err(|error| unreadable(path, &error))?;
    key.public().clone().of_bits(KEY_BITS)?;
    Ok(Some(key))
}

fn make_key(path: &Path) -> Result<PrivateKey, KeyringError> {
    let failed = |error| KeyringError::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let key = PrivateKey::generate(KEY_BITS)?;
    let pem = key.to_pem();
    let file = KeyFile { version: VERSION, private_key: Cow::Borrowed(&pem) };
    let text = Zeroizing::new(serde_json::to_vec_pretty(&file).map_err(|error| unreadable(path, &error))?);
    let temporary = write_beside(path, &text)?;
    // A link, unlike a rename, never replaces: of two first starts at once, one key wins in both.
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path)?.ok_or_else(|| failed(error))
        }
        Err(error) => Err(failed(error)),
    }
}

fn read_contacts(path: &Path) -> Result<BTreeMap<KeyId, Option<String>>, KeyringError> {
    let Some(text) = read(path, None)? else { return Ok(BTreeMap::new()) };
    let file: ContactsFile = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
    let read = |(id, name): (String, Option<String>)| Some((KeyId::from_hex(&id)?, name));
    Ok(file.members.into_iter().filter_map(read).collect())
}

/// Reads a private file; nothing if there is none.
fn read(path: &Path, most: Option<u64>) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let failed = |error| KeyringError::File { path: path.to_owned(), error };
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyringError::Exposed { path: path.to_owned(), mode });
    }
    if most.is_some_and(|most| metadata.len() > most) {
        return Err(unreadable(path, &"it is too large"));
    }
    fs::read_to_string(path).map(|text| Some(Zeroizing::new(text))).map_err(failed)
}

/// Writes a private file beside another, whole and safe on the disk, and says where.
fn write_beside(path: &Path, text: &[u8]) -> Result<PathBuf, KeyringError> {
    let mut random = [0; 6];
    SystemRandom::new().fill(&mut random).map_err(|_| KeyError::NotMade)?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let temporary = path.with_extension(format!("{random}.new"));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        KeyringError::File { path: temporary.clone(), error }
    })?;
    Ok(temporary)
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> KeyringError {
    KeyringError::Unreadable { path: path.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let [anna, ben] = [KeyId([1; 32]), KeyId([2; 32])];
        assert_eq!(keyring.meet([anna, ben]).expect("written"), [anna, ben]);
        assert_eq!(keyring.meet([anna, ben]).expect("written"), []);
        assert_eq!(keyring.rename(anna, "Anna").expect("written"), Ok(()));
        assert_eq!(keyring.rename(ben, "anna").expect("not written"), Err(NameError::Taken));
        for (name, error) in [
            ("", NameError::Unsuitable),
            ("a b", NameError::Unsuitable),
            ("\u{1b}[2J", NameError::Unsuitable),
            ("beef", NameError::LooksLikeKey),
            ("Public", NameError::Reserved),
        ] {
            assert_eq!(keyring.rename(ben, name).expect("not written"), Err(error), "{name:?}");
        }
        let again = Keyring::open(&path).expect("a keyring");
        assert_eq!((again.name(anna), again.named("ANNA")), (Some("Anna"), Some(anna)));
        assert!(again.contacts.contains_key(&ben) && again.name(ben).is_none());
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
