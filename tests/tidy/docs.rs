//! What a file says: an opening paragraph, no postponed work, no path of one particular machine.

use crate::source::{Source, line_of, words};

/// A module that does not say what it is.
pub(crate) fn no_opening(source: Source<'_>) -> Vec<String> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first.strip_prefix("//!").is_some_and(|said| !said.trim().is_empty()) {
        return Vec::new();
    }
    let path = source.path;
    vec![format!("{path}:1: open with a `//!` paragraph: what this is, and what it must never do")]
}

/// Work that was put off.
pub(crate) fn postponed(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let marks = ["TODO", "FIXME", "todo!", "unimplemented!"];
    marks
        .into_iter()
        .flat_map(|mark| words(text, mark).map(move |at| (at, mark)).collect::<Vec<_>>())
        .map(|(at, mark)| format!("{path}:{}: {mark}: do it now, or tell it in an issue", line_of(text, at)))
        .collect()
}

/// Paths that exist on one machine only. Put together here, so that this file does not accuse itself.
fn machine_paths() -> [String; 4] {
    ["home", "root", "work", "tmp/wt"].map(|folder| format!("/{folder}/"))
}

/// Absolute paths into somebody's own folders.
pub(crate) fn machine_bound(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let mut found = Vec::new();
    for folder in machine_paths() {
        for (at, _) in text.match_indices(&folder) {
            // Inside a longer path or a URL it is a folder of the same name somewhere else.
            let before = &text[..at];
            let inside = before.ends_with(|last: char| last.is_alphanumeric() || "._-~+}$@".contains(last))
                || (before.ends_with('/') && !before.ends_with("//"));
            if !inside {
                let line = line_of(text, at);
                found.push(format!("{path}:{line}: {folder} exists on one machine only; write it relative"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{machine_bound, machine_paths, no_opening, postponed};
    use crate::source::Source;

    fn source(text: &str) -> Source<'_> {
        Source { path: "src/a.rs", text }
    }

    #[test]
    fn a_module_without_an_opening_paragraph_is_found() {
        for text in ["", "use x;\n//! late", "// not a doc", "//!\n//! empty first line", "/// wrong kind"] {
            assert_eq!(no_opening(source(text)).len(), 1, "{text:?}");
        }
        assert_eq!(no_opening(source("\n//! Says it.\n")), Vec::<String>::new());
    }

    #[test]
    fn postponed_work_is_found() {
        let text = ["x\n// TO", "DO later\nto", "do!()\n// FIX", "ME\nunimpl", "emented!()"].concat();
        let found = postponed(source(&text));
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("src/a.rs:2: "), "{found:?}");
        assert_eq!(postponed(source("let todo = 1; // METODO, todos!")), Vec::<String>::new());
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for folder in machine_paths() {
            for lead in ["", "a\n\"", "path=", "(", "file://"] {
                let text = format!("{lead}{folder}x");
                assert_eq!(machine_bound(source(&text)).len(), 1, "{text}");
            }
            let elsewhere =
                format!("https://example.org{folder}x ./data{folder}x $DIR{folder}x https:/{folder}");
            assert_eq!(machine_bound(source(&elsewhere)), Vec::<String>::new());
        }
        assert_eq!(machine_bound(source("GET /workers /homepage")), Vec::<String>::new());
    }
}
