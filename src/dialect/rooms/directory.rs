//! The directory of the rendezvous for clients of other protocols: to be listed, not to be, and to read it.

use serde::Serialize;

use super::speech::{EACH, frame, is_last, parts, refused};
use crate::domain::{
    directory::{
        listed::{Directory, Listed},
        rules::Refused,
    },
    endpoint::Endpoint,
    letter::Frame,
    rooms::Ticket,
};

/// What a client wants of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To be listed there, for as long as this connection lasts.
    Register(Endpoint),
    /// Not to be listed there any more.
    Unregister(Endpoint),
    /// To read it.
    Read,
}

#[derive(Serialize)]
#[serde(tag = "kith", rename_all = "lowercase")]
enum Word {
    Registered {
        ticket: u32,
        at: String,
    },
    Unregistered {
        ticket: u32,
        at: String,
    },
    Directory {
        ticket: u32,
        epoch: u64,
        version: u64,
        entries: Vec<EntryView>,
        #[serde(skip_serializing_if = "is_last")]
        unfinished: bool,
    },
}

#[derive(Serialize)]
struct EntryView {
    at: String,
    seq: u64,
    undialable: bool,
    home: Option<String>,
    member: Option<String>,
}

impl From<&Listed> for EntryView {
    fn from(listed: &Listed) -> Self {
        Self {
            at: listed.at.to_string(),
            seq: listed.seq,
            undialable: listed.undialable,
            home: listed.home.map(|home| home.hex()),
            member: listed.member.map(|member| member.hex()),
        }
    }
}

/// It is listed, or will be once it was tried; or it is not, and why.
#[must_use]
pub fn registered(ticket: Ticket, at: Endpoint, outcome: Result<(), Refused>) -> Option<Frame> {
    match outcome {
        Ok(()) => frame(&Word::Registered { ticket: ticket.0, at: at.to_string() }),
        Err(why) => refused(Some(ticket), &why.word().replace('-', "_")),
    }
}

/// It is asked too often.
#[must_use]
pub fn busy(ticket: Ticket) -> Option<Frame> {
    refused(Some(ticket), "too_often")
}

/// It is listed no more; or never was.
#[must_use]
pub fn unregistered(ticket: Ticket, at: Endpoint, was_listed: bool) -> Option<Frame> {
    if was_listed {
        frame(&Word::Unregistered { ticket: ticket.0, at: at.to_string() })
    } else {
        refused(Some(ticket), "not_registered")
    }
}

/// What the directory holds: these frames, in this order.
#[must_use]
pub fn directory(ticket: Ticket, directory: &Directory) -> Vec<Frame> {
    /// Two fingerprints and an address.
    const ENTRY: usize = EACH + 2 * 64 + 48;
    let parts = parts(&directory.members, |_| ENTRY).filter_map(|(entries, unfinished)| {
        let entries = entries.iter().map(EntryView::from).collect();
        let Directory { epoch, version, .. } = *directory;
        frame(&Word::Directory { ticket: ticket.0, epoch, version, entries, unfinished })
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::KeyId;

    fn listed(port: u16) -> Listed {
        let at = format!("192.0.2.1:{port}").parse().expect("an address");
        let (undialable, relayed, member) = (true, false, Some(KeyId([7; 32])));
        Listed { seq: u64::from(port), at, undialable, relayed, home: None, member }
    }

    fn text(frame: Option<Frame>) -> String {
        frame.and_then(|frame| frame.text().map(str::to_owned)).expect("a text")
    }

    #[test]
    fn answers_read_as_the_page_says() {
        let (ticket, at) = (Ticket(3), listed(5).at);
        assert_eq!(
            text(registered(ticket, at, Ok(()))),
            r#"{"kith":"registered","ticket":3,"at":"192.0.2.1:5"}"#
        );
        assert_eq!(
            text(registered(ticket, at, Err(Refused::TooMany))),
            r#"{"kith":"refused","ticket":3,"code":"too_many"}"#
        );
        assert_eq!(
            text(unregistered(ticket, at, false)),
            r#"{"kith":"refused","ticket":3,"code":"not_registered"}"#
        );
        let one = Directory { epoch: 1, version: 2, members: vec![listed(5)] };
        let member = "07".repeat(32);
        assert_eq!(
            text(directory(ticket, &one).pop()),
            format!(
                r#"{{"kith":"directory","ticket":3,"epoch":1,"version":2,"entries":[{{"at":"192.0.2.1:5","seq":5,"undialable":true,"home":null,"member":"{member}"}}]}}"#
            )
        );
    }

    #[test]
    fn a_long_directory_comes_in_several_frames() {
        let long = Directory { epoch: 1, version: 2, members: (1..=1000).map(listed).collect() };
        let frames = directory(Ticket(1), &long);
        assert!(frames.len() > 2);
        for (at, frame) in frames.iter().enumerate() {
            let text = frame.text().expect("a text");
            assert_eq!(text.contains(r#""unfinished":true"#), at + 1 < frames.len());
            assert!(text.len() < 80 << 10, "{}", text.len());
        }
    }
}
