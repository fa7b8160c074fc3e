//! Who the members of the cluster are.
//!
//! A joint configuration (thesis 4.3) has two sets of voters, the incoming and the outgoing, and needs a majority of
//! each; a simple one has no outgoing voters. Learners receive the log but have no say (thesis 4.2.1). The sets are
//! small, so they are sorted vectors.

use std::fmt;
use std::rc::Rc;

use super::config::is_node;
use super::{Index, NodeId};

/// The members of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub(super) voters: Vec<NodeId>,
    pub(super) outgoing: Vec<NodeId>,
    pub(super) learners: Vec<NodeId>,
    pub(super) learners_next: Vec<NodeId>,
    pub(super) leaves_itself: bool,
}

impl Configuration {
    /// A simple configuration. The order and repetition of ids do not matter.
    pub fn new(voters: impl IntoIterator<Item = NodeId>, learners: impl IntoIterator<Item = NodeId>) -> Self {
        Self::joint(voters, [], learners)
    }

    /// A joint configuration, on the way from `outgoing` to `voters`.
    pub fn joint(
        voters: impl IntoIterator<Item = NodeId>,
        outgoing: impl IntoIterator<Item = NodeId>,
        learners: impl IntoIterator<Item = NodeId>,
    ) -> Self {
        let configuration = Self {
            voters: sorted(voters.into_iter().collect()),
            outgoing: sorted(outgoing.into_iter().collect()),
            learners: sorted(learners.into_iter().collect()),
            learners_next: Vec::new(),
            leaves_itself: false,
        };
        assert!(configuration.members().all(is_node), "0 is nobody, and no member");
        let votes = |id: &NodeId| configuration.is_voter(*id);
        assert!(!configuration.learners.iter().any(votes), "a voter is not a learner as well");
        configuration
    }

    /// This joint configuration, with the outgoing voters that will be learners, and whether it is left by itself.
    #[must_use]
    pub fn leading_to(self, learners_next: impl IntoIterator<Item = NodeId>, leaves_itself: bool) -> Self {
        let learners_next = sorted(learners_next.into_iter().collect());
        let leave = |id: &NodeId| self.outgoing.contains(id) && !self.voters.contains(id);
        assert!(learners_next.iter().all(leave), "a voter of before is to be a learner");
        assert!(self.is_joint() || !leaves_itself, "only a joint configuration is left");
        Self { learners_next, leaves_itself, ..self }
    }

    /// The voters; in a joint configuration, the incoming ones. Sorted.
    #[must_use]
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// The outgoing voters; none in a simple configuration. Sorted.
    #[must_use]
    pub fn outgoing(&self) -> &[NodeId] {
        &self.outgoing
    }

    /// The members without a vote. Sorted.
    #[must_use]
    pub fn learners(&self) -> &[NodeId] {
        &self.learners
    }

    /// The outgoing voters that will be learners once the joint configuration is left. Sorted.
    #[must_use]
    pub fn learners_next(&self) -> &[NodeId] {
        &self.learners_next
    }

    /// Whether two sets of voters must agree.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether this joint configuration is left without being asked to, once it is committed.
    #[must_use]
    pub fn leaves_itself(&self) -> bool {
        self.leaves_itself
    }

    /// Whether the node has a vote, in either set.
    #[must_use]
    pub fn is_voter(&self, id: NodeId) -> bool {
        self.voters.binary_search(&id).is_ok() || self.outgoing.binary_search(&id).is_ok()
    }

    /// Every voter once, incoming first.
    pub fn all_voters(&self) -> impl Iterator<Item = NodeId> + '_ {
        let incoming = |id: &NodeId| self.voters.binary_search(id).is_ok();
        let leaving = self.outgoing.iter().copied().filter(move |id| !incoming(id));
        self.voters.iter().copied().chain(leaving)
    }

    /// Every member once: voters, then learners.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.all_voters().chain(self.learners.iter().copied())
    }
}

impl fmt::Display for Configuration {
    /// `1 2 3`, with `out of 1 2` if it is joint, and with learners, if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: &[NodeId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        f.write_str(&list(&self.voters))?;
        for (word, ids) in
            [("out of", &self.outgoing), ("learners", &self.learners), ("learners to be", &self.learners_next)]
        {
            if !ids.is_empty() {
                write!(f, ", {word} {}", list(ids))?;
            }
        }
        Ok(())
    }
}

/// The configurations that a log holds, in order; the last is in force, committed or not (paper 6: "a server always uses
/// the latest configuration in its log").
#[derive(Clone, Debug)]
pub(super) struct Memberships {
    /// Each with the index of its entry; the first is in force where the log begins.
    kept: Vec<(Index, Rc<Configuration>)>,
}

impl Memberships {
    /// Before the first change.
    pub(super) fn new(base: Index, start: Rc<Configuration>) -> Self {
        Self { kept: vec![(base, start)] }
    }

    /// The one in force at an index that is committed, and the index of its entry.
    pub(super) fn at(&self, index: Index) -> (Index, &Rc<Configuration>) {
        let (at, configuration) =
            self.kept.iter().rfind(|(at, _)| *at <= index).expect("the first is in force where the log begins");
        (*at, configuration)
    }

    /// The one in force, and the index of its entry.
    pub(super) fn last(&self) -> (Index, &Rc<Configuration>) {
        let (index, configuration) = self.kept.last().expect("the first is never taken away");
        (*index, configuration)
    }

    /// Whether an election may need this node: it votes in the configuration that is committed, or in a later one. One that
    /// its last configuration leaves out may hold the only log that can win, until that configuration is committed; it then
    /// campaigns without a vote of its own (thesis 4.2.2).
    pub(super) fn may_need(&self, id: NodeId) -> bool {
        self.kept.iter().any(|(_, configuration)| configuration.is_voter(id))
    }

    /// An entry at `index` brings another.
    pub(super) fn push(&mut self, index: Index, configuration: Rc<Configuration>) {
        self.kept.push((index, configuration));
    }

    /// The log loses `from` and all after it. Returns whether that changed what is in force.
    pub(super) fn truncate(&mut self, from: Index) -> bool {
        let before = self.kept.len();
        self.kept.retain(|(index, _)| *index < from);
        assert!(!self.kept.is_empty(), "what the log begins with is not truncated");
        self.kept.len() < before
    }

    /// The log is committed up to `index`: what was in force before that is never needed again.
    pub(super) fn commit(&mut self, index: Index) {
        let old = self.kept.iter().take_while(|(at, _)| *at <= index).count();
        self.kept.drain(..old.saturating_sub(1));
    }
}

fn sorted(mut ids: Vec<NodeId>) -> Vec<NodeId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_listed_once() {
        let joint = Configuration::joint([3, 1, 2], [2, 5, 3], [9, 4]);
        assert_eq!(joint.members().collect::<Vec<_>>(), [1, 2, 3, 5, 4, 9]);
        assert!(joint.is_voter(5) && !joint.is_voter(4));
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(Configuration::new([2, 1, 2], []), Configuration::new([1, 2], []));
    }
}
