//! Somebody with `kith chat`, or another program for terminals, in front of her: pipes instead of hands and eyes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use crate::app::{App, PATIENCE, kith};

/// Somebody with a terminal of her own.
pub(crate) struct Person {
    child: Child,
    hand: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
    /// The first digits of her fingerprint, under which others know her.
    pub(crate) short: String,
    /// The line that says so.
    pub(crate) greeting: String,
}

impl Person {
    /// Sits down at a server; the keyring lies in the folder.
    pub(crate) fn sit_down(app: &App, folder: &Path, name: &str) -> Self {
        Self::at(&format!("ws://{}", app.listen), folder, name)
    }

    /// The same at a door.
    pub(crate) fn at(url: &str, folder: &Path, name: &str) -> Self {
        Self::speaking(&[], url, folder, name)
    }

    /// The same with more words on the command line.
    pub(crate) fn speaking(words: &[&str], url: &str, folder: &Path, name: &str) -> Self {
        let keyring = folder.join(format!("{name}.json"));
        let mut command = kith();
        command.arg("chat").args(words).arg(url).arg("--keyring").arg(&keyring);
        command.arg("--downloads").arg(folder.join(format!("{name}-downloads")));
        Self::running(command, "* connected to")
    }

    /// Runs a program of which one line, with this text in it, ends with what she is called.
    pub(crate) fn running(mut command: Command, greeting: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program");
        let (sender, lines) = channel();
        let screen = BufReader::new(child.stdout.take().expect("a screen"));
        thread::spawn(move || screen.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let hand = child.stdin.take();
        let (short, first) = (String::new(), String::new());
        let mut person = Self { child, hand, lines, seen: Vec::new(), short, greeting: first };
        person.greeting = person.reads(greeting);
        person.short = person.greeting.rsplit(' ').next().expect("a fingerprint").to_owned();
        person
    }

    pub(crate) fn types(&mut self, line: &str) {
        let hand = self.hand.as_mut().expect("a hand");
        writeln!(hand, "{line}").expect("a line");
    }

    /// Waits for a line that contains some text.
    pub(crate) fn reads(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} is not to be read in:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// Sends the program a signal by name, as in `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("kill");
        assert!(status.success(), "kill -s {name}");
    }

    /// The same for a line that contains any of several.
    pub(crate) fn reads_either(&mut self, texts: &[&str]) -> String {
        loop {
            let line = self.reads("");
            if texts.iter().any(|text| line.contains(text)) {
                return line;
            }
        }
    }

    /// Everything that was read so far, without waiting for more.
    pub(crate) fn seen(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// Waits for the end, which something else brings about.
    pub(crate) fn ends(mut self, code: i32) -> Vec<String> {
        let status = self.child.wait().expect("an end");
        self.seen.extend(self.lines.iter());
        assert_eq!(status.code(), Some(code), "{}", self.seen.join("\n"));
        std::mem::take(&mut self.seen)
    }

    /// Lets go of the keyboard and waits for the end. The exit status says whether every line was obeyed.
    pub(crate) fn leaves(mut self, code: i32) -> Vec<String> {
        drop(self.hand.take());
        self.ends(code)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
