//! The floors of the house: imports only run downwards, and the pure floors touch nothing.

use crate::source::{Source, closing, is_word, line_of, mask, words};

/// The floors, lowest first. Rooms that stand side by side share a line.
const FLOORS: [&[&str]; 7] = [
    &["domain"],
    &["crypto", "store", "settings"],
    &["dialect", "identity", "telemetry"],
    &["actors", "client"],
    &["http", "cli"],
    &["startup"],
    &["main"],
];

/// Rooms that may not import their neighbours on the same floor.
const STRANGERS: [&str; 5] = ["crypto", "store", "settings", "actors", "client"];

/// Rooms without sockets, clocks and databases: they may import each other only.
const PURE: [&str; 3] = ["domain", "crypto", "dialect"];

/// What a pure room may not name.
const WORLD: [&str; 7] = ["actix", "tokio", "sqlx", "std::net", "std::fs", "Instant::now", "SystemTime::now"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The room a file of `src` belongs to; `None` for `lib.rs` and for files elsewhere.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split('/').next()?;
    let room = room.strip_suffix(".rs").unwrap_or(room);
    (room != "lib").then_some(room)
}

/// Every arrow that runs upwards, or between neighbours that should not know each other.
pub(crate) fn arrows(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let Some(here) = room(path) else { return Vec::new() };
    let Some(level) = floor(here) else {
        return vec![format!("{path}:1: the room {here:?} has no floor; name it in tests/tidy/floors.rs")];
    };
    let masked = mask(text);
    let mut found = Vec::new();
    for (at, there) in imports(&masked) {
        let Some(target) = floor(&there) else { continue };
        let problem = if target > level {
            "this arrow runs upwards; move what is shared down, or hand it in as a value"
        } else if target == level && there != here && STRANGERS.contains(&here) {
            "these are neighbours on one floor; move what they share to a floor below"
        } else if PURE.contains(&here) && !PURE.contains(&there.as_str()) {
            "a pure room may only import pure rooms; hand the value in"
        } else {
            continue;
        };
        found.push(format!("{path}:{}: {here} imports {there}: {problem}", line_of(text, at)));
    }
    found.extend(words(&masked, "super::super").map(|at| {
        let line = line_of(text, at);
        format!("{path}:{line}: write this path from crate::, so that its floor can be read")
    }));
    found
}

/// The rooms named by paths from the root of the crate, with the place of each.
fn imports(masked: &str) -> Vec<(usize, String)> {
    // `$crate::` in a macro is a path of the macro's home, which is checked there.
    let roots = ["crate::", "kith::"].into_iter().flat_map(|root| {
        words(masked, root).filter(|at| !masked[..*at].ends_with('$')).map(move |at| at + root.len())
    });
    roots.flat_map(|at| heads(masked, at)).collect()
}

/// The first part of every path of a group `{a::b, c::{d, e}}`, or of the one path that begins here.
fn heads(masked: &str, at: usize) -> Vec<(usize, String)> {
    if masked.as_bytes().get(at) != Some(&b'{') {
        let word: String = masked[at..].bytes().take_while(|byte| is_word(*byte)).map(char::from).collect();
        return vec![(at, word)];
    }
    let end = closing(masked, at).unwrap_or(masked.len());
    let (mut found, mut depth, mut fresh) = (Vec::new(), 0_usize, false);
    for (offset, byte) in masked[at..end].bytes().enumerate() {
        match byte {
            b'{' => (depth, fresh) = (depth + 1, true),
            b'}' => depth = depth.saturating_sub(1),
            b',' => fresh = true,
            byte if is_word(byte) && fresh => {
                fresh = false;
                if depth == 1 {
                    found.extend(heads(masked, at + offset));
                }
            }
            _ => {}
        }
    }
    found
}

/// Everything of the world that a pure room names outside of its tests.
pub(crate) fn impurities(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let pure = room(path).is_some_and(|room| PURE.contains(&room));
    if !pure || path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let masked = without_tests(mask(text));
    WORLD
        .into_iter()
        .flat_map(|name| words(&masked, name).map(move |at| (at, name)).collect::<Vec<_>>())
        .map(|(at, name)| {
            let line = line_of(text, at);
            format!("{path}:{line}: {name} does not belong in a pure room; hand the value in")
        })
        .collect()
}

/// Blanks the modules that are built for tests only: a test may read vectors and measure.
fn without_tests(mut masked: String) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut from = 0;
    while let Some(at) = masked[from..].find(MARK).map(|at| from + at) {
        from = at + MARK.len();
        let Some(end) = masked[from..].find(['{', ';']).map(|end| from + end) else { break };
        if masked.as_bytes()[end] == b'{' {
            let end = closing(&masked, end).unwrap_or(masked.len());
            let blank: String =
                masked[at..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            masked.replace_range(at..end, &blank);
            from = end;
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::{arrows, impurities};
    use crate::source::Source;

    fn arrows_of(path: &str, text: &str) -> Vec<String> {
        arrows(Source { path, text })
    }

    #[test]
    fn an_arrow_upwards_is_found_in_every_spelling() {
        for text in [
            "use crate::http::page;",
            "fn f() { crate::http::page() }",
            "use crate::{domain::id, http};",
            "use crate::{\n    domain::{id, limits},\n    http::page,\n};",
            "use kith::http;",
        ] {
            let found = arrows_of("src/actors/registry.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("actors imports http: this arrow runs upwards"), "{found:?}");
        }
        let found = arrows_of("src/domain/id.rs", "//! x\nuse crate::{\n    dialect,\n};");
        assert!(found[0].starts_with("src/domain/id.rs:3: domain imports dialect"), "{found:?}");
    }

    #[test]
    fn neighbours_and_impure_rooms_are_kept_apart() {
        assert_eq!(arrows_of("src/store/mod.rs", "use crate::settings::Settings;").len(), 1);
        assert_eq!(arrows_of("src/client/link.rs", "use crate::actors::lane;").len(), 1);
        assert_eq!(arrows_of("src/dialect/mod.rs", "use crate::store::Store;").len(), 1);
        assert_eq!(arrows_of("src/attic/mod.rs", "").len(), 1);
        assert_eq!(arrows_of("src/domain/a.rs", "use super::super::http;").len(), 1);
    }

    #[test]
    fn arrows_downwards_and_mere_words_pass() {
        for (path, text) in [
            ("src/lib.rs", "pub mod http; use crate::startup;"),
            ("src/main.rs", "use kith::{cli, startup};"),
            ("src/telemetry.rs", "use crate::settings::Log;"),
            ("src/http/mod.rs", "use crate::{actors::registry, domain::{http, cli}};"),
            ("src/domain/mod.rs", "// see crate::http\nconst X: &str = \"crate::http\"; use super::dialect;"),
            ("src/domain/x.rs", "use crate::domain::dialect::Dialect; use mycrate::http;"),
            ("src/crypto/mod.rs", "use crate::crypto::keys; use crate::domain::id;"),
            ("tests/black_box/main.rs", "use kith::http;"),
        ] {
            assert_eq!(arrows_of(path, text), Vec::<String>::new());
        }
    }

    #[test]
    fn a_pure_room_that_touches_the_world_is_found() {
        fn find(path: &str, text: &str) -> Vec<String> {
            impurities(Source { path, text })
        }
        for name in super::WORLD {
            let text = format!("fn f() {{\n    let x = {name};\n}}");
            let found = find("src/dialect/olaf/codec.rs", &text);
            assert!(found.len() == 1 && found[0].starts_with("src/dialect/olaf/codec.rs:2:"), "{found:?}");
        }
        assert_eq!(
            find("src/crypto/a.rs", "use tokio::sync; #[cfg(test)] mod tests {} use sqlx::x;").len(),
            2
        );
        let tested = "// tokio\nfn f() {}\n#[cfg(test)]\nmod tests { use std::fs; fn g() { std::fs::x() } }";
        assert_eq!(find("src/domain/a.rs", tested), Vec::<String>::new());
        assert_eq!(find("src/actors/a.rs", "use tokio::x;"), Vec::<String>::new());
        assert_eq!(find("src/domain/a.rs", "let my_tokio = std::net2;"), Vec::<String>::new());
    }
}
