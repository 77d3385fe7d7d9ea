//! Whole conversations through a relay, as somebody at a terminal or a script would have them.

use std::{
    io::{self, Write},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::talk::{Outcome, Setup, Talk};
use crate::{
    cli::{input::Line, screen::Screen},
    client::{door::Door, keyring::Keyring, link::Config, olaf::Session, relay::Relay, trust::trust},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// What is printed, as it is printed.
struct Paper(mpsc::UnboundedSender<String>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Terminal {
    short: String,
    keys: Option<mpsc::Sender<Line>>,
    paper: mpsc::UnboundedReceiver<String>,
    outcome: JoinHandle<Outcome>,
    folder: tempfile::TempDir,
}

impl Terminal {
    fn open(url: &str, is_interactive: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = Keyring::open(&folder.path().join("keyring.json")).expect("a keyring");
        let session = Session::new(keyring.key().clone()).expect("a session");
        let short = session.id().short();
        let (ink, paper) = mpsc::unbounded_channel();
        let quick = Duration::from_millis(5);
        let config = Config::new(Door::read(url).expect("a door"), trust(None).expect("TLS"));
        let setup = Setup {
            config: Config { least_wait: quick, most_wait: 4 * quick, ..config },
            voice: Box::new(session),
            keyring: Some(keyring.path().to_owned()),
            contacts: keyring.into_contacts(),
            screen: Screen::new(Box::new(Paper(ink)), false, false),
            downloads: folder.path().join("downloads"),
            my_name: "you".to_owned(),
            is_interactive,
        };
        let (keys, lines) = mpsc::channel(100);
        let outcome = actix_rt::spawn(async move {
            let (talk, reports, news) = Talk::start(setup);
            talk.run(lines, reports, news).await
        });
        Self { short, keys: Some(keys), paper, outcome, folder }
    }

    async fn types(&self, line: &str) {
        let keys = self.keys.as_ref().expect("the input has not ended");
        keys.send(Line::Text(line.to_owned())).await.expect("somebody reads");
    }

    fn ends(&mut self) {
        self.keys = None;
    }

    /// Waits for a line that begins so, and returns it.
    async fn shows(&mut self, beginning: &str) -> String {
        let mut before = Vec::new();
        let wait = async {
            loop {
                let line =
                    self.paper.recv().await.unwrap_or_else(|| panic!("no {beginning:?} in {before:?}"));
                let line = line.trim_end().to_owned();
                if line.starts_with(beginning) {
                    return line;
                }
                before.push(line);
            }
        };
        match timeout(DEADLINE, wait).await {
            Ok(line) => line,
            Err(_) => panic!("no {beginning:?} in time, but {before:?}"),
        }
    }

    async fn finishes(self) -> Outcome {
        timeout(DEADLINE, self.outcome).await.expect("an end in time").expect("no panic")
    }
}

/// Two people who see each other.
async fn two(url: &str) -> [Terminal; 2] {
    let mut anna = Terminal::open(url, true);
    anna.shows("* nobody else is here").await;
    let mut ben = Terminal::open(url, true);
    assert_eq!(ben.shows("* here: ").await, format!("* here: {}", anna.short));
    assert_eq!(anna.shows("* joined: ").await, format!("* joined: {}", ben.short));
    [anna, ben]
}

#[actix::test]
async fn a_conversation_in_public_and_in_private() {
    let relay = Relay::start().await;
    let [mut anna, mut ben] = two(&relay.url()).await;
    anna.types("hello \u{1b}[2Jthere").await;
    assert_eq!(ben.shows(&anna.short).await, format!("{}: hello \u{fffd}[2Jthere", anna.short));
    ben.types(&format!("/nick {} anna", &anna.short[..6])).await;
    ben.shows(&format!("* {} is called anna here", anna.short)).await;
    ben.types("/tell ANNA psst").await;
    assert_eq!(anna.shows(&ben.short).await, format!("{} (private): psst", ben.short));
    ben.types("/list").await;
    assert!(ben.shows(&format!("- {} anna 127.0.0.1:", anna.short)).await.len() > 20);
    anna.types("/quit").await;
    assert_eq!(anna.finishes().await, Outcome::Done);
    ben.shows("* left: anna").await;
    ben.types("/tell anna still there?").await;
    ben.shows("! anna is not here").await;
}

#[actix::test]
async fn mistakes_are_said_plainly() {
    let relay = Relay::start().await;
    let mut anna = Terminal::open(&relay.url(), true);
    anna.shows("* nobody else is here").await;
    let own = anna.short.clone();
    for (line, words) in [
        ("/dance", "! there is no command /dance"),
        ("/tell carol hi", "! nobody is known as carol"),
        ("/tell 00000000 hi", "! nobody here has a fingerprint"),
        (&format!("/tell {own} hi"), &format!("! {own} is you")),
        ("/file public no-such-file", "! no-such-file was not uploaded: no-such-file: No such file"),
        ("/get file:///etc/passwd", "! file:///etc/passwd was not downloaded"),
        ("/whoami", &format!("* you are {own}")),
    ] {
        anna.types(line).await;
        anna.shows(words).await;
    }
}

#[actix::test]
async fn a_pipe_is_obeyed_in_order_and_ends_well() {
    let relay = Relay::start().await;
    let mut ben = Terminal::open(&relay.url(), true);
    ben.shows("* nobody else is here").await;
    let mut pipe = Terminal::open(&relay.url(), false);
    pipe.types("first").await;
    pipe.types(&format!("/nick {} ben", ben.short)).await;
    pipe.types("/tell ben second").await;
    for number in 0..50 {
        pipe.types(&number.to_string()).await;
    }
    pipe.ends();
    let short = pipe.short.clone();
    assert_eq!(pipe.finishes().await, Outcome::Done);
    ben.shows(&format!("{short}: first")).await;
    ben.shows(&format!("{short} (private): second")).await;
    for number in 0..50 {
        assert_eq!(ben.shows(&short).await, format!("{short}: {number}"));
    }
    ben.shows("* left: ").await;
}

#[actix::test]
async fn a_pipe_that_says_nonsense_fails() {
    let relay = Relay::start().await;
    let mut pipe = Terminal::open(&relay.url(), false);
    pipe.types("/tell nobody hi").await;
    pipe.ends();
    pipe.shows("! nobody is known as nobody").await;
    assert_eq!(pipe.finishes().await, Outcome::Failed);
}

#[actix::test]
async fn lines_typed_without_a_connection_are_sent_when_it_is_back() {
    let relay = Relay::start().await;
    let address = relay.address();
    let [mut anna, mut ben] = two(&relay.url()).await;
    relay.dismiss(1012, "draining");
    anna.shows("! lost the connection: the server shuts down or restarts").await;
    relay.stop().await;
    anna.shows("! cannot connect: nobody listens there").await;
    anna.types("are you back?").await;
    anna.shows("! not connected; this will be sent").await;
    let _relay = Relay::start_at(address).await;
    ben.shows("* connected to ").await;
    // Whoever comes back later sees or misses the line; only that it is sent can be promised.
    anna.shows("* connected to ").await;
    anna.types("/quit").await;
    assert_eq!(anna.finishes().await, Outcome::Done);
}

#[actix::test]
async fn the_last_word_of_a_server_ends_it() {
    let relay = Relay::start().await;
    let mut anna = Terminal::open(&relay.url(), true);
    anna.shows("* nobody else is here").await;
    relay.dismiss(1008, "kicked");
    anna.shows("! the end: an administrator closed this connection").await;
    assert!(anna.folder.path().join("keyring.json").exists());
    assert_eq!(anna.finishes().await, Outcome::Failed);
}
