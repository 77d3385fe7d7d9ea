//! How one implementation of OLAF's server side deviates.

/// The accent of one neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accent {}

/// Words that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no accent is called {0:?}")]
pub struct UnknownAccent(pub String);

impl Accent {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// A word means nothing.
    pub fn parse(words: &str) -> Result<Self, UnknownAccent> {
        Err(UnknownAccent(words.to_owned()))
    }

    /// How an operator would write it.
    #[must_use]
    pub fn name(self) -> String {
        "plain".to_owned()
    }
}
