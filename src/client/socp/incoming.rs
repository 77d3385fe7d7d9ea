//! What others say: letters and files, and how far they are believed.

use super::{
    Session,
    letter::{self, Proof},
    say::PUBLIC,
    seal,
};
use crate::{
    client::{
        event::{Author, Doubt, Event, Output, Rejection},
        person::PersonId,
    },
    dialect::{
        socp::{
            binary,
            envelope::Envelope,
            kind::Kind,
            payload::{File, Letter, is_user_name},
            sign,
        },
        trace,
    },
};

impl Session {
    pub(super) fn on_letter(&mut self, envelope: &Envelope<'_>, is_private: bool, out: &mut Vec<Output>) {
        let Ok(letter) = Letter::read(envelope.payload()) else { return };
        let named = letter::author(envelope, letter.author(), &self.server, &self.directory);
        let is_sure = named.as_ref().is_some_and(|named| named.is_sure);
        let author = named.map(|named| named.who);
        if author.as_ref() == Some(&self.me) {
            return;
        }
        let claimed = author.as_ref().map_or("nobody", PersonId::as_str).to_owned();
        let text = if is_private {
            letter::private_text(&letter, &self.opener)
        } else {
            letter::public_text(&letter, &self.opener)
        };
        let Some(text) = text else {
            out.push(Output::Event(Event::Unreadable { claimed, is_private }));
            return;
        };
        let to = if is_user_name(&envelope.to) { &*envelope.to } else { self.me.as_str() };
        let proof = author.as_ref().map_or(Proof::None(Doubt::NoKey), |author| {
            let to = is_private.then_some(to);
            letter::judge(&mut self.directory, author, envelope, &letter, to)
        });
        let event = match (author, self.believe(proof, &claimed, is_sure, out)) {
            (Some(from), Ok(())) => match (self.is_new(letter.content_sig.as_deref()), is_private) {
                (false, _) => Event::Rejected { from, why: Rejection::Repeated },
                (true, false) => Event::Public { from, text },
                (true, true) => Event::Private { from, to: vec![Author::Known(self.me.clone())], text },
            },
            (None, Ok(())) => return,
            (_, Err(why)) => Event::Unverified { claimed, text, is_private, why },
        };
        out.push(Output::Event(event));
    }

    /// Whether a signature has not come before, in whatever spelling.
    fn is_new(&mut self, signature: Option<&str>) -> bool {
        let bytes = signature.and_then(sign::decode).unwrap_or_default();
        self.seen.admit(trace(bytes))
    }

    /// What follows from a proof.
    fn believe(
        &mut self,
        proof: Proof,
        author: &str,
        is_sure: bool,
        out: &mut Vec<Output>,
    ) -> letter::Doubted {
        let author = PersonId::new(author);
        match proof {
            Proof::Known => Ok(()),
            Proof::First(key) if is_sure => {
                self.offered(&author, &key, out);
                self.write_down(out);
                Ok(())
            }
            Proof::First(_) => Err(Doubt::NoKey),
            Proof::Other(key) => {
                if is_sure {
                    self.offered(&author, &key, out);
                }
                Err(Doubt::OtherKey)
            }
            Proof::None(doubt) => Err(doubt),
        }
    }

    pub(super) fn on_file(
        &mut self,
        kind: Kind,
        envelope: &Envelope<'_>,
        now_ms: i64,
        out: &mut Vec<Output>,
    ) {
        let Ok(file) = File::read(envelope.payload()) else { return };
        let author = letter::author(envelope, file.sender.as_deref(), &self.server, &self.directory)
            .map(|named| named.who);
        if author.as_ref() == Some(&self.me) {
            return;
        }
        let claimed = author.as_ref().map_or("nobody", PersonId::as_str).to_owned();
        let event = match kind {
            Kind::FileStart | Kind::UserStart => {
                let is_public = file.mode.as_deref() == Some(PUBLIC) || !is_user_name(&envelope.to);
                let doubted = author.as_ref().map_or(Err(Doubt::NoKey), |author| {
                    letter::has_signed(&mut self.directory, author, envelope)
                });
                if doubted.is_ok() && !self.is_new(envelope.sig.as_deref()) {
                    return;
                }
                let from = match (author, doubted) {
                    (Some(author), Ok(())) => Ok(author),
                    (_, doubted) => Err((claimed.clone(), doubted.err().unwrap_or(Doubt::NoKey))),
                };
                self.arrivals.start(&claimed, from, &file, !is_public, now_ms)
            }
            Kind::FileChunk | Kind::UserChunk => {
                let Some(is_private) = self.arrivals.is_private(&claimed, &file) else { return };
                let ciphertext = file.ciphertext.as_deref().unwrap_or_default();
                let bytes = if is_private {
                    seal::open(ciphertext, &self.opener)
                } else {
                    binary::decode(ciphertext)
                };
                self.arrivals.part(&claimed, &file, bytes, now_ms)
            }
            _ => self.arrivals.end(&claimed, &file),
        };
        out.extend(event.map(Output::Event));
    }
}
