//! The environments a server runs in, and the settings files the program carries for each of them.

use std::fmt;

/// Every setting with its default: the list of known keys, and the type of each.
pub(super) const BASE: &str = include_str!("../../settings/base.yaml");

/// What a server is run for. Named by `KITH_ENV`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// On one's own machine.
    #[default]
    Local,
    /// In an automatic test.
    Test,
    /// For people.
    Production,
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Local, Self::Test, Self::Production];

    /// The name used in `KITH_ENV` and for the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Test => "test",
            Self::Production => "production",
        }
    }

    /// The environment of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|environment| environment.name() == name)
    }

    /// The settings that the program carries for it.
    pub(super) const fn embedded(self) -> &'static str {
        match self {
            Self::Local => include_str!("../../settings/local.yaml"),
            Self::Test => include_str!("../../settings/test.yaml"),
            Self::Production => include_str!("../../settings/production.yaml"),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
