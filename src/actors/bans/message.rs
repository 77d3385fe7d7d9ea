//! What can be said to the warden.

use std::sync::Arc;

use actix::Message;

use crate::{
    crypto::keys::PublicKey,
    dialect::kith::bans::Signed,
    domain::{
        bans::{Ban, BanId, Draft},
        id::KeyId,
    },
    store::StoreError,
};

/// The operator bans somebody. Answered once that is on disk and in force.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Ban, MakeError>")]
pub struct Make(pub Draft);

/// Why a ban is not made.
#[derive(Debug)]
pub enum MakeError {
    /// There is one of exactly this target.
    Known(BanId),
    /// There are as many as there may be.
    TooMany,
    /// It could not be written down.
    Store(StoreError),
}

/// The operator lifts a ban.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<Ban, LiftError>")]
pub struct Lift(pub BanId);

/// Why a ban is not lifted.
#[derive(Debug)]
pub enum LiftError {
    /// There is none of that id.
    Unknown,
    /// It stands in the list of the neighbour with this key.
    Listed(KeyId),
    /// That could not be written down.
    Store(StoreError),
}

/// A neighbour that is subscribed to tells its bans.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<(), ListError>")]
pub struct Hear {
    /// The key that it has proven.
    pub key: Arc<PublicKey>,
    /// What it says, and its signature, which nobody has looked at.
    pub signed: Signed,
}

/// Why a list does not count. The one before stays in force.
#[derive(Debug)]
pub enum ListError {
    /// That key did not sign it.
    BadSignature,
    /// It is no list, or has more in it than we take.
    Malformed,
    /// A newer one is known.
    Old,
    /// It could not be checked or written down.
    Failed,
}

/// A neighbour is no longer one: its list does not count any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Forget(pub KeyId);
