//! Who the members of the cluster are.
//!
//! A joint configuration (thesis 4.3) has two sets of voters, the incoming and the outgoing, and needs a majority of
//! each; a simple one has no outgoing voters. Learners receive the log but have no say (thesis 4.2.1). The sets are
//! small, so they are sorted vectors.

use super::NodeId;
use super::config::is_node;

/// The members of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    voters: Vec<NodeId>,
    outgoing: Vec<NodeId>,
    learners: Vec<NodeId>,
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
        };
        assert!(configuration.members().all(is_node), "0 is nobody, and no member");
        let votes = |id: &NodeId| configuration.is_voter(*id);
        assert!(!configuration.learners.iter().any(votes), "a voter is not a learner as well");
        configuration
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
