//! What can be wrong with the settings, and where each value came from.
//!
//! Every error names the key and its source, because an operator who reads it has five places in
//! which the mistake may stand.

use std::fmt;
use std::path::PathBuf;

use super::environment::Environment;

/// Where a value came from. Later kinds win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The `base.yaml` inside the program.
    Base,
    /// The file of an environment inside the program.
    Environment(Environment),
    /// A file on disk.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag.
    CommandLine,
}

impl Origin {
    /// The short form, for the margin of `kith config print`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Base => "base".to_owned(),
            Self::Environment(environment) => environment.name().to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) => name.clone(),
            Self::CommandLine => "command line".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => out.write_str("in the built-in base.yaml"),
            Self::Environment(environment) => write!(out, "in the built-in {environment}.yaml"),
            Self::File(path) => write!(out, "in {}", path.display()),
            Self::Variable(name) => write!(out, "in environment variable {name}"),
            Self::CommandLine => out.write_str("on the command line"),
        }
    }
}

/// Why the settings were refused. Nothing is started with settings that are only half understood.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key that nobody reads: most often a slip of the pen, which would otherwise go unnoticed.
    #[error("unknown setting {key:?} {origin}{}", hint(.nearest.as_deref()))]
    Unknown {
        /// The key as written, dotted.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A value of another type than the key has.
    #[error("setting {key:?} {origin} must be {expected}, but is {found}")]
    WrongType {
        /// The key, dotted.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What the key holds.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A value of the right type that cannot be read: out of range, or no address, dialect or name.
    #[error("setting {key:?} {origin} is not usable: {problem}")]
    Unusable {
        /// The key, dotted.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        problem: String,
    },
    /// Values that are each fine but do not fit together, or that would make the server useless.
    #[error("setting {key:?} {origin} makes no sense: {problem}")]
    Senseless {
        /// The key, dotted.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        problem: String,
    },
    /// Text that is no YAML, or no table of sections.
    #[error("the settings {origin} cannot be read as yaml: {problem}")]
    Syntax {
        /// Where it stands.
        origin: Origin,
        /// What the parser said.
        problem: String,
    },
    /// `KITH_ENV` names no environment.
    #[error("KITH_ENV is {0:?}, but must be local, test or production")]
    UnknownEnvironment(String),
    /// A file that was asked for by name and cannot be read.
    #[error("the settings file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The file of SOCP introducers.
    #[error("socp.bootstrap: {}: {problem}", path.display())]
    Bootstrap {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder that was asked for by name and holds no settings.
    #[error("KITH_SETTINGS_DIR is {}, which holds neither base.yaml nor {environment}.yaml", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// The environment whose file was sought.
        environment: Environment,
    },
    /// Our own fault: the values passed every check and still do not fit the types.
    #[error("the settings do not fit their own description: {0}")]
    Inconsistent(String),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean {key:?}?"))
}
