//! `kith chat` as people use it: two of them, a server, pipes instead of hands.

use std::{
    fs,
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
    fn sit_down(app: &App, folder: &Path, name: &str) -> Self {
        Self::at(&format!("ws://{}", app.listen), folder, name)
    }

    /// Sits down at a door; the keyring lies in the folder.
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

#[test]
fn three_people_talk_and_only_two_know_what_was_whispered() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut ben = Person::sit_down(&app, folder.path(), "ben");
    let mut eve = Person::sit_down(&app, folder.path(), "eve");
    anna.reads(&format!("* joined: {}", eve.short));
    ben.reads(&format!("* joined: {}", eve.short));
    anna.types("good evening");
    for other in [&mut ben, &mut eve] {
        other.reads(&format!("{}: good evening", anna.short));
    }
    anna.types(&format!("/tell {} the key is under the mat", ben.short));
    assert!(ben.reads("under the mat").starts_with(&format!("{} (private)", anna.short)));
    ben.types(&format!("/nick {} anna", anna.short));
    ben.types("/tell anna I found it");
    anna.reads("I found it");
    anna.types("/tell nobody hello");
    anna.reads("! ");
    anna.types("/dance");
    anna.reads("/dance");
    // A stranger's terminal is nobody's to write on.
    anna.types("/all bell\u{7} and \u{1b}[31mred");
    let line = ben.reads("bell");
    assert!(line.ends_with("red") && !line.contains(['\u{7}', '\u{1b}']), "{line:?}");
    ben.types("/quit");
    anna.reads(&format!("* left: {}", ben.short));
    anna.leaves(1);
    ben.leaves(0);
    let eve = eve.leaves(0).join("\n");
    assert!(eve.contains("good evening") && !eve.contains("under the mat"), "{eve}");
}

#[test]
fn a_file_goes_to_one_person_and_arrives_whole() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    let path = folder.path().join("holiday.jpg");
    fs::write(&path, &bytes).expect("a file");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut ben = Person::sit_down(&app, folder.path(), "ben");
    anna.reads(&format!("* joined: {}", ben.short));
    anna.types(&format!("/file {} {}", ben.short, path.display()));
    let line = ben.reads("http://");
    let link = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a link");
    ben.types(&format!("/get {link}"));
    ben.reads("downloads");
    let downloads = folder.path().join("ben-downloads");
    let file = fs::read_dir(&downloads).expect("a folder").flatten().next().expect("a file");
    assert_eq!(fs::read(file.path()).expect("its bytes"), bytes);
    anna.types("/file public /nowhere/at/all");
    anna.reads("! ");
}

#[test]
fn a_lost_server_is_said_and_found_again() {
    let app = App::start();
    let listen = app.listen.clone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let data = app.stop();
    anna.reads("! ");
    anna.reads("* trying again");
    // The same door opens again.
    let _app = App::in_folder(data, &[("LISTEN__MAIN", &listen)]);
    anna.reads("* connected to");
}

#[test]
fn one_line_from_a_script_is_delivered() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut anna = Person::sit_down(&app, folder.path(), "anna");
    let mut script = Person::sit_down(&app, folder.path(), "script");
    script.types("backup done");
    script.leaves(0);
    anna.reads("backup done");
}
