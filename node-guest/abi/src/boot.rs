//! The argument of `boot`: who this node is, who its peers are, and how it is set.

use crate::codec::{Reader, Write};

/// What a node is told when it boots. Its log and its vote it finds on its disk.
///
/// ```
/// use raftbox_abi::Boot;
/// let boot = Boot { version: 1, node: 2, voters: vec![1, 2, 3], learners: vec![], settings: "heartbeat=50000\n" };
/// let bytes = boot.encode();
/// assert_eq!(Boot::decode(&bytes), Some(boot.clone()));
/// assert_eq!(boot.setting("heartbeat"), Some("50000"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot<'a> {
    /// The version of the boundary that the host speaks: [`VERSION`](crate::VERSION).
    pub version: u32,
    /// This node's identifier, 1 or more. 0 is nobody.
    pub node: u32,
    /// The voters of the cluster's first configuration, ascending.
    pub voters: Vec<u32>,
    /// Its learners, ascending.
    pub learners: Vec<u32>,
    /// `key=value` lines, keys ascending. Times are in microseconds, sizes in bytes, switches `true` or `false`.
    pub settings: &'a str,
}

impl<'a> Boot<'a> {
    /// The bytes that `boot` is called with.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32(self.version);
        out.put_u32(self.node);
        out.put_ids(&self.voters);
        out.put_ids(&self.learners);
        out.extend_from_slice(self.settings.as_bytes());
        out
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` if it did not.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let (version, node) = (from.u32()?, from.u32()?);
        let (voters, learners) = (from.ids()?, from.ids()?);
        let settings = str::from_utf8(from.0).ok()?;
        Some(Self { version, node, voters, learners, settings })
    }

    /// Each setting, in the order of its line.
    pub fn settings(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.settings.lines().filter_map(|line| line.split_once('='))
    }

    /// The value of the setting `key`, if it is given.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&'a str> {
        self.settings().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}
