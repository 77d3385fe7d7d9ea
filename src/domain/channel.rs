//! The wrapped keys of the public channel, as servers have sent them, for members who come later.
//!
//! A key is wrapped for each member, so of what a server says only the last frame in which something is for a
//! member is of any use to it. **Invariants:** what is handed out is a frame as it came; of one server no more
//! is kept than fits, and the oldest goes first; a new version of a server's key pushes out all that this server
//! has said about older ones, and nothing of any other server.

use std::{collections::BTreeMap, sync::Arc};

use super::{id::KeyId, letter::Frame, limits::Limits};

/// Frames that are kept of one server. Some send one for each member.
const MOST_FRAMES: usize = 256;
/// Servers of which something is kept. Whoever has said nothing for longest goes first.
const MOST_SERVERS: usize = 64;

/// The key of the channel, wrapped for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// Who can open it.
    pub member: KeyId,
    /// The name of that member.
    pub name: Arc<str>,
    /// What it can open, as it was written.
    pub wrapped: Arc<str>,
}

/// A frame in which a server hands out the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wraps {
    /// What the server is called.
    pub server: Arc<str>,
    /// Whether it passes on a key that is in use already, beside what announced it.
    pub is_share: bool,
    /// Which key it is, if it says so.
    pub version: Option<u64>,
    /// For whom.
    pub wraps: Vec<Wrap>,
    /// The frame as it came.
    pub frame: Frame,
}

/// All that is kept of one server, to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWraps {
    /// What it is called.
    pub server: Arc<str>,
    /// The version of its key; 0 if it has named none.
    pub version: u64,
    /// The frames, in the order in which they came; none if the server is forgotten.
    pub frames: Vec<Frame>,
    /// Names, and what is wrapped for them.
    pub wraps: Vec<(Arc<str>, Arc<str>)>,
}

#[derive(Debug)]
struct Kept {
    is_share: bool,
    wraps: BTreeMap<KeyId, Wrap>,
    frame: Frame,
}

#[derive(Debug, Default)]
struct OfServer {
    version: u64,
    /// When it spoke last, in frames of all servers.
    last: u64,
    frames: Vec<Kept>,
}

impl OfServer {
    fn bytes(&self) -> usize {
        self.frames.iter().map(|kept| kept.frame.len()).sum()
    }
}

/// What is kept of all servers.
#[derive(Debug)]
pub struct Channel {
    servers: BTreeMap<Arc<str>, OfServer>,
    count: u64,
    most_bytes: usize,
}

impl Channel {
    /// Nothing, and room for as much as the limits say.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let most_bytes = usize::try_from(limits.channel_bytes).unwrap_or(usize::MAX);
        Self { servers: BTreeMap::new(), count: 0, most_bytes }
    }

    /// A server has handed out a key. Says what is to be written down.
    pub fn take(&mut self, heard: Wraps) -> Vec<KeptWraps> {
        let Wraps { server, is_share, version, wraps, frame } = heard;
        if frame.len() > self.most_bytes {
            return Vec::new();
        }
        self.count += 1;
        let kept = self.servers.entry(Arc::clone(&server)).or_default();
        kept.last = self.count;
        if let Some(version) = version.filter(|version| *version != kept.version) {
            kept.version = version;
            kept.frames.clear();
        }
        let wraps: BTreeMap<_, _> = wraps.into_iter().map(|wrap| (wrap.member, wrap)).collect();
        for older in kept.frames.iter_mut().filter(|older| older.is_share == is_share) {
            older.wraps.retain(|member, _| !wraps.contains_key(member));
        }
        kept.frames.retain(|older| !older.wraps.is_empty());
        if !wraps.is_empty() {
            kept.frames.push(Kept { is_share, wraps, frame });
        }
        while kept.frames.len() > MOST_FRAMES || kept.bytes() > self.most_bytes {
            kept.frames.remove(0);
        }
        let mut changed = vec![self.kept(&server)];
        if self.servers.len() > MOST_SERVERS
            && let Some(oldest) = self.servers.iter().min_by_key(|(_, kept)| kept.last)
        {
            let oldest = Arc::clone(oldest.0);
            self.servers.remove(&oldest);
            changed.push(self.kept(&oldest));
        }
        changed
    }

    fn kept(&self, server: &Arc<str>) -> KeptWraps {
        let frames = || self.servers.get(server).map(|kept| &kept.frames).into_iter().flatten();
        let wraps = frames().flat_map(|kept| kept.wraps.values());
        KeptWraps {
            server: Arc::clone(server),
            version: self.version(server),
            frames: frames().map(|kept| kept.frame.clone()).collect(),
            wraps: wraps.map(|wrap| (Arc::clone(&wrap.name), Arc::clone(&wrap.wrapped))).collect(),
        }
    }

    /// The version of a server's key; 0, the one before the first, if it has named none.
    #[must_use]
    pub fn version(&self, server: &str) -> u64 {
        self.servers.get(server).map_or(0, |kept| kept.version)
    }

    /// The frames in which something is for this member, as they came.
    pub fn frames(&self, member: KeyId) -> impl Iterator<Item = &Frame> {
        let frames = self.servers.values().flat_map(|kept| &kept.frames);
        frames.filter(move |kept| kept.wraps.contains_key(&member)).map(|kept| &kept.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wraps(server: &str, version: Option<u64>, members: &[u8], text: &str) -> Wraps {
        let wrap = |member: &u8| Wrap {
            member: KeyId([*member; 32]),
            name: member.to_string().into(),
            wrapped: text.into(),
        };
        let wraps = members.iter().map(wrap).collect();
        let frame = Frame::Text(text.to_owned().into());
        Wraps { server: server.into(), is_share: false, version, wraps, frame }
    }

    fn channel(bytes: u32) -> Channel {
        Channel::new(&Limits { channel_bytes: bytes, ..Limits::default() })
    }

    fn heard(channel: &Channel, member: u8) -> Vec<&str> {
        channel.frames(KeyId([member; 32])).filter_map(Frame::text).collect()
    }

    #[test]
    fn the_last_frame_of_each_server_that_holds_something_for_a_member_is_kept() {
        let mut channel = channel(1000);
        channel.take(wraps("a", Some(1), &[1, 2], "a1"));
        channel.take(wraps("a", Some(1), &[2, 3], "a1 again"));
        channel.take(wraps("b", None, &[2], "b"));
        assert_eq!(heard(&channel, 1), ["a1"]);
        assert_eq!(heard(&channel, 2), ["a1 again", "b"]);
        assert!(heard(&channel, 4).is_empty());
        let kept = channel.take(wraps("a", None, &[1], "a share"));
        assert_eq!(heard(&channel, 1), ["a share"]);
        let frames: Vec<_> = kept[0].frames.iter().filter_map(Frame::text).collect();
        assert_eq!(
            (kept.len(), frames),
            (1, vec!["a1 again", "a share"]),
            "the first is for nobody any more"
        );
        assert_eq!((kept[0].version, kept[0].wraps.len()), (1, 3));
        // A share says nothing about what announced its key.
        channel.take(Wraps { is_share: true, ..wraps("b", None, &[2], "b shared") });
        assert_eq!(heard(&channel, 2), ["a1 again", "b", "b shared"]);
        // A new key makes all wraps of the old ones worthless, but not those of others.
        let kept = channel.take(wraps("a", Some(2), &[3], "a2"));
        assert_eq!((heard(&channel, 1), heard(&channel, 2)), (vec![], vec!["b", "b shared"]));
        assert_eq!((heard(&channel, 3), kept[0].version), (vec!["a2"], 2));
        assert_eq!((channel.version("a"), channel.version("b"), channel.version("c")), (2, 0, 0));
        // A server that begins anew counts from the start again.
        channel.take(wraps("a", Some(1), &[3], "a1 anew"));
        assert_eq!((heard(&channel, 3), channel.version("a")), (vec!["a1 anew"], 1));
        let kept = channel.take(wraps("a", Some(5), &[], "a5 for nobody"));
        assert_eq!((heard(&channel, 3), kept[0].frames.len(), kept[0].version), (vec![], 0, 5));
    }

    #[test]
    fn no_server_fills_the_house_and_none_pushes_out_what_is_newer() {
        let mut channel = channel(100);
        assert!(channel.take(wraps("a", None, &[1], &"x".repeat(101))).is_empty());
        assert!(heard(&channel, 1).is_empty() && channel.servers.is_empty());
        for member in 0..=255 {
            channel.take(wraps("a", None, &[member], &format!("{member:03}")));
        }
        let kept = channel.take(wraps("a", None, &[7, 8], "the last"));
        assert!(kept[0].frames.iter().map(Frame::len).sum::<usize>() <= 100);
        assert_eq!((heard(&channel, 7), heard(&channel, 255)), (vec!["the last"], vec!["255"]));
        assert!(heard(&channel, 0).is_empty(), "the oldest went");
        for server in 0..MOST_SERVERS {
            let kept = channel.take(wraps(&format!("b{server}"), None, &[9], "b"));
            if server == MOST_SERVERS - 1 {
                assert_eq!((&*kept[1].server, kept[1].frames.len()), ("a", 0), "it is to be forgotten");
            }
        }
        assert_eq!(channel.servers.len(), MOST_SERVERS);
        assert_eq!(heard(&channel, 9).len(), MOST_SERVERS);
    }
}
