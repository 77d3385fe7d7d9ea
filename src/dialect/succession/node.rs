//! What nodes of one home add: behind the empty line of a request, and below the keys of an answer.
//!
//! The mark comes last. It covers every byte before its line; that of an answer also covers the mark of the
//! question, so no answer can be given twice or to somebody else.

use std::time::Duration;

use crate::{
    crypto::home::{HomeKey, Mark},
    domain::succession::{
        Epoch, NodeId, Position,
        legacy::Told,
        message::{Answer, Ask, Beat, Guidance, Lead, Objection, Question, Reply, Sender},
        numbers::Spans,
        sequence::Sequence,
    },
};

use super::{
    Fault,
    answer::tell,
    host::{HostReport, host_request, read_report},
    lines::{Lines, number, word, yes_or_no},
    text,
};

/// The version of what nodes say.
const VERSION: &str = "1";
const REQUEST: &[u8] = b"kith succession 1 request\n";
const ANSWER: &[u8] = b"kith succession 1 answer\n";
/// Epochs and counts beyond this are no real ones; it keeps a single message from using all of them up.
const MOST: u64 = 1 << 53;

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Of a host that knows only the first form.
    Host(HostReport),
    /// Of a node of our home. Whether it came before is not known yet: ask [`Sequences`] about its number.
    ///
    /// [`Sequences`]: crate::domain::succession::sequence::Sequences
    Node {
        /// What it asks.
        ask: Ask,
        /// The number of the message.
        sequence: Sequence,
        /// Its mark, which the answer must name.
        mark: Mark,
    },
}

/// A question, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAsk {
    /// What goes out.
    pub text: String,
    /// Its mark, to check the answer by.
    pub mark: Mark,
}

/// Writes a question of this node. No two may have the same number.
#[must_use]
pub fn seal_ask(ask: &Ask, sequence: Sequence, clock: &str, key: &HomeKey) -> SealedAsk {
    let mut out = host_request(Some(ask.from.node), None, &ask.figures, clock);
    out.push_str("\n\n");
    let Sequence { run, count } = sequence;
    put(&mut out, "Kith", VERSION);
    put(&mut out, "Kind", kind_of_question(&ask.what));
    put_sender(&mut out, &ask.from);
    put(&mut out, "Run", run);
    put(&mut out, "Seq", count);
    match &ask.what {
        Question::Report(beat) => {
            if let Some(Beat(beat)) = beat {
                put(&mut out, "Beat", beat);
            }
        }
        Question::Pulse(guidance) => put_guidance(&mut out, guidance),
        Question::PreVote(epoch) => put(&mut out, "For-Epoch", epoch),
        Question::Vote { epoch, handed } => {
            put(&mut out, "For-Epoch", epoch);
            put(&mut out, "Handed", word(*handed));
        }
        Question::Prepare(to, epoch) | Question::Cancel(to, epoch) => {
            put(&mut out, "To", to);
            put(&mut out, "For-Epoch", epoch);
        }
        Question::Commit(to, epoch, position) => {
            put(&mut out, "To", to);
            put(&mut out, "For-Epoch", epoch);
            put(&mut out, "Up-To", position);
        }
    }
    let mark = key.mark(&[REQUEST, out.as_bytes()]);
    put(&mut out, "Mac", KeyText(&mark));
    SealedAsk { text: out, mark }
}

/// Reads a whole request. Without a key there is no home, and every request is one of a host.
///
/// # Errors
/// It is not one, or it claims to be of our home and is not.
pub fn read_request(bytes: &[u8], key: Option<&HomeKey>) -> Result<Request, Fault> {
    let report = read_report(bytes)?;
    let whole = text(bytes)?;
    let added = whole.split_once("\n\n").map(|(_, added)| added).filter(|added| !added.trim().is_empty());
    let (Some(added), Some(key)) = (added, key) else { return Ok(Request::Host(report)) };
    let lines = Lines::of(added);
    if lines.get("Kith").is_none() {
        return Ok(Request::Host(report));
    }
    let mark = proven(whole, &[REQUEST], key)?;
    let sequence = Sequence { run: lines.number("Run")?, count: lines.number("Seq")? };
    let ask = Ask { from: read_sender(&lines)?, figures: report.figures, what: read_question(&lines)? };
    Ok(Request::Node { ask, sequence, mark })
}

/// Writes the answer to a question that was marked so.
#[must_use]
pub fn seal_reply(reply: &Reply, asker: NodeId, question: &Mark, key: &HomeKey) -> String {
    let first =
        Told { is_known: true, lead: false, new_server: None, fallback: None, id: asker, address: "".into() };
    let mut out = tell(&first);
    out.push('\n');
    put(&mut out, "Kith", VERSION);
    put(&mut out, "Kind", kind_of_answer(&reply.what));
    put_sender(&mut out, &reply.from);
    match &reply.what {
        Answer::Leading(guidance) => put_guidance(&mut out, guidance),
        Answer::NotLeading(lead) => {
            if let Some(Lead { epoch, leader }) = lead {
                put(&mut out, "Leader-Id", leader);
                put(&mut out, "Leader-Epoch", epoch);
            }
        }
        Answer::Following(Beat(beat)) => put(&mut out, "Beat", beat),
        Answer::Would(epoch) | Answer::Granted(epoch) | Answer::Ready(epoch) => {
            put(&mut out, "For-Epoch", epoch);
        }
        Answer::Refused(objection) => put(&mut out, "Reason", objection.word()),
    }
    let mark = key.mark(&[ANSWER, question, out.as_bytes()]);
    put(&mut out, "Mac", KeyText(&mark));
    out
}

/// Reads the answer to a question of ours that was marked so.
///
/// # Errors
/// It is not whole, or not the answer of a node of our home to this question.
pub fn open_reply(bytes: &[u8], question: &Mark, key: &HomeKey) -> Result<Reply, Fault> {
    let whole = text(bytes)?;
    let lines = Lines::of(whole);
    // Whoever answers without a mark is no node, whatever it says.
    lines.get("Mac").ok_or(Fault::Unproven)?;
    proven(whole, &[ANSWER, question], key)?;
    Ok(Reply { from: read_sender(&lines)?, what: read_reply(&lines)? })
}

/// The mark of a message, if it is one of our home and covers all that stands before it.
fn proven(whole: &str, context: &[&[u8]], key: &HomeKey) -> Result<Mark, Fault> {
    let (covered, mark) = whole.rsplit_once("Mac: ").ok_or(Fault::Unproven)?;
    let mark = mark.strip_suffix('\n').ok_or(Fault::Cut)?;
    let mark = crate::domain::id::KeyId::from_hex(mark).ok_or(Fault::Unproven)?.0;
    let parts: Vec<&[u8]> = context.iter().copied().chain([covered.as_bytes()]).collect();
    if key.is_mark(&parts, &mark) { Ok(mark) } else { Err(Fault::Unproven) }
}

/// Bytes in hexadecimal digits.
struct KeyText<'a>(&'a Mark);

impl std::fmt::Display for KeyText<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&crate::domain::id::KeyId(*self.0).hex())
    }
}

fn put(out: &mut String, key: &str, value: impl std::fmt::Display) {
    use std::fmt::Write as _;
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{key}: {value}");
}

fn put_sender(out: &mut String, from: &Sender) {
    put(out, "Node", from.node);
    put(out, "Epoch", from.epoch);
    put(out, "Position", from.position);
    put(out, "Nodes", from.size);
    put(out, "Fallback", word(from.is_fallback));
    put(out, "Full-Lease-Ms", from.spans.lease.as_millis());
    put(out, "Promise-Ms", from.spans.promise.as_millis());
}

fn put_guidance(out: &mut String, guidance: &Guidance) {
    put(out, "Beat", guidance.beat.0);
    put(out, "Lease-Ms", guidance.lease_ms);
    let successors: Vec<_> = guidance.successors.iter().map(ToString::to_string).collect();
    put(out, "Successors", successors.join(","));
}

fn read_sender(lines: &Lines<'_>) -> Result<Sender, Fault> {
    if lines.need("Kith")? != VERSION {
        return Err(Fault::Line("Kith"));
    }
    Ok(Sender {
        node: lines.read("Node", NodeId::parse)?,
        epoch: lines.read("Epoch", epoch)?,
        position: lines.read("Position", position)?,
        size: lines.read("Nodes", |text| u8::try_from(number(text)?).ok())?,
        is_fallback: lines.read("Fallback", yes_or_no)?,
        spans: Spans {
            lease: Duration::from_millis(lines.number("Full-Lease-Ms")?),
            promise: Duration::from_millis(lines.number("Promise-Ms")?),
        },
    })
}

fn epoch(text: &str) -> Option<Epoch> {
    number(text).filter(|epoch| *epoch < MOST).map(Epoch)
}

fn position(text: &str) -> Option<Position> {
    let (written, index) = text.split_once('.')?;
    Some(Position { epoch: epoch(written)?, index: number(index)? })
}

fn read_guidance(lines: &Lines<'_>) -> Result<Guidance, Fault> {
    let successors = lines.need("Successors")?.split(',').map(str::trim).filter(|text| !text.is_empty());
    Ok(Guidance {
        beat: Beat(lines.number("Beat")?),
        lease_ms: lines.number("Lease-Ms")?,
        successors: successors
            .map(|text| NodeId::parse(text).ok_or(Fault::Line("Successors")))
            .collect::<Result<_, _>>()?,
    })
}

const fn kind_of_question(question: &Question) -> &'static str {
    match question {
        Question::Report(_) => "report",
        Question::Pulse(_) => "pulse",
        Question::PreVote(_) => "pre-vote",
        Question::Vote { .. } => "vote",
        Question::Prepare(..) => "prepare",
        Question::Commit(..) => "commit",
        Question::Cancel(..) => "cancel",
    }
}

fn read_question(lines: &Lines<'_>) -> Result<Question, Fault> {
    let for_epoch = || lines.read("For-Epoch", epoch);
    let to = || lines.read("To", NodeId::parse);
    Ok(match lines.need("Kind")? {
        "report" => {
            let beat = lines.get("Beat").map(|text| number(text).ok_or(Fault::Line("Beat"))).transpose()?;
            Question::Report(beat.map(Beat))
        }
        "pulse" => Question::Pulse(read_guidance(lines)?),
        "pre-vote" => Question::PreVote(for_epoch()?),
        "vote" => Question::Vote { epoch: for_epoch()?, handed: lines.read("Handed", yes_or_no)? },
        "prepare" => Question::Prepare(to()?, for_epoch()?),
        "commit" => Question::Commit(to()?, for_epoch()?, lines.read("Up-To", position)?),
        "cancel" => Question::Cancel(to()?, for_epoch()?),
        _ => return Err(Fault::Line("Kind")),
    })
}

const fn kind_of_answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::Leading(_) => "leading",
        Answer::NotLeading(_) => "not-leading",
        Answer::Following(_) => "following",
        Answer::Would(_) => "would",
        Answer::Granted(_) => "granted",
        Answer::Ready(_) => "ready",
        Answer::Refused(_) => "refused",
    }
}

fn read_reply(lines: &Lines<'_>) -> Result<Answer, Fault> {
    let for_epoch = || lines.read("For-Epoch", epoch);
    Ok(match lines.need("Kind")? {
        "leading" => Answer::Leading(read_guidance(lines)?),
        "not-leading" => {
            let leader = lines.get("Leader-Id").map(|_| {
                let leader = lines.read("Leader-Id", NodeId::parse)?;
                Ok::<_, Fault>(Lead { epoch: lines.read("Leader-Epoch", epoch)?, leader })
            });
            Answer::NotLeading(leader.transpose()?)
        }
        "following" => Answer::Following(Beat(lines.number("Beat")?)),
        "would" => Answer::Would(for_epoch()?),
        "granted" => Answer::Granted(for_epoch()?),
        "ready" => Answer::Ready(for_epoch()?),
        "refused" => Answer::Refused(lines.read("Reason", Objection::parse)?),
        _ => return Err(Fault::Line("Kind")),
    })
}
