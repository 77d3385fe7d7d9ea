//! Names as they are compared: case-folded NFKC.
//!
//! Two names that people take for the same must be the same to every rule about names: `Anna`, `ANNA`, the
//! full-width form of an old keyboard, and letters that are put together from others. What is compared is what
//! Unicode calls a compatibility caseless match (D146): folding case may undo the normal form, and
//! normalising may bring forth letters that have a case, so each is done twice, and the result is NFKC.
//!
//! Letters of different alphabets that merely look alike stay different.

use std::fmt;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

/// Whether a sign in a name is one that nobody sees, or that turns round what stands behind it.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A name in the form in which names are compared. The spelling itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(Box<str>);

impl Folded {
    /// Folds a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        if name.is_ascii() {
            return Self(name.to_ascii_lowercase().into());
        }
        let case = CaseMapper::new();
        let once = DecomposingNormalizer::new_nfd().normalize(name).into_owned();
        let twice = DecomposingNormalizer::new_nfkd().normalize(&case.fold_string(&once)).into_owned();
        Self(ComposingNormalizer::new_nfkc().normalize(&case.fold_string(&twice)).into_owned().into())
    }

    /// The folded form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal_and_other_names_are_not() {
        for (one, other) in [
            ("Anna", "aNNA"),
            ("Ａｎｎａ", "anna"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("e\u{301}ve", "\u{c9}VE"),
            ("ﬁn", "FIN"),
            ("\u{212b}sa", "a\u{30a}SA"),
            ("\u{345}", "\u{3b9}"),
            ("\u{1ff2}\u{610}", "\u{3c9}\u{300}\u{610}\u{345}"),
        ] {
            assert_eq!(Folded::new(one), Folded::new(other), "{one} and {other}");
        }
        for (one, other) in [("anna", "ann"), ("anna", "аnna"), ("anna", "anna "), ("i", "ı")] {
            assert_ne!(Folded::new(one), Folded::new(other), "{one} and {other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn folding_is_done_once_and_knows_neither_case_nor_composition(name in "\\PC{0,24}") {
            let folded = Folded::new(&name);
            prop_assert_eq!(&Folded::new(folded.as_str()), &folded, "folding twice is folding once");
            // Decomposed first: a subscript iota that becomes a letter of its own must stand behind all other marks.
            let apart = DecomposingNormalizer::new_nfd().normalize(&name).into_owned();
            prop_assert_eq!(&Folded::new(&CaseMapper::new().fold_string(&apart)), &folded);
            for spelling in [
                DecomposingNormalizer::new_nfd().normalize(&name),
                DecomposingNormalizer::new_nfkd().normalize(&name),
                ComposingNormalizer::new_nfc().normalize(&name),
                ComposingNormalizer::new_nfkc().normalize(&name),
            ] {
                prop_assert_eq!(&Folded::new(&spelling), &folded, "{:?}", spelling);
            }
            prop_assert!(ComposingNormalizer::new_nfkc().is_normalized(folded.as_str()));
        }

        #[test]
        fn the_short_way_for_ascii_is_the_long_way(name in "[ -~]{0,24}") {
            let case = CaseMapper::new();
            let long = ComposingNormalizer::new_nfkc().normalize(&case.fold_string(&name)).into_owned();
            let folded = Folded::new(&name);
            prop_assert_eq!(folded.as_str(), long);
        }
    }
}
