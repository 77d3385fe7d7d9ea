//! What a person reads when the mesh runs: its doors, a picture, and what to type next, spelled as this
//! program was called.

use std::path::Path;

use super::{
    picture::{Lines, ring},
    plan::Plan,
};
use crate::cli::{admin::show, paint::Paint};

/// The people of the example, one for each of the first servers.
const PEOPLE: [&str; 3] = ["anna", "ben", "cleo"];
/// The folder that need not be named.
const USUAL: &str = "mesh";

/// Everything a person should know once the servers run.
pub(super) fn mesh(folder: &Path, plans: &[Plan], paint: Paint) -> String {
    let rows = plans.iter().map(|plan| {
        vec![
            plan.name.clone(),
            format!("ws://{}", plan.main),
            format!("http://{}/docs/", plan.admin),
            plan.data.display().to_string(),
        ]
    });
    let doors = show::table(&["SERVER", "CLIENTS", "ADMIN API", "DATA FOLDER"], rows, "");
    let names: Vec<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    let picture = ring(&names, &Lines::new(), paint);
    let picture = picture.map(|picture| format!("\n\n{picture}")).unwrap_or_default();
    format!("\n{doors}{picture}\n\n{}\n", next(folder, plans))
}

/// The commands to type next.
fn next(folder: &Path, plans: &[Plan]) -> String {
    let kith = program();
    let talk = plans.iter().zip(PEOPLE).map(|(plan, person)| {
        let keyring = folder.join(format!("{person}.json"));
        format!("  {kith} chat ws://{} --keyring {}", plan.main, quoted(&keyring.display().to_string()))
    });
    let mut lines = vec!["Talk, each in a terminal of its own:".to_owned()];
    lines.extend(talk);
    lines.push("Look at the links, break them, mend them:".to_owned());
    let mut deeds = vec!["status"];
    if plans.len() > 1 {
        deeds.extend(["kill 2", "start 2", "cut 1 2", "heal 1 2", "slow 1 2 200ms"]);
    }
    lines.extend(deeds.into_iter().map(|deed| format!("  {}", command(folder, deed))));
    if let Some(first) = plans.first() {
        let data = quoted(&first.data.display().to_string());
        lines.push("Look into one of them:".to_owned());
        lines.push(format!("  {kith} peers list --data {data}"));
    }
    lines.push("Ctrl-C ends all of it.".to_owned());
    lines.join("\n")
}

/// A sub-command of `kith mesh` about a folder, in the very words to type.
pub(super) fn command(folder: &Path, deed: &str) -> String {
    let kith = program();
    if folder == Path::new(USUAL) {
        return format!("{kith} mesh {deed}");
    }
    format!("{kith} mesh {deed} --data {}", quoted(&folder.display().to_string()))
}

/// How this program was called.
fn program() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "kith".to_owned()))
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+:@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_commands_can_be_typed_as_they_stand() {
        let plans: Vec<Plan> = (1..=4)
            .map(|number| Plan::new(Path::new("my mesh"), number, String::new(), 8000, 9000))
            .collect();
        let text = mesh(Path::new("my mesh"), &plans, Paint::NONE);
        let kith = program();
        for line in [
            format!("{kith} chat ws://127.0.0.1:8000 --keyring 'my mesh/anna.json'"),
            format!("{kith} mesh status --data 'my mesh'"),
            format!("{kith} mesh slow 1 2 200ms --data 'my mesh'"),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
        assert_eq!(text.matches("--keyring").count(), 3, "{text}");
        assert!(text.contains("http://127.0.0.1:9000/docs/"), "{text}");
        assert_eq!(command(Path::new("mesh"), "status"), format!("{kith} mesh status"));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
