//! One socket between two nodes as a value: the hello that every program says, the mark by which newer ones know each other,
//! and then either sealed lines or plain text.
//!
//! Who dials says `Hello from:ip:port` as the first programs do, and a moment later the mark, a line that those only print.
//! Nothing is ever said to somebody who dialled unless the mark has come, because the first programs expect no answer.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    seal::{Broken, Me, Out, Seal, Them},
    wire::{FRAME_BYTES, Refusal, Text},
};
use crate::{
    dialect::{
        rendezvous::{
            LIST_QUIET,
            hello::{self, FromDialler, Greeted},
        },
        tpacket::split::pieces,
    },
    domain::{Moment, endpoint::Endpoint, node::Rank},
};

/// The line by which newer programs know each other. In front of it stands LF, because no hello has an end.
const MARK: &str = "kith/1 link";
/// How long after the hello the mark is sent, so that a program which takes each read for a message hears the hello alone.
const MARK_AFTER: Duration = Duration::from_millis(50);
/// How long somebody who has said hello may take to say the mark. Whoever does not is of the first kind.
const MARK_PATIENCE: Duration = Duration::from_secs(2);
/// How long somebody who was dialled may take to answer the mark: as long, and the way there and back.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How long somebody who has dialled may be silent.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// The longest line: a frame in base64.
const LINE_BYTES: usize = FRAME_BYTES.div_ceil(3) * 4;
/// The longest piece of plain text. The first programs read 256 bytes at a time.
const PLAIN_BYTES: usize = 254;

/// What comes of bytes, or of time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Send these, in one write.
    Send(Vec<u8>),
    /// The other side knows no sealing. If it has dialled, this is the address that it says is its own.
    Plain(Option<Endpoint>),
    /// The other side is proven; is it believed?
    Asks(Them),
    /// It is a sealed link.
    Greeted(Them),
    /// Somebody says this.
    Text(Text),
}

/// How far it is.
enum Stage {
    /// We were dialled, and wait for the hello.
    Hearing(FromDialler),
    /// This one said hello, and may say the mark.
    Marking(Endpoint),
    /// We said hello; the mark follows.
    Hello,
    /// We said the mark, and wait for the answer.
    Asking,
    /// Nothing but text. Who has dialled is known by its hello.
    Plain,
    /// Lines of base64, each with one frame.
    Sealed(Box<Seal>),
}

/// One socket.
pub(super) struct Direct {
    me: Me,
    rank: Rank,
    dialled: Option<Endpoint>,
    stage: Stage,
    /// What has come and is not whole.
    held: Vec<u8>,
    /// When time itself means something.
    due: Option<Moment>,
}

impl Direct {
    /// We have dialled somebody.
    pub(super) fn dial(me: Me, rank: Rank, dialled: Endpoint, now: Moment, out: &mut Vec<Told>) -> Self {
        out.push(Told::Send(hello::print(me.at).into_bytes()));
        let due = Some(now + MARK_AFTER);
        Self { me, rank, dialled: Some(dialled), stage: Stage::Hello, held: Vec::new(), due }
    }

    /// Somebody has dialled us.
    pub(super) fn answer(me: Me, rank: Rank, now: Moment) -> Self {
        let due = Some(now + HELLO_PATIENCE);
        Self { me, rank, dialled: None, stage: Stage::Hearing(FromDialler::default()), held: Vec::new(), due }
    }

    /// When it wants to be woken although nothing has come.
    pub(super) fn wakes_at(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Sealed(seal) => Some(seal.wakes_at()),
            _ => self.due,
        }
    }

    /// Bytes have come, however they are cut.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        match &mut self.stage {
            Stage::Hearing(reader) => match reader.push(bytes) {
                Some(greeted) => self.heard_hello(greeted, now, out),
                None => {
                    if reader.waits_for_quiet() {
                        self.due = Some(now + LIST_QUIET);
                    }
                    Ok(())
                }
            },
            _ => {
                self.held.extend_from_slice(bytes);
                self.read(now, out)
            }
        }
    }

    /// Looks at the time.
    pub(super) fn wake(&mut self, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        if let Stage::Sealed(seal) = &mut self.stage {
            let mut said = Vec::new();
            let step = seal.wake(now, &mut said);
            tell(said, out);
            return step;
        }
        if self.due.is_none_or(|due| now < due) {
            return Ok(());
        }
        self.due = None;
        match &mut self.stage {
            Stage::Hearing(reader) => match reader.end() {
                Some(greeted) => self.heard_hello(greeted, now, out),
                None => Err(Broken::NoProof),
            },
            Stage::Hello => {
                out.push(Told::Send(format!("\n{MARK}\n").into_bytes()));
                self.stage = Stage::Asking;
                self.due = Some(now + ANSWER_PATIENCE);
                // Somebody who says something at once has said it by now.
                self.read(now, out)
            }
            Stage::Marking(at) => {
                let at = *at;
                self.is_plain(Some(at), now, out)
            }
            Stage::Asking => self.is_plain(None, now, out),
            Stage::Plain | Stage::Sealed(_) => {
                self.flush(out);
                Ok(())
            }
        }
    }

    fn heard_hello(&mut self, hello: Greeted, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        let Greeted::Hello(at, behind) = hello else { return Err(Broken::Malformed) };
        self.stage = Stage::Marking(at);
        self.due = Some(now + MARK_PATIENCE);
        self.held = behind;
        self.read(now, out)
    }

    /// Reads what is held, as far as it is whole.
    fn read(&mut self, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        loop {
            match &mut self.stage {
                Stage::Hearing(_) => return Ok(()),
                // Only what could not become an answer ends the wait for it.
                Stage::Hello | Stage::Asking | Stage::Marking(_) => match has_mark(&mut self.held) {
                    None => return Ok(()),
                    Some(true) => self.begin(now, out)?,
                    Some(false) => {
                        let said = if let Stage::Marking(at) = &self.stage { Some(*at) } else { None };
                        return self.is_plain(said, now, out);
                    }
                },
                Stage::Plain => {
                    while let Some(end) = end_of_text(&self.held) {
                        let text: Vec<u8> = self.held.drain(..end).collect();
                        say(&text, out);
                    }
                    self.due = (!self.held.is_empty()).then(|| now + LIST_QUIET);
                    return Ok(());
                }
                Stage::Sealed(seal) => {
                    let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
                        return if self.held.len() > LINE_BYTES { Err(Broken::Malformed) } else { Ok(()) };
                    };
                    let line: Vec<u8> = self.held.drain(..=end).collect();
                    let frame = STANDARD.decode(line.trim_ascii()).map_err(|_| Broken::Malformed)?;
                    let mut said = Vec::new();
                    let step = seal.receive(&frame, now, &mut said);
                    tell(said, out);
                    step?;
                    seal_due(seal, now, out)?;
                }
            }
        }
    }

    /// Both have said the mark.
    fn begin(&mut self, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        let mut said = Vec::new();
        let seal = match self.dialled {
            Some(dialled) => {
                if matches!(self.stage, Stage::Hello) {
                    // It knew before it was told; ours must not be missing.
                    out.push(Told::Send(format!("\n{MARK}\n").into_bytes()));
                }
                Seal::dial(&self.me, self.rank, dialled, now)?
            }
            None => {
                out.push(Told::Send(format!("{MARK}\n").into_bytes()));
                Seal::answer(&self.me, self.rank, now, &mut said)?
            }
        };
        tell(said, out);
        self.stage = Stage::Sealed(Box::new(seal));
        Ok(())
    }

    fn is_plain(&mut self, said: Option<Endpoint>, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        self.stage = Stage::Plain;
        out.push(Told::Plain(said));
        self.read(now, out)
    }

    fn flush(&mut self, out: &mut Vec<Told>) {
        let text = std::mem::take(&mut self.held);
        say(&text, out);
    }

    /// Nothing will come any more. What has come and is not whole is said nevertheless, in plain text.
    pub(super) fn end(&mut self, out: &mut Vec<Told>) {
        if let Stage::Plain = self.stage {
            self.flush(out);
        }
    }

    /// What somebody here types, as it goes out.
    pub(super) fn say(&mut self, text: Text, out: &mut Vec<Told>) {
        match &mut self.stage {
            Stage::Sealed(seal) => out.extend(seal.say(text).map(|frame| Told::Send(line(&frame)))),
            // One write for each piece: a program that takes a read for a message shows each.
            Stage::Plain => {
                out.extend(
                    pieces(&text.words, PLAIN_BYTES)
                        .map(|piece| Told::Send(format!("{piece}\n").into_bytes())),
                );
            }
            _ => {}
        }
    }

    /// What is said before the socket is closed.
    pub(super) fn goodbye(&mut self, out: &mut Vec<Told>) {
        if let Stage::Sealed(seal) = &mut self.stage {
            out.extend(seal.goodbye().map(|frame| Told::Send(line(&frame))));
        }
    }

    /// Who has proven itself is believed.
    pub(super) fn accept(&mut self, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
        let Stage::Sealed(seal) = &mut self.stage else { return Ok(()) };
        let mut said = Vec::new();
        let step = seal.accept(&mut said);
        tell(said, out);
        step?;
        seal_due(seal, now, out)
    }

    /// It is not.
    pub(super) fn refuse(&mut self, why: Refusal, out: &mut Vec<Told>) -> Broken {
        let Stage::Sealed(seal) = &mut self.stage else { return Broken::WeRefuse(why) };
        let mut said = Vec::new();
        let broken = seal.refuse(why, &mut said);
        tell(said, out);
        broken
    }
}

fn seal_due(seal: &mut Seal, now: Moment, out: &mut Vec<Told>) -> Result<(), Broken> {
    let mut said = Vec::new();
    let step = seal.wake(now, &mut said);
    tell(said, out);
    step
}

/// Whether the mark has come, once that is certain; it is taken out.
fn has_mark(held: &mut Vec<u8>) -> Option<bool> {
    let blank = held.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let said = held.get(blank..).unwrap_or_default();
    if let Some(end) = said.iter().position(|byte| *byte == b'\n') {
        let words = said.get(..end).unwrap_or_default();
        // Newer versions may say more behind it.
        let rest = words.strip_prefix(MARK.as_bytes());
        let is_mark = rest.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace));
        if is_mark {
            held.drain(..=blank + end);
        }
        return Some(is_mark);
    }
    let known = said.len().min(MARK.len());
    let may_become = said.get(..known) == MARK.as_bytes().get(..known) && said.len() <= LINE_BYTES;
    if may_become && blank <= LINE_BYTES { None } else { Some(false) }
}

/// Where the next piece of plain text ends: at LF, or where nobody would write on.
fn end_of_text(held: &[u8]) -> Option<usize> {
    let end = held.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    end.or_else(|| (held.len() >= FRAME_BYTES).then_some(held.len()))
}

/// The first programs end no text, and some a text with a zero byte.
fn say(text: &[u8], out: &mut Vec<Told>) {
    let text = String::from_utf8_lossy(text);
    for line in text.split(['\n', '\0']).map(str::trim_end).filter(|line| !line.is_empty()) {
        out.push(Told::Text(Text { words: line.to_owned(), is_private: false }));
    }
}

fn line(frame: &[u8]) -> Vec<u8> {
    let mut line = STANDARD.encode(frame);
    line.push('\n');
    line.into_bytes()
}

fn tell(said: Vec<Out>, out: &mut Vec<Told>) {
    out.extend(said.into_iter().map(|one| match one {
        Out::Frame(frame) => Told::Send(line(&frame)),
        Out::Asks(them) => Told::Asks(them),
        Out::Greeted(them) => Told::Greeted(them),
        Out::Text(text) => Told::Text(text),
    }));
}
