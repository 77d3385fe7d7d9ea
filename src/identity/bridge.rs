//! The keys with which the bridge speaks: one key never signs in two protocols, so it has one for each.
//!
//! They belong to the home as its own keys do, but only where the bridge is on, which may be long after the first
//! start. So they are in the database, which every node of the home has, sealed under a key that follows from the home's
//! private key. **Invariant:** they are written down before a word is signed with them.

use std::{path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{IdentityError, read_key};
use crate::{
    crypto::{
        home::HomeSafe,
        keys::{KeyError, PrivateKey},
    },
    store::Store,
};

/// Where earlier programs had them, each node its own.
const OLAF_FILE: &str = "keys/bridge-olaf-2048.pem";
const SOCP_FILE: &str = "keys/bridge-socp-4096.pem";
/// Under which names the database has them.
const OLAF_FACT: &str = "bridge.olaf";
const SOCP_FACT: &str = "bridge.socp";

/// The keys with which the bridge speaks.
#[derive(Clone, Debug)]
pub struct BridgeKeys {
    /// Signs to OLAF members.
    pub olaf: Arc<PrivateKey>,
    /// Signs to SOCP members.
    pub socp: Arc<PrivateKey>,
}

impl BridgeKeys {
    /// Makes new ones, which takes seconds.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { olaf: Arc::new(PrivateKey::generate(2048)?), socp: Arc::new(PrivateKey::generate(4096)?) })
    }

    /// Those of a home: from its database, or from the files of its data folder if that has none yet, or new ones. In any
    /// case they are in the database then.
    ///
    /// # Errors
    /// The database or a file cannot be read or written, or no key can be made.
    pub async fn open(data: &Path, home: &PrivateKey, store: &Store) -> Result<Self, IdentityError> {
        let safe = HomeSafe::of(home).map_err(IdentityError::Bridge)?;
        let read = async |fact, file| match kept(store, &safe, fact).await? {
            Some(key) => Ok::<_, IdentityError>((Some(key), true)),
            None => Ok((read_key(&data.join(file))?, false)),
        };
        let (olaf, has_olaf) = read(OLAF_FACT, OLAF_FILE).await?;
        let (socp, has_socp) = read(SOCP_FACT, SOCP_FILE).await?;
        let olaf = or_new(olaf, 2048).await?;
        let socp = or_new(socp, 4096).await?;
        for (key, fact, is_there) in [(&olaf, OLAF_FACT, has_olaf), (&socp, SOCP_FACT, has_socp)] {
            if !is_there {
                keep(store, &safe, fact, key).await?;
            }
        }
        Ok(Self { olaf: Arc::new(olaf), socp: Arc::new(socp) })
    }
}

/// Makes a key on a thread that may take as long as that takes: this one has other things to do.
async fn or_new(key: Option<PrivateKey>, bits: u32) -> Result<PrivateKey, IdentityError> {
    if let Some(key) = key {
        return Ok(key);
    }
    let made = tokio::task::spawn_blocking(move || PrivateKey::generate(bits)).await;
    made.unwrap_or(Err(KeyError::NotMade)).map_err(IdentityError::Bridge)
}

/// What the database has. What cannot be opened was another home's, and no use to this one.
async fn kept(store: &Store, safe: &HomeSafe, fact: &str) -> Result<Option<PrivateKey>, IdentityError> {
    let Some(text) = store.fact(fact).await? else { return Ok(None) };
    let opened = STANDARD.decode(text).ok().and_then(|sealed| safe.open(fact, sealed));
    let pem = opened.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let key = pem.and_then(|pem| PrivateKey::read(pem).ok());
    if key.is_none() {
        tracing::warn!(fact, "the bridge gets a new key: the one in the database is not of this home");
    }
    Ok(key)
}

async fn keep(store: &Store, safe: &HomeSafe, fact: &str, key: &PrivateKey) -> Result<(), IdentityError> {
    let pem: Zeroizing<String> = key.to_pem();
    let sealed = safe.seal(fact, pem.as_bytes()).map_err(IdentityError::Bridge)?;
    Ok(store.set_fact(fact, &STANDARD.encode(sealed)).await?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::identity::write_secret;

    async fn open(folder: &Path, home: &PrivateKey, store: &Store) -> BridgeKeys {
        BridgeKeys::open(folder, home, store).await.expect("keys")
    }

    #[actix_web::test]
    async fn the_bridge_has_the_keys_of_the_home_wherever_that_is_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let home = PrivateKey::generate(2048).expect("a key");
        let store = Store::open(&first.join("kith.db")).await.expect("a store");
        fs::create_dir_all(second.join("keys")).expect("a folder");
        // What an earlier program made of its own is no longer of use where the home has keys.
        let own = PrivateKey::generate(2048).expect("a key");
        write_secret(&second.join(OLAF_FILE), &own.to_pem()).expect("written");

        let made = open(&first, &home, &store).await;
        let read = open(&second, &home, &store).await;
        assert_eq!(made.olaf.public(), read.olaf.public());
        assert_eq!(made.socp.public(), read.socp.public());
        assert_eq!((made.olaf.public().bits(), made.socp.public().bits()), (2048, 4096));
        let text = store.fact(OLAF_FACT).await.expect("a store").expect("a fact");
        let bytes = STANDARD.decode(text).expect("base64");
        assert!(!bytes.windows(7).any(|part| part == b"PRIVATE"), "it is sealed");
    }

    #[actix_web::test]
    async fn keys_in_files_are_taken_over_and_keys_of_another_home_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("keys")).expect("a folder");
        let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
        let made = BridgeKeys::generate().expect("keys");
        write_secret(&folder.path().join(OLAF_FILE), &made.olaf.to_pem()).expect("written");
        write_secret(&folder.path().join(SOCP_FILE), &made.socp.to_pem()).expect("written");
        let [home, other] = [(); 2].map(|()| PrivateKey::generate(2048).expect("a key"));
        let read = open(folder.path(), &home, &store).await;
        assert_eq!(read.olaf.public(), made.olaf.public());
        assert_eq!(read.socp.public(), made.socp.public());
        fs::remove_dir_all(folder.path().join("keys")).expect("a folder");
        assert_eq!(open(folder.path(), &home, &store).await.socp.public(), made.socp.public());
        assert_ne!(open(folder.path(), &other, &store).await.olaf.public(), made.olaf.public());
    }
}
