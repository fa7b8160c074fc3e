//! A command of a session takes effect once, however often it stands in the log (thesis, 6.3).
//!
//! A client may send a command again, and leaders may append it twice. The machine must then return what it returned the first
//! time, or refuse. So two applications of one command (client, session and sequence are part of it) that both return
//! something, and not the same, are two effects. A refusal is no effect, and may be followed by one. That all nodes return the
//! same at an index is another property, so each index is looked at once.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};
use raftbox_abi::client::{Reason, Reply, Request};
use std::collections::BTreeMap;

/// What a command returned first, and where.
#[derive(Clone, Copy, Debug)]
struct Effect {
    index: u64,
    result: u64,
}

/// Judges what commands of sessions return.
#[derive(Clone, Debug)]
pub(super) struct ExactlyOnce {
    pub(super) finding: Finding,
    /// The commands that were asked in sessions, by their hash, and the effect of each.
    commands: BTreeMap<u64, Option<Effect>>,
    /// The hashes of all refusals.
    refusals: Vec<u64>,
    /// Up to this index all was looked at.
    seen: u64,
    applied: bool,
}

impl Default for ExactlyOnce {
    fn default() -> Self {
        let reasons = [Reason::LogFull, Reason::Malformed, Reason::Stale].map(Reply::Refused);
        let refusals = reasons.into_iter().chain([Reply::SessionExpired]).map(|reply| {
            let mut bytes = Vec::new();
            reply.encode(&mut bytes);
            raftbox_abi::hash(&bytes)
        });
        let refusals = refusals.collect();
        Self { finding: Finding::default(), commands: BTreeMap::new(), refusals, seen: 0, applied: false }
    }
}

impl ExactlyOnce {
    pub(super) fn observe(&mut self, seen: &Seen, _: &Model) {
        let Fact::Applied { index, command, result, .. } = seen.fact else { return };
        if index <= self.seen {
            return;
        }
        self.seen = index;
        let Some(effect) = self.commands.get_mut(&command) else { return };
        self.applied = true;
        if self.refusals.contains(&result) {
            return;
        }
        let first = effect.get_or_insert(Effect { index, result });
        if first.result != result {
            let (node, before) = (seen.node, first.index);
            self.finding.violated(seen, || {
                format!(
                    "S{node} applied at {index} the command of {before} again, and it returned something else: it took \
                     effect twice (thesis, 6.3)"
                )
            });
        }
    }

    /// A client asks.
    pub(super) fn request(&mut self, body: &[u8]) {
        if Request::decode(body).is_some_and(|request| request.session > 0) {
            self.commands.entry(raftbox_abi::hash(body)).or_insert(None);
        }
    }

    pub(super) fn verdict(&self, _: &Model) -> Verdict {
        self.finding.verdict(if self.applied { None } else { Some("a command of a session that was applied") })
    }
}
