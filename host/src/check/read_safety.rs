//! A read that claims to be linearizable sees all that was committed before it was asked (thesis, 6.4).
//!
//! What was acknowledged was committed before, and committed is what a node noted so; that is known at each request. A read
//! through the log has an index of its own, and one from what a node happens to have claims nothing: both are not judged.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict, missing_commit};
use crate::event::ClientId;
use raftbox_abi::client::{Attempt, Operation, Reply, Request};
use raftbox_abi::note::ReadMode;
use std::collections::BTreeMap;

/// What is known of an attempt to read without the log.
#[derive(Clone, Copy, Debug)]
struct Asked {
    mode: ReadMode,
    /// What was committed then, by whomever.
    committed: u64,
    noted: bool,
}

/// Judges reads by what was committed when they were asked.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadSafety {
    pub(super) finding: Finding,
    asked: BTreeMap<(ClientId, Attempt), Asked>,
    /// The first answer that no note told of.
    without_note: Option<String>,
}

impl ReadSafety {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let Fact::Read { client, attempt, mode, index } = seen.fact else { return };
        let Some(asked) = self.asked.get_mut(&(client, attempt)) else {
            return self.finding.violated(seen, || {
                let Attempt { operation, attempt } = attempt;
                format!(
                    "S{} answers a read that nobody asked: C{client}'s operation {operation}, attempt {attempt}",
                    seen.node
                )
            });
        };
        asked.noted = true;
        let (node, applied, committed) = (seen.node, model.node(seen.node).applied, asked.committed);
        if index > applied {
            return self.finding.violated(seen, || {
                format!("S{node} answers a read at {index}, but has applied its log up to {applied} (thesis, 6.4)")
            });
        }
        // What was promised is what was asked for, whatever the note says.
        if asked.mode != ReadMode::Local && index < committed {
            self.finding.violated(seen, || {
                let mode = mode.word();
                format!(
                    "S{node} answers C{client}'s read ({mode}) at {index}, and {committed} was committed before it was \
                     asked (thesis, 6.4)"
                )
            });
        }
    }

    /// A client asks.
    pub(super) fn request(&mut self, client: ClientId, attempt: Attempt, body: &[u8], model: &Model) {
        if let Some(Operation::Read(mode, _)) = Request::decode(body).map(|request| request.operation) {
            let committed = model.committed_to();
            self.asked.entry((client, attempt)).or_insert(Asked { mode, committed, noted: false });
        }
    }

    /// A client is answered.
    pub(super) fn received(&mut self, client: ClientId, attempt: Attempt, body: &[u8]) {
        let Some(asked) = self.asked.get(&(client, attempt)) else { return };
        if !asked.noted && matches!(Reply::decode(body), Some(Reply::Ok(_))) {
            let missing = || format!("how C{client}'s read {} was answered", attempt.operation);
            self.without_note.get_or_insert_with(missing);
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        self.finding.verdict(missing_commit(model).or(self.without_note.as_deref()))
    }
}
