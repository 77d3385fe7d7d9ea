//! Who our neighbours are when a server starts: what the settings say, and what the store remembers.

use std::collections::{HashMap, HashSet};

use super::StartupError;
use crate::{
    actors::{
        bans::ISSUE,
        clock::unix_ms,
        house::Sentences,
        neighbourhood::{bootstrap, members},
    },
    dialect::socp,
    domain::{
        address::Address,
        bans::Bans,
        book::{Book, Entry, Policy},
        channel::Channel,
        id::KeyId,
        letter::Frame,
        limits::Limits,
        names::Bearer,
        peer::{PeerLine, Source},
    },
    identity::Identity,
    settings::{Admit, Settings},
    store::Store,
};

/// The neighbours of the settings.
///
/// # Errors
/// A line of them is wrong.
pub(super) fn listed(settings: &Settings) -> Result<Vec<(PeerLine, Entry)>, StartupError> {
    let lines = settings.neighbourhood.peers.iter();
    let listed = lines.map(|line| {
        let problem = |problem: String| StartupError::Peer { line: line.to_string(), problem };
        Ok((line.clone(), members::entry(line, Source::Settings).map_err(problem)?))
    });
    let listed: Vec<_> = listed.collect::<Result<_, StartupError>>()?;
    Ok(listed.into_iter().chain(bootstrap::introducers(&settings.socp)?).collect())
}

/// The book at the start. What the settings say wins; what was learnt about the same server stays.
pub(super) async fn book(
    settings: &Settings,
    identity: &Identity,
    address: &str,
    names: &[Address],
    store: &Store,
) -> Result<Book, StartupError> {
    let section = &settings.neighbourhood;
    let policy = Policy {
        anyone: section.admit == Admit::Anyone,
        legacy: section.legacy,
        most: usize::try_from(settings.limits.peers).unwrap_or(usize::MAX),
    };
    let own = names.iter().cloned().chain([Address::new(address)]).collect();
    let mut book = Book::new(identity.server.public().id(), own, policy);
    let mut known: Vec<_> = store.peers().await?.into_iter().map(members::remembered).collect();
    for (line, mut entry) in listed(settings)? {
        if let Some(at) = known.iter().position(|known| known.id == entry.id) {
            recall(&mut entry, known.swap_remove(at));
        }
        if let Err(turned) = book.add(entry) {
            tracing::warn!(peer = line.url, code = turned.refusal.code(), "this neighbour is left out");
        }
    }
    // One server may stand there twice: it came by itself, perhaps was removed, and was added by its URL
    // since. What is there counts more than what was removed, and a way to reach it more than none.
    known.sort_by_key(|entry| (entry.removed, entry.url.is_none()));
    for entry in known {
        // Only the settings would have kept it.
        if entry.source == Source::Settings && !entry.removed {
            continue;
        }
        book.restore(entry);
    }
    Ok(book)
}

/// The bans at the start. Lists of neighbours to whom nobody is subscribed any more are forgotten.
pub(super) async fn bans(settings: &Settings, book: &Book, store: &Store) -> Result<Sentences, StartupError> {
    let section = &settings.bans;
    let mut wanted = HashSet::new();
    for word in &section.subscribe {
        let meant = book.meant(word).and_then(|home| book.entry(home)).and_then(Entry::expected);
        // Whom we have never met has shown no key, and told no list.
        wanted.extend(meant.or_else(|| KeyId::from_hex(word)));
        if meant.is_none() {
            tracing::info!(word, "bans.subscribe: no neighbour of ours goes by this so far");
        }
    }
    let mut issues = HashMap::new();
    for (key, issue) in store.ban_lists().await? {
        if wanted.contains(&key) {
            issues.insert(key, issue);
        } else {
            store.forget_ban_list(key).await?;
        }
    }
    let mut bans = Bans::default();
    for ban in store.bans().await? {
        bans.insert(ban);
    }
    let issue = store.fact(ISSUE).await?.and_then(|text| text.parse().ok());
    Ok(Sentences { bans, issues, issue, publish: section.publish })
}

/// What was learnt about a neighbour that the settings name.
fn recall(entry: &mut Entry, known: Entry) {
    // Settings that name no key leave it to what an operator pinned since.
    if entry.pinned.is_none() && !known.removed {
        (entry.pinned, entry.key_text) = (known.pinned, known.key_text);
    }
    // A key that was seen counts until an operator names one.
    entry.seen = known.seen.filter(|_| entry.pinned.is_none());
    entry.dialect = entry.dialect.or(known.dialect);
    entry.added_at = known.added_at.min(unix_ms());
    entry.linked_at = known.linked_at;
    entry.name = entry.name.take().or(known.name);
}

/// The wrapped keys of the public channel that the store remembers.
pub(super) async fn channel(limits: &Limits, store: &Store) -> Result<Channel, StartupError> {
    let mut channel = Channel::new(limits);
    for frame in store.wraps().await? {
        // What is held in memory is bounded in the same way as it was.
        let wraps = socp::channel::read(&Frame::from(frame));
        drop(wraps.map(|wraps| channel.take(wraps)));
    }
    Ok(channel)
}

/// Whose names the store remembers.
pub(super) async fn bearers(
    settings: &Settings,
    store: &Store,
) -> Result<Vec<(KeyId, Bearer)>, StartupError> {
    let names = store.names(settings.limits.names).await?;
    Ok(names.into_iter().map(|(name, bearer)| (socp::id_of(&name), bearer)).collect())
}
