//! A sealed channel between two programs that have just proven their keys to each other.
//!
//! Each side makes an X25519 key for this one connection and puts it into what both sign, so the secret
//! they agree on belongs to exactly these two and is worth nothing later. Every message is
//! sealed with AES-256-GCM under a counter: nobody in between can read, change, drop, repeat or reorder
//! one without the channel breaking.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
    hkdf,
    rand::{SecureRandom as _, SystemRandom},
};
use bytes::{Bytes, BytesMut};

use super::keys::KeyError;

/// Who speaks on a channel. Its name is in everything that is signed and derived, so that nothing of one protocol is
/// worth anything in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Two servers.
    Servers,
    /// Two nodes of a mesh.
    Nodes,
    /// Two nodes of one home, of which one copies the other's database.
    Copy,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Servers => "kith.peer.v1",
            Self::Nodes => "kith.node.v1",
            Self::Copy => "kith.copy.v1",
        }
    }

    /// The text that one side signs about what both have said of themselves. The two sides sign different words, so that
    /// nobody can hand a proof back.
    #[must_use]
    pub fn transcript(self, by_dialler: bool, of_dialler: &[u8], of_answerer: &[u8]) -> Vec<u8> {
        let words = if by_dialler { "I dialled" } else { "I was dialled" };
        let words = format!("{}: {words}\n", self.name());
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
        [words.as_bytes(), &length(of_dialler), of_dialler, &length(of_answerer), of_answerer].concat()
    }
}

/// What this side makes up for one connection.
pub struct Ephemeral {
    private: EphemeralPrivateKey,
    public: [u8; 32],
    nonce: [u8; 32],
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ephemeral")
    }
}

impl Ephemeral {
    /// Makes it up.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&X25519, &random).map_err(|_| KeyError::NotMade)?;
        let key = private.compute_public_key().map_err(|_| KeyError::NotMade)?;
        let public = key.as_ref().try_into().map_err(|_| KeyError::NotMade)?;
        let mut nonce = [0; 32];
        random.fill(&mut nonce).map_err(|_| KeyError::NotMade)?;
        Ok(Self { private, public, nonce })
    }

    /// The half that the other side is told.
    #[must_use]
    pub const fn public(&self) -> [u8; 32] {
        self.public
    }

    /// What nobody could know before.
    #[must_use]
    pub const fn nonce(&self) -> [u8; 32] {
        self.nonce
    }

    /// The channel to the side that told us `theirs`, bound to what both have signed: the text of the dialler.
    ///
    /// # Errors
    /// That is no key.
    pub fn agree(
        self,
        purpose: Purpose,
        theirs: &[u8; 32],
        transcript: &[u8],
        we_dialled: bool,
    ) -> Result<Channel, KeyError> {
        let theirs = UnparsedPublicKey::new(&X25519, theirs);
        agree_ephemeral(self.private, theirs, KeyError::NotMade, |secret| {
            let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, transcript).extract(secret);
            let out = half(&secret, &format!("{} from the dialler", purpose.name()))?;
            let back = half(&secret, &format!("{} to the dialler", purpose.name()))?;
            let (mine, theirs) = if we_dialled { (out, back) } else { (back, out) };
            Ok(Channel { mine, theirs })
        })
    }
}

fn half(secret: &hkdf::Prk, info: &str) -> Result<Half, KeyError> {
    let mut key = [0; 32];
    let info = [info.as_bytes()];
    let expanded = secret.expand(&info, &AES_256_GCM).map_err(|_| KeyError::NotMade)?;
    expanded.fill(&mut key).map_err(|_| KeyError::NotMade)?;
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| KeyError::NotMade)?;
    Ok(Half { key: LessSafeKey::new(key), count: 0 })
}

/// One direction.
struct Half {
    key: LessSafeKey,
    count: u64,
}

impl Half {
    /// Counts up and is never used twice: at a million messages a second it lasts for 500,000 years.
    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().skip(4).zip(self.count.to_be_bytes()) {
            *to = from;
        }
        self.count += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Both directions.
pub struct Channel {
    mine: Half,
    theirs: Half,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Channel({} out, {} in)", self.mine.count, self.theirs.count)
    }
}

impl Channel {
    /// Seals the next message to the other side.
    #[must_use]
    pub fn seal(&mut self, message: &[u8]) -> Bytes {
        let nonce = self.mine.nonce();
        let mut sealed = Vec::with_capacity(message.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(message);
        // Only a message of many gigabytes could fail.
        let _ = self.mine.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed);
        sealed.into()
    }

    /// Opens the next message of the other side; `None` if it is not the next one or not theirs.
    #[must_use]
    pub fn open(&mut self, sealed: Bytes) -> Option<Bytes> {
        let nonce = self.theirs.nonce();
        let mut message = BytesMut::from(sealed);
        let length = self.theirs.key.open_in_place(nonce, Aad::empty(), &mut message).ok()?.len();
        message.truncate(length);
        Some(message.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(transcript: [&[u8]; 2]) -> (Channel, Channel) {
        let (one, two) = (Ephemeral::generate().expect("one"), Ephemeral::generate().expect("two"));
        let (first, second) = (one.public(), two.public());
        (
            one.agree(Purpose::Servers, &second, transcript[0], true).expect("a channel"),
            two.agree(Purpose::Servers, &first, transcript[1], false).expect("a channel"),
        )
    }

    #[test]
    fn what_is_sealed_is_opened_once_and_in_order() {
        let (mut one, mut two) = pair([b"same", b"same"]);
        let sealed: Vec<_> = ["a", "b", ""].iter().map(|text| one.seal(text.as_bytes())).collect();
        assert_eq!(two.open(sealed[0].clone()).as_deref(), Some(&b"a"[..]));
        assert_eq!(two.open(sealed[1].clone()).as_deref(), Some(&b"b"[..]));
        assert_eq!(two.open(sealed[1].clone()), None, "repeated");
        let answer = two.seal(b"yes");
        assert_eq!(one.open(answer).as_deref(), Some(&b"yes"[..]));
    }

    #[test]
    fn channels_of_another_purpose_do_not_fit() {
        let (one, two) = (Ephemeral::generate().expect("one"), Ephemeral::generate().expect("two"));
        let (first, second) = (one.public(), two.public());
        let mut one = one.agree(Purpose::Servers, &second, b"same", true).expect("a channel");
        let mut two = two.agree(Purpose::Nodes, &first, b"same", false).expect("a channel");
        assert_eq!(two.open(one.seal(b"hello")), None);
        assert_ne!(
            Purpose::Servers.transcript(true, b"a", b"b"),
            Purpose::Nodes.transcript(true, b"a", b"b")
        );
        assert_ne!(Purpose::Nodes.transcript(true, b"a", b"b"), Purpose::Nodes.transcript(false, b"a", b"b"));
        assert_ne!(Purpose::Nodes.transcript(true, b"ab", b""), Purpose::Nodes.transcript(true, b"a", b"b"));
    }

    #[test]
    fn a_changed_or_foreign_message_breaks_the_channel() {
        let (mut one, mut two) = pair([b"same", b"same"]);
        let mut sealed = one.seal(b"pay 10").to_vec();
        sealed[4] ^= 1;
        assert_eq!(two.open(sealed.into()), None);
        let (mut one, mut two) = pair([b"one", b"another"]);
        assert_eq!(two.open(one.seal(b"hello")), None, "they have signed different things");
        let (mut one, _) = pair([b"same", b"same"]);
        let own = one.seal(b"hello");
        assert_eq!(one.open(own), None, "reflected");
    }
}
