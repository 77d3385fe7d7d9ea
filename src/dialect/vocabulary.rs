//! How accents are called: by a preset, or by words joined by `+` that each change one property, behind a
//! preset or alone.

use std::fmt;

/// A word, and the property that it changes.
pub type Word<A> = (&'static str, fn(&mut A));

/// The names of one dialect's accents. The default accent needs none, so it is the one that words alone change.
#[derive(Debug)]
pub struct Vocabulary<A: 'static> {
    /// Accents that have names of their own.
    pub presets: &'static [(&'static str, A)],
    /// Words that change one property each, in the order in which a name has them.
    pub words: &'static [Word<A>],
}

impl<A: Copy + Default + PartialEq> Vocabulary<A> {
    /// Reads a name.
    ///
    /// # Errors
    /// A part of it is neither a preset nor a word.
    pub fn parse(&self, name: &str) -> Result<A, UnknownAccent> {
        let mut parts = name.split('+');
        let first = parts.next().unwrap_or_default();
        let preset = self.presets.iter().find(|(known, _)| *known == first);
        let mut accent = preset.map_or_else(A::default, |(_, preset)| *preset);
        let words = if preset.is_some() { None } else { Some(first) };
        for word in words.into_iter().chain(parts) {
            let known = self.words.iter().find(|(known, _)| *known == word);
            let (_, change) = known.ok_or_else(|| self.unknown(word))?;
            change(&mut accent);
        }
        Ok(accent)
    }

    /// The name of the preset that it is, or else the shortest one.
    #[must_use]
    pub fn name(&self, accent: A) -> String {
        if let Some((name, _)) = self.presets.iter().find(|(_, preset)| *preset == accent) {
            return (*name).to_owned();
        }
        let names = self.presets.iter().map(|(name, preset)| self.beside(accent, name, *preset));
        names.min_by_key(String::len).unwrap_or_default()
    }

    /// An accent, told by how it differs from a preset.
    fn beside(&self, accent: A, name: &'static str, preset: A) -> String {
        let mut told = preset;
        let mut words = if preset == A::default() { Vec::new() } else { vec![name] };
        for (word, change) in self.words {
            let (mut changed, mut same) = (told, accent);
            change(&mut changed);
            change(&mut same);
            if same == accent && changed != told {
                told = changed;
                words.push(word);
            }
        }
        words.join("+")
    }

    fn unknown(&self, word: &str) -> UnknownAccent {
        UnknownAccent {
            word: word.to_owned(),
            presets: self.presets.iter().map(|(name, _)| *name).collect(),
            words: self.words.iter().map(|(name, _)| *name).collect(),
        }
    }
}

/// A word that names no accent and no property of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAccent {
    /// The word.
    pub word: String,
    presets: Vec<&'static str>,
    words: Vec<&'static str>,
}

impl fmt::Display for UnknownAccent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, presets, words } = self;
        let (presets, words) = (presets.join(", "), words.join(", "));
        write!(out, "{word:?} is no accent; choose one of {presets}, or words joined by + of {words}")
    }
}

impl std::error::Error for UnknownAccent {}
