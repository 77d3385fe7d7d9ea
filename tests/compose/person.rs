//! Somebody with `kith chat` in front of her, on the machine that runs the containers.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use crate::engine::{Engine, PATIENCE};

/// A person, her keyboard and her screen.
pub(crate) struct Person {
    child: Child,
    hand: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
    said: usize,
    /// The short form of her fingerprint, under which the others see her.
    pub(crate) short: String,
}

impl Person {
    /// Connects through a published port.
    pub(crate) fn sit_down(engine: &Engine, program: &Path, door: &str, folder: &Path, name: &str) -> Self {
        let mut child = engine
            .beside(program)
            .args(["chat", door, "--keyring"])
            .arg(folder.join(format!("{name}.json")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program");
        let (sender, lines) = channel();
        let screen = BufReader::new(child.stdout.take().expect("a screen"));
        thread::spawn(move || screen.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let hand = child.stdin.take();
        let mut person = Self { child, hand, lines, seen: Vec::new(), said: 0, short: String::new() };
        let line = person.reads("* connected to");
        person.short = line.rsplit(' ').next().expect("a fingerprint").to_owned();
        person
    }

    pub(crate) fn types(&mut self, line: &str) {
        let hand = self.hand.as_mut().expect("a hand");
        writeln!(hand, "{line}").expect("a line");
    }

    /// Says something to everybody that was not said before, and returns it.
    pub(crate) fn says_something(&mut self) -> String {
        self.said += 1;
        let line = format!("this is number {} of {}.", self.said, self.short);
        self.types(&line);
        line
    }

    /// Waits for a line that contains some text.
    pub(crate) fn reads(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("{text:?} is not to be read in:\n{}", self.seen.join("\n"))
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until all of them are in her list.
    pub(crate) fn sees(&mut self, shorts: &[String]) {
        self.looks_until(|list| shorts.iter().all(|short| list.iter().any(|line| line.contains(short))));
    }

    /// Waits until somebody is not in her list.
    pub(crate) fn sees_without(&mut self, other: &Self) {
        self.looks_until(|list| !list.iter().any(|line| line.contains(&other.short)));
    }

    fn looks_until(&mut self, wish: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let from = self.seen.len();
            self.types("/list");
            // Answered after the list, so it marks the end of it.
            self.types("/whoami");
            self.reads("* fingerprint");
            let list: Vec<String> =
                self.seen[from..].iter().filter(|line| line.starts_with("- ")).cloned().collect();
            if wish(&list) {
                return;
            }
            assert!(Instant::now() < deadline, "her list stays\n{}", self.seen.join("\n"));
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Lets go of the keyboard and returns everything that she read.
    pub(crate) fn leaves(mut self) -> String {
        drop(self.hand.take());
        let status = self.child.wait().expect("an end");
        self.seen.extend(self.lines.iter());
        let seen = self.seen.join("\n");
        assert!(status.success(), "{status}\n{seen}");
        seen
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
