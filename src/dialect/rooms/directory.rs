//! What clients of other protocols are told who want something of the directory of the rendezvous.

use std::borrow::Cow;

use serde::Serialize;

use super::speech::{EACH, frame, is_last, parts, refused};
use crate::{
    dialect::errand::{Reply, Why},
    domain::{
        directory::listed::{Directory, Listed},
        letter::Frame,
        rooms::Ticket,
    },
};

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

/// The answer to an errand: these frames, in this order.
#[must_use]
pub fn answer(ticket: Ticket, reply: &Reply) -> Vec<Frame> {
    let word = match reply {
        Reply::Directory(shown) => return directory(ticket, shown),
        Reply::Registered(at) => Word::Registered { ticket: ticket.0, at: at.to_string() },
        Reply::Unregistered(at) => Word::Unregistered { ticket: ticket.0, at: at.to_string() },
        Reply::Refused(why) => return refused(Some(ticket), &code(*why)).into_iter().collect(),
    };
    frame(&word).into_iter().collect()
}

fn code(why: Why) -> Cow<'static, str> {
    match why {
        Why::Rule(why) => why.word().replace('-', "_").into(),
        Why::TooOften => "too_often".into(),
        Why::NotRegistered => "not_registered".into(),
    }
}

fn directory(ticket: Ticket, directory: &Directory) -> Vec<Frame> {
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
    use std::sync::Arc;

    use super::*;
    use crate::domain::{directory::rules::Refused, id::KeyId};

    fn listed(port: u16) -> Listed {
        let at = format!("192.0.2.1:{port}").parse().expect("an address");
        let (undialable, relayed, member) = (true, false, Some(KeyId([7; 32])));
        Listed { seq: u64::from(port), at, undialable, relayed, home: None, member }
    }

    fn text(reply: &Reply) -> String {
        let frames = answer(Ticket(3), reply);
        assert_eq!(frames.len(), 1);
        frames[0].text().map(str::to_owned).expect("a text")
    }

    #[test]
    fn answers_read_as_the_page_says() {
        let at = listed(5).at;
        assert_eq!(text(&Reply::Registered(at)), r#"{"kith":"registered","ticket":3,"at":"192.0.2.1:5"}"#);
        assert_eq!(
            text(&Reply::Unregistered(at)),
            r#"{"kith":"unregistered","ticket":3,"at":"192.0.2.1:5"}"#
        );
        for (why, code) in [
            (Why::Rule(Refused::TooMany), "too_many"),
            (Why::TooOften, "too_often"),
            (Why::NotRegistered, "not_registered"),
        ] {
            let said = text(&Reply::Refused(why));
            assert_eq!(said, format!(r#"{{"kith":"refused","ticket":3,"code":"{code}"}}"#));
        }
        let one = Directory { epoch: 1, version: 2, members: vec![listed(5)] };
        let member = "07".repeat(32);
        assert_eq!(
            text(&Reply::Directory(Arc::new(one))),
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
