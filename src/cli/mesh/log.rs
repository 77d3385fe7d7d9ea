//! One log for all: every line with the name of the one who said it, in a colour of its own.
//!
//! A thread of its own writes, so that a terminal that stands still holds up nobody. What does not fit
//! into its queue is left out, and the next line says how many were.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use super::plan;
use crate::cli::paint::{Colour, Paint};

/// Lines that may wait for the terminal.
const QUEUE: usize = 4096;
/// The longest line, in characters.
const LONGEST: usize = 2000;
/// How long the last lines may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// One after the other, so that neighbours differ.
const COLOURS: [Colour; 5] = [Colour::Cyan, Colour::Magenta, Colour::Green, Colour::Yellow, Colour::Blue];

#[derive(Debug)]
enum Line {
    /// For people, as it is.
    Plain(String),
    /// Of a server, or of the one who looks after them.
    Said { by: Option<u8>, text: String },
}

/// Where lines go. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Log {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

/// The one who writes.
#[derive(Debug)]
pub(super) struct Writer {
    done: Receiver<()>,
}

impl Log {
    /// Starts it.
    pub(super) fn start(paint: Paint, servers: u8) -> (Self, Writer) {
        let (lines, waiting) = sync_channel(QUEUE);
        let (ended, done) = channel::<()>();
        let lost = Arc::new(AtomicU64::new(0));
        let width = plan::name(servers).len();
        let missed = Arc::clone(&lost);
        thread::spawn(move || {
            for line in waiting {
                let missed = missed.swap(0, Ordering::Relaxed);
                if missed > 0 {
                    let text = format!("{missed} lines were left out: the terminal is too slow");
                    write(&show(paint, width, &Line::Said { by: None, text }));
                }
                write(&show(paint, width, &line));
            }
            drop(ended);
        });
        (Self { lines, lost }, Writer { done })
    }

    /// A line of the one who looks after the servers.
    pub(super) fn say(&self, text: impl Into<String>) {
        self.put(Line::Said { by: None, text: text.into() });
    }

    /// A line of a server.
    pub(super) fn said(&self, by: u8, text: String) {
        self.put(Line::Said { by: Some(by), text });
    }

    /// Something for people.
    pub(super) fn plain(&self, text: String) {
        self.put(Line::Plain(text));
    }

    fn put(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writer {
    /// Waits until everything is written, once every log is dropped. Not for ever.
    pub(super) fn finish(self) {
        let _: Result<(), RecvTimeoutError> = self.done.recv_timeout(FAREWELL);
    }
}

fn write(text: &str) {
    // Whoever stops reading has seen enough; the servers go on.
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}

fn show(paint: Paint, width: usize, line: &Line) -> String {
    match line {
        Line::Plain(text) => text.clone(),
        Line::Said { by, text } => {
            let (name, colour) = match by {
                Some(number) => {
                    let colour = COLOURS[usize::from(number.saturating_sub(1)) % COLOURS.len()];
                    (plan::name(*number), colour)
                }
                None => ("mesh".to_owned(), Colour::Bold),
            };
            let text: String = text
                .chars()
                .take(LONGEST)
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .collect();
            let text = match level(&text) {
                Some("ERROR") => paint.on(Colour::Red, &text),
                Some("WARN") => paint.on(Colour::Yellow, &text),
                _ => text,
            };
            format!("{} {text}", paint.on(colour, &format!("{name:width$} |")))
        }
    }
}

/// The level of a log line, which stands behind its time.
fn level(text: &str) -> Option<&str> {
    text.split_whitespace().nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_who_said_it() {
        let said = |by, text: &str| show(Paint::NONE, 9, &Line::Said { by, text: text.to_owned() });
        assert_eq!(said(Some(7), "2026 INFO open"), "server-7  | 2026 INFO open");
        assert_eq!(said(None, "server-7 is\u{1b}[2Jgone"), "mesh      | server-7 is [2Jgone");
        assert_eq!(show(Paint::NONE, 9, &Line::Plain("a\nb".to_owned())), "a\nb");
        assert_eq!(level("2026-01-01T00:00:00Z  WARN deaf"), Some("WARN"));
    }
}
