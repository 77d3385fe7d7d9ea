//! Why a neighbourhood cannot be started, or a wish cannot be granted.

use std::{io, path::PathBuf};

use crate::{cli::admin::api::Trouble, identity::IdentityError};

/// Why a command of `kith mesh` failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum MeshError {
    /// Keys, or the record of the mesh.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Another one looks after this folder.
    #[error("another `kith mesh up` looks after {0}")]
    InUse(PathBuf),
    /// Nobody looks after this folder.
    #[error("no neighbourhood runs in {}; start one with: {}", .0.display(), .1)]
    NotRunning(PathBuf, String),
    /// The record is unreadable.
    #[error("{path}: {problem}")]
    Record {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A port that somebody else has.
    #[error("port {port}: {error}")]
    Port {
        /// Which one.
        port: u16,
        /// What the system says.
        error: io::Error,
    },
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The one who looks after the mesh said no, and why.
    #[error("{0}")]
    Refused(String),
    /// The admin door of a server.
    #[error(transparent)]
    Api(#[from] Trouble),
    /// Anything else the system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It was told already.
    #[error("")]
    Said,
}
