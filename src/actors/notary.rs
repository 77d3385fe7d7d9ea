//! Signatures, off the workers: one thread per core that checks those of others and makes our own.
//! Parsed keys are kept.
//!
//! A key always goes to the same thread, so checks of one sender keep their order and its parsed key
//! is found again. Every connection has at most one check under way, and the gate bounds them per
//! address, so the queues are bounded by the number of connections.

use std::{
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use lru::LruCache;
use tokio::sync::oneshot;

use super::tally::Tally;
use crate::{
    crypto::{
        keys::PrivateKey,
        sha256,
        signature::{Question, Salt, Verdict, Verifier, sign},
    },
    dialect::{
        event::{Check, Hand},
        press,
    },
    domain::{id::KeyId, letter::Letter, member::Member},
};

/// Parsed keys that one thread keeps; each takes a few KiB.
const KEPT_KEYS: NonZeroUsize = NonZeroUsize::new(1024).expect("more than none");

enum Job {
    Check(Check, oneshot::Sender<Verdict>),
    Letter(Box<Letter>, Arc<Member>, oneshot::Sender<Verdict>),
    Sign(Hand, Vec<u8>, oneshot::Sender<Vec<u8>>),
}

/// Signatures that one thread keeps for texts that go to many: half a KiB each.
const KEPT_SIGNATURES: NonZeroUsize = NonZeroUsize::new(4096).expect("more than none");

/// Our own keys, as far as they sign.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key of this server.
    pub server: Arc<PrivateKey>,
    /// The key that OLAF prescribes.
    pub olaf: Arc<PrivateKey>,
}

/// A check or a signature that nobody could finish. It says nothing about either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

/// The way to the notaries. The threads end when the last copy is dropped.
#[derive(Clone, Debug)]
pub struct Notary {
    desks: Vec<Sender<Job>>,
}

impl Notary {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(threads: usize, keys: &Keys, tally: &Tally) -> io::Result<Self> {
        let desks = (0..threads.max(1)).map(|number| desk(number, keys.clone(), tally.clone()));
        Ok(Self { desks: desks.collect::<io::Result<_>>()? })
    }

    /// Has a signature checked.
    ///
    /// # Errors
    /// The check itself failed, or the house is closing.
    pub async fn judge(&self, check: Check) -> Result<Verdict, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let key = check.key.id();
        let at = usize::from(key.0[0]) % self.desks.len();
        let desk = self.desks.get(at).ok_or(Unanswered)?;
        desk.send(Job::Check(check, reply)).map_err(|_| Unanswered)?;
        answer.await.map_err(|_| Unanswered)
    }

    /// Finds out whether a letter is signed by this member.
    ///
    /// # Errors
    /// Nothing in it can be checked, the check itself failed, or the house is closing.
    pub async fn judge_letter(&self, letter: Letter, member: Arc<Member>) -> Result<Verdict, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let at = usize::from(member.key.0[0]) % self.desks.len();
        let desk = self.desks.get(at).ok_or(Unanswered)?;
        desk.send(Job::Letter(Box::new(letter), member, reply)).map_err(|_| Unanswered)?;
        answer.await.map_err(|_| Unanswered)
    }

    /// Signs in our own name.
    ///
    /// # Errors
    /// The system gave no randomness, or the house is closing.
    pub async fn sign(&self, hand: Hand, text: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        let (reply, answer) = oneshot::channel();
        // Equal texts meet at one desk, where the first one is signed for all.
        let at = match hand {
            Hand::Herald => usize::from(sha256(&text)[0]) % self.desks.len(),
            Hand::Server | Hand::Olaf => self.desks.len() - 1,
        };
        let desk = self.desks.get(at).ok_or(Unanswered)?;
        desk.send(Job::Sign(hand, text, reply)).map_err(|_| Unanswered)?;
        answer.await.map_err(|_| Unanswered)
    }
}

fn desk(number: usize, keys: Keys, tally: Tally) -> io::Result<Sender<Job>> {
    let (sender, jobs) = channel();
    let name = format!("notary-{number}");
    thread::Builder::new().name(name).spawn(move || work(&jobs, &keys, &tally, Verifier::judge))?;
    Ok(sender)
}

fn work(jobs: &Receiver<Job>, own: &Keys, tally: &Tally, judge: impl Fn(&Verifier, &Question) -> Verdict) {
    let mut keys: LruCache<KeyId, Verifier> = LruCache::new(KEPT_KEYS);
    let mut signatures: LruCache<[u8; 32], Vec<u8>> = LruCache::new(KEPT_SIGNATURES);
    for job in jobs {
        let (check, reply) = match job {
            // A connection that is gone does not wait for its answer.
            Job::Check(_, reply) if reply.is_closed() => continue,
            Job::Check(check, reply) => (check, reply),
            Job::Letter(letter, member, reply) => match press::question(&letter, &member) {
                Some(check) => (check, reply),
                None => continue,
            },
            Job::Sign(hand, text, reply) => {
                let mut was_kept = true;
                let mut by = |key| {
                    was_kept = false;
                    sign(key, &text, Salt::Digest)
                };
                let signature = match hand {
                    Hand::Server => by(&own.server),
                    Hand::Olaf => by(&own.olaf),
                    Hand::Herald => signatures.try_get_or_insert(sha256(&text), || by(&own.server)).cloned(),
                };
                // Without a signature the sender is dropped, which is an answer, too.
                if let Ok(signature) = signature {
                    tally.signature(was_kept);
                    let _ = reply.send(signature);
                }
                continue;
            }
        };
        // A stranger's bytes may find a bug in a library. It costs that stranger its answer, and nobody
        // else the desk.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let verifier = keys.try_get_or_insert(check.key.id(), || Verifier::new(&check.key));
            verifier.ok().and_then(|verifier| judge(verifier, &check.question))
        }));
        match judged {
            Ok(verdict) => drop(reply.send(verdict)),
            Err(_) => drop(keys.pop(&check.key.id())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check whose second text is the one that was signed.
    fn check(key: &PrivateKey, text: &[u8]) -> Check {
        let signature = sign(key, text, Salt::Digest).expect("a signature");
        let question = Question { texts: vec![b"another".to_vec(), text.to_vec()], signature, salt: None };
        Check { key: Arc::new(key.public().clone()), question }
    }

    #[actix_web::test]
    async fn a_check_that_fails_costs_one_answer_and_not_the_desk() {
        let key = PrivateKey::generate(2048).expect("a key");
        let (desk, jobs) = channel();
        let own = Arc::new(PrivateKey::generate(2048).expect("a key"));
        let own = Keys { server: Arc::clone(&own), olaf: own };
        thread::spawn(move || {
            work(&jobs, &own, &Tally::default(), |verifier, question| {
                assert!(question.texts[1] != b"poison", "a library failed");
                verifier.judge(question)
            });
        });
        let notary = Notary { desks: vec![desk] };
        assert_eq!(notary.judge(check(&key, b"good")).await, Ok(Some((1, Salt::Digest))));
        assert_eq!(notary.judge(check(&key, b"poison")).await, Err(Unanswered));
        assert_eq!(notary.judge(check(&key, b"good again")).await, Ok(Some((1, Salt::Digest))));
    }
}
