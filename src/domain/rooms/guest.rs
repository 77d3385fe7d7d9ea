//! Whoever is in a room.

use std::sync::Arc;

use crate::domain::{
    dialect::Dialect,
    id::{HomeId, KeyId},
};

/// Somebody in a room, as this home numbers and names her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The number by which this home's clients tell guests apart. Never given twice while the house stands, and the
    /// same in every room.
    pub number: u32,
    /// Who.
    pub member: KeyId,
    /// What she is called: her nick or user id, or the beginning of her fingerprint.
    pub name: Arc<str>,
    /// The protocol she speaks; none, if only newer programs than this one know it.
    pub dialect: Option<Dialect>,
    /// Where she is.
    pub home: HomeId,
}

/// A guest as her home tells others about her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The number that her home gives her.
    pub number: u32,
    /// Who.
    pub member: KeyId,
    /// What she is called.
    pub name: Arc<str>,
    /// The protocol she speaks; none, if only newer programs than this one know it.
    pub dialect: Option<Dialect>,
}
