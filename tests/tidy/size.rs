//! The size of files and functions: what does not fit in a head wants to be two.

use crate::source::{Source, closing, is_word, line_of, mask, words};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// A file of code that is too long.
pub(crate) fn long_file(source: Source<'_>) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines <= FILE_LINES {
        return Vec::new();
    }
    let path = source.path;
    vec![format!("{path}:{}: {lines} lines, at most {FILE_LINES}; split it by subject", FILE_LINES + 1)]
}

/// The functions that are too long, from the word `fn` to the closing brace.
pub(crate) fn long_functions(source: Source<'_>) -> Vec<String> {
    let Source { path, text } = source;
    functions(text)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES)
        .map(|Function { name, line, lines }| {
            format!("{path}:{line}: fn {name} has {lines} lines, at most {FUNCTION_LINES}; name its parts")
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn functions(text: &str) -> Vec<Function> {
    let masked = mask(text);
    words(&masked, "fn").filter_map(|at| function(&masked, at)).collect()
}

/// The function whose word `fn` stands here; `None` for a type such as `fn(u8)` and for a signature
/// without a body.
fn function(masked: &str, at: usize) -> Option<Function> {
    let after = masked[at + 2..].trim_start();
    let name: String = after.bytes().take_while(|byte| is_word(*byte)).map(char::from).collect();
    if name.is_empty() {
        return None;
    }
    let open = body(masked, at)?;
    let end = closing(masked, open)?;
    let (line, last) = (line_of(masked, at), line_of(masked, end));
    Some(Function { name, line, lines: last - line + 1 })
}

/// The brace that opens the body: the first one outside of round and square brackets.
fn body(masked: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, byte) in masked.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(place),
            b';' | b'}' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{FILE_LINES, FUNCTION_LINES, Function, functions, long_file, long_functions};
    use crate::source::Source;

    /// A function of that many lines, full of braces that do not count.
    fn planted(lines: usize) -> String {
        let trap = "    let x = (\"}\", '}', '\"', r#\"}\"#); // }\n";
        format!("impl X {{\nfn f<'a>(x: [u8; 2]) -> &'a str {{\n{}}}\n}}\n", trap.repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_found_whatever_its_strings_say() {
        let path = "src/a.rs";
        let fitting = planted(FUNCTION_LINES);
        assert_eq!(long_functions(Source { path, text: &fitting }), Vec::<String>::new());
        let long = planted(FUNCTION_LINES + 1);
        let found = long_functions(Source { path, text: &long });
        assert_eq!(found, ["src/a.rs:2: fn f has 71 lines, at most 70; name its parts"]);
    }

    #[test]
    fn every_function_is_counted_once_and_types_and_signatures_never() {
        let text = "trait T {\n    fn none(&self);\n    fn some() {\n        fn inner() {}\n    }\n}\n\
                    type F = fn(u8) -> u8;\nasync fn long(\n    f: impl Fn(u8),\n) where\n    T: X,\n{\n}\n";
        let expected = [("some", 3, 3), ("inner", 4, 1), ("long", 8, 6)];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, line, lines)| Function { name: name.to_owned(), line, lines })
            .collect();
        assert_eq!(functions(text), expected);
    }

    #[test]
    fn a_long_file_is_found() {
        let find = |lines: usize| long_file(Source { path: "web/chat.js", text: &"x\n".repeat(lines) });
        assert_eq!(find(FILE_LINES), Vec::<String>::new());
        assert_eq!(find(FILE_LINES + 1), ["web/chat.js:401: 401 lines, at most 400; split it by subject"]);
    }
}
