//! One sealed link as a value: two nodes describe themselves, prove it, decide whether they believe each other, and seal
//! everything from there on.
//!
//! Frames and the time come in, frames and what is to be known go out; the same on a socket and through a relay. What is
//! signed covers both descriptions, with nonces and halves of the secret made for this one link, so nothing of it can be
//! repeated, reflected or mixed with another link.

use std::sync::Arc;

use super::wire::{Card, Claim, FRAME_BYTES, Proof, Refusal, Text, VERSIONS, Word, kind};
use crate::{
    crypto::{
        channel::{Channel, Ephemeral, Purpose},
        keys::{KeyError, PrivateKey, PublicKey},
        signature::{Question, Salt, Verifier, sign},
    },
    dialect::kith::wire,
    domain::{
        Moment,
        endpoint::Endpoint,
        id::KeyId,
        node::Rank,
        vigil::{Due, Patience, Vigil},
    },
};

/// How long the other side may take to prove itself, how often a silent one is asked, and when it is believed to be gone.
const PATIENCE: Patience = Patience { hello_s: 10, ping_s: 15, silence_s: 45 };
/// The shortest key that is believed.
const LEAST_KEY_BITS: u32 = 2048;

/// Who we are.
#[derive(Clone, Debug)]
pub(super) struct Me {
    pub(super) at: Endpoint,
    pub(super) key: Arc<PrivateKey>,
}

/// Who the other side has proven to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Them {
    /// Where it says that it listens.
    pub at: Endpoint,
    /// The digest of its key.
    pub key: KeyId,
    /// Of the one who dialled.
    pub rank: Rank,
}

/// What comes of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Out {
    /// Send this.
    Frame(Vec<u8>),
    /// This is proven; [`Seal::accept`] or [`Seal::refuse`]?
    Asks(Them),
    /// Both believe each other: it is a link.
    Greeted(Them),
    /// The other side says this.
    Text(Text),
}

/// Why a link is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It has not proven itself in time.
    #[error("it did not say who it is in time")]
    NoProof,
    /// Nothing was heard of it for too long.
    #[error("nothing was heard of it for too long")]
    Silent,
    /// It said what means nothing here, or what does not open.
    #[error("it said something that cannot be read")]
    Malformed,
    /// A key that is none, or too short.
    #[error("its key is not one that can be believed")]
    BadKey,
    /// The signature is not of the key that it shows.
    #[error("it could not prove its key")]
    BadProof,
    /// It refuses the link.
    #[error("it refuses the link: {0}")]
    TheyRefuse(Refusal),
    /// We refuse it.
    #[error("refused: {0}")]
    WeRefuse(Refusal),
    /// It says goodbye.
    #[error("it has left")]
    Bye,
}

impl From<KeyError> for Broken {
    fn from(_: KeyError) -> Self {
        Self::BadKey
    }
}

type Step = Result<(), Broken>;

/// How far a link is.
enum State {
    /// We dialled, and wait for the card of the other side.
    Dialled(Ephemeral),
    /// We were dialled, have sent our card, and wait for a claim.
    Carded(Ephemeral),
    /// We dialled and have sent our claim; this text they have to sign.
    Claimed { channel: Channel, them: Them, key: PublicKey, text: Vec<u8> },
    /// They have proven themselves; whoever runs this is asked whether to believe it. Who was dialled still has to sign.
    Asking { channel: Channel, them: Them, text: Option<Vec<u8>> },
    /// We were dialled and have proven ourselves.
    Proven { channel: Channel, them: Them },
    /// It is a link.
    Open(Channel),
    /// It was one.
    Over,
}

/// One sealed link.
pub(super) struct Seal {
    me: Me,
    card: Vec<u8>,
    rank: Rank,
    we_dialled: bool,
    state: State,
    vigil: Vigil,
    wakes_at: Moment,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Seal(at {}, {})", self.me.at, if self.we_dialled { "dialled" } else { "answering" })
    }
}

impl Seal {
    /// The side that has dialled. Whether the other one understands it is known already.
    pub(super) fn dial(me: &Me, rank: Rank, dialled: Endpoint, now: Moment) -> Result<Self, Broken> {
        Self::new(me, rank, &dialled.to_string(), true, now)
    }

    /// The side that was dialled: it shows its card.
    pub(super) fn answer(me: &Me, rank: Rank, now: Moment, out: &mut Vec<Out>) -> Result<Self, Broken> {
        let seal = Self::new(me, rank, "", false, now)?;
        out.push(Out::Frame(seal.card.clone()));
        Ok(seal)
    }

    fn new(me: &Me, rank: Rank, dialled: &str, we_dialled: bool, now: Moment) -> Result<Self, Broken> {
        let ephemeral = Ephemeral::generate()?;
        let card = Card {
            versions: VERSIONS,
            nonce: ephemeral.nonce(),
            ephemeral: ephemeral.public(),
            at: me.at.to_string(),
            dialled: dialled.to_owned(),
            seq: rank.seq,
            key: me.key.public().spki().to_vec(),
        };
        let card = wire::encode(kind::CARD, &card).to_vec();
        let state = if we_dialled { State::Dialled(ephemeral) } else { State::Carded(ephemeral) };
        Ok(Self { me: me.clone(), card, rank, we_dialled, state, vigil: Vigil::new(now), wakes_at: now })
    }

    /// When it wants to be woken although nothing has come.
    pub(super) const fn wakes_at(&self) -> Moment {
        self.wakes_at
    }

    /// Looks at the time.
    pub(super) fn wake(&mut self, now: Moment, out: &mut Vec<Out>) -> Step {
        loop {
            match self.vigil.due(now, PATIENCE) {
                Due::Sleep(until) => {
                    self.wakes_at = until;
                    return Ok(());
                }
                Due::Ping => out.extend(self.seal(&Word::Ping).map(Out::Frame)),
                Due::End(_) => {
                    let was_open = matches!(self.state, State::Open(_));
                    self.state = State::Over;
                    return Err(if was_open { Broken::Silent } else { Broken::NoProof });
                }
            }
        }
    }

    /// Seals a text; nothing while there is no link.
    pub(super) fn say(&mut self, text: Text) -> Option<Vec<u8>> {
        self.seal(&Word::Text(text))
    }

    /// Says goodbye; nothing if there is nobody to say it to.
    pub(super) fn goodbye(&mut self) -> Option<Vec<u8>> {
        let bye = self.seal(&Word::Bye);
        self.state = State::Over;
        bye
    }

    fn seal(&mut self, word: &Word) -> Option<Vec<u8>> {
        match &mut self.state {
            State::Open(channel) => Some(channel.seal(&word.bytes()).to_vec()),
            _ => None,
        }
    }

    /// A frame has come.
    pub(super) fn receive(&mut self, frame: &[u8], now: Moment, out: &mut Vec<Out>) -> Step {
        if frame.len() > FRAME_BYTES {
            return Err(Broken::Malformed);
        }
        self.vigil.heard(now);
        let before = std::mem::replace(&mut self.state, State::Over);
        let (kind, body) = frame.split_first().ok_or(Broken::Malformed)?;
        let is_refused = *kind == kind::REFUSED;
        self.state = match before {
            State::Dialled(_) | State::Carded(_) | State::Claimed { .. } if is_refused => {
                return Err(Broken::TheyRefuse(Refusal::read(body)));
            }
            State::Dialled(ephemeral) if *kind == kind::CARD => self.claim(ephemeral, frame, out)?,
            State::Carded(ephemeral) if *kind == kind::CLAIM => self.check(ephemeral, body, out)?,
            State::Claimed { channel, them, key, text } if *kind == kind::PROOF => {
                let Proof { signature } = wire::decode(body).map_err(|_| Broken::Malformed)?;
                verify(&key, text, signature)?;
                out.push(Out::Asks(them));
                State::Asking { channel, them, text: None }
            }
            State::Proven { mut channel, them } => {
                let first = channel.open(frame.to_vec().into()).ok_or(Broken::Malformed)?;
                match Word::read(&first) {
                    Some(Word::Ready) => {}
                    Some(Word::Refused(why)) => return Err(Broken::TheyRefuse(why)),
                    _ => return Err(Broken::Malformed),
                }
                self.greet(them, out);
                State::Open(channel)
            }
            State::Open(mut channel) => {
                let word = channel.open(frame.to_vec().into()).ok_or(Broken::Malformed)?;
                match Word::read(&word) {
                    Some(Word::Text(text)) => out.push(Out::Text(text)),
                    Some(Word::Ping) => out.push(Out::Frame(channel.seal(&Word::Pong.bytes()).to_vec())),
                    Some(Word::Bye) => return Err(Broken::Bye),
                    Some(Word::Refused(why)) => return Err(Broken::TheyRefuse(why)),
                    Some(Word::Ready | Word::Pong) | None => {}
                }
                State::Open(channel)
            }
            _ => return Err(Broken::Malformed),
        };
        Ok(())
    }

    fn greet(&mut self, them: Them, out: &mut Vec<Out>) {
        self.vigil.introduced();
        out.push(Out::Greeted(them));
    }

    /// We dialled, and this is the card of the other side: ours, and the proof of it.
    fn claim(&self, ephemeral: Ephemeral, card: &[u8], out: &mut Vec<Out>) -> Result<State, Broken> {
        let (theirs, key) = read_card(card, out)?;
        let transcript = |by_dialler| Purpose::Nodes.transcript(by_dialler, &self.card, card);
        let ours = transcript(true);
        let signature = sign(&self.me.key, &ours, Salt::Digest)?;
        let claim = Claim { card: self.card.clone(), signature };
        out.push(Out::Frame(wire::encode(kind::CLAIM, &claim).to_vec()));
        let channel = ephemeral.agree(Purpose::Nodes, &theirs.ephemeral, &ours, true)?;
        let them = Them { at: endpoint(&theirs.at)?, key: key.id(), rank: self.rank };
        Ok(State::Claimed { channel, them, key, text: transcript(false) })
    }

    /// We were dialled, and this is who says to have done it.
    fn check(&self, ephemeral: Ephemeral, body: &[u8], out: &mut Vec<Out>) -> Result<State, Broken> {
        let Claim { card, signature } = wire::decode(body).map_err(|_| Broken::Malformed)?;
        let (theirs, key) = read_card(&card, out)?;
        let transcript = |by_dialler| Purpose::Nodes.transcript(by_dialler, &card, &self.card);
        verify(&key, transcript(true), signature)?;
        if endpoint(&theirs.dialled)? != self.me.at {
            out.push(Out::Frame(Refusal::Misdialled.frame()));
            return Err(Broken::WeRefuse(Refusal::Misdialled));
        }
        let channel = ephemeral.agree(Purpose::Nodes, &theirs.ephemeral, &transcript(true), false)?;
        let at = endpoint(&theirs.at)?;
        let them = Them { at, key: key.id(), rank: Rank { seq: theirs.seq, address: at } };
        out.push(Out::Asks(them));
        Ok(State::Asking { channel, them, text: Some(transcript(false)) })
    }

    /// What was asked about is believed.
    pub(super) fn accept(&mut self, out: &mut Vec<Out>) -> Step {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Asking { channel, them, text: Some(text) } => {
                let signature = sign(&self.me.key, &text, Salt::Digest)?;
                out.push(Out::Frame(wire::encode(kind::PROOF, &Proof { signature }).to_vec()));
                State::Proven { channel, them }
            }
            State::Asking { mut channel, them, text: None } => {
                out.push(Out::Frame(channel.seal(&Word::Ready.bytes()).to_vec()));
                self.greet(them, out);
                State::Open(channel)
            }
            other => other,
        };
        Ok(())
    }

    /// What was asked about is not believed.
    pub(super) fn refuse(&mut self, why: Refusal, out: &mut Vec<Out>) -> Broken {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asking { mut channel, text: None, .. } => {
                out.push(Out::Frame(channel.seal(&Word::Refused(why).bytes()).to_vec()));
            }
            State::Asking { .. } => out.push(Out::Frame(why.frame())),
            _ => {}
        }
        Broken::WeRefuse(why)
    }
}

fn read_card(frame: &[u8], out: &mut Vec<Out>) -> Result<(Card, PublicKey), Broken> {
    let body = frame.strip_prefix(&[kind::CARD]).ok_or(Broken::Malformed)?;
    let card: Card = wire::decode(body).map_err(|_| Broken::Malformed)?;
    if card.versions.0 > VERSIONS.1 || card.versions.1 < VERSIONS.0 {
        out.push(Out::Frame(Refusal::NoCommonVersion.frame()));
        return Err(Broken::WeRefuse(Refusal::NoCommonVersion));
    }
    let key = PublicKey::from_der(&card.key)?;
    if key.bits() < LEAST_KEY_BITS {
        return Err(Broken::BadKey);
    }
    Ok((card, key))
}

fn endpoint(text: &str) -> Result<Endpoint, Broken> {
    text.parse().map_err(|_| Broken::Malformed)
}

fn verify(key: &PublicKey, text: Vec<u8>, signature: Vec<u8>) -> Step {
    let question = Question { texts: vec![text], signature, salt: Some(Salt::Digest) };
    Verifier::new(key)?.judge(&question).map(|_| ()).ok_or(Broken::BadProof)
}
