//! What notes about a log do to the model.

use super::{Change, Clash, Fact, HardState, Image, Model, Node, Odd, Removed, TOLD};
use crate::check::tree::{Id, ROOT};
use crate::event::NodeId;
use raftbox_abi::note::EntryKind;

impl Model {
    pub(super) fn recovered(
        &mut self,
        id: NodeId,
        hard: HardState,
        snapshot: (u64, u64),
        last: (u64, u64),
        prefix: u64,
    ) -> Change {
        let found = self.tree.find(last.0, last.1, prefix);
        let node = self.node(id);
        if node.recovered {
            let same = node.hard == hard && found == node.at(node.last());
            return (Fact::Told, (!same).then_some(Odd::RecoveredAgain));
        }
        let durable = node.at(node.durable);
        self.node_mut(id).recovered = true;
        let change = self.hard_state(id, hard);
        let Some(found) = found else {
            let clash = self.tree.twin(last.0, last.1, ROOT);
            self.lose(id, || format!("the log that S{id} recovered"));
            let odd = clash.is_none().then_some(Odd::RecoveredUnknown { last });
            return (Fact::Recovered { change, lost: None, clash }, odd);
        };
        let lost = durable.filter(|durable| !self.tree.holds(found, *durable));
        let Self { nodes, tree, .. } = self;
        let node = &mut nodes[id as usize - 1];
        tree.spell(found, &mut node.log);
        // What recovery reads is what survived: it is on the disk.
        node.durable = node.last();
        node.known = true;
        (node.commit, node.applied) = (snapshot.0.min(node.last()), snapshot.0);
        let end = node.at(snapshot.0).map(|id| tree.end(id));
        let odd = (end != Some(snapshot)).then_some(Odd::SnapshotUnknown { index: snapshot.0, term: snapshot.1 });
        (Fact::Recovered { change, lost, clash: None }, odd)
    }

    pub(super) fn append(&mut self, id: NodeId, index: u64, term: u64, kind: EntryKind, hash: u64) -> Change {
        let Self { nodes, tree, .. } = self;
        let node = &mut nodes[id as usize - 1];
        let (last, current) = (node.last(), node.term);
        if index == 0 || index > last + 1 {
            self.lose(id, || format!("how S{id} came to an entry at index {index}"));
            return (Fact::Told, Some(Odd::AppendBeyond { index, last }));
        }
        let mut replaced = None;
        let mut odd = None;
        if index <= last {
            let there = node.at(index).map(|id| tree.entry(id));
            if there.is_some_and(|is| (is.term, is.kind, is.hash) == (term, kind, hash)) {
                return TOLD;
            }
            replaced = Some(Removed { from: index, last, commit: node.commit });
            odd = Some(Odd::AppendWithin { index, last });
            node.cut(index - 1);
        } else if node.role.is_some() && term > current {
            odd = Some(Odd::AppendTerm { index, term, current });
        }
        let parent = node.at(index - 1).expect("the log reaches up to there");
        let (entry, new) = tree.append(parent, term, kind, hash);
        let clash = if new { tree.twin(index, term, entry) } else { None };
        node.log.push(entry);
        node.term = current.max(term);
        (Fact::Appended { id: entry, clash, replaced }, odd)
    }

    pub(super) fn truncate(&mut self, id: NodeId, from: u64) -> Change {
        let node = self.node_mut(id);
        let (last, commit) = (node.last(), node.commit);
        if from == last + 1 {
            return TOLD;
        }
        if from == 0 || from > last {
            return (Fact::Told, Some(Odd::TruncateBeyond { from, last }));
        }
        node.cut(from - 1);
        (Fact::Truncated(Removed { from, last, commit }), None)
    }

    pub(super) fn durable(&mut self, id: NodeId, durable: u64) -> Change {
        let node = self.node_mut(id);
        let last = node.last();
        let odd = (durable > last).then_some(Odd::DurableBeyond { durable, last });
        // To be durable up to here does not say that nothing beyond is.
        node.durable = node.durable.max(durable.min(last));
        (Fact::Durable, odd)
    }

    pub(super) fn commit(&mut self, id: NodeId, index: u64) -> Change {
        let Self { nodes, tree, committed, .. } = self;
        let node = &mut nodes[id as usize - 1];
        let (last, before) = (node.last(), node.commit);
        let Some(entry) = node.at(index) else {
            return (Fact::Told, Some(Odd::CommitBeyond { commit: index, last }));
        };
        if index <= before {
            let term = node.term;
            let (new, clash) = (false, None);
            return (Fact::Committed { index, id: entry, before, new, clash, term }, None);
        }
        node.commit = index;
        // An entry is never of a later term than the leader who commits it.
        let term = node.term.max(tree.entry(entry).term);
        // A tree node stands for all that comes before it, so the last common index speaks for all.
        let upto = usize::try_from(index).expect("logs fit into memory");
        let known = upto.min(committed.len());
        let agree = known == 0 || node.log[known - 1] == committed[known - 1].0;
        let clash = if agree { None } else { first_clash(node, committed) };
        let new = agree && known < upto;
        if new {
            committed.extend(node.log[known..upto].iter().map(|entry| (*entry, id)));
        }
        (Fact::Committed { index, id: entry, before, new, clash, term }, None)
    }

    pub(super) fn snapshot(&mut self, id: NodeId, (index, term): (u64, u64), prefix: u64, state: u64) -> Change {
        let found = self.tree.find(index, term, prefix);
        let node = self.node_mut(id);
        let (own, applied) = (node.at(index), node.applied);
        let fits = found.is_some() && own == found;
        if fits {
            node.durable = node.durable.max(index);
        }
        let image = found.map(|log| Image { log, state });
        let odd = (!fits).then_some(Odd::SnapshotUnknown { index, term });
        (Fact::Snapshot { index, term, image, own, applied }, odd)
    }

    pub(super) fn install(&mut self, id: NodeId, (index, term): (u64, u64), prefix: u64, state: u64) -> Change {
        let Some(found) = self.tree.find(index, term, prefix) else {
            let clash = self.tree.twin(index, term, ROOT);
            self.lose(id, || format!("the log that S{id} got as a snapshot"));
            let odd = clash.is_none().then_some(Odd::SnapshotUnknown { index, term });
            return (Fact::Installed { removed: None, clash, image: None }, odd);
        };
        let Self { nodes, tree, .. } = self;
        let node = &mut nodes[id as usize - 1];
        let (last, commit, durable) = (node.last(), node.commit, node.durable);
        let old = std::mem::take(&mut node.log);
        tree.spell(found, &mut node.log);
        let common = old.iter().zip(&node.log).take_while(|(old, new)| old == new).count() as u64;
        // A snapshot is durable when that is noted, and not before.
        node.durable = durable.min(common);
        (node.commit, node.applied) = (commit.max(index).min(node.last()), index);
        let removed = (common < last).then_some(Removed { from: common + 1, last, commit });
        (Fact::Installed { removed, clash: None, image: Some(Image { log: found, state }) }, None)
    }
}

/// The first index at which a node's log is not what was committed.
#[cold]
fn first_clash(node: &Node, committed: &[(Id, NodeId)]) -> Option<Clash> {
    let both = node.log.iter().zip(committed);
    let first = both.into_iter().find(|(mine, (theirs, _))| **mine != *theirs);
    first.map(|(mine, (theirs, by))| Clash { mine: *mine, theirs: *theirs, by: *by })
}
