//! The rules of the house that a compiler does not know, as tests. Each check is a function from a
//! path and a text to complaints, and is itself tested on a planted violation, so that it can fail.

mod docs;
mod floors;
mod page;
mod size;
mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use source::Source;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files below the folders, with one of the endings; paths from the root, with slashes.
fn files(folders: &[&str], endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap();
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Everything under version control; without it, in an unpacked archive, what is part of the house.
fn tracked() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    if let Ok(listed) = listed
        && listed.status.success()
    {
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        return names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    }
    files(
        &["src", "settings", "migrations", "tests", "benches", "web"],
        &["rs", "js", "css", "html", "yaml", "sql", "md", "toml"],
    )
}

/// Runs a check over files; fails with all complaints at once.
fn check(paths: &[String], check: impl Fn(Source<'_>) -> Vec<String>) {
    assert!(!paths.is_empty(), "no file was found, so nothing was checked");
    let mut complaints = Vec::new();
    for path in paths {
        // What is not text, and what was deleted but not yet committed, has nothing to say.
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        complaints.extend(check(Source { path, text: &text }));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The endings of the page's files.
const PAGE: &[&str] = &["js", "css", "html", "svg"];

fn rust() -> Vec<String> {
    files(&["src", "tests", "benches"], &["rs"])
}

#[test]
fn arrows_run_downwards() {
    check(&files(&["src"], &["rs"]), floors::arrows);
}

#[test]
fn pure_floors_touch_nothing() {
    check(&files(&["src"], &["rs"]), floors::impurities);
}

#[test]
fn files_fit_in_a_head() {
    check(&files(&["src", "tests", "benches", "web"], &["rs", "js", "css"]), size::long_file);
}

#[test]
fn functions_fit_on_a_screen() {
    check(&rust(), size::long_functions);
}

#[test]
fn every_module_says_what_it_is() {
    check(&rust(), docs::no_opening);
}

#[test]
fn every_file_of_the_page_says_what_it_is_and_fits_on_a_screen() {
    check(&files(&["web"], &["js", "css", "html"]), page::no_opening);
    check(&files(&["web"], &["js"]), page::long_functions);
}

#[test]
fn nothing_on_the_page_can_become_markup_or_comes_from_strangers() {
    check(&files(&["web"], PAGE), page::markup);
    check(&files(&["web"], PAGE), page::strangers);
}

#[test]
fn every_file_of_the_page_can_be_loaded() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let all: Vec<String> =
        fs::read_dir(root().join("web")).unwrap().map(|entry| relative(&entry.unwrap().path())).collect();
    let files: Vec<_> = all.into_iter().map(|path| (path.clone(), read(&path))).collect();
    let complaints = page::unreachable(&read(page::LIST), &files);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn nothing_is_put_off() {
    check(&files(&["src", "web"], &["rs", "js", "css", "html"]), docs::postponed);
}

#[test]
fn nothing_is_bound_to_one_machine() {
    check(&tracked(), docs::machine_bound);
}
