//! What others are called on the screen, and who is meant by what is typed.

use crate::{
    client::{
        keyring::{Contacts, is_prefix},
        node::{Manner, Who},
        person::PersonId,
    },
    domain::{endpoint::Endpoint, id::KeyId},
};

/// What somebody is called. A key is a person, but one person may have several nodes.
pub(super) fn name(who: &Who, contacts: &Contacts, me: KeyId, here: &[Who]) -> String {
    match (who.manner, who.at) {
        (Manner::Sealed(key), at) => {
            let same = here.iter().filter(|other| other.manner == who.manner).count();
            let name = key_name(key, contacts);
            match at {
                Ok(at) if key == me || same > 1 => format!("{name} at {at}"),
                _ => name,
            }
        }
        (Manner::Plain, Ok(at)) => at.to_string(),
        (Manner::Plain, Err(from)) => format!("~{from}"),
    }
}

/// What the bearer of a key is called.
pub(super) fn key_name(key: KeyId, contacts: &Contacts) -> String {
    contacts.name(&PersonId::from(key)).map_or_else(|| key.short(), str::to_owned)
}

/// The key of whom is meant by a nickname, or by the beginning of a fingerprint.
pub(super) fn key_of(word: &str, contacts: &Contacts, here: &[Who]) -> Result<KeyId, String> {
    if let Some(key) = contacts.named(word).and_then(PersonId::key) {
        return Ok(key);
    }
    let wanted = word.to_ascii_lowercase();
    let mut keys: Vec<_> = here
        .iter()
        .filter_map(|who| match who.manner {
            Manner::Sealed(key) if is_prefix(word) && key.hex().starts_with(&wanted) => Some(key),
            Manner::Sealed(key) if who.at.is_ok_and(|at| at.to_string() == word) => Some(key),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.as_slice() {
        [key] => Ok(*key),
        [] => Err(format!("nobody here is known as {word}")),
        _ => Err(format!("{word} could be several; write more of the fingerprint")),
    }
}

/// The nodes that are meant: by address, by nickname, or by the beginning of a fingerprint.
pub(super) fn find(word: &str, contacts: &Contacts, here: &[Who]) -> Result<Vec<Who>, String> {
    if let Ok(at) = word.parse::<Endpoint>() {
        let there: Vec<_> = here.iter().filter(|who| who.at == Ok(at)).copied().collect();
        return if there.is_empty() { Err(format!("there is no link to {at}")) } else { Ok(there) };
    }
    let key = key_of(word, contacts, here)?;
    let theirs: Vec<_> = here.iter().filter(|who| who.manner == Manner::Sealed(key)).copied().collect();
    if theirs.is_empty() { Err(format!("{word} is not here")) } else { Ok(theirs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::node::Way;

    #[test]
    fn somebody_is_called_so_that_nobody_else_is_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.json");
        let mut contacts = crate::client::keyring::Keyring::open(&path).expect("a keyring").into_contacts();
        let [me, anna, ben] = [1, 0xab, 3].map(|byte| KeyId([byte; 32]));
        let _ = contacts.rename(&PersonId::from(ben), "Ben").expect("written");
        let at = |port: u16| Endpoint::new([10, 0, 0, 1].into(), port);
        let who = |manner, port| Who { at: Ok(at(port).expect("a port")), manner, way: Way::Direct };
        let stranger = Who { at: Err([10, 0, 0, 9].into()), manner: Manner::Plain, way: Way::Direct };
        let here = [
            who(Manner::Sealed(anna), 1),
            who(Manner::Sealed(ben), 2),
            who(Manner::Sealed(ben), 3),
            who(Manner::Sealed(me), 4),
            who(Manner::Plain, 5),
            stranger,
        ];
        let names: Vec<_> = here.iter().map(|who| name(who, &contacts, me, &here)).collect();
        let wanted = [
            "abababababab",
            "Ben at 10.0.0.1:2",
            "Ben at 10.0.0.1:3",
            "010101010101 at 10.0.0.1:4",
            "10.0.0.1:5",
            "~10.0.0.9",
        ];
        assert_eq!(names, wanted);
        assert_eq!(find("ben", &contacts, &here).map(|found| found.len()), Ok(2));
        assert_eq!(find("ABAB", &contacts, &here).map(|found| found.len()), Ok(1));
        assert_eq!(find("10.0.0.1:5", &contacts, &here), Ok(vec![here[4]]));
        assert_eq!(find("10.0.0.1:9", &contacts, &here), Err("there is no link to 10.0.0.1:9".to_owned()));
        assert_eq!(find("carol", &contacts, &here), Err("nobody here is known as carol".to_owned()));
        assert_eq!(key_of("10.0.0.1:1", &contacts, &here), Ok(anna));
    }
}
