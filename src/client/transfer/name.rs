//! The name of a downloaded file: a stranger's wish, of which as much is kept as is harmless.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Bytes of a name. Most file systems allow 255; the rest is for " (99)".
const LONGEST: usize = 200;
/// Names that are tried before giving up.
const MOST_COPIES: u32 = 1_000;
const NAMELESS: &str = "download";

/// A name without folders, control characters, or anything that some system reads in its own way.
pub(super) fn harmless(wish: &str) -> String {
    let last = wish.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_kept = |letter: &char| !letter.is_control() && !is_invisible(*letter);
    let kept: String = last
        .chars()
        .filter(is_kept)
        .map(|letter| if "<>:\"|?*".contains(letter) { '_' } else { letter })
        .collect();
    // A leading dot hides a file, a leading dash makes it an option, and dots behind it vanish.
    let name = kept.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' ']);
    if name.is_empty() { NAMELESS.to_owned() } else { shortened(name) }
}

/// Letters that change how the letters around them are shown.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The same with its beginning and its ending.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    let ending = if ending.len() > 20 { "" } else { ending };
    let mut room = LONGEST - ending.len();
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{ending}", &stem[..room])
}

/// Stem and ending, the dot with the ending.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}

/// Makes a new file with that name, or with a number behind it.
pub(super) fn make(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    let (stem, ending) = split(name);
    let names = std::iter::once(name.to_owned())
        .chain((2..=MOST_COPIES).map(|number| format!("{stem} ({number}){ending}")));
    for name in names {
        let path = folder.join(name);
        // "New" also means that no link of that name is followed anywhere.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, path)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_harmful_is_left() {
        for (wish, name) in [
            ("cat.png", "cat.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\windows\\evil.exe", "evil.exe"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\u{1b}[2J\n.txt", "a[2J.txt"),
            ("photo\u{202e}gnp.exe", "photognp.exe"),
            ("what?:*.txt", "what___.txt"),
            ("über uns.pdf", "über uns.pdf"),
            ("", "download"),
            ("..", "download"),
            ("/", "download"),
        ] {
            assert_eq!(harmless(wish), name, "{wish:?}");
        }
        let long = harmless(&format!("{}.tar", "é".repeat(500)));
        assert!(long.len() <= LONGEST && long.ends_with("é.tar"), "{long}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name| make(folder.path(), name).expect("a file").1.file_name().map(ToOwned::to_owned);
        assert_eq!(made("a.txt"), Some("a.txt".into()));
        assert_eq!(made("a.txt"), Some("a (2).txt".into()));
        assert_eq!(made("a.txt"), Some("a (3).txt".into()));
        std::os::unix::fs::symlink("elsewhere", folder.path().join("link")).expect("a link");
        assert_eq!(made("link"), Some("link (2)".into()));
        assert!(!folder.path().join("elsewhere").exists());
    }

    proptest! {
        #[test]
        fn a_name_stays_in_its_folder(wish in any::<String>()) {
            let path = Path::new("folder").join(harmless(&wish));
            prop_assert_eq!(path.parent(), Some(Path::new("folder")));
            prop_assert!(path.file_name().is_some_and(|name| name.len() <= LONGEST));
        }
    }
}
