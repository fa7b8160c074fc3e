//! Nobody is elected in a later term while another leader has a lease (thesis, 6.4.1), and nobody answers by a lease that is
//! over.
//!
//! A lease ends when the clock of who has it says so, and a clock may be wrong: then this is where it shows. It is judged by
//! what that clock reads, which is known from how it was set.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict, missing_commit};
use crate::event::NodeId;
use raftbox_abi::note::ReadMode;
use std::collections::BTreeMap;

/// Judges elections and reads by the leases that nodes noted.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaseSafety {
    pub(super) finding: Finding,
    /// Until when, by its own clock, each node has a lease, and in which term.
    leases: BTreeMap<NodeId, (u64, u64)>,
}

impl LeaseSafety {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let node = seen.node;
        match seen.fact {
            Fact::Booted | Fact::Down | Fact::Trapped | Fact::Lease { until: 0 } => _ = self.leases.remove(&node),
            Fact::Lease { until } => _ = self.leases.insert(node, (until, model.node(node).term)),
            Fact::Elected { term, .. } => self.elected(seen, model, term),
            Fact::Read { mode: ReadMode::Lease, .. } => self.read(seen, model),
            _ => {}
        }
    }

    fn elected(&mut self, seen: &Seen, model: &Model, term: u64) {
        let node = seen.node;
        for (holder, (until, held)) in &self.leases {
            let local = model.node(*holder).clock.local(seen.at);
            // Who is elected late, in a term that is over, has no quorum to commit with or to read by.
            if *holder != node && term > *held && local < *until {
                self.finding.violated(seen, || {
                    let left = until - local;
                    format!(
                        "S{node} is elected in term {term} while S{holder}, leader of term {held}, has a lease for {left} us \
                         yet by its clock (thesis, 6.4.1)"
                    )
                });
            }
        }
    }

    fn read(&mut self, seen: &Seen, model: &Model) {
        let node = seen.node;
        let local = model.node(node).clock.local(seen.at);
        match self.leases.get(&node) {
            Some((until, _)) if local < *until => {}
            Some((until, _)) => self.finding.violated(seen, || {
                format!(
                    "S{node} answers a read by a lease that ended {} us ago by its clock (thesis, 6.4.1)",
                    local - until
                )
            }),
            None => self
                .finding
                .violated(seen, || format!("S{node} answers a read by lease, and noted none (thesis, 6.4.1)")),
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        self.finding.verdict(missing_commit(model))
    }
}
