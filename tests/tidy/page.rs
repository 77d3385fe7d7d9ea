//! The chat page: what its files may hold, and that all of them are served.

use crate::source::{Source, line_of};

/// Where the program lists the files of the page.
pub(crate) const LIST: &str = "src/http/page.rs";
const FUNCTION_LINES: usize = 70;
/// How the page names a module that another one will load; and the module that it loads itself.
const PRELOAD: &str = "modulepreload";
const FIRST: &str = "app.js";

/// What would put in markup, or run a text as a program.
const MARKUP: [&str; 9] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "DOMParser",
    "createContextualFragment",
    "setHTMLUnsafe",
    "eval(",
    "new Function",
];

/// Addresses that are none: a name that XML prescribes, and this machine.
const HARMLESS: [&str; 2] = ["http://www.w3.org/2000/svg", "http://127.0.0.1"];

/// A file that does not say what it is for. In a page, that stands right behind its type.
pub(crate) fn no_opening(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let says = if path.ends_with(".html") {
        text.lines().nth(1).is_some_and(|line| line.starts_with("<!--"))
    } else {
        text.starts_with("/*\n * ")
    };
    if says { Vec::new() } else { vec![format!("{path}:1: open with a comment paragraph: what this is for")] }
}

/// Ways in which what somebody wrote could become a part of the page, or a program.
pub(crate) fn markup(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let found = MARKUP.into_iter().flat_map(|name| text.match_indices(name));
    found
        .map(|(at, name)| format!("{path}:{}: {name}: put in text and elements", line_of(text, at)))
        .collect()
}

/// Addresses of others: the page is whole, and asks nobody but its home for anything.
pub(crate) fn strangers(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let mut found = Vec::new();
    for (at, scheme) in ["http://", "https://"].into_iter().flat_map(|scheme| text.match_indices(scheme)) {
        let rest = &text[at..];
        let names_a_host = rest[scheme.len()..].starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if names_a_host && !HARMLESS.iter().any(|harmless| rest.starts_with(harmless)) {
            found.push(format!("{path}:{}: an address of somebody else", line_of(text, at)));
        }
    }
    found
}

/// Blocks that are too long, from the line that opens one to the brace under its first letter. Classes are many
/// functions.
pub(crate) fn long_functions(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let opens = line.ends_with('{') && !line.contains("class ") && !line.trim_start().starts_with('}');
        let depth = indent(line);
        let closes = |other: &&str| indent(other) == depth && other.trim_start().starts_with('}');
        let length = lines[at + 1..].iter().position(closes).map_or(0, |length| length + 2);
        if opens && length > FUNCTION_LINES {
            let line = at + 1;
            found.push(format!("{path}:{line}: {length} lines, at most {FUNCTION_LINES}; name its parts"));
        }
    }
    found
}

/// Files that the program does not list, or that no other file of the page loads; and modules that the page does not
/// name as well, so that a browser asks for all of them at once and not for one after the other.
pub(crate) fn unreachable(list: &str, files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, _) in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if !list.contains(&format!("\"{name}\"")) {
            found.push(format!("{path}: name it in {LIST}, or nobody can load it"));
        }
        let names_it = |other: &str| {
            let mut lines = other.lines().filter(|line| line.contains(&format!("/{name}\"")));
            lines.any(|line| !line.contains(PRELOAD))
        };
        let is_named_early =
            |(_, text): &(String, String)| text.contains(&format!("{PRELOAD}\" href=\"web/{name}\""));
        if name.ends_with(".js") && name != FIRST && !files.iter().any(is_named_early) {
            found.push(format!("{path}: name it in web/index.html as a {PRELOAD}"));
        }
        if name != "index.html" && !files.iter().any(|(other, text)| other != path && names_it(text)) {
            found.push(format!("{path}: no other file of the page loads it"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{long_functions, markup, no_opening, strangers, unreachable};
    use crate::source::Source;

    fn script(text: &str) -> Source<'_> {
        Source { path: "web/a.js", text }
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_for_is_found() {
        for text in ["", "let x;\n/*\n * late */", "// short", "/*\n*/"] {
            assert_eq!(no_opening(script(text)).len(), 1, "{text:?}");
        }
        assert_eq!(no_opening(script("/*\n * Says it.\n */")), Vec::<String>::new());
        let page = |text| no_opening(Source { path: "web/a.html", text }).len();
        assert_eq!((page("<!doctype html>\n<html>"), page("<!doctype html>\n<!--\n")), (1, 0));
    }

    #[test]
    fn markup_and_strangers_are_found() {
        assert_eq!(markup(script("a\nb.innerHTML = c")).len(), 1);
        assert_eq!(markup(script("b.textContent = evaluate(c)")), Vec::<String>::new());
        let found = strangers(script("a\nimport 'https://cdn.example/x.js'"));
        assert_eq!(found, ["web/a.js:2: an address of somebody else"]);
        let own =
            "`https://${host}` 'with https://, or http://127.0.0.1' xmlns=\"http://www.w3.org/2000/svg\"";
        assert_eq!(strangers(script(own)), Vec::<String>::new());
    }

    #[test]
    fn a_long_function_is_found_and_a_class_is_none() {
        let body = |lines: usize| "    x();\n".repeat(lines);
        let method = |lines| format!("class A {{\n  go() {{\n{}  }}\n}}\n", body(lines));
        assert_eq!(long_functions(script(&method(68))), Vec::<String>::new());
        assert_eq!(long_functions(script(&method(69))), ["web/a.js:2: 71 lines, at most 70; name its parts"]);
    }

    #[test]
    fn a_file_that_nobody_can_load_is_found() {
        let files = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let page = ("web/index.html", "src=\"web/app.js\"\n\"modulepreload\" href=\"web/a.js\"");
        let app = ("web/app.js", "from \"./a.js\"");
        let list = "files![\"index.html\", \"app.js\", \"a.js\"]";
        assert_eq!(unreachable(list, &files(&[page, app, ("web/a.js", "")])), Vec::<String>::new());
        assert_eq!(unreachable(list, &files(&[page, app, ("web/b.js", "")])).len(), 3);
        assert_eq!(unreachable(list, &files(&[page, ("web/app.js", ""), ("web/a.js", "")])).len(), 1);
        assert_eq!(unreachable("", &files(&[page])).len(), 1);
    }
}
