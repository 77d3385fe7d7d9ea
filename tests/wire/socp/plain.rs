//! What may be told to others of recorded letters: words that were written for everybody, and nothing else.

use std::collections::BTreeSet;

use kith::{
    dialect::socp::{Accent, envelope::Envelope, heard, plain},
    domain::letter::Audience,
};

use super::{NAMES, frames};

#[test]
fn of_everything_recorded_only_public_words_are_readable() {
    let mut found = BTreeSet::new();
    for name in NAMES {
        for (number, frame) in frames(name) {
            let Ok(envelope) = Envelope::read(&frame) else { continue };
            let Some(kind) = envelope.known() else { continue };
            // As the servers through which it came knew themselves.
            let servers = [&*envelope.to];
            let audience = heard::audience(kind, &envelope, &servers).unwrap_or(Audience::Homes(Vec::new()));
            let text = plain::text(&envelope, &audience, Accent::parse(name).expect("a preset"));
            // Nothing but public letters has words for everybody, whatever its payload looks like.
            assert!(text.is_none() || kind.name() == "MSG_PUBLIC_CHANNEL", "{name}:{number}");
            found.extend(text.map(|text| (name, text.to_string())));
        }
    }
    // Those of g17 are sealed for each member.
    let wanted = [
        ("g2", "hello everyone from alice"),
        ("g2", "hello everyone from bob"),
        ("g45", "hello everyone from alice"),
        ("g45", "hello everyone from bob é"),
        ("g56", "hello everyone from alice"),
        ("g56", "hello everyone from bob"),
    ];
    assert_eq!(found, wanted.map(|(name, words)| (name, words.to_owned())).into());
}
