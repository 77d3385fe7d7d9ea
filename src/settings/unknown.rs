//! The hint for a key that nobody knows: the known key that the writer most likely meant.

/// Below this likeness a hint would only confuse.
const LIKE_ENOUGH: f64 = 0.6;

/// The known key most like the written one, if any is like it at all.
///
/// The last part counts nearly as much as the whole, so that a right key in the wrong section, or
/// without its section, is found too.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let likeness = |key: &str| {
        let whole = strsim::normalized_damerau_levenshtein(written, key);
        let last = strsim::normalized_damerau_levenshtein(last_part(written), last_part(key));
        whole.max(last * 0.95)
    };
    known
        .map(|key| (key, likeness(key)))
        .filter(|(_, likeness)| *likeness >= LIKE_ENOUGH)
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(key, _)| key.to_owned())
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_of_the_pen_wrong_sections_and_nothing_else() {
        let known = ["limits.connections", "limits.connections_per_address", "server.name", "log.level"];
        let hint = |written| nearest(written, known.into_iter());
        assert_eq!(hint("limits.conections").as_deref(), Some("limits.connections"));
        assert_eq!(hint("limts.connections").as_deref(), Some("limits.connections"));
        assert_eq!(hint("connections").as_deref(), Some("limits.connections"));
        assert_eq!(hint("listen.level").as_deref(), Some("log.level"));
        assert_eq!(hint("quux.zzzzzzz"), None);
    }
}
