//! The doors of a neighbour whose home several nodes may serve.

use super::Entry;

impl Entry {
    /// Remembers where else it is found. Nobody is led from an encrypted way to an open one. Says whether that is news.
    pub fn found_behind(&mut self, doors: Vec<String>) -> bool {
        let is_secure = |url: &str| url.starts_with("wss://");
        let url = self.url.as_deref();
        let mut others: Vec<String> = Vec::new();
        for door in doors {
            let is_open_way = url.is_some_and(is_secure) && !is_secure(&door);
            if !is_open_way && Some(door.as_str()) != url && !others.contains(&door) {
                others.push(door);
            }
        }
        let is_news = others != self.doors;
        self.doors = others;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PeerId;

    #[test]
    fn doors_are_remembered_beside_the_one_that_is_known() {
        let doors = || ["ws://a:1", "ws://b:1", "ws://b:1", "wss://c"].map(str::to_owned).to_vec();
        let mut entry = Entry { url: Some("ws://a:1".to_owned()), ..Entry::stranger(PeerId([1; 6]), 0) };
        assert!(entry.found_behind(doors()));
        assert_eq!(entry.doors, ["ws://b:1", "wss://c"]);
        assert!(!entry.found_behind(doors()), "that is no news");
        entry.url = Some("wss://a".to_owned());
        entry.found_behind(doors());
        assert_eq!(entry.doors, ["wss://c"], "never from an encrypted way to an open one");
        assert!(entry.found_behind(Vec::new()));
        assert!(entry.doors.is_empty());
    }
}
